"""`dumpsys batterystats --proto --history`: the check-in lines of a history, in a message.

The platform puts what it prints for `-c --history` into BatteryStatsServiceDumpHistoryProto: versions and the pool of
strings as fields, every `9,h` line as text. So the message becomes those lines again, and whatever reads check-in
lines reads them; line 1 is the version, then come keys and lines in the order of the message.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from powerhal.android.containers import Input
from powerhal.android.history.lines import PoolLine, emit_history
from powerhal.android.issues import Issues
from powerhal.android.kinds import peeked
from powerhal.android.proto.told import form_of
from powerhal.android.proto.wire import BYTES, Field, Wire, read_bytes

KEYS, LINES = 5, 6  # fields of the message
PREFIX = 9
UNFIT = str.maketrans(",\r\n", "___")  # in a column
ENDS = str.maketrans("\r\n", "  ")  # in a text within quotes


def as_text(source: Input, issues: Issues) -> Input:
    """The source, or where it is such a message the check-in lines that it stands for; none of it is read before."""
    return as_lines(source, issues)[0] if form_of(peeked(source.stream)) == "history" else source


def as_lines(source: Input, issues: Issues) -> tuple[Input, bool]:
    """A source of such a message as one of check-in lines, and whether the message was whole."""
    data, whole = read_bytes(source.stream, issues)
    if damage := source.damage():
        issues.add(0, source.container, "", damage)
        whole = False
    text, found = checkin_lines(data, issues)
    data.release()  # a long history need not be there three times
    del data
    stream = io.BufferedReader(io.BytesIO(text))
    return replace(source, stream=stream, packed=None, size=len(text)), whole and found


def checkin_lines(data: memoryview, issues: Issues) -> tuple[bytearray, bool]:
    """The check-in lines that a message stands for, each with a newline, and whether it was whole."""
    wire, out = Wire(issues), bytearray()
    head: dict[str, Any] = {}
    for field in wire.walk("History", data):
        if field.wire == BYTES and field.number == LINES:
            out += _line(field, issues)
        elif field.wire == BYTES and field.number == KEYS and not isinstance(field.value, int):
            key = wire.message("HistoryKey", field.value, field.start, cut=field.missing > 0)
            out += _key(key, field, issues)
        else:
            wire.put(head, "History", field)
    wire.settle()
    out[:0] = _version(head)
    return out, wire.whole


def _version(head: dict[str, Any]) -> bytes:
    if "report_version" not in head and "parcel_version" not in head:
        return b""
    start, end = (head.get(f"{end}_platform_version", "").translate(UNFIT) for end in ("start", "end"))
    numbers = f"{head.get('report_version', 0)},{head.get('parcel_version', 0)}"
    return f"{PREFIX},0,i,vers,{numbers},{start},{end}\n".encode("utf-8", "replace")


def _line(field: Field, issues: Issues) -> bytes:
    """One line of the history; the end of one that is cut may mean anything, so it is not used."""
    if field.missing or isinstance(field.value, int):
        issues.add(0, "proto", "History.csv_lines", f"the last line is cut and not used, at byte {field.at}")
        return b""
    return bytes(field.value) + b"\n"


def _key(key: dict[str, Any], field: Field, issues: Issues) -> bytes:
    """One string of the pool; the first has no index and one of root no uid, because zeros are left out."""
    if field.missing:
        return b""
    tag = key.get("tag", "")
    plain = tag.translate(ENDS)
    if plain != tag:
        issues.add(0, "proto", "HistoryKey.tag", f"has line ends, read as blanks, at byte {field.at}")
    line = PoolLine(0, PREFIX, key.get("index", 0), key.get("uid", 0), plain, quoted=True)
    return emit_history(line).encode("utf-8", "replace") + b"\n"
