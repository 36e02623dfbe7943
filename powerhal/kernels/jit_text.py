"""Compiled reading of text: check-in lines to typed columns, history lines to tokens, both to numbers of a pool.

See `powerhal.kernels.text_read` for what the arrays mean. First all separators are found, then what each line is by
its head, then lines of the same head are read together, column by column: what a column wants is known before it is
read. Every index comes from the loops themselves: `data` ends in a newline and padding, and the arrays have room for
the worst case.
"""

# mypy: disable-error-code="assignment, return-value, arg-type, no-any-return"
# (numba gives every name one type, int64; to mypy numpy's and Python's integers are two)
from __future__ import annotations

from typing import Any

import numpy as np

from powerhal.kernels.edge import Bytes
from powerhal.kernels.jit import jit
from powerhal.kernels.jit_bytes import BLOCK, lowest, ones, prefetch, separators, word_at
from powerhal.kernels.jit_columns import bare, bounds, charges, doubles, integers, letters, long, unquoted
from powerhal.kernels.jit_pool import numbers_of, tags_of
from powerhal.kernels.text_form import (
    COUNTED,
    FRESH,
    LETTER,
    MAH,
    NAME,
    NAN_BOX,
    OPEN,
    PLANS,
    QUOTED_NAME,
    VERSION,
)  # fmt: skip

Arrays = tuple[Any, ...]
MINUS, QUOTE, ZERO, DETAIL_D, DETAIL_X = 45, 34, 48, 68, 88
ODD, HISTORY = -1, -2
STEP, SLOTS = -7046029254386353131, 4 * PLANS
AT_ONCE, AT_A_TIME = 16, 128
NARROW = 31  # bits of numbers that 4 bytes hold
ALL, NO_BITS, ONE, FOUR = (np.uint64(n) for n in (0xFFFFFFFFFFFFFFFF, 0, 1, 0xFFFFFFFF))
START, EVENT = np.uint64(int.from_bytes(b"9,", "little")), np.uint64(int.from_bytes(b"9,h,", "little"))
TWO = np.uint64(0xFFFF)


@jit
def separated(data: Bytes, length: int, ends: Any, firsts: Any) -> int:
    """Where the fields end, and the first of these for each line; answers the number of lines."""
    found, lines = 0, 0
    firsts[0] = 0
    for at in range(0, length, BLOCK):
        marks, newlines = separators(data, at)
        count = ones(marks)
        while newlines != NO_BITS:
            lines += 1
            firsts[lines] = found + ones(marks & (newlines ^ (newlines - ONE)))
            newlines &= newlines - ONE
        for k in range(AT_ONCE):  # more often than not there are fewer: the next block covers what is too many
            ends[np.uint64(found + k)] = at + lowest(marks)
            marks &= marks - ONE
        for k in range(found + AT_ONCE, found + count):
            ends[np.uint64(k)] = at + lowest(marks)
            marks &= marks - ONE
        found += count
    return lines


@jit
def slots_of(keys: Any) -> Any:
    """The table that `plan_of` looks into."""
    slots = np.full(SLOTS, -1, dtype=np.int32)
    for plan in range(len(keys)):
        slot = (((keys[plan, 0] * 31 + keys[plan, 1]) * 2 + keys[plan, 2]) * STEP >> 32) & (SLOTS - 1)
        while slots[slot] >= 0:
            slot = (slot + 1) & (SLOTS - 1)
        slots[slot] = plan
    return slots


@jit
def whole(data: Bytes, begin: int, end: int) -> tuple[int, bool]:
    """A whole number of up to 18 digits as Java prints it, and whether it is one."""
    negative = np.int64(data[begin] == MINUS)
    begin += negative
    size = end - begin
    if size < 1 or size > 18 or (data[begin] == ZERO and size + negative > 1):
        return 0, False
    value, odd = long(data, begin, size)
    return (-value if negative else value), odd == NO_BITS


