"""Where processes ran: the sampled rung (last CPU at each scan) held against the kernel's count of every slice.

Each CPU of this machine plays a cluster of its own. Eight processes that work in bursts, more than there are CPUs,
are moved about by the scheduler while both rungs watch; the figure is the CPU time that the sampled rung books
on another CPU than it ran on. Needs CAP_BPF and two CPUs; without them there is no figure.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.table import Row, cpu_s
from powerhal.channel import Cluster
from powerhal.errors import TransportError
from powerhal.host import HostContext
from powerhal.host.processes import Processes
from powerhal.host.run_times import RunTimes
from powerhal.transport.clock import BootClock
from powerhal.transport.files import RealRoot

WATCH_S = 12.0
BURSTS_MS = (2, 5, 11, 23, 47, 95, 190, 400)  # a program computes so long, then rests about as long

BURST = """
import sys, time
burst_s = int(sys.argv[1]) / 1e3
while True:
    end = time.process_time() + burst_s
    while time.process_time() < end:
        pass
    time.sleep(burst_s * 1.3)
"""

PING_PONG = """
import os, sys, time
os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
a, b = os.pipe(), os.pipe()
n = int(sys.argv[1])
if os.fork() == 0:
    for _ in range(n):
        os.read(a[0], 1); os.write(b[1], b"x")
    os._exit(0)
start = time.monotonic_ns()
for _ in range(n):
    os.write(a[1], b"x"); os.read(b[0], 1)
os.wait()
t = os.times()
print((t.user + t.system + t.children_user + t.children_system) / (2 * n))
"""


def run() -> list[Row]:
    """The rows; none where the kernel does not count for us."""
    cpus = os.cpu_count() or 1
    try:
        exact = RunTimes(RealRoot(), range(cpus))
    except TransportError as error:
        print(f"rungs: {error}", file=sys.stderr)
        return []
    exact.close()
    if cpus < 2:
        print("rungs: one CPU, nothing to tell apart", file=sys.stderr)
        return []
    rows = []
    for rate_hz in (10.0, 1.0):
        apart, clocks = _disagreement(cpus, rate_hz)
        rows.append(Row(f"CPU time sampled onto another CPU, {rate_hz:g} scans/s", "%", 100 * apart))
        rows.append(Row(f"exact rung against process clocks, {rate_hz:g} scans/s", "%", 100 * clocks))
    rows.append(_look_cost(cpus))
    rows.append(_switch_cost(cpus))
    return rows


@contextmanager
def _bursts() -> Iterator[list[int]]:
    crowd = [subprocess.Popen([sys.executable, "-I", "-S", "-c", BURST, str(ms)]) for ms in BURSTS_MS]
    time.sleep(0.5)
    try:
        yield [process.pid for process in crowd]
    finally:
        for process in crowd:
            process.kill()
            process.wait()


def _disagreement(cpus: int, rate_hz: float) -> tuple[float, float]:
    """Part of the CPU time on which the rungs differ within a scan, and by which the count differs from the clocks."""
    clusters = tuple(Cluster(f"cpu{n}", (n,)) for n in range(cpus))
    apart = total = 0.0
    clocks: Counter[int] = Counter()
    with _bursts() as pids:
        sampled = Processes(RealRoot(), HostContext(BootClock(), clusters=clusters))
        sampled.open()
        exact = RunTimes(RealRoot(), range(cpus))
        exact.since()
        for _ in range(int(WATCH_S * rate_hz)):
            time.sleep(1.0 / rate_hz)
            ours: Counter[tuple[int, str]] = Counter()
            for used in sampled.scan().usages:
                if used.activity.endswith(".time"):
                    ours[used.pid, used.activity] += used.amount
            ran = exact.since()
            for pid in pids:
                mine = [ours[pid, f"cpu.cpu{n}.time"] for n in range(cpus)]
                theirs = [0.0] * cpus
                if pid in ran:
                    for (cpu, _), ns in ran[pid].slices_ns.items():
                        theirs[cpu] += ns * 1e-9
                total += sum(mine)
                clocks[pid] += sum(mine) - sum(theirs)
                # as the recorder uses the count: its shares of the process's own clock
                scale = sum(mine) / sum(theirs) if sum(theirs) else 0.0
                apart += sum(abs(m - scale * t) for m, t in zip(mine, theirs, strict=True)) / 2 if scale else 0.0
        sampled.close()
        exact.close()
    return apart / total, sum(map(abs, clocks.values())) / total


def _look_cost(cpus: int) -> Row:
    """CPU time of one look, eight processes busy, against reading where each thread of theirs ran."""
    with _bursts() as pids:
        exact = RunTimes(RealRoot(), range(cpus))
        root = RealRoot()

        def threads() -> None:
            for pid in pids:
                for tid in root.listdir(f"/proc/{pid}/task"):
                    root.read(f"/proc/{pid}/task/{tid}/stat")

        figures = cpu_s({"ours": exact.since, "threads": threads}, rounds=15, repeat=10)
        exact.close()
    return Row("one look at the count", "s", figures["ours"], "stat of 8 single-threaded processes", figures["threads"])


def _switch_cost(cpus: int, switches: int = 60_000) -> Row:
    """CPU time of one switch between two processes, counted and not."""

    def each_s() -> float:
        words = [sys.executable, "-I", "-S", "-c", PING_PONG, str(switches)]
        return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)

    plain, counted = [], []
    for _ in range(3):
        plain.append(each_s())
        exact = RunTimes(RealRoot(), range(cpus))
        counted.append(each_s())
        exact.close()
    return Row("one switch, counted", "s", min(counted), limit="not counted", limit_figure=min(plain))
