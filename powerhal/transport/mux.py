"""One channel of an I2C multiplexer that no kernel driver owns: select, then transfer, in one batch.

Where the kernel drives the multiplexer its channels are adapters of their own (`/dev/i2c-N`), and this is
not needed. Source: NXP PCA9548A data sheet, section 8.6 (control register).
"""

from __future__ import annotations

from collections.abc import Sequence

from powerhal.transport import I2cBus, Plan, Xfer


class MuxBus:
    """A channel as an `I2cBus`; `select` is the control byte that switches it on."""

    def __init__(self, parent: I2cBus, address: int, select: int, name: str) -> None:
        self.name = name
        self.parent = parent
        self._select = Xfer(address, bytes((select,)))

    def plan(self, xfers: Sequence[Xfer]) -> MuxPlan:
        """Build the transfers once, the selection in front of them."""
        return MuxPlan(self.parent.plan((self._select, *xfers)), len(xfers))

    def transfer(self, address: int, write: bytes, read: int = 0) -> bytes:
        """Select and transfer; raises TransportError."""
        plan = self.plan((Xfer(address, write, read),))
        if plan.run():
            raise plan.fault(0)
        return bytes(plan.data)

    def owner(self, address: int) -> str:
        """Kernel driver of the multiplexer itself: behind a free one there can be no driver."""
        return self.parent.owner(self._select.address)

    def close(self) -> None:
        """Nothing of its own to give back: the parent is closed by whoever opened it."""


class MuxPlan:
    """A plan of the parent bus with the selection as its first transfer."""

    def __init__(self, inner: Plan, count: int) -> None:
        self._inner = inner
        self._count = count
        self._dark = False

    def run(self) -> Sequence[int]:
        """Do all transfers; when the multiplexer does not answer, all of them failed.

        The bytes that came from a channel that was selected before are wiped.
        """
        failed = self._inner.run()
        self._dark = 0 in failed
        if self._dark:
            self._inner.data[:] = bytes(len(self._inner.data))
            return range(self._count)
        return [index - 1 for index in failed]

    @property
    def data(self) -> memoryview:
        """The bytes read, in transfer order; the selection reads none."""
        return self._inner.data

    def fault(self, index: int) -> Exception:
        """The TransportError of transfer `index`; that of the selection when it failed."""
        return self._inner.fault(0 if self._dark else index + 1)
