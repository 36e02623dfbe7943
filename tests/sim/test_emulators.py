"""Every chip of the table over the range that its emulator promises, read by its own driver."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from powerhal import chips
from powerhal.channel import Quality
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.chips.source import ChipSource
from powerhal.recording.decode import decode_row, row_quality
from powerhal.sim.bus import EmulatedBus
from powerhal.sim.chips import EMULATORS, build
from powerhal.sim.chips.base import Span
from powerhal.transport.clock import VirtualClock

SECOND = 1_000_000_000
SHUNT = 0.01
# What has to be set before a chip measures at all.
CONFIG: dict[str, dict[str, float]] = {
    "lltc,ltc2942": {"adc_mode": 3},
    "lltc,ltc2943": {"adc_mode": 3},
    "lltc,ltc2944": {"adc_mode": 3},
}
# Somebody has to wake it up (MODE 0x00): the driver never writes to it.
WAKE = {"cellwise,cw2015": b"\x0a\x00"}


@dataclass
class Supply:
    """What a chip looks at: can be turned."""

    current_a: float = 0.1
    voltage_v: float = 3.7
    fraction: float = 0.5
    temperature_c: float = 25.0
    capacity_ah: float = 1.34

    def amperes(self, start_ns: int, end_ns: int) -> float:
        return self.current_a

    def volts(self, start_ns: int, end_ns: int) -> float:
        return self.voltage_v

    def charge_fraction(self, t_ns: int) -> float:
        return self.fraction

    def celsius(self, t_ns: int) -> float:
        return self.temperature_c


class Bench:
    """A chip, its driver, a supply and time."""

    def __init__(self, compatible: str, seed: str | None = None) -> None:
        self.clock, self.supply = VirtualClock(start_ns=SECOND), Supply()
        kind = chips.load(compatible)
        inputs = kind.inputs
        self.shunt = 0.02 if compatible == "maxim,ds2782" else SHUNT
        signals = [self.supply] * inputs
        self.chip: Any = build(compatible, signals, self.clock.now_ns, shunts_ohms=[self.shunt] * inputs, seed=seed)
        self.bus = EmulatedBus("i2c-1", {kind.addresses[0]: self.chip})
        wired = tuple(ChannelOptions(i, f"r{i}", self.shunt) for i in range(1, inputs + 1))
        options = SensorOptions("s", channels=wired, config=CONFIG.get(compatible, {}))
        self.source = ChipSource(kind, self.bus, kind.addresses[0], options, self.clock)
        if compatible in WAKE:
            self.chip.write(WAKE[compatible])
            self.wait(1.0)
        self.source.open()

    def wait(self, seconds: float) -> None:
        self.clock.sleep_until(self.clock.now_ns() + round(seconds * 1e9))

    def read(self) -> tuple[dict[str, float], Quality]:
        self.wait(6.0)
        reading = self.source.read()
        values = decode_row(self.source.layout, reading.raw)
        return values, reading.quality | row_quality(self.source.layout, reading.raw)

    def look(self, span: Span, truth: float) -> tuple[float, Quality]:
        """What the driver says when the truth is this."""
        name = {"shunt": "current"}.get(span.quantity, span.quantity)
        scale = self.shunt if span.quantity == "shunt" else 1.0
        setting = {"current": "current_a", "voltage": "voltage_v", "temperature": "temperature_c", "soc": "fraction"}
        setattr(self.supply, setting[name], truth / scale)
        values, quality = self.read()
        return values[f"r1.{name}"] * scale, quality


def test_every_chip_has_an_emulator_and_every_emulator_a_chip() -> None:
    assert set(EMULATORS) == set(chips.CHIPS)


@pytest.mark.parametrize("compatible", EMULATORS)
@pytest.mark.parametrize("seed", [None, "a", "b"])
def test_readings_stay_within_the_promised_span(compatible: str, seed: str | None) -> None:
    for span in Bench(compatible, seed).chip.spans:
        for part in (0.02, 0.3, 0.5, 0.8, 0.98):
            truth = span.low + part * (span.high - span.low)
            got, quality = Bench(compatible, seed).look(span, truth)
            assert abs(got - truth) <= span.absolute + span.relative * abs(truth), (span, truth, got)
            assert not quality & (Quality.MISSING | Quality.STALE | Quality.SATURATED), (span, truth, quality)


@pytest.mark.parametrize("compatible", EMULATORS)
def test_current_into_the_load_is_positive(compatible: str) -> None:
    bench = Bench(compatible)
    for span in bench.chip.spans:
        if span.quantity in ("current", "shunt"):
            for truth in filter(None, (0.1 * span.high, 0.1 * min(span.low, 0.0))):
                assert (Bench(compatible).look(span, truth)[0] > 0) == (truth > 0), truth


@pytest.mark.parametrize("compatible", EMULATORS)
def test_a_measurement_beyond_the_range_is_a_bound_and_says_so(compatible: str) -> None:
    """The reading stops between the end of the promised range and the truth; gauges promise no ends."""
    for span in Bench(compatible).chip.spans:
        bench = Bench(compatible)
        name = f"r1.{ {'shunt': 'current'}.get(span.quantity, span.quantity) }"
        measured = next(c for c in bench.source.layout.channels if c.name == name).quality_class == "measured"
        if not measured or span.quantity not in ("current", "shunt", "voltage"):
            continue
        for end in {span.high, min(span.low, 0.0)} - {0.0}:
            got, quality = bench.look(span, 2.0 * end)
            assert quality & Quality.SATURATED, (span, end, got)
            assert abs(end) * (1 - span.relative) - span.absolute <= abs(got) < 2.0 * abs(end), (span, end, got)
