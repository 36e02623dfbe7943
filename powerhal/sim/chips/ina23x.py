"""TI INA226, INA230, INA231, INA232, INA234, INA236, INA260, INA233 on the wire: one converter in several clothes.

Sources: INA226 (SBOS547), INA230 (SBOS601), INA231 (SBOS644), INA236 (SBOSA81), INA260 (SBOS656), INA233 (SBOS790)
data sheets; Linux drivers/hwmon/ina2xx.c for the INA234.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from powerhal.sim.chips.base import Wiring
from powerhal.sim.chips.engine import RowChip, made_of
from powerhal.sim.chips.rows import Cell, Command, Result, Spec, Step, Sum, nothing

_US = (140, 204, 332, 588, 1100, 2116, 4156, 8244)
_ROUNDS = (1, 4, 16, 64, 128, 256, 512, 1024)
UV, MV = Fraction(1, 10**6), Fraction(1, 10**3)
Limits = tuple[float, float]
Luck = tuple[float, float, float]
# POWER and CURRENT (computed), CALIBRATION, MASK/ENABLE, ALERT; bit 15 of CONFIG resets
_CELLS = {3: Cell(), 4: Cell(), 5: Cell(writable=0x7FFF), 6: Cell(writable=0xFC03), 7: Cell(writable=0xFFFF)}
_RESET = (Command(0, 0x8000, RowChip.reset, 0x8000),)


def _cycle(chip: RowChip) -> int:
    """Nanoseconds of one round: averages of the shunt's conversion, the bus's, or both (MODE bits 0, 1)."""
    word = chip.values[0]
    us = (word & 1) * _US[word >> 3 & 7] + (word >> 1 & 1) * _US[word >> 6 & 7]
    return us * _ROUNDS[word >> 9 & 7] * 1000


def _once(chip: RowChip) -> bool:
    return chip.values[0] & 7 < 4


def _products(power_divisor: int, top: int = 0x7FFF) -> Callable[[RowChip], None]:
    """CURRENT = shunt * CAL / 2048, POWER = |CURRENT| * bus / divisor; too large a number sets OVF."""

    def compute(chip: RowChip) -> None:
        v = chip.values
        current = int(Fraction(v[1] * v[5], 2048))  # cut towards zero
        power = abs(current) * v[2] // power_divisor
        over = not -top - 1 <= current <= top or power > 0xFFFF
        v[4], v[3] = max(-top - 1, min(top, current)), min(power, 0xFFFF)
        v[6] = v[6] & ~4 | (4 if over else 0)

    return compute


def _units(chip: RowChip, at: int) -> float:
    """How many of the shortest conversions (140 us) one reading is worth: they divide the noise."""
    word = chip.values[0]
    return _ROUNDS[word >> 9 & 7] * _US[word >> at & 7] / 140


def _ina226(identity: dict[int, int], bus_end_v: float, limits: tuple[Limits, Limits], luck: tuple[Luck, Luck]) -> Spec:
    """2.5 uV and 1.25 mV steps; `limits` and `luck` of the shunt and of the bus."""
    return Spec(
        results=(
            Result(1, "shunt", Fraction(5, 2) * UV, limits=limits[0], luck=luck[0],
                   samples=lambda chip: _units(chip, 3), when=((0, 1),), told="shunt"),
            Result(2, "volts", Fraction(5, 4) * MV, 0, limits=limits[1], luck=luck[1],
                   samples=lambda chip: _units(chip, 6), when=((0, 2),), told="voltage", within=(0.0, bus_end_v)),
        ),
        cells={**_CELLS, 0: Cell(por=0x4127, writable=0x0FFF), **{at: Cell(por=word) for at, word in identity.items()}},
        cycle_ns=_cycle, single=_once, restart=(0,), ready=(6, 8, 6), compute=_products(20_000), commands=_RESET,
    )  # fmt: skip


# Limits as the data sheets give them: shunt 10 uV + 0.1 % and bus 7.5 mV + 0.1 %; INA230, INA231 50 uV, 15 mV, 0.5 %.
# Noise of a conversion of 140 us: 10 uV, 2 mV rms.
Ina226 = made_of(_ina226(
    {0xFE: 0x5449, 0xFF: 0x2260}, 36.0, ((10.5e-6, 1e-3), (7.75e-3, 1e-3)), ((10e-6, 1e-3, 10e-6), (7.5e-3, 1e-3, 2e-3))
))  # fmt: skip
_WIDER = ((52.5e-6, 5e-3), (16.75e-3, 5e-3)), ((50e-6, 5e-3, 10e-6), (15e-3, 5e-3, 2e-3))
Ina230 = made_of(_ina226({0xFF: 0x2260}, 28.0, *_WIDER))  # only the die identity answers
Ina231 = made_of(_ina226({}, 28.0, *_WIDER))  # no identity (ODROID-XU3)


def _spec(shunt: Step, bus: Fraction, shift: int, cells: dict[int, Cell], compute: Callable[[RowChip], None]) -> Spec:
    top = 0x7FFF >> shift
    return Spec(
        results=(
            Result(1, "shunt", shunt, -top - 1, top, shift, limits=(10e-6, 2e-3), when=((0, 1),), told="shunt"),
            Result(2, "volts", bus, 0, top, shift, limits=(10e-3, 2e-3), when=((0, 2),), told="voltage"),
        ),
        cells={**_CELLS, 0: Cell(por=0x4127, writable=0x1FFF), **cells},
        cycle_ns=_cycle, single=_once, restart=(0,), ready=(6, 8, 6), compute=compute, commands=_RESET,
    )  # fmt: skip


def _ranged(chip: RowChip) -> Fraction:
    """ADCRANGE (bit 12) chooses 81.92 or 20.48 mV full scale."""
    return Fraction(5, 8) * UV if chip.values[0] & 0x1000 else Fraction(5, 2) * UV


_TI = {0x3E: Cell(por=0x5449)}
Ina236 = made_of(_spec(_ranged, Fraction(8, 5) * MV, 0, {**_TI, 0x3F: Cell(por=0xA080)}, _products(20_000)))
Ina232 = made_of(_spec(_ranged, Fraction(8, 5) * MV, 0, _TI, _products(20_000)))


class Ina234(RowChip):
    """Twelve bits at the top of sixteen; the product registers are so too (steps of 40 uV, 25.6 mV)."""

    def __init__(self, wiring: Wiring) -> None:
        spec = _spec(_wide, Fraction(128, 5) * MV, 4, {**_TI, 0x3F: Cell(por=0xA480)}, _products(1250, 0x7FF))
        super().__init__(spec, wiring)
        self._shift[4] = 4


def _wide(chip: RowChip) -> Fraction:
    return 16 * _ranged(chip)


def _ina260_power(chip: RowChip) -> None:
    v = chip.values
    power = abs(v[1]) * v[2] // 6400  # 1.25 mA * 1.25 mV in steps of 10 mW
    v[3], v[6] = min(power, 0xFFFF), v[6] & ~4 | (4 if power > 0xFFFF else 0)


Ina260 = made_of(Spec(
    results=(
        Result(1, "amperes", Fraction(5, 4) * MV, limits=(5e-3, 5e-3), when=((0, 1),), told="current"),
        Result(2, "volts", Fraction(5, 4) * MV, 0, limits=(7.5e-3, 1e-3), when=((0, 2),), told="voltage"),
    ),
    cells={0: Cell(por=0x6127, writable=0x0FFF), 3: Cell(), 6: Cell(writable=0xFC03), 7: Cell(writable=0xFFFF),
           0xFE: Cell(por=0x5449), 0xFF: Cell(por=0x2270)},
    cycle_ns=_cycle, single=_once, restart=(0,), ready=(6, 8, 6), compute=_ina260_power, commands=_RESET,
))  # fmt: skip


# ---- INA233: the same integers behind PMBus command numbers, low byte first
_SHUNT, _VIN, _IIN, _PIN, _CAL, _ADC, _EIN = 0xD1, 0x88, 0x89, 0x97, 0xD4, 0xD0, 0x86


def _ina233_products(chip: RowChip) -> None:
    v = chip.values
    current = int(Fraction(v[_SHUNT] * v[_CAL], 2048))
    v[_IIN] = v[0x8C] = max(-0x8000, min(0x7FFF, current))
    v[_PIN] = v[0x96] = min(abs(current) * v[_VIN] // 20_000, 0xFFFF)
    v[0x8B] = v[_VIN]


def _ina233_cycle(chip: RowChip) -> int:
    word = chip.values[_ADC]
    return (_US[word >> 3 & 7] + _US[word >> 6 & 7]) * _ROUNDS[word >> 9 & 7] * 1000


def _ein(chip: RowChip, register: int) -> None:
    """READ_EIN: length, sum of power readings, how often that wrapped, readings summed."""
    if register == _EIN:
        total, count = chip.values[0x100], chip.values[0x101]
        chip.values[_EIN] = 6 | (total & 0xFFFF) << 8 | (total >> 16 & 0xFF) << 24 | (count & 0xFFFFFF) << 32


def _rounds(chip: RowChip, elapsed_ns: int) -> Fraction:
    return Fraction(elapsed_ns, max(1, _ina233_cycle(chip)))


Ina233 = made_of(Spec(
    order="little", walk="",
    results=(
        Result(_SHUNT, "shunt", Fraction(5, 2) * UV, limits=(10e-6, 1e-3), told="shunt"),
        Result(_VIN, "volts", Fraction(5, 4) * MV, 0, limits=(7.5e-3, 1e-3), told="voltage"),
    ),
    cells={_CAL: Cell(writable=0x7FFF), _ADC: Cell(por=0x4127, writable=0x0FFF), _IIN: Cell(), 0x8B: Cell(),
           0x8C: Cell(), 0x96: Cell(), _PIN: Cell(), _EIN: Cell(7), 0x19: Cell(1, 0xB0), 0xD5: Cell(1, 0x02, 0x7F),
           0x98: Cell(1, 0x33), 0x78: Cell(1), 0x79: Cell(2), 0x7A: Cell(1), 0x7B: Cell(1), 0x7C: Cell(1),
           0x7E: Cell(1), 0x80: Cell(1), 0x99: Cell(3, int.from_bytes(b"\x02TI", "little")),
           0x9A: Cell(7, int.from_bytes(b"\x06INA233", "little")), 0x9B: Cell(3, int.from_bytes(b"\x02A0", "little"))},
    sums=(
        Sum(0x100, lambda chip, ns: chip.values[_PIN] * _rounds(chip, ns), lambda chip: Fraction(1), 24),
        Sum(0x101, _rounds, lambda chip: Fraction(1), 24),
    ),
    cycle_ns=_ina233_cycle, restart=(_ADC,), compute=_ina233_products, answer=_ein,
    commands=(Command(0x12, None, RowChip.reset), Command(0x03, None, nothing)),
))  # fmt: skip
