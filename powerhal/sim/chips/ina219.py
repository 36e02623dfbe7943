"""TI INA219, INA220 and INA209 on the wire (TI SBOS448, SBOS403: registers, table of ADC settings, electrical limits).

The INA209 is the same converter at other pointers, with a status register and extremes.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from powerhal.sim.chips.engine import RowChip, made_of
from powerhal.sim.chips.rows import Cell, Command, Result, Spec

# ADC setting (4 bits) -> microseconds and lost low bits; bit 3 of the setting selects averaging
_SINGLE = ((84, 3), (148, 2), (276, 1), (532, 0))
_AVERAGED_US = (532, 1060, 2130, 4260, 8510, 17020, 34050, 68100)
_SADC, _BADC = 3, 7  # where the settings of shunt and bus begin in CONFIG
_POWER_ON, _CONFIG, _BUS = 0x399F, 0x00, 0x100  # the bus's whole steps, which no pointer reaches as they are


def _code(chip: RowChip, at: int) -> int:
    return chip.values[_CONFIG] >> at & 15


def _us(code: int) -> int:
    return _AVERAGED_US[code & 7] if code & 8 else _SINGLE[code & 3][0]


def _cycle(chip: RowChip) -> int:
    """Nanoseconds of one round: shunt, bus, or both (MODE bits 0, 1); MODE 4 is the converter switched off."""
    mode = chip.values[_CONFIG]
    return 1000 * ((mode & 1) * _us(_code(chip, _SADC)) + (mode >> 1 & 1) * _us(_code(chip, _BADC)))


def _once(chip: RowChip) -> bool:
    return chip.values[_CONFIG] & 7 < 4


def _samples(at: int) -> Callable[[RowChip], int]:
    return lambda chip: 1 << (_code(chip, at) & 7) if _code(chip, at) & 8 else 1


def _lost(at: int) -> Callable[[RowChip], int]:
    return lambda chip: 0 if _code(chip, at) & 8 else _SINGLE[_code(chip, at) & 3][1]


def _gain_range(chip: RowChip) -> tuple[int, int]:
    """PG (bits 11, 12): 40 mV in 4000 steps, then twice as much each."""
    full = 4000 << (chip.values[_CONFIG] >> 11 & 3)
    return -full, full


def _bus_range(chip: RowChip) -> tuple[int, int]:
    return 0, 8000 if chip.values[_CONFIG] & 0x2000 else 4000


def _results(shunt: int) -> tuple[Result, Result]:
    """10 uV and 4 mV steps. Limits of the A grade over temperature, wide ranges: 100 uV + 1 %, 8 mV + 1 %."""
    return (
        Result(shunt, "shunt", Fraction(10, 10**6), limits=(100e-6, 1e-2), luck=(60e-6, 5e-3, 6e-6), told="shunt",
               samples=_samples(_SADC), lost=_lost(_SADC), ends=_gain_range, when=((_CONFIG, 1),)),
        Result(_BUS, "volts", Fraction(4, 1000), limits=(8e-3, 1e-2), luck=(6e-3, 5e-3, 1.5e-3), told="voltage",
               samples=_samples(_BADC), lost=_lost(_BADC), ends=_bus_range, when=((_CONFIG, 2),), within=(0.0, 26.0)),
    )  # fmt: skip


def _product(shunt: int, bus: int, calibration: int) -> tuple[int, int, bool]:
    """CURRENT = shunt * CAL / 4096, POWER = |CURRENT| * bus / 5000, and whether either was too large."""
    current = int(Fraction(shunt * calibration, 4096))  # cut towards zero
    power = abs(current) * bus // 5000
    over = not -32768 <= current <= 32767 or power > 0xFFFF
    return max(-32768, min(32767, current)), min(power, 0xFFFF), over


def _ina219(chip: RowChip) -> None:
    """BUS holds the ready (1) and overflow (0) bits below its steps."""
    v = chip.values
    v[4], v[3], over = _product(v[1], v[_BUS], v[5])
    v[2] = v[_BUS] << 3 | v[2] & 2 | over


Ina219 = made_of(Spec(
    results=_results(1), shunt_ohms=0.1,
    cells={_CONFIG: Cell(por=_POWER_ON, writable=0x3FFF), 2: Cell(), 3: Cell(), 4: Cell(), 5: Cell(writable=0xFFFE)},
    cycle_ns=_cycle, single=_once, restart=(_CONFIG,), ready=(2, 2, 3), compute=_ina219,
    commands=(Command(_CONFIG, 0x8000, RowChip.reset, 0x8000),),
))  # fmt: skip

# ---- INA209: shunt, bus, power, current at 3 to 6, flags in STATUS, highest and lowest of each behind
_STATUS, _PEAKS = 0x01, {0x07: 0x8000, 0x08: 0x7FFF, 0x09: 0, 0x0A: 0x1FFF << 3, 0x0B: 0}


def _signed(word: int) -> int:
    return (word ^ 0x8000) - 0x8000


def _ina209(chip: RowChip) -> None:
    v = chip.values
    v[6], v[5], over = _product(v[3], v[_BUS], v[0x16])
    v[4] = v[_BUS] << 3
    v[_STATUS] = v[_STATUS] & 0x20 | over << 4


def _extremes(chip: RowChip) -> None:
    v = chip.values
    v[7], v[8] = max(_signed(v[7]), v[3]) & 0xFFFF, min(_signed(v[8]), v[3]) & 0xFFFF
    v[9], v[10], v[11] = max(v[9], v[4]), min(v[10], v[4]), max(v[11], v[5])


def _clear_peaks(chip: RowChip) -> None:
    chip.values |= _PEAKS


Ina209 = made_of(Spec(
    results=_results(3), shunt_ohms=0.1,
    cells={_CONFIG: Cell(por=_POWER_ON, writable=0x3FFF), _STATUS: Cell(), 0x02: Cell(writable=0xFFFF), 4: Cell(),
           5: Cell(), 6: Cell(), **{at: Cell(por=word) for at, word in _PEAKS.items()},
           **{at: Cell(writable=0xFFFF) for at in range(0x0C, 0x16)}, 0x16: Cell(writable=0xFFFE)},
    cycle_ns=_cycle, single=_once, restart=(_CONFIG,), ready=(_STATUS, 0x20, 5), compute=_ina209, keep=_extremes,
    commands=(Command(_CONFIG, 0x8000, RowChip.reset, 0x8000), *(Command(at, 0, _clear_peaks, 0) for at in _PEAKS)),
))  # fmt: skip
