"""Maxim MAX17048 and MAX17049 on the wire: a gauge without a current sense (Maxim 19-6171)."""

from __future__ import annotations

from fractions import Fraction

from powerhal.sim.chips.base import Wiring
from powerhal.sim.chips.engine import RowChip
from powerhal.sim.chips.rows import PERFECT, Cell, Command, Result, Spec, View

_CELL, _SOC, _MODE, _HIBRT, _CRATE, _CMD = 0x02, 0x04, 0x06, 0x0A, 0x16, 0xFE
_PERIOD_NS, _RATE_NS = 250_000_000, 60 * 10**9
_HIBERNATING = 0x1000


def _cycle(chip: RowChip) -> int:
    """HIBRT 0xFFFF sends it to sleep at once: a conversion in 45 s."""
    return 180 * _PERIOD_NS if chip.values[_HIBRT] == 0xFFFF else _PERIOD_NS


def _asleep(chip: RowChip) -> None:
    """HibStat in MODE."""
    asleep = chip.values[_HIBRT] == 0xFFFF
    chip.values[_MODE] = chip.values[_MODE] & ~_HIBERNATING | (_HIBERNATING if asleep else 0)


class Max17048(RowChip):
    """Words with auto-increment: VCELL in 78.125 uV, SOC in 1/256 %, CRATE in 0.208 %/h.

    Limits: voltage 7.5 mV (at 25 degC), updated every 250 ms. There is no current to read: CRATE is
    a model's rate of charge (positive = charging), here over the last minute.
    """

    cells = 1

    def __init__(self, wiring: Wiring) -> None:
        self._past: list[tuple[int, float]] = []
        step_v = Fraction(self.cells * 78_125, 10**9)
        super().__init__(Spec(
            walk="bytes", first=True, oscillator=0.0, cycle_ns=_cycle, restart=(_HIBRT,), compute=_asleep,
            keep=self._follow,
            results=(
                Result(_CELL, "volts", step_v, 0, 0xFFFF, limits=(7.9e-3 * self.cells, 0.0), luck=(7.5e-3, 0.0, 0.3e-3),
                       told="voltage", within=(2.5 * self.cells, 4.5 * self.cells)),
                Result(_SOC, "percent", Fraction(1, 256), 0, 0xFFFF, luck=PERFECT, whole=int),
            ),
            cells={_MODE: Cell(writable=0x2000), 0x08: Cell(por=0x0012), _HIBRT: Cell(por=0x8030, writable=0xFFFF),
                   0x0C: Cell(por=0x971C, writable=0xFFFF), 0x14: Cell(por=0x00FF, writable=0xFFFF), _CRATE: Cell(),
                   0x18: Cell(por=0x9600, writable=0xFF00), 0x1A: Cell(por=0x0100, writable=0xFFFF),
                   _CMD: Cell(por=0xFFFF)},
            commands=(Command(_CMD, 0x5400, RowChip.reset), Command(_MODE, 0x4000, self._start_afresh, 0x4000)),
        ), wiring)  # fmt: skip

    def reset(self) -> None:
        """Power-on values, and no past."""
        self._past.clear()
        super().reset()

    def _start_afresh(self, chip: RowChip) -> None:
        """Quick-start: the model begins anew and the bit clears itself."""
        self._past.clear()
        self.values[_CRATE] = 0

    def _follow(self, chip: RowChip) -> None:
        start_ns, end_ns = chip.round_ns
        fraction = View(chip.signals[0], chip.shunts_ohms[0], start_ns, end_ns).cell("charge_fraction", 0.5)
        self._past.append((end_ns, fraction))
        while end_ns - self._past[0][0] > _RATE_NS:
            self._past.pop(0)
        hours = (end_ns - self._past[0][0]) / 3.6e12
        per_hour = (fraction - self._past[0][1]) * 100 / hours if hours else 0.0
        self.values[_CRATE] = max(-32768, min(32767, round(per_hour / 0.208)))


class Max17049(Max17048):
    """Two cells in series: steps twice as large."""

    cells = 2
