"""Maxim MAX17048 and MAX17049 on the wire: a gauge without a current sense (Maxim 19-6171)."""

from __future__ import annotations

from typing import ClassVar

from powerhal.sim.chips.base import AnalogError, FreeRunning, Span, Wiring, two_complement, whole_steps
from powerhal.sim.signal import BatterySignal, ConstantSignal

_POWER_ON = {0x06: 0x0000, 0x0A: 0x8030, 0x0C: 0x971C, 0x14: 0x00FF, 0x18: 0x9600, 0x1A: 0x0100}
_VERSION = 0x0012
_PERIOD_NS = 250_000_000
_RATE_S = 60.0
_HIBERNATING = 0x1000


class Max17048:
    """Big-endian words with auto-increment: VCELL in 78.125 uV, SOC in 1/256 %, CRATE in 0.208 %/h.

    Limits: voltage 7.5 mV (at 25 degC), updated every 250 ms. There is no current to read: CRATE is
    a model's rate of charge (positive = charging), here over the last minute.
    """

    spans: tuple[Span, ...] = (Span("voltage", "V", 2.5, 4.5, 8e-3, 0.0),)
    step_nv: ClassVar[int] = 78_125

    def __init__(self, wiring: Wiring) -> None:
        self._now, self._rng = wiring.now_ns, wiring.rng
        self._battery: BatterySignal = wiring.signals[0] or ConstantSignal()  # type: ignore[assignment]
        self._error = AnalogError.draw(self._rng, 7.5e-3, 0.0, 0.3e-3)
        self._adc = FreeRunning()
        self._pointer = 0
        self._reset()

    def _reset(self) -> None:
        self._words = dict(_POWER_ON)
        self._cell = self._charge = self._rate = 0
        self._adc.start(self._now() - _PERIOD_NS, _PERIOD_NS)  # the first result comes with power
        self._past: list[tuple[int, float]] = []

    def _convert(self) -> None:
        span = self._adc.finished(self._now())
        if span is None:
            return
        volts = self._error.seen(self._battery.volts(*span), self._rng, 1)
        self._cell = whole_steps(volts, self.step_nv, 0, 0xFFFF)
        fraction = self._battery.charge_fraction(span[1])
        self._charge = max(0, min(0xFFFF, int(fraction * 100 * 256)))
        self._past.append((span[1], fraction))
        while self._past[-1][0] - self._past[0][0] > _RATE_S * 1e9:
            self._past.pop(0)
        hours = (self._past[-1][0] - self._past[0][0]) / 3.6e12
        per_hour = (fraction - self._past[0][1]) * 100 / hours if hours else 0.0
        self._rate = max(-32768, min(32767, round(per_hour / 0.208)))

    def write(self, data: bytes) -> None:
        """Pointer byte, then words; CMD 0x5400 resets, MODE 0x4000 quick-starts."""
        if not data:
            return
        self._pointer = data[0]
        for at in range(1, len(data) - 1, 2):
            self._store(data[0] + at - 1, data[at] << 8 | data[at + 1])

    def _store(self, register: int, word: int) -> None:
        if register == 0xFE and word == 0x5400:
            self._reset()
        elif register == 0x06 and word & 0x4000:
            self._past.clear()  # quick-start: the model begins afresh and the bit clears itself
        elif register == 0x0A:
            self._hibernate(word)
        elif register == 0x18:
            self._words[register] = word & 0xFF00 | self._words[register] & 0xFF
        elif register in self._words:
            self._words[register] = word

    def _hibernate(self, word: int) -> None:
        """HIBRT 0xFFFF sends it to sleep at once (a conversion in 45 s, HibStat in MODE), 0x0000 wakes it for good."""
        self._words[0x0A] = word
        asleep = word == 0xFFFF
        self._words[0x06] = _HIBERNATING if asleep else 0
        self._adc.start(self._now(), 180 * _PERIOD_NS if asleep else _PERIOD_NS)

    def read(self, count: int) -> bytes:
        """Bytes from the pointer on; registers follow one another."""
        self._convert()
        first = self._pointer & ~1
        words = b"".join(self._load(first + at).to_bytes(2, "big") for at in range(0, count + 2, 2))
        skip = self._pointer & 1
        return words[skip : skip + count]

    def _load(self, register: int) -> int:
        return {
            0x02: self._cell,
            0x04: self._charge,
            0x08: _VERSION,
            0x16: two_complement(self._rate),
            0xFE: 0xFFFF,
        }.get(register, self._words.get(register, 0))


class Max17049(Max17048):
    """Two cells in series: steps twice as large."""

    spans = (Span("voltage", "V", 5.0, 9.0, 16e-3, 0.0),)
    step_nv = 156_250
