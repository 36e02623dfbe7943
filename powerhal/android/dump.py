"""One dump: what was read of it, kept as columns, and what follows from that, worked out when it is asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, overload

from powerhal.android.checkin.blocks import Block
from powerhal.android.checkin.lines import Record
from powerhal.android.checkin.statistics import gather
from powerhal.android.completeness import OF_UIDS, Verdict, of_checkin
from powerhal.android.history.lines import HistoryLine, PoolLine, explained, known_command
from powerhal.android.history.states import History
from powerhal.android.statistics import Statistics, name_unlabelled

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
        self._verdict: Verdict | None = None if form == "checkin" else Verdict()

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
        self.verdict  # noqa: B018 - worked out before its basis goes
        self._blocks.clear()

    def recast(self, form: str, verdict: Verdict) -> None:
        """The same, said to be of another form, which tells by itself what is missing."""
        self._settle()
        self.form, self._verdict = form, verdict

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
            for stats in self._statistics.values():
                name_unlabelled(stats, self.api)
        return self._statistics

    @statistics.setter
    def statistics(self, windows: dict[str, Statistics]) -> None:
        self._statistics = windows

    @property
    def verdict(self) -> Verdict:
        """What is missing and what may be; of a check-in dump it is worked out on the first look."""
        if self._verdict is None:
            cut = "cut" if self.cut else "open" if self.unended else ""
            end = "shown" if self.section_ended else cut
            self._verdict = of_checkin(self.statistics, bool(self.versions), end, self._last_uid())
        return self._verdict

    @verdict.setter
    def verdict(self, verdict: Verdict) -> None:
        self._verdict = verdict

    def _last_uid(self) -> int | None:
        """The uid of the last record of a uid in the last window; None when there is none."""
        last = next(reversed(self.statistics), "")
        for block in reversed(self._blocks):
            for record in reversed(block.records()):
                if record.code in OF_UIDS and record.window == last:
                    return record.uid
        return None

    @property
    def incomplete(self) -> tuple[str, ...]:
        """Why the dump is not complete; empty when nothing is known to be missing."""
        return self.verdict.missing

    @property
    def complete(self) -> bool:
        """Whether nothing is known to be missing."""
        return not self.verdict.missing

    @property
    def may_miss(self) -> tuple[str, ...]:
        """What may be missing without a trace, because the form has no end mark; empty when its end is shown."""
        return self.verdict.may_miss

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
