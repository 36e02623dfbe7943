"""The words in which an emulated chip is described: what its converter looks at, steps, registers, timing.

Written from the chips' own integer equations: a result is a whole number of converter steps, and everything that
the chip computes further is arithmetic on those integers. Nothing here knows how a driver scales them back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from powerhal.sim.signal import Signal

if TYPE_CHECKING:
    from powerhal.sim.chips.engine import RowChip

Step = Fraction | Callable[["RowChip"], Fraction]
"""SI per converter step; a function where a setting changes it."""


@dataclass(frozen=True, slots=True)
class View:
    """One input over one span of time, as the converter sees it."""

    signal: Signal | None
    shunt_ohms: float
    start_ns: int
    end_ns: int

    @property
    def amperes(self) -> float:
        """Mean current in A, + into the load (a battery: out of it)."""
        return self.signal.amperes(self.start_ns, self.end_ns) if self.signal else 0.0

    @property
    def volts(self) -> float:
        """Mean voltage in V."""
        return self.signal.volts(self.start_ns, self.end_ns) if self.signal else 0.0

    def cell(self, name: str, default: float) -> float:
        """What only a battery has (`charge_fraction`, `celsius`, `capacity_ah`), or the default."""
        found: Any = getattr(self.signal, name, default)
        return float(found(self.end_ns)) if callable(found) else float(found)


# What a result can be about. Gauges count current into the battery as positive.
QUANTITIES: Mapping[str, Callable[[View], float]] = {
    "volts": lambda v: v.volts,
    "amperes": lambda v: v.amperes,
    "shunt": lambda v: v.amperes * v.shunt_ohms,
    "discharging": lambda v: max(0.0, v.amperes),
    "into": lambda v: -v.amperes,
    "into_only": lambda v: max(0.0, -v.amperes),
    "into_drop": lambda v: -v.amperes * v.shunt_ohms,
    "drop_size": lambda v: abs(v.amperes) * v.shunt_ohms,
    "watts_into": lambda v: -v.amperes * v.volts,
    "celsius": lambda v: v.cell("celsius", 25.0),
    "kelvin": lambda v: v.cell("celsius", 25.0) + 273.15,
    "percent": lambda v: 100.0 * v.cell("charge_fraction", 0.5),
    "left_ah": lambda v: v.cell("charge_fraction", 0.5) * v.cell("capacity_ah", 1.0),
    "full_ah": lambda v: v.cell("capacity_ah", 1.0),
    "left_ah_ohms": lambda v: v.cell("charge_fraction", 0.5) * v.cell("capacity_ah", 1.0) * v.shunt_ohms,
    "full_ah_ohms": lambda v: v.cell("capacity_ah", 1.0) * v.shunt_ohms,
}


PERFECT = (0.0, 0.0, 0.0)
"""Luck of what is computed, not measured: nothing is drawn."""


@dataclass(frozen=True, slots=True)
class Result:
    """A converter's result: register = round(quantity / step + zero), stopped at low..high, shifted left.

    `limits` is what the chip keeps beyond one step (absolute in the quantity's unit, relative); a seeded part errs
    inside it, or draws its `luck`: largest offset, largest error of the gain, noise of one conversion (rms), which
    `samples` conversions divide. `lost`: low bits that a short conversion does not resolve. `whole`: how a number of
    steps becomes whole. `when` (register, mask), each: converted only while one of these bits is set. `input` is the
    sense point. `ends`: where a setting moves low..high. `told`: the SI quantity under which the chip promises it in
    its spans ('' for none), over all of low..high or `within` (SI) only.
    """

    register: int
    quantity: str
    step: Step
    low: int = -0x8000
    high: int = 0x7FFF
    shift: int = 0
    zero: float = 0.0
    input: int = 0
    limits: tuple[float, float] = (0.0, 0.0)
    luck: tuple[float, float, float] | None = None
    samples: Callable[[RowChip], float] = lambda chip: 1
    lost: Callable[[RowChip], int] = lambda chip: 0
    whole: Callable[[Fraction], int] = round
    when: tuple[tuple[int, int], ...] = ()
    ends: Callable[[RowChip], tuple[int, int]] | None = None
    told: str = ""
    within: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Sum:
    """An accumulator: each round adds `gain(chip, elapsed_ns)` (a Fraction of steps); `unit` is SI per step.

    It wraps modulo its register, or stops at its ends. `signed`: a two's complement, or (register, mask) that says so.
    """

    register: int
    gain: Callable[[RowChip, int], Fraction]
    unit: Callable[[RowChip], Fraction]
    bits: int = 40
    signed: bool | tuple[int, int] = False
    stops: bool = False
    start: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """A register: bytes on the wire, value after power-on, the bits that a write changes."""

    nbytes: int = 2
    por: int = 0
    writable: int = 0


@dataclass(frozen=True, slots=True)
class Command:
    """A write that does something: value & mask == value in `register` runs `action`.

    `register` alone (value None): naming it is enough (an SMBus send byte).
    """

    register: int
    value: int | None
    action: Callable[[RowChip], None]
    mask: int = 0xFFFF


def every(seconds: float) -> Callable[[RowChip], int]:
    """Timing of a chip that converts at a fixed pace."""
    return lambda chip: round(seconds * 1e9)


def each_second(chip: RowChip) -> int:
    """Most gauges."""
    return 10**9


def nothing(chip: RowChip) -> None:
    """No arithmetic of its own."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One chip: its registers, results, sums, timing, commands.

    `order`: byte order of a register. `walk`: what follows the first register of a long read: '' nothing (0xFF),
    'bytes' (memory by byte addresses), 'registers'. `pec`: the 7-bit address that enters the check byte, 0 for none.
    `cycle_ns(chip)`: one round of conversions, 0 while asleep; `single(chip)`: one round, then stop.
    `restart`: registers whose writing starts a new round. `first`: a round is complete at power-on (gauges).
    `oscillator`: how far a part's own clock may be off.
    `compute` runs after every round and every setting, `keep` after every round only (extremes, counters of rounds),
    `answer` before every read of a register. `ready` (register, bit, cleared by).
    `latched`: results are seen only after a command took them over.
    """

    results: tuple[Result, ...]
    cells: Mapping[int, Cell] = field(default_factory=dict)
    order: str = "big"
    walk: str = ""
    pec: int = 0
    shunt_ohms: float = 0.01
    inputs: int = 1
    cycle_ns: Callable[[RowChip], int] = each_second
    single: Callable[[RowChip], bool] = lambda chip: False
    restart: tuple[int, ...] = ()
    first: bool = False
    oscillator: float = 0.08
    sums: tuple[Sum, ...] = ()
    compute: Callable[[RowChip], None] = nothing
    keep: Callable[[RowChip], None] = nothing
    answer: Callable[[RowChip, int], None] = lambda chip, register: None
    ready: tuple[int, int, int] | None = None
    commands: tuple[Command, ...] = ()
    latched: bool = False
