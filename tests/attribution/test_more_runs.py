"""How many more runs would tell: checked by drawing that many."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from powerhal.attribution.more_runs import MOST_MORE, Spread, more_runs


@pytest.mark.parametrize("ratio", [0.4, 0.8, 1.5])
def test_so_many_runs_show_the_difference_in_four_of_five_times(ratio: float) -> None:
    """Fresh runs of the same scatter, as many as were asked for: a t test at the same level finds it so often."""
    more = more_runs(ratio, Spread(0.0, 1.0, True, 2, 2), 0.1)
    assert more is not None
    rng = np.random.default_rng(7)
    draws = rng.standard_normal((4000, 2, 2 + more)) + np.array([0.0, ratio])[:, None]
    found = stats.ttest_ind(draws[:, 0], draws[:, 1], axis=1).pvalue <= 0.1
    assert 0.76 <= found.mean() <= 0.88


@given(st.floats(0.01, 10.0), st.floats(0.0, 1.0), st.booleans(), st.integers(1, 9), st.integers(1, 9))
def test_never_none_at_all_and_never_beyond_the_most(size, common2, seen, before, after) -> None:
    more = more_runs(size, Spread(common2, 1.0, seen and before + after > 2, before, after), 0.1)
    assert more is None or 1 <= more <= MOST_MORE
    assert more_runs(-size, Spread(common2, 1.0, seen and before + after > 2, before, after), 0.1) == more


def test_errors_that_all_runs_share_are_not_averaged_away() -> None:
    assert more_runs(1.0, Spread(1.0, 1e-6, False, 1, 1), 0.1) is None
    assert more_runs(0.0, Spread(0.0, 0.0, False, 1, 1), 0.1) is None
    assert more_runs(1.0, Spread(0.01, 1.0, False, 1, 1), 0.1) is not None


def test_degrees_of_freedom_count_only_what_was_seen() -> None:
    assert Spread(0.0, 2.0, True, 3, 2).at() == pytest.approx((2.0 * (1 / 3 + 1 / 2), 3.0))
    assert Spread(0.0, 2.0, False, 3, 2).at()[1] == np.inf
