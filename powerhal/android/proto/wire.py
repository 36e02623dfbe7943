"""The protobuf wire format over the rows of `schema`: nothing aborts, what is not taken is an issue with its byte.

A message that is cut keeps what came before the cut; a field that no row knows is counted; a field of another wire
type than its row says is an issue. `adb shell` of old phones and of Windows writes every 0x0a as 0x0d 0x0a; that is
undone.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from powerhal.android.issues import Issues
from powerhal.android.proto.schema import MESSAGES, fields

MAX_BYTES = 256 << 20
MOST = 2_000_000  # values of one file: two bytes make a message, so their number is what fills the memory
MOST_UNKNOWN = 200  # unknown fields that are told apart
LARGEST_NUMBER = (1 << 29) - 1  # of a field
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
WIRES = {VARINT: "varint", FIXED64: "fixed64", BYTES: "bytes", FIXED32: "fixed32"}
ENDS = "ends inside a field"
RETURNS = re.compile(rb"\r+\n")


class Broken(Exception):
    """The bytes cannot be read on: why, and from which byte."""

    def __init__(self, why: str, at: int) -> None:
        super().__init__(why)
        self.why, self.at = why, at


class Field(NamedTuple):
    """One field at byte `at`, its value at byte `start`; `missing`: bytes that its length promises beyond the end."""

    number: int
    wire: int
    value: int | memoryview
    at: int
    start: int
    missing: int = 0


def varint(data: memoryview, at: int, base: int = 0) -> tuple[int, int]:
    """The number at a place and the place behind it; raises Broken."""
    value = shift = 0
    first = at
    while shift < 70:
        if at >= len(data):
            raise Broken(ENDS, base + first)
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, at
        shift += 7
    raise Broken("a number of more than ten bytes", base + first)


def signed(value: int) -> int:
    """The 64 bits of a varint as int32 and int64 mean them."""
    return value - (1 << 64) if value >> 63 else value


def walk(data: memoryview, base: int = 0) -> Iterator[Field]:
    """The fields of a message that begins at byte `base` of the file.

    One that promises more bytes than there are comes with what is there, and is the last. Raises Broken.
    """
    at, end = 0, len(data)
    while at < end:
        first = at
        tag, at = varint(data, at, base)
        number, wire = tag >> 3, tag & 7
        if wire not in WIRES or not 0 < number <= LARGEST_NUMBER:
            raise Broken(f"no field begins here (number {number}, wire type {wire})", base + first)
        if wire == VARINT:
            start = at
            value, at = varint(data, at, base)
            yield Field(number, wire, value, base + first, base + start)
            continue
        size, at = varint(data, at, base) if wire == BYTES else ({FIXED64: 8, FIXED32: 4}[wire], at)
        missing = max(0, at + size - end)
        if missing and wire != BYTES:
            raise Broken(ENDS, base + first)
        yield Field(number, wire, data[at : at + size], base + first, base + at, missing)
        at += size


class Wire:
    """Decodes messages to dictionaries; `whole` turns False when something of the bytes is lost."""

    def __init__(self, issues: Issues, most: int = MOST) -> None:
        self.issues = issues
        self.whole = True
        self.most = self.left = most
        self._unknown: dict[tuple[str, int], tuple[int, Field]] = {}

    def walk(self, name: str, data: memoryview, base: int = 0, *, cut: bool = False) -> Iterator[Field]:
        """The fields of message `name`; where they end too early is noted, unless it is `cut` as a whole."""
        try:
            for field in walk(data, base):
                if field.missing:
                    self._lost(name, f"{self._named(name, field)} ends {field.missing} bytes early", field.at, cut)
                self.left -= 1
                if self.left < 0:
                    if self.left == -1:
                        self._lost(name, f"more than {self.most} values, the rest is not read", field.at, False)
                    return
                yield field
        except Broken as error:
            self._lost(name, error.why, error.at, cut)

    def _lost(self, name: str, why: str, at: int, silent: bool) -> None:
        self.whole = False
        if not silent:
            self.issues.add(0, "proto", name, f"{why}, at byte {at}")

    @staticmethod
    def _named(name: str, field: Field) -> str:
        row = fields(name).get(field.number) if name in MESSAGES else None
        return row[0] if row else f"field {field.number}"

    def message(self, name: str, data: memoryview, base: int = 0, *, cut: bool = False) -> dict[str, Any]:
        """One message: absent fields have no key, repeated ones are lists."""
        out: dict[str, Any] = {}
        for field in self.walk(name, data, base, cut=cut):
            self.put(out, name, field)
        return out

    def put(self, out: dict[str, Any], message: str, field: Field) -> None:
        """One field into a message."""
        row = fields(message).get(field.number)
        if row is None:
            self.unknown(message, field)
            return
        name, kind, repeated = row
        for value in self._values(kind, field, repeated):
            if value is None:
                why = f"is no {kind} but {WIRES[field.wire]} and not used, at byte {field.at}"
                self.issues.add(0, "proto", f"{message}.{name}", why)
            elif isinstance(value, float) and not math.isfinite(value):
                self.issues.add(0, "proto", f"{message}.{name}", f"is {value} and not used, at byte {field.at}")
            elif repeated:
                out.setdefault(name, []).append(value)
            else:
                out[name] = value

    def _values(self, kind: str, field: Field, repeated: bool) -> list[Any]:
        """The values of a field; None for one that is of another type than `kind`."""
        raw = field.value
        if kind == "int":
            if isinstance(raw, int):
                return [signed(raw)]
            return self._packed(raw, field) if repeated and field.wire == BYTES else [None]
        if kind == "double":
            return [struct.unpack("<d", raw)[0] if field.wire == FIXED64 and not isinstance(raw, int) else None]
        if isinstance(raw, int) or field.wire != BYTES:
            return [None]
        if kind == "str":
            return [bytes(raw).decode("utf-8", "replace")]
        return [self.message(kind, raw, field.start, cut=field.missing > 0)]

    def _packed(self, raw: memoryview, field: Field) -> list[int | None]:
        out: list[int | None] = []
        at = 0
        try:
            while at < len(raw) and self.left > 0:
                value, at = varint(raw, at)
                self.left -= 1
                out.append(signed(value))
        except Broken:
            out.append(None)
        if at < len(raw) and self.left <= 0:
            self._lost("numbers", f"more than {self.most} values, the rest is not read", field.at, False)
        return out

    def unknown(self, message: str, field: Field) -> None:
        """Count a field that is not known; `settle` notes it."""
        key = (message, field.number)
        if key not in self._unknown and len(self._unknown) >= MOST_UNKNOWN:
            key = ("(others)", 0)
        count, first = self._unknown.get(key, (0, field))
        self._unknown[key] = (count + 1, first)

    def settle(self) -> None:
        """Note the fields that no row knows, each once."""
        for (message, number), (count, first) in self._unknown.items():
            times = f"{count} times, first" if count > 1 else "once"
            what = f"field {number} ({WIRES[first.wire]})" if number else "further fields"
            self.issues.add(0, "proto", message, f"{what} is unknown and not used, {times} at byte {first.at}")
        self._unknown.clear()


def read_bytes(stream: IO[bytes], issues: Issues) -> tuple[memoryview, bool]:
    """The bytes of a message as the phone wrote them, and whether that is all of them."""
    data = stream.read(MAX_BYTES)
    whole = len(data) < MAX_BYTES or not stream.read(1)
    if not whole:
        issues.add(0, "proto", "", f"only its first {MAX_BYTES >> 20} MiB are read")
    while _returned(data):
        data = data.replace(b"\r\n", b"\n")
        issues.add(0, "proto", "", "every 0x0a was written as 0x0d 0x0a on the way (adb shell): undone")
    return memoryview(data), whole


def _returned(data: bytes) -> bool:
    """Whether every 0x0a has a 0x0d before it that is none of the phone's."""
    if data.startswith((b"\r\n", b"\r\r\n")):  # no message begins with a tag of 0x0d
        return True
    count = data.count(b"\n")
    if not count or data.count(b"\r\n") != count or _framed(data):
        return False
    return count > 2 or _framed(RETURNS.sub(b"\n", data))


def _framed(data: bytes) -> bool:
    """Whether fields fill the bytes to the last."""
    try:
        return all(not field.missing for field in walk(memoryview(data)))
    except Broken:
        return False
