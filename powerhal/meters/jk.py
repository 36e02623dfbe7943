"""JK battery management on UART: 4E 57, length, four address bytes, command, source, type, tokens, number, 68, sum.

Sources: syssi/esphome-jk-bms protocol notes; a real response of 285 bytes with its sum verified. Tokens are a code
and a value whose width the code decides, big-endian. The device's sign, as given here: + when charging.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HEAD = b"\x4e\x57"
_BEFORE, _AFTER = 11, 9  # bytes before the tokens; record number, end mark and sum behind them
_CELLS = 0x79
_WIDTHS = {  # token -> bytes, where it is not two
    0x85: 1, 0x86: 1, 0x89: 4, 0x9D: 1, 0xA9: 1, 0xAA: 4, 0xAB: 1, 0xAC: 1, 0xAE: 1, 0xAF: 1, 0xB1: 1, 0xB2: 10,
    0xB3: 1,
    0xB4: 8, 0xB5: 4, 0xB6: 4, 0xB7: 15, 0xB8: 1, 0xB9: 4, 0xBA: 24, 0xC0: 1,
}  # fmt: skip
_NAMES = {0x85: "soc_pct", 0x87: "cycles", 0x8A: "cells", 0xAA: "design_ah"}
_TEMPERATURES = {0x80: "t_mosfet_c", 0x81: "t1_c", 0x82: "t2_c"}


def tokens(body: bytes) -> dict[int, bytes]:
    """Code -> value; ends at the first code that is not known to have a width."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(body):
        code = body[at]
        if not (_CELLS <= code <= 0xC0):
            break
        width = _WIDTHS.get(code, 2) if code != _CELLS else 1 + (body[at + 1] if at + 1 < len(body) else 0)
        found[code] = body[at + 1 : at + 1 + width]
        at += 1 + width
    return found


def amperes(word: int, version: int) -> float:
    """+ when charging. Version 1: magnitude, bit 15 set when charging; version 0: 10000 is zero, less is charging."""
    if version == 1:
        return (word & 0x7FFF) / 100 if word & 0x8000 else -(word & 0x7FFF) / 100
    return (10000 - word) / 100


def values(found: Mapping[int, bytes]) -> dict[str, Any]:
    """The fields that the tokens hold."""
    number = {code: int.from_bytes(data, "big") for code, data in found.items()}
    out: dict[str, Any] = {}
    packed = found.get(_CELLS, b"")[1:]
    for at in range(0, len(packed) - 2, 3):
        out[f"cell{packed[at]}_v"] = int.from_bytes(packed[at + 1 : at + 3], "big") / 1000
    if 0x83 in number:
        out["v"] = number[0x83] / 100
    if 0x84 in number:
        out["i"] = amperes(number[0x84], number.get(0xC0, 0))
    out |= {name: number[code] for code, name in _NAMES.items() if code in number}
    for code, name in _TEMPERATURES.items():
        if code in number:  # above 100 it counts below zero
            out[name] = number[code] if number[code] <= 100 else 100 - number[code]
    return out


def decode(config: Mapping[str, Any], raw: Mapping[str, bytes]) -> dict[str, Any]:
    """The fields of `frame` and `checksum_ok`; `error` is 'length' or 'checksum' when it is damaged."""
    frame = raw.get("frame", b"")
    length = int.from_bytes(frame[2:4], "big") + 2
    if frame[:2] != HEAD or len(frame) < length or length < _BEFORE + _AFTER:
        return {"error": "length", "checksum_ok": False}
    frame = frame[:length]
    if sum(frame[:-4]) & 0xFFFF != int.from_bytes(frame[-2:], "big"):
        return {"error": "checksum", "checksum_ok": False}
    return {**values(tokens(frame[_BEFORE:-_AFTER])), "checksum_ok": True}
