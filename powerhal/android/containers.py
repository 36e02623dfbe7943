"""Whatever a dump comes in, as numbered lines of text: plain, gzip, zip, UTF-8 or UTF-16, any line ends.

Nothing is unpacked to disk, no name inside an archive is used as a path, archives inside archives stay
closed. Limits hold against hostile input: `MAX_TEXT` inflated bytes, `MAX_RATIO` inflated to packed,
`MAX_LINE` bytes in a line (a longer one is counted and skipped).
"""

from __future__ import annotations

import codecs
import copy
import gzip
import io
import lzma
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import IO, Protocol, cast

from powerhal.android.issues import Issues
from powerhal.errors import FileError

CHUNK = 1 << 20
RETURNS = re.compile(rb"\r+\n")  # `adb shell` of old phones doubles them
MAX_LINE = 1 << 20
SNIFFED = 512  # bytes that tell the encoding
MAX_TEXT = 4 << 30
MAX_RATIO = 200  # text dumps pack about 10 : 1
RATIO_FREE = 32 << 20  # below this much text the ratio is nobody's danger
MAX_ARCHIVE = 1 << 30
HEADERS = (b"== dumpstate", b"Build fingerprint", b"------ ", b"9,", b"8,", b"Battery History", b"Statistics since")
DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError, RuntimeError)
FILE = "give a dump or bugreport, or '-' for standard input"
FOLDER = "give one file of it (`powerhal android powerstats` reads a folder of a power meter's files)"


class Packed(Protocol):
    """What `gzip` and `zipfile` give."""

    def read1(self, size: int) -> bytes:
        """Some bytes, at most `size`; none at the end."""
        ...


class Inflated(io.RawIOBase):
    """A packed stream as far as it can be inflated: it ends where it is damaged, and `damage` says why.

    crc: what the archive says of the whole; bytes that disagree are given out all the same.
    """

    def __init__(self, packed: Packed, crc: int | None = None) -> None:
        self.damage = ""
        self._packed, self._crc, self._seen = packed, crc, 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """Some bytes; 0 at the end and from the damage on."""
        if self.damage:
            return 0
        try:
            piece = self._packed.read1(len(buffer))
        except DAMAGED as error:
            self.damage = f"cannot be inflated further: {error}"
            return 0
        buffer[: len(piece)] = piece
        self._seen = zlib.crc32(piece, self._seen)
        if not piece and self._crc is not None and self._seen != self._crc:
            self.damage = "the checksum does not agree: something in it is not what was packed"
        return len(piece)


@dataclass(frozen=True, slots=True)
class Input:
    """Where text comes from: `container` is plain, gzip or zip; `member` the file inside a zip."""

    name: str
    container: str
    stream: IO[bytes]
    packed: int | None = None  # bytes before inflation, when known
    member: str = ""
    size: int | None = None  # bytes of text, when known

    def damage(self) -> str:
        """Why the stream ended before its time; '' when it did not."""
        raw = getattr(self.stream, "raw", None)
        return raw.damage if isinstance(raw, Inflated) else ""


@contextmanager
def open_inputs(path: str | Path, issues: Issues) -> Iterator[list[Input]]:
    """The texts in a file ('-' is standard input), open; several when a zip holds several bugreports.

    Raises FileError when the file cannot be read and when an archive holds no dump.
    """
    name = str(path)
    with ExitStack() as stack:
        try:
            stream: IO[bytes] = sys.stdin.buffer if name == "-" else stack.enter_context(open(path, "rb"))
        except OSError as error:
            raise FileError(
                f"{name}: {error.strerror}", code="PH-F003", hint=FOLDER if Path(name).is_dir() else FILE
            ) from error
        yield _open(stream, name, issues, stack)


def _open(stream: IO[bytes], name: str, issues: Issues, stack: ExitStack) -> list[Input]:
    """The texts of an open stream of bytes; it is told by its first bytes what it is."""
    buffered = stream if isinstance(stream, io.BufferedReader) else io.BufferedReader(io.BytesIO(stream.read()))
    magic = buffered.peek(4)[:4]
    if magic[:2] == b"\x1f\x8b":
        size = Path(name).stat().st_size if name != "-" and Path(name).is_file() else None
        inflated = stack.enter_context(gzip.GzipFile(fileobj=buffered))
        return [Input(name, "gzip", io.BufferedReader(Inflated(inflated)), size)]
    if magic == b"PK\x03\x04":
        return _zip(buffered, name, issues, stack)
    size = Path(name).stat().st_size if name != "-" and Path(name).is_file() else None
    return [Input(name, "plain", buffered, size=size)]


