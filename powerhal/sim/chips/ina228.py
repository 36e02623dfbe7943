"""TI INA228/237/238 and INA700/745/780 on the wire: 16 or 20 bits, temperature, energy and charge.

Sources: INA228 (SBOSA20), INA238 (SBOSA15) data sheets; Linux drivers/hwmon/ina238.c; open drivers for the INA7xx.
CURRENT = shunt * 4096 / SHUNT_CAL (a larger calibration is a larger step); POWER has no sign; ENERGY sums it over
sixteen steps, CHARGE sums CURRENT by the second (INA7xx: sixteen steps a coulomb step).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from powerhal.sim.chips.base import Wiring
from powerhal.sim.chips.engine import RowChip, made_of
from powerhal.sim.chips.rows import Cell, Command, Result, Spec, Step, Sum

_US = (50, 84, 150, 280, 540, 1052, 2074, 4120)
_ROUNDS = (1, 4, 16, 64, 128, 256, 512, 1024)
_CONFIG, _ADC, _CAL, _SHUNT, _BUS, _TEMP, _CURRENT, _POWER, _ENERGY, _CHARGE, _DIAG = (0, 1, 2, *range(4, 12))
_SECOND = 10**9


def _cycle(chip: RowChip) -> int:
    """MODE bits 12, 13, 14 choose bus, shunt, temperature; each takes its own time, times the averages."""
    word = chip.values[_ADC]
    us = sum(_US[word >> at & 7] for bit, at in ((0x1000, 9), (0x2000, 6), (0x4000, 3)) if word & bit)
    return us * _ROUNDS[word & 7] * 1000


def _once(chip: RowChip) -> bool:
    return not chip.values[_ADC] & 0x8000


def _quarter(full: Fraction) -> Step:
    return lambda chip: full / 4 if chip.values[_CONFIG] & 0x10 else full


def _products(power_divisor: int, top: int, whole: Callable[[Fraction], int]) -> Callable[[RowChip], None]:
    """`whole`: the golden words of the INA228 are cut, those of the INA238 are rounded."""

    def compute(chip: RowChip) -> None:
        v = chip.values
        if not v[_CAL]:
            v[_CURRENT] = v[_POWER] = 0
            return
        current = Fraction(v[_SHUNT] * 4096, v[_CAL])
        v[_CURRENT] = max(-top - 1, min(top, whole(current)))
        v[_POWER] = min(int(abs(current) * v[_BUS] / power_divisor), 0xFFFFFF)
        over = abs(current) > top
        v[_DIAG] = v[_DIAG] & ~0x200 | (0x200 if over else 0)

    return compute


def _current_lsb(constant: int) -> Callable[[RowChip], Fraction]:
    """Amperes a step that the calibration and the shunt make of CURRENT."""

    def lsb(chip: RowChip) -> Fraction:
        range_ = 4 if chip.values[_CONFIG] & 0x10 else 1
        return Fraction(chip.values[_CAL]) / (constant * range_ * Fraction(chip.shunts_ohms[0]))

    return lsb


_lsb228 = _current_lsb(13_107_200_000)


def _clear_sums(chip: RowChip) -> None:
    chip.clear()


_CELLS = {
    _CONFIG: Cell(writable=0x3FF0), _ADC: Cell(por=0xFB68, writable=0xFFFF), _DIAG: Cell(por=0x0001, writable=0xF000),
    0x0C: Cell(por=0x7FFF, writable=0xFFFF), 0x0D: Cell(por=0x8000, writable=0xFFFF),
    0x0E: Cell(por=0x7FFF, writable=0x7FFF), 0x0F: Cell(writable=0x7FFF), 0x10: Cell(por=0x7FFF, writable=0xFFFF),
    0x11: Cell(por=0xFFFF, writable=0xFFFF), 0x3E: Cell(por=0x5449),
}  # fmt: skip
_COMMANDS = (Command(_CONFIG, 0x8000, RowChip.reset, 0x8000), Command(_CONFIG, 0x4000, _clear_sums, 0x4000))
_PIECES = Fraction(1, 10**6)


def _sums(
    energy_unit: Callable[[RowChip], Fraction], charge_unit: Callable[[RowChip], Fraction], per_s: int
) -> tuple[Sum, ...]:
    return (
        Sum(_ENERGY, lambda c, ns: Fraction(c.values[_POWER] * ns, 16 * _SECOND), energy_unit),
        Sum(_CHARGE, lambda c, ns: Fraction(c.values[_CURRENT] * per_s * ns, _SECOND), charge_unit, signed=True),
    )


def _external(nbytes: int, device: int | None, limits: tuple[float, float]) -> Spec:
    """A part with the shunt outside: 16 bits, or 20 bits at the top of 24."""
    wide = nbytes == 3
    shift, top = (4, 0x7FFFF) if wide else (0, 0x7FFF)
    finer = 16 if wide else 1
    temperature = (
        Result(_TEMP, "celsius", Fraction(1, 128), limits=(2.0, 0.0), when=((_ADC, 0x4000),), told="temperature")
        if wide
        else Result(
            _TEMP, "celsius", Fraction(1, 8), -2048, 2047, 4, limits=(2.0, 0.0), when=((_ADC, 0x4000),),
            told="temperature",
        )
    )  # fmt: skip
    return Spec(
        results=(
            Result(_SHUNT, "shunt", _quarter(5 * _PIECES / finer), -top - 1, top, shift, limits=limits,
                   when=((_ADC, 0x2000),), told="shunt"),
            Result(_BUS, "volts", Fraction(1, 320) / finer, 0, top, shift, limits=(5e-3, limits[1]),
                   when=((_ADC, 0x1000),), told="voltage"),
            temperature,
        ),
        cells={**_CELLS, _CAL: Cell(por=0x1000, writable=0x7FFF), _SHUNT: Cell(nbytes), _BUS: Cell(nbytes),
               _CURRENT: Cell(nbytes), _POWER: Cell(3),
               **({_ENERGY: Cell(5), _CHARGE: Cell(5), 0x03: Cell(writable=0x3FFF)} if wide else {}),
               **({0x3F: Cell(por=device)} if device else {})},
        cycle_ns=_cycle, single=_once, restart=(_ADC, _CONFIG), ready=(_DIAG, 2, _DIAG), commands=_COMMANDS,
        compute=_products(16_384, top, int) if wide else _products(64, top, round),
        sums=_sums(lambda c: _lsb228(c) * Fraction(256, 5), _lsb228, 1) if wide else (),
    )  # fmt: skip


class Ina228(RowChip):
    """Twenty bits; CURRENT is at the top of its 24 too."""

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(_external(3, 0x2281, (1e-6, 1e-3)), wiring)
        self._shift[_CURRENT] = 4


Ina238 = made_of(_external(2, 0x2381, (5e-6, 1e-3)))
Ina237 = made_of(_external(2, None, (50e-6, 3e-3)))


def _power_internal(chip: RowChip) -> None:
    """POWER in fifths of (CURRENT step * 1 V): 3.125 mV * current step / (0.2 V * current step)."""
    v = chip.values
    v[_POWER] = min(abs(v[_CURRENT]) * v[_BUS] // 64, 0xFFFFFF)


def _internal(step_ua: int) -> Spec:
    """INA7xx: the shunt is inside, CURRENT is measured and not computed."""
    step = Fraction(step_ua, 10**6)
    return Spec(
        results=(
            Result(_CURRENT, "amperes", step, limits=(2 * float(step), 5e-3), when=((_ADC, 0x2000),), told="current"),
            Result(_BUS, "volts", Fraction(1, 320), 0, limits=(5e-3, 3e-3), when=((_ADC, 0x1000),), told="voltage"),
            Result(_TEMP, "celsius", Fraction(1, 8), -2048, 2047, 4, limits=(2.5, 0.0), when=((_ADC, 0x4000),),
                   told="temperature"),
        ),
        cells={**_CELLS, _POWER: Cell(3), _ENERGY: Cell(5), _CHARGE: Cell(5)},
        cycle_ns=_cycle, single=_once, restart=(_ADC, _CONFIG), ready=(_DIAG, 2, _DIAG), commands=_COMMANDS,
        compute=_power_internal, sums=_sums(lambda c: step / 5 * 16, lambda c: step / 16, 16),
    )  # fmt: skip


Ina700, Ina745, Ina780 = (made_of(_internal(ua)) for ua in (480, 1200, 2400))
