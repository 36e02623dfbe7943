"""TI BQ27441-G1 on the wire: little-endian commands, one measurement a second (TI SLUUAC9)."""

from __future__ import annotations

from powerhal.sim.chips.base import AnalogError, FreeRunning, Span, Wiring, two_complement
from powerhal.sim.signal import BatterySignal, ConstantSignal

_SECOND_NS = 1_000_000_000
_CONTROL = {0x0000: 0x008C, 0x0001: 0x0421, 0x0002: 0x0109, 0x0004: 0x0000, 0x0008: 0x0128}
_DISCHARGING, _LOW, _BATTERY, _LOST, _FULL = 0x0001, 0x0004, 0x0008, 0x0020, 0x0200
_SENSE_OHMS = 0.01


class Bq27441:
    """System-side gauge: mV, mA (+ = charging), mAh, mW, 0.1 K; values change once a second.

    Limits: voltage 5 mV + 0.1 %, current 2 mA + 1 % (sense resistor included).
    """

    spans = (
        Span("voltage", "V", 2.45, 4.5, 6e-3, 0.001),
        Span("current", "A", -2.0, 2.0, 2.6e-3, 0.01),
    )

    def __init__(self, wiring: Wiring) -> None:
        self._now, self._rng = wiring.now_ns, wiring.rng
        self._battery: BatterySignal = wiring.signals[0] or ConstantSignal()  # type: ignore[assignment]
        self._volt_error = AnalogError.draw(self._rng, 5e-3, 1e-3, 0.5e-3)
        self._sense_error = AnalogError.draw(self._rng, 2e-3 * _SENSE_OHMS, 1e-2, 4e-6)
        self._adc = FreeRunning()
        self._reset()

    def _reset(self) -> None:
        self._command = 0
        self._subcommand = 0
        self._lost = _LOST  # the set-up in RAM is gone
        self._millivolts = self._milliamperes = self._percent = 0
        self._decikelvin = 2981
        self._milliamperehours = self._fullmah = 0
        self._adc.start(self._now() - _SECOND_NS, _SECOND_NS)  # the first result comes with power

    def _convert(self) -> None:
        span = self._adc.finished(self._now())
        if span is None:
            return
        battery = self._battery
        self._millivolts = round(self._volt_error.seen(battery.volts(*span), self._rng, 1) * 1000)
        drop = self._sense_error.seen(-battery.amperes(*span) * _SENSE_OHMS, self._rng, 1)
        self._milliamperes = max(-32768, min(32767, round(drop / _SENSE_OHMS * 1000)))
        fraction = max(0.0, min(1.0, battery.charge_fraction(span[1])))
        self._fullmah = round(battery.capacity_ah * 1000)
        self._milliamperehours = int(fraction * self._fullmah)
        self._percent = round(fraction * 100)
        self._decikelvin = round(battery.celsius(span[1]) * 10) + 2731  # TI counts 0 degC as 273.1 K

    def write(self, data: bytes) -> None:
        """Command byte; two bytes to Control() choose what it answers (0x0041 resets, 0x0042 ends set-up)."""
        if not data:
            return
        self._command = data[0]
        if data[0] == 0x00 and len(data) >= 3:
            self._subcommand = data[1] | data[2] << 8
            if self._subcommand == 0x0041:
                self._reset()
            elif self._subcommand == 0x0042:
                self._lost = 0

    def read(self, count: int) -> bytes:
        """Bytes from the command on, low byte of each word first."""
        self._convert()
        words = self._words()
        return bytes(
            words.get(at & ~1, 0) >> (8 if at & 1 else 0) & 0xFF for at in range(self._command, self._command + count)
        )

    def _words(self) -> dict[int, int]:
        milliwatts = self._millivolts * self._milliamperes // 1000
        flags = _BATTERY | self._lost | (_DISCHARGING if self._milliamperes < 0 else 0)
        flags |= (_LOW if self._percent <= 10 else 0) | (_FULL if self._percent >= 100 else 0)
        remaining, full = self._milliamperehours, self._fullmah
        return {
            0x00: _CONTROL.get(self._subcommand, 0),
            0x02: self._decikelvin,
            0x04: self._millivolts,
            0x06: flags,
            0x08: remaining,
            0x0A: full,
            0x0C: remaining,
            0x0E: full,
            0x10: two_complement(self._milliamperes),
            0x12: two_complement(-10),
            0x14: two_complement(-500),
            0x18: two_complement(milliwatts),
            0x1C: self._percent,
            0x1E: self._decikelvin + 15,
            0x20: 0x0364,  # healthy: status 3, 100 %
            0x3C: full,
        }
