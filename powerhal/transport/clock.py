"""Clocks: CLOCK_BOOTTIME with absolute deadlines, and a virtual one for simulated boards."""

from __future__ import annotations

import ctypes
import errno
import time
from collections.abc import Callable
from functools import partial

BOOTTIME = 7  # time.CLOCK_BOOTTIME, named here so that the module imports anywhere
_TIMER_ABSTIME = 1
_PR_SET_TIMERSLACK = 29
_BILLION = 1_000_000_000


class _Timespec(ctypes.Structure):
    _fields_ = (("tv_sec", ctypes.c_long), ("tv_nsec", ctypes.c_long))


class BootClock:
    """Nanoseconds since boot, suspend included; sleeps to absolute deadlines of that clock.

    The kernel may end a sleep up to the thread's timer slack late (50 us by default). Where that matters, in
    sleeps under `SHORT_NS`, it is set to 1 ns, for the length of the sleep only, so that processes started by
    this thread do not inherit it.
    """

    SHORT_NS = 5_000_000

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._nanosleep = self._libc.clock_nanosleep
        self._nanosleep.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
        self._prctl = self._libc.prctl
        self._prctl.argtypes = (ctypes.c_int, *(ctypes.c_ulong,) * 4)

    now_ns = staticmethod(partial(time.clock_gettime_ns, BOOTTIME))  # no line of Python: it is called all the time
    """Nanoseconds of CLOCK_BOOTTIME."""

    def sleep_until(self, t_ns: int) -> None:
        """Return at `t_ns` or as soon after as the kernel can; at once when it has passed.

        Python signal handlers run and may raise; otherwise an interrupted sleep goes on.
        """
        if t_ns - self.now_ns() > self.SHORT_NS:
            self._sleep(t_ns)
            return
        self._prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
        try:
            self._sleep(t_ns)
        finally:
            self._prctl(_PR_SET_TIMERSLACK, 0, 0, 0, 0)  # 0: back to the thread's default

    def _sleep(self, t_ns: int) -> None:
        deadline = _Timespec(*divmod(t_ns, _BILLION))  # its own: several threads may sleep on one clock
        while self.now_ns() < t_ns:
            failure = self._nanosleep(BOOTTIME, _TIMER_ABSTIME, ctypes.byref(deadline), None)
            if failure not in (0, errno.EINTR):
                time.sleep(max(0, t_ns - self.now_ns()) / _BILLION)

    def realtime_ns(self) -> int:
        """Wall-clock time in ns, for side records only."""
        return time.time_ns()


class VirtualClock:
    """Time that moves only when somebody sleeps: `advance(t_ns)` makes the simulated world catch up.

    `realtime_at_start_ns` is the wall-clock time of instant 0, fixed so that runs repeat exactly.
    """

    def __init__(
        self, advance: Callable[[int], None] | None = None, *, start_ns: int = 0, realtime_at_start_ns: int = 0
    ) -> None:
        self._advance = advance
        self._now_ns = start_ns
        self._realtime_offset_ns = realtime_at_start_ns - start_ns

    def now_ns(self) -> int:
        """Virtual nanoseconds since boot."""
        return self._now_ns

    def sleep_until(self, t_ns: int) -> None:
        """Move to `t_ns` at once and let the world catch up; time never goes back."""
        if t_ns <= self._now_ns:
            return
        self._now_ns = t_ns
        if self._advance is not None:
            self._advance(t_ns)

    def realtime_ns(self) -> int:
        """Virtual wall-clock time in ns."""
        return self._now_ns + self._realtime_offset_ns
