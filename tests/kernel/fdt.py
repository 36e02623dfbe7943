"""A flattened device tree as bytes (Devicetree Specification 0.4, chapter 5): what `dtc` would make of such nodes."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

Node = Mapping[str, Any]
"""Property -> text, texts, integer (one cell), integers, or True; node name -> Node."""

_BEGIN, _END, _PROPERTY, _FINISH = 1, 2, 3, 9


def blob(root: Node) -> bytes:
    """The tree as the kernel takes it."""
    names = bytearray()
    places: dict[str, int] = {}

    def name_at(name: str) -> int:
        if name not in places:
            places[name] = len(names)
            names.extend(name.encode() + b"\0")
        return places[name]

    def node(name: str, content: Node) -> bytes:
        properties = b"".join(
            _property(name_at(key), _value(value)) for key, value in content.items() if not isinstance(value, Mapping)
        )
        children = b"".join(node(key, value) for key, value in content.items() if isinstance(value, Mapping))
        return (
            struct.pack(">I", _BEGIN) + _padded(name.encode() + b"\0") + properties + children + struct.pack(">I", _END)
        )

    structure = node("", root) + struct.pack(">I", _FINISH)
    reserved = bytes(16)
    at = 40 + len(reserved)
    total = at + len(structure) + len(names)
    header = struct.pack(
        ">10I", 0xD00DFEED, total, at, at + len(structure), 40, 17, 16, 0, len(names), len(structure)
    )  # fmt: skip
    return header + reserved + structure + bytes(names)


def _property(name: int, value: bytes) -> bytes:
    return struct.pack(">3I", _PROPERTY, len(value), name) + _padded(value)


def _value(value: Any) -> bytes:
    if value is True:
        return b""
    if isinstance(value, str):
        return value.encode() + b"\0"
    if isinstance(value, int):
        return struct.pack(">I", value & 0xFFFFFFFF)
    if all(isinstance(each, str) for each in value):
        return b"".join(each.encode() + b"\0" for each in value)
    return b"".join(struct.pack(">I", each & 0xFFFFFFFF) for each in value)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
