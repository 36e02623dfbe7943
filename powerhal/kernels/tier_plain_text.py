"""The text kernels in plain Python, for the numpy tier too: what the compiled loops must do, written for the eye.

Nothing is faster here than reading line by line, so callers use these only where the compiled tier would be used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

from powerhal.kernels.text_form import (
    CHARGE_BOUNDS,
    COMMAS,
    COUNTED,
    EXACT,
    FRESH,
    INTEGER,
    LETTER,
    MAH,
    NAME,
    PADDING,
    PLANS,
    POOL,
    POOLED,
    QUOTED_NAME,
    REAL,
    VERSION,
    WORD,
    may_have_commas,
)  # fmt: skip
from powerhal.kernels.text_pool import PlainPool

text_pool = PlainPool
WHOLE = re.compile(rb"0|-?[1-9][0-9]{0,17}")
DECIMALS = re.compile(rb"(-?)(0|[1-9][0-9]*)\.([0-9]+)")
TEXTS = {
    WORD: re.compile(rb".*", re.DOTALL), NAME: re.compile(rb'(?!").*', re.DOTALL),
    QUOTED_NAME: re.compile(rb'".*"', re.DOTALL), POOLED: re.compile(rb'"[^"\\]*"'),
}  # fmt: skip
SIGN = -1 << 63


def text_read(data: Any, plans: Any, names: PlainPool, words: PlainPool) -> Any:
    """See `powerhal.kernels.text_read`."""
    text = bytes(data)
    if len(text) <= PADDING or text[-PADDING - 1] != 10:
        raise ValueError(f"text must end in a newline and {PADDING} bytes of padding")
    heads, starts, wants = ([tuple(key) for key in plans[0]], list(plans[1]), list(plans[2]))
    bounds = [0, *starts, len(wants)]
    if len(heads) > PLANS or len(starts) != len(heads) + 1 or sorted(bounds) != bounds:
        raise ValueError(f"plans of {len(heads)} heads do not fit")
    sheets: list[list[list[Any]]] = [[] for _ in heads]
    bits = [0] * len(heads)
    fresh: list[list[int]] = []
    moments: tuple[list[int], list[int], list[int], list[int]] = ([], [], [0], [])
    odd: tuple[list[int], list[int]] = ([], [])
    at = 0
    lines = text[: -PADDING - 1].split(b"\n")
    for number, line in enumerate(lines):
        if line[:2] != b"9,":
            return None
        if line[2:4] == b"h,":
            good = _moment(number, line.split(b",")[2:], moments, words)
        else:
            head, uid, fields = _head(line)
            if head and head[0] == VERSION:
                return None
            plan = heads.index(head) if head in heads else -1
            if head and plan < 0 and len(fresh) < FRESH:
                fresh.append([*head, len(fields)])
            wanted = wants[starts[plan] : starts[plan + 1]] if plan >= 0 else []
            row, more = _row(fields, wanted, names)
            good = row is not None
            if row is not None:
                sheets[plan].append([number, uid, *row])
                more |= abs(uid)
                bits[plan] |= more
        if not good:
            odd[0].append(number)
            odd[1].append(at)
        at += len(line) + 1
    return len(lines), sheets, bits, moments, odd, fresh


def _moment(number: int, fields: list[bytes], moments: tuple[list[int], ...], words: PlainPool) -> bool:
    """Add a history line from its delta on; False for an odd one."""
    numbers, deltas, firsts, tokens = moments
    delta = _whole(fields[0])
    if delta is None or delta < 0:
        return False
    if any(field[:1] in (b"D", b"X") or field[-1:] == b'"' for field in fields[1:]):  # free text may have commas
        return False
    numbers.append(number)
    deltas.append(delta)
    tokens += [words.number(field) for field in fields[1:]]
    firsts.append(len(tokens))
    return True


def _head(line: bytes) -> tuple[tuple[int, int, int] | None, int, list[bytes]]:
    """(code, window, quoted) of a record, None for an odd one; uid (of a pool line its number) and columns."""
    fields = line.split(b",")[1:]
    pooled = line[:6] == b"9,hsp,"
    uid = _whole(fields[pooled]) if len(fields) >= 4 else None
    if uid is None:
        return None, 0, fields
    if pooled:
        return (POOL, 0, 0), uid, fields[2:]
    if len(fields[1]) != 1 or not 1 <= len(fields[2]) <= 7 or 0 in (fields[1][0], fields[2][-1]):
        return None, 0, fields
    return (int.from_bytes(fields[2], "little"), fields[1][0], int(fields[3][:1] == b'"')), uid, fields[3:]


def _row(fields: list[bytes], wanted: list[int], names: PlainPool) -> tuple[list[Any] | None, int]:
    """Cells of a record but for constants, with the bits of its numbers; None when a column is not as it is wanted."""
    more = len(fields) - len(wanted)
    if 0 < more <= COMMAS and may_have_commas(wanted):
        at = next(k for k, want in enumerate(wanted) if want & 255 in (QUOTED_NAME, POOLED))
        fields = [*fields[:at], b",".join(fields[at : at + more + 1]), *fields[at + more + 1 :]]
    if not wanted or len(fields) != len(wanted):
        return None, 0
    cells = [_cell(want, field, names) for want, field in zip(wanted, fields, strict=True)]
    if any(cell is None for cell in cells):
        return None, 0
    bits = 0
    for want, cell in zip(wanted, cells, strict=True):
        if want & 255 in (INTEGER, COUNTED):
            bits |= abs(cast(int, cell))
        if isinstance(cell, tuple):
            bits |= SIGN
    return [cell for want, cell in zip(wanted, cells, strict=True) if want & 255 != LETTER], bits


def _cell(want: int, field: bytes, pool: PlainPool) -> int | float | tuple[int] | None:
    """A field as its column wants it: a number, the number of a text; (number of a text,) for an undecided real."""
    sort = want & 255
    if sort in (INTEGER, COUNTED):
        return _whole(field)
    if sort == LETTER:
        return 0 if field == (want >> 8).to_bytes(7, "little").rstrip(b"\0") else None
    if sort in (MAH, REAL):
        real = _real(field, sort == MAH)
        return real if real is not None or sort == MAH else (pool.number(field),)
    return pool.number(_unquoted(field, sort)) if TEXTS[sort].fullmatch(field) else None


def _unquoted(field: bytes, sort: int) -> bytes:
    return field[1:-1] if sort in (QUOTED_NAME, POOLED) else field


def _whole(field: bytes) -> int | None:
    return int(field) if WHOLE.fullmatch(field) else None


def _real(field: bytes, charge: bool) -> float | None:
    """A charge by the platform's rule, or a double that Python prints as it stands and Java without an exponent."""
    whole = _whole(field)
    if whole is not None:
        return float(whole) if charge and (whole == 0 or 100 <= whole < 10**EXACT) else None
    match = DECIMALS.fullmatch(field)
    if match is None or (match[1] and not int(match[2] + match[3])):
        return None
    value, point = float(field), len(match[3])
    if charge:
        wanted = next((8 - k for k, bound in enumerate(CHARGE_BOUNDS) if value < bound), 0)
        return value if value and point == wanted and len(match[2]) + point <= EXACT else None
    plain = value == 0 or 1e-3 <= abs(value) < 1e7
    return value if plain and repr(value).encode() == field else None


def text_follow(moments: Any, table: Any, now: int, state: Any, trusted: bool) -> tuple[Any, Any, Any]:
    """See `powerhal.kernels.text_follow`."""
    readings = list(_readings(moments, table, now, state, trusted))
    times, which, values = zip(*readings, strict=True) if readings else ((), (), ())
    return list(times), list(which), list(values)


def _readings(
    moments: Any, table: tuple[Sequence[int], ...], now: int, state: Any, trusted: bool
) -> Iterator[tuple[int, int, int]]:
    deltas, firsts, tokens = moments
    signs, places, values = table
    since, totals = state
    for line, delta in enumerate(deltas):
        now += delta
        for token in tokens[firsts[line] : firsts[line + 1]]:
            place = places[token]
            if place < -1:
                yield now, -2 - place, values[token]
            elif place >= 0 and trusted and signs[token] > 0:
                since[place] = now if since[place] < 0 else since[place]
            elif place >= 0 and trusted and since[place] >= 0:
                totals[place] += now - since[place]
                since[place] = -1
