"""Many check-in lines at once: the same typed columns as `checkin.Reader`, made column by column.

Lines of one code and width are split and converted together, so that the interpreter's own loops do the
work, and are kept as columns (arrays of machine integers where the numbers fit). A group whose text is not
plainly what its layout says goes line by line through the reader, which knows names with commas, decimals of
odd form and malformed columns, and notes the issues.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, compress, groupby, pairwise, repeat
from operator import itemgetter, lt, not_
from typing import Protocol, cast

from powerhal.android.checkin.lines import MAX_COLUMNS, PLAIN, Layout, Reader, Record
from powerhal.android.checkin.records import SPECS, UNQUOTED, row_for
from powerhal.android.checkin.texts import CONVERT, Column, packed, strided, whole_numbers
from powerhal.android.history.lines import HistoryLine, PoolLine, Token, explained, is_history, read_history, read_token
from powerhal.android.history.states import Moments as AnyMoments
from powerhal.android.history.states import Sums

WINDOWS = frozenset("ilcut")
LARGEST_DELTA = 10**18
# a plain line: the delta as Java prints it, and tokens none of which is a detail or quoted (texts that may have commas)
MOMENT = re.compile(r'9,h,(?:0|[1-9][0-9]{0,17})(?:,(?:[^DX,"][^,"]*|))*', re.ASCII | re.DOTALL)
UNLIKELY = (":", '"', ",D", ",X")  # in most lines that are not plain
HISTORY = ("9,h,", "9,hsp,")
LONG = 64
REMEMBERED = 1 << 16  # tokens whose objects are shared


class Rows(Protocol):
    """Lines of one code, window and layout, kept as columns."""

    @property
    def layout(self) -> Layout:
        """The columns of all these lines."""
        ...

    @property
    def head(self) -> tuple[str, str]:
        """Window and code."""
        ...

    def __len__(self) -> int: ...
    def records(self) -> Iterator[Record]:
        """The lines one by one."""
        ...


@dataclass(frozen=True, slots=True)
class Table:
    """Lines of one code, window and layout: numbers and uids of the lines, and a sequence for each column."""

    window: str
    code: str
    layout: Layout
    lines: Sequence[int]
    uids: Sequence[int]
    columns: Sequence[Column]

    @property
    def head(self) -> tuple[str, str]:
        """Window and code."""
        return self.window, self.code

    def __len__(self) -> int:
        return len(self.lines)

    def records(self) -> Iterator[Record]:
        """The same lines one by one."""
        rows = zip(*self.columns, strict=True) if self.columns else repeat(())
        window, code, layout = self.window, self.code, self.layout
        return (Record(n, 9, uid, window, code, layout, row) for n, uid, row in zip(self.lines, self.uids, rows))  # noqa: B905


@dataclass(frozen=True, slots=True)
class Moments:
    """Plain history lines: their numbers, deltas in ms, and tokens.

    Line k has `tokens[firsts[k] : firsts[k + 1]]`.
    """

    lines: Sequence[int] = ()
    deltas: Sequence[int] = ()
    firsts: Sequence[int] = (0,)
    tokens: Sequence[Token] = ()

    def __len__(self) -> int:
        return len(self.lines)

    def items(self) -> Iterator[HistoryLine]:
        """The same lines one by one."""
        tokens = self.tokens
        for number, delta, (first, end) in zip(self.lines, self.deltas, pairwise(self.firsts), strict=True):
            yield HistoryLine(number, 9, delta, (), tuple(tokens[first:end]))

    def part(self, first: int, end: int) -> Moments:
        """Some of them."""
        at = self.firsts[first]
        firsts = array("q", [k - at for k in self.firsts[first : end + 1]])
        return Moments(self.lines[first:end], self.deltas[first:end], firsts, self.tokens[at : self.firsts[end]])

    def said(self) -> int:
        """How many of the lines have tokens."""
        return sum(map(lt, self.firsts, self.firsts[1:]))

    def passed_ms(self) -> int:
        """ms from the line before the first to the last."""
        return sum(self.deltas)

    def summed(self, now_ms: int, on: dict[str, int], trusted: bool) -> Sums | None:
        """None: nobody is quicker than going through the items."""
        return None

    def unexplained(self) -> Iterable[tuple[str, int]]:
        """Keys that the tables do not have, and how often they come."""
        return [(token.key, 1) for token in self.tokens if not explained(token)]


@dataclass(slots=True)
class Block:
    """What a run of lines held: tables and moments, and what was read singly."""

    count: int = 0  # lines
    tables: list[Rows] = field(default_factory=list)
    moments: AnyMoments = field(default_factory=Moments)
    singles: list[Record] = field(default_factory=list)
    history_singles: list[HistoryLine | PoolLine] = field(default_factory=list)
    unread: list[int] = field(default_factory=list)

    def records(self) -> list[Record]:
        """All records in the order of the lines."""
        out = list(self.singles)
        for table in self.tables:
            out.extend(table.records())
        out.sort(key=itemgetter(0))
        return out

    def heads(self) -> Iterator[tuple[str, str]]:
        """Window and code of everything in it."""
        yield from (table.head for table in self.tables)
        yield from ((record.window, record.code) for record in self.singles)

    def history(self) -> list[HistoryLine | PoolLine]:
        """All history lines in their order."""
        return sorted([*self.history_singles, *self.moments.items()], key=itemgetter(0))

    def runs(self) -> Iterator[AnyMoments | list[HistoryLine | PoolLine]]:
        """The history in its order: moments that follow each other, and lines that were read singly."""
        at = 0
        lines = self.moments.lines
        for number, group in groupby(sorted(self.history_singles, key=itemgetter(0)), lambda s: bisect(lines, s[0])):
            if number > at:
                yield self.moments.part(at, number)
            yield list(group)
            at = number
        if at < len(lines):
            yield self.moments.part(at, len(lines))


class _Tokens(dict[str, Token]):
    """Tokens by their text; short ones are remembered, since the same ones come again and again."""

    def __missing__(self, text: str) -> Token:
        token = read_token(text)
        if len(self) < REMEMBERED and len(text) < LONG:
            self[text] = token
        return token


class BlockReader:
    """Reads blocks of check-in lines through one `Reader` (its API level and its issues)."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.layouts: dict[tuple[str, int, int, bool], Layout | None] = {}
        self._texts: dict[str, str] = {}
        self._tokens = _Tokens()

    def read(self, first: int, lines: Sequence[str]) -> Block:
        """Lines numbered from `first`; they belong to one version (a `vers` line comes before the block)."""
        block = Block(len(lines))
        if not lines:
            return block
        joined = "\n" + "\n".join(lines)
        history = joined.count("\n9,h,") + joined.count("\n9,hsp,")
        if history == len(lines):
            self._history(block, range(first, first + len(lines)), lines, joined)
        elif history:
            isof = [line.startswith(HISTORY) for line in lines]
            numbers, chosen = _chosen(range(first, first + len(lines)), lines, isof)
            self._history(block, numbers, chosen, "\n" + "\n".join(chosen))
            self._records(block, *_chosen(range(first, first + len(lines)), lines, map(not_, isof)))
        else:
            self._records(block, range(first, first + len(lines)), lines)
        return block

    def rest(self, block: Block, numbers: Sequence[int], lines: Sequence[str]) -> None:
        """Lines that are plain to nobody else; those of the history are read singly."""
        isof = list(map(is_history, lines))
        self._moments(block, *_chosen(numbers, lines, isof))
        others = _chosen(numbers, lines, map(not_, isof))
        if others[0]:
            self._records(block, *others)

    def _moments(self, block: Block, numbers: Sequence[int], lines: Sequence[str]) -> None:
        """Lines of the history one by one."""
        issues = self.reader.issues
        block.history_singles += [read_history(n, line, issues) for n, line in zip(numbers, lines, strict=True)]

    def single(self, block: Block, number: int, line: str) -> None:
        """One line through the reader."""
        if is_history(line):
            self._moments(block, [number], [line])
            return
        record = self.reader.read(number, line)
        if record is None:
            block.unread.append(number)
        else:
            block.singles.append(record)

    def _history(self, block: Block, numbers: Sequence[int], lines: Sequence[str], joined: str) -> None:
        """Lines with a plain delta and tokens in one go; commands, details and anything odd singly."""
        found = [mark for mark in UNLIKELY if mark in joined]
        if found:
            doubtful = [any(map(line.__contains__, found)) for line in lines]
            numbers, lines = self._plain(block, numbers, lines, doubtful)
            if not lines:
                return
        widths = [line.count(",") - 2 for line in lines]
        cut = [line[4:].partition(",") for line in lines]
        deltas = whole_numbers(",".join([delta for delta, _, _ in cut]))
        if deltas is None or len(deltas) < len(lines) or not 0 <= min(deltas) <= max(deltas) < LARGEST_DELTA:
            numbers, lines = self._plain(block, numbers, lines, [True] * len(lines))
            if lines:
                self._history(block, numbers, lines, "\n".join(lines))
            return
        said = [rest for _, comma, rest in cut if comma]
        tokens = list(map(self._tokens.__getitem__, ",".join(said).split(","))) if said else []
        block.moments = Moments(packed(numbers), packed(deltas), array("q", accumulate(widths, initial=0)), tokens)

    def _plain(
        self, block: Block, numbers: Sequence[int], lines: Sequence[str], doubtful: Sequence[bool]
    ) -> tuple[Sequence[int], Sequence[str]]:
        """The plain lines of a history; of the doubtful ones those that are none are read singly."""
        pairs = zip(lines, doubtful, strict=True)
        plain = [not doubt or MOMENT.fullmatch(line) is not None for line, doubt in pairs]
        self.rest(block, *_chosen(numbers, lines, map(not_, plain)))
        return _chosen(numbers, lines, plain)

    def _records(self, block: Block, numbers: Sequence[int], lines: Sequence[str]) -> None:
        """Lines by code and number of columns."""
        groups: dict[str, list[int]] = {}
        try:
            codes = [line.split(",", 4)[3] for line in lines]
        except IndexError:
            long = [line.count(",") > 2 for line in lines]
            for number, line, good in zip(numbers, lines, long, strict=True):
                if not good:
                    self.single(block, number, line)
            self._records(block, *_chosen(numbers, lines, long))
            return
        for k, code in enumerate(codes):
            try:
                groups[code].append(k)
            except KeyError:
                groups[code] = [k]
        for code, members in groups.items():
            self._code(block, code, [numbers[k] for k in members], [lines[k] for k in members])

    def _code(self, block: Block, code: str, numbers: Sequence[int], lines: Sequence[str]) -> None:
        """The lines of one code: taken apart further where widths, prefixes or windows differ."""
        widths = [line.count(",") for line in lines]
        width, window = widths[0] - 3, lines[0].split(",", 3)[2]
        if widths.count(widths[0]) == len(lines) and width and window in WINDOWS:
            table = self._table((window, code, width), numbers, "\n".join(lines))
            if table is not None:
                block.tables.append(table)
                return
        heads = [(line[0], line.split(",", 3)[2], commas) for line, commas in zip(lines, widths, strict=True)]
        if heads.count(heads[0]) == len(heads):
            for number, line in zip(numbers, lines, strict=True):
                self.single(block, number, line)
            return
        for head in dict.fromkeys(heads):
            self._code(block, code, *_chosen(numbers, lines, [other == head for other in heads]))

    def _table(self, key: tuple[str, str, int], numbers: Sequence[int], joined: str) -> Table | None:
        """Lines of one window, code and width as columns; None when one of them is not plainly of the layout."""
        window, code, width = key
        middle = f",{window},{code},"
        quoted = joined.startswith('"', joined.find(middle) + len(middle))
        layout = self.layout(code, width, quoted)
        if layout is None or joined.count(middle) != len(numbers):
            return None
        other = [k for k, f in enumerate(layout.fields) if f.kind != "int"]
        if other:
            found = self._mixed(layout, other, window, joined.replace("\n", ",").split(","))
        else:
            found = strided(joined.replace(middle, ",").replace("\n", ","), width + 2)
        if found is None or len(found[0]) != len(numbers) or found[0].count(9) != len(numbers):
            return None
        uids = cast(Sequence[int], found[1])
        return Table(window, code, layout, packed(numbers), uids, found[2:])

    def _mixed(self, layout: Layout, other: list[int], window: str, flat: list[str]) -> list[Column] | None:
        """Prefix, uid and columns of lines that are not all whole numbers; `other` are the columns that are none."""
        width = len(layout.fields) + 4
        columns: dict[int, Column] = {}
        if flat[2::width].count(window) * width != len(flat):
            return None
        for k in other:
            column = layout.fields[k]
            values = CONVERT[column.kind](self._texts, flat[4 + k :: width], column.unit, layout.quoted)
            if values is None:
                return None
            columns[k + 2] = values
        for before, k in enumerate([2, 3, *[4 + k for k in other]]):
            del flat[k - before :: width - before]
        numbers = strided(",".join(flat), width - 2 - len(other))
        if numbers is None:
            return None
        rest = iter(numbers)
        return [columns[k] if k in columns else next(rest) for k in range(width - 2)]

    def layout(self, code: str, width: int, quoted: bool) -> Layout | None:
        """The layout of whole groups of lines with this many columns; None where only the reader can tell."""
        key = (code, width, self.reader.api, quoted)
        if key in self.layouts:
            return self.layouts[key]
        row = row_for(code, width, self.reader.api) if width <= MAX_COLUMNS - 4 else None
        layout = None
        if row is not None and row.fits(width):
            fields = row.expand(width)
            quoted = quoted and row.named and code not in UNQUOTED
            layout = Layout(fields, quoted, True, all(f.kind in PLAIN for f in fields))
        if code in SPECS:
            self.layouts[key] = layout
        return layout


def _chosen(numbers: Sequence[int], lines: Sequence[str], flags: Iterable[bool]) -> tuple[Sequence[int], Sequence[str]]:
    flags = list(flags)
    return list(compress(numbers, flags)), list(compress(lines, flags))
