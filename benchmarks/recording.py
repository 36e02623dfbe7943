"""The whole recorder: 8 registers at 100 Hz over a null ioctl, 200 processes at 1 Hz, one file.

Each run is a process of its own, as `powerhal record` is. Its CPU time is taken between the first row and shortly
before the last, its memory at the end, its start from the interpreter's first instruction to the first row. The
registers answer with noise. What is compared takes turns, run by run: every row judged by itself against rows taken at
a glance, a thread for a bus against none. `top` at one look a second is the peer. Row sizes: 16 channels at 1 kHz
through the writer, against CSV.
"""

from __future__ import annotations

import io
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.table import Row, print_table

SECONDS, TURNS = 4.0, 3
PROCESSES = 200
RATE_HZ = 100.0
TARGET_CORE, TARGET_RSS, TARGET_START_S = 0.01, 40e6, 0.4


def run() -> list[Row]:
    """Cost of a running recorder, its parts, its memory, its start, and the size of its rows."""
    from benchmarks.scan import crowd

    with tempfile.TemporaryDirectory() as folder, crowd(PROCESSES, 0):
        found = _in_turns(folder, ("whole", "chips", "judged", "lane", "two", "two in one", "empty"))
        top_s = _top_s()
        host = _in_child(folder, "host")
    cpu = {what: median(each["cpu"] for each in runs) for what, runs in found.items()}
    share = Row(f"CPU s per second: 8 registers at 100 Hz + {PROCESSES} processes at 1 Hz", "s", cpu["whole"])
    chips = Row("  of it without processes", "s", cpu["chips"], "every row judged", cpu["judged"], 1.4)
    rows = [
        # 1 % of a core is the target on an idle machine; shown, not gated: it is no ratio
        replace(_limit(share, "1 % of a core", TARGET_CORE, "top -d 1", top_s), at_most=None),
        replace(chips, limit="100 empty wake-ups", limit_figure=cpu["empty"], at_most=4.0),
        Row("  the same in a thread for the bus", "s", cpu["lane"], "in the main loop", cpu["chips"]),
        Row("  on two buses, a thread each", "s", cpu["two"], "both in the main loop", cpu["two in one"]),
        Row("  linux-host as it is (10 Hz)", "s", host["cpu"]),
        _limit(Row("resident bytes, board schema loaded", "B", host["rss"]), "40 MB", TARGET_RSS),
        _limit(Row("start to first row, board schema loaded", "s", host["start"]), "400 ms", TARGET_START_S),
    ]
    return [*rows, *_sizes()]


def _in_turns(folder: str, kinds: Sequence[str]) -> dict[str, list[dict[str, float]]]:
    """Every kind of run `TURNS` times, one after another, so that a busy machine hits all alike."""
    found: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
    for _ in range(TURNS):
        for kind in kinds:
            found[kind].append(_in_child(folder, kind))
    return found


def _limit(row: Row, name: str, figure: float, peer: str = "", peer_figure: float | None = None) -> Row:
    return Row(
        row.work, row.unit, row.ours, peer, peer_figure, limit=name, limit_figure=figure, at_most=1.0
    )  # fmt: skip


def _in_child(folder: str, what: str) -> dict[str, float]:
    """Run `child` in a fresh interpreter that may keep its byte code."""
    code = "import sys; from benchmarks.recording import child; child(*sys.argv[1:])"
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = f"{folder}/bytecode"
    words = [sys.executable, "-c", code, what, f"{folder}/{what.replace(' ', '-')}-%d.phr"]
    for _ in range(2 if what == "host" else 1):  # its start is measured: with its byte code, the second time
        out = subprocess.run(words, env=env, check=True, capture_output=True, text=True)
    return {key: float(value) for key, value in json.loads(out.stdout).items()}


def child(what: str, path: str) -> None:
    """Record for `SECONDS` and print the cost as JSON (runs in a process of its own)."""
    if what == "empty":
        print(json.dumps({"cpu": _wakeups_s()}))
        return
    from powerhal import session
    from powerhal.recording.run import Order, record
    from powerhal.sampling import Sampler

    assembly = session.open("linux-host").assemble() if what == "host" else _null_board(what)
    Sampler.fewest = {"lane": 1, "two": 2}.get(what, 99)
    if what == "judged":
        from powerhal.chips.schedule import BusSchedule

        BusSchedule._promise = lambda self, t_ns: None  # type: ignore[method-assign]
    spent: list[tuple[float, float]] = []

    def note(*_: object) -> None:
        spent.append((time.process_time(), time.monotonic()))

    def started() -> None:
        note()
        signal.signal(signal.SIGALRM, note)
        signal.setitimer(signal.ITIMER_REAL, SECONDS - 0.2)

    record(assembly, path % os.getpid(), Order(SECONDS, on_start=started))
    heavy = [name for name in ("numpy", "numba", "rich") if name in sys.modules]
    assert not heavy, heavy
    # not ru_maxrss: that one remembers the size of whoever started this process
    lines = Path("/proc/self/status").read_text().splitlines()
    rss = 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    (cpu0, t0), (cpu1, t1) = spent
    print(json.dumps({"start": cpu0, "cpu": (cpu1 - cpu0) / (t1 - t0), "rss": rss}))


class _Board:
    """Four INA231 behind a null ioctl, and the processes of this machine."""

    def __init__(self, sources: list[Any], scans: list[Any], clock: Any, topology: Any) -> None:
        self.sources, self.activity_sources, self.clock, self.topology = sources, scans, clock, topology
        self.notes: list[str] = []


