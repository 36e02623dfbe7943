"""F12: an accumulator runs round its end: the modular difference, never a huge or negative energy."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from powerhal.channel import Channel, Quality
from powerhal.recording.counters import counter_increments
from powerhal.recording.series import Series
from tests.faults.faulty import Bench, row, series_of


def energy(bench: Bench, rows: int, change: int = -1) -> tuple[Series, Channel, object]:
    """Rows of an INA228's ENERGY a second apart; at row `change` somebody clears it."""
    source = bench.opened("ti,ina228", rate=1.0)
    times, values, flags = [], [], []
    for i in range(rows):
        if i == change:
            bench.bus.chips[0x40].write(b"\x00\x40\x00")
        found, quality = row(source)
        times.append(bench.clock.now_ns())
        values.append(found["r1.energy"])
        flags.append(int(quality))
        bench.wait(1.0)
    channel = next(c for c in source.layout.channels if c.name == "r1.energy")
    field = next(f for f in source.layout.fields if f.name == channel.field)
    series = series_of(times, values, flags)
    return series, channel, field


def test_f12_energy_across_the_end_of_forty_bits_is_exact() -> None:
    bench = Bench({0x40: "ti,ina228"}, amperes=10.0, volts=48.0)
    chip = bench.bus.chips[0x40]
    unit = chip.spec.sums[0].unit(chip)
    chip.preset(0x09, (2**40 - 5_000_000) * Fraction(unit))
    series, channel, field = energy(bench, 40)
    steps = counter_increments(series, channel, field=field)  # type: ignore[arg-type]
    assert (steps.quality & int(Quality.WRAP)).astype(bool).sum() == 1
    assert np.all(steps.amount > 0)
    # ENERGY follows conversions of 3.156 ms; over whole seconds the books agree
    assert float(steps.amount.sum()) == pytest.approx(480.0 * 39, rel=2e-4)


@pytest.mark.parametrize("span", [0.0, 1000.0])
def test_f12_a_wrap_needs_a_known_end(span: float) -> None:
    channel = Channel("e", "energy", "J", field="e", counter=True, wrap_span=span)
    series = series_of([0, 10**9, 2 * 10**9], [980.0, 990.0, 0.0])
    steps = counter_increments(series, channel)
    assert (steps.amount[1] == 10.0) if span else np.isnan(steps.amount[1])
