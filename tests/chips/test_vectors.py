"""Golden wire bytes: through the register decoder, and through open source -> row -> channels."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml

from powerhal import chips
from powerhal.channel import Quality
from powerhal.chips.decode import decode_registers
from powerhal.chips.given import plain_config
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.meters.wires import decode_wire
from powerhal.recording.decode import decode_row
from powerhal.transport.clock import VirtualClock
from tests.chips.golden import Vector, chip_on_bus, load, vector, vectors

FIRST = vectors()  # the chips whose rows have tables of their own below
VECTORS = vectors("monitors", "gauges", "variants")
WIRES = [v for v in vectors("wires") if v not in FIRST]


def agree(got: Any, want: Any) -> bool:
    if isinstance(want, dict):
        return isinstance(got, dict) and all(agree(got.get(k), v) for k, v in want.items())
    if isinstance(want, list):
        return isinstance(got, list) and len(got) == len(want) and all(map(agree, got, want))
    if want is None or isinstance(want, bool | str):
        return type(got) is type(want) and got == want
    return isinstance(got, int | float) and math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-15)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v.id)
def test_registers_mean_what_the_data_sheet_says(vector: Vector) -> None:
    got = decode_registers(vector.chip, vector.config, vector.raw)
    assert set(got) == set(vector.expect)
    wrong = {k: (got[k], want) for k, want in vector.expect.items() if not agree(got[k], want)}
    assert not wrong


@pytest.mark.parametrize("vector", WIRES, ids=lambda v: v.id)
def test_frames_and_texts_mean_what_their_protocols_say(vector: Vector) -> None:
    got = decode_wire(vector.chip, vector.config, vector.raw)
    assert agree(got, vector.expect), got


# channel -> (the vector's name for it, factor from the chip's own sign and unit to SI and + = consumed)
CHANNELS: dict[str, dict[str, tuple[str, float]]] = {
    "ina219": {"voltage": ("v_bus", 1), "current": ("i_from_shunt", 1), "power": ("p_from_shunt", 1)},
    "ina226": {"voltage": ("v_bus", 1), "current": ("i_from_shunt", 1), "power": ("p_from_shunt", 1)},
    "ina231": {"voltage": ("v_bus", 1), "current": ("i_from_shunt", 1), "power": ("p_from_shunt", 1)},
    "ina3221": {"voltage": ("v_bus", 1), "current": ("i", 1), "power": ("p", 1)},
    "max17048": {"voltage": ("v", 1), "soc": ("soc_pct", 0.01)},
    "max17049": {"voltage": ("v", 1), "soc": ("soc_pct", 0.01)},
    "bq27421": {
        "voltage": ("v", 1), "current": ("i", -1), "soc": ("soc_pct", 0.01), "charge": ("charge_ah", 3600),
        "temperature": ("t_c", 1),
    },
}  # fmt: skip


@pytest.mark.parametrize("vector", [v for v in FIRST if "v_shunt_sum" not in v.expect], ids=lambda v: v.id)
def test_a_row_of_the_source_has_the_same_values(vector: Vector) -> None:
    chip = load(vector.chip)
    bus, address, _ = chip_on_bus(chip, vector.raw)
    index = int(vector.config.get("channel", 1))
    shunt = vector.config.get("r_shunt_ohm", 0.0)
    options = SensorOptions("probe", channels=(ChannelOptions(index, "RAIL", shunt),))
    source = chip.source(bus, address, options, VirtualClock())
    source.open()
    row = source.read()
    assert not row.quality & (Quality.MISSING | Quality.RESET)
    values = decode_row(source.layout, row.raw)
    for name, (key, factor) in CHANNELS[vector.chip].items():
        assert values[f"RAIL.{name}"] == pytest.approx(vector.expect[key] * factor, rel=1e-9, abs=1e-12)


# gauges whose own current is + when charging; every other chip's is + into the load
CHARGING_IS_PLUS = {
    "bq27421", "bq27426", "bq27500", "bq27510g3", "bq27520g4", "bq27530", "bq27541", "bq27545", "bq27z561", "bq34z100",
    "bq78z100", "sbs", "max17042", "max17047", "max17050", "max17055", "stc3117", "ds2782", "ltc2943", "ltc2944",
}  # fmt: skip
SINGLE = [
    v for v in VECTORS if v not in FIRST and chips.find(v.chip).wired and all(k[:2] == "0x" for k in v.raw)
    and "double_soc" not in v.config
]  # fmt: skip


@pytest.mark.parametrize("vector", SINGLE, ids=lambda v: v.id)
def test_a_row_of_every_other_chip_has_the_same_values(vector: Vector) -> None:
    """Through the bus: open, settings from the chip's own registers, one row, channels in SI and + = consumed."""
    chip = load(vector.chip)
    config = plain_config(vector.config)
    bus, address, model = chip_on_bus(chip, vector.raw)
    for name, (register, bits) in chip.settings().items():
        if name in config and f"0x{register.address:02x}" not in vector.raw:
            word = register.integer(model.registers[register.address])
            mask = (1 << (bits.bits or 8 * register.nbytes)) - 1
            word = word & ~(mask << bits.shift) | bits.code(config[name] or 0.0) << bits.shift
            model.registers[register.address] = register.wire(word)
    if chip.name == "ina228" and config.get("r_shunt_ohm") and "0x02" not in vector.raw:
        cal = round(13107.2e6 * config["current_lsb"] * config["r_shunt_ohm"])  # SHUNT_CAL, data sheet
        model.registers[0x02] = (4 * cal if config.get("adcrange") else cal).to_bytes(2, "big")
    if config.get("bidirectional"):
        model.registers[0x1D] = b"\xff"
    index = int(config.get("channel") or (3 if "0x19" in vector.raw and chip.inputs == 4 else 1))
    wired = ChannelOptions(index, "RAIL", config.get("r_shunt_ohm") or 0.02)
    source = chip.source(bus, address, SensorOptions("probe", channels=(wired,)), VirtualClock())
    source.open()
    row = source.read()
    assert not row.quality & Quality.MISSING
    values = decode_row(source.layout, row.raw)
    seen = 0
    for channel in (c for c in chip.channels if c.channel in (0, index)):
        parts = [vector.expect.get(part) for part in channel.of]
        if None in parts or (channel.quantity != "voltage" and not _scaled(config, chip)):
            continue
        assert values[f"RAIL.{channel.label}"] == pytest.approx(_in_si(chip, channel, parts), rel=1e-9, abs=1e-12)
        seen += 1
    assert seen


