"""Where a history keeps what happened: columns that read like lists, so that a long history stays small."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple, Protocol, overload


class Change(NamedTuple):
    """One change under its long name; `value` is a number, a word, or (uid, text) of the pool for an event."""

    sign: str
    name: str
    value: object = None


class Item(NamedTuple):
    """Everything that changed at one time; `time_ms` since the first item, `line` in the file."""

    line: int
    time_ms: int
    changes: tuple[Change, ...]


class Run(Protocol):
    """Items that are made when they are asked for."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Item]: ...


class Series(Sequence[tuple[int, int]]):
    """(time in ms, value) pairs in 16 bytes each; equal to a list of the same pairs."""

    __slots__ = ("times", "values")

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        self.times, self.values = array("q"), array("q")
        for time_ms, value in pairs:
            self.add(time_ms, value)

    def add(self, time_ms: int, value: int) -> None:
        """One more; a value beyond 64 bits is no reading of a battery and stays out."""
        if -(1 << 63) <= value < 1 << 63 and time_ms < 1 << 63:
            self.times.append(time_ms)
            self.values.append(value)

    def extend(self, times: Iterable[int], values: Iterable[int]) -> None:
        """Many more."""
        self.times.extend(times)
        self.values.extend(values)

    def __len__(self) -> int:
        return len(self.times)

    @overload
    def __getitem__(self, at: int) -> tuple[int, int]: ...
    @overload
    def __getitem__(self, at: slice) -> list[tuple[int, int]]: ...
    def __getitem__(self, at: int | slice) -> tuple[int, int] | list[tuple[int, int]]:
        if isinstance(at, slice):
            return list(zip(self.times[at], self.values[at], strict=True))
        return self.times[at], self.values[at]

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self.times, self.values, strict=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Series | list) and list(self) == list(other)

    def __repr__(self) -> str:
        return repr(list(self))

    __hash__ = None  # type: ignore[assignment]


class Items(Sequence[Item]):
    """Items in their order: single ones, and runs of them that are made anew whenever they are walked through."""

    __slots__ = ("_count", "_parts")

    def __init__(self) -> None:
        self._parts: list[list[Item] | Run] = []
        self._count = 0

    def append(self, item: Item) -> None:
        """One more."""
        if not self._parts or not isinstance(self._parts[-1], list):
            self._parts.append([])
        self._parts[-1].append(item)  # type: ignore[union-attr]
        self._count += 1

    def put(self, run: Run) -> None:
        """A run of more."""
        self._parts.append(run)
        self._count += len(run)

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Item]:
        return chain.from_iterable(self._parts)

    @overload
    def __getitem__(self, at: int) -> Item: ...
    @overload
    def __getitem__(self, at: slice) -> list[Item]: ...
    def __getitem__(self, at: int | slice) -> Item | list[Item]:
        if isinstance(at, slice):
            return list(self)[at]
        if not -self._count <= at < self._count:
            raise IndexError(at)
        return next(islice(self, at % self._count, None))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Items | list) and list(self) == list(other)

    def __repr__(self) -> str:
        return repr(list(self))

    __hash__ = None  # type: ignore[assignment]


class Pool(dict[int, tuple[int, str]]):
    """The strings that events point to; one that comes late holds only for the lines behind it."""

    def __init__(self) -> None:
        super().__init__()
        self._late: dict[int, tuple[list[int], list[Any]]] = {}

    def put(self, line: int, number: int, value: tuple[int, str], late: bool) -> None:
        """A string of a line; `late`: something may have pointed to that number before."""
        if late:
            lines, values = self._late.setdefault(number, ([-1], [self.get(number, number)]))
            lines.append(line)
            values.append(value)
        self[number] = value

    def at(self, line: int) -> Callable[[int, int], object]:
        """What a number means on that line, as a function (number, number) like `get`."""
        if not self._late:
            return self.get

        def found(number: int, otherwise: int) -> object:
            late = self._late.get(number)
            return self.get(number, otherwise) if late is None else late[1][bisect_left(late[0], line) - 1]

        return found
