"""TI bq27000/bq27200 and bq27010/bq27210: the first generation, whose current has its sign in the flags.

Sources: Linux drivers/power/supply/bq27xxx_battery.c (6.12): 3.57 uV steps over the sense resistor, 0.25 K, 29.2 uV^2
for power and energy, charge state in FLAGS bit 7. Flags, state of charge and design capacity are single bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from powerhal.chips.registers import Bits, ChannelRow, ChipType, Config, Derived, Evidence, Register, Value

STEP_V = 3.57e-6
POWER_V2 = 29.2e-6
_SENSE = "r_shunt_ohm"
_UNKNOWN = (0xFFFF,)


def _charge(name: str, register: str, address: int) -> Register:
    return Register(register, address, (Bits(name, lsb=STEP_V, per=_SENSE, unit="Ah"),), order="little")


def _current(raw: Mapping[str, int], values: Mapping[str, Value], config: Config) -> Value:
    """Amperes, + when charging; unknown without the flags."""
    sense = config.get("r_shunt_ohm")
    if "i_magnitude" not in raw or "charging" not in raw or not sense:
        return None
    size = raw["i_magnitude"] * STEP_V / sense
    return size if raw["charging"] or not size else -size


BQ27000 = ChipType(
    name="bq27000",
    title="TI bq27000 (bq27200), first-generation gauge",
    addresses=(0x55, 0x55),
    registers=(
        Register("temp", 0x06, (Bits("t_c", lsb=0.25, zero=1092.4, unit="degC"),), order="little"),
        Register("volt", 0x08, (Bits("v", lsb=1e-3, unit="V"),), order="little"),
        Register("flags", 0x0A, (
            Bits("discharge_final", 0, 1, unit="bool"), Bits("discharge_first", 1, 1, unit="bool"),
            Bits("capacity_inaccurate", 4, 1, unit="bool"), Bits("full", 5, 1, unit="bool"),
            Bits("charging", 7, 1, unit="bool"),
            Bits("out", 7, 1, lsb=-2.0, zero=0.5),  # 1 out of the battery, -1 into it
        ), 1, role="state"),
        Register("soc", 0x0B, (Bits("soc_pct", unit="%"),), 1),
        _charge("charge_ah", "nac", 0x0C),
        _charge("charge_full_ah", "fcc", 0x12),
        Register("ai", 0x14, (Bits("i_magnitude", lsb=STEP_V, per=_SENSE, unit="A"),), order="little", role="state"),
        Register("tte", 0x16, (Bits("tte_min", unit="min", unknown=_UNKNOWN),), order="little"),
        Register("ttf", 0x18, (Bits("ttf_min", unit="min", unknown=_UNKNOWN),), order="little"),
        Register("ae", 0x22, (Bits("energy_wh", lsb=POWER_V2, per=_SENSE, unit="Wh"),), order="little"),
        Register("ap", 0x24, (Bits("p_avg", lsb=POWER_V2, per=_SENSE, unit="W"),), order="little"),
        Register("cyct", 0x2A, (Bits("cycles"),), order="little"),
        Register("dcap", 0x76, (Bits("charge_design_ah", lsb=256 * STEP_V, per=_SENSE, unit="Ah"),), 1),
    ),
    channels=(
        ChannelRow("voltage", "V", ("v",), quality_class="gauge"),
        ChannelRow("current", "A", ("i_magnitude", "out"), quality_class="gauge"),
        ChannelRow("power", "W", ("v", "i_magnitude", "out"), quality_class="gauge"),
        ChannelRow("charge", "C", ("charge_ah",), factor=3600.0, quality_class="gauge"),
        ChannelRow("ratio", "", ("soc_pct",), factor=0.01, quality_class="gauge", name="soc"),
        ChannelRow("temperature", "degC", ("t_c",), quality_class="gauge"),
    ),
    derived=(Derived("i", _current),),
    evidence=(
        Evidence("temp", span=(932, 1493)),  # -40 to 100 degC
        Evidence("volt", span=(0, 6000)),
        Evidence("soc", span=(0, 100)),
    ),
    cycle_s=lambda c: 2.56,
    max_hz=1.0,
    stretches_clock=True,
    asleep_after_s=20.0,
    default_hz=0.2,
    autoincrement=True,
    source_note="Linux drivers/power/supply/bq27xxx_battery.c",
    checked="numbers, steps, flags: Linux 6.12",
)  # fmt: skip
BQ27010 = replace(
    BQ27000, name="bq27010", title="TI bq27010 (bq27210), first-generation gauge",
    registers=tuple(r for r in BQ27000.registers if r.name not in ("ae", "ap")),
)  # fmt: skip
