"""What an emulated sensor looks at: the true current and voltage of a rail over any span of time."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Protocol


class Signal(Protocol):
    """The electrical truth at one sense point; times in ns of the virtual clock, end > start."""

    def amperes(self, start_ns: int, end_ns: int) -> float:
        """Mean current in A over the span, positive into the load."""
        ...

    def volts(self, start_ns: int, end_ns: int) -> float:
        """Mean voltage in V over the span."""
        ...


class BatterySignal(Signal, Protocol):
    """A cell as a fuel gauge sees it."""

    def charge_fraction(self, t_ns: int) -> float:
        """State of charge, 0..1."""
        ...

    def celsius(self, t_ns: int) -> float:
        """Cell temperature in degC."""
        ...

    @property
    def capacity_ah(self) -> float:
        """Full charge in Ah."""
        ...


@dataclass(frozen=True, slots=True)
class ConstantSignal:
    """A bench supply: the same current (A) and voltage (V) for ever, and a cell that never empties."""

    current_a: float = 0.0
    voltage_v: float = 0.0
    fraction: float = 0.5
    temperature_c: float = 25.0
    capacity_ah: float = 1.34

    def amperes(self, start_ns: int, end_ns: int) -> float:
        """The constant current in A."""
        return self.current_a

    def volts(self, start_ns: int, end_ns: int) -> float:
        """The constant voltage in V."""
        return self.voltage_v

    def charge_fraction(self, t_ns: int) -> float:
        """The constant state of charge, 0..1."""
        return self.fraction

    def celsius(self, t_ns: int) -> float:
        """The constant temperature in degC."""
        return self.temperature_c


class History:
    """Integrals of current and voltage on a regular grid, the newest `depth` steps kept.

    The physics appends one constant current (A) and voltage (V) per step of `step_ns`; a mean over
    any span that is still kept is then two look-ups, linear inside a step.
    """

    __slots__ = ("_charge", "_depth", "_flux", "_start_ns", "_step_ns", "_steps")

    def __init__(self, start_ns: int, step_ns: int, depth: int = 1024) -> None:
        self._start_ns = start_ns
        self._step_ns = step_ns
        self._depth = depth
        self._charge = array("d", [0.0]) * depth
        self._flux = array("d", [0.0]) * depth
        self._steps = 0  # index of the newest grid point

    def append(self, current_a: float, voltage_v: float) -> None:
        """One more step of constant current and voltage."""
        before = self._steps % self._depth
        self._steps += 1
        now = self._steps % self._depth
        self._charge[now] = self._charge[before] + current_a
        self._flux[now] = self._flux[before] + voltage_v

    def amperes(self, start_ns: int, end_ns: int) -> float:
        """Mean current in A over the span, cut to what is kept."""
        return self._mean(self._charge, start_ns, end_ns)

    def volts(self, start_ns: int, end_ns: int) -> float:
        """Mean voltage in V over the span, cut to what is kept."""
        return self._mean(self._flux, start_ns, end_ns)

    def _mean(self, grid: array[float], start_ns: int, end_ns: int) -> float:
        last = float(self._steps)
        first = float(max(0, self._steps - self._depth + 1))
        a = min(max((start_ns - self._start_ns) / self._step_ns, first), last)
        b = min(max((end_ns - self._start_ns) / self._step_ns, first), last)
        if b - a < 1e-6:  # a span outside what is kept: the nearest step stands for it
            b = min(max(b, first + 1.0), last)
            a = max(b - 1.0, first)
            if b <= a:
                return 0.0
        return (self._at(grid, b) - self._at(grid, a)) / (b - a)

    def _at(self, grid: array[float], position: float) -> float:
        whole = int(position)
        value = grid[whole % self._depth]
        part = position - whole
        if part > 0.0:
            value += part * (grid[(whole + 1) % self._depth] - value)
        return value
