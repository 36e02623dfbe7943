from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from powerhal.errors import TransportError
from powerhal.transport import Xfer
from powerhal.transport.i2c import open_bus
from tests.transport.wires import KernelAdapter, WordChip, bus


def chips(count: int = 1) -> dict[int, WordChip]:
    return {0x40 + i: WordChip({1: bytes([i, 1]), 2: bytes([i, 2]), 9: bytes([i, 9, 8, 7, 6])}) for i in range(count)}


def reads(address: int, *pointers: int, width: int = 2) -> list[Xfer]:
    return [Xfer(address, bytes([p]), width) for p in pointers]


def test_many_registers_of_many_chips_in_one_call(tmp_path: Path) -> None:
    adapter = KernelAdapter(chips(4))
    plan = bus(adapter, tmp_path).plan([x for a in range(0x40, 0x44) for x in reads(a, 1, 2)])
    for _ in range(3):
        assert not plan.run()
        assert bytes(plan.data) == bytes([0, 1, 0, 2, 1, 1, 1, 2, 2, 1, 2, 2, 3, 1, 3, 2])
    assert adapter.calls == [16, 16, 16]


def test_a_value_that_changes_is_seen_by_the_same_plan(tmp_path: Path) -> None:
    adapter = KernelAdapter(chips())
    plan = bus(adapter, tmp_path).plan(reads(0x40, 1))
    plan.run()
    before = bytes(plan.data)
    adapter.chips[0x40].registers[1] = b"\xab\xcd"
    plan.run()
    assert (before, bytes(plan.data)) == (b"\x00\x01", b"\xab\xcd")


def test_more_than_42_messages_are_split(tmp_path: Path) -> None:
    adapter = KernelAdapter(chips())
    plan = bus(adapter, tmp_path).plan(reads(0x40, *[1, 2] * 25))
    assert not plan.run()
    assert adapter.calls == [42, 42, 16]
    assert bytes(plan.data) == bytes([0, 1, 0, 2] * 25)


def test_widths_of_3_and_5_bytes_and_plain_writes(tmp_path: Path) -> None:
    adapter = KernelAdapter(chips())
    plan = bus(adapter, tmp_path).plan([Xfer(0x40, b"\x05\x12\x34"), Xfer(0x40, b"\x09", 5), Xfer(0x40, b"\x05", 2)])
    assert not plan.run()
    assert adapter.calls == [5]
    assert bytes(plan.data) == bytes([0, 9, 8, 7, 6, 0x12, 0x34])


def test_adapter_that_wants_the_read_last_is_asked_once(tmp_path: Path) -> None:
    adapter = KernelAdapter(chips(2), single_read=True)
    line = bus(adapter, tmp_path)
    plan = line.plan(reads(0x40, 1, 2) + reads(0x41, 1))
    assert not plan.run()
    assert not plan.run()
    assert adapter.calls == [6, 2, 2, 2, 2, 2, 2]
    assert not line.batched
    assert bytes(plan.data) == bytes([0, 1, 0, 2, 1, 1])


@pytest.mark.parametrize("nack", [errno.ENXIO, errno.EREMOTEIO, errno.EIO, None])
def test_absent_chip_is_an_error_and_never_zero_volts(tmp_path: Path, nack: int | None) -> None:
    adapter = KernelAdapter(chips(), nack=nack)
    line = bus(adapter, tmp_path)
    with pytest.raises(TransportError) as caught:
        line.transfer(0x50, b"\x02", 2)
    assert caught.value.kind == "absent"
    assert len(adapter.calls) == 1 + 3  # the call, then once more with two retries
    plan = line.plan(reads(0x40, 1) + reads(0x50, 1) + reads(0x40, 2))
    assert list(plan.run()) == [1]
    assert bytes(plan.data) == bytes([0, 1, 0, 0, 0, 2])
    fault = plan.fault(1)
    assert isinstance(fault, TransportError)
    assert fault.kind == "absent"
    with pytest.raises(KeyError):
        plan.fault(0)


