"""Ending a run from outside: signals wake the sleeping loop at once, and never tear a row.

A signal that arrives while rows are read or written only sets a flag; one that arrives in the sleep
ends the sleep. The second request to stop ends the process at once.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    from powerhal.transport.alarm import Alarm

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Sleeper(Protocol):
    """What one can sleep on: a clock, or an alarm."""

    def sleep_until(self, t_ns: int) -> None:
        """Return at `t_ns`; a signal handler may raise."""
        ...


class _Wake(Exception):
    """Control flow inside this module only."""


class Stop:
    """Whether the run should end, and a sleep that a signal cuts short.

    As a context manager it handles SIGINT, SIGTERM, SIGHUP (end) and SIGCHLD (wake up and look); only in
    the main thread. Without it, `request()` from a handler or callback does the same.
    """

    def __init__(self) -> None:
        self.requested = False
        self.signal = 0
        self.on_signal: Callable[[int], None] | None = None
        self.alarm: Alarm | None = None  # what the loop sleeps on, if it can be rung
        self.heeded = False  # signals end sleeps: nobody has to look at short intervals
        self._asleep = False
        self._woken = False
        self._before: dict[int, Any] = {}

    def request(self) -> None:
        """End the run after the work in hand."""
        self.requested = True
        if self.alarm is not None:
            self.alarm.ring()

    def sleep(self, clock: Sleeper, t_ns: int) -> None:
        """Sleep until `t_ns` or a signal."""
        try:
            self._asleep = True
            if not (self.requested or self._woken):
                clock.sleep_until(t_ns)
            self._asleep = False
        except _Wake:
            pass
        finally:
            self._asleep = False
            self._woken = False

    def __enter__(self) -> Self:
        for number in ENDING:
            self._before[number] = signal.signal(number, self._end)
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, self._wake)
        self.heeded = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
        self.heeded = False

    def _end(self, number: int, frame: FrameType | None) -> None:
        if self.requested and self.signal:
            os._exit(128 + number)  # the second time: at once
        self.requested = True
        self.signal = number
        if self.on_signal is not None:
            self.on_signal(number)
        self._wake(number, frame)

    def _wake(self, number: int, frame: FrameType | None) -> None:
        self._woken = True
        if self.alarm is not None:
            self.alarm.ring()
        if self._asleep:
            self._asleep = False
            raise _Wake
