"""The typed check-in lines of a file with the facts that a bugreport says around them.

What is written to be shared (a redacted dump, an older bugreport) is made from these lines alone: text that is
not understood does not get through. The lines are kept as the file's own bytes and typed anew at every walk, so
that a dump takes the memory of its text and no more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

from powerhal.android.checkin.blocks import BlockReader
from powerhal.android.checkin.joins import Joins
from powerhal.android.checkin.lines import Reader, Record
from powerhal.android.containers import Input, Lines, open_inputs
from powerhal.android.dump import sound
from powerhal.android.history.lines import HistoryLine, PoolLine, is_history
from powerhal.android.history.text import whole
from powerhal.android.issues import Issues
from powerhal.android.kinds import kind_of, no_dump, peeked
from powerhal.android.parse import PROPERTY, SECTION, SECTION_END, SERVICE, _cut
from powerhal.android.proto.history import as_text
from powerhal.errors import NotEnoughData, UsageError

DUMPSTATE = re.compile(r"== dumpstate: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", re.ASCII)
FINGERPRINT = re.compile(r"Build fingerprint: '(\S+)'")
WANTED = ("ro.build.version.sdk", "ro.product.model", "persist.sys.timezone")
TOGETHER = 2048  # lines that are kept and typed together
LEAST_TOGETHER = 64  # fewer are not parted from lines of the other sort

CheckinLine = Record | HistoryLine | PoolLine


class Stretch(NamedTuple):
    """Lines of a dump as bytes, each with a newline; whether any is of the history, whether any is not."""

    text: bytes
    history: bool
    records: bool


@dataclass(slots=True)
class CheckinLines:
    """One dump: a walk through it types its lines in order; `api` 0, `version` None where no version line tells."""

    first_line: int
    hint: int = 0
    api: int = 0
    version: Record | None = None
    lines: int = 0
    records: int = 0  # lines that are no history
    kept: list[Stretch] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def add(self, line: str) -> None:
        """One more line."""
        of_history = is_history(line)
        many = len(self._open)
        if many == TOGETHER or (many >= LEAST_TOGETHER and of_history != is_history(self._open[-1])):
            self.settle()
        self._open.append(line)
        self.lines += 1
        self.records += not of_history

    def settle(self) -> None:
        """Keep what was added as bytes."""
        if self._open:
            text = "\n".join([*self._open, ""]).encode("utf-8", "surrogateescape")
            sorts = {is_history(line) for line in self._open}
            self.kept.append(Stretch(text, True in sorts, False in sorts))
            self._open.clear()

    def part(self, *, history: bool = True, records: bool = True, codes: Container[str] | None = None) -> Part:
        """Its history, its records (with `codes` those alone), or both, to be walked through as often as needed."""
        return Part(self, history, records, None if codes is None else lambda line: _code(line) in codes)

    def __iter__(self) -> Iterator[CheckinLine]:
        return iter(self.part())

    def history(self) -> Iterator[HistoryLine | PoolLine]:
        """Lines of the history, in order."""
        return (line for line in self.part(records=False) if not isinstance(line, Record))

    def typed(self) -> Iterator[Record]:
        """Records in order."""
        return (line for line in self.part(history=False) if isinstance(line, Record))

    @property
    def evident(self) -> bool:
        """Whether a line of it is the platform's beyond doubt."""
        return any(line.layout.known if isinstance(line, Record) else sound(line) for line in self)


@dataclass(frozen=True, slots=True)
class Part:
    """Some lines of a dump in order, typed anew at every walk; what reading them says was said the first time."""

    dump: CheckinLines
    history: bool
    records: bool
    keep: Callable[[str], bool] | None = None  # which lines, by their text

    def __iter__(self) -> Iterator[CheckinLine]:
        dump = self.dump
        dump.settle()
        reader = Reader(Issues(), api=dump.api or dump.hint, hint=dump.hint)
        blocks = BlockReader(reader)
        for stretch in dump.kept:
            if (self.history and stretch.history) or (self.records and stretch.records):
                block = blocks.read(1, self._chosen(stretch))
                yield from sorted([*block.history(), *block.records()], key=itemgetter(0))

    def _chosen(self, stretch: Stretch) -> list[str]:
        lines = stretch.text.decode("utf-8", "surrogateescape").split("\n")
        lines.pop()
        if stretch.history and stretch.records and self.history != self.records:
            lines = [line for line in lines if is_history(line) == self.history]
        return lines if self.keep is None else list(filter(self.keep, lines))


