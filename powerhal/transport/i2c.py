"""I2C through i2c-dev: transfers built once as one ioctl structure, run many times.

smbus2 opens the adapter and lends its structures; the transfers themselves are ours, because its
`i2c_rdwr` builds every message anew and does not look at how many messages the kernel did: on some
adapters an absent chip answers "0 done" without an errno, and the buffer stays zeros.

Kernel: Documentation/i2c/dev-interface.rst, include/uapi/linux/i2c-dev.h (at most 42 messages a call),
drivers/i2c/busses/i2c-bcm2835.c (refuses a transfer in which a read is not last).
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import random
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from smbus2 import SMBus
from smbus2.smbus2 import I2C_M_RD, I2C_RDWR, I2cFunc, i2c_msg, i2c_rdwr_ioctl_data

from powerhal.errors import TransportError
from powerhal.transport import FileRoot, Xfer
from powerhal.transport.errnos import I2C, transport_error

Ioctl = Callable[[int, int, Any], int]

MESSAGES = 42  # I2C_RDWR_IOCTL_MAX_MSGS
RETRIES: dict[str, int] = {"absent": 2, "arbitration": 2, "timeout": 1, "corrupt": 1}
_STUCK = 2  # so many addresses timing out in one run are the bus, not the chips


def _jitter(kind: str) -> None:
    """Let the other master finish: 0.2 to 2 ms, only after a lost arbitration."""
    if kind == "arbitration":
        time.sleep(random.uniform(0.2e-3, 2e-3))


_Call = tuple[Any, int]
"""One ioctl: its structure, and how many messages it carries."""


class LinuxPlan:
    """Transfers in one preallocated structure; see `powerhal.transport.Plan`."""

    def __init__(self, bus: LinuxI2c, xfers: Sequence[Xfer]) -> None:
        self._bus = bus
        self._xfers = tuple(xfers)
        self._faults: dict[int, TransportError] = {}
        self._offsets = [0]
        for xfer in self._xfers:
            self._offsets.append(self._offsets[-1] + xfer.read)
        self._read = ctypes.create_string_buffer(max(1, self._offsets[-1]))
        self._write = [ctypes.create_string_buffer(x.write, max(1, len(x.write))) for x in self._xfers]
        self._view = memoryview(self._read).cast("B")[: self._offsets[-1]]
        self._messages = (i2c_msg * sum(map(_count, self._xfers)))()
        self._single = self._fill()
        self._batch = self._group()

    def _fill(self) -> list[_Call]:
        """Set up every message; one call a transfer."""
        calls, at = [], 0
        base = ctypes.addressof(self._read)
        for i, xfer in enumerate(self._xfers):
            first = at
            for flags, length, place in (
                (0, len(xfer.write), ctypes.addressof(self._write[i])),
                (I2C_M_RD, xfer.read, base + self._offsets[i]),
            ):
                if length:
                    message = self._messages[at]
                    message.addr, message.flags, message.len = xfer.address, flags, length
                    message.buf = ctypes.cast(place, ctypes.POINTER(ctypes.c_char))
                    at += 1
            calls.append(self._call(first, at - first))
        return calls

    def _call(self, first: int, count: int) -> _Call:
        start = ctypes.addressof(self._messages) + first * ctypes.sizeof(i2c_msg)
        return i2c_rdwr_ioctl_data(msgs=ctypes.cast(start, ctypes.POINTER(i2c_msg)), nmsgs=count), count

    def _group(self) -> list[_Call]:
        """As few calls as the limit of messages allows."""
        calls: list[_Call] = []
        first, count = 0, 0
        for n in map(_count, self._xfers):
            if count + n > MESSAGES:
                calls.append(self._call(first, count))
                first, count = first + count, 0
            count += n
        if count:
            calls.append(self._call(first, count))
        return calls

    def run(self) -> Sequence[int]:
        """Do all transfers; returns the indices of those that failed (empty: all good)."""
        if self._faults:
            self._faults = {}
        bus = self._bus
        calls = self._batch if bus.batched else self._single
        ioctl, fd = bus.ioctl, bus.fd
        try:
            for data, messages in calls:
                if ioctl(fd, I2C_RDWR, data) != messages:
                    return self._one_by_one()
        except OSError as error:
            if error.errno == errno.EOPNOTSUPP and bus.batched and len(self._xfers) > 1:
                bus.batched = False  # this adapter wants one register a call
            return self._one_by_one()
        return ()

    def _one_by_one(self) -> Sequence[int]:
        """Each transfer on its own with its retries, to find out which one fails."""
        silent: set[int] = set()
        for i, call in enumerate(self._single):
            if len(silent) >= _STUCK:
                self._fail(i, self._stuck())
                continue
            fault = self._attempt(i, call)
            if fault is not None:
                self._fail(i, fault)
                if fault.kind == "timeout":
                    silent.add(self._xfers[i].address)
        return tuple(self._faults)

    def _attempt(self, index: int, call: _Call) -> TransportError | None:
        xfer, bus = self._xfers[index], self._bus
        data, messages = call
        tries = 0
        while True:
            try:
                done = bus.ioctl(bus.fd, I2C_RDWR, data)
                if done == messages:
                    return None
                error = OSError(errno.ENXIO, f"{done} of {messages} messages done")
            except OSError as caught:
                error = caught
            fault = transport_error(f"{bus.name} 0x{xfer.address:02x}", error, I2C)
            tries += 1
            if tries > RETRIES.get(fault.kind, 0):
                return fault
            _jitter(fault.kind)

    def _stuck(self) -> TransportError:
        text = f"{self._bus.name}: several chips time out, the bus is stuck"
        return TransportError(text, kind="timeout", errno=errno.ETIMEDOUT)

    def _fail(self, index: int, fault: TransportError) -> None:
        self._faults[index] = fault
        start, end = self._offsets[index], self._offsets[index + 1]
        self._view[start:end] = bytes(end - start)

    @property
    def data(self) -> memoryview:
        """The bytes read, in transfer order; valid until the next run."""
        return self._view

    def fault(self, index: int) -> Exception:
        """Why transfer `index` failed in the last run; raises KeyError when it did not."""
        return self._faults[index]


def _count(xfer: Xfer) -> int:
    return bool(xfer.write) + bool(xfer.read)


class Adapter(Protocol):
    """Who owns the descriptor of `/dev/i2c-N`: smbus2's SMBus."""

    fd: int | None

    def close(self) -> None:
        """Close it; may be called twice."""


