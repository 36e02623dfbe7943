"""What a file is that a command cannot read: told by its first bytes, with the command that reads it.

Asked only after a reader found nothing of its own in a file, so that no row here can keep a readable file out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from powerhal.android.containers import open_inputs, sniff
from powerhal.android.issues import Issues
from powerhal.android.proto.told import form_of
from powerhal.errors import FileError, MissingExtra, NotEnoughData, PowerhalError

HEAD = 4096  # bytes that are looked at


class Head(NamedTuple):
    """The first bytes of a file (unpacked), and the same as text."""

    raw: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file: `name` as people say it, `family` as commands ask for it, what to do with it ('{}': the file)."""

    name: str
    family: str
    tell: Callable[[Head], bool]
    hint: str


def kind_of(raw: bytes) -> Kind | None:
    """The kind of a file by its first bytes; None when no row knows it."""
    encoding, skip = sniff(raw)
    head = Head(raw, raw[skip:].decode(encoding, "replace"))
    return next((kind for kind in KINDS if kind.tell(head)), None)


def peeked(stream: IO[bytes]) -> bytes:
    """The first bytes of a stream, none of which are consumed."""
    peek = getattr(stream, "peek", None)
    return bytes(peek(HEAD)[:HEAD]) if peek is not None else b""


def no_dump(name: str, raw: bytes) -> PowerhalError:
    """The error for a file without a dump in it: FileError where the file's kind is known, else NotEnoughData."""
    kind = kind_of(raw)
    if kind is not None and kind.family != "dump":
        return _other(name, kind, "dump")
    what = "the file is empty" if not raw.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe") else "no battery-stats dump in it"
    return NotEnoughData(f"{_place(name)}: {what}", hint=TAKE)


@contextmanager
def told_apart(path: str | Path, wanted: str) -> Iterator[None]:
    """Where a file's reader fails and the file is of another family than `wanted`, the error says what it is.

    Raises what the reader raised, or FileError (PH-F004).
    """
    try:
        yield
    except (FileError, NotEnoughData, MissingExtra) as error:
        kind = kind_of(_start(path))
        if kind is None or kind.family in FAMILIES[wanted].reads:
            raise
        raise _other(str(path), kind, wanted) from error


def _other(name: str, kind: Kind, wanted: str) -> FileError:
    hint = kind.hint.format("FILE" if name == "-" else name)
    return FileError(f"{_place(name)}: this is {kind.name}, not {FAMILIES[wanted].name}", code="PH-F004", hint=hint)


def _place(name: str) -> str:
    return "standard input" if name == "-" else name


def _start(path: str | Path) -> bytes:
    """The first bytes of a file; empty for standard input, which is read already, and where nothing can be read."""
    if str(path) == "-" or not Path(path).is_file():
        return b""
    try:
        with open_inputs(path, Issues()) as inputs:
            return peeked(inputs[0].stream) if inputs else b""
    except FileError:
        return b""


class Family(NamedTuple):
    """What a command asks for: in words, and the families of files that it reads."""

    name: str
    reads: tuple[str, ...]


FAMILIES: dict[str, Family] = {
    "dump": Family("a battery-stats dump or bugreport", ("dump",)),
    "profile": Family("a power profile", ("profile",)),
    "rails": Family("rails, consumers or power states", ("rails", "recording")),
}
TAKE = "take one with `adb shell dumpsys batterystats -c > dump.txt`, or a whole one with `adb bugreport`"
PROFILE = "read it with `powerhal android profile {}`"
RAILS = "read it with `powerhal android powerstats {}`"
DUMP = "read it with `powerhal android parse {}`"
SOURCE = "give the dump that it was made from"
UNPACK = "unpack it, and give the dump that is in it"


def _text(pattern: str, flags: int = re.MULTILINE) -> Callable[[Head], bool]:
    found = re.compile(pattern, flags)
    return lambda head: found.search(head.text) is not None


def _proto(form: str) -> Callable[[Head], bool]:
    return lambda head: form_of(head.raw) == form


def _magic(*starts: bytes, at: int = 0) -> Callable[[Head], bool]:
    return lambda head: head.raw[at:].startswith(starts)


