from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from powerhal.sampling import Stop
from powerhal.transport.clock import BootClock


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_a_long_sleep(number):
    clock, before = BootClock(), signal.getsignal(number)
    with Stop() as stop:
        timer = threading.Timer(0.1, os.kill, (os.getpid(), number))
        timer.start()
        stop.sleep(clock, clock.now_ns() + 60 * 10**9)
        timer.join()
        assert stop.requested
        assert stop.signal == number
    assert signal.getsignal(number) is before


def test_a_child_that_ends_wakes_but_does_not_stop():
    clock = BootClock()
    with Stop() as stop:
        timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGCHLD))
        timer.start()
        stop.sleep(clock, clock.now_ns() + 60 * 10**9)
        timer.join()
        assert not stop.requested


def test_a_signal_outside_the_sleep_tears_nothing():
    with Stop() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0)  # handlers run between instructions; nothing is raised
        assert stop.requested
        stop.sleep(BootClock(), 1 << 62)  # returns at once


def test_the_first_signal_is_passed_on():
    heard = []
    with Stop() as stop:
        stop.on_signal = heard.append
        os.kill(os.getpid(), signal.SIGTERM)
    assert heard == [signal.SIGTERM]
