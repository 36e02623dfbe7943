"""Power of gauges that measure no current: sign, interval, charging, and a board that does not say the capacity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from powerhal import chips
from powerhal.channel import Channel
from powerhal.chips import inferred
from powerhal.chips.inferred import BatteryLabel
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.chips.portrait import lines
from powerhal.chips.source import ChipSource
from powerhal.recording.decode import decode_row
from powerhal.recording.snapshot import Snapshots
from powerhal.sim.bus import EmulatedBus
from powerhal.sim.chips import build
from powerhal.transport.clock import VirtualClock

SECOND = 1_000_000_000
RATED = ("maxim,max17048", "maxim,max17049")
COUNTED = (
    "maxim,max17040", "maxim,max17041", "maxim,max17043", "maxim,max17044", "maxim,max17058", "maxim,max17059",
    "cellwise,cw2015", "onnn,lc709203f",
)  # fmt: skip
TWO_CELLS = ("maxim,max17041", "maxim,max17044", "maxim,max17049", "maxim,max17059")
CAPACITY_C = 3000 * 3.6


@dataclass
class Cell:
    """A battery under a steady load, with a true capacity that need not be the label's."""

    power_w: float
    voltage_v: float
    capacity_c: float
    start: float = 0.6

    def amperes(self, start_ns: int, end_ns: int) -> float:
        return self.power_w / self.voltage_v

    def volts(self, start_ns: int, end_ns: int) -> float:
        return self.voltage_v

    def charge_fraction(self, t_ns: int) -> float:
        return self.start - self.amperes(0, 0) * (t_ns / 1e9) / self.capacity_c

    def celsius(self, t_ns: int) -> float:
        return 25.0

    @property
    def capacity_ah(self) -> float:
        return self.capacity_c / 3600


class Bench:
    """A gauge on its emulated bus; the label says 3000 mAh at 3.7 V a cell."""

    def __init__(self, compatible: str, power_w: float, *, health: float = 1.0, volts: float = 3.8) -> None:
        cells = 2 if compatible in TWO_CELLS else 1
        self.clock = VirtualClock(start_ns=SECOND)
        self.cell = Cell(power_w, volts * cells, CAPACITY_C * health)
        self.label = BatteryLabel(capacity_c=CAPACITY_C, nominal_v=3.7 * cells)
        kind = chips.load(compatible)
        chip: Any = build(compatible, [self.cell], self.clock.now_ns, shunts_ohms=[0.0])
        bus = EmulatedBus("i2c-1", {kind.addresses[0]: chip})
        if compatible == "cellwise,cw2015":
            chip.write(b"\x0a\x00")  # it wakes asleep
        options = SensorOptions("gauge", 0.5, (ChannelOptions(1, "BAT"),), battery=self.label)
        self.source = ChipSource(kind, bus, kind.addresses[0], options, self.clock)
        self.source.open()
        self.sources = [self.source]

    def wait(self, seconds: float) -> None:
        self.clock.sleep_until(self.clock.now_ns() + round(seconds * 1e9))

    def values(self) -> dict[str, float]:
        return decode_row(self.source.layout, self.source.read().raw)

    def channel(self, name: str) -> Channel:
        return next(c for c in self.source.layout.channels if c.name == name)


CONDITIONS = [(0.4, 1.0, 3.8), (2.5, 1.0, 4.1), (2.5, 0.82, 3.5), (8.0, 0.9, 3.7)]  # W, health, V of a cell


@pytest.mark.parametrize("compatible", RATED)
@pytest.mark.parametrize(("watts", "health", "volts"), CONDITIONS)
def test_true_power_is_inside_the_interval_of_the_rate(
    compatible: str, watts: float, health: float, volts: float
) -> None:
    bench = Bench(compatible, watts, health=health, volts=volts)
    for _ in range(100):
        bench.wait(2.0)
        values = bench.values()
    power = bench.channel("BAT.power")
    assert power.quality_class == "inferred"
    assert power.lsb == pytest.approx(0.208 / 100 / 3600 * CAPACITY_C * bench.label.nominal_v)
    assert values["BAT.power"] > 0
    assert abs(values["BAT.power"] - watts) <= values["BAT.power"] * power.accuracy + power.offset
    assert abs(values["BAT.current"] * bench.cell.voltage_v - values["BAT.power"]) < 0.01 * watts


