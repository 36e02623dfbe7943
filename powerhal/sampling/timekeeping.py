"""Noticing what clocks do: suspend, and steps of the wall clock. Neither ever enters the arithmetic."""

from __future__ import annotations

import time
from collections.abc import Callable

from powerhal.sampling.sink import Sink
from powerhal.transport import Clock
from powerhal.transport.clock import BootClock

STEP_NS = 10_000_000  # a wall-clock step worth a side record
ASLEEP_NS = 1_000_000  # growth of BOOTTIME - MONOTONIC that means that the machine slept
_BOOTTIME = 7


def _slept_ns() -> int:
    return time.clock_gettime_ns(_BOOTTIME) - time.monotonic_ns()


def _asleep_of(clock: Clock) -> Callable[[], int]:
    """How to learn what time a clock's machine has slept: its own word, the kernel's two clocks, else it never does."""
    own: Callable[[], int] | None = getattr(clock, "suspended_ns", None)
    return own or (_slept_ns if isinstance(clock, BootClock) else lambda: 0)


class Sleeps:
    """Notices suspends and writes nothing."""

    def __init__(self, clock: Clock) -> None:
        self._asleep = _asleep_of(clock)
        self.suspended_ns = self._asleep()

    def look(self) -> int:
        """How many ns the machine has slept since the last look."""
        asleep_ns = self._asleep()
        slept_ns = asleep_ns - self.suspended_ns
        if slept_ns < ASLEEP_NS:
            return 0
        self.suspended_ns = asleep_ns
        return slept_ns


class Timekeeper:
    """Watches a clock for suspend and wall-clock steps, and writes both down.

    A clock may offer `suspended_ns()` (time slept since boot); `BootClock` is asked through the kernel's
    two clocks; others never sleep.
    """

    def __init__(self, clock: Clock, sink: Sink, boot_id: str = "") -> None:
        self._clock = clock
        self._sink = sink
        self._boot_id = boot_id
        self._sleeps = Sleeps(clock)
        self._offset_ns = self._record()

    def look(self, now_ns: int) -> int:
        """Check both clocks; answers how many ns the machine has slept since the last look."""
        slept = self._sleeps.look()
        if slept:
            self._sink.gap("", now_ns - slept, now_ns, "suspended")
        if slept or abs(self._clock.realtime_ns() - self._clock.now_ns() - self._offset_ns) > STEP_NS:
            self._offset_ns = self._record()
        return slept

    def _record(self) -> int:
        real_ns = self._clock.realtime_ns()
        now_ns = self._clock.now_ns()
        self._sink.clock(now_ns, real_ns, self._sleeps.suspended_ns, self._boot_id)
        return real_ns - now_ns
