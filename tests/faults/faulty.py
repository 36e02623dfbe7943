"""A bus of emulated chips whose faults are scripted, and short ways to a source on it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from typing import Any

from powerhal import chips
from powerhal.channel import Quality
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.chips.source import ChipSource
from powerhal.errors import TransportError
from powerhal.recording.decode import decode_row, row_quality
from powerhal.recording.series import Series
from powerhal.sampling import Sampler
from powerhal.sim.bus import EmulatedBus
from powerhal.sim.chips import build
from powerhal.transport.clock import VirtualClock
from tests.sampling.fakes import FakeAssembly, FakeSink
from tests.sim.test_emulators import SECOND, Supply

Script = Callable[[int, bytes], str]
"""(address, bytes written) -> kind of fault, '' for none."""


class FaultyBus(EmulatedBus):
    """Answers as the script says; `asked` keeps every transfer, `writes` those that change a register."""

    def __init__(self, places: dict[int, Any]) -> None:
        super().__init__("i2c-1", places)
        self.script: Script = lambda address, write: ""
        self.spoil: Callable[[int, bytes, bytes], bytes] = lambda address, write, answer: answer
        self.asked: list[tuple[int, bytes]] = []

    @property
    def writes(self) -> list[tuple[int, bytes]]:
        return [(a, w) for a, w in self.asked if len(w) > 1]

    def transfer(self, address: int, write: bytes, read: int = 0) -> bytes:
        self.asked.append((address, write))
        kind = self.script(address, write)
        if kind:
            raise TransportError(f"{kind}: scripted", kind=kind, errno=errno.EIO)
        return self.spoil(address, write, super().transfer(address, write, read))


class Bench:
    """Chips on one bus, their supply and the clock."""

    def __init__(self, places: dict[int, str], amperes: float = 1.0, volts: float = 3.7, shunt: float = 0.01) -> None:
        self.clock, self.supply, self.shunt = VirtualClock(start_ns=SECOND), Supply(amperes, volts), shunt
        self.bus = FaultyBus({a: self.chip(c) for a, c in places.items()})

    def chip(self, compatible: str) -> Any:
        return build(compatible, [self.supply] * 4, self.clock.now_ns, shunts_ohms=[self.shunt] * 4)

    def source(self, compatible: str, address: int = 0x40, rate: float = 10.0, **config: float) -> ChipSource:
        kind = chips.load(compatible)
        wired = tuple(ChannelOptions(i, f"r{i}", self.shunt) for i in range(1, kind.inputs + 1))
        return ChipSource(kind, self.bus, address, SensorOptions(f"s{address:x}", rate, wired, config), self.clock)

    def opened(self, compatible: str, address: int = 0x40, rate: float = 10.0, **config: float) -> ChipSource:
        source = self.source(compatible, address, rate, **config)
        source.open()
        self.wait(1.5)
        return source

    def wait(self, seconds: float) -> None:
        self.clock.sleep_until(self.clock.now_ns() + round(seconds * 1e9))

    def sample(self, sources: Sequence[Any], duration_s: float) -> tuple[Sampler, FakeSink]:
        sink = FakeSink()
        sampler = Sampler(FakeAssembly(self.clock, list(sources)), sink)
        sampler.run(duration_s)
        return sampler, sink


def row(source: ChipSource) -> tuple[dict[str, float], Quality]:
    """Values and quality of one row."""
    reading = source.read()
    quality = reading.quality
    if not quality & Quality.MISSING:
        quality |= row_quality(source.layout, reading.raw)
    return decode_row(source.layout, reading.raw), quality


def series_of(times: Sequence[int], values: Any, flags: Sequence[int] = ()) -> Series:
    """A channel's readings, as a recording gives them."""
    import numpy as np

    quality = np.array(flags or [0] * len(times), np.uint16)
    return Series(np.array(times, np.int64), np.asarray(values, float), quality, period_s=1.0, missing_s=0.0)


def failing(number: int, calls: Callable[[int], bool] = lambda n: True) -> Callable[[int], None]:
    """A script for a kernel adapter: this errno on the calls that are told."""

    def script(call: int) -> None:
        if calls(call):
            raise OSError(number, os.strerror(number))

    return script
