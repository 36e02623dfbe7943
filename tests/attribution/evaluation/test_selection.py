from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation.selection import CANDIDATES, DEFAULT, learn, left_out, shares
from tests.attribution.evaluation.test_rail import POINTS, sample


def test_a_clearly_better_candidate_stands_alone():
    scores = 5.0 + 0.1 * np.random.default_rng(0).standard_normal((10, 12))
    scores[6] -= 2.0
    np.testing.assert_allclose(shares(scores), np.eye(10)[6], atol=1e-6)


def test_equal_candidates_have_equal_shares():
    np.testing.assert_allclose(shares(np.full((4, 9), 5.0)), 0.25)


def test_many_programs_average_what_they_cannot_tell_apart():
    scores = 5.0 + np.random.default_rng(0).standard_normal((10, 12))
    scores[2] += 5.0
    found = shares(scores)
    assert found.sum() == pytest.approx(1.0)
    assert found[2] == 0.0
    assert np.count_nonzero(found) >= 3


def test_left_out_residuals_never_saw_their_program():
    data = sample(noise=0.01)
    before = left_out(data, POINTS, 0.03)
    mine = data.program == 2
    data.power_w[mine] *= 1.5
    after = left_out(data, POINTS, 0.03)
    np.testing.assert_allclose(before[mine] / after[mine], 1.5, rtol=0.01)


def test_learning_gives_a_model_and_an_honest_interval():
    learned = learn(lambda _curve: sample(noise=0.02, programs=9), POINTS)
    assert sum(member.share for member in learned.members) == pytest.approx(1.0)
    assert all(member.candidate in CANDIDATES for member in learned.members)
    assert 0.8 < learned.interval.low < 1.0 < learned.interval.high < 1.2


@pytest.mark.parametrize("programs", [1, 2, 4])
def test_few_programs_are_fitted_with_the_default(programs):
    learned = learn(lambda _curve: sample(programs=programs), POINTS)
    assert [member.candidate for member in learned.members] == [DEFAULT]


def test_the_average_predicts_what_its_members_do():
    data = sample(noise=0.02, programs=9)
    frequency = POINTS.frequencies_mhz[data.point]
    learned = learn(lambda _curve: data, POINTS)
    power_w, static_w = learned.predict(lambda _curve: data.columns, frequency)
    each = [member.share * member.model.predict_w(data.columns, frequency) for member in learned.members]
    np.testing.assert_allclose(power_w, np.sum(each, axis=0))
    assert np.all((static_w >= 0) & (static_w < power_w))
