"""Golden vectors of this folder, and a bus whose chip answers with their bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from powerhal import chips
from powerhal.chips.registers import ChipType
from powerhal.transport.replay import ReplayBus, ReplayChip


@dataclass(frozen=True)
class Vector:
    id: str
    chip: str
    config: dict[str, float]
    raw: dict[str, bytes]
    expect: dict[str, Any]
    kernel: dict[str, int]


def vectors() -> list[Vector]:
    rows = yaml.safe_load((Path(__file__).parent / "vectors.yaml").read_text())
    return [
        Vector(
            row["id"], row["chip"], row["config"], {k: bytes.fromhex(v) for k, v in row["raw"].items()},
            row["expect"], row.get("kernel", {}),
        )
        for row in rows
    ]  # fmt: skip


# identity and plausible values, written from the data sheets and not from the maps
GENUINE: dict[str, dict[int, str]] = {
    "ina219": {0x00: "399f", 0x01: "0000", 0x02: "0002", 0x03: "0000", 0x04: "0000", 0x05: "0000"},
    "ina220": {0x00: "399f", 0x01: "0000", 0x02: "0002", 0x03: "0000", 0x04: "0000", 0x05: "0000"},
    "ina226": {0x00: "4127", 0x01: "0000", 0x02: "0000", 0x03: "0000", 0x04: "0000", 0x05: "0000", 0x06: "0008",
               0x07: "0000", 0xFE: "5449", 0xFF: "2260"},
    "ina230": {0x00: "4127", 0x01: "0000", 0x02: "0000", 0x03: "0000", 0x04: "0000", 0x05: "0000", 0x06: "0008",
               0x07: "0000"},
    "ina231": {0x00: "4127", 0x01: "0000", 0x02: "0000", 0x03: "0000", 0x04: "0000", 0x05: "0000", 0x06: "0008",
               0x07: "0000"},
    "ina3221": {0x00: "7127", **dict.fromkeys(range(1, 7), "0000"), 0x0D: "0000", 0x0F: "0003", 0xFE: "5449",
                0xFF: "3220"},
    "max17048": {0x02: "c350", 0x04: "4880", 0x08: "0011", 0x0A: "8030", 0x0C: "971c", 0x16: "0000", 0x1A: "0000"},
    "max17049": {0x02: "c350", 0x04: "4880", 0x08: "0011", 0x0A: "8030", 0x0C: "971c", 0x16: "0000", 0x1A: "0000"},
    "bq27421": {0x00: "0000", 0x02: "a50b", 0x04: "800e", 0x06: "0000", 0x08: "aa05", 0x0C: "aa05", 0x0E: "d007",
                0x10: "0000", 0x18: "0000", 0x1C: "4800", 0x1E: "a50b", 0x3C: "d007"},
}  # fmt: skip


def chip_on_bus(chip: ChipType, raw: dict[str, bytes] | None = None) -> tuple[ReplayBus, int, ReplayChip]:
    """A bus with one genuine chip at its lowest address, some registers replaced."""
    registers = {pointer: bytes.fromhex(text) for pointer, text in GENUINE[chip.name].items()}
    registers |= {int(pointer, 16): data for pointer, data in (raw or {}).items()}
    model = ReplayChip(registers, chip.autoincrement)
    return ReplayBus("i2c-test", {chip.addresses[0]: model}), chip.addresses[0], model


def load(name: str) -> ChipType:
    return chips.find(name)
