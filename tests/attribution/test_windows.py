from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powerhal.attribution.observed.windows import (
    after,
    bursts,
    count_in,
    counter_growth,
    edges_from_scans,
    gauge_mean,
    integrate,
    overlap_s,
)
from powerhal.channel import Channel, Quality
from powerhal.recording.counters import counter_increments
from powerhal.recording.reader import Series

S = 1_000_000_000


def ns(*seconds: float) -> np.ndarray:
    return np.array([round(s * S) for s in seconds], dtype=np.int64)


def ok(n: int) -> np.ndarray:
    return np.zeros(n, np.uint16)


def test_trapezoid_uses_true_times() -> None:
    t = ns(0, 0.1, 0.25, 0.3, 1.0)
    whole = integrate(t, np.array([1.0, 3.0, 3.0, 0.0, 0.0]), ok(5), ns(0, 1), period_s=0.3)
    assert whole.value[0] == pytest.approx(0.2 + 0.45 + 0.075)
    assert whole.covered_s[0] == pytest.approx(1.0)


def test_window_edges_cut_a_slope_exactly() -> None:
    whole = integrate(ns(0, 1), np.array([0.0, 2.0]), ok(2), ns(0, 0.5, 1.0), period_s=1.0)
    assert whole.value.tolist() == pytest.approx([0.25, 0.75])


def test_never_across_a_gap() -> None:
    t = np.concatenate((ns(*np.arange(0, 1, 0.1)), ns(*np.arange(5, 6, 0.1))))
    whole = integrate(t, np.full(t.size, 2.0), ok(t.size), ns(0, 3, 6), period_s=0.1)
    assert whole.covered_s.tolist() == pytest.approx([0.9, 0.9])
    assert whole.value.tolist() == pytest.approx([1.8, 1.8])


def test_a_stale_row_is_alive_but_not_counted_twice() -> None:
    t = ns(*np.arange(0, 2.01, 0.1))
    flags = np.where(np.arange(t.size) % 10 == 0, 0, int(Quality.STALE)).astype(np.uint16)
    whole = integrate(t, np.where(flags, 99.0, 1.0), flags, ns(0, 2), period_s=0.1)
    assert whole.value[0] == pytest.approx(2.0)
    assert whole.covered_s[0] == pytest.approx(2.0)


@pytest.mark.parametrize("flag", [Quality.MISSING, Quality.RESET, Quality.ESTIMATED])
def test_doubtful_rows_never_become_energy(flag) -> None:
    t = ns(*np.arange(0, 1.01, 0.1))
    flags = ok(t.size)
    flags[3:8] = int(flag)
    whole = integrate(t, np.full(t.size, 1.0), flags, ns(0, 1), period_s=0.1)
    assert whole.covered_s[0] < 0.55
    assert whole.value[0] == pytest.approx(whole.covered_s[0])


def test_nothing_is_known_before_a_clock_jump() -> None:
    t = ns(0, 0.1, 0.2, 0.3)
    flags = ok(4)
    flags[2] = int(Quality.CLOCK)
    whole = integrate(t, np.ones(4), flags, ns(0, 0.3), period_s=0.1)
    assert whole.covered_s[0] == pytest.approx(0.2)


def test_saturation_is_a_lower_bound() -> None:
    t = ns(*np.arange(0, 2.01, 0.1))
    flags = ok(t.size)
    flags[3] = int(Quality.SATURATED)
    assert integrate(t, np.ones(t.size), flags, ns(0, 1, 2), period_s=0.1).bound.tolist() == [True, False]


def test_an_average_is_about_what_was_before() -> None:
    """A step at 1.0 s that a sensor reports 0.1 s later."""
    t = ns(*np.arange(0, 2.001, 0.05))
    value = np.where(t >= 1.1 * S - 10, 1.0, 0.0)
    late, right = (integrate(t, value, ok(t.size), ns(0, 1, 1.8), period_s=0.05, lag_s=x).value for x in (0.0, 0.1))
    assert late[1] == pytest.approx(0.725, abs=0.01)
    assert right[1] == pytest.approx(0.8, abs=0.03)


