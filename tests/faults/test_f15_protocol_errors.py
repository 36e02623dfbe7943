"""F15: EBADMSG and EPROTO are damaged answers, EOPNOTSUPP is an adapter that cannot: each is named, none is data."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from powerhal.errors import TransportError
from powerhal.transport import Xfer
from tests.faults.faulty import failing
from tests.transport.wires import KernelAdapter, WordChip, bus


@pytest.mark.parametrize(
    ("number", "kind"), [(errno.EBADMSG, "corrupt"), (errno.EPROTO, "corrupt"), (errno.EOPNOTSUPP, "refused")]
)
def test_f15_each_errno_has_its_kind(tmp_path: Path, number: int, kind: str) -> None:
    adapter = KernelAdapter({0x40: WordChip({1: b"\x12\x34"})}, script=failing(number))
    with pytest.raises(TransportError) as caught:
        bus(adapter, tmp_path).transfer(0x40, b"\x01", 2)
    assert caught.value.kind == kind


def test_f15_a_damaged_answer_is_asked_for_once_more(tmp_path: Path) -> None:
    adapter = KernelAdapter({0x40: WordChip({1: b"\x12\x34"})}, script=failing(errno.EBADMSG, lambda n: n <= 2))
    assert bus(adapter, tmp_path).transfer(0x40, b"\x01", 2) == b"\x12\x34"


def test_f15_an_adapter_without_batches_is_asked_singly_for_good(tmp_path: Path) -> None:
    adapter = KernelAdapter({0x40: WordChip({1: b"\x12\x34", 2: b"\x56\x78"})}, single_read=True)
    line = bus(adapter, tmp_path)
    plan = line.plan([Xfer(0x40, b"\x01", 2), Xfer(0x40, b"\x02", 2)])
    assert not plan.run()
    assert bytes(plan.data) == b"\x12\x34\x56\x78"
    assert not line.batched
