"""An emulated I2C bus: chips by address, a NACK where there is none, the same door as the real one."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping, Sequence

from powerhal.errors import TransportError
from powerhal.sim.chips.base import EmulatedChip
from powerhal.transport import Xfer


class EmulatedBus:
    """An `I2cBus` over emulated chips; implements powerhal.transport.I2cBus.

    `on_transfer` is called with the number of bytes of every transfer (the simulated recorder pays for
    it); `unplug` and `plug` take a chip off the bus and put it back, as a loose wire would.
    """

    def __init__(
        self,
        name: str,
        chips: Mapping[int, EmulatedChip],
        on_transfer: Callable[[int], None] | None = None,
        owners: Mapping[int, str] | None = None,
    ) -> None:
        self.name = name
        self.chips = dict(chips)
        self.owners = dict(owners or {})
        self._unplugged: set[int] = set()
        self._on_transfer = on_transfer

    def plan(self, xfers: Sequence[Xfer]) -> EmulatedPlan:
        """Remember the transfers."""
        return EmulatedPlan(self, xfers)

    def transfer(self, address: int, write: bytes, read: int = 0) -> bytes:
        """One transfer now; raises TransportError (kind 'absent') where no chip answers."""
        chip = None if address in self._unplugged else self.chips.get(address)
        if chip is None:
            raise self._absent(address)
        try:
            chip.write(write)
            answer = chip.read(read) if read else b""
        except OSError as error:
            raise self._absent(address) from error
        if self._on_transfer is not None:
            self._on_transfer(len(write) + read)
        return answer

    def _absent(self, address: int) -> TransportError:
        return TransportError(f"no chip answers at 0x{address:02x} on {self.name}", kind="absent", errno=errno.ENXIO)

    def owner(self, address: int) -> str:
        """Name of the kernel driver that was said to own the address, '' when free."""
        return self.owners.get(address, "")

    def unplug(self, address: int) -> None:
        """The chip stops answering."""
        self._unplugged.add(address)

    def plug(self, address: int) -> None:
        """The chip answers again (it kept its power)."""
        self._unplugged.discard(address)

    def close(self) -> None:
        """Nothing to give back."""


class EmulatedPlan:
    """Transfers on an emulated bus; implements powerhal.transport.Plan."""

    def __init__(self, bus: EmulatedBus, xfers: Sequence[Xfer]) -> None:
        self._bus = bus
        self._xfers = tuple(xfers)
        self._buffer = bytearray(sum(x.read for x in xfers))
        self._faults: dict[int, TransportError] = {}

    def run(self) -> Sequence[int]:
        """Do all transfers; the indices of those that failed."""
        self._faults.clear()
        at = 0
        for index, x in enumerate(self._xfers):
            try:
                answer = self._bus.transfer(x.address, x.write, x.read)
            except TransportError as error:
                self._faults[index] = error
                answer = bytes(x.read)
            self._buffer[at : at + x.read] = answer
            at += x.read
        return list(self._faults)

    @property
    def data(self) -> memoryview:
        """The bytes read, in transfer order."""
        return memoryview(self._buffer)

    def fault(self, index: int) -> Exception:
        """Why transfer `index` failed; raises KeyError when it did not."""
        return self._faults[index]
