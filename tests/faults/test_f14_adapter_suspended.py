"""F14: the adapter sleeps with the machine (ESHUTDOWN): said as such, not retried, and reading goes on afterwards."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from powerhal.errors import TransportError
from tests.faults.faulty import Bench, failing
from tests.transport.wires import KernelAdapter, WordChip, bus


def test_f14_a_suspended_adapter_is_not_hammered(tmp_path: Path) -> None:
    adapter = KernelAdapter({0x40: WordChip({1: b"\x12\x34"})}, script=failing(errno.ESHUTDOWN))
    with pytest.raises(TransportError) as caught:
        bus(adapter, tmp_path).transfer(0x40, b"\x01", 2)
    assert caught.value.kind == "suspended"
    assert len(adapter.calls) == 2, "the batch and one single call, no retries"


def test_f14_rows_go_on_after_it() -> None:
    bench = Bench({0x40: "ti,ina226"})
    source = bench.opened("ti,ina226")
    start = bench.clock.now_ns()
    bench.bus.script = lambda a, w: "suspended" if 1e9 < bench.clock.now_ns() - start < 3e9 else ""
    sampler, sink = bench.sample([source], 10.0)
    assert sampler.health["s40"].faults["suspended"]
    assert sink.times()[-1] > start + int(9e9)
    assert sink.gaps
