"""One dump: what was read of it, kept as columns, and what follows from that, worked out when it is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, overload

from powerhal.android.checkin.blocks import Block
from powerhal.android.checkin.lines import Record
from powerhal.android.checkin.statistics import gather
from powerhal.android.history.lines import HistoryLine, PoolLine, explained, known_command
from powerhal.android.history.states import History
from powerhal.android.statistics import Statistics

VENDOR_CODES = 1000  # unknown codes that are counted by name


class Records(Sequence[Record]):
    """The records of a dump in the order of its lines, made from their columns whenever they are walked through."""

    def __init__(self, blocks: Sequence[Block]) -> None:
        self._blocks = blocks

    def __len__(self) -> int:
        return sum(len(block.singles) + sum(map(len, block.tables)) for block in self._blocks)

    def __iter__(self) -> Iterator[Record]:
        for block in self._blocks:
            yield from block.records()

    @overload
    def __getitem__(self, at: int) -> Record: ...
    @overload
    def __getitem__(self, at: slice) -> list[Record]: ...
    def __getitem__(self, at: int | slice) -> Record | list[Record]:
        if isinstance(at, slice):
            return list(self)[at]
        count = len(self)
        if not -count <= at < count:
            raise IndexError(at)
        return next(islice(self, at % count, None))


class Dump:
    """One dump: `form` is checkin, text or proto; `statistics` by window; `complete` with the reasons why not."""

    def __init__(
        self, form: str, first_line: int, history: History, statistics: dict[str, Statistics] | None = None
    ) -> None:
        self.form, self.first_line = form, first_line
        self.api: int | None = None
        self.apis: tuple[int, ...] = ()
        self.versions: dict[str, Any] = {}
        self.lines = self.lines_read = self.junk = 0
        self.vendor_codes: Counter[str] = Counter()
        self.section_ended = self.cut = self.unended = False
        self.begun = False  # something stood in it that comes after the version line
        self.evident = False  # a line of it is the platform's beyond doubt: a version, a known record, history
        self._blocks: list[Block] = []
        self._waiting: list[Block] = []
        self._history, self._closed = history, False
        self._statistics = statistics
        self._incomplete: list[str] | None = None if form == "checkin" else []

    def add(self, block: Block) -> None:
        """Check-in lines."""
        self._blocks.append(block)
        moments, singles = block.moments, block.history_singles
        if len(moments) or singles:
            self._waiting.append(block)
        known = sum(map(len, block.tables)) + sum(record.layout.known for record in block.singles)
        self.lines += block.count
        self.lines_read += len(moments) + len(singles) + known
        self.begun = self.begun or bool(len(moments) or singles) or any(map(_counts, block.heads()))
        self.evident = self.evident or bool(known or len(moments)) or any(map(sound, singles))
        for record in block.singles:
            if not record.layout.known:
                code = record.code[:40]
                full = len(self.vendor_codes) >= VENDOR_CODES and code not in self.vendor_codes
                self.vendor_codes["(others)" if full else code] += 1

    def close(self) -> None:
        """Nothing more comes."""
        self._closed = True

    def forget(self) -> None:
        """Keep the sums only."""
        self._settle()
        self.incomplete  # noqa: B018 - worked out before its basis goes
        self._blocks.clear()

    @property
    def history(self) -> History:
        """The history; its sums are worked out on the first look."""
        self._settle()
        return self._history

    def _settle(self) -> None:
        waiting, self._waiting = self._waiting, []
        for block in waiting:
            if block.history_singles:
                for run in block.runs():
                    self._history.follow(run) if not isinstance(run, list) else [*map(self._history.feed, run)]
            else:
                self._history.follow(block.moments)
        if self._closed and self.form == "checkin":
            self._closed = False
            self._history.close()

    @property
    def records(self) -> Sequence[Record]:
        """Check-in records in the order of the lines."""
        return Records(self._blocks)

    @property
    def statistics(self) -> dict[str, Statistics]:
        """The sums of each window by its letter; worked out on the first look."""
        if self._statistics is None:
            self._statistics = gather(self.records)
        return self._statistics

    @statistics.setter
    def statistics(self, windows: dict[str, Statistics]) -> None:
        self._statistics = windows

    @property
    def incomplete(self) -> list[str]:
        """Why the dump is not complete; empty when nothing is known to be missing."""
        if self._incomplete is None:
            self._incomplete = missing(self)
        return self._incomplete

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


def _counts(head: tuple[str, str]) -> bool:
    """Whether a record of this window and code shows that a dump is under way."""
    return head[0] != "i" or head[1] == "uid"


def sound(line: HistoryLine | PoolLine) -> bool:
    """Whether a line is one of the platform's history and no accident."""
    if isinstance(line, PoolLine):
        return isinstance(line.number, int) and isinstance(line.uid, int)
    said = [*map(known_command, line.commands), *map(explained, line.tokens)]
    return isinstance(line.delta, int) and (not said or any(said))


def missing(dump: Dump) -> list[str]:
    """Why a check-in dump is not complete; it prints uids in ascending order after everything else."""
    out = []
    if not dump.versions:
        out.append("no version line")
    stats: Statistics | None = _main(dump.statistics)
    if stats is None:
        return [*out, "no statistics"]
    if "battery_time" not in stats.totals:
        out.append("no bt record")
    if "capacity_mah" not in stats.battery or "computed_mah" not in stats.battery:
        out.append("no power summary")
    if dump.section_ended:
        return out
    if dump.cut:
        out.append("the last line is cut")
    if dump.unended:
        out.append("the section of the bugreport has no end")
    spenders = [u.uid for u in stats.uids.values() if u.mah]
    reached = {u.uid for u in stats.uids.values() if u.parts.keys() - {"power"} or u.process_states}
    if not spenders or max(spenders) not in reached:
        out.append("records of the last uids are missing")
    return out


def _main(windows: Mapping[str, Statistics]) -> Statistics | None:
    return windows.get("l") or next(iter(windows.values()), None)
