"""Check-in lines, both ways: one reader and one emitter over the tables of `records`.

`9,<uid>,<window>,<code>[,column]*`. The reader keeps every column typed and nothing else; `emit` prints the
line again, byte for byte. Widths decide which row of a table a line belongs to; the API level only breaks
ties. A column of a vendor or of a newer version is kept behind the known ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from powerhal.android.checkin.records import (
    UNQUOTED,
    WAKELOCK_COLUMNS,
    WAKELOCK_LETTERS,
    Field,
    api_levels,
    row_for,
    rows,
)
from powerhal.android.checkin.records import field as column
from powerhal.android.checkin.values import READ, Malformed, Value, number, show
from powerhal.android.issues import Issues

ANY = Field("extra", "", "any")
MAX_COLUMNS = 1 << 12  # the widest record of a real dump has a few hundred
WINDOWS = ("i", "l", "c", "u", "t")


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one line; `quoted`: its first column stands in double quotes; `known`: code in the tables."""

    fields: tuple[Field, ...]
    quoted: bool = False
    known: bool = True
    plain: bool = False  # only whole numbers and text: what `str` prints is what was read

    def index(self, name: str) -> int | None:
        """The position of a column, None when this version does not print it."""
        return next((k for k, f in enumerate(self.fields) if f.name == name), None)


class Record(NamedTuple):
    """One check-in line: `window` is i, l, c, u or t; `values` go with `layout.fields`, in their units."""

    line: int
    prefix: int
    uid: int
    window: str
    code: str
    layout: Layout
    values: tuple[Value, ...]

    def get(self, name: str) -> Value | Absent:
        """The value of a column; `ABSENT` when the line does not have it (never 0 for that)."""
        at = self.layout.index(name)
        return ABSENT if at is None else self.values[at]

    def number(self, name: str) -> int | float | None:
        """The value as a number; None when absent, malformed or not a number."""
        value = self.get(name)
        return None if isinstance(value, Absent) else number(value)

    def items(self) -> Iterator[tuple[str, Value]]:
        """Column names with their values, in the order of the line."""
        return zip((f.name for f in self.layout.fields), self.values, strict=True)

    def replace(self, changes: Mapping[str, Value]) -> Record:
        """The record with other values in some columns; KeyError for a column it does not have."""
        values = list(self.values)
        for name, value in changes.items():
            at = self.layout.index(name)
            if at is None:
                raise KeyError(name)
            values[at] = value
        return self._replace(values=tuple(values))


@dataclass(frozen=True, slots=True)
class Absent:
    """The line does not have this column: another version, or suppressed because it was zero."""


ABSENT = Absent()


def emit(record: Record) -> str:
    """The line of a record, from its typed values alone (without a line end)."""
    fields = record.layout.fields
    texts = [show(value, f.kind) for value, f in zip(record.values, fields, strict=True)]
    if record.layout.quoted:
        texts[0] = f'"{texts[0]}"'
    head = f"{record.prefix},{record.uid},{record.window},{record.code}"
    return ",".join([head, *texts]) if texts else head


