from __future__ import annotations

import signal
import threading
import time

import pytest

from powerhal.transport.alarm import Alarm
from powerhal.transport.clock import BootClock

NOW = BootClock().now_ns
MS = 1_000_000


def test_a_sleep_never_ends_before_its_deadline() -> None:
    alarm = Alarm(3 * MS)
    due = NOW()
    for step in (3 * MS, 3 * MS, 7 * MS, 1, 3 * MS, 500_000, 3 * MS, 3 * MS):  # on the rhythm and off it
        due += step
        alarm.sleep_until(due)
        assert NOW() >= due
    alarm.close()


def test_after_a_tick_that_was_missed_the_next_sleep_is_whole() -> None:
    alarm = Alarm(2 * MS)
    due = NOW() + 2 * MS
    alarm.sleep_until(due)
    time.sleep(0.011)  # several expirations wait to be read now
    due += 20 * MS
    alarm.sleep_until(due)
    assert NOW() >= due
    alarm.close()


def test_a_deadline_in_the_past_returns_and_spoils_nothing() -> None:
    alarm = Alarm(2 * MS)
    alarm.sleep_until(NOW() - 10**10)
    due = NOW() + 5 * MS
    alarm.sleep_until(due)
    assert NOW() >= due
    alarm.close()


@pytest.mark.parametrize("asleep_first", [True, False])
def test_ring_ends_a_long_sleep_from_another_thread(asleep_first: bool) -> None:
    alarm = Alarm(10 * MS)
    thread = threading.Thread(target=alarm.sleep_until, args=(NOW() + 3600 * 10**9,))
    if not asleep_first:
        alarm.ring()
    thread.start()
    if asleep_first:
        time.sleep(0.05)
        alarm.ring()
    thread.join(10.0)
    assert not thread.is_alive()
    due = NOW() + 5 * MS
    alarm.sleep_until(due)  # only that one
    assert NOW() >= due
    alarm.close()


def test_a_ring_is_heard_whenever_it_comes() -> None:
    for _ in range(300):
        alarm = Alarm(10**9)
        thread = threading.Thread(target=alarm.sleep_until, args=(NOW() + 3600 * 10**9,))
        thread.start()
        alarm.ring()
        thread.join(10.0)
        assert not thread.is_alive()
        alarm.close()


def test_a_handler_that_raises_ends_the_sleep_and_one_that_does_not_leaves_it() -> None:
    class Stop(Exception):
        pass

    seen: list[int] = []

    def handler(number: int, frame: object) -> None:
        seen.append(number)
        if len(seen) == 2:
            raise Stop

    old = signal.signal(signal.SIGALRM, handler)
    alarm = Alarm()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        due = NOW() + 40 * MS
        alarm.sleep_until(due)
        assert NOW() >= due
        signal.setitimer(signal.ITIMER_REAL, 0.01)
        with pytest.raises(Stop):
            alarm.sleep_until(NOW() + 5 * 10**9)
    finally:
        signal.signal(signal.SIGALRM, old)
    due = NOW() + 20 * MS
    alarm.sleep_until(due)
    assert NOW() >= due
    alarm.close()
    alarm.close()
