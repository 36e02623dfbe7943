"""TI INA209: the INA219's converter two register numbers further, with peaks and limits in hardware.

Sources: Linux drivers/hwmon/ina209.c (6.12) for register numbers and steps; INA209 data sheet (SBOS403).
The peak registers hold the extremes since somebody cleared them: in-rush without fast sampling.
"""

from __future__ import annotations

from dataclasses import replace

from powerhal.chips.ina2xx import INA219
from powerhal.chips.registers import Bits, Evidence, Register

_CONFIG, _SHUNT, _BUS, _POWER, _CURRENT, _CALIBRATION = INA219.registers


def _shunt(name: str, address: int, value: str) -> Register:
    return Register(name, address, (Bits(value, signed=True, lsb=10e-6, unit="V"),), role="status")


def _bus(name: str, address: int, value: str) -> Register:
    return Register(name, address, (Bits(value, 3, 13, lsb=4e-3, unit="V"),), role="status")


INA209 = replace(
    INA219,
    name="ina209",
    title="TI INA209, 12-bit shunt and bus monitor with peaks and limits",
    registers=(
        _CONFIG,
        Register("status", 0x01, (
            Bits("conversion_ready", 5, 1, unit="bool"), Bits("math_overflow", 4, 1, unit="bool"),
        ), role="status"),
        Register("status_mask", 0x02, role="limit", por=0),
        replace(_SHUNT, address=0x03),
        replace(_BUS, address=0x04, bits=_BUS.bits[:1]),
        replace(_POWER, address=0x05),
        replace(_CURRENT, address=0x06),
        _shunt("shunt_positive_peak", 0x07, "v_shunt_max"),
        _shunt("shunt_negative_peak", 0x08, "v_shunt_min"),
        _bus("bus_peak", 0x09, "v_bus_max"),
        _bus("bus_trough", 0x0A, "v_bus_min"),
        replace(_POWER, name="power_peak", address=0x0B, role="status", bits=(
            replace(_POWER.bits[0], name="p_max"),
        )),
        replace(_CALIBRATION, address=0x16),
    ),
    products=(),
    evidence=(Evidence("config", 0x0000, 0xC000), Evidence("calibration", 0x0000, 0x0001)),
    ready=None,
    source_note="SBOS403; Linux drivers/hwmon/ina209.c",
    checked="registers and steps: Linux 6.12; the bits of the status register: from memory",
)  # fmt: skip
