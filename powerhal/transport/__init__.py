"""How to reach a wire: bytes in, bytes out, one batch call; OS errors become TransportError.

Four narrow doors. Real hardware, an emulated board, a replayed dump and a copied file tree all
implement the same ones, so everything above is tested without hardware.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Xfer:
    """One combined I2C transfer: write `write`, then read `read` bytes (0: none) from 7-bit `address`."""

    address: int
    write: bytes
    read: int = 0


class Plan(Protocol):
    """Transfers prepared once and run often; the answers lie one after another in `data`."""

    def run(self) -> Sequence[int]:
        """Do all transfers; returns the indices of those that failed (empty: all good).

        The bytes of a failed transfer are zeros. `fault(i)` tells why.
        """
        ...

    @property
    def data(self) -> memoryview:
        """The bytes read, in transfer order; valid until the next run."""
        ...

    def fault(self, index: int) -> Exception:
        """The TransportError of transfer `index` in the last run."""
        ...


class I2cBus(Protocol):
    """An I2C bus; implementations: i2c-dev through smbus2, emulated, replayed."""

    name: str

    def plan(self, xfers: Sequence[Xfer]) -> Plan:
        """Build the transfers once."""
        ...

    def transfer(self, address: int, write: bytes, read: int = 0) -> bytes:
        """One transfer now; raises TransportError (kind 'absent' for a NACK or a short message count)."""
        ...

    def owner(self, address: int) -> str:
        """Name of the kernel driver bound to that address, '' when free."""
        ...

    def close(self) -> None:
        """Close the adapter; may be called twice."""
        ...


class SerialPort(Protocol):
    """A byte stream; implementations: pyserial, pty, replay."""

    name: str

    def read(self, limit: int) -> bytes:
        """What is waiting, at most `limit` bytes, without blocking; raises TransportError when unplugged."""
        ...

    def write(self, data: bytes) -> None:
        """Send all of it."""
        ...

    def close(self) -> None:
        """Close the line; may be called twice."""
        ...


class FileRoot(Protocol):
    """A tree with /sys and /proc in it: the real one, a copy, or a simulated kernel."""

    def read(self, path: str) -> bytes:
        """Whole content of an absolute path inside the tree; raises TransportError."""
        ...

    def listdir(self, path: str) -> list[str]:
        """Sorted names in a folder; raises TransportError."""
        ...

    def exists(self, path: str) -> bool:
        """Whether the path is there (following links inside the tree)."""
        ...

    def readlink(self, path: str) -> str:
        """Target of a symbolic link as stored; raises TransportError."""
        ...

    def opener(self, path: str) -> FileReader:
        """A reader that keeps the file open where the tree allows it."""
        ...

    def process_clock_ns(self, pid: int) -> int | None:
        """CPU time of a process in ns from its own clock; None where the tree has no such clock.

        Raises ProcessLookupError when the process is gone.
        """
        ...


class FileReader(Protocol):
    """One file read again and again."""

    def read(self) -> bytes:
        """Its content now; raises TransportError."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class Clock(Protocol):
    """Time as an injected seam: CLOCK_BOOTTIME on real boards, virtual on simulated ones."""

    def now_ns(self) -> int:
        """Nanoseconds since boot, suspend included."""
        ...

    def sleep_until(self, t_ns: int) -> None:
        """Return at `t_ns` or as soon after as possible; at once when it has passed."""
        ...

    def realtime_ns(self) -> int:
        """Wall-clock time for side records only."""
        ...
