"""F13: an accumulator starts again: unknown and flagged, whatever the numbers look like."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.channel import Channel, Quality
from powerhal.recording.counters import counter_increments
from tests.faults.faulty import Bench, series_of
from tests.faults.test_f12_accumulator_wrap import energy

SPAN = 65536.0


def test_f13_a_cleared_accumulator_is_a_reset_not_a_wrap() -> None:
    bench = Bench({0x40: "ti,ina228"}, amperes=10.0, volts=48.0)
    series, channel, field = energy(bench, 20, change=10)
    steps = counter_increments(series, channel, field=field)  # type: ignore[arg-type]
    lost = np.isnan(steps.amount)
    assert lost.sum() == 1
    assert steps.quality[lost][0] & int(Quality.RESET)
    assert np.all(steps.amount[~lost] > 0)


@given(
    rates=st.lists(st.floats(10.0, 20.0), min_size=3, max_size=30),
    before=st.floats(0.0, SPAN / 4),
    after=st.floats(0.0, 100.0),
)
@settings(max_examples=200, deadline=None)
def test_f13_no_reset_ever_becomes_a_huge_or_negative_step(rates: list[float], before: float, after: float) -> None:
    """The counter stood far from its end when it was lost: no modular way round is plausible."""
    first = before + np.cumsum(rates)
    second = after + np.cumsum(rates)
    value = np.concatenate([first, np.minimum(second, first[-1] - 1.0)])
    series = series_of([i * 10**9 for i in range(len(value))], value)
    steps = counter_increments(series, Channel("e", "energy", "J", field="e", counter=True, wrap_span=SPAN))
    known = steps.amount[~np.isnan(steps.amount)]
    assert np.all(known >= 0)
    assert np.all(known <= 100.0)
    assert np.isnan(steps.amount[len(rates) - 1])
