from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powerhal.attribution.observed.brackets import EVEN, beside_spread, clock_spread, extreme_cost, sender_spread
from powerhal.attribution.observed.features import Slices
from powerhal.attribution.observed.processes import Amounts, Split, Usage

HZ = np.array([0.5e9, 1.0e9, 2.0e9])
VOLTS = np.array([0.6, 0.7, 1.0])
COST = VOLTS**2 * HZ


def slices(*rows) -> Slices:
    share = np.array(rows, dtype=float)
    return Slices(HZ, VOLTS, share, np.ones(share.shape[0], dtype=np.bool_))


def test_the_dearest_and_the_cheapest_part_of_a_window() -> None:
    share = np.array([[0.5, 0.3, 0.2]])
    high = extreme_cost(share, COST, np.array([0.4]), high=True)
    low = extreme_cost(share, COST, np.array([0.4]), high=False)
    assert high[0] == pytest.approx((0.2 * COST[2] + 0.2 * COST[1]) / 0.4)
    assert low[0] == pytest.approx(COST[0])


@given(
    st.lists(st.floats(0, 1), min_size=3, max_size=3).filter(lambda x: sum(x) > 0.01),
    st.floats(0.0, 1.0),
)
def test_the_mean_lies_between_the_extremes_and_a_full_window_has_none(raw, part) -> None:
    share = np.array([raw]) / sum(raw)
    mean = share @ COST
    for busy in (part, 1.0):
        low = extreme_cost(share, COST, np.array([busy]), high=False)
        high = extreme_cost(share, COST, np.array([busy]), high=True)
        assert low[0] <= mean[0] * (1 + 1e-9) and mean[0] <= high[0] * (1 + 1e-9)
    assert low[0] == pytest.approx(high[0])


def test_a_steady_clock_leaves_nothing_open_and_a_moving_one_does() -> None:
    spread = clock_spread(slices([0, 1, 0], [0.5, 0, 0.5], [0.5, 0, 0.5]), np.array([0.2, 0.2, 1.0]))
    assert spread[0] == pytest.approx(0.0)
    assert spread[1] == pytest.approx((COST[2] - COST[0]) / (0.5 * (COST[0] + COST[2])) / EVEN)
    assert spread[2] == pytest.approx(0.0)


def test_a_cost_that_is_there_once_is_in_doubt_only_beside_others() -> None:
    assert beside_spread(np.array([0.0, 1.0])).tolist() == pytest.approx([0.0, 2.0 / EVEN])


def test_senders_that_share_a_scan_are_in_doubt_alike() -> None:
    found = sender_spread(np.array([0.97, 0.03, 1.0]), np.array([0.5, 0.5, 1.0]))
    assert found.tolist() == pytest.approx([0.47 / EVEN, 0.47 / EVEN, 0.0])


def test_a_process_is_off_in_all_windows_at_once_but_never_alone_in_one() -> None:
    """Two windows of 10 J: shared half and half in the first, the second one's own."""
    none = np.full(3, -1)
    found = Split(np.array([0, 1, 0]), np.array([0, 0, 1]), np.array([0.5, 0.5, 1.0]), none, np.zeros(3))
    traded = found.swayed(np.full(3, 0.2)).traded()
    assert traded.sway(np.array([10.0, 10.0]), 2).tolist() == pytest.approx([0.5, 0.5])
    untraded = found.swayed(np.full(3, 0.2))
    assert untraded.sway(np.array([10.0, 10.0]), 2).tolist() == pytest.approx([3.0, 1.0])
    together = untraded.coarse(np.array([1.0, 1.0]), np.array([0, 0]))
    assert together.sway(np.array([20.0]), 2).tolist() == pytest.approx([3.0, 1.0])


def test_something_ran_at_least_as_long_as_the_busiest_process() -> None:
    amounts = Amounts(np.array([0, 1, 0]), np.array([0, 0, 1]), np.array([0.3, 0.5, 1.7]))
    found = Usage([], 3, {"cpu.big.time": amounts}).awake("cpu.big.time", np.ones(3))
    assert found is not None
    assert found.tolist() == pytest.approx([0.5, 1.0, 0.0])