def _zip(stream: IO[bytes], name: str, issues: Issues, stack: ExitStack) -> list[Input]:
    if not stream.seekable():
        data = stream.read(MAX_ARCHIVE + 1)
        if len(data) > MAX_ARCHIVE:
            raise FileError(f"{name}: archive larger than {MAX_ARCHIVE >> 20} MiB", code="PH-D001")
        stream = io.BytesIO(data)
    try:
        archive = stack.enter_context(zipfile.ZipFile(stream))
        members = _members(archive, issues)
        if not members:
            raise FileError(
                f"{name}: no battery-stats dump or bugreport in the zip", code="PH-D002",
                hint="name the text file itself",
            )  # fmt: skip
        return [
            Input(
                name,
                "zip",
                stack.enter_context(_member(archive, info)),
                info.compress_size,
                PurePosixPath(info.filename).name,
                info.file_size,
            )
            for info in members
        ]
    except FileError:
        raise
    except (*DAMAGED, ValueError) as error:
        raise FileError(f"{name}: not a readable zip: {error}", code="PH-D001") from error


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> io.BufferedReader:
    """A member as far as it can be read; raises what `DAMAGED` lists when it has no beginning."""
    unchecked = copy.copy(info)
    del unchecked.CRC  # zipfile would throw the last bytes away where the checksum disagrees
    return io.BufferedReader(Inflated(cast("Packed", archive.open(unchecked)), info.CRC))


def _members(archive: zipfile.ZipFile, issues: Issues) -> list[zipfile.ZipInfo]:
    """The bugreport that main_entry.txt names, else every text member that begins like a dump, biggest first."""
    infos = [i for i in archive.infolist() if i.filename and not i.is_dir() and not _refused(i, issues)]
    by_name = {PurePosixPath(i.filename).name: i for i in infos}
    entry = by_name.get("main_entry.txt")
    if entry:
        with _member(archive, entry) as stream:
            named = stream.read(4096).decode("utf-8", "replace").strip()
        if main := by_name.get(PurePosixPath(named).name):
            _note_others(archive, infos, main, issues)
            return [main]
        issues.add(0, "zip", "main_entry.txt", f"names {named[:80]!r}, which is not there")
    return sorted((i for i in infos if _like_a_dump(archive, i, issues)), key=lambda i: -i.file_size)


def _note_others(archive: zipfile.ZipFile, infos: list[zipfile.ZipInfo], main: zipfile.ZipInfo, issues: Issues) -> None:
    for info in infos:
        name = PurePosixPath(info.filename).name
        if info is not main and name.startswith("bugreport") and _like_a_dump(archive, info, issues):
            issues.add(0, "zip", name[:80], "another bugreport in the same zip, not read")


def _refused(info: zipfile.ZipInfo, issues: Issues) -> bool:
    """Whether a member breaks a limit before a byte of it is inflated."""
    ratio = info.file_size / max(info.compress_size, 1)
    why = ""
    if info.flag_bits & 1:
        why = "encrypted"
    elif info.file_size > MAX_TEXT or (ratio > MAX_RATIO and info.file_size > RATIO_FREE):
        why = f"would inflate {ratio:.0f} : 1 to {info.file_size} bytes"
    if why:
        issues.add(0, "zip", PurePosixPath(info.filename).name[:80], f"refused: {why}")
    return bool(why)


def _like_a_dump(archive: zipfile.ZipFile, info: zipfile.ZipInfo, issues: Issues) -> bool:
    if not info.filename.endswith((".txt", ".log", ".csv")) or info.filename.startswith("FS/"):
        return False
    try:
        with _member(archive, info) as stream:
            head = stream.read(1 << 16)
    except (*DAMAGED, ValueError) as error:
        issues.add(0, "zip", PurePosixPath(info.filename).name[:80], f"cannot be read: {error}")
        return False
    return any(head.startswith(mark) or b"\n" + mark in head for mark in HEADERS)


Bytes = bytes | bytearray


