"""Energy from accumulators: wire bytes of a counter that runs freely, over wraps, resets and missed polls."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from powerhal.channel import Quality
from powerhal.chips import find
from powerhal.chips.decode import decode_registers, gained
from powerhal.chips.layout import build_row, expected_config, settings_of
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.recording import Series, counter_increments
from powerhal.recording.decode import decode_row

WIDTH = 1 << 40
SECOND = 1_000_000_000


class Counter:
    """A 40-bit energy register that counts steps of `lsb` joules, in exact integers."""

    def __init__(self, lsb: float, rng: Random) -> None:
        self.lsb, self.rng = lsb, rng
        self.steps = rng.randrange(WIDTH)

    def run(self, steps: int) -> None:
        self.steps = (self.steps + steps) % WIDTH

    def reset(self) -> None:
        self.steps = 0

    def wire(self) -> bytes:
        return self.steps.to_bytes(5, "big")


@pytest.mark.parametrize("name", ["ina228", "ina700", "ina745", "ina780"])
def test_a_thousand_wraps_with_resets_and_missed_polls(name: str) -> None:
    """Known steps sum to the truth within 1e-6; a reset is said and counts nothing; missed polls lose nothing."""
    rng = Random(name)
    chip = find(name)
    options = SensorOptions("s", channels=(ChannelOptions(1, "rail", 0.01),))
    layout = build_row(chip, 0x44, options, settings_of(chip, expected_config(chip, {})), period_s=1.0).layout
    channel = next(c for c in layout.channels if c.quantity == "energy")
    field = next(f for f in layout.fields if f.name == channel.field)
    counter = Counter(field.scale, rng)
    t_ns, values, quality, truth = [0], [], [0], []
    wraps = resets = missed = 0

    def poll() -> float:
        row = bytearray(layout.row_bytes)
        row[field.offset : field.offset + 5] = counter.wire()
        return decode_row(layout, bytes(row))[channel.name]

    values.append(poll())
    pending, elapsed, lost = 0, 0, False
    while wraps < 1000:
        steps = rng.randrange(WIDTH // 12, WIDTH // 7)  # a poll comes at least seven times a wrap
        before = counter.steps
        counter.run(steps)
        wraps += counter.steps < before
        pending, elapsed = pending + steps, elapsed + 1
        if rng.random() < 0.004:
            counter.reset()
            resets, lost = resets + 1, True
        if elapsed < 3 and rng.random() < 0.1:
            missed += 1
            continue
        t_ns.append(t_ns[-1] + elapsed * SECOND)
        values.append(poll())
        quality.append(int(Quality.RESET) if lost else 0)
        truth.append(None if lost else pending)
        pending, elapsed, lost = 0, 0, False
    series = Series(np.array(t_ns), np.array(values), np.array(quality, np.uint16), 1.0, 0.0)
    got = counter_increments(series, channel, field=field)
    known = np.array([step is not None for step in truth])
    want = sum(step for step in truth if step is not None) * field.scale
    assert resets > 10 and missed > 100
    assert abs(float(np.nansum(got.amount)) / want - 1) < 1e-6
    assert np.isfinite(got.amount[known]).all() and np.isnan(got.amount[~known]).all()
    assert (got.amount[known] >= 0).all()
    assert int(np.count_nonzero(got.quality & int(Quality.WRAP))) >= 1000 - 2 * resets - missed


def test_a_reset_that_nobody_flagged_is_not_taken_for_a_wrap() -> None:
    chip = find("ina780")
    channel = next(c for c in chip.channels if c.quantity == "energy")
    assert channel.counter and channel.wrap_bits == 40 and channel.quality_class == "accumulated"
    options = SensorOptions("s", channels=(ChannelOptions(1, "rail"),))
    layout = build_row(chip, 0x44, options, settings_of(chip, expected_config(chip, {})), period_s=1.0).layout
    made = next(c for c in layout.channels if c.quantity == "energy")
    values = np.array([1e6, 1.1e6, 1.2e6, 50.0, 1e5]) * 7.68e-3
    series = Series(np.arange(5) * SECOND, values, np.zeros(5, np.uint16), 1.0, 0.0)
    got = counter_increments(series, made)
    assert [bool(q & Quality.RESET) for q in got.quality] == [False, False, True, False]
    assert np.isnan(got.amount[2])


@pytest.mark.parametrize(
    ("before", "now", "joules"),
    [("fffffffc18", "00000001f4", 1500), ("0000000000", "ffffffffff", WIDTH - 1), ("0000000005", "0000000005", 0)],
)
def test_the_gain_of_two_readings_is_modular(before: str, now: str, joules: int) -> None:
    raw = {"prev_0x09": bytes.fromhex(before), "now_0x09": bytes.fromhex(now)}
    got = decode_registers("ina780", {"op": "energy_delta"}, raw)
    assert got == {"delta_j": pytest.approx(joules * 7.68e-3, rel=1e-12)}


def test_a_signed_charge_gains_and_loses() -> None:
    raw = {"prev_0x0a": bytes.fromhex("0000000000"), "now_0x0a": bytes.fromhex("fffffffff0")}
    assert decode_registers("ina700", {}, raw)["delta_c"] == pytest.approx(-16 * 30e-6)


def test_sums_that_stop_at_their_end_do_not_wrap() -> None:
    """PAC193x: the second reading is smaller only after a clear, and then nobody knows."""
    chip = find("pac1934")
    config = {"r_shunt_ohm": 0.01, "sample_rate": 1024.0}
    step = 3.2 / 2**28 / 1024 / 0.01
    up = gained(chip, config, {0x03: (5).to_bytes(6, "big")}, {0x03: (1005).to_bytes(6, "big")})
    assert up["delta_j"] == pytest.approx(1000 * step)
    down = gained(chip, config, {0x03: (1005).to_bytes(6, "big")}, {0x03: (5).to_bytes(6, "big")})
    assert down["delta_j"] is None


def test_a_sum_at_its_end_is_saturated() -> None:
    chip = find("pac1934")
    options = SensorOptions("s", channels=(ChannelOptions(2, "rail", 0.01),))
    layout = build_row(chip, 0x10, options, settings_of(chip, expected_config(chip, {})), period_s=1.0).layout
    flag = next(f for f in layout.flags if f.field == "energy2")
    assert flag.quality == Quality.SATURATED and flag.values == ((1 << 48) - 1,)
