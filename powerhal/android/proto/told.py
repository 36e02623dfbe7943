"""Which of a phone's protobuf dumps a file is, by its first bytes: they carry no name, only field numbers.

| form | command | begins with |
|---|---|---|
| stats | `dumpsys batterystats --proto` | one message that begins with two small numbers |
| history | `... --proto --history` | two small numbers, then texts and messages |
| usage | `... --usage --proto` | two times in ms since 1970 |
| powerstats | `dumpsys powerstats --proto meter`, `model` or `residency` | messages of an id and a name |
"""

from __future__ import annotations

import re
from itertools import islice

from powerhal.android.proto.wire import BYTES, VARINT, Broken, Field, walk

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
    raws = {head: None, re.sub(rb"\r+\n", b"\n", head): None}  # as adb shell writes them, see `wire.read_bytes`
    tells = {"powerstats": _powerstats, "stats": _stats, "history": _history, "usage": _usage}
    return next((form for raw in raws for form, tell in tells.items() if tell(raw)), "")


def _fields(raw: bytes | memoryview) -> list[Field]:
    """The first fields; none when something among them is no field."""
    out: list[Field] = []
    view = memoryview(raw)
    try:
        out.extend(islice(walk(view), LOOKED_AT))
    except Broken as error:
        return _fields(view[: error.at]) if error.at and error.why.startswith("ends") else []
    return out


def _stats(raw: bytes) -> bool:
    return STATS.match(raw) is not None


def _history(raw: bytes) -> bool:
    match _fields(raw):
        case [Field(1, 0, int(version)), Field(2, 0, int(parcel)), *more]:
            texts = all(3 <= field.number <= 6 and field.wire == BYTES for field in more)
            return 0 < version < 128 and LEAST_PARCEL <= parcel < LEAST_EPOCH_MS and texts
    return False


def _usage(raw: bytes) -> bool:
    found = _fields(raw)
    times = [f.value for f in found if f.number < 3]
    dated = len(times) > 0 and all(isinstance(t, int) and t >= LEAST_EPOCH_MS for t in times)
    return dated and found[0].number < 3 and len(found) > 1 and all(USAGE.get(f.number) == f.wire for f in found)


def _powerstats(raw: bytes | memoryview) -> bool:
    found = _fields(raw)
    if not found or isinstance(found[0].value, int):
        return False
    first = found[0].value
    if found[0].number in INCIDENT:
        return found[0].wire == BYTES and _powerstats(first)
    inside = all(f.number in (1, 2) and f.wire == BYTES for f in found)
    if not inside or found[0].number != 1 or found[0].missing:
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
    return not len(raw) or (bool(found) and all(STATE.get(f.number) == f.wire for f in found if f.number <= 2))
