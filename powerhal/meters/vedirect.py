"""Victron VE.Direct text: CR LF KEY TAB VALUE lines, closed by a byte that makes the whole block sum to 0 modulo 256.

Sources: the VE.Direct protocol as implemented by karioja/vedirect: keys and units. HEX messages (a colon to LF) may
stand between the lines and are not part of the block. Values `---` and a time of -1 mean that the device does not
know. The device's sign: battery current + when charging.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# key -> (field, factor to SI or to what the field's ending says)
KEYS: dict[str, tuple[str, float]] = {
    "V": ("v", 1e-3), "VS": ("v_starter", 1e-3), "VM": ("v_mid", 1e-3), "V2": ("v2", 1e-3), "V3": ("v3", 1e-3),
    "I": ("i", 1e-3), "I2": ("i2", 1e-3), "I3": ("i3", 1e-3), "IL": ("i_load", 1e-3),
    "VPV": ("vpv", 1e-3), "PPV": ("ppv", 1.0), "P": ("p", 1.0), "CE": ("consumed_ah", 1e-3), "SOC": ("soc_pct", 0.1),
    "TTG": ("ttg_min", 1.0), "T": ("t_c", 1.0), "DM": ("mid_deviation_pct", 0.1), "CS": ("state", 1.0),
    "ERR": ("fault", 1.0), "H1": ("deepest_discharge_ah", 1e-3), "H2": ("last_discharge_ah", 1e-3),
    "H3": ("average_discharge_ah", 1e-3), "H4": ("cycles", 1.0), "H6": ("drawn_ah", 1e-3), "H7": ("v_min", 1e-3),
    "H8": ("v_max", 1e-3), "H17": ("discharged_wh", 10.0), "H18": ("charged_wh", 10.0),
    "H19": ("yield_total_wh", 10.0), "H20": ("yield_today_wh", 10.0), "H21": ("p_max_today", 1.0),
    "H22": ("yield_yesterday_wh", 10.0), "H23": ("p_max_yesterday", 1.0),
}  # fmt: skip

_END = b"\r\nChecksum\t"
_HEX = re.compile(rb":[0-9A-Fa-f]+\n")


def blocks(stream: bytes) -> tuple[list[bytes], bytes]:
    """The whole blocks of a stream without HEX messages, and what is left for the next one; checks nothing."""
    found: list[bytes] = []
    while True:
        at = stream.find(_END)
        if at < 0 or len(stream) <= at + len(_END):
            return found, stream
        end = at + len(_END) + 1
        found.append(_HEX.sub(b"", stream[:at]) + stream[at:end])
        stream = stream[end:]


def lines(block: bytes) -> dict[str, str]:
    """Key -> value as text."""
    pairs = (line.split(b"\t", 1) for line in block.partition(_END)[0].split(b"\r\n") if b"\t" in line)
    return {key.decode("ascii", "replace"): value.decode("ascii", "replace") for key, value in pairs}


def values(block: bytes) -> dict[str, Any]:
    """The known fields of a block; None where the device does not know."""
    out: dict[str, Any] = {}
    for key, text in lines(block).items():
        if key not in KEYS:
            continue
        name, factor = KEYS[key]
        try:
            number = float(text)
        except ValueError:
            out[name] = None
            continue
        out[name] = None if key == "TTG" and number < 0 else number * factor
    return out


def decode(config: Mapping[str, Any], raw: Mapping[str, bytes]) -> dict[str, Any]:
    """The fields of `frame`, or `error`: 'length' when no block is whole, 'checksum' when its sum is not 0."""
    whole, _ = blocks(raw.get("frame", b""))
    if not whole:
        return {"error": "length"}
    if sum(whole[0]) % 256:
        return {"error": "checksum"}
    return values(whole[0])
