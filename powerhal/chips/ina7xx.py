"""TI INA700, INA745, INA780: shunt inside, so every step is fixed; energy and charge in hardware.

Sources: Linux drivers/hwmon/ina238.c (INA780 rows) and the INA7xx tables of open drivers. There is no shunt voltage
and no calibration; CHARGE is at 0x0A.
"""

from __future__ import annotations

from dataclasses import replace

from powerhal.chips.ina228 import (
    CHARGE_ROW,
    DIES,
    ENERGY_ROW,
    IDS,
    INA238,
    OVERFLOWS,
    config_registers,
    limits,
    status,
)  # fmt: skip
from powerhal.chips.registers import Bits, ChannelRow, ChipType, Evidence, Register


def _part(name: str, amperes: float, watts: float, addresses: tuple[int, int], accuracy: float) -> ChipType:
    """One part: A per step of CURRENT, W per step of POWER; ENERGY is 16 of those, CHARGE a sixteenth of the first."""
    return replace(
        INA238,
        name=name,
        title=f"TI {name.upper()}, shunt and 16-bit power, energy and charge monitor in one",
        addresses=addresses,
        registers=(
            *config_registers(calibrated=False),
            Register("bus", 0x05, (Bits("v_bus", signed=True, lsb=3.125e-3, unit="V", clamp=(0x7FFF,)),)),
            Register("temperature", 0x06, (Bits("t_die", 4, 12, signed=True, lsb=0.125, unit="degC"),)),
            Register("current", 0x07, (Bits("i_reg", signed=True, lsb=amperes, unit="A", clamp=(0x7FFF, -0x8000)),)),
            Register("power", 0x08, (Bits("p_reg", lsb=watts, unit="W"),), 3),
            Register("energy", 0x09, (Bits("energy_j", lsb=16 * watts, unit="J"),), 5),
            Register("charge", 0x0A, (Bits("charge_c", signed=True, lsb=amperes / 16, unit="C"),), 5),
            status(*OVERFLOWS), *IDS,
            *limits("i", amperes, Bits("t_die", 4, 12, signed=True, lsb=0.125, unit="degC"),
                    Bits("p_limit", lsb=256 * watts, unit="W")),
        ),
        channels=(
            ChannelRow("voltage", "V", ("v_bus",), accuracy=accuracy / 2, offset=5e-3),
            ChannelRow("current", "A", ("i_reg",), accuracy=accuracy),
            ChannelRow("power", "W", ("v_bus", "i_reg"), accuracy=1.5 * accuracy),
            ChannelRow("temperature", "degC", ("t_die",), offset=3.0),
            ENERGY_ROW, CHARGE_ROW,
        ),
        evidence=(
            Evidence("manufacturer", 0x5449), Evidence("config", 0x0000, 0x801F),
            *(Evidence("device", die, 0xFFF0, differs=True) for die in (*DIES, 0x2370, 0xA080, 0xA480)),
        ),
        needs_shunt=False,
        source_note="Linux drivers/hwmon/ina238.c; open drivers",
        checked="current, power, energy steps, INA700 addresses: two open drivers; charge step: from memory",
    )  # fmt: skip


INA700 = _part("ina700", 480e-6, 96e-6, (0x44, 0x47), 0.005)
INA745 = _part("ina745", 1.2e-3, 240e-6, (0x40, 0x4F), 0.0075)
INA780 = _part("ina780", 2.4e-3, 480e-6, (0x40, 0x4F), 0.0075)
