"""An emulated I2C bus: chips by address, a NACK where there is none, the same door as the real one."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping, Sequence

from powerhal.errors import TransportError
from powerhal.sim.chips.base import EmulatedChip
from powerhal.transport import Xfer
from powerhal.transport.plans import TransferPlan


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

    def plan(self, xfers: Sequence[Xfer]) -> TransferPlan:
        """Remember the transfers."""
        return TransferPlan(self, xfers)

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
