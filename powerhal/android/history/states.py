"""The battery history as one state machine, fed by check-in lines or by text lines.

Times are ms since the first item; epochs come from TIME commands. RESET and START clear every state.
After OVERFLOW only the battery's own values can be trusted, so states stop counting until the next START
or RESET.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol, cast

from powerhal.android.checkin.values import Value
from powerhal.android.history.lines import HistoryLine, PoolLine, Token, explained, known_command
from powerhal.android.history.store import Change, Item, Items, Pool, Series
from powerhal.android.history.tokens import BY_NAME, LONG, WORDS
from powerhal.android.issues import Issues
from powerhal.android.uids import parse_uid

TAGGED = re.compile(r'([^:"]*):"(.*)"', re.DOTALL)
__all__ = ["Change", "History", "Item", "Mark"]


class Mark(NamedTuple):
    """A command: RESET, START, SHUTDOWN, OVERFLOW or TIME; `epoch_ms` where the platform gave it."""

    line: int
    time_ms: int
    command: str
    epoch_ms: int | None = None


Sums = tuple[dict[str, tuple[Sequence[int], Sequence[int]]], dict[str, int], dict[str, int]]


class Moments(Protocol):
    """Plain check-in lines, kept as columns (see `blocks.Moments`)."""

    def passed_ms(self) -> int:
        """ms from the line before the first to the last."""
        ...

    @property
    def lines(self) -> Sequence[int]:
        """Line numbers."""
        ...

    def __len__(self) -> int: ...
    def said(self) -> int:
        """How many of the lines have tokens."""
        ...

    def items(self) -> Iterator[HistoryLine]:
        """The lines one by one."""
        ...

    def part(self, first: int, end: int) -> Moments:
        """Some of them."""
        ...

    def summed(self, now_ms: int, on: dict[str, int], trusted: bool) -> Sums | None:
        """Readings by name, states that are on since when, and ms added to states; None where nobody is quicker."""
        ...

    def unexplained(self) -> Iterable[tuple[str, int]]:
        """Keys that the tables do not have, and how often they come."""
        ...


@dataclass(slots=True)
class History:
    """What happened: `items` with their changes, `marks`, the string `pool`, and sums that need one pass."""

    issues: Issues
    items: Items = field(default_factory=Items)
    marks: list[Mark] = field(default_factory=list)
    pool: Pool = field(default_factory=Pool)
    now_ms: int = 0
    levels: Series = field(default_factory=Series)
    volts: Series = field(default_factory=Series)
    charges: Series = field(default_factory=Series)
    states_ms: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    lines: int = 0
    resets: int = 0
    overflows: int = 0
    next_start: int | None = None
    local_start: str = ""  # text form only: the device's own clock, of an unknown zone
    clock: datetime | None = None  # text form 2 only: the same at the last item
    _on: dict[str, int] = field(default_factory=dict)
    _trusted: bool = True

    def feed(self, line: HistoryLine | PoolLine) -> None:
        """One check-in line."""
        self.lines += 1
        if isinstance(line, PoolLine):
            if isinstance(line.number, int) and isinstance(line.uid, int):
                self.pool.put(line.line, line.number, (line.uid, line.text), bool(self.items))
            return
        if isinstance(line.delta, int) and line.delta >= 0:
            self.now_ms += line.delta
        elif isinstance(line.delta, int):
            self.issues.add(line.line, "h", "delta", "time runs backwards")
        if line.commands:
            self._command(line.line, line.commands)
        if line.tokens:
            self.change(line.line, [c for t in line.tokens if (c := self._noted(t))])

    def follow(self, moments: Moments) -> None:
        """Many plain check-in lines."""
        self.lines += len(moments)
        start = self.now_ms
        summed = moments.summed(start, self._on, self._trusted)
        if summed is None:
            for item in _Run(moments, start, self.pool):
                self.now_ms = item.time_ms
                self._turn(item.changes)
        else:
            readings, on, added = summed
            for name, (times, values) in readings.items():
                getattr(self, SERIES[name]).extend(times, values)
            self._on = on
            self.states_ms.update(added)
        for token, count in moments.unexplained():
            self.unknown[token] += count
        self.now_ms = start + moments.passed_ms()
        self.items.put(_Run(moments, start, self.pool))

    def _command(self, line: int, commands: tuple[Value, ...]) -> None:
        for word in commands:
            if not known_command(word):
                self.unknown[str(word)] += 1
        epoch = next((w for w in commands if isinstance(w, int)), None)
        for word in commands:
            if isinstance(word, str):
                self.mark(line, word.strip("*"), epoch)

    def mark(self, line: int, command: str, epoch_ms: int | None = None) -> None:
        """A command at the present time."""
        self.marks.append(Mark(line, self.now_ms, command, epoch_ms))
        if command in ("RESET", "START", "SHUTDOWN"):
            self.close()
            self._trusted = command != "SHUTDOWN"
            self.resets += command == "RESET"
        elif command == "OVERFLOW":
            self.overflows += 1
            self.close()
            self._trusted = False

    def _noted(self, token: Token) -> Change | None:
        if not explained(token):
            self.unknown[token.key] += 1
        return resolved(token, self.pool.get)

    def change(self, line: int, changes: Iterable[Change]) -> None:
        """Changes at the present time, under their long names."""
        kept = tuple(changes)
        self.items.append(Item(line, self.now_ms, kept))
        self._turn(kept)

    def _turn(self, changes: Iterable[Change]) -> None:
        for change in changes:
            series = SERIES.get(change.name)
            if series is not None and isinstance(change.value, int):
                getattr(self, series).add(self.now_ms, change.value)
            elif change.sign and (word := BY_NAME.get(change.name)) and word.kind in STATES and self._trusted:
                if change.sign == "+":
                    self._on.setdefault(change.name, self.now_ms)
                else:
                    self._off(change.name)

    def _off(self, name: str) -> None:
        since = self._on.pop(name, None)
        if since is not None:
            self.states_ms[name] += self.now_ms - since

    def close(self) -> None:
        """End every state that is on, at the present time."""
        for name in list(self._on):
            self._off(name)

    @property
    def start_ms(self) -> int | None:
        """Epoch ms of time 0, by the first TIME command; None when there is none."""
        return next((m.epoch_ms - m.time_ms for m in self.marks if m.epoch_ms is not None), None)


def resolved(token: Token, pool: Callable[[int, int], object]) -> Change | None:
    """A token under its long name, with the string that it points to; None for an empty one."""
    word = WORDS.get(token.key)
    if word is None:
        return Change(token.sign, token.key, token.value) if token.key else None
    value: object = token.value
    if word.kind == "event" or (word.kind == "bit" and value is not None):
        value = pool(value, value) if isinstance(value, int) else in_line(value)
    elif word.kind == "enum":
        value = LONG[token.key].get(str(value), value)
    return Change(token.sign, word.name, value)


def in_line(value: object) -> object | tuple[int | None, str]:
    """A tag that stands in the line (`u0a12:"text"`, quotes doubled) as (uid, text); anything else as it is."""
    match = TAGGED.fullmatch(value) if isinstance(value, str) else None
    return (parse_uid(match[1]), match[2].replace('""', '"')) if match else value


class _Run:
    """Moments as items."""

    __slots__ = ("moments", "pool", "start_ms")

    def __init__(self, moments: Moments, start_ms: int, pool: Pool) -> None:
        self.moments, self.start_ms, self.pool = moments, start_ms, pool

    def __len__(self) -> int:
        return self.moments.said()

    def __iter__(self) -> Iterator[Item]:
        now = self.start_ms
        for line, _, delta, _, tokens in self.moments.items():
            now += cast(int, delta)
            if not tokens:  # time passed, nothing changed
                continue
            pool = self.pool.at(line)
            yield Item(line, now, tuple([c for t in tokens if (c := resolved(t, pool))]))


# `device_idle` was a bit in Android 5.1 and 6 (`+di`), an enum later
STATES = ("bit", "enum")
SERIES = {"battery_level": "levels", "volt": "volts", "charge": "charges"}
