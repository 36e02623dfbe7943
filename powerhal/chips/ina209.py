"""TI INA209: the INA219's converter two register numbers further, with peaks and limits in hardware.

Sources: Linux drivers/hwmon/ina209.c (6.12) for register numbers and steps; INA209 data sheet (SBOS403).
The peak registers hold the extremes since somebody cleared them: in-rush without fast sampling.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from powerhal.chips.ina2xx import INA219
from powerhal.chips.registers import Bits, Evidence, Register

_CONFIG, _SHUNT, _BUS, _POWER, _CURRENT, _CALIBRATION = INA219.registers


def _shunt(name: str, address: int, value: str) -> Register:
    return Register(name, address, (Bits(value, signed=True, lsb=10e-6, unit="V"),), role="status")


def _bus(name: str, address: int, value: str) -> Register:
    return Register(name, address, (Bits(value, 3, 13, lsb=4e-3, unit="V"),), role="status")


def _limits() -> tuple[Register, ...]:
    """Warnings and limits, 0x0C to 0x13; the two DACs have a meaning of their own."""
    volts, watts = {"signed": True, "lsb": 10e-6, "unit": "V"}, {"lsb": _POWER.bits[0].lsb, "unit": "W"}
    bus = {"shift": 3, "bits": 13, "lsb": 4e-3, "unit": "V"}
    rows: tuple[tuple[str, dict[str, Any]], ...] = (
        ("v_shunt_positive_warning", volts), ("v_shunt_negative_warning", volts), ("p_warning", watts),
        ("v_bus_over_warning", bus), ("v_bus_under_warning", bus), ("p_over_limit", watts),
        ("v_bus_over_limit", bus), ("v_bus_under_limit", bus),
    )  # fmt: skip
    found = [Register(name, 0x0C + i, (Bits(name, **scale),), role="limit") for i, (name, scale) in enumerate(rows)]
    return (
        *found,
        *(Register(f"critical_dac_{n}", at, role="limit") for n, at in (("positive", 20), ("negative", 21))),
    )


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
        *_limits(),
        replace(_CALIBRATION, address=0x16),
    ),
    products=(),
    evidence=(Evidence("config", 0x0000, 0xC000), Evidence("calibration", 0x0000, 0x0001)),
    ready=None,
    source_note="SBOS403; Linux drivers/hwmon/ina209.c",
    checked="registers and steps: Linux 6.12; the bits of the status register: from memory",
)  # fmt: skip
