"""A kernel timer that one thread sleeps on: armed once for a whole rhythm, ended early from any other thread.

Sleeping in `read(2)` of a periodic timerfd costs one system call a tick and no argument to build; a
`clock_nanosleep` through ctypes costs half as much again. Kernel: timerfd_create(2); CLOCK_BOOTTIME, so a
deadline that fell into a suspend has passed when the machine wakes. Such timers know no slack.
"""

from __future__ import annotations

import ctypes
import os
from time import clock_gettime_ns
from typing import Final

from powerhal.errors import TransportError
from powerhal.transport.clock import BOOTTIME

_CLOEXEC: Final = os.O_CLOEXEC
_ABSTIME: Final = 1
_BILLION: Final = 1_000_000_000
_COUNT: Final = 8  # bytes of the number of expirations


class _Setting(ctypes.Structure):
    """struct itimerspec."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("first_s", ctypes.c_long),
        ("first_ns", ctypes.c_long),
    )


class Alarm:
    """Sleeps of one thread to absolute times of CLOCK_BOOTTIME; `pace_ns` is the rhythm most of them follow.

    Raises TransportError where the kernel has no such timer.
    """

    def __init__(self, pace_ns: int = 0) -> None:
        self.pace_ns = pace_ns
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd: int = self._libc.timerfd_create(BOOTTIME, _CLOEXEC)
        if self._fd < 0:
            number = ctypes.get_errno()
            raise TransportError(f"no timer of CLOCK_BOOTTIME: {os.strerror(number)}", kind="absent", errno=number)
        self._settime = self._libc.timerfd_settime
        self._settime.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        self._armed_ns = -1  # when it rings next, as far as this thread knows
        self._rung = False

    def sleep_until(self, t_ns: int) -> None:
        """Return at `t_ns` or as soon after as the kernel can; at once when it has passed, or when it `ring`s.

        Python signal handlers run and may raise; otherwise an interrupted sleep goes on.
        """
        armed_ns, self._armed_ns = self._armed_ns, -1  # until the sleep has ended as it should
        if clock_gettime_ns(BOOTTIME) >= t_ns:
            return
        if armed_ns != t_ns:
            self._set(t_ns, self.pace_ns)
        while not self._rung:
            os.read(self._fd, _COUNT)
            if clock_gettime_ns(BOOTTIME) >= t_ns:
                if self.pace_ns and not self._rung:
                    self._armed_ns = t_ns + self.pace_ns
                return
        self._rung = False

    def ring(self) -> None:
        """End the sleep, or the next one; from any thread or signal handler."""
        self._rung = True
        if self._fd >= 0:
            self._set(1, 0)  # long past

    def close(self) -> None:
        """Give the timer back, when nobody sleeps on it; may be called twice."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    __del__ = close

    def _set(self, t_ns: int, interval_ns: int) -> None:
        first, interval = divmod(max(1, t_ns), _BILLION), divmod(interval_ns, _BILLION)
        setting = _Setting(interval[0], interval[1], first[0], first[1])
        self._settime(self._fd, _ABSTIME, ctypes.byref(setting), None)


def alarms_work() -> bool:
    """Whether this kernel has such timers (a sandbox may not)."""
    try:
        Alarm().close()
    except TransportError:
        return False
    return True
