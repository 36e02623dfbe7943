"""Check-in lines through the compiled kernels: the same blocks as `blocks.BlockReader`, straight from bytes.

Only what is plainly of a known layout goes this way; every other line goes through the reader, so that both ways give
the same records and the same issues.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import Any

from powerhal.android.checkin.blocks import WINDOWS, Block, BlockReader
from powerhal.android.checkin.lines import Layout, Record
from powerhal.android.checkin.records import UNQUOTED
from powerhal.android.checkin.texts import doubles
from powerhal.android.checkin.values import Value
from powerhal.android.containers import Bytes
from powerhal.android.history.lines import HistoryLine, PoolLine, Token, explained, read_token
from powerhal.android.history.states import SERIES, STATES, Sums, resolved
from powerhal.android.history.tokens import BY_NAME
from powerhal.kernels import KernelTable
from powerhal.kernels.text_form import (
    COMMAS,
    COUNTED,
    INTEGER,
    LETTER,
    MAH,
    NAME,
    NAN_BOX,
    PADDING,
    PLANS,
    POOL,
    POOLED,
    QUOTED_NAME,
    REAL,
    WORD,
)  # fmt: skip
from powerhal.kernels.text_pool import Pool

KINDS = {"int": INTEGER, "count": COUNTED, "letter": LETTER, "str": WORD, "mah": MAH, "double": REAL}
POOL_HEAD = ("\0", POOL.to_bytes(3, "little").decode())
INT64 = 1 << 63
NEWLINE = 10
LISTED = 1 << 21  # bytes of text that are read together


class Sheet:
    """Lines of one code, window and layout: `cells` has the line number, the uid and the columns of each.

    cells (n, columns but letters + 2) int32 or int64; texts are numbers of `names`, reals have the bits of a float64.
    """

    __slots__ = ("cells", "code", "first", "layout", "names", "window")

    def __init__(self, head: tuple[str, str], layout: Layout, cells: Any, first: int, names: Pool) -> None:
        self.window, self.code = head
        self.layout, self.cells, self.first, self.names = layout, cells, first, names

    @property
    def head(self) -> tuple[str, str]:
        """Window and code."""
        return self.window, self.code

    def __len__(self) -> int:
        return len(self.cells)

    def records(self) -> Iterator[Record]:
        """The lines one by one."""
        lines, uids = self.cells[:, 0].tolist(), self.cells[:, 1].tolist()
        window, code, layout = self.window, self.code, self.layout
        rows = zip(*[self.column(k) for k in range(len(layout.fields))], strict=True)
        first = self.first
        return (Record(first + n, 9, uid, window, code, layout, row) for n, uid, row in zip(lines, uids, rows))  # noqa: B905

    def column(self, at: int) -> list[Value]:
        """The values of one column."""
        field = self.layout.fields[at]
        if field.kind == "letter":
            return [field.unit] * len(self)
        cells = self.cells[:, _place(self.layout, at)]
        if field.kind in ("str", "name"):
            return list(map(self.names.texts().__getitem__, cells.tolist()))
        values: list[Value] = (cells.copy().view("float64") if field.kind in ("mah", "double") else cells).tolist()
        return values


class Tokens:
    """What the tokens of a dump mean: each once, by its number in the pool."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.known: list[Token] = []
        self.states: dict[str, int] = {}
        self._rows: list[tuple[int, int, int]] = []

    def all(self) -> list[Token]:
        """Every token that the pool holds now."""
        self.known += map(read_token, self.pool.texts()[len(self.known) :])
        return self.known

    def table(self) -> tuple[Any, Any, Any]:
        """Sign, place (a state, -2 - k for the readings of `SERIES` k, -1 for neither) and value of every token."""
        import numpy as np

        for token in self.all()[len(self._rows) :]:
            change = resolved(token, _as_it_stands)
            sign, place, value = 0, -1, 0
            if change is not None and change.name in SERIES and isinstance(change.value, int):
                if -INT64 <= change.value < INT64:
                    place, value = -2 - list(SERIES).index(change.name), change.value
            elif change is not None and change.sign and (word := BY_NAME.get(change.name)) and word.kind in STATES:
                sign = 1 if change.sign == "+" else -1
                place = self.states.setdefault(change.name, len(self.states))
            self._rows.append((sign, place, value))
        columns = np.array(self._rows, dtype=np.int64).reshape(-1, 3).T.copy()
        return columns[0], columns[1], columns[2]


