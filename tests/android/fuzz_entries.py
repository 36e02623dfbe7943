"""What is fuzzed: one entry for each parser of what a phone prints.

An entry takes bytes and must return; whatever it raises is a finding. Refusals that a parser documents are caught
where it is called, nothing else.
"""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache

from powerhal import kernels
from powerhal.android import containers, parse
from powerhal.android.checkin.blocks import Block, BlockReader
from powerhal.android.checkin.columns import ColumnReader
from powerhal.android.checkin.emit import again
from powerhal.android.checkin.lines import Reader, emit
from powerhal.android.containers import Input, Lines
from powerhal.android.history.lines import emit_history, is_history, read_history
from powerhal.android.history.states import History
from powerhal.android.history.text import feed_text
from powerhal.android.human.text import TextReader
from powerhal.android.issues import Issues
from powerhal.android.kinds import peeked
from powerhal.android.profile import reader as profile_xml
from powerhal.android.proto.history import checkin_lines
from powerhal.android.proto.reader import read_proto
from powerhal.android.proto.told import form_of
from powerhal.android.rails import odpm
from powerhal.android.rails import proto as powerstats_proto
from powerhal.android.rails import text as powerstats_text
from powerhal.android.summary import document, portrait
from powerhal.errors import FileError


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def checkin(data: bytes) -> None:
    """Records, each printed again as it stood."""
    reader = Reader(Issues())
    for number, line in enumerate(_text(data).split("\n"), 1):
        record = reader.read(number, line)
        assert record is None or emit(record) == line


def _readable(data: bytes) -> list[str]:
    lines = [line for line in _text(data).split("\n") if line[:2] == "9,"]
    return [line for line in lines if ",vers," not in line]


def blocks(data: bytes) -> None:
    """Many lines at once: the records, the history and the issues of reading them one by one."""
    lines = _readable(data)
    one, many = Reader(Issues(), 34), Reader(Issues(), 34)
    found = BlockReader(many).read(1, lines)
    _same(lines, one, found, many)


def columns(data: bytes) -> None:
    """The same through the compiled kernels (or, where they cannot run, their twins)."""
    lines = _readable(data)
    if not lines:
        return
    one, many = Reader(Issues(), 34), Reader(Issues(), 34)
    found = ColumnReader(_table(), BlockReader(many)).read(1, "".join(f"{line}\n" for line in lines).encode(*UTF8))
    assert found is not None
    _same(lines, one, found, many)


UTF8 = ("utf-8", "surrogateescape")


@cache
def _table() -> kernels.KernelTable:
    try:
        return kernels.load("numba")
    except ImportError:
        return kernels.load("python")


def _same(lines: list[str], one: Reader, found: Block, many: Reader) -> None:
    history = [read_history(n, line, one.issues) for n, line in enumerate(lines, 1) if is_history(line)]
    records = [one.read(n, line) for n, line in enumerate(lines, 1) if not is_history(line)]
    assert repr(found.records()) == repr([record for record in records if record is not None])
    assert repr(found.history()) == repr(history)
    assert sorted(map(str, many.issues.kept)) == sorted(map(str, one.issues.kept))


def history(data: bytes) -> None:
    """Check-in history, each line printed again as it stood."""
    found = History(Issues())
    for number, line in enumerate(_text(data).split("\n"), 1):
        if line[:2] in ("9,", "8,") and is_history(line):
            item = read_history(number, line, found.issues)
            assert emit_history(item) == line
            found.feed(item)


def history_text(data: bytes) -> None:
    """History as people read it."""
    found = History(Issues())
    for number, line in enumerate(_text(data).split("\n"), 1):
        feed_text(found, number, line)


def human(data: bytes) -> None:
    """Everything else of the text form."""
    reader = TextReader(Issues())
    for number, line in enumerate(_text(data).split("\n"), 1):
        reader.feed(number, line)


