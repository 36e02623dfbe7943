from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from powerhal.attribution.evaluation.selection import DEFAULT, DOUBTS, Candidate, learn, left_out, shares
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


def test_learning_gives_models_and_what_they_missed():
    learned = learn(lambda _curve, _heated: sample(noise=0.02, programs=9), POINTS)
    assert sum(member.share for member in learned.members) == pytest.approx(1.0)
    assert all(member.candidate.doubt in DOUBTS and not member.candidate.heated for member in learned.members)
    assert learned.left_out.log_ratio.std() == pytest.approx(0.02, rel=0.2)
    assert np.unique(learned.left_out.program).size == 9


@pytest.mark.parametrize("programs", [1, 2, 4])
def test_few_programs_are_fitted_with_the_default(programs):
    learned = learn(lambda _curve, _heated: sample(programs=programs), POINTS, heat=True)
    assert [member.candidate for member in learned.members] == [DEFAULT]


def heated(programs=9):
    """A sample with a hidden part of the power that only heat tells, and the same without the heat."""
    data, random = sample(noise=0.01, programs=programs), np.random.default_rng(2)
    hidden = random.uniform(0.0, 0.5, programs)[data.program]
    warm = replace(data.columns, heat=10.0 * hidden[:, None] + random.standard_normal((hidden.size, 1)) * 0.1)
    data = replace(data, power_w=data.power_w + hidden)
    return replace(data, columns=warm), data


def test_the_average_predicts_what_its_members_do_and_heat_splits_nothing():
    warm, cold = heated()
    frequency = POINTS.frequencies_mhz[cold.point]
    learned = learn(lambda _curve, hot: warm if hot else cold, POINTS, heat=True)
    power_w, static_w, owned_w = learned.predict(lambda _curve, hot: (warm if hot else cold).columns, frequency)
    chosen = [member for member in learned.members if member.share]
    assert all(member.candidate.heated for member in chosen)
    each = [member.share * member.model.predict_w(warm.columns, frequency) for member in chosen]
    np.testing.assert_allclose(power_w, np.sum(each, axis=0))
    assert np.all((static_w >= 0) & (static_w < power_w))
    owners = [member for member in learned.members if member.owned_share]
    assert sum(member.owned_share for member in owners) == pytest.approx(1.0)
    assert not any(member.candidate.heated for member in owners)
    miss = [np.mean(np.abs(predicted / cold.power_w - 1)) for predicted in (power_w, owned_w)]
    assert miss[0] < 0.02 < miss[1]


def test_heat_alone_is_believed_where_nothing_is_counted():
    warm, cold = heated(programs=3)
    bare = [replace(data, columns=replace(data.columns, **timed(data.columns))) for data in (warm, cold)]
    learned = learn(lambda _curve, hot: bare[0] if hot else bare[1], POINTS, heat=True)
    assert [(m.candidate.heated, m.share, m.owned_share) for m in learned.members] == [(False, 0, 1), (True, 1, 0)]
    counted = learn(lambda _curve, hot: warm if hot else cold, POINTS, heat=True)
    assert [m.candidate for m in counted.members] == [DEFAULT]
    assert Candidate(DEFAULT.curve, DEFAULT.doubt, heated=True) != DEFAULT


def timed(columns):
    """The columns of time alone."""
    return {
        "dynamic": columns.dynamic[:, :2],
        "names": columns.names[:2],
        "mean": columns.mean[:2],
        "spread": columns.spread[:2],
    }
