"""TI INA3221 on the wire: three inputs measured one after another (TI SBOS576)."""

from __future__ import annotations

from powerhal.sim.chips.base import (
    AnalogError,
    FreeRunning,
    Span,
    Wiring,
    WordChip,
    oscillator,
    two_complement,
    whole_steps,
)

_POWER_ON = 0x7127
_AVERAGES = (1, 4, 16, 64, 128, 256, 512, 1024)
_CONVERSION_US = (140, 204, 332, 588, 1100, 2116, 4156, 8244)
_ENABLED = (0x4000, 0x2000, 0x1000)  # also the summation bits of MASK/ENABLE
_LIMIT_POWER_ON = {7: 0x7FF8, 8: 0x7FF8, 9: 0x7FF8, 10: 0x7FF8, 11: 0x7FF8, 12: 0x7FF8, 14: 0x7FFE,
                   16: 0x2710, 17: 0x2328}  # fmt: skip
_IDENTITY = {0xFE: 0x5449, 0xFF: 0x3220}


class Ina3221(WordChip):
    """Three-input monitor with 40 uV and 8 mV steps, results in the upper 13 bits.

    Limits at 25 degC: shunt 80 uV + 0.25 %, bus 16 mV + 0.25 % (offset plus half a step each).
    """

    spans = (
        Span("shunt", "V", -0.16384, 0.1638, 100e-6, 0.0025),
        Span("voltage", "V", 0.0, 26.0, 20e-3, 0.0025),
    )

    def __init__(self, wiring: Wiring) -> None:
        super().__init__()
        self._now, self._rng = wiring.now_ns, wiring.rng
        self._signals = (*wiring.signals, None, None, None)[:3]
        self._shunts_ohms = (*wiring.shunts_ohms, 0.01, 0.01, 0.01)[:3]
        self._shunt_errors = [AnalogError.draw(self._rng, 80e-6, 2.5e-3, 20e-6) for _ in range(3)]
        self._bus_errors = [AnalogError.draw(self._rng, 16e-3, 2.5e-3, 4e-3) for _ in range(3)]
        self._slow = oscillator(self._rng, 0.08)
        self._adc = FreeRunning()
        self._reset()

    def _reset(self) -> None:
        self._shunt = [0, 0, 0]
        self._bus = [0, 0, 0]
        self._limits = dict(_LIMIT_POWER_ON)
        self._mask = 0x0002
        self._ready = False
        self._configure(_POWER_ON)

    def _configure(self, word: int) -> None:
        self._config = word & 0x7FFF
        self._ready = False
        mode = word & 7
        inputs = sum(1 for bit in _ENABLED if word & bit)
        each_us = (_CONVERSION_US[word >> 3 & 7] if mode & 1 else 0) + (
            _CONVERSION_US[word >> 6 & 7] if mode & 2 else 0
        )
        cycle_us = 0 if mode in (0, 4) else inputs * each_us * _AVERAGES[word >> 9 & 7]
        self._adc.start(self._now(), round(cycle_us * 1000 * self._slow), single=mode < 4)

    def _convert(self) -> None:
        span = self._adc.finished(self._now())
        if span is None:
            return
        config = self._config
        count = _AVERAGES[config >> 9 & 7]
        for i, signal in enumerate(self._signals):
            if not config & _ENABLED[i]:
                continue
            if config & 1:
                volts = signal.amperes(*span) * self._shunts_ohms[i] if signal else 0.0
                units = count * _CONVERSION_US[config >> 3 & 7] / 140
                volts = self._shunt_errors[i].seen(volts, self._rng, units)
                self._shunt[i] = whole_steps(volts, 40_000, -4096, 4095)
            if config & 2:
                volts = signal.volts(*span) if signal else 0.0
                units = count * _CONVERSION_US[config >> 6 & 7] / 140
                volts = self._bus_errors[i].seen(volts, self._rng, units)
                self._bus[i] = whole_steps(volts, 8_000_000, 0, 4095)
        self._ready = True

    def _sum(self) -> int:
        chosen = (steps for steps, bit in zip(self._shunt, _ENABLED, strict=True) if self._mask & bit)
        return two_complement(max(-16384, min(16383, sum(chosen))) << 1)

    def load(self, register: int) -> int:
        """Register as it stands after the newest cycle; MASK/ENABLE clears its ready flag."""
        self._convert()
        if 1 <= register <= 6:
            values = self._bus if register % 2 == 0 else self._shunt
            return two_complement(values[(register - 1) // 2] << 3)
        if register == 15:
            word = self._mask & 0x7C06 | (1 if self._ready else 0)
            self._ready = False
            return word
        if register == 0:
            return self._config
        if register == 13:
            return self._sum()
        return self._limits.get(register, _IDENTITY.get(register, 0))

    def store(self, register: int, word: int) -> None:
        """Configuration (bit 15 resets), limits and mask; results are read-only."""
        self._convert()
        if register == 0:
            if word & 0x8000:
                self._reset()
            else:
                self._configure(word)
        elif register == 15:
            self._mask = word
        elif register in self._limits:
            self._limits[register] = word & 0xFFF8 if register < 13 else word
