"""F03: another master won the bus (EAGAIN): try again a little later, never in a busy loop."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from powerhal.errors import TransportError
from powerhal.transport import i2c
from tests.faults.faulty import failing
from tests.transport.wires import KernelAdapter, WordChip, bus


def test_f03_lost_arbitration_waits_and_succeeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(i2c.time, "sleep", slept.append)
    adapter = KernelAdapter({0x40: WordChip({1: b"\x12\x34"})}, script=failing(errno.EAGAIN, lambda n: n <= 3))
    assert bus(adapter, tmp_path).transfer(0x40, b"\x01", 2) == b"\x12\x34"
    assert len(slept) == 2
    assert all(0.2e-3 <= s <= 2e-3 for s in slept)


def test_f03_it_is_not_no_data_and_it_ends(tmp_path: Path) -> None:
    adapter = KernelAdapter({0x40: WordChip({1: b"\x12\x34"})}, script=failing(errno.EAGAIN))
    with pytest.raises(TransportError) as caught:
        bus(adapter, tmp_path).transfer(0x40, b"\x01", 2)
    assert caught.value.kind == "arbitration"
    assert len(adapter.calls) <= 4