def _trace(head: Head) -> bool:
    """Packets of a Perfetto trace: field 1 again and again, each as long as it says; one of them no text."""
    raw, at, count = head.raw, 0, 0
    while at < len(raw) and raw[at] == 0x0A:
        size = shift = 0
        at += 1
        while at < len(raw) and shift < 35:
            size |= (raw[at] & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if raw[at - 1] < 0x80:
                break
        at, count = at + size, count + 1
    return count > 0 and at >= len(raw) and any(c < 9 or 14 <= c < 32 for c in raw)


def _recording(head: Head) -> bool:
    from powerhal.recording.schema import APPLICATION_ID

    return head.raw.startswith(SQLITE) and head.raw[68:72] == APPLICATION_ID.to_bytes(4, "big")


SQLITE = b"SQLite format 3\0"
KINDS: tuple[Kind, ...] = (
    Kind("a powerhal recording", "recording", _recording,
         "read it with `powerhal info {0}`, `attribute {0}` or `report {0}`"),
    Kind("a SQLite database", "database", _magic(SQLITE), "powerhal reads recordings and dumps, no other databases"),
    Kind("a compiled power profile", "profile", _magic(b"\x03\x00\x08\x00"),
         "decode it (apktool, or `aapt2 dump xmltree`), then `powerhal android profile FILE`"),
    Kind("a power profile", "profile",
         _text(r"""<(?:device\b[^>]*\bname=|(?:item|array)\s+name=["'](?:battery|cpu|screen|wifi|radio|modem)\.)"""),
         PROFILE),
    Kind("the text of `dumpsys powerstats`", "rails",
         _text(r"^\s{0,8}(?:(?:PowerEntityId|ChannelId|EnergyConsumerId): -?\d+, |PowerStatsService dumpsys: "
               r"|=+ PowerStats HAL )"), RAILS),
    Kind("a file of a power meter (ODPM)", "rails",
         _text(r"\A\s*(?:(?:t=)?\d{1,19}\s+)?CH\d+(?:\(T=\d+\))?\[[^\]\n]*\],\s*\d"), RAILS),
    Kind("the list of a power meter's rails (ODPM)", "list", _text(r"\A\s*CH\d+\[[^\]\n]*\]:"),
         "name the folder that holds it beside `energy_value`: `powerhal android powerstats FOLDER`"),
    Kind("a Perfetto trace in text form", "rails", _text(r"\A\s*(?:#[^\n]*\n\s*)*packet\s*[:{]"), RAILS),
    Kind("a battery-stats dump or bugreport", "dump",
         _text(r"^(?:[89],\d+,i,vers,|[89],hsp?,\d|[89],-?\d+,[ilcut],(?:bt|uid|dsd|pws),|Battery History.*:\s*$"
               r"|Statistics since last (?:charge|unplugged)|== dumpstate)"), DUMP),
    Kind("a protobuf dump of battery stats", "dump", _proto("stats"), DUMP),
    Kind("a protobuf dump of the battery history", "dump", _proto("history"), DUMP),
    Kind("a protobuf dump of battery usage", "dump", _proto("usage"), DUMP),
    Kind("the protobuf of `dumpsys powerstats`", "rails", _proto("powerstats"), RAILS),
    Kind("a Perfetto trace", "rails", _trace, RAILS),
    Kind("the JSON that `powerhal android` wrote of a dump", "export",
         _text(r'\A\s*\{\s*"source"\s*:\s*\{'), SOURCE),
    Kind("the CSV that `powerhal android export` wrote of a dump", "export",
         _text(r"\Adump,window,table,row,uid,item,quantity,unit,value"), SOURCE),
    Kind("a JSON document", "json", _text(r'\A\s*(?:\{\s*"|\[\s*[\[{"0-9-])'), SOURCE),
    Kind("a page of Battery Historian", "page",
         _text(r"\A\s*(?:<!--.*?-->\s*)*<(?:!doctype html|html)\b.*historian", re.IGNORECASE | re.DOTALL),
         "give the bugreport that it was made from"),
    Kind("an HTML page", "page", _text(r"\A\s*(?:<!--.*?-->\s*)*<(?:!doctype html|html)\b", re.IGNORECASE | re.DOTALL),
         SOURCE),
    Kind("an answer of adb, not of a phone", "failure",
         _text(r"\A(?:\* daemon [^\n]*\n)*(?:adb: |error: (?:no devices|device |more than one|closed|protocol))"),
         "connect one phone (`adb devices` lists them, `adb -s SERIAL` picks one) and take the dump again"),
    Kind("a phone's refusal to dump", "failure",
         _text(r"\A\s*(?:Permission Denial: can't dump|Can't find service: )"),
         "take it as the shell user: `adb shell dumpsys batterystats -c > dump.txt`"),
    Kind("the text of `dumpsys battery`, which keeps no history", "service", _text(r"\ACurrent Battery Service state:"),
         TAKE),
    Kind("a log of logcat", "log", _text(r"\A-+ beginning of "), TAKE),
    Kind("a picture", "picture", _magic(b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF"), TAKE),
    Kind("a PDF", "picture", _magic(b"%PDF-"), TAKE),
    Kind("a program (ELF)", "program", _magic(b"\x7fELF"), TAKE),
    Kind("an archive that is not opened here", "archive",
         _magic(b"\xfd7zXZ\0", b"BZh", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf\x27\x1c", b"Rar!"), UNPACK),
    Kind("a tar archive", "archive", _magic(b"ustar", at=257), UNPACK),
)  # fmt: skip
