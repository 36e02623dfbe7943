"""TI INA219/INA220 on the wire (TI SBOS448: registers, table of ADC settings, electrical limits)."""

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

_POWER_ON = 0x399F
_CNVR, _OVF = 0b10, 0b01
# ADC setting (4 bits) -> microseconds, lost low bits; bit 3 of the setting selects averaging
_SINGLE = ((84, 3), (148, 2), (276, 1), (532, 0))
_AVERAGED_US = (532, 1060, 2130, 4260, 8510, 17020, 34050, 68100)


def _setting(code: int) -> tuple[int, int, int]:
    """(microseconds, lost bits, conversions averaged) of a BADC/SADC code."""
    if code & 8:
        return _AVERAGED_US[code & 7], 0, 1 << (code & 7)
    us, lost = _SINGLE[code & 3]
    return us, lost, 1


class Ina219(WordChip):
    """Bidirectional shunt monitor: 10 uV and 4 mV steps, gain ranges of 40 to 320 mV, no identity.

    Limits of the A grade over temperature, wide ranges: shunt 100 uV + 1 %, bus 8 mV + 1 %.
    """

    spans = (
        Span("shunt", "V", -0.32, 0.32, 110e-6, 0.01),
        Span("voltage", "V", 0.0, 26.0, 12e-3, 0.01),
    )

    def __init__(self, wiring: Wiring) -> None:
        super().__init__()
        self._now, self._rng = wiring.now_ns, wiring.rng
        self._signal = wiring.signals[0]
        self._shunt_ohms = (*wiring.shunts_ohms, 0.1)[0]
        self._shunt_error = AnalogError.draw(self._rng, 60e-6, 5e-3, 6e-6)
        self._bus_error = AnalogError.draw(self._rng, 6e-3, 5e-3, 1.5e-3)
        self._slow = oscillator(self._rng, 0.08)
        self._adc = FreeRunning()
        self._reset()

    def _reset(self) -> None:
        self._calibration = self._shunt = self._bus = self._current = self._power = 0
        self._ready = self._overflow = False
        self._configure(_POWER_ON)

    def _configure(self, word: int) -> None:
        self._config = word & 0x7FFF & ~0x4000
        self._ready = False
        mode = word & 7
        cycle_us = 0
        if mode not in (0, 4):
            cycle_us += _setting(word >> 3 & 15)[0] if mode & 1 else 0
            cycle_us += _setting(word >> 7 & 15)[0] if mode & 2 else 0
        self._adc.start(self._now(), round(cycle_us * 1000 * self._slow), single=mode < 4)

    def _convert(self) -> None:
        span = self._adc.finished(self._now())
        if span is None:
            return
        signal, config = self._signal, self._config
        if config & 1:
            _, lost, count = _setting(config >> 3 & 15)
            volts = signal.amperes(*span) * self._shunt_ohms if signal else 0.0
            full = 4000 << (config >> 11 & 3)
            steps = whole_steps(self._shunt_error.seen(volts, self._rng, count), 10_000, -full, full)
            self._shunt = steps >> lost << lost
        if config & 2:
            _, lost, count = _setting(config >> 7 & 15)
            volts = signal.volts(*span) if signal else 0.0
            full = 8000 if config & 0x2000 else 4000
            steps = whole_steps(self._bus_error.seen(volts, self._rng, count), 4_000_000, 0, full)
            self._bus = steps >> lost << lost
        self._multiply()
        self._ready = True

    def _multiply(self) -> None:
        # the chip's own integer arithmetic: Current = Shunt * Cal / 4096, Power = Current * Bus / 5000
        current = int(self._shunt * self._calibration / 4096)
        power = abs(current) * self._bus // 5000
        self._overflow = not -32768 <= current <= 32767 or power > 0xFFFF
        self._current = max(-32768, min(32767, current))
        self._power = min(power, 0xFFFF)

    def load(self, register: int) -> int:
        """Register as it stands after the newest conversion; POWER clears the ready flag."""
        self._convert()
        if register == 3:
            self._ready = False
            return self._power
        bus = self._bus << 3 | (_CNVR if self._ready else 0) | (_OVF if self._overflow else 0)
        return {
            0: self._config,
            1: two_complement(self._shunt),
            2: bus,
            4: two_complement(self._current),
            5: self._calibration,
        }.get(register, 0)

    def store(self, register: int, word: int) -> None:
        """Configuration (bit 15 resets) and calibration (bit 0 is stuck at 0); the rest is read-only."""
        self._convert()
        if register == 0:
            if word & 0x8000:
                self._reset()
            else:
                self._configure(word)
        elif register == 5:
            self._calibration = word & 0xFFFE
            self._multiply()
