"""TI bq27xxx gauges: little-endian words, one row of register numbers a variant.

Sources: Linux drivers/power/supply/bq27xxx_battery.c (6.12) for register numbers, flags and units; bq27441-G1 technical
reference (SLUUAC9); for the bq34z100's average power (0x26, 10 mW) its technical reference, against the driver's 0x22.
The gauge's own current is + when charging: channels negate it, decoded values keep it. It updates about once a
second; faster polls repeat or, on some parts, lock it up. There is no identity that can be read without a write.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

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

UNKNOWN = (0xFFFF,)  # minutes that the gauge does not know

# what a variant's register number means: name -> bits (SI, the gauge's own sign)
_MEANING: dict[str, tuple[Bits, ...]] = {
    "control": (),
    "temp": (Bits("t_c", lsb=0.1, zero=2731, unit="degC"),),
    "int_temp": (Bits("t_internal_c", lsb=0.1, zero=2731, unit="degC"),),
    "volt": (Bits("v", lsb=1e-3, unit="V"),),
    "ai": (Bits("i", signed=True, lsb=1e-3, unit="A"),),
    "nac": (Bits("charge_nominal_ah", lsb=1e-3, unit="Ah"),),
    "rc": (Bits("charge_ah", lsb=1e-3, unit="Ah"),),
    "fcc": (Bits("charge_full_ah", lsb=1e-3, unit="Ah"),),
    "dcap": (Bits("charge_design_ah", lsb=1e-3, unit="Ah"),),
    "ae": (Bits("energy_wh", lsb=1e-3, unit="Wh"),),
    "ap": (Bits("p_avg", signed=True, lsb=1e-3, unit="W"),),
    "soc": (Bits("soc_pct", lsb=1.0, unit="%"),),
    "tte": (Bits("tte_min", unit="min", unknown=UNKNOWN),),
    "ttf": (Bits("ttf_min", unit="min", unknown=UNKNOWN),),
    "cyct": (Bits("cycles"),),
}
_CLASSIC_FLAGS = (
    Bits("discharging", 0, 1, unit="bool"),
    Bits("critical", 1, 1, unit="bool"),
    Bits("low", 2, 1, unit="bool"),
    Bits("battery_present", 3, 1, unit="bool"),
    Bits("configuring", 4, 1, unit="bool"),
    Bits("power_on_reset", 5, 1, unit="bool"),
    Bits("full", 9, 1, unit="bool"),
    Bits("over_temperature", 15, 1, unit="bool"),
)
_BATTERY_STATUS = (  # the SBS word of bq27z561, bq28z610, bq78z100
    Bits("fully_discharged", 4, 1, unit="bool"),
    Bits("full", 5, 1, unit="bool"),
    Bits("discharging", 6, 1, unit="bool"),
)


def _registers(
    numbers: Mapping[str, int], flags: tuple[Bits, ...], meaning: Mapping[str, tuple[Bits, ...]] = _MEANING
) -> tuple[Register, ...]:
    rows = [
        Register(name, address, meaning[name], order="little", role="status" if name == "control" else "data")
        for name, address in {"control": 0x00, **numbers}.items()
        if name != "flags"
    ]
    return (*rows, Register("flags", numbers["flags"], flags, order="little", role="state"))


def _status(raw: Mapping[str, int], values: Mapping[str, Value], config: Config) -> Value:
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
        {"temp": 0x02, "volt": 0x04, "flags": 0x06, "nac": 0x08, "rc": 0x0C, "fcc": 0x0E,
         "ai": 0x10, "ap": 0x18, "soc": 0x1C, "int_temp": 0x1E, "dcap": 0x3C},
        _CLASSIC_FLAGS,
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
    stretches_clock=True,
    asleep_after_s=8.0,
    default_hz=1.0,
    needs_shunt=False,
    autoincrement=True,
    source_note="SLUUAC9; Linux drivers/power/supply/bq27xxx_battery.c",
    checked="register numbers, flags: Linux 6.12; 1 mW for the average power: vectors and SLUUAC9, the driver says 10",
)  # fmt: skip

_COMMON = {"temp": 0x06, "volt": 0x08, "flags": 0x0A, "rc": 0x10, "fcc": 0x12, "ai": 0x14, "tte": 0x16}
_NOMINAL = {**_COMMON, "nac": 0x0C}


def _variant(name: str, also: str, numbers: Mapping[str, int], flags: tuple[Bits, ...] = _CLASSIC_FLAGS) -> ChipType:
    """A gauge of the older map: the flags' power-on bit is not there."""
    return replace(
        BQ27421, name=name, title=f"TI {name}{also}, gauge with coulomb counter", registers=_registers(numbers, flags),
        flags=(), source_note="Linux drivers/power/supply/bq27xxx_battery.c",
    )  # fmt: skip


