from __future__ import annotations

import threading
from pathlib import Path

import pytest

from powerhal.sampling.lanes import wire_of, wires_of
from powerhal.transport.clock import BootClock
from powerhal.transport.mux import MuxBus
from tests.sampling.two_buses import Machine, Wire


def test_every_wire_has_its_thread_and_its_rows_arrive_in_order(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert [lane.name for lane in machine.sampler._lanes.lanes] == ["/dev/i2c-0", "/dev/i2c-1"]
    machine.run(1.3)
    for number in range(5):
        times = machine.sink.times(number)
        assert times == sorted(times)
        assert times[0] >= machine.sampler.started_ns
        assert machine.sampler.started_ns <= times[-1] <= machine.sampler.ended_ns
        health = machine.sampler.health[machine.sink.names[number]]
        assert health.samples == len(times), "what was counted was written, and the other way round"
        assert health.missing == 0
    assert machine.sampler.wakeups > 60
    assert not [t for t in threading.enumerate() if t.name.startswith("powerhal-/dev")]


def test_a_bug_in_a_lane_ends_the_run_with_its_error(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.sampler._lanes.lanes[0].rota.serve = lambda *_: 1 // 0  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        machine.run(3.0)


def test_one_bus_stays_with_the_main_loop(tmp_path: Path) -> None:
    machine = Machine(tmp_path, wires=1)
    assert machine.sampler._lanes.lanes == ()
    machine.run(0.3)
    assert len(machine.sink.times(0)) > 3


def test_channels_of_a_multiplexer_are_one_wire(tmp_path: Path) -> None:
    wire = Wire(3, tmp_path, BootClock())
    one, two = MuxBus(wire.bus, 0x70, 1, "one"), MuxBus(MuxBus(wire.bus, 0x70, 2, "two"), 0x71, 1, "three")

    class On:
        def __init__(self, bus: object) -> None:
            self.bus = bus

    assert wire_of(On(one)) is wire_of(On(two)) is wire.bus
    assert wires_of([On(one), On(two), object()]) == {id(wire.bus): "/dev/i2c-3"}


def test_without_kernel_timers_the_main_loop_does_it_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("powerhal.sampling.sampler.alarms_work", lambda: False)
    machine = Machine(tmp_path)
    assert machine.sampler._lanes.lanes == ()
    machine.run(0.3)
    assert machine.sink.times(0)
    assert machine.sink.times(3)
