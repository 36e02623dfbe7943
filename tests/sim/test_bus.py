from __future__ import annotations

import pytest

from powerhal.errors import TransportError
from powerhal.sim.bus import EmulatedBus
from powerhal.sim.chips import build
from powerhal.sim.signal import ConstantSignal
from powerhal.transport import Xfer


def bus(seen: list[int] | None = None) -> EmulatedBus:
    chip = build("ti,ina226", [ConstantSignal(1.0, 5.0)], lambda: 10**9, shunts_ohms=[0.01])
    return EmulatedBus("i2c-9", {0x40: chip}, None if seen is None else seen.append)


def test_absent_address_is_an_error_not_zeros() -> None:
    with pytest.raises(TransportError) as caught:
        bus().transfer(0x41, b"\x02", 2)
    assert caught.value.kind == "absent"


def test_plan_runs_all_and_names_the_failed() -> None:
    plan = bus().plan([Xfer(0x40, b"\x00", 2), Xfer(0x41, b"\x00", 2), Xfer(0x40, b"\xfe", 2)])
    assert list(plan.run()) == [1]
    assert bytes(plan.data).hex() == "412700005449"
    fault = plan.fault(1)
    assert isinstance(fault, TransportError) and fault.kind == "absent"
    with pytest.raises(KeyError):
        plan.fault(0)


def test_a_chip_can_be_taken_off_and_put_back() -> None:
    line = bus()
    plan = line.plan([Xfer(0x40, b"\x00", 2)])
    line.unplug(0x40)
    assert list(plan.run()) == [0]
    assert bytes(plan.data) == b"\0\0"
    line.plug(0x40)
    assert list(plan.run()) == []


def test_transfers_are_counted_for_who_pays() -> None:
    seen: list[int] = []
    bus(seen).transfer(0x40, b"\x00", 2)
    assert seen == [3]


def test_a_chip_that_does_not_acknowledge_is_absent() -> None:
    class Dead:
        spans = ()

        def write(self, data: bytes) -> None:
            raise OSError(6, "nack")

        def read(self, count: int) -> bytes:
            return b""

    with pytest.raises(TransportError) as caught:
        EmulatedBus("i2c-9", {0x20: Dead()}).transfer(0x20, b"\x00")
    assert caught.value.kind == "absent"
