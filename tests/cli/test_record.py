"""`powerhal record` as users run it: real processes, real signals, real CPU time."""

from __future__ import annotations

import json
import os
import resource
import secrets
import signal
import stat
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest

from powerhal.recording import Recording

WORK = """
import os, random, resource, subprocess, sys, time
random.seed(1)
def burn(seconds):
    start = time.process_time()
    while time.process_time() - start < seconds:
        pass
if len(sys.argv) > 1:
    for _ in range(4):
        pid = os.fork()
        if not pid:
            burn(0.02); os._exit(0)
        os.waitpid(pid, 0)
    burn(float(sys.argv[1]))
    sys.exit()
long = [subprocess.Popen([sys.executable, __file__, "0.6"]) for _ in range(2)]
for _ in range(40):
    pid = os.fork()
    if not pid:
        burn(random.uniform(0.005, 0.05)); os._exit(0)
    os.waitpid(pid, 0)
for child in long:
    child.wait()
burn(0.2)
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(sum(r.ru_utime + r.ru_stime for r in used))
sys.exit(7)
"""


def family_s(found: dict, root: int) -> float:
    """CPU seconds of `root` and everything below it, from `info --json`."""
    parents = {p["pid"]: p["ppid"] for p in found["processes"]}
    total = 0.0
    for row in found["processes"]:
        pid = row["parent"] or row["pid"]
        for _ in range(100):
            if pid == root:
                total += row["cpu_s"]
                break
            pid = parents.get(pid, 0)
    return total


def test_every_second_of_a_tree_of_short_processes_is_accounted_for(cli):
    (cli.folder / "work.py").write_text(WORK)
    done = cli("record", "-o", "run.phr", "--", sys.executable, "work.py")
    assert done.returncode == 7, done.stderr
    truth_s = float(done.stdout)
    found = json.loads(cli("info", "run.phr", "--json").stdout)
    assert found["command"]["name"] == Path(sys.executable).name
    # the last instants of the command (after it printed) belong to it too: 30 ms of leeway
    assert family_s(found, found["command"]["pid"]) == pytest.approx(truth_s, rel=0.02, abs=0.03)
    assert found["channels"]
    assert all(found["versions"].values())
    assert any(p["pid"] == found["self_pid"] and p["cpu_s"] > 0 for p in found["processes"])
    assert [m["text"].split()[-1] for m in found["marks"]] == ["started", "ended"]


def test_the_exit_status_is_the_commands_own(cli):
    assert cli("-q", "record", "-o", "a.phr", "--", "sh", "-c", "exit 42").returncode == 42
    assert cli("-q", "record", "-o", "b.phr", "--", "sh", "-c", "kill -9 $$").returncode == 137
    assert cli("-q", "record", "-o", "c.phr", "--", "true").returncode == 0


def test_a_command_that_does_not_exist_leaves_no_file(cli):
    done = cli("record", "-o", "a.phr", "--", "surely-not-a-command")
    assert done.returncode == 2
    assert "surely-not-a-command" in done.stderr
    assert not (cli.folder / "a.phr").exists()


def test_an_existing_file_is_not_overwritten(cli):
    (cli.folder / "a.phr").write_text("mine")
    done = cli("record", "-o", "a.phr", "--for", "0.1s")
    assert done.returncode == 3
    assert "exists already" in done.stderr
    assert "do: " in done.stderr
    assert (cli.folder / "a.phr").read_text() == "mine"


def test_without_a_name_the_file_gets_one(cli):
    assert cli("record", "--for", "0.2s").returncode == 0
    (path,) = cli.folder.glob("powerhal-*.phr")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_recording_cleanly(cli, number):
    reading, writing = os.pipe()
    child = cli.start("record", "-o", "run.phr", "--ready-fd", str(writing), pass_fds=[writing], stderr=subprocess.PIPE)
    os.close(writing)
    assert os.read(reading, 1) == b"1"
    os.close(reading)
    time.sleep(0.3)
    child.send_signal(number)
    said = child.communicate(timeout=30)[1]
    assert child.returncode == 0, said
    assert "run.phr" in said
    assert [p.name for p in cli.folder.iterdir()] == ["run.phr"], "one file, no log beside it"
    with Recording.open(cli.folder / "run.phr") as run:
        assert run.complete
        assert run.scans >= 2


def test_kill_9_leaves_a_readable_run(cli):
    reading, writing = os.pipe()
    child = cli.start("record", "-o", "run.phr", "--ready-fd", str(writing), pass_fds=[writing])
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    time.sleep(2.2)
    child.kill()
    child.wait()
    found = json.loads(cli("info", "run.phr", "--json").stdout)
    assert not found["complete"]
    assert found["scans"] >= 5
    assert found["problems"] == []
    fast = [source for source in found["sources"] if source["rate_hz"] == pytest.approx(10)]
    assert fast
    assert all(source["rows"] >= 5 for source in fast), "rows are counted in the file, not by the dead recorder"
    text = cli("info", "run.phr").stdout
    assert " 0 rows" not in text
    assert "no gaps" not in text, "the recorder died before it said so"


