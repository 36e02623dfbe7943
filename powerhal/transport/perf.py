"""Event counters of a CPU by the perf_event_open(2) system call: open, read, nothing else."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from typing import Final, NamedTuple

from powerhal.transport.errnos import transport_error

SYSCALLS: Final = {"x86_64": 298, "i686": 336, "armv7l": 364, "armv6l": 364, "ppc64le": 319}
GENERIC_SYSCALL: Final = 241
HARDWARE, SOFTWARE = 0, 1  # enum perf_type_id (include/uapi/linux/perf_event.h)
ATTRIBUTE_BYTES: Final = 64  # PERF_ATTR_SIZE_VER0, known to every kernel
TIMES: Final = 3  # PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING
CLOSE_ON_EXEC: Final = 8


class Count(NamedTuple):
    """A reading: events seen, and ns that the event was asked for and really counted (others may share its counter)."""

    events: int
    enabled_ns: int
    running_ns: int


class CpuEvent:
    """One event of one CPU, whoever runs on it.

    Opening raises TransportError: 'denied' without CAP_PERFMON (or perf_event_paranoid above 0), 'absent' where the
    CPU or the kernel has no such event.
    """

    def __init__(self, kind: int, config: int, cpu: int) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        attribute = struct.pack("=IIQQQQQIIQ", kind, ATTRIBUTE_BYTES, config, 0, 0, TIMES, 0, 0, 0, 0)
        number = SYSCALLS.get(platform.machine(), GENERIC_SYSCALL)
        words = (ctypes.create_string_buffer(attribute, ATTRIBUTE_BYTES), *map(ctypes.c_int, (-1, cpu, -1)))
        self._fd = int(libc.syscall(ctypes.c_long(number), *words, ctypes.c_ulong(CLOSE_ON_EXEC)))
        if self._fd < 0:
            code = ctypes.get_errno()
            raise transport_error(f"perf event {kind}:{config} of CPU {cpu}", OSError(code, os.strerror(code)))

    def read(self) -> Count:
        """Totals since it was opened; raises TransportError when the CPU went away."""
        try:
            return Count(*struct.unpack("=QQQ", os.read(self._fd, 24)))
        except (OSError, struct.error) as error:
            cause = error if isinstance(error, OSError) else OSError(0, "the CPU is off")
            raise transport_error("perf event", cause) from None

    def close(self) -> None:
        """Stop counting; may be called twice."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