@dataclass(slots=True)
class Lines:
    """Numbered lines of one input; `count` and the rest are known when they have been read to the end."""

    source: Input
    issues: Issues
    count: int = 0
    skipped: int = 0
    bytes_read: int = 0
    crlf: int = 0
    terminated: bool = True
    end: str = "\n"  # what ended the line given out last
    encoding: str = "utf-8"
    chunk: int = CHUNK
    _pending: bytes = b""

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """(line number from 1, line without its end); bytes that are no UTF-8 survive as surrogates."""
        for whole in self.blocks():
            yield from self.split(whole)

    def blocks(self) -> Iterator[Bytes]:
        """Whole lines in UTF-8, many at a time, each with a newline: for `split`, or for `bare` and `take`.

        Good until the next are asked for: they come in the same memory.
        """
        skipping = False
        for text in self._text():
            cut = text.rfind(b"\n") + 1
            self._pending = bytes(text[cut:])
            del text[cut:]
            if cut and skipping:
                self._skip()
                del text[: text.index(b"\n") + 1]
                skipping = False
            yield from self._short(text)
            if len(self._pending) > MAX_LINE:
                self._pending, skipping = b"", True
        if skipping:
            self._skip()
            self.terminated = False
        elif self._pending:
            self.terminated = False
            yield self._pending + b"\n"

    def _short(self, whole: bytearray) -> Iterator[Bytes]:
        """A block without lines that are too long, wherever in it they stand."""
        at = 0
        while len(whole) - at > MAX_LINE + 1:
            if end := whole.rfind(b"\n", at, at + MAX_LINE + 1) + 1:
                at = end
                continue
            if at:
                yield whole[:at]
            self._skip()
            del whole[: whole.index(b"\n", at) + 1]
            at = 0
        if whole:
            yield whole

    def take(self, whole: Bytes, count: int) -> None:
        """Count the lines of a block that the caller reads without `split`."""
        self.count += count
        self.crlf += whole.count(b"\r\n") if b"\r" in whole else 0

    @staticmethod
    def bare(whole: Bytes) -> Bytes:
        """A block with bare newlines."""
        return RETURNS.sub(b"\n", whole) if b"\r" in whole else whole

    def _skip(self) -> None:
        self.count += 1
        self.skipped += 1
        self.issues.add(self.count, "line", "", f"longer than {MAX_LINE} bytes: skipped")

    def split(self, whole: Bytes) -> Iterator[tuple[int, str]]:
        """The lines of a block, as `__iter__` gives them."""
        lines = whole.decode("utf-8", "surrogateescape").split("\n")
        lines.pop()
        returns = b"\r" in whole
        for line in lines:
            self.count += 1
            bare = line
            if returns and line.endswith("\r"):
                self.crlf += 1
                bare = line.rstrip("\r")
            self.end = line[len(bare) :] + ("\n" if self.terminated else "")
            yield self.count, bare

    def _text(self) -> Iterator[bytearray]:
        """What is pending and more text behind it, in UTF-8 whatever the file is in."""
        raw = self._raw()
        first = next(raw, bytearray())
        self.encoding, mark = sniff(bytes(first[:SNIFFED]))
        del first[:mark]
        if self.encoding == "utf-8":
            yield first
            yield from raw
            return
        decoder = codecs.getincrementaldecoder(self.encoding)("replace")
        for chunk in chain((first,), raw):
            yield bytearray(self._pending + decoder.decode(chunk).encode("utf-8", "surrogateescape"))
        yield bytearray(self._pending + decoder.decode(b"", True).encode("utf-8", "surrogateescape"))

    def _broken(self, why: str) -> None:
        self.issues.add(self.count, self.source.container, "", why)
        self.terminated = False

    def _raw(self) -> Iterator[bytearray]:
        """The bytes of the file, behind what is pending where they are the text: in the same memory each time."""
        limit, room, stream = MAX_TEXT, bytearray(), cast(io.BufferedIOBase, self.source.stream)
        if self.source.packed is not None:
            limit = min(limit, max(RATIO_FREE, self.source.packed * MAX_RATIO))
        while True:
            kept = self._pending if self.encoding == "utf-8" else b""
            room[: len(kept)] = kept
            room.extend(bytes(max(0, len(kept) + self.chunk - len(room))))
            try:
                with memoryview(room) as view:
                    size = stream.readinto(view[len(kept) :])
            except OSError as error:
                self._broken(f"cannot be read further: {error}")
                return
            if not size:
                if damage := self.source.damage():
                    self._broken(damage)
                return
            self.bytes_read += size
            if self.bytes_read > limit:
                self.issues.add(self.count, self.source.container, "", f"stopped after {limit} bytes of text")
                self.terminated = False
                return
            del room[len(kept) + size :]
            yield room


def sniff(head: bytes) -> tuple[str, int]:
    """The encoding of a text by its first bytes, and how many of them are its mark."""
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8", 3
    if head.startswith(codecs.BOM_UTF16_LE):
        return "utf-16-le", 2
    if head.startswith(codecs.BOM_UTF16_BE):
        return "utf-16-be", 2
    sample = head[:SNIFFED]
    if len(sample) >= 8:
        half = len(sample) // 2
        if sample[1::2].count(0) > 0.8 * half and sample[::2].count(0) < 0.2 * half:
            return "utf-16-le", 0
        if sample[::2].count(0) > 0.8 * half and sample[1::2].count(0) < 0.2 * half:
            return "utf-16-be", 0
    return "utf-8", 0
