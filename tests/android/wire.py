"""A writer of protobuf's wire format, by its definition alone (protobuf.dev/programming-guides/encoding).

It shares nothing with the reader: tests give field numbers by hand, from the platform's protocol definitions.
"""

from __future__ import annotations

import struct


def varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; a negative number has 64 bits."""
    value %= 1 << 64
    out = []
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes([*out, value])


def num(field: int, value: int) -> bytes:
    """An integer field as Java's ProtoOutputStream writes it: a single 0 is left out."""
    return varint(field * 8) + varint(value) if value else b""


def double(field: int, value: float) -> bytes:
    """A double, also where it is 0."""
    return varint(field * 8 + 1) + struct.pack("<d", value)


def text(field: int, value: str | bytes) -> bytes:
    """A string, or the bytes of a message."""
    data = value.encode() if isinstance(value, str) else value
    return varint(field * 8 + 2) + varint(len(data)) + data


def message(field: int, *parts: bytes) -> bytes:
    """A message of the given fields."""
    return text(field, b"".join(parts))


def history(lines: list[str], keys: list[tuple[int, int, str]] = (), versions: tuple[int, int] = (35, 208)) -> bytes:  # type: ignore[assignment]
    """BatteryStatsServiceDumpHistoryProto (core/proto/android/service/batterystats.proto): 5 keys, 6 csv_lines."""
    head = num(1, versions[0]) + num(2, versions[1]) + text(3, "TQ1A.230105") + text(4, "TQ1A.230105")
    pool = [message(5, num(1, index), num(2, uid), text(3, tag)) for index, uid, tag in keys]
    return head + b"".join(pool) + b"".join(text(6, line) for line in lines)
