"""A recording that was never recorded: the reader's attributes over arrays, with known joules behind them.

The physics here is deliberately plain (what the model says, plus what a test adds), so that a test can
say what must come out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from powerhal.channel import Channel, Cluster, Device, Field, Layout, ProcessInfo, Quality, Rail, Topology
from powerhal.recording.reader import Series, SourceInfo, UsageTable

START_NS = 5_000_000_000
OPPS = ((500e6, 0.6), (1000e6, 0.7), (2000e6, 1.0))
FARADS, LEAK, BASE, PANEL, BRIGHT = 4e-10, 0.08, 0.25, 0.2, 0.6
RADIO_ACTIVE, RADIO_TAIL, TAIL_S, PER_BYTE = 0.5, 0.3, 1.0, 2e-7
EFFICIENCY = 0.9


@dataclass
class Fake:
    """The attributes of powerhal.recording.Recording that attribution reads."""

    topology: Topology
    series_of: dict[str, Series] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    sources: list[SourceInfo] = field(default_factory=list)
    processes: list[ProcessInfo] = field(default_factory=list)
    activities: list[str] = field(default_factory=list)
    usage: list[tuple[int, int, int, float]] = field(default_factory=list)
    scans: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    meta: dict = field(default_factory=dict)
    self_pid: int = 0
    start_ns: int = 0
    end_ns: int = 0
    truth: dict = field(default_factory=dict)

    @property
    def duration_s(self) -> float:
        return (self.end_ns - self.start_ns) / 1e9

    def add(self, channel: Channel, t_ns, value, quality=None, period_s: float = 0.1) -> None:
        t = np.asarray(t_ns, dtype=np.int64)
        flags = np.zeros(t.size, np.uint16) if quality is None else np.asarray(quality, dtype=np.uint16)
        name = channel.name
        self.channels[name] = channel
        self.series_of[name] = Series(t, np.asarray(value, dtype=np.float64), flags, period_s, 0.0)
        layout = Layout(8, (Field(name, 0, 8),), (channel,))
        self.sources.append(SourceInfo(f"source of {name}", layout, period_s))

    def drop(self, name: str) -> None:
        del self.channels[name], self.series_of[name]
        self.sources = [s for s in self.sources if all(c.name != name for c in s.layout.channels)]

    def series(self, name: str) -> Series:
        return self.series_of[name]

    def usages(self) -> UsageTable:
        rows = sorted(self.usage)
        t, p, a, x = (np.array(c) for c in zip(*rows, strict=True)) if rows else ([], [], [], [])
        return UsageTable(
            np.asarray(t, np.int64), np.asarray(p, np.int32), np.asarray(a, np.int32), np.asarray(x, float)
        )

    def scan_times_ns(self) -> np.ndarray:
        return self.scans


def topology(**changes) -> Topology:
    rails = (Rail("vin"), Rail("vdd_cpu", "vin", efficiency=EFFICIENCY), Rail("vdd_io", "vin"))
    devices = (
        Device("cpu", "cpu", "vdd_cpu", "big", {"temperature": "thermal.cpu.temperature"}),
        Device("display", "display", "vin", "", {"on": "display.on", "brightness": "display.brightness"}),
        Device("wifi", "radio", "vdd_io", "", {"bytes": "net.wlan0"}, {"tail_s": TAIL_S}),
        Device("base", "base", "vin"),
    )
    clusters = (Cluster("big", (0, 1, 2, 3), OPPS, 1.0, FARADS),)
    given = {"rails": rails, "devices": devices, "clusters": clusters} | changes
    return Topology("bench", "A bench", given["rails"], given["clusters"], given["devices"])


def build(
    seed: int = 0,
    seconds: float = 60.0,
    measured: tuple[str, ...] = ("vin", "vdd_cpu", "vdd_io"),
    noise: float = 0.002,
    board: Topology | None = None,
    extra_w=None,
    period_s: float = 0.05,
    apart: bool = False,
    counted: bool = False,
) -> Fake:
    """A run of `seconds`: two processes on one cluster at three frequencies, a panel, a radio.

    extra_w: function of seconds that gives watts nobody explains, at the root. apart: within each scan the first
    process runs at the lowest frequency and the second at the highest. counted: usages tell who ran at which
    frequency. truth: joules at the root.
    """
    rng = np.random.default_rng(seed)
    fake = Fake(board or topology())
    n = round(seconds / period_s)
    t = START_NS + (np.arange(n + 1) * period_s * 1e9).astype(np.int64)
    mid = (np.arange(n) + 0.5) * period_s
    fake.start_ns, fake.end_ns = int(t[0]), int(t[-1])
    hold = rng.integers(0, 3, size=n // 20 + 1)
    level = np.repeat(hold, 20)[:n]
    phase = np.repeat(rng.random(n // 40 + 1), 40)[:n]
    busy = {0: np.where(phase < 0.4, 0.9, 0.05), 1: np.where((phase > 0.3) & (phase < 0.7), 1.6, 0.0)}
    if apart:
        first = np.arange(n) % 2 == 0
        level = np.where(first, 0, 2)
        busy = {0: np.where(first & (phase < 0.6), 0.9, 0.0), 1: np.where(~first & (phase > 0.3), 0.9, 0.0)}
    hz, volts = np.array(OPPS).T
    celsius = 40 + 10 * np.sin(mid / 9)
    on = (np.repeat(rng.random(n // 100 + 1), 100)[:n] < 0.7).astype(float)
    bright = np.repeat(rng.uniform(0.2, 1.0, n // 60 + 1), 60)[:n] * on
    moving = np.repeat(rng.random(n // 30 + 1) < 0.25, 30)[:n]
    sender = np.repeat(rng.integers(0, 2, n // 30 + 1), 30)[:n]
    rate = np.where(moving, 400e3, 0.0)
    since = np.zeros(n)
    for k in range(1, n):
        since[k] = 0.0 if moving[k] else since[k - 1] + period_s
    tail = ~moving & (since <= TAIL_S + 1e-9) & (np.cumsum(moving) > 0)
    owner = np.zeros(n, int)
    for k in range(1, n):
        owner[k] = sender[k] if moving[k] else owner[k - 1]
    unit = FARADS * volts[level] ** 2 * hz[level]
    cpu_dynamic = {p: unit * u for p, u in busy.items()}
    cpu_static = LEAK * volts[level] * np.exp((celsius - 50) / 40)
    wifi = RADIO_ACTIVE * moving + RADIO_TAIL * tail + PER_BYTE * rate
    display = PANEL * on + BRIGHT * bright
    extra = np.zeros(n) if extra_w is None else np.array([extra_w(x) for x in mid])
    cpu_rail = sum(cpu_dynamic.values()) + cpu_static
    rails = {"vdd_cpu": cpu_rail, "vdd_io": wifi + 0.02}
    rails["vin"] = cpu_rail / EFFICIENCY + rails["vdd_io"] + display + BASE + extra
    for name in measured:
        watts = rails[name] * (1 + noise * rng.standard_normal(n))
        # the sample at the end of a step tells the mean over the step
        fake.add(power(name, window_s=0.0), *_sampled(t, watts), period_s=period_s)
    _activities(fake, t, period_s, level, hz, busy, celsius, on, bright, rate)
    _processes(fake, t, period_s, busy, rate, sender)
    if counted:
        _run_times(fake, period_s, busy, level)
    joules = {p: float(np.sum(w)) * period_s / EFFICIENCY for p, w in cpu_dynamic.items()}
    radio = {p: float(np.sum(wifi[owner == p])) * period_s for p in (0, 1)}
    fake.truth = {
        "total": float(np.sum(rails["vin"])) * period_s,
        "cpu": sum(joules.values()), "display": float(np.sum(display)) * period_s,
        "wifi": float(np.sum(wifi)) * period_s,
        "idle": float(np.sum(cpu_static / EFFICIENCY + BASE + 0.02)) * period_s,
        "unattributed": float(np.sum(extra)) * period_s,
        "alpha": joules[0] + radio[0], "beta": joules[1] + radio[1], "alpha cpu": joules[0], "beta cpu": joules[1],
    }  # fmt: skip
    return fake


def power(rail: str, **more) -> Channel:
    given = {"accuracy": 0.005, "lsb": 1e-4} | more
    return Channel(f"{rail}.power", "power", "W", rail=rail, **given)


def _sampled(t, watts):
    """Instantaneous readings whose trapezoid is exact: just after the start and just before the end of a step."""
    times = np.column_stack((t[:-1] + 1, t[1:] - 1)).reshape(-1)
    return times, np.repeat(watts, 2)


def _activities(fake, t, period_s, level, hz, busy, celsius, on, bright, rate) -> None:
    def counter(name, unit, quantity, per_second):
        total = np.concatenate(([0.0], np.cumsum(per_second * period_s)))
        fake.add(Channel(name, quantity, unit, counter=True, activity=name), t, total, period_s=period_s)

    for k, f in enumerate(hz):
        counter(f"cpu.big.time@{int(f)}", "s", "time", (level == k).astype(float))
    counter("cpu.big.busy", "s", "time", sum(busy.values()))
    counter("net.wlan0.tx_bytes", "B", "bytes", rate)
    held = np.append(celsius, celsius[-1])
    fake.add(Channel("thermal.cpu.temperature", "temperature", "degC"), t, held, period_s=period_s)
    ends = np.column_stack((t[:-1] + 1, t[1:] - 1)).reshape(-1)
    fake.add(Channel("display.on", "count", ""), ends, np.repeat(on, 2), period_s=period_s)
    fake.add(Channel("display.brightness", "ratio", ""), ends, np.repeat(bright, 2), period_s=period_s)


def _processes(fake, t, period_s, busy, rate, sender) -> None:
    fake.processes = [
        ProcessInfo(101, 10, 1, 1000, "alpha", "/app"), ProcessInfo(102, 11, 1, 1001, "beta", "/app"),
        ProcessInfo(103, 12, 1, 1001, "idler", "/app"),
    ]  # fmt: skip
    fake.activities = ["cpu.big.time", "net.bytes"]
    fake.scans = t[::2].copy()
    for k in range(1, fake.scans.size):
        steps = slice(2 * k - 2, 2 * k)
        for p, u in busy.items():
            fake.usage.append((int(fake.scans[k]), p, 0, float(u[steps].sum() * period_s)))
            sent = float((rate * (sender == p))[steps].sum() * period_s)
            if sent:
                fake.usage.append((int(fake.scans[k]), p, 1, sent))


def _run_times(fake, period_s, busy, level) -> None:
    fake.activities += [f"run.big@{int(f)}" for f, _ in OPPS]
    for k in range(1, fake.scans.size):
        steps = slice(2 * k - 2, 2 * k)
        for p, u in busy.items():
            for at in range(len(OPPS)):
                ran = float(u[steps][level[steps] == at].sum() * period_s)
                if ran:
                    fake.usage.append((int(fake.scans[k]), p, 2 + at, ran))


__all__ = ["START_NS", "Fake", "Quality", "build", "power", "topology"]
