"""A plan for buses without an adapter: every transfer by itself, failures kept apart, bytes one after another."""

from __future__ import annotations

from collections.abc import Sequence

from powerhal.errors import TransportError
from powerhal.transport import I2cBus, Xfer


class TransferPlan:
    """Transfers on a bus that answers at once (emulated, replayed); implements `powerhal.transport.Plan`."""

    def __init__(self, bus: I2cBus, xfers: Sequence[Xfer]) -> None:
        self._bus = bus
        self._xfers = tuple(xfers)
        self._data = bytearray(sum(x.read for x in xfers))
        self._faults: dict[int, TransportError] = {}

    def run(self) -> Sequence[int]:
        """Do all transfers; returns the indices of those that failed."""
        self._faults = {}
        at = 0
        for index, xfer in enumerate(self._xfers):
            try:
                answer = self._bus.transfer(xfer.address, xfer.write, xfer.read)
            except TransportError as error:
                self._faults[index] = error
                answer = bytes(xfer.read)
            self._data[at : at + xfer.read] = answer
            at += xfer.read
        return tuple(self._faults)

    @property
    def data(self) -> memoryview:
        """The bytes read, in transfer order."""
        return memoryview(self._data)

    def fault(self, index: int) -> Exception:
        """Why transfer `index` failed; raises KeyError when it did not."""
        return self._faults[index]
