"""JBD (Xiaoxiang) battery management on UART: DD register status length data checksum 77, big-endian.

Sources: JBD protocol V4 and V13, whose example frames' checksums were verified. Checksum = 0x10000 minus the sum of
status, length and data. The first frame after sleep is dropped by the device. Its sign: + when charging.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

START, END = 0xDD, 0x77
BASIC, CELLS, HARDWARE = 3, 4, 5
_TENTHS_AT_ZERO = 2731


def checksum(status_length_data: bytes) -> int:
    """The two checksum bytes as a number."""
    return -sum(status_length_data) & 0xFFFF


def check(frame: bytes) -> tuple[int, bytes] | str:
    """(register, data) of a whole frame, or what is wrong with it in a word."""
    if len(frame) < 7 or frame[0] != START or len(frame) < 7 + frame[3]:
        return "length"
    end = 4 + frame[3]
    if checksum(frame[2:end]) != int.from_bytes(frame[end : end + 2], "big") or frame[end + 2] != END:
        return "checksum"
    return "status" if frame[2] else (frame[1], frame[4:end])


def basic(data: bytes) -> dict[str, Any]:
    """Register 3: pack volts, amperes, charge, protection, temperatures; the date is None when it is no day."""
    if len(data) < 23:
        return {"error": "length"}

    def word(at: int, signed: bool = False) -> int:
        return int.from_bytes(data[at : at + 2], "big", signed=signed)

    sensors = min(data[22], (len(data) - 23) // 2)
    return {
        "v": word(0) / 100, "i": word(2, signed=True) / 100, "charge_ah": word(4) / 100,
        "charge_full_ah": word(6) / 100,
        "cycles": word(8), "mfg_date": _day(word(10)), "balancing": word(14) << 16 | word(12), "protection": word(16),
        "version": data[18], "soc_pct": data[19], "fet": data[20], "cells": data[21],
        "temps_c": [(word(23 + 2 * n) - _TENTHS_AT_ZERO) / 10 for n in range(sensors)],
    }  # fmt: skip


def _day(word: int) -> str | None:
    try:
        return date(2000 + (word >> 9), word >> 5 & 0xF, word & 0x1F).isoformat()
    except ValueError:
        return None


def cells(data: bytes) -> dict[str, Any]:
    """Register 4: volts of each cell."""
    return {"cells_v": [int.from_bytes(data[at : at + 2], "big") / 1000 for at in range(0, len(data) - 1, 2)]}


def hardware(data: bytes) -> dict[str, Any]:
    """Register 5: the device's name."""
    return {"hardware": data.decode("ascii", "replace")}


_REGISTERS = {BASIC: basic, CELLS: cells, HARDWARE: hardware}


def decode(config: Mapping[str, Any], raw: Mapping[str, bytes]) -> dict[str, Any]:
    """The fields of `frame`, or `error`: 'length', 'checksum', 'status' or 'register'."""
    found = check(raw.get("frame", b""))
    if isinstance(found, str):
        return {"error": found}
    register, data = found
    return _REGISTERS[register](data) if register in _REGISTERS else {"error": "register"}