class Tracks:
    """Plain history lines: see `blocks.Moments`; tokens are numbers."""

    __slots__ = ("deltas", "first", "firsts", "numbers", "table", "tokens", "words")

    def __init__(self, table: KernelTable, words: Tokens, arrays: tuple[Any, Any, Any, Any], first: int) -> None:
        self.table, self.words, self.first = table, words, first
        self.numbers, self.deltas, self.firsts, self.tokens = arrays

    @property
    def lines(self) -> Sequence[int]:
        """Line numbers."""
        return [self.first + number for number in self.numbers.tolist()]

    def __len__(self) -> int:
        return len(self.numbers)

    def items(self) -> Iterator[HistoryLine]:
        """The lines one by one."""
        known = list(map(self.words.all().__getitem__, self.tokens.tolist()))
        for number, delta, (at, end) in zip(
            self.lines, self.deltas.tolist(), pairwise(self.firsts.tolist()), strict=True
        ):
            yield HistoryLine(number, 9, delta, (), tuple(known[at:end]))

    def part(self, first: int, end: int) -> Tracks:
        """Some of them."""
        at, stop = int(self.firsts[first]), int(self.firsts[end])
        arrays = (self.numbers[first:end], self.deltas[first:end], self.firsts[first : end + 1] - at)
        return Tracks(self.table, self.words, (*arrays, self.tokens[at:stop]), self.first)

    def said(self) -> int:
        """How many of the lines have tokens."""
        return int((self.firsts[1:] > self.firsts[:-1]).sum())

    def passed_ms(self) -> int:
        """ms from the line before the first to the last."""
        return sum(self.deltas.tolist())

    def summed(self, now_ms: int, on: dict[str, int], trusted: bool) -> Sums | None:
        """Readings by name, states that are on since when, and ms added to states; None for times beyond 64 bits."""
        import numpy as np

        if now_ms + self.passed_ms() >= INT64:
            return None
        table = self.words.table()
        names = list(self.words.states)
        since = np.array([on.get(name, -1) for name in names], dtype=np.int64)
        totals = np.zeros(len(names), dtype=np.int64)
        moments = (self.deltas, self.firsts, self.tokens)
        times, which, values = self.table.text_follow(moments, table, now_ms, (since, totals), trusted)
        readings = {name: (times[which == k].tolist(), values[which == k].tolist()) for k, name in enumerate(SERIES)}
        held = {name: at for name, at in zip(names, since.tolist(), strict=True) if at >= 0}
        kept = {name: at for name, at in on.items() if name not in self.words.states}
        return readings, kept | held, {name: ms for name, ms in zip(names, totals.tolist(), strict=True) if ms}

    def unexplained(self) -> Iterable[tuple[str, int]]:
        """Keys that the tables do not have, and how often they come."""
        known = self.words.all()
        odd = {number: token.key for number, token in enumerate(known) if not explained(token)}
        if not odd:
            return ()
        return [(odd[n], count) for n, count in Counter(self.tokens.tolist()).items() if n in odd]