def _null_board(what: str) -> _Board:
    from powerhal.board.load import load
    from powerhal.host import HostContext, activity_sources
    from powerhal.transport.clock import BootClock
    from powerhal.transport.files import RealRoot

    clock = BootClock()
    scans = []
    if what == "whole":
        scans = activity_sources(RealRoot(), HostContext(clock, rates_hz={"processes": 1.0}))
    for scan in scans:
        scan.open()
    buses = 2 if what.startswith("two") else 1
    return _Board(_null_chips(clock, RATE_HZ, buses), list(scans), clock, load("linux-host").topology())


class _NullBus:
    """Batches go to an ioctl that answers with noise; identities and settings are answered by a replay."""

    name = "null"

    def __init__(self, root: Any) -> None:
        from powerhal.chips import load
        from powerhal.transport.i2c import LinuxI2c
        from powerhal.transport.replay import ReplayBus, ReplayChip

        self.fd: int | None = os.open(os.devnull, os.O_RDWR)
        self._linux = LinuxI2c(0, root, self, ioctl=self._null)
        self._view = memoryview(b"")
        self._noise = cycle([b""])
        self.chip = load("ti,ina231")
        registers = {r.address: r.wire(r.por or 0) for r in self.chip.registers}
        self._replay = ReplayBus("replay", {0x40 + i: ReplayChip(dict(registers)) for i in range(4)})

    def plan(self, xfers: Any) -> Any:
        settings = {r.address for r in self.chip.config_registers()}
        if all(xfer.write[0] in settings for xfer in xfers):
            return self._replay.plan(xfers)
        plan = self._linux.plan(xfers)
        self._view, self._noise = plan.data, cycle(_noise(len(plan.data) // 4))
        return plan

    def _null(self, fd: int, request: int, data: Any) -> int:
        self._view[:] = next(self._noise)
        return int(data.nmsgs)

    def transfer(self, address: int, write: bytes, read: int = 0) -> bytes:
        return self._replay.transfer(address, write, read)

    def owner(self, address: int) -> str:
        return ""

    def close(self) -> None:
        pass


def _noise(chips: int) -> list[bytes]:
    """Rows of shunt and bus words of so many INA231, around 0.5 A in 10 mOhm and 3.7 V, two LSB of noise."""
    rng = random.Random(2)
    return [
        b"".join(round(rng.gauss(m, 2)).to_bytes(2, "big", signed=True) for _ in range(chips) for m in (2000, 2960))
        for _ in range(997)
    ]


def _null_chips(clock: Any, rate_hz: float, buses: int = 1) -> list[Any]:
    """Four open INA231 on null buses, two measured registers each."""
    from powerhal.chips.options import ChannelOptions, SensorOptions
    from powerhal.transport.files import RealRoot

    sources = []
    for number in range(buses):
        bus = _NullBus(RealRoot())
        for i in range(4 // buses):
            options = SensorOptions(f"s{number}{i}", rate_hz, (ChannelOptions(1, f"r{number}{i}", 0.01),))
            source = bus.chip.source(bus, 0x40 + i, options, clock)
            source.open()
            sources.append(source)
    return sources


def _top_s() -> float | None:
    """CPU seconds per second of `top` in batch mode; None where it is not installed."""
    if shutil.which("top") is None:
        return None
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["top", "-b", "-d", "1", "-n", str(int(SECONDS))], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return spent / SECONDS


def _wakeups_s() -> float:
    """CPU seconds per second of a loop that only wakes up at 100 Hz, in the way that the recorder does."""
    from powerhal.transport.alarm import Alarm
    from powerhal.transport.clock import BootClock

    period_ns = int(1e9 / RATE_HZ)
    alarm, due = Alarm(period_ns), BootClock.now_ns()
    start = time.process_time()
    for _ in range(int(RATE_HZ * SECONDS)):
        due += period_ns
        alarm.sleep_until(due)
    return (time.process_time() - start) / SECONDS


def _sizes() -> list[Row]:
    """Bytes and CPU per row of 16 noisy channels, recorded and as CSV."""
    from powerhal.channel import Channel, Field, Layout
    from powerhal.recording.writer import RecordingWriter

    names = [f"c{i}" for i in range(16)]
    layout = Layout(
        32,
        tuple(Field(n, 2 * i, 2, signed=True, scale=1e-3) for i, n in enumerate(names)),
        tuple(Channel(n, "current", "A", field=n) for n in names),
    )
    rng = random.Random(1)
    levels = [1000.0] * 16
    rows, text, n = [], io.StringIO(), 20_000
    for i in range(n):
        levels = [0.98 * x + 20 + rng.gauss(0, 3) for x in levels]
        values = [round(x) for x in levels]
        rows.append(b"".join(v.to_bytes(2, "big", signed=True) for v in values))
        text.write(f"{i * 1e-3:.6f}," + ",".join(f"{v * 1e-3:.3f}" for v in values) + "\n")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.phr")
        writer = RecordingWriter(str(path))
        source = writer.add_source("a", layout, 1e-3)
        start = time.process_time()
        for i, row in enumerate(rows):
            writer.reading(source, i * 1_000_000, row)
            if i % 1000 == 999:
                writer.flush()
        writer.close()
        spent = (time.process_time() - start) / n
        size = path.stat().st_size / n
    return [
        Row("row of 16 channels: size", "B", size, "CSV", len(text.getvalue()) / n, 2.0),
        Row("row of 16 channels: CPU", "s", spent),
    ]


if __name__ == "__main__":
    print_table(__doc__.splitlines()[0], run())
