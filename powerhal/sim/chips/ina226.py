"""TI INA226, INA230, INA231 on the wire (TI SBOS547, SBOS601, SBOS644)."""

from __future__ import annotations

from typing import ClassVar

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

_POWER_ON = 0x4127
_AVERAGES = (1, 4, 16, 64, 128, 256, 512, 1024)
_CONVERSION_US = (140, 204, 332, 588, 1100, 2116, 4156, 8244)
_CVRF, _OVF = 0x0008, 0x0004


class Ina226(WordChip):
    """Shunt monitor with 2.5 uV and 1.25 mV steps and hardware averaging.

    Limits at 25 degC, as the data sheet gives them: shunt 10 uV + 0.1 %, bus 7.5 mV + 0.1 %.
    """

    spans: tuple[Span, ...] = (
        Span("shunt", "V", -0.08192, 0.0819175, 13e-6, 0.001),
        Span("voltage", "V", 0.0, 36.0, 9e-3, 0.001),
    )
    identity: ClassVar[dict[int, int]] = {0xFE: 0x5449, 0xFF: 0x2260}
    limits: ClassVar[tuple[float, float, float, float]] = (10e-6, 1e-3, 7.5e-3, 1e-3)

    def __init__(self, wiring: Wiring) -> None:
        super().__init__()
        self._now, self._rng = wiring.now_ns, wiring.rng
        self._signal = wiring.signals[0]
        self._shunt_ohms = (*wiring.shunts_ohms, 0.01)[0]
        shunt_v, shunt_ratio, bus_v, bus_ratio = self.limits
        # noise per conversion of 140 us, rms; longer conversions and averages divide it
        self._shunt_error = AnalogError.draw(self._rng, shunt_v, shunt_ratio, 10e-6)
        self._bus_error = AnalogError.draw(self._rng, bus_v, bus_ratio, 2e-3)
        self._slow = oscillator(self._rng, 0.08)
        self._adc = FreeRunning()
        self._reset()

    def _reset(self) -> None:
        self._calibration = self._shunt = self._bus = self._current = self._power = 0
        self._mask = self._alert = 0
        self._ready = self._overflow = False
        self._configure(_POWER_ON)

    def _configure(self, word: int) -> None:
        self._config = word & 0x0FFF | 0x4000
        mode = word & 7
        if mode not in (0, 4):
            self._ready = False
        cycle_us = (_CONVERSION_US[word >> 3 & 7] if mode & 1 else 0) + (
            _CONVERSION_US[word >> 6 & 7] if mode & 2 else 0
        )
        cycle_us *= 0 if mode in (0, 4) else _AVERAGES[word >> 9 & 7]
        self._adc.start(self._now(), round(cycle_us * 1000 * self._slow), single=mode < 4)

    def _convert(self) -> None:
        span = self._adc.finished(self._now())
        if span is None:
            return
        signal, config = self._signal, self._config
        count = _AVERAGES[config >> 9 & 7]
        if config & 1:
            volts = signal.amperes(*span) * self._shunt_ohms if signal else 0.0
            units = count * _CONVERSION_US[config >> 3 & 7] / 140
            volts = self._shunt_error.seen(volts, self._rng, units)
            self._shunt = whole_steps(volts, 2_500, -32768, 32767)
        if config & 2:
            volts = signal.volts(*span) if signal else 0.0
            units = count * _CONVERSION_US[config >> 6 & 7] / 140
            volts = self._bus_error.seen(volts, self._rng, units)
            self._bus = whole_steps(volts, 1_250_000, 0, 32767)
        self._multiply()
        self._ready = True

    def _multiply(self) -> None:
        # the chip's own integer arithmetic: Current = Shunt * Cal / 2048, Power = Current * Bus / 20000
        current = int(self._shunt * self._calibration / 2048)
        power = abs(current) * self._bus // 20000
        self._overflow = not -32768 <= current <= 32767 or power > 0xFFFF
        self._current = max(-32768, min(32767, current))
        self._power = min(power, 0xFFFF)

    def load(self, register: int) -> int:
        """Register as it stands after the newest conversion; MASK/ENABLE clears its ready flag."""
        self._convert()
        if register == 6:
            flags = (_CVRF if self._ready else 0) | (_OVF if self._overflow else 0)
            self._ready = False
            return self._mask & 0xFC03 | flags
        return {
            0: self._config,
            1: two_complement(self._shunt),
            2: self._bus,
            3: self._power,
            4: two_complement(self._current),
            5: self._calibration,
            7: self._alert,
            **self.identity,
        }.get(register, 0)

    def store(self, register: int, word: int) -> None:
        """Configuration (bit 15 resets), calibration, mask and alert limit; the rest is read-only."""
        self._convert()
        if register == 0:
            if word & 0x8000:
                self._reset()
            else:
                self._configure(word)
        elif register == 5:
            self._calibration = word & 0x7FFF
            self._multiply()
        elif register == 6:
            self._mask = word
        elif register == 7:
            self._alert = word


class Ina230(Ina226):
    """The same core for 28 V buses; only the die identity register answers."""

    spans = (
        Span("shunt", "V", -0.08192, 0.0819175, 55e-6, 0.005),
        Span("voltage", "V", 0.0, 28.0, 18e-3, 0.005),
    )
    identity: ClassVar[dict[int, int]] = {0xFF: 0x2260}
    limits = (50e-6, 5e-3, 15e-3, 5e-3)


class Ina231(Ina230):
    """The same core in a small package, without identity registers (ODROID-XU3)."""

    identity: ClassVar[dict[int, int]] = {}
