"""The whole recorder: 8 registers at 100 Hz over a null ioctl, 200 processes at 1 Hz, one file.

Each run is a process of its own, as `powerhal record` is. Its CPU time is taken between the first and the
last row, its memory at the end, its start from the interpreter's first instruction to the first row.
`top` at one look a second is the peer. Row sizes: 16 channels at 1 kHz through the writer, against CSV.
"""

from __future__ import annotations

import io
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.table import Row, print_table

SECONDS = 10.0
PROCESSES = 200
RATE_HZ = 100.0
TARGET_CORE, TARGET_RSS, TARGET_START_S = 0.01, 40e6, 0.4


def run() -> list[Row]:
    """Cost of a running recorder, its memory, its start, and the size of its rows."""
    from benchmarks.scan import crowd

    with tempfile.TemporaryDirectory() as folder, crowd(PROCESSES, 0):
        whole = _in_child(folder, "null")
        only_chips = _in_child(folder, "chips")
        top_s = _top_s()
        host = _in_child(folder, "host")
    share = Row(f"CPU s per second: 8 registers at 100 Hz + {PROCESSES} processes at 1 Hz", "s", whole["cpu"])
    bare = Row(
        "  of it without processes", "s", only_chips["cpu"], limit="100 empty wake-ups", limit_figure=_wakeups_s()
    )
    rows = [
        # 1 % of a core is the target on an idle machine; shown, not gated: it is no ratio
        replace(_limit(share, "1 % of a core", TARGET_CORE, "top -d 1", top_s), at_most=None),
        bare,
        Row("  linux-host as it is (10 Hz)", "s", host["cpu"]),
        _limit(Row("resident bytes, board schema loaded", "B", host["rss"]), "40 MB", TARGET_RSS),
        _limit(Row("start to first row, board schema loaded", "s", host["start"]), "400 ms", TARGET_START_S),
    ]
    return [*rows, *_sizes()]


def _limit(row: Row, name: str, figure: float, peer: str = "", peer_figure: float | None = None) -> Row:
    return Row(
        row.work, row.unit, row.ours, peer, peer_figure, limit=name, limit_figure=figure, at_most=1.0
    )  # fmt: skip


def _in_child(folder: str, what: str) -> dict[str, float]:
    """Run `child` in a fresh interpreter that may keep its byte code."""
    code = "import sys; from benchmarks.recording import child; child(*sys.argv[1:])"
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = f"{folder}/bytecode"
    words = [sys.executable, "-c", code, what, f"{folder}/{what}-%d.phr"]
    best: dict[str, float] = {}
    for _ in range(2):  # the second start has its byte code
        out = subprocess.run(words, env=env, check=True, capture_output=True, text=True)
        best = json.loads(out.stdout)
    return best


def child(what: str, path: str) -> None:
    """Record for `SECONDS` and print the cost as JSON (runs in a process of its own)."""
    from powerhal import session
    from powerhal.recording.run import Order, record

    assembly = session.open("linux-host").assemble() if what == "host" else _null_board(processes=what == "null")
    spent: list[float] = []
    begin = [0.0]

    def started() -> None:
        spent.append(time.process_time())
        begin[0] = time.monotonic()

    def woken(seconds: float) -> None:
        spent[1:] = [time.process_time(), time.monotonic() - begin[0]]

    record(assembly, path % os.getpid(), Order(SECONDS, on_start=started, on_progress=woken))
    heavy = [name for name in ("numpy", "numba", "rich") if name in sys.modules]
    assert not heavy, heavy
    # not ru_maxrss: that one remembers the size of whoever started this process
    lines = Path("/proc/self/status").read_text().splitlines()
    rss = 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    print(json.dumps({"start": spent[0], "cpu": (spent[1] - spent[0]) / spent[2], "rss": rss}))


class _Board:
    """Four INA231 behind a null ioctl, and the processes of this machine."""

    def __init__(self, sources: list[Any], scans: list[Any], clock: Any, topology: Any) -> None:
        self.sources, self.activity_sources, self.clock, self.topology = sources, scans, clock, topology
        self.notes: list[str] = []


def _null_board(*, processes: bool) -> _Board:
    from powerhal.board.load import load
    from powerhal.host import HostContext, activity_sources
    from powerhal.transport.clock import BootClock
    from powerhal.transport.files import RealRoot

    clock = BootClock()
    scans = activity_sources(RealRoot(), HostContext(clock, rates_hz={"processes": 1.0})) if processes else []
    for scan in scans:
        scan.open()
    return _Board(_null_chips(clock, RATE_HZ), list(scans), clock, load("linux-host").topology())


class _NullBus:
    """Batches go to an ioctl that does nothing; identities and settings are answered by a replay."""

    name = "null"

    def __init__(self, root: Any) -> None:
        from powerhal.chips import load
        from powerhal.transport.i2c import LinuxI2c
        from powerhal.transport.replay import ReplayBus, ReplayChip

        self.fd: int | None = os.open(os.devnull, os.O_RDWR)
        self._linux = LinuxI2c(0, root, self, ioctl=lambda fd, request, data: data.nmsgs)
        self.chip = load("ti,ina231")
        registers = {r.address: r.wire(r.por or 0) for r in self.chip.registers}
        self._replay = ReplayBus("replay", {0x40 + i: ReplayChip(dict(registers)) for i in range(4)})

    def plan(self, xfers: Any) -> Any:
        settings = {r.address for r in self.chip.config_registers()}
        known = all(xfer.write[0] in settings for xfer in xfers)
        return (self._replay if known else self._linux).plan(xfers)

    def transfer(self, address: int, write: bytes, read: int = 0) -> bytes:
        return self._replay.transfer(address, write, read)

    def owner(self, address: int) -> str:
        return ""

    def close(self) -> None:
        pass


def _null_chips(clock: Any, rate_hz: float) -> list[Any]:
    """Four open INA231 on one null bus, two measured registers each."""
    from powerhal.chips.options import ChannelOptions, SensorOptions
    from powerhal.transport.files import RealRoot

    bus = _NullBus(RealRoot())
    sources = []
    for i in range(4):
        options = SensorOptions(f"s{i}", rate_hz, (ChannelOptions(1, f"r{i}", 0.01),))
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
    """CPU seconds per second of a loop that only wakes up at 100 Hz."""
    from powerhal.transport.clock import BootClock

    clock = BootClock()
    start, due = time.process_time(), clock.now_ns()
    for _ in range(int(RATE_HZ * 5)):
        due += int(1e9 / RATE_HZ)
        clock.sleep_until(due)
    return (time.process_time() - start) / 5


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
