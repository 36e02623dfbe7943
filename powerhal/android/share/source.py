"""The typed check-in lines of a file with the facts that a bugreport says around them.

What is written to be shared (a redacted dump, an older bugreport) is made from these lines alone: text that is
not understood does not get through.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from powerhal.android.checkin.lines import Reader, Record
from powerhal.android.containers import Input, Lines, open_inputs
from powerhal.android.history.lines import HistoryLine, PoolLine, is_history, read_history
from powerhal.android.history.text import whole
from powerhal.android.issues import Issues
from powerhal.android.parse import PROPERTY, SECTION, SECTION_END, SERVICE, _cut
from powerhal.errors import NotEnoughData, UsageError

DUMPSTATE = re.compile(r"== dumpstate: (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", re.ASCII)
FINGERPRINT = re.compile(r"Build fingerprint: '(\S+)'")
WANTED = ("ro.build.version.sdk", "ro.product.model", "persist.sys.timezone")

CheckinLine = Record | HistoryLine | PoolLine


@dataclass(slots=True)
class CheckinLines:
    """One dump: its lines in order; `api` 0 and `version` None where no version line tells."""

    first_line: int
    lines: list[CheckinLine] = field(default_factory=list)
    api: int = 0
    version: Record | None = None

    @property
    def records(self) -> int:
        """How many lines are no history."""
        return sum(isinstance(line, Record) for line in self.lines)


@dataclass(slots=True)
class Bugreport:
    """A file's dumps and header: `taken` is local time as printed, `properties` those of `WANTED`; empty: unknown."""

    name: str
    dumps: list[CheckinLines] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    taken: str = ""
    fingerprint: str = ""
    unread: int = 0
    others: int = 0  # further bugreports in the same archive

    def dump(self, number: int | None = None) -> CheckinLines:
        """The dump with that number (from 1), or the one with most records.

        Raises NotEnoughData when there is none, UsageError for a number that does not exist.
        """
        if not self.dumps:
            raise NotEnoughData(
                f"{self.name}: no check-in lines of battery stats",
                hint="take them with `dumpsys batterystats -c`, or take a whole bugreport; the text and protobuf "
                "forms do not hold what is needed",
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
        self.lines = Lines(source, issues)
        self.issues = issues
        self.out = Bugreport(source.name)
        self.section = ""
        self.dump: CheckinLines | None = None
        self.reader = Reader(issues)

    def run(self) -> Bugreport:
        for number, line in self.lines:
            if line[:2] in ("9,", "8,") and (not self.section or "BATTERYSTATS" in self.section.upper()):
                self._checkin(number, line)
            else:
                self._other(line)
        self._end()
        return self.out

    def _checkin(self, number: int, line: str) -> None:
        dump = self.dump or self._start(number)
        if is_history(line):
            dump.lines.append(read_history(number, line, self.issues))
            return
        record = self.reader.read(number, line)
        if record is None or (not self.lines.terminated and _cut(record, self.reader.api)):
            self.out.unread += 1
            return
        if record.code == "vers":
            if dump.lines:
                self._end()
                dump = self._start(number)
                self.reader.learn(record)
            dump.version = record
        dump.lines.append(record)

    def _start(self, number: int) -> CheckinLines:
        hint = whole(self.out.properties.get("ro.build.version.sdk", "")) or 0
        self.reader = Reader(self.issues, api=hint, hint=hint)
        self.dump = CheckinLines(number)
        return self.dump

    def _end(self) -> None:
        if self.dump is not None and self.dump.lines:
            self.dump.api = self.reader.api
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