def test_a_signal_is_passed_on_to_the_command(cli):
    reading, writing = os.pipe()
    words = ["record", "-o", "run.phr", "--ready-fd", str(writing), "--", "sleep", "60"]
    child = cli.start(*words, pass_fds=[writing], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(writing)
    os.read(reading, 1)
    os.close(reading)
    time.sleep(0.2)
    child.terminate()
    assert child.wait(30) == 128 + signal.SIGTERM


def test_command_lines_are_never_collected(cli):
    """A canary in argv, the environment and the path of a program is in no byte of the file."""
    canary = secrets.token_hex(16)
    folder = cli.folder / canary
    folder.mkdir()
    program = folder / "innocent"
    program.write_text("#!/bin/sh\nsleep 0.4\n")
    program.chmod(0o755)
    cli.env["CANARY"] = canary
    done = cli("-v", "record", "-o", "run.phr", "--", str(program), f"--password={canary}")
    assert done.returncode == 0, done.stderr
    assert canary.encode() not in (cli.folder / "run.phr").read_bytes()
    everything = json.dumps(json.loads(cli("info", "run.phr", "--json").stdout))
    assert canary not in everything
    assert "innocent" in everything, "the program's own name is what is kept"
    for fact in (os.uname().nodename, os.environ.get("USER", "")):
        if len(fact) > 4:
            assert fact not in everything.replace(os.uname().release, "")


LEAN = """
import json, sys
from powerhal.cli import main
status = main(sys.argv[1:])
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
heavy = [m for m in ("numpy", "numba", "scipy", "rich") if m in sys.modules]
print(json.dumps([status, heavy, peak]))
"""


@pytest.mark.parametrize("board", ["linux-host", "sim-phone"])
def test_the_recording_process_is_lean(cli, board):
    """No numpy, no numba; at most 40 MB resident with the board's schema loaded."""
    words = [sys.executable, "-c", LEAN, "record", "-o", "run.phr", "--board", board, "--for", "2s"]
    # without byte code the compiler's memory would be measured: the second start is the one that counts
    env = {k: v for k, v in cli.env.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = str(cli.folder / "bytecode")
    for _ in range(2):
        (cli.folder / "run.phr").unlink(missing_ok=True)
        done = subprocess.run(words, cwd=cli.folder, env=env, capture_output=True, text=True, check=True)
    status, heavy, kilobytes = json.loads(done.stdout)
    assert status == 0
    assert heavy == []
    assert kilobytes * 1024 <= 40e6


def test_a_simulated_board_runs_on_its_own_clock(cli):
    begin = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = cli("record", "--board", "sim-phone", "--seed", "5", "--for", "30s", "-o", "run.phr")
    assert done.returncode == 0, done.stderr
    assert "30.0 s" in done.stderr
    assert "J (" in done.stderr, "the root rail is measured, so joules are known"
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime > begin.ru_utime
    with Recording.open(cli.folder / "run.phr") as run:
        assert run.duration_s == pytest.approx(30.0)
        amounts: dict[str, float] = defaultdict(float)
        for process, activity, amount in run.usage_rows():
            if run.activities[activity].startswith("cpu."):
                amounts[run.processes[process].comm] += amount
        assert sum(amounts.values()) > 1.0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--board", "sim-phone"], "--for"),
        (["--board", "sim-phone", "--for", "1s", "--", "true"], "simulated"),
        (["--seed", "1", "--for", "1s"], "not simulated"),
        (["--board", "sim-fone", "--for", "1s"], "sim-phone"),
        (["--for", "0s"], "not more than 0"),
        (["--for", "3 parsecs"], "parsecs"),
        (["--rate", "0"], "not more than 0"),
    ],
)
def test_wrong_use_is_exit_2_with_advice(cli, words, message):
    done = cli("record", *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert not list(cli.folder.glob("*.phr"))


def test_the_summary_as_json(cli):
    done = cli("record", "--json", "-o", "run.phr", "--", "sh", "-c", "exit 3")
    assert done.returncode == 3
    found = json.loads(done.stdout)
    assert found["path"] == "run.phr"
    assert found["command_status"] == 3
    assert found["duration_s"] >= 0
    assert found["health"]["processes"]["samples"] >= 2
    done = cli("record", "--json", "--board", "sim-phone", "--for", "5s", "-o", "sim.phr")
    found = json.loads(done.stdout)
    assert found["command_status"] is None
    assert found["energy"]["rail"] == "battery"
    assert found["energy"]["energy_j"] > 0
    assert "battery" in found["rails"]