def proto(data: bytes) -> None:
    """Every message of a protobuf dump, whatever it would be told to be."""
    form_of(data)
    for form in ("stats", "usage"):
        found = read_proto(io.BytesIO(data), Issues(), form)
        json.dumps(found.statistics.battery | found.statistics.durations_ms)
    lines, _ = checkin_lines(memoryview(data), Issues())
    assert lines == b"" or lines.endswith(b"\n")
    powerstats_proto.parse_proto(data, "fuzz")


def _packed(kind: int, data: bytes) -> bytes:
    """Bytes in the container that the first byte chose, so that checksums do not keep mutations out."""
    if kind & 3 == 1:
        return gzip.compress(data, 1, mtime=0)
    if kind & 3 == 2:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for member in data.split(b"\f"):
                name, _, body = member.partition(b"\n")
                title = name[:40].decode("latin-1").replace("\0", "") or "bugreport.txt"
                if title not in archive.namelist():
                    archive.writestr(zipfile.ZipInfo(title), body)
        return out.getvalue()
    return data.decode("latin-1").encode("utf-16") if kind & 3 == 3 else data


def container(data: bytes) -> None:
    """Plain, gzip, zip, UTF-16, whole and with one byte changed."""
    if len(data) < 3:
        return
    kind, at, value = data[0], data[1], data[2]
    packed = bytearray(_packed(kind, data[3:]))
    if kind & 4 and packed:
        packed[at * len(packed) // 256] = value
    issues = Issues()
    with ExitStack() as stack:
        try:
            inputs = containers._open(io.BytesIO(packed), "fuzz", issues, stack)
        except FileError:
            return
        for source in inputs:
            form_of(peeked(source.stream))
            for _ in Lines(source, issues):
                pass


def file(data: bytes) -> None:
    """A whole file to JSON and to a terminal."""
    found = parse._Scan(Input("fuzz", "plain", io.BufferedReader(io.BytesIO(data))), Issues(), True).run()
    json.dumps(document(found), allow_nan=False)
    "\n".join(portrait(found)).encode()


def emitted(data: bytes) -> None:
    """Check-in lines of a file printed again; what comes out goes in again unchanged."""
    issues = Issues()
    lines, reader = Lines(Input("fuzz", "plain", io.BytesIO(data)), issues), Reader(issues)
    out = [printed for number, line in lines if (printed := again(reader, number, line)) is not None]
    once = Reader(issues)
    assert [again(once, number, line) for number, line in enumerate(out, 1)] == out


def profile(data: bytes) -> None:
    """A power profile."""
    try:
        found = profile_xml.parse_profile(data, "fuzz")
    except FileError:
        return
    json.dumps(found.document(), allow_nan=False)


def powerstats(data: bytes) -> None:
    """`dumpsys powerstats` and the vendor's tables."""
    powerstats_text.parse_text(_text(data).splitlines(), "fuzz")


class _Held:
    """The part of `Path` that the meter's reader uses, over bytes."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def open(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self.content)

    def __str__(self) -> str:
        return "fuzz"


ODPM_FILES = ("energy_value", "enabled_rails", "measurement_start", "measurement_stop", "sampling_rate", "name")


def odpm_files(data: bytes) -> None:
    """The files of one meter, form feeds between them."""
    rails = odpm._Rails()
    held = {name: [_Held(part)] for name, part in zip(ODPM_FILES, data.split(b"\f"), strict=False)}
    odpm._meter(rails, "fuzz", held)  # type: ignore[arg-type]
    odpm._doubts(rails, "fuzz")
    odpm.is_energy_value(_text(data))


ENTRIES: dict[str, Callable[[bytes], None]] = {
    "checkin": checkin, "blocks": blocks, "columns": columns, "history": history, "history_text": history_text,
    "human": human, "proto": proto, "container": container, "file": file, "emitted": emitted, "profile": profile,
    "powerstats": powerstats, "odpm": odpm_files,
}  # fmt: skip