BQ27426 = replace(
    BQ27421, name="bq27426", title="TI bq27426, one-cell gauge with coulomb counter",
    registers=tuple(r for r in BQ27421.registers if r.name != "dcap"),
)  # fmt: skip
BQ27500 = _variant("bq27500", " (bq2750x, bq27510 and bq27520 up to G2)", {
    **_NOMINAL, "ttf": 0x18, "ae": 0x22, "ap": 0x24, "cyct": 0x2A, "soc": 0x2C, "dcap": 0x3C,
})  # fmt: skip
BQ27510G3 = _variant("bq27510g3", "", {**_NOMINAL, "cyct": 0x1E, "soc": 0x20, "int_temp": 0x28, "dcap": 0x2E})
BQ27520G4 = _variant("bq27520g4", "", {**_NOMINAL, "cyct": 0x1E, "soc": 0x20, "int_temp": 0x28})
BQ27530 = _variant("bq27530", " (bq27531)", {**_NOMINAL, "ap": 0x24, "cyct": 0x2A, "soc": 0x2C, "int_temp": 0x32})
BQ27541 = _variant("bq27541", " (bq27542, bq27546, bq27742)", {
    **_NOMINAL, "ap": 0x24, "int_temp": 0x28, "cyct": 0x2A, "soc": 0x2C, "dcap": 0x3C,
})  # fmt: skip
BQ27545 = _variant("bq27545", "", {**_NOMINAL, "ap": 0x24, "int_temp": 0x28, "cyct": 0x2A, "soc": 0x2C})
BQ27Z561 = _variant("bq27z561", " (bq28z610)", {
    **_COMMON, "ttf": 0x18, "ap": 0x22, "cyct": 0x2A, "soc": 0x2C, "dcap": 0x3C,
}, _BATTERY_STATUS)  # fmt: skip
BQ78Z100 = _variant("bq78z100", "", {
    **_COMMON, "ttf": 0x18, "ap": 0x22, "int_temp": 0x28, "cyct": 0x2A, "soc": 0x2C, "dcap": 0x3C,
}, _BATTERY_STATUS)  # fmt: skip

_TENFOLD = {
    **_MEANING,
    "ap": (Bits("p_avg", signed=True, lsb=10e-3, unit="W"),),
    "ae": (Bits("energy_wh", lsb=10e-3, unit="Wh"),),
}  # fmt: skip
BQ34Z100 = replace(
    _variant("bq34z100", "", {"flags": 0x0E}),
    title="TI bq34z100, multi-cell gauge with coulomb counter",
    registers=tuple(
        replace(register, nbytes=1) if register.name == "soc" else register
        for register in _registers(
            {"soc": 0x02, "rc": 0x04, "fcc": 0x06, "volt": 0x08, "ai": 0x0A, "temp": 0x0C, "flags": 0x0E, "tte": 0x18,
             "ttf": 0x1A, "ae": 0x24, "ap": 0x26, "int_temp": 0x2A, "cyct": 0x2C, "dcap": 0x3C},
            _CLASSIC_FLAGS, _TENFOLD,
        )
    ),
    evidence=(
        Evidence("temp", span=(2331, 3731)),
        Evidence("volt", span=(0, 65000)),
        Evidence("soc", span=(0, 100)),
    ),
    checked="average power at 0x26 in 10 mW and available energy in 10 mWh: technical reference as quoted",
)  # fmt: skip
