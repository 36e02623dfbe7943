"""TI INA3221: three shunts, 13-bit results left-aligned in 16-bit big-endian registers.

Sources: INA3221 data sheet (SBOS576); Linux drivers/hwmon/ina3221.c (6.12). The six conversions run one
after another, so the volts and amperes of one input lie up to a whole round apart; there is no power register.
The sum register is only meaningful when all inputs have equal shunts.
"""

from __future__ import annotations

from powerhal.chips.ina2xx import AVERAGES, CONVERSIONS_S
from powerhal.chips.registers import Bits, ChannelRow, ChipType, Config, Evidence, Product, Ready, Register, truths

INPUTS = (1, 2, 3)
ACCURACY = 0.0025
SHUNT_OFFSET_V, BUS_OFFSET_V = 80e-6, 16e-3
FULL_SCALE = (0xFFF, -0x1000)


def _cycle(config: Config) -> float:
    """One round over the enabled inputs: averages * (bus + shunt conversion) each."""
    inputs = sum(1 for i in INPUTS if config[f"enable_{i}"]) or 1
    both = (config["bus_conversion_s"] or 0.0) + (config["shunt_conversion_s"] or 0.0)
    return inputs * (config["averages"] or 1.0) * both


def _input(index: int) -> tuple[Register, Register]:
    shunt = Register(f"shunt{index}", 2 * index - 1, (
        Bits("v_shunt", 3, 13, signed=True, lsb=40e-6, unit="V", clamp=FULL_SCALE),
        Bits("i", 3, 13, signed=True, lsb=40e-6, per="r_shunt_ohm", unit="A", clamp=FULL_SCALE),
    ), channel=index)  # fmt: skip
    bus = Register(f"bus{index}", 2 * index, (
        Bits("v_bus", 3, 13, signed=True, lsb=8e-3, unit="V", clamp=(0xFFF,)),
    ), channel=index)  # fmt: skip
    return shunt, bus


def _limits(index: int) -> tuple[Register, ...]:
    return tuple(
        Register(f"{name}{index}", first + 2 * index, (
            Bits(f"v_{name}_{index}", 3, 13, signed=True, lsb=40e-6, unit="V"),
        ), role="limit", por=0x7FF8)
        for name, first in (("critical", 5), ("warning", 6))
    )  # fmt: skip


def _channels(index: int) -> tuple[ChannelRow, ...]:
    return (
        ChannelRow("voltage", "V", ("v_bus",), index, accuracy=ACCURACY, offset=BUS_OFFSET_V),
        ChannelRow("current", "A", ("i",), index, accuracy=ACCURACY, offset=SHUNT_OFFSET_V),
        ChannelRow("power", "W", ("v_bus", "i"), index, accuracy=2 * ACCURACY),
    )


INA3221 = ChipType(
    name="ina3221",
    title="TI INA3221, three shunt and bus monitors",
    addresses=(0x40, 0x43),
    registers=(
        Register("config", 0x00, (
            Bits("enable_1", 14, 1),
            Bits("enable_2", 13, 1),
            Bits("enable_3", 12, 1),
            Bits("averages", 9, 3, codes=AVERAGES),
            Bits("bus_conversion_s", 6, 3, codes=CONVERSIONS_S, unit="s"),
            Bits("shunt_conversion_s", 3, 3, codes=CONVERSIONS_S, unit="s"),
            Bits("mode", 0, 3),
        ), role="config", por=0x7127, unused=0x8000),
        *(r for index in INPUTS for r in _input(index)),
        Register("shunt_sum", 0x0D, (
            Bits("v_shunt_sum", 1, 15, signed=True, lsb=40e-6, unit="V"),
            Bits("i_sum", 1, 15, signed=True, lsb=40e-6, per="r_shunt_ohm", unit="A"),
        )),
        *(r for index in INPUTS for r in _limits(index)),
        Register("critical_sum", 0x0E, (
            Bits("v_critical_sum", 1, 15, signed=True, lsb=40e-6, unit="V"),
        ), role="limit", por=0x7FFE),
        *(
            Register(name, address, (Bits(f"v_{name}", 3, 13, signed=True, lsb=8e-3, unit="V"),), role="limit", por=por)
            for name, address, por in (("power_valid_upper", 0x10, 0x2710), ("power_valid_lower", 0x11, 0x2328))
        ),
        Register("mask_enable", 0x0F, (
            Bits("conversion_ready", 0, 1, unit="bool"),
            Bits("timing_alert", 1, 1, unit="bool"),
            Bits("power_valid", 2, 1, unit="bool"),
            *truths(warning_3=3, warning_2=4, warning_1=5, critical_sum_alert=6, critical_3=7, critical_2=8,
                    critical_1=9, critical_latched=10, warning_latched=11, in_sum_3=12, in_sum_2=13, in_sum_1=14),
        ), role="status", por=0x0002),
        Register("manufacturer", 0xFE, role="id"),
        Register("die", 0xFF, role="id"),
    ),
    channels=tuple(row for index in INPUTS for row in _channels(index)),
    products=(Product("p", ("v_bus", "i")),),
    evidence=(Evidence("manufacturer", 0x5449, proof=True), Evidence("die", 0x3220, proof=True)),
    ready=Ready("mask_enable", "conversion_ready"),
    cycle_s=_cycle,
    default_hz=20.0,
    inputs=3,
    source_note="SBOS576; Linux drivers/hwmon/ina3221.c",
    checked="registers, steps: Linux; identities 0x5449 and 0x3220: Zephyr drivers/sensor/ti/ina3221",
)  # fmt: skip
