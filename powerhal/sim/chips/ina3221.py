"""TI INA3221 on the wire: three inputs measured one after another (TI SBOS576)."""

from __future__ import annotations

from fractions import Fraction

from powerhal.sim.chips.engine import RowChip, made_of
from powerhal.sim.chips.rows import Cell, Command, Result, Spec

_ROUNDS = (1, 4, 16, 64, 128, 256, 512, 1024)
_US = (140, 204, 332, 588, 1100, 2116, 4156, 8244)
_CONFIG, _SUM, _MASK = 0, 13, 15
_ENABLED = (0x4000, 0x2000, 0x1000)  # of CONFIG, and the summation bits of MASK/ENABLE


def _cycle(chip: RowChip) -> int:
    """Nanoseconds of one round: shunt, bus, or both (MODE bits 0, 1), of every input that is on, times the averages."""
    word = chip.values[_CONFIG]
    inputs = sum(1 for bit in _ENABLED if word & bit)
    us = (word & 1) * _US[word >> 3 & 7] + (word >> 1 & 1) * _US[word >> 6 & 7]
    return inputs * us * _ROUNDS[word >> 9 & 7] * 1000


def _once(chip: RowChip) -> bool:
    return chip.values[_CONFIG] & 7 < 4


def _units(chip: RowChip, at: int) -> float:
    """How many of the shortest conversions (140 us) one reading is worth: they divide the noise."""
    word = chip.values[_CONFIG]
    return _ROUNDS[word >> 9 & 7] * _US[word >> at & 7] / 140


def _sum(chip: RowChip) -> None:
    """SHUNT SUM: the chosen shunts, stopped at fifteen bits, one place to the left."""
    v = chip.values
    total = sum(v[1 + 2 * n] for n, bit in enumerate(_ENABLED) if v[_MASK] & bit)
    v[_SUM] = max(-0x4000, min(0x3FFF, total)) << 1


def _shunt(n: int) -> Result:
    return Result(1 + 2 * n, "shunt", Fraction(40, 10**6), -0x1000, 0xFFF, 3, input=n, limits=(60e-6, 2.5e-3),
                  luck=(80e-6, 2.5e-3, 20e-6), samples=lambda chip: _units(chip, 3),
                  when=((_CONFIG, _ENABLED[n]), (_CONFIG, 1)), told="" if n else "shunt")  # fmt: skip


def _bus(n: int) -> Result:
    return Result(2 + 2 * n, "volts", Fraction(8, 1000), 0, 0xFFF, 3, input=n, limits=(12e-3, 2.5e-3),
                  luck=(16e-3, 2.5e-3, 4e-3), samples=lambda chip: _units(chip, 6),
                  when=((_CONFIG, _ENABLED[n]), (_CONFIG, 2)), told="" if n else "voltage",
                  within=(0.0, 26.0))  # fmt: skip


# 40 uV and 8 mV steps in the upper 13 bits. Limits at 25 degC: shunt 80 uV + 0.25 %, bus 16 mV + 0.25 %, offset and
# half a step together: 60 uV and 12 mV beyond one step.
Ina3221 = made_of(Spec(
    results=(*(_shunt(n) for n in range(3)), *(_bus(n) for n in range(3))), inputs=3,
    cells={_CONFIG: Cell(por=0x7127, writable=0x7FFF), **{at: Cell(por=0x7FF8, writable=0xFFF8) for at in range(7, 13)},
           _SUM: Cell(), 14: Cell(por=0x7FFE, writable=0xFFFF), _MASK: Cell(por=0x0002, writable=0x7C06),
           16: Cell(por=0x2710, writable=0xFFFF), 17: Cell(por=0x2328, writable=0xFFFF), 0xFE: Cell(por=0x5449),
           0xFF: Cell(por=0x3220)},
    cycle_ns=_cycle, single=_once, restart=(_CONFIG,), ready=(_MASK, 1, _MASK), compute=_sum,
    commands=(Command(_CONFIG, 0x8000, RowChip.reset, 0x8000),),
))  # fmt: skip
