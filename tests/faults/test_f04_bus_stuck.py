"""F04: SDA or SCL is held low: one fault of the bus, nothing is written meanwhile, other buses keep their period."""

from __future__ import annotations

import errno
from pathlib import Path

from powerhal.transport import Xfer
from tests.faults.faulty import Bench, failing
from tests.sampling.fakes import FakeSource
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
