"""What every emulated chip shares: its door, the error budget, the free-running converter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from powerhal.sim.signal import Signal


@dataclass(frozen=True, slots=True)
class Span:
    """What a chip promises for one quantity, in SI: |reading - truth| <= absolute + relative * |truth|.

    `low`..`high` is the measuring range; outside it the reading stays at the end of the range.
    """

    quantity: str
    unit: str
    low: float
    high: float
    absolute: float
    relative: float


@dataclass(frozen=True, slots=True)
class Wiring:
    """How a chip is connected: one signal and shunt (Ohm) per input, the clock (ns), its luck.

    `rng` draws the part's own errors and its noise; None makes a perfect part.
    """

    signals: tuple[Signal | None, ...]
    shunts_ohms: tuple[float, ...]
    now_ns: Callable[[], int]
    rng: Random | None = None


class EmulatedChip(Protocol):
    """The wire side of a chip: bytes after its address, as an I2C controller sees them.

    Raises OSError where a real chip would not acknowledge.
    """

    spans: Sequence[Span]

    def write(self, data: bytes) -> None:
        """Bytes of one write message."""
        ...

    def read(self, count: int) -> bytes:
        """Bytes of one read message."""
        ...


@dataclass(frozen=True, slots=True)
class AnalogError:
    """A front end's own faults: reading = truth * gain + offset + noise (offset and noise in volts)."""

    gain: float = 1.0
    offset_v: float = 0.0
    noise_v: float = 0.0

    @staticmethod
    def draw(rng: Random | None, span_v: float, span_ratio: float, noise_v: float) -> AnalogError:
        """A part from the production line: errors normal, a third of the limit, never beyond it."""
        if rng is None:
            return AnalogError()
        return AnalogError(1.0 + _within(rng, span_ratio), _within(rng, span_v), noise_v)

    def seen(self, truth_v: float, rng: Random | None, samples: float) -> float:
        """The volts that the converter sees when `samples` conversions are averaged."""
        value = truth_v * self.gain + self.offset_v
        if rng is not None and self.noise_v:
            value += rng.gauss(0.0, self.noise_v / samples**0.5)
        return value


def _within(rng: Random, limit: float) -> float:
    return max(-limit, min(limit, rng.gauss(0.0, limit / 3)))


def oscillator(rng: Random | None, limit: float) -> float:
    """How much slower (>1) the part's own clock runs than the nominal times say."""
    return 1.0 if rng is None or not limit else 1.0 + _within(rng, limit)


class FreeRunning:
    """A converter that repeats a cycle of `cycle_ns` from the moment it was started.

    `finished(now)` tells the span of the newest complete cycle when it is a new one. A cycle of 0
    stands for power-down. `single` converts once and stops. `fresh_ns` is the time of all cycles that became
    complete since the telling before.
    """

    __slots__ = ("_cycle_ns", "_done", "_single", "_start_ns", "fresh_ns")

    def __init__(self) -> None:
        self.fresh_ns = 0
        self._start_ns = 0
        self._cycle_ns = 0
        self._done = 0
        self._single = False

    def start(self, now_ns: int, cycle_ns: int, *, single: bool = False) -> None:
        """Forget what was under way and begin now."""
        self._start_ns, self._cycle_ns, self._done, self._single = now_ns, cycle_ns, 0, single

    def finished(self, now_ns: int) -> tuple[int, int] | None:
        """(start, end) in ns of the newest complete cycle, None when it was told before."""
        if not self._cycle_ns:
            return None
        count = (now_ns - self._start_ns) // self._cycle_ns
        if self._single:
            count = min(count, 1)
        if count <= self._done:
            return None
        self.fresh_ns = (count - self._done) * self._cycle_ns
        self._done = count
        end = self._start_ns + count * self._cycle_ns
        return end - self._cycle_ns, end
