"""Texts of check-in columns to typed values, whole columns at once, by the interpreter's own loops.

A column with something in it that is not plainly what its layout says is no column (None): the reader takes the lines.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Sequence
from typing import cast

from powerhal.android.checkin.values import MAX_DIGITS, READ, Malformed, Value

Column = Sequence[Value]
Convert = Callable[[dict[str, str], list[str], str, bool], Column | None]
LARGEST = 10**MAX_DIGITS


def whole_numbers(joined: str) -> list[int] | None:
    """Whole numbers with commas between them; None when one is not printed as Java prints it."""
    if not joined.isascii() or joined.encode().translate(None, b"0123456789,-") or "-0" in joined:
        return None
    try:
        numbers: list[int] = json.loads(f"[{joined}]")  # the quickest reader there is; refuses leading zeros
    except ValueError:
        return None
    return numbers


def packed(numbers: Sequence[int]) -> Sequence[int]:
    """The same numbers in 8 bytes each where they fit; a range stays what it is."""
    if isinstance(numbers, range):
        return numbers
    try:
        return array("q", numbers)
    except OverflowError:
        return numbers


def strided(joined: str, width: int) -> list[Column] | None:
    """The columns of rows of whole numbers that stand one after another; None when they are none."""
    numbers = whole_numbers(joined)
    if numbers is None or len(numbers) % width:
        return None
    rows = packed(numbers)
    if isinstance(rows, list) and any(abs(value) >= LARGEST for value in rows):
        return None
    return [packed(rows[k::width]) if isinstance(rows, list) else rows[k::width] for k in range(width)]


def _letters(known: dict[str, str], texts: list[str], unit: str, quoted: bool) -> Column | None:
    return [unit] * len(texts) if texts.count(unit) == len(texts) else None


def _names(known: dict[str, str], texts: list[str], unit: str, quoted: bool) -> Column | None:
    """Quotes must stand around all names or none of them."""
    if quoted:
        bare = [t[1:-1] for t in texts if len(t) > 1 and t[0] == t[-1] == '"']
        return _texts(known, bare, unit, False) if len(bare) == len(texts) else None
    return None if any(t[:1] == '"' for t in texts) else _texts(known, texts, unit, False)


def _texts(known: dict[str, str], texts: list[str], unit: str, quoted: bool) -> Column | None:
    """Texts, equal ones as one object."""
    return list(map(known.setdefault, texts, texts))


def _singly(kind: str) -> Convert:
    read = READ[kind]

    def convert(known: dict[str, str], texts: list[str], unit: str, quoted: bool) -> Column | None:
        values = list(map(read, texts))
        types = set(map(type, values))
        if Malformed in types:
            return None
        return array("d", cast("list[float]", values)) if types == {float} else values

    return convert


def doubles(texts: list[str]) -> list[float | None]:
    """Doubles that `repr` prints as they stand, where Java would not use an exponent; None for the others."""
    try:
        values = list(map(float, texts))
    except ValueError:
        return [next(iter(doubles([text])), None) if _floats(text) else None for text in texts]
    shown = zip(values, map(repr, values), texts, strict=True)
    return [v if printed == text and (1e-3 <= abs(v) < 1e7 or v == 0) else None for v, printed, text in shown]


def _floats(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _doubles(known: dict[str, str], texts: list[str], unit: str, quoted: bool) -> Column | None:
    values = doubles(texts)
    if None in values:
        return _singly("double")(known, texts, unit, quoted)
    return array("d", cast("list[float]", values))


# kind of a column -> texts known so far, texts, unit, whether names are quoted -> the column
CONVERT: dict[str, Convert] = {
    "letter": _letters,
    "name": _names,
    "str": _texts,
    **{kind: _singly(kind) for kind in ("count", "mah", "any")},
    "double": _doubles,
}