@jit
def heads(data: Bytes, marks: Arrays, plans: Arrays, found: Arrays) -> tuple[int, int]:
    """What each line is: a plan, `HISTORY` or `ODD`; uids; lines of each plan. How many heads are new, and -1 for
    text that is no check-in or has a version line.
    """
    ends, firsts = marks
    slots, keys, starts, _ = plans
    which, uids, counts, fresh = found
    new = 0
    for line in range(which.size):
        k = firsts[line]
        begin = np.int64(ends[k - 1]) + 1 if k > 0 else 0
        fields = firsts[line + 1] - k
        first = word_at(data, begin)
        if first & TWO != START:
            return 0, -1
        which[line] = ODD
        if first & FOUR == EVENT:
            which[line] = HISTORY
            continue
        if fields < 5 or ends[k + 2] != ends[k + 1] + 2:
            continue
        size = np.int64(ends[k + 3]) - ends[k + 2] - 1
        uid, good = whole(data, begin + 2, np.int64(ends[k + 1]))
        if not good or size < 1 or size > 7:
            continue
        window, column = np.int64(data[ends[k + 1] + 1]), np.int64(ends[k + 3]) + 1
        code = np.int64(word_at(data, np.int64(ends[k + 2]) + 1) & (ALL >> np.uint64(64 - 8 * size)))
        quoted = np.int64(data[column] == QUOTE)
        if code == VERSION:
            return 0, -1
        plan, slot = -1, (((code * 31 + window) * 2 + quoted) * STEP >> 32) & (SLOTS - 1)
        while slots[slot] >= 0:
            plan = np.int64(slots[slot])
            if keys[plan, 0] == code and keys[plan, 1] == window and keys[plan, 2] == quoted:
                break
            plan = -1
            slot = (slot + 1) & (SLOTS - 1)
        if plan >= 0:
            if fields == starts[plan + 1] - starts[plan] + 4:
                which[line], uids[line] = plan, uid
                counts[plan] += 1
        elif new < FRESH:
            fresh[new, 0], fresh[new, 1], fresh[new, 2], fresh[new, 3] = code, window, quoted, fields - 4
            new += 1
    return new, 0


@jit
def grouped(which: Any, counts: Any, order: Any, events: Any) -> int:
    """Lines of each plan one after another, and those of the history, of which the number is answered."""
    places = np.cumsum(counts) - counts
    seen = 0
    for line in range(which.size):
        plan = which[line]
        if plan >= 0:
            order[places[plan]] = line
            places[plan] += 1
        elif plan == HISTORY:
            events[seen] = line
            seen += 1
    return seen


@jit
def named(data: Bytes, ends: Any, spots: Any, field: int, sort: int, pool: Arrays, room: Arrays, odd: Any) -> None:
    """A column of texts: their numbers in the pool, in the third array of `room`."""
    begins, sizes, tags = room
    bounds(ends, spots, field, begins, sizes)
    if sort == QUOTED_NAME:
        unquoted(data, begins, sizes, odd)
    elif sort == NAME:
        bare(data, begins, odd)
    tags_of(data, begins, sizes, tags)
    numbers_of(data, begins, sizes, pool, tags)


@jit
def undecided(data: Bytes, ends: Any, spots: Any, field: int, pool: Arrays, cells: Any) -> None:
    """Reals that are NaN become a box around the number of their text."""
    left = np.flatnonzero(np.isnan(cells.view(np.float64)))
    room = np.empty(left.size, np.int64), np.empty(left.size, np.int64), np.empty(left.size, np.int64)
    named(data, ends, spots[left], field, -1, pool, room, np.empty(0, np.uint8))
    cells[left] = room[2] | NAN_BOX