class ColumnReader:
    """Reads bytes of check-in lines with a table of kernels; what is not plain goes to a `BlockReader`."""

    def __init__(self, table: KernelTable, blocks: BlockReader) -> None:
        self.table, self.blocks = table, blocks
        self.names, self.words = table.text_pool(), Tokens(table.text_pool())
        self._room: Any = None
        self._plans: list[tuple[tuple[int, int, int], Layout | None, list[int]]] = []
        self._arrays = self._prepared()

    def read(self, first: int, text: Bytes) -> Block | None:
        """Whole lines with bare newlines, numbered from `first`, no version line among them; None if others are."""
        import numpy as np

        data = self._padded(text)
        found = self._pass(data)
        if found is not None and self._planned(found[5].tolist()):
            found = self._pass(data)
        if found is None:
            return None
        count, sheets, bits, moments, odd, _ = found
        block = Block(count)
        if len(moments[0]):
            block.moments = Tracks(self.table, self.words, moments, first)
        left = self._sheets(block, first, sheets, bits.tolist())
        starts = dict(zip(odd[0].tolist(), odd[1].tolist(), strict=True))
        if left:
            lengths = np.flatnonzero(data == NEWLINE)
            starts.update((line, int(lengths[line - 1]) + 1 if line else 0) for line in left)
        lines = [text[at : text.index(b"\n", at)].decode("utf-8", "surrogateescape") for at in starts.values()]
        self.blocks.rest(block, [first + line for line in starts], lines)
        return block

    def _padded(self, text: Bytes) -> Any:
        """The text with room behind it, in memory that is used again and again."""
        import numpy as np

        if self._room is None or len(self._room) < len(text) + PADDING:
            self._room = np.empty(len(text) + len(text) // 8 + PADDING, dtype=np.uint8)
        data = self._room[: len(text) + PADDING]
        data[: len(text)] = np.frombuffer(text, dtype=np.uint8)
        data[len(text) :] = 0
        data.flags.writeable = False  # compiled code is made for one of the two: the one that `warmup` makes
        return data

    def _pass(self, data: Any) -> Any:
        return self.table.text_read(data, self._arrays, self.names, self.words.pool)

    def _planned(self, fresh: list[list[int]]) -> bool:
        """Make plans for new heads; whether one of them wants anything."""
        known, before = {key for key, _, _ in self._plans}, len(self._plans)
        useful = False
        for code, window, quoted, width in sorted(fresh, key=itemgetter(3)):  # commas in names make lines wider
            key = (code, window, quoted)
            if key not in known and len(self._plans) < PLANS:
                known.add(key)
                layout, wants = self._plan((_unpacked(code), chr(window), bool(quoted)), width)
                self._plans.append((key, layout, wants))
                useful = useful or bool(wants)
        if len(self._plans) > before:
            self._arrays = self._prepared()
        return useful

    def _prepared(self) -> tuple[list[tuple[int, int, int]], list[int], list[int]]:
        """The plans as the kernels want them; the same object as long as they are the same."""
        self._heads = [(chr(window), _unpacked(code)) for (code, window, _), _, _ in self._plans]
        self._layouts = [layout for _, layout, _ in self._plans]
        starts = [0, *accumulate(len(wants) for _, _, wants in self._plans)]
        return [key for key, _, _ in self._plans], starts, [want for _, _, part in self._plans for want in part]

    def _plan(self, head: tuple[str, str, bool], width: int) -> tuple[Layout | None, list[int]]:
        """The layout of a head and what its columns want; nothing where only the reader can tell."""
        code, window, quoted = head
        if (window, code) == POOL_HEAD:
            return None, [INTEGER, POOLED]
        widths = range(width, max(0, width - COMMAS), -1) if quoted else (width,)  # commas in a name make more of them
        layouts = (self.blocks.layout(code, few, quoted) for few in widths if window in WINDOWS)
        layout = next((found for found in layouts if found), None)
        if layout is None or any(field.kind == "any" for field in layout.fields):
            return None, []
        names = QUOTED_NAME if layout.quoted else WORD if code in UNQUOTED else NAME
        wants = []
        for field in layout.fields:
            want = names if field.kind == "name" else KINDS[field.kind]
            wants.append(want | int.from_bytes(field.unit.encode(), "little") << 8 if want == LETTER else want)
        return layout, wants

    def _sheets(self, block: Block, first: int, sheets: list[Any], bits: list[int]) -> list[int]:
        """Keep the columns; lines that are odd after all are answered."""
        import numpy as np

        left: list[int] = []
        for head, layout, rows, width in zip(self._heads, self._layouts, sheets, bits, strict=False):
            if head == POOL_HEAD:
                block.history_singles += self._pool_lines(first, np.asarray(rows))
            if layout is None or not len(rows):
                continue
            whole = self._decided(layout, rows, left) if width < 0 else np.asarray(rows)
            block.tables.append(Sheet(head, layout, whole, first, self.names))
        return left

    def _pool_lines(self, first: int, rows: Any) -> Iterator[PoolLine]:
        texts = self.names.texts()
        return (PoolLine(first + line, 9, at, uid, texts[text], True) for line, at, uid, text in rows.tolist())

    def _decided(self, layout: Layout, rows: Any, left: list[int]) -> Any:
        """Reals that the kernel left open, from their texts; lines whose texts are odd are left out."""
        import numpy as np

        texts, good = self.names.texts(), np.ones(len(rows), dtype=np.bool_)
        for at, field in enumerate(layout.fields):
            if field.kind == "double":
                cells = rows[:, _place(layout, at)]
                undecided = np.flatnonzero(np.isnan(cells.view(np.float64)))
                found = doubles([texts[number] for number in (cells[undecided] ^ NAN_BOX).tolist()])
                values = np.array([np.nan if value is None else value for value in found])
                good[undecided] &= ~np.isnan(values)
                cells[undecided] = values.view(np.int64)
        left += rows[~good, 0].tolist()
        return rows[good]


def _place(layout: Layout, at: int) -> int:
    """Where the cells of a column stand: behind line, uid and the columns before it but constants."""
    return 2 + sum(field.kind != "letter" for field in layout.fields[:at])


def _as_it_stands(number: int, otherwise: int) -> object:
    return otherwise


def _unpacked(packed: int) -> str:
    return packed.to_bytes(8, "little").rstrip(b"\0").decode("latin-1")
