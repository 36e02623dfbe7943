"""This kernel's own processes: every second of CPU time of a busy crowd accounted for to its process.

Short children, busy siblings and threads run for a few seconds while we scan ten times a second; the truth
is what wait4 reported of each. Nothing here depends on how fast the machine is.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from powerhal.errors import TransportError
from powerhal.host import HostContext
from powerhal.host.exit_records import ExitRecords
from powerhal.host.processes import Processes
from powerhal.transport.clock import BootClock
from powerhal.transport.files import RealRoot

WORKLOAD = Path(__file__).parent / "workload.py"
TICKS_S = 0.02  # cutime and cstime are each shown in whole ticks of 10 ms
BAR = 0.02
# without exit records, a process's last moments are told apart from its unseen siblings by estimate only
TAIL_S = {"estimated": 0.05, "told": 0.0}


@pytest.fixture(scope="module", params=["estimated", "told"])
def run(request):
    """(truth by name, ours by name) in CPU seconds; tails of ended processes estimated, or told by records."""
    context = HostContext(BootClock())
    exits = None
    if request.param == "told":
        try:
            exits = ExitRecords()
        except TransportError as error:
            pytest.skip(str(error))
    source = Processes(RealRoot(), context, exits)
    source.open()
    if any("no CPU clock" in note for note in context.notes):
        pytest.skip("process clocks are not permitted here")
    process = subprocess.Popen(
        [sys.executable, str(WORKLOAD), "1", "5"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.append(process.stdout.readline()))
    reader.start()
    names: dict[tuple[int, int], tuple[str, int]] = {}
    did: Counter[tuple[int, int]] = Counter()

    def scan() -> None:
        scan = source.scan()
        names.update({(i.pid, i.start_ticks): (i.comm, i.ppid) for i in scan.new})
        for used in scan.usages:
            if used.activity.startswith("cpu."):
                did[used.pid, used.start_ticks] += used.amount

    while reader.is_alive():
        time.sleep(0.1)
        scan()
    scan()
    process.stdin.close()
    process.wait(10)
    process.stdout.close()
    reader.join()
    source.close()
    told = json.loads(lines[0])
    truth = Counter({"wl-driver": told["own_s"]})
    for child in told["children"]:
        truth[child["name"]] += child["cpu_s"]
    ours: Counter[str] = Counter()
    for key, seconds in did.items():
        name, ppid = names[key]
        # a child between fork and naming itself still carries the driver's name
        short = name.startswith("wl-driver (") or (ppid == told["pid"] and not name.startswith("wl-"))
        ours["wl-short" if short or (ppid == told["pid"] and name == "wl-driver") else name] += seconds
    return truth, ours, request.param


def test_the_workload_was_a_real_one(run):
    truth, _, _ = run
    assert set(truth) == {"wl-driver", "wl-short", "wl-busy-a", "wl-busy-b", "wl-threads"}
    assert sum(truth.values()) > 5


def test_everything_is_accounted_for(run):
    truth, ours, _ = run
    total = sum(truth.values())
    assert sum(ours[name] for name in truth) == pytest.approx(total, rel=BAR)


@pytest.mark.parametrize("name", ["wl-driver", "wl-short", "wl-busy-a", "wl-busy-b", "wl-threads"])
def test_each_gets_its_own(run, name):
    truth, ours, tails = run
    allowed_s = BAR * truth[name] + TICKS_S + TAIL_S[tails]
    assert abs(ours[name] - truth[name]) <= allowed_s, (ours[name], truth[name])