@jit
def rows_of(
    data: Bytes, marks: Arrays, sorted_lines: Arrays, wants: Any, pool: Arrays, room: Arrays
) -> tuple[int, int]:
    """Some lines of a plan, column by column; all bits of them, and how many are odd.

    room: cells (width + 2, AT_A_TIME), and what a row needs while it is read.
    """
    ends, firsts = marks
    lines, which, uids = sorted_lines
    cells, count, bits = room[0], lines.size, 0
    spots, begins, sizes, odd = room[1][:count], room[2][:count], room[3][:count], room[4][:count]
    for row in range(count):
        line = np.uint64(lines[row])
        spots[row], uid, odd[row] = firsts[line], uids[line], 0
        cells[0, row], cells[1, row] = line, uid
        bits |= abs(uid)
        prefetch(ends, np.int64(spots[row]))
    for row in range(count):
        begin = np.int64(ends[np.uint64(spots[row])])
        for at in range(begin, np.int64(ends[np.uint64(spots[row] + wants.size + 3)]), BLOCK):
            prefetch(data, at)
    column = 0
    while column < wants.size:
        sort, field, next_column = wants[column] & 255, column + 4, column + 1
        while sort <= COUNTED and next_column < wants.size and wants[next_column] & 255 <= COUNTED:
            next_column += 1
        out = cells[column + 2, :count]
        if sort <= COUNTED:
            bits |= integers(data, ends, spots, field, cells[column + 2 : next_column + 2], odd)
        elif sort == LETTER:
            letters(data, ends, spots, field, wants[column] >> 8, odd)
            out[:] = 0
        elif sort <= QUOTED_NAME:
            named(data, ends, spots, field, sort, pool, (begins, sizes, out), odd)
        elif sort == MAH:
            charges(data, ends, spots, field, out.view(np.float64), odd)
        elif doubles(data, ends, spots, field, out.view(np.float64)) > 0:
            undecided(data, ends, spots, field, pool, out)
            bits |= OPEN
        column = next_column
    spoilt = 0
    for row in range(count):
        if odd[row]:
            which[lines[row]] = ODD
            spoilt += 1
    return bits, spoilt


@jit
def placed(room: Arrays, count: int, spoilt: int, out: Any, first: int) -> None:
    """Rows that are not odd to the columns of the plan, from row `first` on."""
    cells, odd = room[0], room[4]
    for column in range(out.shape[0]):
        if spoilt == 0:
            out[column, first : first + count] = cells[column, :count]
        else:
            at = first
            for row in range(count):
                if not odd[row]:
                    out[column, at] = cells[column, row]
                    at += 1


@jit
def columns(
    data: Bytes, marks: Arrays, sorted_lines: Arrays, wants: Any, pool: Arrays, out: tuple[Any, Any], wide: bool
) -> tuple[int, int]:
    """The lines of one plan to the first columns of `out`, in 8 bytes a cell or in 4: how many, and all bits.

    A few lines at a time, so that what they are made of stays in the nearest cache. It ends where 4 bytes are too few.
    """
    lines, width, kept, bits = sorted_lines[0], wants.size + 2, 0, 0
    eights, fours = out
    rows = lines.size
    room = (
        np.empty((width, AT_A_TIME), np.int64), np.empty(AT_A_TIME, np.int32), np.empty(AT_A_TIME, np.int64),
        np.empty(AT_A_TIME, np.int64), np.empty(AT_A_TIME, np.uint8),
    )  # fmt: skip
    for first in range(0, rows, AT_A_TIME):
        some = lines[first : first + AT_A_TIME]
        more, spoilt = rows_of(data, marks, (some, sorted_lines[1], sorted_lines[2]), wants, pool, room)
        bits |= more
        if wide:
            placed(room, some.size, spoilt, eights[: width * rows].reshape(width, rows), kept)
        elif bits >> NARROW == 0:
            placed(room, some.size, spoilt, fours[: width * rows].reshape(width, rows), kept)
        else:
            break
        kept += some.size - spoilt
    return kept, bits


