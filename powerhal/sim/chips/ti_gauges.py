"""TI bq27xxx, bq34z100 and first-generation bq27000/010 on the wire: little-endian memory, one round a second.

Sources: register numbers by variant from Linux drivers/power/supply/bq27xxx_battery.c, units from the parts' technical
references (mV, mA with + = charging, mAh, 0.1 K with 0 degC = 2731; first generation: 3.57 uV and 0.25 K steps).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from powerhal.sim.chips.engine import RowChip, made_of
from powerhal.sim.chips.rows import PERFECT, Cell, Command, Result, Spec, View, every

_MILLI = Fraction(1, 1000)
_FLAGS, _CONTROL = "flags", 0x00
# name in the variant rows -> (quantity, step, zero, limits, told)
_MEANING: dict[str, tuple[str, Fraction, float, tuple[float, float], str]] = {
    "temp": ("celsius", Fraction(1, 10), 2731, (1.0, 0.0), "temperature"),
    "int_temp": ("celsius", Fraction(1, 10), 2731, (3.0, 0.0), ""),
    "volt": ("volts", _MILLI, 0, (5e-3, 1e-3), "voltage"),
    "ai": ("into", _MILLI, 0, (2e-3, 1e-2), "current"),
    "nac": ("left_ah", _MILLI, 0, (0.0, 0.0), ""),
    "rc": ("left_ah", _MILLI, 0, (0.0, 0.0), ""),
    "fcc": ("full_ah", _MILLI, 0, (0.0, 0.0), ""),
    "dcap": ("full_ah", _MILLI, 0, (0.0, 0.0), ""),
    "ap": ("watts_into", _MILLI, 0, (0.0, 0.0), ""),
    "soc": ("percent", Fraction(1), 0, (0.0, 0.0), "soc"),
}
_RANGE = {"temp": (2331, 3731), "int_temp": (2331, 3731), "ai": (-0x8000, 0x7FFF), "ap": (-0x8000, 0x7FFF),
          "soc": (0, 100), "volt": (0, 6000)}  # fmt: skip
_STARTING = {"tte": 0xFFFF, "ttf": 0xFFFF, "cyct": 12, "ae": 0}
_ANSWERS = {0x0000: 0x008C, 0x0002: 0x0109, 0x0008: 0x0128}

COMMON = {"temp": 0x06, "volt": 0x08, "ai": 0x14, _FLAGS: 0x0A, "tte": 0x16, "rc": 0x10, "fcc": 0x12}


def _classic(numbers: dict[str, int]) -> Callable[[RowChip], None]:
    """Flags of the bq27 families: discharging 0, low 1 and 2, full 9; bits 4 and 5 (set-up) are kept."""

    def compute(chip: RowChip) -> None:
        v = chip.values
        soc = v[numbers["soc"]]
        flags = (1 if v[numbers["ai"]] < 0 else 0) | (2 if soc <= 2 else 0) | (4 if soc <= 10 else 0) | 8
        v[numbers[_FLAGS]] = v[numbers[_FLAGS]] & 0x0030 | flags | (0x200 if soc >= 100 else 0)

    return compute


def _battery_status(numbers: dict[str, int]) -> Callable[[RowChip], None]:
    """The SBS word: fully discharged 4, full 5, discharging 6, initialised 7."""

    def compute(chip: RowChip) -> None:
        v = chip.values
        soc = v[numbers["soc"]]
        flags = 0x80 | (0x10 if soc == 0 else 0) | (0x20 if soc >= 100 else 0)
        v[numbers[_FLAGS]] = flags | (0x40 if v[numbers["ai"]] < 0 else 0)

    return compute


def _answering(device: int) -> Callable[[RowChip, int], None]:
    """CONTROL() answers the subcommand that was written to it."""

    def answer(chip: RowChip, register: int) -> None:
        if register == _CONTROL:
            chip.values[0] = {**_ANSWERS, 0x0001: device}.get(chip.values[0], chip.values[0])

    return answer


def gauge(device: int, numbers: dict[str, int], *, sbs: bool = False, cells: float = 1, tenfold: bool = False,
          remembers: bool = True) -> Spec:  # fmt: skip
    """A variant by its register numbers; `remembers` False: set-up lives in RAM, so ITPOR (bit 5) is up at power-on."""
    rows = []
    for name, at in numbers.items():
        if name not in _MEANING:
            continue
        quantity, step, zero, limits, told = _MEANING[name]
        low, high = _RANGE.get(name, (0, 0xFFFF))
        if name == "ap" and tenfold:
            step *= 10
        high = int(high * cells) if name == "volt" else high
        rows.append(Result(at, quantity, step, low, high, zero=zero, limits=limits, told=told))
    memory = {at: Cell(2, _STARTING.get(name, 0)) for name, at in numbers.items()}
    memory[_CONTROL] = Cell(writable=0xFFFF)
    memory[numbers[_FLAGS]] = Cell(por=0 if remembers else 0x0020)
    if tenfold:
        memory[numbers["soc"]], memory[0x03] = Cell(1), Cell(1, 1)
    return Spec(
        order="little", walk="bytes", results=tuple(rows), cells=memory, cycle_ns=every(1.0), first=True,
        compute=_battery_status(numbers) if sbs else _classic(numbers), answer=_answering(device),
        commands=(Command(_CONTROL, 0x0041, RowChip.reset),),
    )  # fmt: skip


_N = {**COMMON, "nac": 0x0C}
Bq27426 = made_of(gauge(0x0426, {
    "temp": 0x02, "int_temp": 0x1E, "volt": 0x04, "ai": 0x10, _FLAGS: 0x06, "nac": 0x08, "rc": 0x0C, "fcc": 0x0E,
    "soc": 0x1C, "ap": 0x18}, remembers=False))  # fmt: skip
Bq27500 = made_of(gauge(0x0500, {**_N, "ttf": 0x18, "cyct": 0x2A, "ae": 0x22, "soc": 0x2C, "dcap": 0x3C, "ap": 0x24}))
Bq27510g3 = made_of(gauge(0x0510, {**_N, "int_temp": 0x28, "cyct": 0x1E, "soc": 0x20, "dcap": 0x2E}))
Bq27520g4 = made_of(gauge(0x0520, {**_N, "int_temp": 0x28, "cyct": 0x1E, "soc": 0x20}))
Bq27530 = made_of(gauge(0x0530, {**_N, "int_temp": 0x32, "cyct": 0x2A, "soc": 0x2C, "ap": 0x24}))
Bq27541 = made_of(gauge(0x0541, {**_N, "int_temp": 0x28, "cyct": 0x2A, "soc": 0x2C, "dcap": 0x3C, "ap": 0x24}))
Bq27545 = made_of(gauge(0x0545, {**_N, "int_temp": 0x28, "cyct": 0x2A, "soc": 0x2C, "ap": 0x24}))
_Z = {**COMMON, "ttf": 0x18, "cyct": 0x2A, "soc": 0x2C, "dcap": 0x3C, "ap": 0x22}
Bq27z561 = made_of(gauge(0x1561, _Z, sbs=True))
Bq78z100 = made_of(gauge(0x0078, {**_Z, "int_temp": 0x28}, sbs=True))
Bq34z100 = made_of(gauge(0x0100, {
    "temp": 0x0C, "int_temp": 0x2A, "volt": 0x08, "ai": 0x0A, _FLAGS: 0x0E, "tte": 0x18, "ttf": 0x1A, "rc": 0x04,
    "fcc": 0x06, "cyct": 0x2C, "ae": 0x24, "soc": 0x02, "dcap": 0x3C, "ap": 0x26}, cells=10, tenfold=True))  # fmt: skip


# ---- bq27441: set-up lives in RAM, so ITPOR is up until somebody ends it (0x0042); capacities follow from the charge
_MILLIVOLTS, _FULL_MAH, _MILLIAMPERES = 0x04, 0x0E, 0x10
_UNKNOWN = 0x10000  # reads as 0, and is no subcommand


def _bq27441(chip: RowChip) -> None:
    """Whole mAh of FullChargeCapacity that are left, mV * mA as mW, flags; the inside is 1.5 K warmer than the cell."""
    v = chip.values
    left = min(1.0, max(0.0, View(chip.signals[0], chip.shunts_ohms[0], *chip.round_ns).cell("charge_fraction", 0.5)))
    v[0x08] = v[0x0C] = int(left * v[_FULL_MAH])
    v[0x0A] = v[0x3C] = v[_FULL_MAH]
    v[0x18] = v[_MILLIVOLTS] * v[_MILLIAMPERES] // 1000
    v[0x1E] = v[0x02] + 15
    soc = v[0x1C]
    flags = (1 if v[_MILLIAMPERES] < 0 else 0) | (4 if soc <= 10 else 0) | 8 | (0x200 if soc >= 100 else 0)
    v[0x06] = v[0x06] & 0x0020 | flags


def _end_set_up(chip: RowChip) -> None:
    chip.values[_CONTROL], chip.values[0x06] = 0x0042, chip.values[0x06] & ~0x0020


def _asked(chip: RowChip, register: int) -> None:
    """CONTROL() answers the subcommand that was written to it, 0 to what it does not know."""
    if register == _CONTROL:
        answers, asked = {**_ANSWERS, 0x0001: 0x0421}, chip.values[_CONTROL]
        chip.values[_CONTROL] = answers.get(asked, asked if asked in answers.values() else _UNKNOWN)


# Limits: voltage 5 mV + 0.1 %, current 2 mA + 1 % (sense resistor included).
Bq27441 = made_of(Spec(
    order="little", walk="bytes", first=True, oscillator=0.0, compute=_bq27441, answer=_asked,
    results=(
        Result(_MILLIVOLTS, "volts", _MILLI, 0, 0xFFFF, limits=(5e-3, 1e-3), luck=(5e-3, 1e-3, 0.5e-3), told="voltage",
               within=(2.45, 4.5)),
        Result(_MILLIAMPERES, "into", _MILLI, limits=(1.6e-3, 1e-2), luck=(2e-3, 1e-2, 0.4e-3), told="current",
               within=(-2.0, 2.0)),
        Result(0x02, "celsius", Fraction(1, 10), 0, 0xFFFF, zero=2731, luck=PERFECT),
        Result(_FULL_MAH, "full_ah", _MILLI, 0, 0xFFFF, luck=PERFECT),
        Result(0x1C, "percent", Fraction(1), 0, 100, luck=PERFECT),
    ),
    cells={_CONTROL: Cell(writable=_UNKNOWN | 0xFFFF), 0x06: Cell(por=0x0020), 0x12: Cell(por=0xFFF6),
           0x14: Cell(por=0xFE0C), 0x20: Cell(por=0x0364), 0x08: Cell(), 0x0A: Cell(), 0x0C: Cell(), 0x18: Cell(),
           0x1E: Cell(), 0x3C: Cell()},
    commands=(Command(_CONTROL, 0x0041, RowChip.reset), Command(_CONTROL, 0x0042, _end_set_up)),
))  # fmt: skip

# ---- first generation: magnitudes, with the direction in FLAGS bit 7
_STEP = Fraction(357, 10**8)


def _first_flags(chip: RowChip) -> None:
    v, view = chip.values, chip.signals[0]
    now = chip.now()
    charging = view is not None and view.amperes(now - 1, now) < 0
    soc = v[0x0B]
    v[0x0A] = (0x80 if charging else 0) | (0x20 if soc >= 100 else 0) | (2 if soc <= 10 else 0) | (1 if soc <= 2 else 0)


def _first(energy: bool) -> Spec:
    more = {0x22: Cell(), 0x24: Cell()} if energy else {}
    return Spec(
        order="little", walk="bytes", shunt_ohms=0.02, first=True, cycle_ns=every(2.56), compute=_first_flags,
        results=(
            Result(0x06, "celsius", Fraction(1, 4), 0, 0xFFFF, zero=1092.4, limits=(3.0, 0.0), told="temperature"),
            Result(0x08, "volts", _MILLI, 0, 6000, limits=(20e-3, 2e-3), told="voltage"),
            Result(0x0B, "percent", Fraction(1), 0, 100, told="soc"),
            Result(0x0C, "left_ah_ohms", _STEP, 0, 0xFFFF),
            Result(0x12, "full_ah_ohms", _STEP, 0, 0xFFFF),
            Result(0x14, "drop_size", _STEP, 0, 0xFFFF, limits=(40e-6, 1e-2)),
            Result(0x76, "full_ah_ohms", 256 * _STEP, 0, 0xFF),
        ),
        cells={0x0A: Cell(1), 0x0B: Cell(1), 0x16: Cell(2, 0xFFFF), 0x18: Cell(2, 0xFFFF), 0x2A: Cell(2, 12),
               0x76: Cell(1), **more},
    )  # fmt: skip


Bq27000, Bq27010 = made_of(_first(True)), made_of(_first(False))
