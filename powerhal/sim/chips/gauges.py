"""Gauges of Maxim, ON, Cellwise, ST, Linear and Smart Battery on the wire, one row of numbers each.

Sources: Linux drivers/power/supply (max17040, max17042, sbs, cw2015, ds2782, ltc2941, stc3117) for registers and
steps; LC709203F data sheet for its words and check byte. Current counts + into the battery in all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from powerhal.sim.chips.engine import RowChip, made_of
from powerhal.sim.chips.rows import Cell, Command, Result, Spec, Sum, every

_MILLI, _MICRO = Fraction(1, 1000), Fraction(1, 10**6)


# ---- MAX17040 to MAX17059: voltage and a model's charge, no current
def _modelgauge(cell_uv: Fraction, shift: int, version: int, reset: int) -> Spec:
    top = 0xFFFF >> shift
    words = {0x06: Cell(writable=0), 0x08: Cell(2, version), 0x0C: Cell(2, 0x9700 if shift else 0x971C, 0xFFFF)}
    later = {0x0A: Cell(2, 0x8030, 0xFFFF), 0x14: Cell(2, 0x00FF, 0xFFFF), 0x16: Cell(),
             0x18: Cell(2, 0x9600, 0xFF00), 0x1A: Cell(2, 0x0100, 0xFF00)}  # fmt: skip
    return Spec(
        walk="bytes", first=True, cycle_ns=every(0.25),
        results=(
            Result(0x02, "volts", cell_uv * _MICRO, 0, top, shift, limits=(12.5e-3, 1e-3), told="voltage"),
            Result(0x04, "percent", Fraction(1, 256), 0, 110 * 256, told="soc"),
        ),
        cells={**words, **(later if not shift else {}), 0xFE: Cell()},
        commands=(Command(0xFE, reset, RowChip.reset),),
    )  # fmt: skip


Max17040 = made_of(_modelgauge(Fraction(1250), 4, 0x0002, 0x0054))
Max17041 = made_of(_modelgauge(Fraction(2500), 4, 0x0002, 0x0054))
Max17043 = made_of(_modelgauge(Fraction(1250), 4, 0x0003, 0x0054))
Max17044 = made_of(_modelgauge(Fraction(2500), 4, 0x0003, 0x0054))
Max17058 = made_of(_modelgauge(Fraction(625, 8), 0, 0x0011, 0x5400))
Max17059 = made_of(_modelgauge(Fraction(625, 4), 0, 0x0011, 0x5400))


# ---- MAX17042 to MAX17055: little-endian words by number, steps in volts and volt-hours over the sense resistor
def _m5(name: int) -> Spec:
    current, hours = Fraction(25, 16) * _MICRO, 5 * _MICRO

    def counter(chip: RowChip, elapsed_ns: int) -> Fraction:
        return chip.values[0x0A] * current * elapsed_ns / (3600 * 10**9) / hours

    def hour_step(chip: RowChip) -> Fraction:
        return hours / Fraction(chip.shunts_ohms[0])

    return Spec(
        order="little", first=True, cycle_ns=every(0.17578),
        results=(
            Result(0x09, "volts", Fraction(625, 8) * _MICRO, 0, 0xFFFF, limits=(7.5e-3, 1e-3), told="voltage"),
            Result(0x19, "volts", Fraction(625, 8) * _MICRO, 0, 0xFFFF),
            Result(0x0A, "into_drop", current, limits=(10e-6, 1e-2), told="current"),
            Result(0x0B, "into_drop", current),
            Result(0x08, "celsius", Fraction(1, 256), limits=(1.0, 0.0), told="temperature"),
            Result(0x06, "percent", Fraction(1, 256), 0, 0xFFFF, told="soc"),
            Result(0xFF, "percent", Fraction(1, 256), 0, 0xFFFF),
            Result(0x05, "left_ah_ohms", hours, 0, 0xFFFF),
            Result(0x10, "full_ah_ohms", hours, 0, 0xFFFF),
            Result(0x18, "full_ah_ohms", hours, 0, 0xFFFF),
        ),
        cells={0x00: Cell(2, 0x0002, 0xFFFF), 0x01: Cell(2, 0xFF00, 0xFFFF), 0x02: Cell(2, 0x7F80, 0xFFFF),
               0x03: Cell(2, 0xFF00, 0xFFFF), 0x07: Cell(2, 100 << 8), 0x11: Cell(2, 0xFFFF),
               0x12: Cell(2, 0x1000, 0xFFFF), 0x17: Cell(), 0x1B: Cell(2, 0x00FF, 0xFFFF),
               0x1D: Cell(2, 0x2350, 0xFFFF), 0x1E: Cell(2, 0x03C0, 0xFFFF),
               0x20: Cell(2, 0xFFFF), 0x21: Cell(2, name), 0x29: Cell(2, 0x5A5A, 0xFFFF), 0x2B: Cell(2, 0x0018, 0xFFFF),
               0x3D: Cell(2, 0, 0xFFFF), 0x4D: Cell(), 0xFB: Cell(2, 0xB000)},
        sums=(Sum(0x4D, counter, hour_step, 16),), compute=_extremes,
    )  # fmt: skip


def _extremes(chip: RowChip) -> None:
    """MinMaxVolt: greatest cell voltage in the high byte, smallest in the low, 20 mV each."""
    v = chip.values
    now = v[0x09] // 256
    v[0x1B] = max(v[0x1B] >> 8, now) << 8 | min(v[0x1B] & 0xFF, now)


Max17042, Max17047, Max17055 = (made_of(_m5(name)) for name in (0x0092, 0x00AC, 0x4010))
Max17050 = Max17047


# ---- Smart Battery Data Specification 1.1: every word with its check byte
def _sbs_unit(ampere: Fraction, watt: Fraction) -> Callable[[RowChip], Fraction]:
    """BatteryMode bit 15 turns capacities from 1 mAh into 10 mWh (at the voltage of the pack)."""
    return lambda chip: watt / (Fraction(chip.values[0x09], 1000) or 1) if chip.values[0x03] & 0x8000 else ampere


def _sbs_status(chip: RowChip) -> None:
    v = chip.values
    soc = v[0x0D]
    v[0x16] = 0x80 | (0x40 if v[0x0A] < 0 else 0) | (0x20 if soc >= 100 else 0) | (0x10 if soc == 0 else 0)


_CAPACITY = _sbs_unit(_MILLI, Fraction(1, 100))


def _text(line: str) -> Cell:
    """An SMBus block: its length, then the characters."""
    return Cell(1 + len(line), int.from_bytes(bytes((len(line),)) + line.encode(), "little"))


Sbs = made_of(Spec(
    order="little", pec=0x0B, first=True, cycle_ns=every(1.0), compute=_sbs_status,
    results=(
        Result(0x09, "volts", _MILLI, 0, 0xFFFF, limits=(15e-3, 2e-3), told="voltage"),
        Result(0x0A, "into", _MILLI, limits=(5e-3, 1e-2), told="current"),
        Result(0x0B, "into", _MILLI),
        Result(0x08, "celsius", Fraction(1, 10), 2331, 3731, zero=2731, limits=(2.0, 0.0), told="temperature"),
        Result(0x0D, "percent", Fraction(1), 0, 100, told="soc"),
        Result(0x0E, "percent", Fraction(1), 0, 100),
        Result(0x0F, "left_ah", _CAPACITY, 0, 0xFFFF),
        Result(0x10, "full_ah", _CAPACITY, 0, 0xFFFF),
        Result(0x18, "full_ah", _CAPACITY, 0, 0xFFFF),
    ),
    cells={0x00: Cell(writable=0xFFFF), 0x01: Cell(writable=0xFFFF), 0x02: Cell(writable=0xFFFF),
           0x03: Cell(writable=0xE700), 0x0C: Cell(por=2), 0x11: Cell(por=0xFFFF), 0x12: Cell(por=0xFFFF),
           0x13: Cell(por=0xFFFF), 0x14: Cell(por=2000), 0x15: Cell(por=12600), 0x16: Cell(), 0x17: Cell(por=20),
           0x19: Cell(por=11100), 0x1A: Cell(por=0x0031), 0x1B: Cell(por=0x5785), 0x1C: Cell(por=1234),
           0x20: _text("Texas"), 0x21: _text("bq40z50"), 0x22: _text("LION")},
))  # fmt: skip

# ---- LC709203F: words with a check byte, 0.1 K, 0.1 %
Lc709203f = made_of(Spec(
    order="little", pec=0x0B, first=True, cycle_ns=every(1.0),
    results=(
        Result(0x09, "volts", _MILLI, 0, 5000, limits=(7.5e-3, 1e-3), told="voltage"),
        Result(0x0F, "percent", Fraction(1, 10), 0, 1000, told="soc"),
        Result(0x0D, "percent", Fraction(1), 0, 100),
        Result(0x08, "kelvin", Fraction(1, 10), 2332, 3732, limits=(2.0, 0.0), told="temperature"),
    ),
    cells={0x06: Cell(2, 0x0D34, 0xFFFF), 0x0A: Cell(writable=0xFFFF), 0x0B: Cell(writable=0xFF), 0x11: Cell(2, 0x2717),
           0x12: Cell(writable=1), 0x13: Cell(2, 8, 0x7F), 0x14: Cell(writable=0xFFFF), 0x15: Cell(2, 2, 3),
           0x16: Cell(writable=1), 0x1A: Cell(2, 0x0504)},
))  # fmt: skip

# ---- CW2015: wakes asleep (MODE 0xC0), 14 bits of 305 uV
Cw2015 = made_of(Spec(
    walk="bytes", cycle_ns=lambda chip: 0 if chip.values[0x0A] & 0xC0 else 225_000_000, restart=(0x0A,),
    results=(
        Result(0x02, "volts", 305 * _MICRO, 0, 0x3FFF, limits=(10e-3, 2e-3), told="voltage"),
        Result(0x04, "percent", Fraction(1, 256), 0, 100 * 256, told="soc"),
    ),
    cells={0x00: Cell(1, 0x73), 0x06: Cell(2, 0x1FFF), 0x08: Cell(1, 0x18, 0xFF), 0x09: Cell(1),
           0x0A: Cell(1, 0xC0, 0xFF),
           **{at: Cell(1, 0, 0xFF) for at in range(0x10, 0x50)}},
))  # fmt: skip


# ---- STC3117: little-endian; 5.88 uV over the sense resistor in fourteen bits, 2.2 mV, 1/512 %
def _stc_converted(chip: RowChip) -> None:
    """COUNTER counts conversions; OCV here is the cell's voltage in quarter steps."""
    chip.values[0x04] = (chip.values[0x04] + 1) & 0xFFFF