@jit
def sheets(data: Bytes, marks: Arrays, sorted_lines: Arrays, plans: Arrays, pool: Arrays, out: Arrays) -> None:
    """The lines of all plans, one plan after another: rows and bits of each, and `wide` where 8 bytes are needed."""
    order, which, uids = sorted_lines
    _, _, starts, wants = plans
    eights, fours, counts, wide, tallies = out
    first, eight_at, four_at = 0, 0, 0
    for plan in range(counts.size):
        lines, wanted = order[first : first + counts[plan]], wants[starts[plan] : starts[plan + 1]]
        first += lines.size
        sorted_rows = (lines, which, uids)
        while True:  # again with 8 bytes where 4 turned out too few
            is_wide, rest = wide[plan], (eights[eight_at:], fours[four_at:])
            kept, bits = columns(data, marks, sorted_rows, wanted, pool, rest, is_wide)
            if is_wide or bits >> NARROW == 0:
                break
            wide[plan] = True
        tallies[plan, 0], tallies[plan, 1] = kept, bits
        size = lines.size * (wanted.size + 2)
        if wide[plan]:
            eight_at += size
        else:
            four_at += size


@jit
def events(data: Bytes, marks: Arrays, sorted_lines: Arrays, pool: Arrays, out: Arrays, room: Arrays) -> int:
    """Plain history lines: number, delta, and where their tokens begin in the list of all; answers how many."""
    ends, firsts = marks
    lines, which = sorted_lines
    numbers, deltas, tokens_from, tokens = out
    begins, sizes = room
    seen, used = 0, 0
    tokens_from[0] = 0
    for line in lines:
        k, after = firsts[line], firsts[line + 1]
        delta, good = whole(data, np.int64(ends[k + 1]) + 1, np.int64(ends[k + 2]))
        good = good and delta >= 0
        now = used
        for field in range(k + 3, after):
            begin = np.int64(ends[field - 1]) + 1
            good &= (data[begin] != DETAIL_D) & (data[begin] != DETAIL_X)  # free text may have commas
            good &= data[np.int64(ends[field]) - 1] != QUOTE
            begins[now], sizes[now] = begin, ends[field] - begin
            now += 1
        if good:
            numbers[seen], deltas[seen] = line, delta
            used, seen = now, seen + 1
            tokens_from[seen] = used
        else:
            which[line] = ODD
    tags_of(data, begins[:used], sizes[:used], tokens)
    numbers_of(data, begins[:used], sizes[:used], pool, tokens)
    return seen


@jit
def odd_lines(which: Any, marks: Arrays) -> tuple[Any, Any]:
    """Lines that are odd, and where they start."""
    ends, firsts = marks
    lines = np.flatnonzero(which == ODD)
    starts = np.zeros(lines.size, np.int64)
    for k in range(lines.size):
        if lines[k] > 0:
            starts[k] = ends[firsts[lines[k]] - 1] + 1
    return lines, starts


@jit
def follow(
    moments: tuple[Any, Any, Any], table: tuple[Any, Any, Any], now: int, state: tuple[Any, Any], trusted: bool
) -> tuple[Any, Any, Any]:
    """States and readings of a history: see `powerhal.kernels.text_follow`."""
    deltas, firsts, tokens = moments
    signs, places, values = table
    since, totals = state
    readings = 0
    for k in range(tokens.size):
        readings += places[tokens[k]] < -1
    times = np.empty(readings, dtype=np.int64)
    which = np.empty(readings, dtype=np.int64)
    amounts = np.empty(readings, dtype=np.int64)
    found = 0
    for line in range(deltas.size):
        now += deltas[line]
        for k in range(firsts[line], firsts[line + 1]):
            token = tokens[k]
            place = places[token]
            if place < -1:
                times[found], which[found], amounts[found] = now, -2 - place, values[token]
                found += 1
            elif place >= 0 and trusted:
                if signs[token] > 0:
                    if since[place] < 0:
                        since[place] = now
                elif since[place] >= 0:
                    totals[place] += now - since[place]
                    since[place] = -1
    return times, which, amounts
