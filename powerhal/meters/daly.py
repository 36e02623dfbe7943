"""Daly battery management on UART/RS485: A5, address, command, 8, eight bytes, sum; big-endian.

Sources: the layout of command 0x90 from open implementations (volts 0.1, amperes (n - 30000) * 0.1, charge 0.1 %);
the request's sum was verified. What the sign of the current means differs between devices: a board's setting, no
guess here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

START, DATA = 0xA5, 8
_ZERO_A, _ZERO_C = 30000, 40


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def _pack(data: bytes) -> dict[str, Any]:
    return {"v": _word(data, 0) / 10, "i": (_word(data, 4) - _ZERO_A) / 10, "soc_pct": _word(data, 6) / 10}


def _extreme_cells(data: bytes) -> dict[str, Any]:
    return {
        "cell_v_max": _word(data, 0) / 1000, "cell_max": data[2],
        "cell_v_min": _word(data, 3) / 1000, "cell_min": data[5],
    }  # fmt: skip


def _extreme_temperatures(data: bytes) -> dict[str, Any]:
    return {"t_max_c": data[0] - _ZERO_C, "t_min_c": data[2] - _ZERO_C}


def _switches(data: bytes) -> dict[str, Any]:
    states = ("idle", "charging", "discharging")
    return {
        "status": states[data[0]] if data[0] < len(states) else None, "charge_fet": bool(data[1]),
        "discharge_fet": bool(data[2]), "charge_ah": int.from_bytes(data[4:8], "big") / 1000,
    }  # fmt: skip


def _counts(data: bytes) -> dict[str, Any]:
    return {"cells": data[0], "sensors": data[1], "cycles": _word(data, 5)}


def _cells(data: bytes) -> dict[str, Any]:
    first = 3 * (data[0] - 1) + 1
    return {f"cell{first + n}_v": _word(data, 1 + 2 * n) / 1000 for n in range(3)} if data[0] else {}


_COMMANDS = {
    0x90: _pack, 0x91: _extreme_cells, 0x92: _extreme_temperatures, 0x93: _switches, 0x94: _counts, 0x95: _cells,
}  # fmt: skip


def decode(config: Mapping[str, Any], raw: Mapping[str, bytes]) -> dict[str, Any]:
    """The fields of `frame`, or `error`: 'length', 'checksum' or 'command'."""
    frame = raw.get("frame", b"")
    if len(frame) < DATA + 5 or frame[0] != START or frame[3] != DATA:
        return {"error": "length"}
    if sum(frame[: DATA + 4]) & 0xFF != frame[DATA + 4]:
        return {"error": "checksum"}
    reader = _COMMANDS.get(frame[2])
    return reader(frame[4 : 4 + DATA]) if reader else {"error": "command"}