def _scaled(config: Any, chip: chips.ChipType) -> bool:  # type: ignore[name-defined]
    return not chip.needs_shunt or bool(config.get("r_shunt_ohm"))


def _in_si(chip: Any, channel: Any, parts: list[float]) -> float:
    signed = channel.quantity in ("current", "power") or (channel.quantity == "charge" and channel.counter)
    sign = -1 if signed and chip.name in CHARGING_IS_PLUS | {"ltc2941", "ltc2942"} else 1
    scale = {"C": 3600, "": 0.01}.get(channel.unit, 1) if "ah" in channel.of[0] or channel.unit == "" else 1
    bias = -273.15 if channel.of == ("t_k",) else 0.0
    return math.prod(parts) * sign * scale + bias


@pytest.mark.parametrize("name", sorted(CHARGING_IS_PLUS))
def test_discharging_a_battery_is_positive(name: str) -> None:
    currents = [c for c in load(name).channels if c.quantity == "current"]
    assert currents and all(c.factor == -1.0 for c in currents)


def test_every_chip_has_wire_bytes() -> None:
    """A chip without its own vectors must be, register for register, one that has them."""
    proven = {v.chip for v in VECTORS}
    maps = [chips.find(name) for name in proven]
    for compatible in chips.CHIPS:
        chip = chips.load(compatible)
        data = {r for r in chip.registers if r.role == "data"}
        assert chip.name in proven or any(data == {r for r in m.registers if r.role == "data"} for m in maps)


def test_the_reference_vectors_too(shared: Any) -> None:
    rows = yaml.safe_load((shared / "vectors" / "chips.yaml").read_text())["public"]
    ours = {v.id: v for v in (*VECTORS, *WIRES)}
    assert len(rows) >= 190
    for row in rows:
        assert row["id"] in ours
        want = vector(row)
        got = decode_wire(want.chip, want.config, want.raw)
        assert agree(got, want.expect), (want.id, got)
