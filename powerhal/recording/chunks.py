"""Rows packed into blobs: columns, byte planes, zlib level 1, and a CRC over header and bytes.

Bytes of one weight lie together (all the lowest bytes, then all the next ...), because slow signals
change only in their low bytes and long runs of equal bytes compress best. Everything is little-endian.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass

PLANES = 0  # byte planes as they are
PLANES_ZLIB = 1  # byte planes, zlib
MAX_ROWS = 4096
MAX_BYTES = 64 << 20  # no honest chunk is larger; a claim beyond it is damage

_HEADER = struct.Struct("<qqqqq")


class DamagedChunk(ValueError):
    """The bytes are not what was written."""


# What unpacking a chunk can raise, when even its numbers are not numbers any more.
DAMAGE = (ValueError, TypeError, OverflowError, struct.error)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A packed block: `source` (usage chunks: number of scans), rows, span in ns, codec, CRC-32, bytes."""

    source: int
    n: int
    t0_ns: int
    t1_ns: int
    codec: int
    crc: int
    data: bytes


def pack(source: int, n: int, span: tuple[int, int], columns: Sequence[tuple[bytes, int]]) -> Chunk:
    """Pack columns of (bytes, bytes per item) into one chunk that knows its own checksum."""
    planes = b"".join([_planes(data, width) for data, width in columns])
    squeezed = zlib.compress(planes, 1)
    codec, data = (PLANES_ZLIB, squeezed) if len(squeezed) < len(planes) else (PLANES, planes)
    return Chunk(source, n, *span, codec, _crc(source, n, span, codec, data), data)


def unpack(chunk: Chunk, shape: Sequence[tuple[int, int]]) -> list[bytes]:
    """The columns of a chunk; `shape` gives (items, bytes per item) of each; raises DamagedChunk."""
    if _crc(chunk.source, chunk.n, (chunk.t0_ns, chunk.t1_ns), chunk.codec, chunk.data) != chunk.crc:
        raise DamagedChunk("checksum differs")
    size = sum(items * width for items, width in shape)
    if size > MAX_BYTES:
        raise DamagedChunk(f"claims {size} bytes")
    planes = chunk.data
    if chunk.codec == PLANES_ZLIB:
        planes = _inflate(planes, size)
    elif chunk.codec != PLANES:
        raise DamagedChunk(f"unknown codec {chunk.codec}")
    if len(planes) != size:
        raise DamagedChunk(f"{len(planes)} bytes in place of {size}")
    columns, at = [], 0
    for items, width in shape:
        columns.append(_unplanes(planes[at : at + items * width], width))
        at += items * width
    return columns


def pack_rows(source: int, times: array[int], quality: array[int], rows: bytes, width: int) -> Chunk:
    """Pack rows of one source: times in ns (array 'q'), quality (array 'H'), rows of `width` bytes.

    Times are stored as differences; the first time is the chunk's `t0_ns`.
    """
    steps = array("q", [0])
    steps.extend(map(int.__sub__, times[1:], times[:-1]))
    columns = [(_little(steps), 8), (_little(quality), 2), (rows, width)]
    return pack(source, len(times), (times[0], max(times)), columns)


def unpack_rows(chunk: Chunk, width: int) -> tuple[array[int], array[int], bytes]:
    """Time differences in ns ('q', the first is 0), quality ('H') and rows; raises DamagedChunk."""
    steps, quality, rows = unpack(chunk, [(chunk.n, 8), (chunk.n, 2), (chunk.n, width)])
    return _array("q", steps), _array("H", quality), rows


@dataclass(slots=True)
class UsageColumns:
    """What processes did: scan times in ns and rows per scan; per row process, activity, amount (SI)."""

    t_ns: array[int]
    count: array[int]
    process: array[int]
    activity: array[int]
    amount: array[float]


def empty_usage() -> UsageColumns:
    """No scans, no rows."""
    return UsageColumns(array("q"), array("i"), array("i"), array("i"), array("d"))


def pack_usage(usage: UsageColumns) -> Chunk:
    """Pack scans; the chunk's `source` is the number of scans, `n` the number of rows."""
    columns = [
        (_little(usage.t_ns), 8),
        (_little(usage.count), 4),
        (_little(usage.process), 4),
        (_little(usage.activity), 4),
        (_little(usage.amount), 8),
    ]
    return pack(len(usage.t_ns), len(usage.process), (usage.t_ns[0], usage.t_ns[-1]), columns)


def unpack_usage(chunk: Chunk) -> UsageColumns:
    """The inverse of `pack_usage`; raises DamagedChunk."""
    scans, rows = chunk.source, chunk.n
    t, count, process, activity, amount = unpack(chunk, [(scans, 8), (scans, 4), (rows, 4), (rows, 4), (rows, 8)])
    columns = UsageColumns(_array("q", t), _array("i", count), _array("i", process), _array("i", activity), array("d"))
    columns.amount.frombytes(amount)
    if sys.byteorder == "big":
        columns.amount.byteswap()
    if sum(columns.count) != rows:
        raise DamagedChunk("rows and scans disagree")
    return columns


def _planes(data: bytes, width: int) -> bytes:
    return data if width == 1 else b"".join([data[i::width] for i in range(width)])


def _unplanes(planes: bytes, width: int) -> bytes:
    if width <= 1:
        return planes
    items = len(planes) // width
    out = bytearray(len(planes))
    for i in range(width):
        out[i::width] = planes[i * items : (i + 1) * items]
    return bytes(out)


def _inflate(data: bytes, size: int) -> bytes:
    """zlib with a cap: a damaged length must not fill the memory."""
    engine = zlib.decompressobj()
    try:
        return engine.decompress(data, size + 1)
    except zlib.error as error:
        raise DamagedChunk(str(error)) from error


def _crc(source: int, n: int, span: tuple[int, int], codec: int, data: bytes) -> int:
    return zlib.crc32(data, zlib.crc32(_HEADER.pack(source, n, *span, codec)))


def _little(values: array[int] | array[float]) -> bytes:
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values.tobytes()


def _array(code: str, data: bytes) -> array[int]:
    values: array[int] = array(code)
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    return values
