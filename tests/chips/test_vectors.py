"""Golden wire bytes: through the register decoder, and through open source -> row -> channels."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml

from powerhal import chips
from powerhal.channel import Quality
from powerhal.chips.decode import decode_registers
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.recording.decode import decode_row
from powerhal.transport.clock import VirtualClock
from tests.chips.golden import Vector, chip_on_bus, load, vectors

VECTORS = vectors()


def agree(got: Any, want: Any) -> bool:
    if isinstance(want, bool | str):
        return type(got) is type(want) and got == want
    return math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-12)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v.id)
def test_registers_mean_what_the_data_sheet_says(vector: Vector) -> None:
    got = decode_registers(vector.chip, vector.config, vector.raw)
    assert set(got) == set(vector.expect)
    wrong = {k: (got[k], want) for k, want in vector.expect.items() if not agree(got[k], want)}
    assert not wrong


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


@pytest.mark.parametrize("vector", [v for v in VECTORS if "v_shunt_sum" not in v.expect], ids=lambda v: v.id)
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


def test_every_chip_has_wire_bytes() -> None:
    """A chip without its own vectors must be, register for register, one that has them."""
    proven = {v.chip for v in VECTORS}
    maps = [chips.find(name) for name in proven]
    for compatible in chips.CHIPS:
        chip = chips.load(compatible)
        data = {r for r in chip.registers if r.role == "data"}
        assert chip.name in proven or any(data == {r for r in m.registers if r.role == "data"} for m in maps)


def test_the_reference_vectors_too(shared: Any) -> None:
    known = {chips.load(c).name for c in chips.CHIPS}
    rows = yaml.safe_load((shared / "vectors" / "chips.yaml").read_text())["public"]
    seen = 0
    for row in rows:
        if row["chip"] in known:
            got = decode_registers(row["chip"], row["config"], {k: bytes.fromhex(v) for k, v in row["raw"].items()})
            assert set(got) == set(row["expect"]), row["id"]
            assert all(agree(got[k], want) for k, want in row["expect"].items()), row["id"]
            seen += 1
    assert seen >= 30
