"""TI INA209 on the wire (TI SBOS403): the INA219's converter at other pointers, with a status register and peaks."""

from __future__ import annotations

from powerhal.sim.chips.base import Wiring, two_complement
from powerhal.sim.chips.ina219 import Ina219

_AS_INA219 = {0x00: 0, 0x03: 1, 0x04: 2, 0x05: 3, 0x06: 4, 0x16: 5}
_STATUS, _READY, _OVERFLOW = 0x01, 0x20, 0x10


class Ina209(Ina219):
    """Shunt at 0x03, bus at 0x04 without flag bits (they are in STATUS), extremes of both and of power."""

    def __init__(self, wiring: Wiring) -> None:
        self._settings: dict[int, int] = {}
        self._clear_peaks()
        super().__init__(wiring)

    def _clear_peaks(self) -> None:
        self._shunts, self._buses, self._most = (0x7FFF, -0x8000), (0x1FFF, 0), 0

    def _reset(self) -> None:
        self._settings = {0x02: 0}
        self._clear_peaks()
        super()._reset()

    def _multiply(self) -> None:
        super()._multiply()
        self._shunts = min(self._shunts[0], self._shunt), max(self._shunts[1], self._shunt)
        self._buses = min(self._buses[0], self._bus), max(self._buses[1], self._bus)
        self._most = max(self._most, self._power)

    def load(self, register: int) -> int:
        """Register as it stands after the newest conversion; reading POWER clears the ready flag."""
        if register == 0x04:
            return super().load(2) & 0xFFF8
        if register in _AS_INA219:
            return super().load(_AS_INA219[register])
        self._convert()
        if register == _STATUS:
            return (_READY if self._ready else 0) | (_OVERFLOW if self._overflow else 0)
        peaks = {
            0x07: two_complement(self._shunts[1]), 0x08: two_complement(self._shunts[0]),
            0x09: self._buses[1] << 3, 0x0A: self._buses[0] << 3, 0x0B: self._most,
        }  # fmt: skip
        return peaks.get(register, self._settings.get(register, 0))

    def store(self, register: int, word: int) -> None:
        """Configuration (bit 15 resets), calibration, limits; writing ones to peaks clears them."""
        if register in (0x00, 0x16):
            super().store(_AS_INA219[register], word)
        elif 0x07 <= register <= 0x0B:
            self._clear_peaks()
        elif register not in _AS_INA219 and register != _STATUS:
            self._settings[register] = word
