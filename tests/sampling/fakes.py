"""Sources, sinks and an assembly that only exist in tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from powerhal.channel import Channel, Field, Flag, Layout, ProcessInfo, Quality, Reading, Scan, Usage
from powerhal.errors import TransportError
from powerhal.transport.clock import VirtualClock

SECOND = 1_000_000_000
LAYOUT = Layout(
    2,
    (Field("bus", 0, 2, scale=1e-3), Field("full", 0, 2, shift=15, bits=1)),
    (Channel("a.voltage", "voltage", "V", field="bus"),),
    (Flag("full", Quality.SATURATED),),
)


class FakeSource:
    """Counts its reads; `script(read number)` may answer a kind of fault, or raise."""

    def __init__(self, clock, name="a", period_s=0.1, script: Callable[[int], str] = lambda n: "", cost_ns=0):
        self.name, self.period_s, self.layout = name, period_s, LAYOUT
        self.last_fault = ""
        self.clock, self.script, self.cost_ns = clock, script, cost_ns
        self.reads = self.opens = 0

    def open(self) -> None:
        self.opens += 1

    def read(self) -> Reading:
        self.reads += 1
        if self.cost_ns:
            self.clock.sleep_until(self.clock.now_ns() + self.cost_ns)
        fault = self.script(self.reads)
        if fault:
            self.last_fault = f"{fault}: scripted"
            return Reading(self.clock.now_ns(), bytes(2), Quality.MISSING)
        return Reading(self.clock.now_ns(), self.reads.to_bytes(2, "big"))

    def close(self) -> None:
        pass


class FakeScan:
    def __init__(self, clock, period_s=1.0, script: Callable[[int], bool] = lambda n: False):
        self.name, self.period_s, self.last_fault = "processes", period_s, ""
        self.clock, self.script, self.scans = clock, script, 0

    def open(self) -> None:
        pass

    def scan(self) -> Scan:
        self.scans += 1
        if self.script(self.scans):
            raise TransportError("no /proc", kind="denied")
        info = (ProcessInfo(1, 1, 0, 0, "init"),) if self.scans == 1 else ()
        return Scan(self.clock.now_ns(), info, (Usage(1, 1, "cpu.all.time", 0.5),))

    def close(self) -> None:
        pass


@dataclass
class FakeAssembly:
    clock: Any
    sources: list[Any] = field(default_factory=list)
    activity_sources: list[Any] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def close(self) -> None:
        pass


@dataclass
class FakeSink:
    names: list[str] = field(default_factory=list)
    rows: list[tuple[int, int, bytes, int]] = field(default_factory=list)
    scans: list[Scan] = field(default_factory=list)
    faults: list[tuple[int, str, str, str]] = field(default_factory=list)
    gaps: list[tuple[str, int, int, str]] = field(default_factory=list)
    clocks: list[tuple[int, int, int]] = field(default_factory=list)
    counters: dict[str, dict[str, Any]] = field(default_factory=dict)
    ticks: list[tuple[int, int]] = field(default_factory=list)

    def add_source(self, name, layout, period_s):
        self.names.append(name)
        return len(self.names) - 1

    def reading(self, source, t_ns, raw, quality=0):
        self.rows.append((source, t_ns, raw, int(quality)))

    def block(self, source, times, raw, quality=0):
        width = len(raw) // len(times)
        for i, t_ns in enumerate(times):
            self.reading(source, t_ns, raw[i * width : (i + 1) * width], quality)

    def scan(self, scan):
        self.scans.append(scan)

    def fault(self, t_ns, source, kind, text):
        self.faults.append((t_ns, source, kind, text))

    def gap(self, source, t0_ns, t1_ns, reason):
        self.gaps.append((source, t0_ns, t1_ns, reason))

    def clock(self, boot_ns, real_ns, suspended_ns, boot_id=""):
        self.clocks.append((boot_ns, real_ns, suspended_ns))

    def health(self, source, counters):
        self.counters[source] = counters

    def tick(self, now_ns, next_ns):
        self.ticks.append((now_ns, next_ns))
        return now_ns + SECOND

    def times(self, number=0, good=True):
        return [t for s, t, _, q in self.rows if s == number and not (good and q & Quality.MISSING)]


class SleepyClock(VirtualClock):
    """A virtual clock on which the machine sleeps, the wall clock steps, and wake-ups come late."""

    def __init__(self, events: dict[int, Callable[[SleepyClock], None]] | None = None):
        super().__init__(start_ns=SECOND)
        self.asleep_ns = 0
        self.step_ns = 0
        self.events = events or {}

    def suspended_ns(self) -> int:
        return self.asleep_ns

    def realtime_ns(self) -> int:
        return super().realtime_ns() + self.step_ns

    def sleep_until(self, t_ns: int) -> None:
        super().sleep_until(t_ns)
        for at in sorted(self.events):
            if at <= self.now_ns():
                self.events.pop(at)(self)

    def suspend(self, ns: int) -> None:
        self.asleep_ns += ns
        super().sleep_until(self.now_ns() + ns)