_STC_V = Fraction(9011, 4096) * _MILLI
Stc3117 = made_of(Spec(
    order="little", walk="bytes", first=True, cycle_ns=every(0.5), keep=_stc_converted,
    results=(
        Result(0x02, "percent", Fraction(1, 512), 0, 51200, told="soc"),
        Result(0x06, "into_drop", Fraction(24084, 4096) * _MICRO, -8192, 8191, limits=(20e-6, 1e-2), told="current"),
        Result(0x08, "volts", _STC_V, 0, 0xFFFF, limits=(10e-3, 2e-3), told="voltage"),
        Result(0x0A, "celsius", Fraction(1), -128, 127, limits=(3.0, 0.0), told="temperature"),
        Result(0x0D, "volts", _STC_V / 4, 0, 0xFFFF),
    ),
    cells={0x00: Cell(1, 0x09, 0xFF), 0x01: Cell(1, 0x1A, 0x1F), 0x04: Cell(), 0x0A: Cell(1), 0x0B: Cell(),
           0x0F: Cell(2, 395, 0xFFFF), 0x11: Cell(2, 321, 0xFFFF), 0x18: Cell(1, 0x16),
           **{at: Cell(1, 0, 0xFF) for at in range(0x20, 0x30)}},
))  # fmt: skip

