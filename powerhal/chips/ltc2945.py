"""Analog Devices LTC2945: 12-bit volts and amperes left-aligned, 24-bit power, with their extremes.

Sources: Linux drivers/hwmon/ltc2945.c (6.12). The step of POWER depends on CONTROL bit 0: 1 multiplies by the voltage
at SENSE+ or VDD (25 mV steps), 0 by the one at ADIN (0.5 mV steps). A read goes on at the next address.
"""

from __future__ import annotations

from powerhal.chips.registers import Bits, ChannelRow, ChipType, Config, Evidence, Register

SENSE_V, VIN_V, ADIN_V = 25e-6, 25e-3, 0.5e-3


def _power_lsb(config: Config) -> float:
    """Watts times ohms for one step of POWER."""
    selected = config.get("control_mult_select")
    return SENSE_V * (ADIN_V if selected is not None and not selected else VIN_V)


def _triple(name: str, address: int, nbytes: int, part: str, **scale: object) -> tuple[Register, ...]:
    """The value and, behind it, its greatest and smallest since they were cleared."""
    shift = 4 if nbytes == 2 else 0
    return tuple(
        Register(name + ending, address + step * nbytes, (
            Bits(part + ending, shift, clamp=(0xFFF,) if shift else (), **scale),  # type: ignore[arg-type]
        ), nbytes, role="status" if ending else "data")
        for step, ending in enumerate(("", "_max", "_min"))
    )  # fmt: skip


def _thresholds(name: str, address: int, nbytes: int, part: str, **scale: object) -> tuple[Register, ...]:
    """What the value is compared with: at most, at least."""
    shift = 4 if nbytes == 2 else 0
    return tuple(
        Register(f"{name}_{end}", address + i * nbytes, (
            Bits(f"{part}_{end}", shift, **scale),  # type: ignore[arg-type]
        ), nbytes, role="limit")
        for i, end in enumerate(("upper", "lower"))
    )  # fmt: skip


LTC2945 = ChipType(
    name="ltc2945",
    title="Analog Devices LTC2945, wide-range power monitor",
    addresses=(0x67, 0x6F),
    registers=(
        Register("control", 0x00, (
            Bits("control_mult_select", 0, 1), Bits("adin_is_ground", 1, 1), Bits("measure", 2, 1),
            Bits("snapshot", 7, 1),
        ), 1, role="config", por=0x05),
        Register("alert", 0x01, nbytes=1, role="limit", por=0),
        Register("status", 0x02, nbytes=1, role="status"),
        Register("fault", 0x03, nbytes=1, role="status"),
        *_triple("power", 0x05, 3, "p_reg", lsb=_power_lsb, per="r_shunt_ohm", unit="W",
                 formula="25e-3 * 25e-6 (0.5e-3 * 25e-6 with control_mult_select 0)"),
        *_triple("sense", 0x14, 2, "i", lsb=SENSE_V, per="r_shunt_ohm", unit="A"),
        *_triple("vin", 0x1E, 2, "v_in", lsb=VIN_V, unit="V"),
        *_triple("adin", 0x28, 2, "v_adin", lsb=ADIN_V, unit="V"),
        *_thresholds("power", 0x0E, 3, "p_reg", lsb=_power_lsb, per="r_shunt_ohm", unit="W", formula="as p_reg"),
        *_thresholds("sense", 0x1A, 2, "i", lsb=SENSE_V, per="r_shunt_ohm", unit="A"),
        *_thresholds("vin", 0x24, 2, "v_in", lsb=VIN_V, unit="V"),
        *_thresholds("adin", 0x2E, 2, "v_adin", lsb=ADIN_V, unit="V"),
    ),
    channels=(
        ChannelRow("voltage", "V", ("v_in",), accuracy=0.0075, offset=25e-3),
        ChannelRow("current", "A", ("i",), accuracy=0.0075, offset=SENSE_V),
        ChannelRow("power", "W", ("v_in", "i"), accuracy=0.015),
    ),
    evidence=(Evidence("vin", 0x0000, 0x000F), Evidence("sense", 0x0000, 0x000F)),
    cycle_s=lambda c: 0.133,
    max_hz=7.5,
    default_hz=5.0,
    autoincrement=True,
    source_note="Linux drivers/hwmon/ltc2945.c",
    checked="registers, steps, CONTROL bit 0: Linux 6.12; addresses and conversion time: from memory",
)  # fmt: skip
