"""Sums that stop at their end: a chip in exact integers, cleared in time, so that no joule is lost."""

from __future__ import annotations

import errno
from random import Random

import numpy as np
import pytest

from powerhal.channel import Quality
from powerhal.chips import find
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.recording import Series, counter_increments
from powerhal.recording.decode import decode_row
from powerhal.transport.clock import VirtualClock
from powerhal.transport.replay import ReplayBus, ReplayChip
from tests.chips.golden import genuine

END = (1 << 48) - 1
STEP_J = 3.2 / 2**28 / 1024 / 0.01
SECOND = 1_000_000_000


class Pac1931(ReplayChip):
    """REFRESH and REFRESH_V latch the sum; REFRESH also clears it; it stops at its end."""

    total = 0
    silent = False
    clears = 0

    def write(self, data: bytes) -> None:
        if self.silent:
            raise OSError(errno.ENXIO, "gone")
        if data in (b"\x00", b"\x1f"):
            self.registers[0x03] = self.total.to_bytes(6, "big")
            if data == b"\x00":
                self.total = 0
                self.clears += 1
            return
        super().write(data)

    def run(self, steps: int) -> None:
        self.total = min(END, self.total + steps)


def opened(total: int = 0):
    chip = find("pac1931")
    model = Pac1931(genuine(chip))
    model.total = total
    source = chip.source(
        ReplayBus("i2c-1", {0x10: model}), 0x10,
        SensorOptions("p", channels=(ChannelOptions(1, "rail", 0.01),)), VirtualClock(),
    )  # fmt: skip
    source.open()
    return source, model


def test_energy_over_a_thousand_wraps_of_the_register_with_missed_polls() -> None:
    source, model = opened()
    rng = Random(1)
    channel = next(c for c in source.layout.channels if c.quantity == "energy")
    field = next(f for f in source.layout.fields if f.name == channel.field)
    t_ns, values, quality = [], [], []
    truth = at_first = 0
    wraps = missed = polls = 0
    while wraps < 1000:
        steps = rng.randrange(END // 6, END // 4)
        truth += steps
        wraps = truth // END
        model.run(steps)
        polls += 1
        model.silent = rng.random() < 0.05
        if model.silent:
            missed += 1
        row = source.read()
        if row.quality & Quality.MISSING:
            model.silent = False
            row = source.read()  # asked again before more than a quarter of the range is counted
        values.append(decode_row(source.layout, row.raw)["rail.energy"])
        quality.append(int(row.quality) & (Quality.RESET | Quality.SATURATED))
        t_ns.append(polls * SECOND)
        at_first = at_first or truth
    series = Series(np.array(t_ns), np.array(values), np.array(quality, np.uint16), 1.0, 0.0)
    got = counter_increments(series, channel, field=field)
    assert missed > 100 and model.clears > 500
    assert not any(quality)
    assert abs(float(got.amount.sum()) / ((truth - at_first) * STEP_J) - 1) < 1e-6


def test_a_sum_that_went_back_is_a_reset_and_goes_on() -> None:
    source, model = opened()
    model.run(1000)
    first = source.read()
    model.total = 10
    again = source.read()
    assert not first.quality & Quality.RESET and again.quality & Quality.RESET
    assert decode_row(source.layout, again.raw)["rail.energy"] == pytest.approx(1010 * STEP_J)


def test_a_sum_at_its_end_says_so_and_is_cleared() -> None:
    source, model = opened(END)
    assert source.read().quality & Quality.SATURATED
    source.read()
    model.run(500)
    row = source.read()
    assert model.clears == 1
    assert not row.quality & Quality.SATURATED


def test_a_clear_whose_values_were_not_read_is_a_reset() -> None:
    source, model = opened(END // 2 + 10)
    source.read()
    until = source.take_over()  # the clear is on its way ...
    source.clock.sleep_until(until)
    assert source.accept(until, None).quality & Quality.MISSING  # ... and its values never come
    model.run(7)
    assert source.read().quality & Quality.RESET