# ---- DS2782: eleven bits at the top of sixteen; the sense resistor as a conductance in RSNSP
Ds2782 = made_of(Spec(
    walk="bytes", shunt_ohms=0.02, first=True, cycle_ns=every(0.44),
    results=(
        Result(0x0C, "volts", Fraction(488, 10**5), 0, 0x3FF, 5, limits=(10e-3, 2e-3), told="voltage"),
        Result(0x0E, "into_drop", Fraction(25, 16) * _MICRO, limits=(10e-6, 1e-2), told="current"),
        Result(0x0A, "celsius", Fraction(1, 8), -1024, 1023, 5, limits=(3.0, 0.0), told="temperature"),
        Result(0x06, "percent", Fraction(1), 0, 100, told="soc"),
    ),
    cells={0x00: Cell(1, 0x02, 0xFF), 0x01: Cell(1, 0x02, 0xFF), 0x02: Cell(), 0x04: Cell(), 0x06: Cell(1),
           0x07: Cell(1), 0x08: Cell(), 0x10: Cell(2, 0, 0xFFFF), 0x69: Cell(1, 0x32, 0xFF)},
))  # fmt: skip


# ---- LTC2941 to LTC2944: a counter that starts in its middle and stops at its ends; prescaler in CONTROL bits 5:3
def _counter(step_ah: Callable[[int], Fraction]) -> Sum:
    def unit(chip: RowChip) -> Fraction:
        return step_ah(chip.values[0x01] >> 3 & 7) / 20 / Fraction(chip.shunts_ohms[0])  # figures are for 50 mOhm

    def gain(chip: RowChip, elapsed_ns: int) -> Fraction:
        signal, now = chip.signals[0], chip.now()
        amperes = Fraction(signal.amperes(now - elapsed_ns, now)) if signal else Fraction(0)
        return -amperes * elapsed_ns / (3600 * 10**9) / unit(chip)

    return Sum(0x02, gain, unit, 16, stops=True, start=0x7FFF)


