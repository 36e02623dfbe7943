from __future__ import annotations

import numpy as np

from powerhal.attribution.evaluation.selection import CANDIDATES, DEFAULT, chosen, learn, left_out
from tests.attribution.evaluation.test_rail import POINTS, sample


def test_the_default_stays_without_clear_evidence():
    random = np.random.default_rng(0)
    scores = 5.0 + random.standard_normal((10, 4))
    assert chosen(scores, default=3) == 3
    assert chosen(np.full((10, 2), 5.0), default=3) == 3


def test_a_clearly_better_candidate_is_taken():
    scores = np.full((10, 12), 5.0) + 0.1 * np.random.default_rng(0).standard_normal((10, 12))
    scores[6] -= 2.0
    assert chosen(scores, default=3) == 6


def test_left_out_residuals_never_saw_their_program():
    data = sample(noise=0.01)
    before = left_out(data, POINTS, 0.03)
    mine = data.program == 2
    data.power_w[mine] *= 1.5
    after = left_out(data, POINTS, 0.03)
    np.testing.assert_allclose(after[mine] - before[mine], np.log(1.5), atol=0.01)


def test_learning_gives_a_model_and_an_honest_interval():
    learned = learn(lambda _curve: sample(noise=0.02), POINTS)
    assert learned.candidate in CANDIDATES
    assert 0.8 < learned.interval.low < 1.0 < learned.interval.high < 1.2


def test_one_program_is_fitted_with_the_default():
    learned = learn(lambda _curve: sample(programs=1), POINTS)
    assert learned.candidate == DEFAULT