def _code(line: str) -> str:
    """The record code of a line."""
    parts = line.split(",", 4)
    return parts[3] if len(parts) > 3 else ""


@dataclass(slots=True)
class Bugreport:
    """A file's dumps and header: `taken` is local time as printed, `properties` those of `WANTED`; empty: unknown."""

    name: str
    dumps: list[CheckinLines] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    taken: str = ""
    fingerprint: str = ""
    others: int = 0  # further bugreports in the same archive
    head: bytes = b""  # as the file begins

    def dump(self, number: int | None = None) -> CheckinLines:
        """The dump with that number (from 1), or the one with most records.

        Raises NotEnoughData when there is none, FileError when the file is known to be of another kind, UsageError
        for a number that does not exist.
        """
        if not self.dumps:
            kind = kind_of(self.head)
            if kind is None or kind.family != "dump":
                raise no_dump(self.name, self.head)
            raise NotEnoughData(
                f"{self.name}: no check-in lines of battery stats",
                hint="take them with `dumpsys batterystats -c`, or take a whole bugreport; the text form and "
                "the protobuf forms of sums do not hold what is needed",
            )
        if number is None:
            return max(self.dumps, key=lambda d: d.records)
        if not 1 <= number <= len(self.dumps):
            raise UsageError(f"{self.name}: no dump {number}", hint=f"it holds 1 to {len(self.dumps)}")
        return self.dumps[number - 1]


def read_bugreport(path: str | Path, issues: Issues) -> Bugreport:
    """Read a check-in dump or bugreport in any container ('-' is stdin); of several texts the first.

    Raises FileError when it cannot be opened and when an archive holds nothing to read.
    """
    with open_inputs(path, issues) as inputs:
        found = _Reading(inputs[0], issues).run()
        found.others = len(inputs) - 1
        return found


class _Reading:
    """One pass over one text."""

    def __init__(self, source: Input, issues: Issues) -> None:
        self.out = Bugreport(source.name, head=peeked(source.stream))
        self.lines = Lines(as_text(source, issues), issues)
        self.issues = issues
        self.section = ""
        self.dump: CheckinLines | None = None

    def run(self) -> Bugreport:
        joins = Joins(self.issues)
        for number, line in self.lines:
            self._take(joins.feed(number, line))
        self._take(joins.end())
        self._end()
        return self.out

    def _take(self, lines: Iterable[tuple[int, str, str]]) -> None:
        for number, line, _ in lines:
            if line[:2] in ("9,", "8,") and (not self.section or "BATTERYSTATS" in self.section.upper()):
                self._checkin(number, line.replace("\n", "_"))  # as the platform itself prints it from API 34 on
            else:
                self._other(line)

    def _checkin(self, number: int, line: str) -> None:
        dump = self.dump or self._start(number)
        if ",vers," in line[:24] or not self.lines.terminated:
            self._alone(number, line, dump)
        else:
            dump.add(line)

    def _alone(self, number: int, line: str, dump: CheckinLines) -> None:
        """A version line, or a last line that may be cut."""
        if is_history(line):
            dump.add(line)
            return
        reader = Reader(self.issues, api=dump.api, hint=dump.hint)
        record = reader.read(number, line)
        if record is None or (not self.lines.terminated and _cut(record, reader.api)):
            return
        if record.code == "vers":
            if dump.lines:
                self._end()
                dump = self._start(number)
            dump.version, dump.api = record, reader.api
        dump.add(line)

    def _start(self, number: int) -> CheckinLines:
        hint = whole(self.out.properties.get("ro.build.version.sdk", "")) or 0
        self.dump = CheckinLines(number, hint, hint)
        return self.dump

    def _end(self) -> None:
        if self.dump is not None and self.dump.evident:
            self.dump.settle()
            self.out.dumps.append(self.dump)
        self.dump = None

    def _other(self, line: str) -> None:
        if line.startswith(SERVICE):
            self._end()
            self.section = line
        elif line.startswith("------ "):
            self._end()
            title = None if SECTION_END.match(line) else SECTION.match(line)
            self.section = title[1] if title else ""
        elif line.startswith("["):
            match = PROPERTY.match(line)
            if match and match[1] in WANTED:
                self.out.properties.setdefault(match[1], match[2])
        elif taken := DUMPSTATE.match(line):
            self.out.taken = self.out.taken or taken[1]
        elif print_ := FINGERPRINT.match(line):
            self.out.fingerprint = self.out.fingerprint or print_[1]