def test_bytes_of_a_chip_that_vanishes_are_wiped(tmp_path: Path) -> None:
    adapter = KernelAdapter(chips(2))
    plan = bus(adapter, tmp_path).plan(reads(0x40, 2) + reads(0x41, 2))
    assert not plan.run()
    del adapter.chips[0x41]
    assert list(plan.run()) == [1]
    assert bytes(plan.data) == bytes([0, 2, 0, 0])
    adapter.chips[0x41] = WordChip({2: b"\x09\x09"})
    assert not plan.run()
    assert bytes(plan.data) == bytes([0, 2, 9, 9])


@pytest.mark.parametrize(
    ("number", "kind", "tries"),
    [
        (errno.EAGAIN, "arbitration", 4),
        (errno.ETIMEDOUT, "timeout", 3),
        (errno.EBUSY, "busy", 2),
        (errno.ESHUTDOWN, "suspended", 2),
        (errno.EBADMSG, "corrupt", 3),
        (errno.EINVAL, "io", 2),
        (errno.EACCES, "denied", 2),
    ],
)
def test_errnos_have_kinds_and_bounded_retries(tmp_path: Path, number: int, kind: str, tries: int) -> None:
    def always(call: int) -> None:
        raise OSError(number, os.strerror(number))

    adapter = KernelAdapter(chips(), script=always)
    with pytest.raises(TransportError) as caught:
        bus(adapter, tmp_path).transfer(0x40, b"\x01", 2)
    assert (caught.value.kind, caught.value.errno) == (kind, number)
    assert len(adapter.calls) == tries  # the batch call, then the single one with its retries


def test_lost_arbitration_is_tried_again_and_succeeds(tmp_path: Path) -> None:
    def first_two(call: int) -> None:
        if call <= 2:
            raise OSError(errno.EAGAIN, "lost")

    adapter = KernelAdapter(chips(), script=first_two)
    assert bus(adapter, tmp_path).transfer(0x40, b"\x01", 2) == b"\x00\x01"


def test_stuck_bus_is_not_asked_for_every_chip(tmp_path: Path) -> None:
    """Each time-out may block for a second: two chips silent means the bus."""

    def stuck(call: int) -> None:
        raise OSError(errno.ETIMEDOUT, "stuck")

    adapter = KernelAdapter(chips(8), script=stuck)
    plan = bus(adapter, tmp_path).plan([x for a in range(0x40, 0x48) for x in reads(a, 1)])
    assert list(plan.run()) == list(range(8))
    assert len(adapter.calls) == 1 + 2 * 2
    assert "stuck" in str(plan.fault(7))


def test_owner_is_the_bound_driver(tmp_path: Path) -> None:
    devices = tmp_path / "sys/bus/i2c/devices/1-0040"
    devices.mkdir(parents=True)
    (devices / "driver").symlink_to("../../../bus/i2c/drivers/ina2xx")
    line = bus(KernelAdapter({}), tmp_path)
    assert line.owner(0x40) == "ina2xx"
    assert line.owner(0x41) == ""


@pytest.mark.parametrize("device", ["/dev/null", "/dev/i2c-1x", "../i2c-1", "i2c-1", "/dev/i2c-"])
def test_only_i2c_adapters_are_opened(tmp_path: Path, device: str) -> None:
    with pytest.raises(TransportError) as caught:
        open_bus(device, bus(KernelAdapter({}), tmp_path)._root)
    assert caught.value.kind == "refused"


def test_adapter_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TransportError) as caught:
        open_bus("/dev/i2c-99999", bus(KernelAdapter({}), tmp_path)._root)
    assert caught.value.kind == "absent"


def test_close_may_be_called_twice(tmp_path: Path) -> None:
    adapter = KernelAdapter({})
    line = bus(adapter, tmp_path)
    line.close()
    line.close()
    assert line.fd == -1
