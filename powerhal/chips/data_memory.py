"""The bq27xxx gauges' data memory: 32-byte blocks of a class, big-endian values inside, one checksum.

Sources: Linux drivers/power/supply/bq27xxx_battery.c (6.12), the tables of each part; checksum = 0xFF minus the sum of
the block's bytes. Reading only: the checksum register must never be read back after a block write (the driver's
comment: it may corrupt the bq27425's memory).
"""

from __future__ import annotations

from collections.abc import Mapping

from powerhal.errors import UsageError

BLOCK = 32
_NAMES = ("design_capacity_mah", "design_energy_mwh", "terminate_voltage_mv")

# part -> (class, offset, bytes) of the three values above; None where the part has none
FIELDS: dict[str, tuple[tuple[int, int, int] | None, ...]] = {
    "bq27500": ((48, 10, 2), None, (80, 48, 2)),
    "bq27545": ((48, 23, 2), (48, 25, 2), (80, 67, 2)),
    "bq27421": ((82, 10, 2), (82, 12, 2), (82, 16, 2)),
    "bq27425": ((82, 12, 2), (82, 14, 2), (82, 18, 2)),
    "bq27426": ((82, 6, 2), (82, 8, 2), (82, 10, 2)),
    "bq27621": ((82, 3, 2), (82, 5, 2), (82, 9, 2)),
}
FIELDS |= dict.fromkeys(("bq27411", "bq27441"), FIELDS["bq27421"])


def checksum(block: bytes) -> int:
    """What the gauge's checksum register must hold for this block."""
    return 0xFF - sum(block) & 0xFF


def fields(part: str, class_id: int, block: int, data: bytes) -> dict[str, int]:
    """Name -> value of what lies in that block of that class; raises UsageError for an unknown part."""
    if part not in FIELDS:
        raise UsageError(f"the data memory of {part!r} is not known; known are {', '.join(sorted(FIELDS))}")
    out = {}
    for name, place in zip(_NAMES, FIELDS[part], strict=True):
        if place is None or place[0] != class_id or place[1] // BLOCK != block:
            continue
        at = place[1] % BLOCK
        if at + place[2] <= len(data):
            out[name] = int.from_bytes(data[at : at + place[2]], "big")
    return out


def decode(config: Mapping[str, object], raw: Mapping[str, bytes]) -> dict[str, object]:
    """`checksum`, and with `op=fields` the values. `raw`: `data`; `config`: `op`, `chip`, `class`, `block`."""
    data = raw.get("data", b"")
    if len(data) != BLOCK:
        raise UsageError(f"a data memory block has {BLOCK} bytes, not {len(data)}")
    out: dict[str, object] = {}
    if config.get("op") == "fields" or "class" in config:
        out |= fields(str(config.get("chip")), _whole(config, "class"), _whole(config, "block"), data)
    return {**out, "checksum": checksum(data)}


def _whole(config: Mapping[str, object], name: str) -> int:
    value = config.get(name, 0)
    if not isinstance(value, int | float):
        raise UsageError(f"{name} is a number, not {value!r}")
    return int(value)
