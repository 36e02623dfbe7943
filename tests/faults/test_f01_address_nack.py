"""F01: an address that is not acknowledged; F01b: the same without an errno, as fewer messages done."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from powerhal.channel import Quality
from powerhal.errors import TransportError
from powerhal.transport import Xfer
from tests.faults.faulty import Bench, row
from tests.transport.wires import KernelAdapter, WordChip, bus


@pytest.mark.parametrize("nack", [errno.ENXIO, errno.EREMOTEIO, errno.EIO])
def test_f01_a_nack_is_absent_after_two_retries(tmp_path: Path, nack: int) -> None:
    adapter = KernelAdapter({0x40: WordChip({1: b"\x12\x34"})}, nack=nack)
    with pytest.raises(TransportError) as caught:
        bus(adapter, tmp_path).transfer(0x41, b"\x01", 2)
    assert caught.value.kind == "absent"
    assert len(adapter.calls) == 1 + 3


def test_f01_never_seen_is_an_error_and_was_there_is_missing() -> None:
    bench = Bench({0x40: "ti,ina226"})
    with pytest.raises(TransportError) as caught:
        bench.source("ti,ina226", 0x41).open()
    assert caught.value.kind == "absent"
    source = bench.opened("ti,ina226")
    bench.bus.unplug(0x40)
    _, quality = row(source)
    assert quality & Quality.MISSING
    assert source.last_kind == "absent"


def test_f01b_fewer_messages_done_is_absent_and_never_zero_volts(tmp_path: Path) -> None:
    adapter = KernelAdapter({0x40: WordChip({1: b"\x12\x34"})}, nack=None)
    line = bus(adapter, tmp_path)
    with pytest.raises(TransportError) as caught:
        line.transfer(0x41, b"\x02", 2)
    assert caught.value.kind == "absent"
    assert list(line.plan([Xfer(0x40, b"\x01", 2), Xfer(0x41, b"\x01", 2)]).run()) == [1]
