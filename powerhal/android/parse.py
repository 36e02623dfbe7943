"""One file of any kind to the dumps in it: nothing aborts, everything that was not read is counted.

A file may hold several dumps (a check-in section and the same window as text in a bugreport, or dumps one
after another); each becomes a `Dump` and they are never merged.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from powerhal.android.blocks import BlockReader
from powerhal.android.checkin import Reader, Record
from powerhal.android.checkin_statistics import Gatherer
from powerhal.android.containers import Input, Lines, open_inputs
from powerhal.android.history import History
from powerhal.android.history_lines import is_history, read_history
from powerhal.android.history_text import whole
from powerhal.android.human import SECTIONS, TextReader
from powerhal.android.issues import Issues
from powerhal.android.proto import looks_like_proto, read_proto
from powerhal.android.records import api_levels, rows
from powerhal.android.statistics import Statistics
from powerhal.android.values import Malformed

PROPERTY = re.compile(r"\[([\w.]+)\]: \[(.*)\]")
SECTION = re.compile(r"------ (.+?) ------\s*")
SECTION_END = re.compile(r"------ .* was the duration of '(.*)' ------\s*")
BLOCK = 2048  # check-in lines that are read together
VENDOR_CODES = 1000  # unknown codes that are counted by name
SERVICE = "DUMP OF SERVICE "
TEXT_STARTS = ("Battery History", "Statistics since", *SECTIONS)
PROPERTIES = ("ro.build.version.sdk", "ro.product.model", "persist.sys.timezone")


@dataclass(slots=True)
class Dump:
    """One dump: `form` is checkin, text or proto; `statistics` by window; `complete` with the reasons why not."""

    form: str
    first_line: int
    history: History
    statistics: dict[str, Statistics] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)
    api: int | None = None
    apis: tuple[int, ...] = ()
    versions: dict[str, Any] = field(default_factory=dict)
    lines: int = 0
    lines_read: int = 0
    vendor_codes: Counter[str] = field(default_factory=Counter)
    junk: int = 0
    section_ended: bool = False
    incomplete: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        """Whether nothing is known to be missing."""
        return not self.incomplete

    @property
    def main(self) -> Statistics:
        """The statistics since the last charge, or of the only window there is."""
        for window in ("l", "t", "u", "c"):
            if window in self.statistics:
                return self.statistics[window]
        return Statistics("l")


@dataclass(slots=True)
class DumpFile:
    """What a file held: its dumps in order, its issues, and how much of it was read."""

    name: str
    container: str
    member: str
    encoding: str
    line_ends: str
    lines: int
    skipped: int
    issues: Issues
    dumps: list[Dump]
    properties: dict[str, str]
    bugreport: bool
    others: list[DumpFile] = field(default_factory=list)

    @property
    def main(self) -> Dump | None:
        """The dump to look at first: complete before incomplete, check-in before text, then the longest."""
        rank = {"checkin": 2, "proto": 1, "text": 0}
        key = [(bool(d.statistics), d.complete, rank[d.form], d.lines) for d in self.dumps]
        return self.dumps[key.index(max(key))] if key else None


def read(path: str | Path, *, keep_records: bool = True) -> DumpFile:
    """Read a file ('-' is stdin) of any form; `keep_records` False saves memory.

    Raises TransportError when it cannot be opened, FileError when an archive holds nothing to read.
    """
    files = []
    issues = Issues()
    with open_inputs(path, issues) as inputs:
        for source in inputs:
            files.append(_Scan(source, issues, keep_records).run())
            issues = Issues()
    first, *others = files
    first.others = others
    return first


class _Scan:
    """One pass over one text."""

    def __init__(self, source: Input, issues: Issues, keep: bool) -> None:
        self.source, self.issues, self.keep = source, issues, keep
        self.lines = Lines(source, issues)
        self.dumps: list[Dump] = []
        self.properties: dict[str, str] = {}
        self.bugreport = False
        self.section = ""
        self.reader = Reader(issues)
        self.blocks = BlockReader(self.reader)
        self.checkin: Dump | None = None
        self.gatherer = Gatherer()
        self.text: TextReader | None = None
        self.text_dump: Dump | None = None
        self._in_junk = False
        self._run: list[str] = []
        self._run_start = 0

    def run(self) -> DumpFile:
        if looks_like_proto(self.source.stream):
            return self._proto()
        for number, line in self.lines:
            if line[:2] in ("9,", "8,") and self._wanted():
                alone = ",vers," in line[:24] or not self.lines.terminated
                if alone or len(self._run) == BLOCK or number != self._run_start + len(self._run):
                    self._flush()
                if alone:
                    self._checkin_line(number, line)
                else:
                    self._run_start = self._run_start if self._run else number
                    self._run.append(line)
            else:
                self._flush()
                self._other(number, line)
        self._flush()
        self._end_checkin(at_end=True)
        self._end_text(at_end=True)
        self.issues.kept.sort(key=lambda issue: issue.line)
        if not self.dumps:
            self.issues.add(0, "file", "", "no battery-stats dump found")
        return self._file(self.lines.count)

    def _file(self, count: int) -> DumpFile:
        lines = self.lines
        ends = "crlf" if lines.crlf > lines.count / 2 else "mixed" if lines.crlf else "lf"
        return DumpFile(
            self.source.name, self.source.container, self.source.member, lines.encoding, ends, count,
            lines.skipped, self.issues, self.dumps, self.properties, self.bugreport,
        )  # fmt: skip

    def _proto(self) -> DumpFile:
        statistics, versions, complete = read_proto(self.source.stream, self.issues)
        dump = Dump("proto", 0, History(self.issues), {"l": statistics}, versions=versions)
        dump.incomplete += [] if complete else ["the message is cut"]
        checkin, parcel = versions.get("checkin"), versions.get("parcel")
        if checkin and parcel:
            dump.apis = api_levels(checkin, parcel)
            dump.api = dump.apis[0]
        self.dumps.append(dump)
        return self._file(0)

    def _wanted(self) -> bool:
        """Whether check-in lines here are of battery stats (other services have check-in forms too)."""
        return not self.section or "BATTERYSTATS" in self.section.upper()

    def _flush(self) -> None:
        """Read the run of check-in lines that has been collected."""
        if not self._run:
            return
        self._in_junk = False
        dump = self.checkin or self._new_checkin(self._run_start)
        block = self.blocks.read(self._run_start, self._run)
        dump.lines += len(self._run)
        self._run = []
        for item in block.history():
            dump.history.feed(item)
            dump.lines_read += 1
        for record in block.records():
            self._use(dump, record)

    def _checkin_line(self, number: int, line: str) -> None:
        """One line that must be read alone: a version, or a last line that may be cut."""
        self._in_junk = False
        dump = self.checkin or self._new_checkin(number)
        if is_history(line):
            dump.lines += 1
            dump.lines_read += 1
            dump.history.feed(read_history(number, line, self.issues))
            return
        record = self.reader.read(number, line)
        if record is not None and record.code == "vers":
            dump = self._version(record, dump, number)
        dump.lines += 1
        if record is not None and not self.lines.terminated and _cut(record, self.reader.api):
            self.issues.add(number, record.code, "", "the last line is cut: not used")
        elif record is not None:
            self._use(dump, record)

    def _use(self, dump: Dump, record: Record) -> None:
        dump.lines_read += record.layout.known
        if not record.layout.known:
            code = record.code[:40]
            full = len(dump.vendor_codes) >= VENDOR_CODES and code not in dump.vendor_codes
            dump.vendor_codes["(others)" if full else code] += 1
        self.gatherer.feed(record)
        if self.keep:
            dump.records.append(record)

    def _new_checkin(self, number: int) -> Dump:
        self.reader = Reader(self.issues, hint=whole(self.properties.get("ro.build.version.sdk", "")) or 0)
        self.reader.api = self.reader.hint
        self.blocks = BlockReader(self.reader)
        self.gatherer = Gatherer()
        self.checkin = Dump("checkin", number, History(self.issues))
        return self.checkin

    def _version(self, record: Record, dump: Dump, number: int) -> Dump:
        """A version line after anything else is the start of another dump."""
        if dump.history.lines or self.gatherer.windows or self.gatherer.packages:
            self._end_checkin()
            dump = self._new_checkin(number)
            self.reader.learn(record)
        dump.versions = {name: value for name, value in record.items() if isinstance(value, int | str)}
        return dump

    def _end_checkin(self, at_end: bool = False) -> None:
        dump, self.checkin = self.checkin, None
        if dump is None:
            return
        self.gatherer.finish()
        dump.statistics = self.gatherer.windows
        dump.api, dump.apis = self.reader.api or None, self.reader.apis
        dump.history.close()
        dump.incomplete = _missing(dump, cut=at_end and not self.lines.terminated)
        self.dumps.append(dump)

    def _other(self, number: int, line: str) -> None:
        if line.startswith(("------ ", SERVICE)):
            self._marker(line)
        elif self.text is not None:
            self._text_line(number, line)
        elif line.startswith(TEXT_STARTS):
            self._new_text(number)
            self._text_line(number, line)
        elif line.startswith("[") and (match := PROPERTY.match(line)):
            if match[1] in PROPERTIES:
                self.properties[match[1]] = match[2]
        elif line.startswith(("== dumpstate", "Build fingerprint:")):
            self.bugreport = True
            if line.startswith("Build f"):
                self.properties["fingerprint"] = line.partition(":")[2].strip(" '")
        elif self.checkin is not None and self._wanted():
            self._junk(number, line)

    def _junk(self, number: int, line: str) -> None:
        """Something between check-in lines that is none: one issue for each run of it."""
        if line.startswith("NEXT: ") and self.checkin is not None:
            self.checkin.history.next_start = whole(line[6:])
        elif line.strip():
            assert self.checkin is not None
            self.checkin.junk += 1
            if not self._in_junk:
                self.issues.add(number, "junk", "", f"between check-in lines: {line.strip()[:60]!r}")
            self._in_junk = True

    def _marker(self, line: str) -> None:
        self._end_text()
        end = SECTION_END.match(line)
        if end and self.checkin is not None and self._wanted():
            self.checkin.section_ended = True
            self._end_checkin()
        if line.startswith(SERVICE):
            self.section = "service " + line[len(SERVICE) :].strip(" :")
            return
        title = None if end else SECTION.match(line)
        self.section = title[1] if title else ""

    def _new_text(self, number: int) -> None:
        self.text = TextReader(self.issues)
        self.text_dump = Dump("text", number, self.text.history)

    def _text_line(self, number: int, line: str) -> None:
        assert self.text is not None
        assert self.text_dump is not None
        if line.startswith("Battery History") and self.text.windows:
            self._end_text()
            self._new_text(number)
        self.text_dump.lines += 1
        self.text.feed(number, line)

    def _end_text(self, at_end: bool = False) -> None:
        reader, dump = self.text, self.text_dump
        self.text = self.text_dump = None
        if reader is None or dump is None:
            return
        reader.history.close()
        dump.statistics = reader.windows
        dump.lines_read = reader.done
        for stats in reader.windows.values():
            stats.totals |= {name.replace(" ", "_") + "_steps": rows for name, rows in reader.steps.items()}
        if not reader.windows:
            dump.incomplete.append("no statistics")
        elif "computed_mah" not in dump.main.battery:
            dump.incomplete.append("no power table")
        elif not reader.ended:
            dump.incomplete.append("no blocks of uids after the power table")
        if at_end and not self.lines.terminated:
            dump.incomplete.append("the last line is cut")
        self.dumps.append(dump)


def _cut(record: Record, api: int) -> bool:
    """Whether a last line without an end shows that columns are missing."""
    expected = [row for row in rows(record.code) if row.since <= (api or 99)]
    width = len(expected[-1].fields) if expected else 0
    return len(record.values) < width or any(isinstance(value, Malformed) for value in record.values)


def _missing(dump: Dump, cut: bool) -> list[str]:
    """Why a check-in dump is not complete; it prints uids in ascending order after everything else."""
    out = []
    if not dump.versions:
        out.append("no version line")
    stats = dump.statistics.get("l") or next(iter(dump.statistics.values()), None)
    if stats is None:
        return [*out, "no statistics"]
    if "battery_time" not in stats.totals:
        out.append("no bt record")
    if "capacity_mah" not in stats.battery or "computed_mah" not in stats.battery:
        out.append("no power summary")
    if dump.section_ended:
        return out
    if cut:
        out.append("the last line is cut")
    spenders = [u.uid for u in stats.uids.values() if u.mah]
    reached = {u.uid for u in stats.uids.values() if u.parts.keys() - {"power"} or u.process_states}
    if not spenders or max(spenders) not in reached:
        out.append("records of the last uids are missing")
    return out
