"""Rails from whatever file holds them: told apart by content, answered in one vocabulary."""

from __future__ import annotations

import gzip
import re
import sys
import zlib
from pathlib import Path

from powerhal.android.containers import open_inputs
from powerhal.android.issues import Issues
from powerhal.android.proto.told import form_of
from powerhal.android.rails.odpm import is_energy_value, read_odpm
from powerhal.android.rails.powerstats import PowerStats
from powerhal.android.rails.proto import parse_proto
from powerhal.android.rails.text import parse_text
from powerhal.errors import FileError

LARGEST_TEXT = 256 << 20  # bytes of a text dump or an unpacked trace
GIVE = "give a recording, the text of `dumpsys powerstats`, a power meter's files or a Perfetto trace"
TAKE = "take one with `adb shell dumpsys powerstats > powerstats.txt`"
AGAIN = "copy it from the phone again"
HEAD = 4096  # bytes by which a protobuf dump is told
_DUMP = re.compile(
    r"^\s{0,8}(?:(?:PowerEntityId|ChannelId|EnergyConsumerId): -?\d+, |PowerStatsService dumpsys: |=+ PowerStats HAL )",
    re.MULTILINE,
)
_BOMS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8"))


def read_powerstats(path: str, *, attribute: bool = True) -> PowerStats:
    """Power Stats of a recording, `dumpsys powerstats` as text or protobuf, ODPM files (a folder or one), or a trace.

    '-' is a text or protobuf on standard input; a bugreport may be zipped, traces gzipped or in text form.
    attribute: see `read_recording`.
    Raises FileError for anything else, MissingExtra when a trace is given and the extra is not there.
    """
    place = Path(path)
    if path == "-":
        content = sys.stdin.buffer.read(LARGEST_TEXT)
        return parse_proto(content) if _is_proto(content) else parse_text(_text(content).splitlines())
    if place.is_dir():
        return read_odpm(path)
    try:
        with place.open("rb") as stream:
            content = stream.read(LARGEST_TEXT + 1)
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}", code="PH-N231", hint=GIVE) from error
    if content.startswith(b"SQLite format 3\0"):
        from powerhal.android.rails.recording import read_recording

        return read_recording(path, attribute=attribute)
    if content.startswith(b"PK\x03\x04"):
        return parse_text(_zipped(path).splitlines(), path)
    return _other(path, _unpacked(path, content))


def _other(path: str, content: bytes) -> PowerStats:
    """A protobuf or text dump, an `energy_value` file or a trace."""
    if len(content) > LARGEST_TEXT:
        raise FileError(f"{path}: larger than {LARGEST_TEXT >> 20} MiB", code="PH-N231", hint=GIVE)
    if not content.strip():
        raise FileError(f"{path}: empty", code="PH-N231", hint=TAKE)
    if _is_proto(content):
        return parse_proto(content, path)
    text = _text(content)
    if _DUMP.search(text):
        return parse_text(text.splitlines(), path)
    if is_energy_value(text):
        return read_odpm(path)
    from powerhal.android.rails.perfetto import parse_trace

    return parse_trace(content, path)


def _is_proto(content: bytes) -> bool:
    return form_of(content[:HEAD]) == "powerstats"


def _zipped(path: str) -> str:
    """The text of the bugreport in a zip."""
    with open_inputs(path, Issues()) as inputs:
        text = _text(inputs[0].stream.read(LARGEST_TEXT))
        if damage := inputs[0].damage():
            raise FileError(f"{path}: damaged zip ({damage})", code="PH-N231", hint=AGAIN)
    if not _DUMP.search(text):
        raise FileError(f"{path}: no `dumpsys powerstats` in the bugreport of this zip", code="PH-N231", hint=TAKE)
    return text


def _unpacked(path: str, content: bytes) -> bytes:
    """Content of a gzip file, anything else as it is."""
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        with gzip.open(path) as stream:
            return stream.read(LARGEST_TEXT + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise FileError(f"{path}: damaged gzip ({error})", code="PH-N231", hint=AGAIN) from error


def _text(content: bytes) -> str:
    for mark, name in _BOMS:
        if content.startswith(mark):
            return content[len(mark) :].decode(name, "replace")
    return content.decode("utf-8", "replace")
