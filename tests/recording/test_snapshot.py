from __future__ import annotations

import pytest

from powerhal.channel import Channel, Field, Layout, Quality, Reading
from powerhal.recording.snapshot import Snapshots
from powerhal.transport.clock import VirtualClock
from tests.sampling.fakes import SECOND, FakeAssembly


class Still:
    """A source that shows the integers it is given."""

    def __init__(self, clock, name, channels, values, quality=Quality.OK):
        fields = tuple(Field(c.field, 4 * i, 4, signed=True, scale=1e-3) for i, c in enumerate(channels) if c.field)
        self.name, self.period_s, self.last_fault = name, 1.0, ""
        self.layout = Layout(4 * len(fields), fields, tuple(channels))
        self.clock, self.values, self.quality = clock, values, quality

    def read(self):
        raw = b"".join(v.to_bytes(4, "big", signed=True) for v in self.values)
        return Reading(self.clock.now_ns(), raw, self.quality)


def channel(rail, quantity, **more):
    return Channel(f"{rail}.{quantity}", quantity, "", field=f"{rail}_{quantity}", rail=rail, **more)


def test_watts_are_measured_else_volts_times_amperes_else_unknown():
    clock = VirtualClock()
    a = Still(clock, "a", [channel("a", "voltage"), channel("a", "current"), channel("a", "power")], [5000, 400, 1900])
    b = Still(clock, "b", [channel("b", "voltage"), channel("b", "current")], [5000, -400])
    c = Still(clock, "c", [channel("c", "voltage")], [5000])
    found = {r.rail: r for r in Snapshots(FakeAssembly(clock, [a, b, c])).take()}
    assert found["a"].power_w == pytest.approx(1.9)
    assert found["b"].power_w == pytest.approx(-2.0)
    assert found["c"].power_w is None
    assert found["c"].voltage_v == 5.0


def test_a_source_that_does_not_answer_is_unknown_not_0():
    clock = VirtualClock()
    gone = Still(clock, "g", [channel("g", "voltage")], [0], Quality.MISSING)
    (reading,) = Snapshots(FakeAssembly(clock, [gone])).take()
    assert reading.voltage_v is None
    assert reading.doubts == {"MISSING"}


def test_an_energy_counter_becomes_watts_at_the_second_look():
    clock = VirtualClock()
    meter = Still(clock, "m", [channel("m", "energy", counter=True)], [1000])
    snapshots = Snapshots(FakeAssembly(clock, [meter]))
    assert snapshots.counters_only
    assert snapshots.take()[0].power_w is None
    clock.sleep_until(2 * SECOND)
    meter.values = [5000]
    assert snapshots.take()[0].power_w == pytest.approx(2.0)
    meter.values = [10]  # reset: says nothing, never negative
    clock.sleep_until(3 * SECOND)
    assert snapshots.take()[0].power_w is None


def test_only_the_rails_asked_for_and_one_row_for_two_sources_of_a_rail():
    clock = VirtualClock()
    one = Still(clock, "one", [channel("a", "voltage"), channel("b", "voltage")], [1000, 2000])
    two = Still(clock, "two", [channel("a", "current")], [3000])
    (reading,) = Snapshots(FakeAssembly(clock, [one, two]), ["a"]).take()
    assert (reading.rail, reading.voltage_v, reading.current_a, reading.power_w) == ("a", 1.0, 3.0, 3.0)
    assert reading.sources == ["one", "two"]