@given(
    st.lists(st.floats(0.001, 3.0), min_size=3, max_size=40),
    st.lists(st.floats(0, 50), min_size=45, max_size=45),
    st.lists(st.floats(0, 60), min_size=1, max_size=10),
)
def test_windows_add_up_to_the_whole(steps, values, cuts) -> None:
    t = np.concatenate(([0], np.cumsum([round(s * S) for s in steps]))).astype(np.int64)
    value = np.array(values[: t.size])
    inner = [c * S for c in cuts if 0 < c * S < t[-1]]
    edges = np.unique(np.array([0, *map(round, inner), int(t[-1])], dtype=np.int64))
    parts = integrate(t, value, ok(t.size), edges, period_s=0.5)
    whole = integrate(t, value, ok(t.size), edges[[0, -1]], period_s=0.5)
    assert parts.value.sum() == pytest.approx(whole.value[0], rel=1e-9, abs=1e-9)
    assert parts.covered_s.sum() == pytest.approx(whole.covered_s[0], rel=1e-9, abs=1e-9)
    assert whole.covered_s[0] <= t[-1] / S + 1e-9


def test_scans_are_thinned_but_never_moved() -> None:
    scans = ns(*np.arange(0, 5.01, 0.1))
    assert edges_from_scans(scans, 0, 5 * S, None).size == scans.size
    edges = edges_from_scans(scans, 0, 5 * S, 1.0)
    assert set(edges.tolist()) <= set(scans.tolist())
    assert (np.diff(edges) >= 0.75 * S).all()
    assert edges_from_scans(ns(), 0, 5 * S, None).size == 6


def steps_of(values, *, span=0.0, seconds=None, flags=None):
    t = ns(*(range(len(values)) if seconds is None else seconds))
    series = Series(t, np.array(values, float), ok(t.size) if flags is None else flags, 1.0, 0.0)
    return counter_increments(series, Channel("c", "energy", "J", counter=True, wrap_span=span))


def test_counters_grow_evenly_between_readings_and_through_a_wrap() -> None:
    growth, known = counter_growth(steps_of([90, 98, 6, 14], span=100.0), ns(0, 1.5, 3))
    assert known.all()
    assert growth.tolist() == pytest.approx([12.0, 12.0])


def test_a_reset_is_unknown_not_zero_and_not_huge() -> None:
    growth, known = counter_growth(steps_of([50, 60, 1, 11]), ns(0, 1, 2, 3))
    assert known.tolist() == [True, False, True]
    assert growth[[0, 2]].tolist() == [10.0, 10.0]


def test_a_counter_that_was_not_read_for_long_is_unknown() -> None:
    steps = steps_of([0, 1, 2, 3, 13, 14], seconds=[0, 1, 2, 3, 13, 14])
    assert counter_growth(steps, ns(0, 2, 5, 13, 14))[1].tolist() == [True, False, False, True]
    assert counter_growth(steps, ns(14, 20, 30))[1].tolist() == [False, False]


def test_gauges_are_time_weighted_and_constants_hold() -> None:
    mean, known = gauge_mean(ns(0, 1, 3), np.array([0.0, 0.0, 4.0]), ns(0, 1, 3), 1.0)
    assert known.all()
    assert mean.tolist() == pytest.approx([0.0, 2.0])
    mean, known = gauge_mean(ns(1), np.array([7.0]), ns(0, 1, 2), 1.0)
    assert mean.tolist() == [7.0, 7.0]
    assert known.all()
    assert not gauge_mean(ns(1), np.array([np.nan]), ns(0, 1), 1.0)[1].any()


def test_bursts_and_what_follows_them() -> None:
    t = ns(*range(12))
    starts, ends = bursts(t, np.array([0, 0, 1, 2, 2, 2, 2, 2, 3, 3, 3, 3.0]), 0.0)
    assert (starts / S).tolist() == [1.5, 7.5]
    assert (ends / S).tolist() == [2.5, 7.5]
    tail = overlap_s(*after(starts, ends, 0.0, 2.0), ns(0, 3, 6, 12))
    assert tail.tolist() == pytest.approx([0.5, 1.5, 2.0])
    late = overlap_s(*after(starts, ends, 4.0, 8.0), ns(0, 6, 12))
    assert late.tolist() == pytest.approx([0.0, 1.0 + 0.5])
    assert count_in(starts, ns(0, 6, 12)).tolist() == [1.0, 1.0]
    assert bursts(t, np.zeros(12), 1.0)[0].size == 0