@pytest.mark.parametrize("compatible", COUNTED)
@pytest.mark.parametrize(("watts", "health", "volts"), CONDITIONS)
def test_true_energy_is_inside_the_interval_of_the_counter(
    compatible: str, watts: float, health: float, volts: float
) -> None:
    bench = Bench(compatible, watts, health=health, volts=volts)
    energy = bench.channel("BAT.energy")
    assert (energy.quality_class, energy.counter, energy.wrap_bits) == ("inferred", True, 0)
    bench.wait(2.0)
    start_ns, before = bench.clock.now_ns(), bench.values()["BAT.energy"]
    bench.wait(600.0)
    gained = bench.values()["BAT.energy"] - before
    true_j = watts * (bench.clock.now_ns() - start_ns) / 1e9
    assert abs(gained - true_j) <= gained * energy.accuracy + energy.lsb
    assert gained > 0


@pytest.mark.parametrize("compatible", (*RATED, *COUNTED))
def test_a_battery_that_is_charged_reads_negative_and_counts_back(compatible: str) -> None:
    bench = Bench(compatible, -5.0)
    bench.wait(2.0)
    before = bench.values()
    for _ in range(100):
        bench.wait(2.0)
        after = bench.values()
    if compatible in RATED:
        assert after["BAT.power"] < 0
    else:
        assert after["BAT.energy"] < before["BAT.energy"]


@pytest.mark.parametrize("compatible", (*RATED, *COUNTED))
def test_without_a_capacity_nothing_is_inferred(compatible: str) -> None:
    kind = chips.load(compatible)
    assert inferred.rows(kind, BatteryLabel()) == ()
    assert inferred.missing(kind, BatteryLabel(nominal_v=3.7)) == "capacity"
    assert inferred.missing(kind, BatteryLabel(capacity_c=1.0)) == ("" if compatible in RATED else "nominal voltage")
    assert inferred.missing(kind, BatteryLabel(energy_j=10.0, nominal_v=3.7)) == ""


def test_a_chip_that_measures_infers_nothing() -> None:
    kind = chips.load("ti,ina226")
    assert inferred.rows(kind, BatteryLabel(1.0, 1.0, 1.0)) == ()
    assert inferred.missing(kind, BatteryLabel()) == ""


def test_the_portrait_says_what_is_inferred_from_what() -> None:
    text = "\n".join(lines(chips.load("maxim,max17048")))
    assert "power  W  = v * current  (inferred, within 31 %" in text
    text = "\n".join(lines(chips.load("cellwise,cw2015")))
    assert "energy  J  = (1 + soc_pct * -0.01) * energy_j  (inferred, within 31 %)" in text


def test_a_look_says_that_power_is_inferred_and_how_sure() -> None:
    bench = Bench("maxim,max17048", 2.5)
    look = Snapshots(bench)  # type: ignore[arg-type]
    for _ in range(60):
        bench.wait(2.0)
        (reading,) = look.take()
    assert "power" in reading.inferred
    assert reading.power_w is not None and reading.power_limit_w is not None
    assert abs(reading.power_w - 2.5) <= reading.power_limit_w < 2.5


def test_a_counter_becomes_watts_only_when_it_moved_far_enough() -> None:
    bench = Bench("onnn,lc709203f", 5.0)
    look = Snapshots(bench)  # type: ignore[arg-type]
    bench.wait(2.0)
    assert not look.counters_only
    assert look.take()[0].power_w is None
    bench.wait(20.0)
    assert look.take()[0].power_w is None
    bench.wait(600.0)
    (reading,) = look.take()
    assert reading.power_w is not None and reading.power_limit_w is not None
    assert abs(reading.power_w - 5.0) <= reading.power_limit_w
    assert {"energy", "power"} <= reading.inferred
