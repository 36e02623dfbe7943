"""Which of a phone's protobuf dumps a file is, by its first bytes: they carry no name, only field numbers.

| form | command | begins with |
|---|---|---|
| stats | `dumpsys batterystats --proto` | one message that begins with two small numbers |
| history | `... --proto --history` | two small numbers, then texts and messages |
| usage | `... --usage --proto` | two times in ms since 1970 |
| powerstats | `dumpsys powerstats --proto meter`, `model` or `residency` | messages of an id and a name |

The first two or three fields decide, so that neither damage nor a newer platform's fields keep a file out.
"""

from __future__ import annotations

import re
from itertools import islice

from powerhal.android.proto.wire import BYTES, ENDS, RETURNS, VARINT, Broken, Field, walk

# field 1 of some length; in it report_version (1 or 2 digits' worth) and parcel_version as varints
STATS = re.compile(rb"(?:\r\r?)?\x0a[\x80-\xff]{0,4}[\x00-\x7f]\x08[\x01-\x7f]\x10", re.DOTALL)
LOOKED_AT = 12  # fields
LEAST_PARCEL = 64  # parcel_version: 114 in Android 5
LEAST_EPOCH_MS = 1 << 32  # 50 days after 1970
USAGE = {1: VARINT, 2: VARINT, 3: VARINT, 4: BYTES, 5: BYTES, 6: VARINT, 7: VARINT, 8: BYTES}
INCIDENT = range(3054, 3057)  # sections of an incident report
STATE = {1: VARINT, 2: BYTES}
# what a message of powerstats describes -> wire types of its fields
DESCRIBED = {
    "channel": {1: VARINT, 2: BYTES, 3: BYTES},
    "consumer": {1: VARINT, 2: VARINT, 3: VARINT, 4: BYTES},
    "entity": {1: VARINT, 2: BYTES, 3: BYTES},
}


def form_of(head: bytes) -> str:
    """`stats`, `history`, `usage`, `powerstats`, or '' for anything else."""
    raws = {head: None, RETURNS.sub(b"\n", head): None}  # as adb shell writes them, see `wire.read_bytes`
    tells = {"powerstats": _powerstats, "stats": _stats, "history": _history, "usage": _usage}
    return next((form for form, tell in tells.items() for raw in raws if tell(raw)), "")


def _fields(raw: bytes | memoryview) -> list[Field]:
    """The first fields of a message of which the end may be missing; none when something among them is no field."""
    out: list[Field] = []
    try:
        for field in islice(walk(memoryview(raw)), LOOKED_AT):
            out.append(field)
    except Broken as error:
        return out if error.why == ENDS else []
    return out


def _first(raw: bytes | memoryview, count: int) -> list[Field]:
    """The first fields whatever follows them, so that damage further on keeps no file out."""
    try:
        return list(islice(walk(memoryview(raw)), count))
    except Broken:
        return _first(raw, count - 1) if count > 1 else []


def _stats(raw: bytes) -> bool:
    return STATS.match(raw) is not None


def _history(raw: bytes) -> bool:
    match _first(raw, 3):
        case [Field(1, 0, int(version)), Field(2, 0, int(parcel)), *more]:
            texts = all(3 <= field.number <= 6 and field.wire == BYTES for field in more)
            return 0 < version < 128 and LEAST_PARCEL <= parcel < LEAST_EPOCH_MS and texts
    return False


def _usage(raw: bytes) -> bool:
    match _first(raw, 3):
        case [Field(1, 0, int(start)), Field(2, 0, int(end)), *more]:
            numbers = all(USAGE.get(field.number) == field.wire for field in more)
            return start >= LEAST_EPOCH_MS and end >= LEAST_EPOCH_MS and numbers
        case [Field(2, 0, int(end)), Field(3, 0), *_]:  # a clock that began with 1970
            return end >= LEAST_EPOCH_MS
    return False


def _powerstats(raw: bytes | memoryview) -> bool:
    found = _first(raw, 2)
    if not found or isinstance(found[0].value, int) or found[0].wire != BYTES:
        return False
    first = found[0].value
    if found[0].number in INCIDENT:
        return _powerstats(first)
    follows = all(field.number in (1, 2) and field.wire == BYTES for field in found)
    if found[0].number != 1 or found[0].missing or not follows:
        return False
    named = any(f.number in (2, 4) and f.wire == BYTES and f.value for f in _fields(first))
    return named and all(f.number <= 4 for f in _fields(first)) and bool(described(first))


def described(message: memoryview) -> set[str]:
    """What a message of powerstats can describe: `channel`, `consumer`, `entity`; numbers above 4 tell nothing."""
    found = [f for f in _fields(message) if f.number <= 4]
    if not found and len(message):
        return set()
    out = {kind for kind, wires in DESCRIBED.items() if all(wires.get(f.number) == f.wire for f in found)}
    texts = [f.value for f in found if f.number == 3 and not isinstance(f.value, int)]
    if not all(map(_text, texts)):
        out.discard("channel")
    if not all(map(_state, texts)):
        out.discard("entity")
    names = [f.value for f in found if f.number == (4 if out == {"consumer"} else 2) and not isinstance(f.value, int)]
    return out if all(map(_text, names)) else set()


def _text(raw: memoryview) -> bool:
    try:
        return not any(ord(c) < 32 for c in bytes(raw).decode())
    except UnicodeDecodeError:
        return False


def _state(raw: memoryview) -> bool:
    found = _fields(raw)
    known = [f for f in found if f.number in STATE]
    return not len(raw) or (bool(known) and all(STATE[f.number] == f.wire for f in known))
