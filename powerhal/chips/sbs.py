"""Smart Battery System batteries (bq40z50, bq20z75 and many laptop packs): SMBus words, little-endian.

Sources: Smart Battery Data Specification 1.1; Linux drivers/power/supply/sbs-battery.c (6.12). Capacities are in mAh
or 10 mWh by BatteryMode bit 15; SpecificationInfo scales volts and amperes by powers of ten and says whether every
answer carries a packet error code (`powerhal.chips.pec`). The battery's own current is + when charging.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from powerhal.chips.bq27xxx import UNKNOWN
from powerhal.chips.registers import Bits, ChannelRow, ChipType, Config, Derived, Evidence, Register, Value


def _scaled(step: float, setting: str) -> Callable[[Config], float]:
    """`step` times ten to the power that SpecificationInfo gives (0 to 3)."""
    return lambda config: step * 10 ** (config.get(setting) or 0)


def _capacity(ampere_hours: str, watt_hours: str) -> tuple[Bits, ...]:
    """A capacity under both meanings: only the one that BatteryMode says has a scale."""
    return (
        Bits(ampere_hours, lsb=lambda c: None if c.get("capacity_mode") else _scaled(1e-3, "ip_scale")(c), unit="Ah",
             formula="1e-3 * 10^ip_scale with capacity_mode 0"),
        Bits(watt_hours, lsb=lambda c: 10e-3 * _scaled(1, "v_scale")(c) * _scaled(1, "ip_scale")(c)
             if c.get("capacity_mode") else None, unit="Wh",
             formula="10e-3 * 10^(v_scale + ip_scale) with capacity_mode 1"),
    )  # fmt: skip


def _word(name: str, command: int, *bits: Bits, role: str = "data", por: int | None = None) -> Register:
    return Register(name, command, bits, order="little", role=role, por=por)


def _volts(name: str) -> Bits:
    return Bits(name, lsb=_scaled(1e-3, "v_scale"), unit="V", formula="1e-3 * 10^v_scale")


def _amperes(name: str, signed: bool = True) -> Bits:
    return Bits(name, signed=signed, lsb=_scaled(1e-3, "ip_scale"), unit="A", formula="1e-3 * 10^ip_scale")


def _minutes(name: str) -> Bits:
    return Bits(name, unit="min", unknown=UNKNOWN)


def _date(raw: Mapping[str, int], values: Mapping[str, Value], config: Config) -> Value:
    """Year from 1980 in seven bits, month, day: as ISO text; left out when it is no day."""
    if "date" not in raw:
        return None
    word = raw["date"]
    try:
        return date(1980 + (word >> 9), word >> 5 & 0xF, word & 0x1F).isoformat()
    except ValueError:
        return None


def _status(raw: Mapping[str, int], values: Mapping[str, Value], config: Config) -> Value:
    """From the flags of BatteryStatus; left out without them."""
    if "fully_charged" not in raw:
        return None
    if raw["fully_charged"]:
        return "full"
    if raw.get("i"):
        return "charging" if raw["i"] > 0 else "discharging"
    return "discharging" if raw["discharging"] else "charging"


SBS = ChipType(
    name="sbs",
    title="Smart battery (SBS 1.0, 1.1)",
    addresses=(0x0B, 0x0B),
    registers=(
        _word("battery_mode", 0x03, Bits("capacity_mode", 15, 1), role="config", por=0),
        Register("spec_info", 0x1A, (
            Bits("revision", 0, 4), Bits("version", 4, 4), Bits("v_scale", 8, 4), Bits("ip_scale", 12, 4),
        ), order="little", role="config", por=0x0021, fixed=True),
        _word("temperature", 0x08, Bits("t_c", lsb=0.1, zero=2731, unit="degC")),
        _word("voltage", 0x09, _volts("v")),
        _word("current", 0x0A, _amperes("i")),
        _word("average_current", 0x0B, _amperes("i_avg")),
        _word("max_error", 0x0C, Bits("max_error_pct", unit="%")),
        _word("relative_charge", 0x0D, Bits("soc_pct", unit="%")),
        _word("remaining", 0x0F, *_capacity("charge_ah", "energy_wh")),
        _word("full_charge", 0x10, *_capacity("charge_full_ah", "energy_full_wh")),
        _word("run_time_to_empty", 0x11, _minutes("tte_min")),
        _word("average_time_to_empty", 0x12, _minutes("tte_avg_min")),
        _word("average_time_to_full", 0x13, _minutes("ttf_avg_min")),
        _word("charging_current", 0x14, _amperes("i_charge_wanted", signed=False)),
        _word("charging_voltage", 0x15, _volts("v_charge_wanted")),
        _word("battery_status", 0x16, Bits("fully_discharged", 4, 1, unit="bool"),
              Bits("fully_charged", 5, 1, unit="bool"), Bits("discharging", 6, 1, unit="bool"),
              Bits("initialized", 7, 1, unit="bool"), role="state"),
        _word("cycle_count", 0x17, Bits("cycles")),
        _word("design_capacity", 0x18, *_capacity("charge_design_ah", "energy_design_wh")),
        _word("design_voltage", 0x19, _volts("v_design")),
        _word("manufacture_date", 0x1B, Bits("date"), role="state"),
        _word("serial_number", 0x1C, Bits("serial")),
    ),
    channels=(
        ChannelRow("voltage", "V", ("v",), quality_class="gauge"),
        ChannelRow("current", "A", ("i",), factor=-1.0, quality_class="gauge"),
        ChannelRow("power", "W", ("v", "i"), quality_class="gauge"),
        ChannelRow("ratio", "", ("soc_pct",), factor=0.01, quality_class="gauge", name="soc"),
        ChannelRow("temperature", "degC", ("t_c",), quality_class="gauge"),
    ),
    derived=(Derived("mfg_date", _date), Derived("status", _status)),
    evidence=(
        Evidence("temperature", span=(2331, 3731)),  # -40 to 100 degC
        Evidence("relative_charge", span=(0, 100)),
        Evidence("spec_info", 0x00, 0x00CC),  # revision and version are 1 to 3
        Evidence("spec_info", 0x00, 0x00F0, differs=True),
    ),
    checked_when=Evidence("spec_info", 0x0030, 0x00F0),  # SBS 1.1 with error code
    cycle_s=lambda c: 1.0,
    max_hz=1.0,
    stretches_clock=True,
    default_hz=1.0,
    needs_shunt=False,
    source_note="SBS 1.1; Linux drivers/power/supply/sbs-battery.c",
    checked="commands, units, packet error code: Linux 6.12",
)  # fmt: skip


def decode_pec(config: Mapping[str, object], raw: Mapping[str, bytes]) -> dict[str, Value]:
    """The code that belongs to a read as it went over the wire: address+w, command, address+r, data.

    `raw`: `wire`, or `data` with `addr` and `reg` in `config`.
    """
    from powerhal.chips.pec import crc8, read_code

    if "wire" in raw:
        return {"pec": crc8(raw["wire"])}
    address, command = config.get("addr"), config.get("reg")
    if "data" in raw and isinstance(address, int) and isinstance(command, int):
        return {"pec": read_code(address, command, raw["data"])}
    return {}
