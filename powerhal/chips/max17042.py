"""Maxim MAX17042/47/50/55: gauges with a coulomb counter, little-endian words.

Sources: Linux drivers/power/supply/max17042_battery.c and include/linux/power/max17042_battery.h (6.12) for registers,
units and DevName. Current, capacities and QH scale with the sense resistor. The gauge's own current is + when
charging. QH counts on through full and empty: the best reference of what a phone drew.
"""

from __future__ import annotations

from dataclasses import replace

from powerhal.channel import Quality
from powerhal.chips.registers import Bits, ChannelRow, ChipType, Evidence, Register, RowFlag

_SENSE = "r_shunt_ohm"


def _word(name: str, address: int, *bits: Bits, role: str = "data") -> Register:
    return Register(name, address, bits, order="little", role=role)


def _amperes(name: str) -> Bits:
    return Bits(name, signed=True, lsb=1.5625e-6, per=_SENSE, unit="A", clamp=(0x7FFF, -0x8000))


def _hours(name: str, signed: bool = False) -> Bits:
    return Bits(name, signed=signed, lsb=5e-6, per=_SENSE, unit="Ah")


_REGISTERS = (
    _word("status", 0x00, Bits("power_on_reset", 1, 1, unit="bool"), Bits("battery_absent", 3, 1, unit="bool"),
          role="status"),
    _word("repcap", 0x05, _hours("charge_ah")),
    _word("repsoc", 0x06, Bits("soc_pct", lsb=1 / 256, unit="%")),
    _word("age", 0x07, Bits("age_pct", lsb=1 / 256, unit="%")),
    _word("temp", 0x08, Bits("t_c", signed=True, lsb=1 / 256, unit="degC")),
    _word("vcell", 0x09, Bits("v", lsb=78.125e-6, unit="V")),
    _word("current", 0x0A, _amperes("i")),
    _word("avgcurrent", 0x0B, _amperes("i_avg")),
    _word("fullcap", 0x10, _hours("charge_full_ah")),
    _word("tte", 0x11, Bits("tte_s", lsb=5.625, unit="s")),
    _word("cycles", 0x17, Bits("cycles", lsb=0.01)),
    _word("designcap", 0x18, _hours("charge_design_ah")),
    _word("avgvcell", 0x19, Bits("v_avg", lsb=78.125e-6, unit="V")),
    _word("minmaxvolt", 0x1B, Bits("v_max", 8, 8, lsb=20e-3, unit="V"), Bits("v_min", 0, 8, lsb=20e-3, unit="V")),
    _word("config", 0x1D, role="limit"),
    _word("devname", 0x21, role="id"),
    _word("qh", 0x4D, _hours("charge_counter_ah", signed=True)),
    _word("ocv", 0xFB, Bits("ocv_v", lsb=78.125e-6, unit="V")),
    _word("vfsoc", 0xFF, Bits("soc_voltage_pct", lsb=1 / 256, unit="%")),
)  # fmt: skip

MAX17042 = ChipType(
    name="max17042",
    title="Maxim MAX17042, gauge with coulomb counter",
    addresses=(0x36, 0x36),
    registers=_REGISTERS,
    channels=(
        ChannelRow("voltage", "V", ("v",), quality_class="gauge", accuracy=0.005),
        ChannelRow("current", "A", ("i",), factor=-1.0, quality_class="gauge", accuracy=0.01, offset=1.5e-6),
        ChannelRow("power", "W", ("v", "i"), quality_class="gauge", accuracy=0.015),
        ChannelRow("charge", "C", ("charge_ah",), factor=3600.0, quality_class="gauge"),
        ChannelRow("charge", "C", ("charge_counter_ah",), factor=-3600.0, quality_class="accumulated", accuracy=0.01,
                   name="charge_counter", counter=True, wrap_bits=16, both_ways=True),
        ChannelRow("ratio", "", ("soc_pct",), factor=0.01, quality_class="gauge", name="soc"),
        ChannelRow("temperature", "degC", ("t_c",), quality_class="gauge"),
    ),
    evidence=(
        Evidence("devname", 0x0092, proof=True), Evidence("repsoc", span=(0, 110 * 256)),
        Evidence("vcell", 0xFFFF, differs=True),
    ),
    flags=(RowFlag("status", "power_on_reset", Quality.RESET, latched=True),),
    cycle_s=lambda c: 0.1758,
    max_hz=5.0,
    default_hz=1.0,
    source_note="Linux drivers/power/supply/max17042_battery.c",
    checked="registers, units, DevName 0x0092 and 0x00AC: Linux 6.12; 0x4000, 0x4010 (MAX17055): a vendor driver",
)  # fmt: skip


def _like(name: str, devname: int, *more: Register, mask: int = 0xFFFF) -> ChipType:
    return replace(
        MAX17042, name=name, title=f"Maxim {name.upper()}, gauge with coulomb counter", registers=(*_REGISTERS, *more),
        evidence=(Evidence("devname", devname, mask, proof=True), *MAX17042.evidence[1:]),
    )  # fmt: skip


MAX17047 = _like("max17047", 0x00AC)
MAX17050 = _like("max17050", 0x00AC)
MAX17055 = _like(
    "max17055", 0x4000,  # revision A; B is 0x4010
    _word("ttf", 0x20, Bits("ttf_s", lsb=5.625, unit="s")),
    _word("power", 0xB1, Bits("p", signed=True, lsb=8e-6, per=_SENSE, unit="W")),
    _word("avgpower", 0xB3, Bits("p_avg", signed=True, lsb=8e-6, per=_SENSE, unit="W")), mask=0xFFEF,
)  # fmt: skip
