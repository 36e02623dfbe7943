"""TI bq27xxx gauges: little-endian words at 0x55, one row of register numbers a variant.

Sources: bq27441-G1 technical reference (SLUUAC9) and Linux drivers/power/supply/bq27xxx_battery.c (6.12)
for registers and units. The gauge's own current is + when charging: channels negate it, decoded values
keep it. It updates about once a second; faster polls repeat or, on some parts, lock it up.
"""

from __future__ import annotations

from collections.abc import Mapping

from powerhal.channel import Quality
from powerhal.chips.registers import (
    Bits,
    ChannelRow,
    ChipType,
    Config,
    Derived,
    Evidence,
    Register,
    RowFlag,
    Value,
)

# what a variant's register number means: name -> bits (SI, the gauge's own sign)
_MEANING: dict[str, tuple[Bits, ...]] = {
    "temp": (Bits("t_c", lsb=0.1, zero=2731, unit="degC"),),
    "volt": (Bits("v", lsb=1e-3, unit="V"),),
    "ai": (Bits("i", signed=True, lsb=1e-3, unit="A"),),
    "nac": (Bits("charge_nominal_ah", lsb=1e-3, unit="Ah"),),
    "rc": (Bits("charge_ah", lsb=1e-3, unit="Ah"),),
    "fcc": (Bits("charge_full_ah", lsb=1e-3, unit="Ah"),),
    "ap": (Bits("p_avg", signed=True, lsb=1e-3, unit="W"),),
    "soc": (Bits("soc_pct", lsb=1.0, unit="%"),),
    "int_temp": (Bits("t_internal_c", lsb=0.1, zero=2731, unit="degC"),),
    "dcap": (Bits("charge_design_ah", lsb=1e-3, unit="Ah"),),
    "control": (),
}
_FLAGS = (
    Bits("discharging", 0, 1, unit="bool"),
    Bits("critical", 1, 1, unit="bool"),
    Bits("low", 2, 1, unit="bool"),
    Bits("battery_present", 3, 1, unit="bool"),
    Bits("configuring", 4, 1, unit="bool"),
    Bits("power_on_reset", 5, 1, unit="bool"),
    Bits("full", 9, 1, unit="bool"),
    Bits("over_temperature", 15, 1, unit="bool"),
)


def _registers(numbers: Mapping[str, int], flags: tuple[Bits, ...]) -> tuple[Register, ...]:
    rows = [
        Register(name, address, _MEANING[name], order="little", role="status" if name == "control" else "data")
        for name, address in numbers.items()
        if name != "flags"
    ]
    return (*rows, Register("flags", numbers["flags"], flags, order="little", role="status"))


def _status(raw: Mapping[str, int], values: Mapping[str, Value], config: Config) -> Value | None:
    """What the battery does: by the sign of the current, and when there is none by the full flag."""
    if "i" not in raw:
        return None
    if raw["i"]:
        return "charging" if raw["i"] > 0 else "discharging"
    return "full" if raw.get("full") else "not charging"


_CHANNELS = (
    ChannelRow("voltage", "V", ("v",), quality_class="gauge"),
    ChannelRow("current", "A", ("i",), factor=-1.0, quality_class="gauge"),
    ChannelRow("power", "W", ("v", "i"), quality_class="gauge"),
    ChannelRow("charge", "C", ("charge_ah",), factor=3600.0, quality_class="gauge"),
    ChannelRow("ratio", "", ("soc_pct",), factor=0.01, quality_class="gauge", name="soc"),
    ChannelRow("temperature", "degC", ("t_c",), quality_class="gauge"),
)

BQ27421 = ChipType(
    name="bq27421",
    title="TI bq27421 (bq27411, bq27425, bq27441, bq27621), one-cell gauge with coulomb counter",
    addresses=(0x55, 0x55),
    registers=_registers(
        {"control": 0x00, "temp": 0x02, "volt": 0x04, "flags": 0x06, "nac": 0x08, "rc": 0x0C, "fcc": 0x0E,
         "ai": 0x10, "ap": 0x18, "soc": 0x1C, "int_temp": 0x1E, "dcap": 0x3C},
        _FLAGS,
    ),
    channels=_CHANNELS,
    derived=(Derived("status", _status),),
    evidence=(
        Evidence("temp", span=(2331, 3731)),  # -40 to 100 degC: a floating bus or another chip is outside
        Evidence("volt", span=(0, 6000)),
        Evidence("soc", span=(0, 100)),
    ),
    flags=(RowFlag("flags", "power_on_reset", Quality.RESET, latched=True),),
    cycle_s=lambda c: 1.0,
    max_hz=1.0,
    default_hz=1.0,
    needs_shunt=False,
    autoincrement=True,
    source_note="SLUUAC9; Linux drivers/power/supply/bq27xxx_battery.c",
)  # fmt: skip
