from __future__ import annotations

import ctypes
import signal
import time

import pytest

from powerhal.transport.clock import BootClock, VirtualClock


def test_boot_clock_is_clock_boottime() -> None:
    clock = BootClock()
    low = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    now = clock.now_ns()
    assert low <= now <= time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    assert abs(clock.realtime_ns() - time.time_ns()) < 1_000_000_000


def test_sleep_ends_at_the_deadline_and_never_before() -> None:
    clock = BootClock()
    for step_ns in (1, 50_000, 3_000_000):
        due = clock.now_ns() + step_ns
        clock.sleep_until(due)
        assert clock.now_ns() >= due


def test_a_deadline_in_the_past_returns() -> None:
    clock = BootClock()
    clock.sleep_until(clock.now_ns() - 10_000_000_000)


def test_timer_slack_is_given_back() -> None:
    """A child started between two sleeps must not inherit our slack: it is the thing being measured."""
    libc = ctypes.CDLL(None)
    before = libc.prctl(30, 0, 0, 0, 0)  # PR_GET_TIMERSLACK
    clock = BootClock()
    clock.sleep_until(clock.now_ns() + 100_000)
    assert libc.prctl(30, 0, 0, 0, 0) == before


def test_a_signal_handler_runs_and_the_sleep_goes_on() -> None:
    seen: list[int] = []
    old = signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
    try:
        clock = BootClock()
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        due = clock.now_ns() + 40_000_000
        clock.sleep_until(due)
        assert clock.now_ns() >= due
        assert seen == [signal.SIGALRM]
    finally:
        signal.signal(signal.SIGALRM, old)


def test_a_handler_that_raises_ends_the_sleep() -> None:
    class Stop(Exception):
        pass

    def handler(number: int, frame: object) -> None:
        raise Stop

    old = signal.signal(signal.SIGALRM, handler)
    try:
        clock = BootClock()
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        with pytest.raises(Stop):
            clock.sleep_until(clock.now_ns() + 5_000_000_000)
    finally:
        signal.signal(signal.SIGALRM, old)


def test_virtual_time_moves_only_by_sleeping() -> None:
    seen: list[int] = []
    clock = VirtualClock(seen.append, start_ns=5, realtime_at_start_ns=1_000_000)
    assert clock.now_ns() == 5
    clock.sleep_until(105)
    clock.sleep_until(50)
    assert (clock.now_ns(), seen, clock.realtime_ns()) == (105, [105], 1_000_100)
