from __future__ import annotations

import json
import signal
import sys
from pathlib import Path

import pytest

from powerhal.channel import Rail, Topology
from powerhal.errors import UsageError
from powerhal.recording import Recording
from powerhal.recording.command import Command
from powerhal.recording.overview import overview
from powerhal.recording.run import Order, record
from powerhal.sampling import Stop
from powerhal.transport.clock import BootClock, VirtualClock
from tests.sampling.fakes import SECOND, FakeAssembly, FakeScan, FakeSource

TOPOLOGY = Topology("b", "B", (Rail("a"),), (), ())


class Assembled(FakeAssembly):
    topology = TOPOLOGY


def test_a_virtual_run_is_complete_and_exact(tmp_path):
    clock = VirtualClock(start_ns=SECOND)
    assembly = Assembled(clock, [FakeSource(clock)], [FakeScan(clock)], ["nothing here measures gold"])
    progress = []
    order = Order(30.0, on_progress=progress.append)
    outcome = record(assembly, str(tmp_path / "a.phr"), order, board_text="b", meta={"clock": "virtual"})
    assert outcome.duration_s == pytest.approx(30.0)
    assert outcome.wakeups == 300
    assert progress[-1] == pytest.approx(30.0)
    with Recording.open(tmp_path / "a.phr") as run:
        assert run.complete
        assert run.duration_s == pytest.approx(30.0)
        assert len(run.series("a.voltage")) == 301
        assert run.scans == 31
        assert run.meta["notes"] == ["nothing here measures gold"]
        assert run.meta["board_text"] == "b"
        assert run.health["a"]["samples"] == 301
        found = overview(run)
        assert json.loads(json.dumps(found)) == found
        assert found["processes"][0]["cpu_s"] == pytest.approx(15.5)
        assert found["cpu_s"] == pytest.approx(15.5)


def test_a_failure_in_the_middle_keeps_what_was_measured(tmp_path):
    clock = VirtualClock()

    def fail(seconds):
        if seconds >= 2.0:
            raise RuntimeError("a bug above the sampler")

    order = Order(30.0, on_progress=fail)
    with pytest.raises(RuntimeError):
        record(Assembled(clock, [FakeSource(clock)]), str(tmp_path / "a.phr"), order, meta={"clock": "virtual"})
    with Recording.open(tmp_path / "a.phr") as run:
        assert len(run.series("a.voltage")) == 21


def test_the_command_is_seen_before_it_is_reaped(tmp_path):
    """The last look finds the finished command still readable: nothing of it is lost."""
    clock = BootClock()
    seen = []

    class Look(FakeScan):
        def scan(self):
            if command_pid:
                stat = Path(f"/proc/{command_pid[0]}/stat").read_text()
                seen.append(stat.rsplit(")", 1)[1].split()[0])
            return super().scan()

    command_pid = []
    plain = Command.start

    def start(self):
        plain(self)
        command_pid.append(self.pid)

    Command.start = start
    try:
        with Stop() as stop:
            outcome = record(
                Assembled(clock, [], [Look(clock)]),
                str(tmp_path / "a.phr"),
                Order(command=[sys.executable, "-c", "import sys; sys.exit(3)"]),
                stop=stop,
            )
    finally:
        Command.start = plain
    assert outcome.status == 3
    assert seen[-1] == "Z"


def test_words_of_a_command_that_is_not_there():
    with pytest.raises(UsageError):
        Command(["no-such-program-anywhere"])
    with pytest.raises(UsageError):
        Command(["/etc/passwd"])


def test_status_as_a_shell_says_it():
    for code, status in (("exit 5", 5), ("kill -TERM $$", 128 + signal.SIGTERM)):
        command = Command(["sh", "-c", code])
        command.start()
        assert command.wait() == status
        assert command.wait() == status
        assert command.ended()


def test_a_signal_reaches_the_command():
    command = Command(["sleep", "60"])
    command.start()
    assert not command.ended()
    command.signal(signal.SIGTERM)
    assert command.wait() == 128 + signal.SIGTERM
    command.signal(signal.SIGTERM)  # too late: nothing happens