def _small(code: int) -> Fraction:
    return Fraction(85 << code, 128 * 10**6)


def _large(code: int) -> Fraction:
    return Fraction(34, 10**5) / (1, 4, 16, 64, 256, 1024, 4096)[max(0, 6 - code)]


def _ltc(status: int, step_ah: Callable[[int], Fraction], *results: Result, extra: tuple[int, ...] = ()) -> Spec:
    return Spec(
        walk="bytes", shunt_ohms=0.05, results=results, sums=(_counter(step_ah),), first=True,
        cycle_ns=every(0.1),
        cells={0x00: Cell(1, status), 0x01: Cell(1, 0x3C, 0xFF), 0x02: Cell(2, 0x7FFF, 0xFFFF),
               0x04: Cell(2, 0xFFFF, 0xFFFF),
               0x06: Cell(2, 0, 0xFFFF), **{at: Cell(2, 0, 0xFFFF) for at in extra}},
    )  # fmt: skip


_MODE = (0x01, 0xC0)  # the converter runs when CONTROL 7:6 says so


def _volts(full: Fraction) -> Result:
    return Result(0x08, "volts", full / 65535, 0, 0xFFFF, limits=(0.0, 1e-2), when=(_MODE,), told="voltage")


def _kelvin(register: int, full: int) -> Result:
    return Result(register, "kelvin", Fraction(full, 65535), 0, 0xFFFF, limits=(3.0, 0.0), when=(_MODE,))


def _amps(full_v: Fraction) -> Result:
    return Result(0x0E, "into_drop", full_v / 32767, 0, 0xFFFF, zero=32767, limits=(50e-6, 1e-2), when=(_MODE,),
                  told="current")  # fmt: skip


Ltc2941 = made_of(_ltc(0x81, _small))
Ltc2942 = made_of(_ltc(0x01, _small, _volts(Fraction(6)), _kelvin(0x0C, 600), extra=(0x0A, 0x0E)))
_LIMITS = (0x0A, 0x0C, 0x10, 0x12, 0x16)
Ltc2943 = made_of(_ltc(0x01, _large, _volts(Fraction(118, 5)), _amps(60 * _MILLI), _kelvin(0x14, 510), extra=_LIMITS))
Ltc2944 = made_of(_ltc(0x01, _large, _volts(Fraction(354, 5)), _amps(64 * _MILLI), _kelvin(0x14, 510), extra=_LIMITS))
