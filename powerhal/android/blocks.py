"""Many check-in lines at once: the same typed columns as `checkin.Reader`, made column by column.

Lines of one code and width are split and converted together, so that the interpreter's own loops do the
work. A group whose text is not plainly what its layout says goes line by line through the reader, which
knows names with commas, decimals of odd form and malformed columns, and notes the issues.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from operator import itemgetter

from powerhal.android.checkin import MAX_COLUMNS, PLAIN, Layout, Reader, Record
from powerhal.android.history_lines import HistoryLine, PoolLine, Token, is_history, read_history, remembered_tokens
from powerhal.android.records import SPECS, UNQUOTED, row_for
from powerhal.android.values import READ, Malformed, Value

LEADING_ZERO = re.compile(r",0[0-9]")
MOMENT = re.compile(r"^9,h,(0|[1-9][0-9]{0,17})(?:,(.{1,256}))?$", re.ASCII | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Table:
    """Lines of one code, window and layout: numbers and uids of the lines, and a list for each column."""

    window: str
    code: str
    layout: Layout
    lines: Sequence[int]
    uids: Sequence[int]
    columns: Sequence[Sequence[Value]]

    def records(self) -> Iterator[Record]:
        """The same lines one by one."""
        rows = zip(*self.columns, strict=True) if self.columns else repeat(())
        window, code, layout = self.window, self.code, self.layout
        return (Record(n, 9, uid, window, code, layout, row) for n, uid, row in zip(self.lines, self.uids, rows))  # noqa: B905


@dataclass(slots=True)
class Moments:
    """Plain history lines: their numbers, deltas in ms, and tokens."""

    lines: Sequence[int] = ()
    deltas: Sequence[int] = ()
    tokens: Sequence[tuple[Token, ...]] = ()

    def items(self) -> Iterator[HistoryLine]:
        """The same lines one by one."""
        return map(HistoryLine, self.lines, repeat(9), self.deltas, repeat(()), self.tokens)


@dataclass(slots=True)
class Block:
    """What a run of lines held: tables and moments, and what was read singly."""

    tables: list[Table] = field(default_factory=list)
    moments: Moments = field(default_factory=Moments)
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

    def history(self) -> list[HistoryLine | PoolLine]:
        """All history lines in their order."""
        return sorted([*self.history_singles, *self.moments.items()], key=itemgetter(0))


class BlockReader:
    """Reads blocks of check-in lines through one `Reader` (its API level and its issues)."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._layouts: dict[tuple[str, int, int, bool], Layout | None] = {}

    def read(self, first: int, lines: Sequence[str]) -> Block:
        """Lines numbered from `first`; they belong to one version (a `vers` line comes before the block)."""
        block = Block()
        groups: dict[str, list[tuple[int, list[str]]]] = {}
        history: tuple[list[int], list[str]] = ([], [])
        for number, line in enumerate(lines, first):
            if line[1:3] == ",h":
                history[0].append(number)
                history[1].append(line)
                continue
            parts = line.split(",", 4)
            try:
                groups[parts[3]].append((number, parts))
            except KeyError:
                groups[parts[3]] = [(number, parts)]
            except IndexError:
                self._single(block, number, line)
        if history[0]:
            self._history(block, *history)
        for code, group in groups.items():
            numbers, split = zip(*group, strict=True)
            self._code(block, code, numbers, split)
        return block

    def _history(self, block: Block, numbers: list[int], lines: list[str]) -> None:
        """Lines with a plain delta and tokens in one go; pool lines, commands and anything odd singly."""
        found = MOMENT.findall("\n".join(lines))
        if len(found) != len(lines):
            plain = [MOMENT.fullmatch(line) is not None for line in lines]
            for number, line, good in zip(numbers, lines, plain, strict=True):
                if not good:
                    self._history_single(block, number, line)
            numbers = [n for n, good in zip(numbers, plain, strict=True) if good]
            found = MOMENT.findall("\n".join([line for line, good in zip(lines, plain, strict=True) if good]))
        if not found:
            return
        deltas, rests = zip(*found, strict=True)
        block.moments = Moments(numbers, list(map(int, deltas)), list(map(remembered_tokens, rests)))

    def _history_single(self, block: Block, number: int, line: str) -> None:
        if is_history(line):
            block.history_singles.append(read_history(number, line, self.reader.issues))
        else:
            self._single(block, number, line)

    def _single(self, block: Block, number: int, line: str) -> None:
        record = self.reader.read(number, line)
        if record is None:
            block.unread.append(number)
        else:
            block.singles.append(record)

    def _code(self, block: Block, code: str, numbers: Sequence[int], group: Sequence[list[str]]) -> None:
        """The lines of one code: split further where windows or widths differ."""
        if min(map(len, group)) < 5:
            for number, parts in zip(numbers, group, strict=True):
                self._single(block, number, ",".join(parts))
            return
        prefixes, uids, windows, _, tails = zip(*group, strict=True)
        commas = list(map(str.count, tails, repeat(",")))
        head = (prefixes[0], windows[0], commas[0])
        alike = (prefixes.count(head[0]), windows.count(head[1]), commas.count(head[2]))
        if alike != (len(group),) * 3:
            apart: dict[tuple[str, str, int], list[int]] = {}
            for k, key in enumerate(zip(prefixes, windows, commas, strict=True)):
                apart.setdefault(key, []).append(k)
            for chosen in apart.values():
                self._code(block, code, [numbers[k] for k in chosen], [group[k] for k in chosen])
            return
        table = self._table(code, head, numbers, uids, tails) if head[0] == "9" and head[1] in WINDOWS else None
        if table is not None:
            block.tables.append(table)
            return
        for number, parts in zip(numbers, group, strict=True):
            self._single(block, number, ",".join(parts))

    def _table(
        self, code: str, head: tuple[str, str, int], numbers: Sequence[int], uids: Sequence[str], tails: Sequence[str]
    ) -> Table | None:
        """Lines of one window and width as columns; None when one of them is not plainly of the layout."""
        joined = ",".join(tails)
        width = head[2] + 1
        layout = self._layout(code, width, quoted=joined[:1] == '"')
        columns = None if layout is None else _columns(layout, joined, width)
        found = None if columns is None else _whole(",".join(uids), uids)
        if layout is None or columns is None or found is None:
            return None
        return Table(head[1], code, layout, numbers, found, columns)

    def _layout(self, code: str, width: int, quoted: bool) -> Layout | None:
        """The layout of whole groups; None where only the reader can tell."""
        key = (code, width, self.reader.api, quoted)
        if key in self._layouts:
            return self._layouts[key]
        row = row_for(code, width, self.reader.api) if width <= MAX_COLUMNS else None
        layout = None
        if row is not None and row.fits(width):
            fields = row.expand(width)
            quoted = quoted and row.named and code not in UNQUOTED
            layout = Layout(fields, quoted, True, all(f.kind in PLAIN for f in fields))
        if code in SPECS:
            self._layouts[key] = layout
        return layout


