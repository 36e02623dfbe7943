from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powerhal.channel import Channel, Quality
from powerhal.recording import Series, counter_increments

SECOND = 1_000_000_000
CHANNEL = Channel("cpu.energy", "energy", "J", field="e", counter=True, wrap_bits=16, lsb=0.5)
SPAN = Channel("cpu.energy", "energy", "J", field="e", counter=True, wrap_span=1000.0)
PLAIN = Channel("net.rx_bytes", "bytes", "B", field="e", counter=True)


def series(values, quality=None):
    t_ns = np.arange(len(values), dtype=np.int64) * SECOND
    flags = np.zeros(len(values), np.uint16) if quality is None else np.array(quality, np.uint16)
    return Series(t_ns, np.array(values, float), flags, 1.0, 0.0)


@given(st.integers(0, 65535), st.lists(st.integers(1, 4000), min_size=2, max_size=60))
def test_wrapping_counter_equals_exact_integers(start, steps):
    # the fastest step comes first, so that no wrap is faster than four times what was seen
    steps = sorted(steps, reverse=True)
    if start + steps[0] > 65535:
        start = 0
    counts = [start]
    for step in steps:
        counts.append((counts[-1] + step) % 65536)
    got = counter_increments(series([c * 0.5 for c in counts]), CHANNEL)
    exact = [Fraction(step, 2) for step in steps]
    assert [Fraction(x) for x in got.amount] == exact
    wraps = [b < a for a, b in pairwise(counts)]
    assert [bool(q & Quality.WRAP) for q in got.quality] == wraps


@given(st.lists(st.floats(0, 1000), min_size=2, max_size=40))
def test_never_negative_and_never_more_than_half_the_range_on_a_step_back(values):
    got = counter_increments(series(values), SPAN)
    back = np.diff(values) < 0
    known = ~np.isnan(got.amount)
    assert (got.amount[known] >= 0).all()
    assert (got.amount[known & back] <= 500).all()
    assert ((got.quality[~known] & Quality.RESET) != 0).all()


def test_a_reset_is_unknown_not_huge():
    got = counter_increments(series([100.0, 110.0, 120.0, 3.0, 13.0]), SPAN)
    assert np.isnan(got.amount[2])
    assert got.quality[2] & Quality.RESET
    np.testing.assert_allclose(got.amount[[0, 1, 3]], 10)


def test_a_wrap_at_a_plausible_rate_is_a_wrap():
    got = counter_increments(series([970.0, 985.0, 5.0, 20.0]), SPAN)
    np.testing.assert_allclose(got.amount, [15, 20, 15])
    assert got.quality[1] & Quality.WRAP


def test_a_counter_without_a_known_end_only_resets():
    got = counter_increments(series([10.0, 20.0, 5.0]), PLAIN)
    assert got.amount[0] == 10
    assert np.isnan(got.amount[1])


def test_a_row_that_says_reset_is_believed():
    got = counter_increments(series([10.0, 20.0, 30.0], [0, Quality.RESET, 0]), PLAIN)
    assert np.isnan(got.amount[0])
    assert got.amount[1] == 10


@pytest.mark.parametrize("n", [0, 1])
def test_too_short(n):
    assert len(counter_increments(series([1.0] * n), PLAIN).amount) == 0


def test_a_rate_limit_can_be_given():
    values = [990.0, 10.0]
    assert np.isnan(counter_increments(series(values), SPAN).amount[0])  # nothing to compare with
    assert counter_increments(series(values), SPAN, max_rate=50.0).amount[0] == pytest.approx(20.0)
