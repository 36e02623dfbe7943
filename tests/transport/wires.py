"""A kernel I2C adapter as its ioctl sees it: reads the message structures that the plan built, byte by byte."""

from __future__ import annotations

import ctypes
import errno
from collections.abc import Callable
from typing import Any

from powerhal.transport.files import CopiedRoot
from powerhal.transport.i2c import LinuxI2c

I2C_RDWR, I2C_M_RD = 0x0707, 0x0001


class WordChip:
    """Pointer and registers of any width, big-endian or not: the bytes are the test's."""

    def __init__(self, registers: dict[int, bytes]) -> None:
        self.registers, self.pointer, self.writes = registers, 0, []

    def write(self, data: bytes) -> None:
        self.pointer = data[0]
        if len(data) > 1:
            self.registers[data[0]] = data[1:]
            self.writes.append(data)

    def read(self, count: int) -> bytes:
        return self.registers.get(self.pointer, b"")[:count].ljust(count, b"\xff")


class KernelAdapter:
    """`ioctl` with the contract of i2c-dev; faults are raised or counted short as the drivers do.

    `nack`: errno of an unanswered address, or None for "fewer messages done, no errno".
    `single_read`: refuses a transfer in which a read is not last (bcm2835). `script(calls)` may raise first.
    """

    def __init__(
        self,
        chips: dict[int, Any],
        *,
        nack: int | None = errno.ENXIO,
        single_read: bool = False,
        script: Callable[[int], None] | None = None,
    ) -> None:
        self.chips, self.nack, self.single_read, self.script = chips, nack, single_read, script
        self.calls: list[int] = []
        self.fd: int | None = 77
        self.closed = 0

    def close(self) -> None:
        self.closed += 1
        self.fd = None

    def ioctl(self, fd: int, request: int, data: Any) -> int:
        assert (fd, request) == (77, I2C_RDWR)
        self.calls.append(data.nmsgs)
        if data.nmsgs > 42:
            raise OSError(errno.EINVAL, "too many messages")
        if self.script:
            self.script(len(self.calls))
        messages = [data.msgs[i] for i in range(data.nmsgs)]
        if self.single_read and any(m.flags & I2C_M_RD for m in messages[:-1]):
            raise OSError(errno.EOPNOTSUPP, "Operation not supported")
        for done, message in enumerate(messages):
            try:
                chip = self.chips[message.addr]
                if message.flags & I2C_M_RD:
                    answer = chip.read(message.len)
                    ctypes.memmove(message.buf, answer, message.len)
                else:
                    chip.write(ctypes.string_at(message.buf, message.len))
            except (KeyError, OSError) as error:
                if isinstance(error, OSError) and error.errno not in (None, errno.ENXIO):
                    raise
                if self.nack is None:
                    return done if len(messages) > 2 else 0
                raise OSError(self.nack, "nack") from None
        return len(messages)


def bus(adapter: KernelAdapter, root: Any) -> LinuxI2c:
    return LinuxI2c(1, CopiedRoot(root), adapter, ioctl=adapter.ioctl)