WINDOWS = frozenset("ilcut")


def _whole(joined: str, texts: Sequence[str]) -> list[int] | None:
    """Texts as whole numbers; None when one is not printed as Java prints it."""
    odd = "+" in joined or "_" in joined or "-0" in joined or not joined.isascii()
    if odd or LEADING_ZERO.search("," + joined) or joined.split(None, 1) != [joined]:
        return None
    try:
        return list(map(int, texts))
    except ValueError:
        return None


def _columns(layout: Layout, joined: str, width: int) -> list[Sequence[Value]] | None:
    """The columns of a group; None when any line of it is not plainly of this layout."""
    texts = joined.split(",")
    if layout.plain and all(f.kind == "int" for f in layout.fields):
        numbers = _whole(joined, texts)
        return None if numbers is None else [numbers[k::width] for k in range(width)]
    out: list[Sequence[Value]] = []
    for k, column in enumerate(layout.fields):
        values = _CONVERT[column.kind](texts[k::width], column.unit, layout.quoted)
        if values is None:
            return None
        out.append(values)
    return out


def _ints(texts: list[str], unit: str, quoted: bool) -> Sequence[Value] | None:
    return _whole(",".join(texts), texts)


def _letters(texts: list[str], unit: str, quoted: bool) -> Sequence[Value] | None:
    return texts if texts.count(unit) == len(texts) else None


def _names(texts: list[str], unit: str, quoted: bool) -> Sequence[Value] | None:
    """Quotes must stand around all names or none of them."""
    if quoted:
        bare = [t[1:-1] for t in texts if len(t) > 1 and t[0] == t[-1] == '"']
        return bare if len(bare) == len(texts) else None
    return texts


def _texts(texts: list[str], unit: str, quoted: bool) -> Sequence[Value] | None:
    return texts


def _singly(kind: str) -> Callable[[list[str], str, bool], Sequence[Value] | None]:
    read = READ[kind]

    def convert(texts: list[str], unit: str, quoted: bool) -> Sequence[Value] | None:
        values = list(map(read, texts))
        return None if any(type(v) is Malformed for v in values) else values

    return convert


_CONVERT: dict[str, Callable[[list[str], str, bool], Sequence[Value] | None]] = {
    "int": _ints,
    "letter": _letters,
    "name": _names,
    "str": _texts,
    **{kind: _singly(kind) for kind in ("count", "mah", "double", "any")},
}
