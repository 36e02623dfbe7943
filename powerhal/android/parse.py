"""One file of any kind to the dumps in it: nothing aborts, everything that was not read is counted.

A file may hold several dumps (a check-in section and the same window as text in a bugreport, or dumps one
after another); each becomes a `Dump` and they are never merged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from powerhal.android.checkin.blocks import Block, BlockReader
from powerhal.android.checkin.columns import LISTED, ColumnReader
from powerhal.android.checkin.joins import Joins, unfinished
from powerhal.android.checkin.lines import Reader, Record
from powerhal.android.checkin.records import api_levels, rows
from powerhal.android.checkin.values import Malformed
from powerhal.android.completeness import Verdict, of_text
from powerhal.android.containers import Bytes, Input, Lines, open_inputs
from powerhal.android.dump import Dump
from powerhal.android.history.lines import HistoryLine, is_history, read_history
from powerhal.android.history.states import History
from powerhal.android.history.text import HEADER, whole
from powerhal.android.human.text import SECTIONS, WINDOW, TextReader
from powerhal.android.issues import Issues
from powerhal.android.kinds import no_dump, peeked
from powerhal.android.proto.history import as_lines
from powerhal.android.proto.reader import CUT, UNSHOWN, read_proto
from powerhal.android.proto.told import form_of
from powerhal.android.statistics import Statistics
from powerhal.kernels.choice import CHOICE, KernelTable

__all__ = ["Dump", "DumpFile", "read"]

PROPERTY = re.compile(r"\[([\w.]+)\]: \[(.*)\]")
SECTION = re.compile(r"------ (.+?) ------\s*")
SECTION_END = re.compile(r"------ .* was the duration of '(.*)' ------\s*")
PLAIN_S = 8e-8  # that plain Python takes for a byte
BLOCK = 1 << 14  # check-in lines that are read together
VERSION, HEAD = b",vers,", 18  # and how many bytes may stand before it
SERVICE = "DUMP OF SERVICE "
TEXT_STARTS = ("Battery History", "Statistics since", "  Estimated power use (mAh):", *SECTIONS)
PROPERTIES = ("ro.build.version.sdk", "ro.product.model", "persist.sys.timezone")


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
    head: bytes = b""  # as the file begins, for saying what it is when no dump is in it
    others: list[DumpFile] = field(default_factory=list)

    @property
    def main(self) -> Dump | None:
        """The dump to look at first: complete before incomplete, check-in before text, then the longest."""
        rank = {"checkin": 2, "proto": 1, "text": 0}
        key = [(bool(d.statistics), d.complete, rank[d.form], d.lines) for d in self.dumps]
        return self.dumps[key.index(max(key))] if key else None

    def demand(self) -> DumpFile:
        """The same, when any text of the file holds a dump.

        Raises FileError when the file is known to be of another kind, NotEnoughData when there is just no dump in it.
        """
        if not any(found.dumps for found in (self, *self.others)):
            raise no_dump(self.name, self.head)
        return self


def read(path: str | Path, *, keep_records: bool = True) -> DumpFile:
    """Read a file ('-' is stdin) of any form; `keep_records` False saves memory.

    Raises FileError when it cannot be opened and when an archive holds nothing to read.
    """
    files = []
    issues = Issues()
    with open_inputs(path, issues) as inputs:
        for source in inputs:
            files.append(_Scan(source, issues, keep_records).run())
            issues = Issues()
    first, *others = sorted(files, key=lambda found: not found.dumps)
    first.others = [found for found in others if found.dumps]
    return first


class _Scan:
    """One pass over one text."""

    def __init__(self, source: Input, issues: Issues, keep: bool) -> None:
        self.source, self.issues, self.keep = source, issues, keep
        self.head = peeked(source.stream)
        self.lines = Lines(source, issues)
        self.dumps: list[Dump] = []
        self.properties: dict[str, str] = {}
        self.bugreport = False
        self.section = ""
        self.reader = Reader(issues)
        self.blocks = BlockReader(self.reader)
        self.joins = Joins(issues)
        self.kernels: KernelTable | None = None
        self._columns: dict[int, ColumnReader] = {}  # by API level
        self.checkin: Dump | None = None
        self.text: TextReader | None = None
        self.text_dump: Dump | None = None
        self._in_junk = False
        self._run: list[str] = []
        self._run_start = 0

    def run(self) -> DumpFile:
        form = form_of(self.head)
        if form in ("stats", "usage"):
            return self._proto(form)
        if form == "history":
            return self._proto_history()
        return self._read()

    def _read(self) -> DumpFile:
        for block in self.lines.blocks():
            self._block(block)
        self._release()
        self._flush()
        self._end_checkin(at_end=True)
        self._end_text(at_end=True)
        self.issues.kept.sort(key=lambda issue: issue.line)
        return self._file(self.lines.count)

    def _block(self, block: Bytes) -> None:
        """Whole lines: in one go where all of them are check-in lines of one version, else one by one."""
        at = 0
        fine = block[:2] == b"9," and self.lines.terminated and self._wanted()
        if fine and self._compiled() and self._together(block):  # the kernels tell a version line themselves
            return
        if block[:2] == b"9," and self.lines.terminated:
            for start, end in _version_lines(block):
                self._lines(block[at:start])
                for number, line in self.lines.split(block[start:end]):
                    self._line(number, line)
                at = end
        self._lines(block[at:] if at else block)

    def _lines(self, part: Bytes) -> None:
        """Lines without a version line among them."""
        if part[:2] != b"9," or not self.lines.terminated or not self._wanted() or not self._together(part):
            for number, line in self.lines.split(part):
                self._line(number, line)

    def _together(self, part: Bytes) -> bool:
        """Read lines that are all check-in lines in one go; False when they are not."""
        last = part[part.rfind(b"\n", 0, -1) + 1 :]
        if unfinished(last.decode("utf-8", "replace").rstrip()):  # it may go on in the next part
            return False
        self._release()
        self._flush()
        first = self.lines.count + 1
        dump = self.checkin or self._new_checkin(first)  # before the columns: it forgets the version of the one before
        if self._compiled() and self.kernels is not None:
            columns = self._columns.get(self.reader.api)
            if columns is None:
                columns = self._columns[self.reader.api] = ColumnReader(self.kernels, self.blocks)
            block = columns.read(first, self.lines.bare(part))
            if block is not None:
                self.lines.take(part, block.count)
                self._in_junk = False
                self._add(dump, block)
            return block is not None
        count = part.count(b"\n")
        if part.count(b"\n9,") < count - 1:
            return False
        text = self.lines.bare(part).decode("utf-8", "surrogateescape").split("\n")
        self.lines.take(part, count)
        for start in range(0, count, BLOCK):
            self._run, self._run_start = text[start : min(start + BLOCK, count)], first + start
            self._flush()
        return True

    def _compiled(self) -> bool:
        """Whether the compiled kernels read: when there is enough text for them (see `kernels.choice`)."""
        if self.kernels is None:
            expected = max(self.source.size or 0, self.lines.bytes_read)
            self.kernels = CHOICE.worth(PLAIN_S * expected)
            if self.kernels is not None:
                self.lines.chunk = LISTED
        return self.kernels is not None

    def _line(self, number: int, line: str) -> None:
        if not self.joins.held and line[:2] not in ("9,", "8,"):
            self._record_or_other(number, line)
            return
        for first, text, _ in self.joins.feed(number, line):
            self._record_or_other(first, text)

    def _release(self) -> None:
        """A record whose name is open does not go on."""
        for number, text, _ in self.joins.end():
            self._record_or_other(number, text)

    def _record_or_other(self, number: int, line: str) -> None:
        if line[:2] not in ("9,", "8,") or not self._wanted():
            self._flush()
            self._other(number, line)
            return
        alone = ",vers," in line[:24] or "\n" in line or not self.lines.terminated
        if alone or len(self._run) == BLOCK or number != self._run_start + len(self._run):
            self._flush()
        if alone:
            self._checkin_line(number, line)
        else:
            self._run_start = self._run_start if self._run else number
            self._run.append(line)

    def _file(self, count: int) -> DumpFile:
        lines = self.lines
        self.dumps = [dump for dump in self.dumps if dump.evident]
        if not self.dumps:
            self.issues.add(0, "file", "", "no battery-stats dump found")
        ends = "crlf" if lines.crlf > lines.count / 2 else "mixed" if lines.crlf else "lf"
        return DumpFile(
            self.source.name, self.source.container, self.source.member, lines.encoding, ends, count,
            lines.skipped, self.issues, self.dumps, self.properties, self.bugreport, self.head,
        )  # fmt: skip

    def _proto(self, form: str) -> DumpFile:
        """A message that holds sums."""
        statistics, versions, verdict = read_proto(self.source.stream, self.issues, form)
        if damage := self.source.damage():
            self.issues.add(0, self.source.container, "", damage)
            verdict = CUT
        dump = Dump("proto", 0, History(self.issues), {"l": statistics})
        dump.versions, dump.evident = versions, bool(versions or _says(statistics))
        dump.verdict = verdict
        checkin, parcel = versions.get("checkin"), versions.get("parcel")
        if checkin and parcel:
            dump.apis = api_levels(checkin, parcel)
            dump.api = dump.apis[0]
        self.dumps.append(dump)
        return self._file(0)

    def _proto_history(self) -> DumpFile:
        """A message that holds a history: read as the check-in lines that it stands for."""
        self.source, whole = as_lines(self.source, self.issues)
        self.lines = Lines(self.source, self.issues)
        found = self._read()
        for dump in found.dumps:
            dump.recast("proto", UNSHOWN if whole else CUT)
        return found

    def _wanted(self) -> bool:
        """Whether check-in lines here are of battery stats (other services have check-in forms too)."""
        return not self.section or "BATTERYSTATS" in self.section.upper()

    def _flush(self) -> None:
        """Read the run of check-in lines that has been collected."""
        if not self._run:
            return
        self._in_junk = False
        dump = self.checkin or self._new_checkin(self._run_start)
        run, self._run = self._run, []
        self._add(dump, self.blocks.read(self._run_start, run))

    def _add(self, dump: Dump, block: Block) -> None:
        for item in block.history_singles:
            if isinstance(item, HistoryLine) and isinstance(item.delta, int) and item.delta < 0:
                self.issues.add(item.line, "h", "delta", "time runs backwards")
        dump.add(block)

    def _checkin_line(self, number: int, line: str) -> None:
        """One line that must be read alone: a version, a name with line ends, or a last line that may be cut."""
        self._in_junk = False
        dump = self.checkin or self._new_checkin(number)
        block = Block(1)
        if is_history(line):
            block.history_singles.append(read_history(number, line, self.issues))
            self._add(dump, block)
            return
        record = self.reader.read(number, line)
        dump.evident = dump.evident or (record is not None and record.layout.known)
        if record is not None and record.code == "vers":
            dump = self._version(record, dump, number)
        last = not self.lines.terminated and number + line.count("\n") == self.lines.count
        if record is not None and last and _cut(record, self.reader.api):
            self.issues.add(number, record.code, "", "the last line is cut: not used")
        elif record is not None:
            block.singles.append(record)
        self._add(dump, block)

    def _new_checkin(self, number: int) -> Dump:
        self.reader.begin(whole(self.properties.get("ro.build.version.sdk", "")) or 0)
        self.checkin = Dump("checkin", number, History(self.issues))
        self.checkin.api = self.reader.api or None
        return self.checkin

    def _version(self, record: Record, dump: Dump, number: int) -> Dump:
        """A version line after anything else is the start of another dump."""
        if dump.begun:
            self._end_checkin()
            dump = self._new_checkin(number)
            self.reader.learn(record)
        dump.api, dump.apis = self.reader.api or None, self.reader.apis
        dump.versions = {name: value for name, value in record.items() if isinstance(value, int | str)}
        return dump

    def _end_checkin(self, at_end: bool = False) -> None:
        dump, self.checkin = self.checkin, None
        if dump is None:
            return
        dump.cut = at_end and not self.lines.terminated
        dump.unended = at_end and bool(self.section)
        dump.close()
        if not self.keep:
            dump.forget()
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
        self._end_text(shown=True)
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
        self.text_dump = Dump("text", number, self.text.history, {})

    def _text_line(self, number: int, line: str) -> None:
        assert self.text is not None
        assert self.text_dump is not None
        if line.startswith("Battery History") and self.text.windows:
            self._end_text()
            self._new_text(number)
        self.text_dump.lines += 1
        self.text_dump.evident = self.text_dump.evident or _headline(line)
        self.text.feed(number, line)

    def _end_text(self, at_end: bool = False, shown: bool = False) -> None:
        reader, dump = self.text, self.text_dump
        self.text = self.text_dump = None
        if reader is None or dump is None:
            return
        reader.history.close()
        dump.statistics = reader.windows
        dump.api = whole(self.properties.get("ro.build.version.sdk", "")) or None
        dump.lines_read = reader.done
        dump.evident = dump.evident or reader.history.lines > 0 or any(map(_says, reader.windows.values()))
        for stats in reader.windows.values():
            stats.totals |= {name.replace(" ", "_") + "_steps": rows for name, rows in reader.steps.items()}
        dump.verdict = _text_verdict(reader, shown, at_end and not self.lines.terminated)
        self.dumps.append(dump)


def _text_verdict(reader: TextReader, shown: bool, cut: bool) -> Verdict:
    """shown: a heading of the bugreport follows; cut: the last line has no end."""
    if not reader.windows:
        verdict = Verdict(("no statistics",))
    elif "computed_mah" not in reader.main.battery:
        verdict = Verdict(("no power table",))
    else:
        verdict = of_text(reader.main, reader.blocks, (shown or reader.tailed) and not cut)
    return Verdict((*verdict.missing, "the last line is cut")) if cut else verdict


def _version_lines(block: Bytes) -> Iterator[tuple[int, int]]:
    """Where the version lines of a block begin and end."""
    end = 0
    while (at := block.find(VERSION, end)) >= 0:
        start, end = block.rfind(b"\n", 0, at) + 1, block.index(b"\n", at) + 1
        if at - start <= HEAD:
            yield start, end


def _headline(line: str) -> bool:
    """Whether a line stands over a section exactly as the platform prints it."""
    return line.rstrip() in SECTIONS or HEADER.match(line) is not None or WINDOW.match(line) is not None


def _says(stats: Statistics) -> bool:
    """Whether sums say anything at all."""
    return bool(stats.battery or stats.durations_ms or stats.devices or stats.uids or stats.wakelocks or stats.totals)


def _cut(record: Record, api: int) -> bool:
    """Whether a last line without an end shows that columns are missing."""
    expected = [row for row in rows(record.code) if row.since <= (api or 99)]
    width = len(expected[-1].fields) if expected else 0
    return len(record.values) < width or any(isinstance(value, Malformed) for value in record.values)