class LinuxI2c:
    """An adapter of this machine, `/dev/i2c-N`.

    `batched` starts true and turns false when the adapter refuses a batch. `ioctl` is the system call; a test or
    benchmark may give another with the same contract (returns the number of messages done).
    """

    def __init__(self, number: int, root: FileRoot, adapter: Adapter, *, ioctl: Ioctl = fcntl.ioctl) -> None:
        self.number = number
        self.name = f"/dev/i2c-{number}"
        self.ioctl = ioctl
        self.batched = True
        self._root = root
        self._adapter = adapter
        self.fd = -1 if adapter.fd is None else adapter.fd

    def plan(self, xfers: Sequence[Xfer]) -> LinuxPlan:
        """Build the transfers once."""
        return LinuxPlan(self, xfers)

    def transfer(self, address: int, write: bytes, read: int = 0) -> bytes:
        """One transfer now; raises TransportError (kind 'absent' for a NACK or a short message count)."""
        plan = LinuxPlan(self, (Xfer(address, write, read),))
        if plan.run():
            raise plan.fault(0)
        return bytes(plan.data)

    def owner(self, address: int) -> str:
        """Name of the kernel driver bound to that address, '' when free; never forced."""
        device = f"/sys/bus/i2c/devices/{self.number}-{address:04x}"
        if not self._root.exists(device):
            return ""  # mostly, and asked often
        try:
            return self._root.readlink(f"{device}/driver").rpartition("/")[2]
        except TransportError:
            return ""

    def close(self) -> None:
        """Close the adapter; may be called twice."""
        self._adapter.close()
        self.fd = -1


def open_bus(device: str, root: FileRoot) -> LinuxI2c:
    """The adapter of `/dev/i2c-N`; raises TransportError for any other path and for one that cannot be opened."""
    match = re.fullmatch(r"/dev/i2c-(\d{1,5})", device)
    if not match:
        raise TransportError(f"{device!r} is not an I2C adapter (/dev/i2c-N)", kind="refused")
    try:
        adapter = SMBus(device)
    except OSError as error:
        raise transport_error(device, error, I2C) from None
    if not int(adapter.funcs) & int(I2cFunc.I2C):
        adapter.close()
        raise TransportError(f"{device} knows SMBus commands only, not I2C messages", kind="refused")
    return LinuxI2c(int(match[1]), root, adapter)
