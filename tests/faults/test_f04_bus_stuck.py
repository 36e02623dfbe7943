"""F04: SDA or SCL is held low: one fault of the bus, nothing is written meanwhile, other buses keep their period."""

from __future__ import annotations

import errno
import threading
from itertools import pairwise
from pathlib import Path

from powerhal.channel import Quality
from powerhal.transport import Xfer
from tests.faults.faulty import Bench, failing
from tests.sampling.fakes import SECOND, FakeSource
from tests.sampling.two_buses import Machine
from tests.transport.wires import KernelAdapter, WordChip, bus


def test_f04_two_silent_chips_spare_the_others_their_time_out(tmp_path: Path) -> None:
    adapter = KernelAdapter({a: WordChip({1: b"\0\0"}) for a in range(0x40, 0x48)}, script=failing(errno.ETIMEDOUT))
    plan = bus(adapter, tmp_path).plan([Xfer(a, b"\x01", 2) for a in range(0x40, 0x48)])
    assert list(plan.run()) == list(range(8))
    assert len(adapter.calls) == 1 + 2 * 2, "the batch, then two chips twice"


def test_f04_the_bus_is_blamed_left_alone_and_nothing_is_written() -> None:
    bench = Bench({0x40: "ti,ina226", 0x41: "ti,ina226"})
    sources = [bench.opened("ti,ina226", a, averages=4) for a in (0x40, 0x41)]
    elsewhere = FakeSource(bench.clock, "elsewhere", 0.1)
    bench.bus.script = lambda address, write: "timeout"
    bench.bus.asked.clear()
    sampler, sink = bench.sample([*sources, elsewhere], 20.0)
    assert not bench.bus.writes
    assert len(bench.bus.asked) < 100, "200 ticks of two chips and several registers"
    assert {fault[2] for fault in sink.faults if fault[1] != "elsewhere"} & {"bus"}
    assert sampler.health["elsewhere"].missing == 0
    assert len(sink.times(2)) >= 200


def test_f04_no_bus_waits_for_one_that_hangs_and_its_rows_are_no_numbers(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    slow = machine.wires[0]
    threading.Timer(0.5, slow.hang, (2.0,)).start()
    machine.run(3.5)
    sink, names = machine.sink, machine.sink.names
    for name in ("bus1.0", "bus1.1", "files"):
        times = sink.times(names.index(name))
        assert max(b - a for a, b in pairwise(times)) < SECOND, "a second is 50 periods: this machine may be busy"
        assert machine.sampler.health[name].missing == 0
    assert max(b.t_ns - a.t_ns for a, b in pairwise(sink.scans)) < SECOND
    for name in ("bus0.0", "bus0.1"):
        inside = [t for t in sink.times(names.index(name)) if slow.began_ns < t < slow.ended_ns]
        assert inside == []
        (gap,) = [g for g in sink.gaps if g[0] == name]
        assert gap[1] <= slow.began_ns
        assert gap[2] >= slow.ended_ns
        assert sink.times(names.index(name))[-1] > slow.ended_ns, "it goes on when it answers again"
        late = next(q for s, t, _, q in sink.rows if s == names.index(name) and t > slow.ended_ns)
        assert late & Quality.LATE
        assert machine.sampler.health[name].faults == {"bus": 1}
        assert machine.sampler.health[name].missed >= 50
    assert [f[1:3] for f in sink.faults] == [("/dev/i2c-0", "bus")]
    assert slow.began_ns < sink.faults[0][0] < slow.ended_ns, "it is said while it hangs"


def test_f04_a_bus_that_hangs_to_the_end_holds_up_nobody(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    slow = machine.wires[1]
    slow.hang(3.0)  # from the first row on
    machine.run(0.8)
    assert not slow.over.is_set(), "the run ended while it hung"
    sink = machine.sink
    assert sink.times(sink.names.index("bus1.0")) == []
    (gap,) = [g for g in sink.gaps if g[0] == "bus1.0"]
    assert machine.sampler.started_ns <= gap[1] <= slow.began_ns
    assert gap[2] <= machine.sampler.ended_ns
    assert len(sink.times(0)) > 10
    rows = len(sink.rows)
    assert slow.over.wait(10.0)
    assert len(sink.rows) == rows, "what comes after the end is not written"
