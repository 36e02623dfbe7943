"""LTC2945 and PAC1931 to PAC1934 on the wire.

Sources: LTC2945 data sheet and Linux drivers/hwmon/ltc2945.c; PAC193x data sheet (DS20005850) and Linux
drivers/iio/adc/pac1934.c. The PAC193x answers what the last REFRESH (0x00, also clears the sums) or REFRESH_V (0x1F)
took over, one millisecond after it; its sums stop at their ends.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from powerhal.sim.chips.base import Wiring
from powerhal.sim.chips.engine import RowChip, made_of
from powerhal.sim.chips.rows import Cell, Command, Result, Spec, Step, Sum

# ---- LTC2945: twelve bits at the top of sixteen, 24-bit product, each with its extremes behind it
_CONTROL, _POWER, _SENSE, _VIN, _ADIN = 0x00, 0x05, 0x14, 0x1E, 0x28


def _ltc2945_products(chip: RowChip) -> None:
    """POWER = SENSE * (VIN or, CONTROL bit 0 clear, ADIN)."""
    v = chip.values
    v[_POWER] = v[_SENSE] * v[_VIN if v[_CONTROL] & 1 else _ADIN]


def _ltc2945_extremes(chip: RowChip) -> None:
    v = chip.values
    for at, nbytes, shift in ((_POWER, 3, 0), (_SENSE, 2, 4), (_VIN, 2, 4), (_ADIN, 2, 4)):
        v[at + nbytes] = max(v[at + nbytes], v[at] << shift)
        v[at + 2 * nbytes] = min(v[at + 2 * nbytes], v[at] << shift)


_EXTREMES = {at + n: Cell(n, writable=(1 << 8 * n) - 1) for at, n in ((5, 3), (0x14, 2), (0x1E, 2), (0x28, 2))}
_TROUGHS = {
    at + 2 * n: Cell(n, (1 << 8 * n) - 1, (1 << 8 * n) - 1) for at, n in ((5, 3), (0x14, 2), (0x1E, 2), (0x28, 2))
}
Ltc2945 = made_of(Spec(
    walk="bytes", shunt_ohms=0.02,
    results=(
        Result(_SENSE, "shunt", Fraction(25, 10**6), 0, 0xFFF, 4, limits=(25e-6, 7.5e-3), told="shunt"),
        Result(_VIN, "volts", Fraction(25, 1000), 0, 0xFFF, 4, limits=(25e-3, 7.5e-3), told="voltage"),
        Result(_ADIN, "volts", Fraction(1, 2000), 0, 0xFFF, 4),
    ),
    cells={_CONTROL: Cell(1, 0x05, 0xFF), 0x01: Cell(1, 0, 0xFF), 0x02: Cell(1), 0x03: Cell(1, 0, 0xFF),
           0x04: Cell(1), _POWER: Cell(3), **_EXTREMES, **_TROUGHS},
    cycle_ns=lambda chip: 133_000_000, first=True, compute=_ltc2945_products,
    keep=_ltc2945_extremes,
))  # fmt: skip

# ---- PAC193x: pointer walks register by register; 0x10 bits of signed results when an input is bipolar
_RATES = (1024, 256, 64, 8)
_CTRL, _COUNT, _DISABLE, _SIGNED = 0x01, 0x02, 0x1C, 0x1D
_MS = 1_000_000


def _rate(chip: RowChip) -> int:
    return _RATES[chip.values[_CTRL] >> 6]


def _pac_cycle(chip: RowChip) -> int:
    return 0 if chip.values[_CTRL] & 0x20 else round(10**9 / _rate(chip))


def _amps(n: int) -> tuple[int, int]:
    return _SIGNED, 0x80 >> n


def _volts(n: int) -> tuple[int, int]:
    return _SIGNED, 0x08 >> n


def _set(chip: RowChip, bits: tuple[int, int]) -> int:
    return 1 if chip.values[bits[0]] & bits[1] else 0


def _full(full: Fraction, bits: tuple[int, int]) -> Step:
    """Full scale in 2^16 steps, or 2^15 when the input goes both ways."""
    return lambda chip: full / (1 << 16 - _set(chip, bits))


def _ends(bits: tuple[int, int]) -> Callable[[RowChip], tuple[int, int]]:
    return lambda chip: (-0x8000, 0x7FFF) if _set(chip, bits) else (0, 0xFFFF)


def _powers(chip: RowChip) -> None:
    """POWER = volts * amperes in 28 bits: the four lowest bits of the product are lost, three with volts both ways."""
    v = chip.values
    for n in range(chip.spec.inputs):
        for at in (0x07 + n, 0x0B + n):
            v[at + 8] = v[at]  # the rolling mean of eight: the same for what does not move
        product = v[0x0B + n] * v[0x07 + n]
        v[0x17 + n] = product >> 4 if not _set(chip, _volts(n)) else product >> 3


def _samples(chip: RowChip, elapsed_ns: int) -> Fraction:
    return Fraction(round(Fraction(elapsed_ns * _rate(chip), 10**9)))


def _energy(n: int) -> Sum:
    """Sums POWER of every sample; a step is 3.2 V^2 / shunt / 2^28 (2^27 both ways) / rate joules."""

    def gain(chip: RowChip, elapsed_ns: int) -> Fraction:
        return chip.values[0x17 + n] * _samples(chip, elapsed_ns)

    def unit(chip: RowChip) -> Fraction:
        return Fraction(16, 5) / Fraction(chip.shunts_ohms[n]) / (1 << 28 - _set(chip, _amps(n))) / _rate(chip)

    return Sum(0x03 + n, gain, unit, 48, signed=_amps(n), stops=True)


def _refresh(chip: RowChip) -> None:
    chip.latch(_MS)
    chip.clear()


def _refresh_only(chip: RowChip) -> None:
    chip.latch(_MS)


def _pac(inputs: int) -> Spec:
    each = range(inputs)
    told = ("voltage", "shunt")
    return Spec(
        walk="registers", shunt_ohms=0.004, inputs=inputs, latched=True,
        results=tuple(
            row for n in each for row in (
                Result(0x07 + n, "volts", _full(Fraction(32), _volts(n)), 0, 0xFFFF, input=n, limits=(10e-3, 3e-3),
                       ends=_ends(_volts(n)), told=told[0] if n == 0 else ""),
                Result(0x0B + n, "shunt", _full(Fraction(1, 10), _amps(n)), 0, 0xFFFF, input=n, limits=(20e-6, 1e-2),
                       ends=_ends(_amps(n)), told=told[1] if n == 0 else ""),
            )
        ),
        cells={_CTRL: Cell(1, 0, 0xFF), _COUNT: Cell(3), **{0x03 + n: Cell(6) for n in each},
               **{at + n: Cell(2) for at in (0x0F, 0x13) for n in each}, **{0x17 + n: Cell(4) for n in each},
               _DISABLE: Cell(1, 0, 0xFE), _SIGNED: Cell(1, 0, 0xFF), 0x20: Cell(1, 0x15, 0xFF),
               **{at: Cell(1) for at in range(0x21, 0x27)},
               0xFD: Cell(1, 0x57 + inputs), 0xFE: Cell(1, 0x5D), 0xFF: Cell(1, 3)},
        cycle_ns=_pac_cycle, restart=(_CTRL,), compute=_powers,
        sums=(Sum(_COUNT, _samples, lambda chip: Fraction(1), 24, stops=True), *(_energy(n) for n in each)),
        commands=(Command(0x00, None, _refresh), Command(0x1E, None, _refresh), Command(0x1F, None, _refresh_only)),
    )  # fmt: skip


class Pac1934(RowChip):
    """Four inputs; POWER is at the top of its 32 bits. Spans are those of the power-on state."""

    inputs = 4

    def __init__(self, wiring: Wiring) -> None:
        super().__init__(_pac(self.inputs), wiring)
        self._shift |= {0x17 + n: 4 for n in range(self.inputs)}


class Pac1933(Pac1934):
    """Three inputs."""

    inputs = 3


class Pac1932(Pac1934):
    """Two inputs."""

    inputs = 2


class Pac1931(Pac1934):
    """One input."""

    inputs = 1
