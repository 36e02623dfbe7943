"""F02: a chip stretches the clock until the adapter gives up; F04: the bus hangs and every address does."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from powerhal.errors import TransportError
from tests.faults.faulty import Bench, failing
from tests.transport.wires import KernelAdapter, WordChip, bus


def test_f02_a_timeout_is_tried_once_more(tmp_path: Path) -> None:
    chip = WordChip({1: b"\x12\x34"})
    once = KernelAdapter({0x40: chip}, script=failing(errno.ETIMEDOUT, lambda n: n <= 2))
    assert bus(once, tmp_path).transfer(0x40, b"\x01", 2) == b"\x12\x34"
    always = KernelAdapter({0x40: chip}, script=failing(errno.ETIMEDOUT))
    with pytest.raises(TransportError) as caught:
        bus(always, tmp_path).transfer(0x40, b"\x01", 2)
    assert caught.value.kind == "timeout"
    assert len(always.calls) == 1 + 2


def test_f02_two_chips_that_time_out_together_are_the_bus() -> None:
    bench = Bench({0x40: "ti,ina226", 0x41: "ti,ina226"})
    sources = [bench.opened("ti,ina226", a) for a in (0x40, 0x41)]
    bench.bus.script = lambda address, write: "timeout"
    _, sink = bench.sample(sources, 1.0)
    assert any(fault[2] == "bus" for fault in sink.faults), sink.faults
