from __future__ import annotations

from collections.abc import Sequence

import pytest

from powerhal.errors import TransportError
from powerhal.transport import Xfer
from powerhal.transport.mux import MuxBus


class Wire:
    """A bus with a multiplexer at 0x70: chips on a channel answer (channel, address) when it is selected."""

    name = "wire"

    def __init__(self) -> None:
        self.selected = 0
        self.present = True
        self.log: list[tuple[int, bytes]] = []

    def transfer(self, address: int, write: bytes, read: int = 0) -> bytes:
        self.log.append((address, write))
        if address == 0x70:
            if not self.present:
                raise TransportError("no answer at 0x70", kind="absent")
            self.selected = write[0]
            return b""
        if address == 0x41 and self.selected & 0b10:
            raise TransportError("no answer at 0x41", kind="absent")
        return bytes([self.selected, address])[:read]

    def plan(self, xfers: Sequence[Xfer]) -> WirePlan:
        return WirePlan(self, tuple(xfers))

    def owner(self, address: int) -> str:
        return "pca954x" if address == 0x70 else ""

    def close(self) -> None: ...


class WirePlan:
    """Transfers one after another; see powerhal.transport.Plan."""

    def __init__(self, wire: Wire, xfers: tuple[Xfer, ...]) -> None:
        self._wire, self._xfers = wire, xfers
        self._buffer = bytearray(sum(x.read for x in xfers))
        self._faults: dict[int, Exception] = {}

    def run(self) -> Sequence[int]:
        self._faults, at = {}, 0
        for index, xfer in enumerate(self._xfers):
            try:
                answer = self._wire.transfer(xfer.address, xfer.write, xfer.read)
            except TransportError as error:
                self._faults[index], answer = error, bytes(xfer.read)
            self._buffer[at : at + xfer.read] = answer
            at += xfer.read
        return list(self._faults)

    @property
    def data(self) -> memoryview:
        return memoryview(self._buffer)

    def fault(self, index: int) -> Exception:
        return self._faults[index]


def test_every_batch_selects_its_own_channel() -> None:
    wire = Wire()
    left, right = MuxBus(wire, 0x70, 0b01, "left"), MuxBus(wire, 0x70, 0b100, "right")
    plans = [bus.plan([Xfer(0x40, b"\x01", 2), Xfer(0x42, b"\x01", 2)]) for bus in (left, right)]
    for _ in range(2):
        assert [list(plan.run()) for plan in plans] == [[], []]
        assert bytes(plans[0].data) == bytes([1, 0x40, 1, 0x42])
        assert bytes(plans[1].data) == bytes([4, 0x40, 4, 0x42])
    assert wire.log[0] == (0x70, b"\x01")
    assert left.transfer(0x40, b"\x01", 2) == bytes([1, 0x40])


def test_a_chip_that_fails_keeps_its_own_number() -> None:
    plan = MuxBus(Wire(), 0x70, 0b10, "x").plan([Xfer(0x40, b"", 2), Xfer(0x41, b"", 2)])
    assert list(plan.run()) == [1]
    assert "0x41" in str(plan.fault(1))
    assert bytes(plan.data) == bytes([2, 0x40, 0, 0])


def test_without_the_multiplexer_nothing_is_believed() -> None:
    wire = Wire()
    bus = MuxBus(wire, 0x70, 0b01, "x")
    plan = bus.plan([Xfer(0x40, b"", 2), Xfer(0x42, b"", 2)])
    plan.run()
    wire.present = False
    assert list(plan.run()) == [0, 1]
    assert bytes(plan.data) == bytes(4)
    assert "0x70" in str(plan.fault(1))
    with pytest.raises(TransportError, match="0x70"):
        bus.transfer(0x40, b"", 2)


def test_a_kernel_driver_on_the_multiplexer_owns_what_is_behind() -> None:
    assert MuxBus(Wire(), 0x70, 1, "x").owner(0x40) == "pca954x"
