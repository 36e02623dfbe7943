"""A machine with two buses of real transfers over emulated adapters, on the real clock; one of them can hang."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

from powerhal import chips
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.chips.source import ChipSource
from powerhal.sampling import Sampler
from powerhal.transport.clock import BootClock
from powerhal.transport.files import CopiedRoot
from powerhal.transport.i2c import LinuxI2c
from tests.sampling.fakes import FakeAssembly, FakeScan, FakeSink, FakeSource
from tests.transport.wires import KernelAdapter, WordChip

RATE_HZ = 50.0


class Wire:
    """Chips on one emulated adapter; after `hang(seconds, fault)` the next call sleeps so long, in the ioctl."""

    def __init__(self, number: int, root: Path, clock: BootClock, chips_on_it: int = 2) -> None:
        kind = chips.load("ti,ina231")
        registers = {r.address: r.wire(r.por or 0) for r in kind.registers}
        registers.update({1: b"\x10\x00", 2: b"\x0c\x80"})
        self.adapter = KernelAdapter(
            {0x40 + i: WordChip(dict(registers)) for i in range(chips_on_it)}, script=self._script
        )
        self.bus = LinuxI2c(number, CopiedRoot(root), self.adapter, ioctl=self.adapter.ioctl)
        self.hung, self.over = Event(), Event()
        self.began_ns = self.ended_ns = 0
        self._clock = clock
        self._hang: tuple[float, Callable[[], None]] | None = None
        self.sources: list[Any] = []
        for i in range(chips_on_it):
            options = SensorOptions(f"bus{number}.{i}", RATE_HZ, (ChannelOptions(1, f"rail{number}{i}", 0.01),))
            self.sources.append(ChipSource(kind, self.bus, 0x40 + i, options, clock))
        for source in self.sources:
            source.open()

    def hang(self, seconds: float, fault: Callable[[], None] = lambda: None) -> None:
        self._hang = seconds, fault

    def _script(self, call: int) -> None:
        if self._hang is None:
            return
        (seconds, fault), self._hang = self._hang, None
        self.began_ns = self._clock.now_ns()
        self.hung.set()
        time.sleep(seconds)  # as an adapter that waits: without the interpreter's lock
        self.ended_ns = self._clock.now_ns()
        self.over.set()
        fault()


class Machine:
    """Wires, a source of the kernel's and a scan, and a sampler of them all."""

    def __init__(self, root: Path, wires: int = 2) -> None:
        self.clock, self.sink = BootClock(), FakeSink()
        self.wires = [Wire(n, root, self.clock) for n in range(wires)]
        files = FakeSource(self.clock, "files", 0.1)
        self.assembly = FakeAssembly(
            self.clock, [*(s for w in self.wires for s in w.sources), files], [FakeScan(self.clock, 0.2)]
        )
        self.sampler = Sampler(self.assembly, self.sink)

    def run(self, duration_s: float) -> Machine:
        self.sampler.run(duration_s)
        return self