@dataclass(slots=True)
class Reader:
    """Lines to records; `api` 0 is unknown until a `vers` line tells."""

    issues: Issues
    api: int = 0
    hint: int = 0  # what a bugreport's properties say; believed where the version line allows it
    apis: tuple[int, ...] = ()
    _layouts: dict[tuple[str, int, bool], Layout] = field(default_factory=dict)

    def read(self, at: int, line: str) -> Record | None:
        """One line as a record; None (and an issue) when it is no check-in line at all."""
        parts = line.split(",")
        try:
            prefix, uid, window, code = int(parts[0]), int(parts[1]), parts[2], parts[3]
        except (IndexError, ValueError):
            self.issues.add(at, "line", "", "not a check-in line")
            return None
        if len(parts) > MAX_COLUMNS:
            self.issues.add(at, "line", "", f"more than {MAX_COLUMNS} columns")
            return None
        if window not in WINDOWS or f"{prefix},{uid}" != f"{parts[0]},{parts[1]}":
            self.issues.add(at, "line", "", "not a check-in line")
            return None
        layout, texts = self._lay_out(code, parts, line)
        record = Record(at, prefix, uid, window, code, layout, self._type(at, code, layout, texts))
        if code == "vers":
            self.learn(record)
        return record

    def _type(self, at: int, code: str, layout: Layout, texts: list[str]) -> tuple[Value, ...]:
        """The columns as values; the quick way holds when printing them gives the same text."""
        if layout.plain:
            try:
                quick = tuple([int(t) if f.kind == "int" else t for f, t in zip(layout.fields, texts, strict=True)])
                if list(map(str, quick)) == texts:
                    return quick
            except ValueError:
                pass
        values = tuple([READ[f.kind](t) for f, t in zip(layout.fields, texts, strict=True)])
        for f, value in zip(layout.fields, values, strict=True):
            if isinstance(value, Malformed):
                self.issues.add(at, code, f.name, f"{value.why}: {value.text[:40]!r}")
        return values

    def _lay_out(self, code: str, parts: list[str], line: str) -> tuple[Layout, list[str]]:
        """Which columns the line has, and their texts (a name with its commas and quotes put together)."""
        known = rows(code)
        texts = parts[4:]
        quoted = False
        if known and known[0].named and texts:
            texts, quoted = self._name_first(code, texts)
        key = (code, len(texts), quoted)
        layout = self._layouts.get(key)
        if layout is None:
            layout = self._new_layout(code, texts, quoted)
            if layout.known:
                self._layouts[key] = layout
        if code == "wl" and not _letters_match(layout, texts):
            layout = _scan_wakelock(texts)
        return layout, texts

    def _new_layout(self, code: str, texts: list[str], quoted: bool) -> Layout:
        row = row_for(code, len(texts), self.api)
        fields = row.expand(len(texts)) if row else tuple(Field(f"extra_{k}", "", "any") for k in range(len(texts)))
        return Layout(fields, quoted, row is not None, all(f.kind in PLAIN for f in fields))

    def _name_first(self, code: str, texts: list[str]) -> tuple[list[str], bool]:
        """Columns of a line whose first one is a name: quoted, or to be found from the numbers on its right."""
        if texts[0].startswith('"') and code not in UNQUOTED:
            ends = (k for k in range(len(texts) - 1, -1, -1) if texts[k].endswith('"') and (k or len(texts[0]) > 1))
            end = next(ends, -1)
            if end >= 0:
                return [",".join(texts[: end + 1])[1:-1], *texts[end + 1 :]], True
        widths = {len(row.fields) for row in rows(code)}
        if len(texts) in widths or len(texts) < min(widths):
            return texts, False
        if code == "wl" and texts[2] in WAKELOCK_LETTERS and _is_int(texts[1]):
            return texts, False  # groups of a preview or a vendor; the platform leaves no comma in these names
        tail = 0
        while tail < len(texts) - 1 and (_is_int(texts[-1 - tail]) or texts[-1 - tail] in WAKELOCK_LETTERS):
            tail += 1
        width = max((w for w in widths if w - 1 <= tail), default=0)
        if not width or len(texts) < width:
            return texts, False
        cut = len(texts) - width + 1
        return [",".join(texts[:cut]), *texts[cut:]], False

    def begin(self, hint: int) -> None:
        """Another dump, of a version that nothing has told but the properties of a bugreport (0: not these either)."""
        self.api = self.hint = hint
        self.apis = ()
        self._layouts.clear()

    def learn(self, record: Record) -> None:
        """Take the API level from a `vers` record."""
        checkin, parcel = record.number("checkin"), record.number("parcel")
        if checkin is None or parcel is None:
            return
        self.apis = api_levels(int(checkin), int(parcel))
        api = self.hint if self.hint in self.apis else self.apis[0]
        if api != self.api:
            self.api = api
            self._layouts.clear()


PLAIN = frozenset({"int", "str", "name", "letter"})


def _is_int(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def _letters_match(layout: Layout, texts: list[str]) -> bool:
    return all(texts[k] == f.unit for k, f in enumerate(layout.fields) if f.kind == "letter")


def _scan_wakelock(texts: list[str]) -> Layout:
    """Any order and number of groups: each starts one column before its letter."""
    starts = [k - 1 for k in range(2, len(texts)) if texts[k] in WAKELOCK_LETTERS]
    if not starts:
        return Layout((column("name:name"), *(Field(f"extra_{k}", "", "any") for k in range(len(texts) - 1))))
    fields = [column("name:name"), *(Field(f"extra_{k}", "", "any") for k in range(starts[0] - 1))]
    for start, end in zip(starts, [*starts[1:], len(texts)], strict=True):
        letter = texts[start + 1]
        group = WAKELOCK_LETTERS[letter]
        words = ["time:ms", f"letter:={letter}", *WAKELOCK_COLUMNS][: end - start]
        fields += [column(f"{group}.{word}") for word in words]
        fields += [Field(f"{group}.extra_{k}", "", "any") for k in range(end - start - len(words))]
    return Layout(tuple(fields), plain=False)
