"""Golden vectors of this folder, and a bus whose chip answers with their bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from powerhal import chips
from powerhal.chips.pec import read_code
from powerhal.chips.registers import ChipType, Register
from powerhal.transport.replay import ReplayBus, ReplayChip


@dataclass(frozen=True)
class Vector:
    id: str
    chip: str
    config: dict[str, Any]
    raw: dict[str, bytes]
    expect: dict[str, Any]
    kernel: dict[str, int]


def vectors(*kinds: str) -> list[Vector]:
    """The vectors of `vectors.yaml` and of `vectors_KIND.yaml`; raw texts as UTF-8."""
    files = ["vectors.yaml", *(f"vectors_{kind}.yaml" for kind in kinds)]
    rows = [row for name in files for row in yaml.safe_load((Path(__file__).parent / name).read_text())]
    return [vector(row) for row in rows]


def vector(row: dict[str, Any]) -> Vector:
    raw = {k: v.encode() if k == "text" else bytes.fromhex(v) for k, v in row["raw"].items()}
    return Vector(row["id"], row["chip"], row["config"], raw, row["expect"], row.get("kernel", {}))


# identity and plausible values, written from the data sheets and not from the maps
GENUINE: dict[str, dict[int, str]] = {
    "ina219": {0x00: "399f", 0x01: "0000", 0x02: "0002", 0x03: "0000", 0x04: "0000", 0x05: "0000"},
    "ina220": {0x00: "399f", 0x01: "0000", 0x02: "0002", 0x03: "0000", 0x04: "0000", 0x05: "0000"},
    "ina226": {0x00: "4127", 0x01: "0000", 0x02: "0000", 0x03: "0000", 0x04: "0000", 0x05: "0000", 0x06: "0008",
               0x07: "0000", 0xFE: "5449", 0xFF: "2260"},
    "ina230": {0x00: "4127", 0x01: "0000", 0x02: "0000", 0x03: "0000", 0x04: "0000", 0x05: "0000", 0x06: "0008",
               0x07: "0000", 0xFF: "2260"},
    "ina231": {0x00: "4127", 0x01: "0000", 0x02: "0000", 0x03: "0000", 0x04: "0000", 0x05: "0000", 0x06: "0008",
               0x07: "0000"},
    "ina3221": {0x00: "7127", **dict.fromkeys(range(1, 7), "0000"), **dict.fromkeys(range(7, 13), "7ff8"),
                0x0D: "0000", 0x0E: "7ffe", 0x10: "2710", 0x11: "2328", 0x0F: "0003", 0xFE: "5449",
                0xFF: "3220"},
    "max17048": {0x02: "c350", 0x04: "4880", 0x06: "0000", 0x08: "0011", 0x0A: "8030", 0x0C: "971c", 0x16: "0000",
                 0x1A: "0000"},
    "max17049": {0x02: "c350", 0x04: "4880", 0x06: "0000", 0x08: "0011", 0x0A: "8030", 0x0C: "971c", 0x16: "0000",
                 0x1A: "0000"},
    "bq27421": {0x00: "0000", 0x02: "a50b", 0x04: "800e", 0x06: "0000", 0x08: "aa05", 0x0C: "aa05", 0x0E: "d007",
                0x10: "0000", 0x18: "0000", 0x1C: "4800", 0x1E: "a50b", 0x3C: "d007"},
}  # fmt: skip

# what tells these chips, beside zeros: identities, fixed bits and plausible values of their data sheets and drivers
_TI = {0x3E: "5449"}
IDENTITIES: dict[str, dict[int, str]] = {
    "ina209": {0x00: "399f"},
    "ina232": {0x00: "4127", **_TI}, "ina234": {0x00: "4127", **_TI, 0x3F: "a480"},
    "ina236": {0x00: "4127", **_TI, 0x3F: "a080"}, "ina260": {0x00: "6127", 0xFE: "5449", 0xFF: "2270"},
    "ina228": {0x01: "fb68", 0x02: "1000", **_TI, 0x3F: "2281"}, "ina237": {0x01: "fb68", 0x02: "1000", **_TI},
    "ina238": {0x01: "fb68", 0x02: "1000", **_TI, 0x3F: "2381"}, "ina233": {0x9A: "06494e41323333"},
    "ina700": {0x01: "fb68", **_TI}, "ina745": {0x01: "fb68", **_TI}, "ina780": {0x01: "fb68", **_TI},
    **{f"pac193{n}": {0xFD: f"{0x57 + n:02x}", 0xFE: "5d", 0xFF: "03"} for n in (1, 2, 3, 4)},
    "ltc2945": {0x00: "05"}, "ltc2941": {0x00: "80", 0x01: "3c"},
    **{name: {0x01: "3c", 0x02: "7fff"} for name in ("ltc2942", "ltc2943", "ltc2944")},
    **{name: {0x02: "c350", 0x04: "4880", 0x08: "0002"} for name in ("max17040", "max17041", "max17043", "max17044")},
    **{name: {0x02: "c350", 0x04: "4880", 0x08: "0012", 0x0A: "8030", 0x0C: "971c"}
       for name in ("max17058", "max17059")},
    **{name: {0x06: "0048", 0x08: "0019", 0x09: "00be", 0x21: text}
       for name, text in {"max17042": "9200", "max17047": "ac00", "max17050": "ac00", "max17055": "1040"}.items()},
    "bq27000": {0x06: "a804", 0x08: "740e", 0x0B: "32"}, "bq27010": {0x06: "a804", 0x08: "740e", 0x0B: "32"},
    "bq27426": {0x02: "a50b", 0x04: "800e", 0x1C: "4800"},
    **{name: {0x06: "a50b", 0x08: "800e", 0x2C: "4800"}
       for name in ("bq27500", "bq27530", "bq27541", "bq27545", "bq27z561", "bq78z100")},
    **{name: {0x06: "a50b", 0x08: "800e", 0x20: "4800"} for name in ("bq27510g3", "bq27520g4")},
    "bq34z100": {0x0C: "a50b", 0x08: "800e", 0x02: "48"},
    "sbs": {0x08: "a50b", 0x09: "b42d", 0x0D: "4900", 0x1A: "2100"},
    "lc709203f": {0x08: "a60b2a", 0x09: "e40e56", 0x0F: "dd0242"},
    "cw2015": {0x00: "6f", 0x02: "3000", 0x04: "4880", 0x0A: "c0"},
    "stc3117": {0x00: "10", 0x02: "0090", 0x08: "bf06", 0x18: "16"},
    "ds2782": {0x06: "48", 0x0A: "1900", 0x0C: "6120", 0x69: "32"},
}  # fmt: skip


def genuine(chip: ChipType) -> dict[int, bytes]:
    """Pointer -> wire bytes of a genuine chip: what is written above, zeros for the rest of its map."""
    if chip.name in GENUINE:
        return {pointer: bytes.fromhex(text) for pointer, text in GENUINE[chip.name].items()}
    told = {pointer: bytes.fromhex(text) for pointer, text in IDENTITIES[chip.name].items()}
    own = {r.address: answer(chip, r, bytes(r.nbytes)) for r in chip.registers if r.name != "foreign_name"}
    return own | told


def answer(chip: ChipType, register: Register, data: bytes) -> bytes:
    """Wire bytes with the check byte that the chip would add."""
    return data[:-1] + bytes((read_code(chip.addresses[0], register.address, data[:-1]),)) if register.check else data


def chip_on_bus(chip: ChipType, raw: dict[str, bytes] | None = None) -> tuple[ReplayBus, int, ReplayChip]:
    """A bus with one genuine chip at its lowest address, some registers replaced."""
    registers = genuine(chip)
    registers |= {int(pointer, 16): data for pointer, data in (raw or {}).items()}
    model = ReplayChip(registers, chip.autoincrement)
    return ReplayBus("i2c-test", {chip.addresses[0]: model}), chip.addresses[0], model


def load(name: str) -> ChipType:
    return chips.find(name)
