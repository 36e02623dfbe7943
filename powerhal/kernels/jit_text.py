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
from powerhal.kernels.jit_columns import bare, bounds, charges, doubles, integers, letters, long, unescaped, unquoted
from powerhal.kernels.jit_pool import numbers_of, tags_of
from powerhal.kernels.text_form import (
    COMMAS,
    COUNTED,
    FRESH,
    LETTER,
    MAH,
    NAME,
    NAN_BOX,
    OPEN,
    PLANS,
    POOL,
    POOLED,
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
START, EVENT, POOL_LINE = (np.uint64(int.from_bytes(head, "little")) for head in (b"9,", b"9,h,", b"9,hsp,"))
TWO, SIX = np.uint64(0xFFFF), np.uint64(0xFFFFFFFFFFFF)


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
    """The table that `heads` looks into: by hash of their heads, the next free place where one is taken."""
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
    slots, keys, starts, _, commas, _ = plans
    which, uids, counts, fresh = found
    new = 0
    for line in range(which.size):
        k = firsts[line]
        fields = firsts[line + 1] - k
        first = word_at(data, np.int64(ends[k - 1]) + 1 if k > 0 else 0)
        if first & TWO != START:
            return 0, -1
        which[line] = HISTORY if first & FOUR == EVENT else ODD
        pooled = np.int64(first & SIX == POOL_LINE)
        if first & FOUR == EVENT or fields < 5 or not (pooled or ends[k + 2] == ends[k + 1] + 2):
            continue
        size = np.int64(ends[k + 3]) - ends[k + 2] - 1
        uid, good = whole(data, np.int64(ends[k + pooled]) + 1, np.int64(ends[k + 1 + pooled]))
        if not good or (not pooled and (size < 1 or size > 7)):
            continue
        code, window, quoted = POOL, 0, 0
        if not pooled:
            code = np.int64(word_at(data, np.int64(ends[k + 2]) + 1) & (ALL >> np.uint64(64 - 8 * size)))
            window, quoted = np.int64(data[ends[k + 1] + 1]), np.int64(data[np.int64(ends[k + 3]) + 1] == QUOTE)
            if window == 0 or data[np.int64(ends[k + 3]) - 1] == 0:
                continue  # a NUL at the end of a code is not seen in its number, and pool lines have the window 0
        if code == VERSION:
            return 0, -1
        plan, slot = -1, (((code * 31 + window) * 2 + quoted) * STEP >> 32) & (SLOTS - 1)
        while slots[slot] >= 0:
            plan = np.int64(slots[slot])
            if keys[plan, 0] == code and keys[plan, 1] == window and keys[plan, 2] == quoted:
                break
            plan = -1
            slot = (slot + 1) & (SLOTS - 1)
        columns = fields - 4 + pooled
        if plan >= 0:
            more = columns - (starts[plan + 1] - starts[plan])
            if more == 0 or (commas[plan] and more > 0 and more <= COMMAS):
                which[line], uids[line] = plan, uid
                counts[plan] += 1
        elif new < FRESH:
            fresh[new, 0], fresh[new, 1], fresh[new, 2], fresh[new, 3] = code, window, quoted, columns
            new += 1
    return new, 0


@jit
def grouped(which: Any, counts: Any, order: Any, events: Any) -> int:
    """Lines of each plan one after another, and those of the history, of which the number is answered."""
    places = np.empty(counts.size, np.int64)
    seen, before = 0, 0
    for plan in range(counts.size):
        places[plan] = before
        before += counts[plan]
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
def named(
    data: Bytes, ends: Any, spots: tuple[Any, Any], field: int, sort: int, pool: Arrays, room: Arrays, odd: Any
) -> None:
    """A column of texts: their numbers in the pool, in the third array of `room`."""
    begins, sizes, numbers = room
    bounds(ends, spots[0], spots[1], field, begins, sizes)
    if sort >= QUOTED_NAME:
        unquoted(data, begins, sizes, odd)
    elif sort == NAME:
        bare(data, begins, odd)
    if sort == POOLED:
        unescaped(data, begins, sizes, odd)
    tags_of(data, begins, sizes, numbers)
    numbers_of(data, begins, sizes, pool, numbers)


@jit
def undecided(data: Bytes, ends: Any, spots: Any, field: int, pool: Arrays, room: Arrays) -> None:
    """Reals that are NaN, in the third array of `room`, become boxes around the numbers of their texts."""
    begins, sizes, cells = room
    reals, left = cells.view(np.float64), 0
    rows, numbers = np.empty(cells.size, np.int64), np.empty(cells.size, np.int64)
    for row in range(cells.size):
        if np.isnan(reals[row]):
            k = spots[row] + field
            rows[left], begins[left], sizes[left] = row, ends[k - 1] + 1, ends[k] - ends[k - 1] - 1
            left += 1
    tags_of(data, begins[:left], sizes[:left], numbers)
    numbers_of(data, begins[:left], sizes[:left], pool, numbers)
    for k in range(left):
        cells[rows[k]] = numbers[k] | NAN_BOX


@jit
def rows_of(
    data: Bytes, marks: Arrays, sorted_lines: Arrays, wants: Any, pool: Arrays, room: Arrays
) -> tuple[int, int]:
    """Some lines of a plan, column by column; all bits of them, and how many are odd.

    room: cells (kept columns + 2, AT_A_TIME), and what a row needs while it is read. Separators are counted from the
    front of a line up to a text in quotes, from its back behind it: they differ by the commas in the text.
    """
    ends, firsts = marks
    lines, which, uids, pooled = sorted_lines
    cells, count, bits = room[0], lines.size, 0
    fronts, backs, begins, sizes, odd = (
        room[1][:count], room[2][:count], room[3][:count], room[4][:count], room[5][:count],
    )  # fmt: skip
    for row in range(count):
        line = np.uint64(lines[row])
        uid, odd[row] = uids[line], 0
        fronts[row] = firsts[line] - pooled
        backs[row] = np.int64(firsts[line + ONE]) - wants.size - 4
        cells[0, row], cells[1, row] = line, uid
        bits |= abs(uid)
        prefetch(ends, np.int64(fronts[row]))
    for row in range(count):
        begin = np.int64(ends[np.uint64(fronts[row] + pooled)])
        for at in range(begin, np.int64(ends[np.uint64(backs[row] + wants.size + 3)]), BLOCK):
            prefetch(data, at)
    spots, column, cell = fronts, 0, 2
    while column < wants.size:
        sort, field, next_column = wants[column] & 255, column + 4, column + 1
        while sort <= COUNTED and next_column < wants.size and wants[next_column] & 255 <= COUNTED:
            next_column += 1
        out = cells[cell, :count]
        if sort <= COUNTED:
            bits |= integers(data, ends, spots, field, cells[cell : cell + next_column - column], odd)
        elif sort == LETTER:
            letters(data, ends, spots, field, wants[column] >> 8, odd)
            cell -= 1
        elif sort <= POOLED:
            after = backs if sort >= QUOTED_NAME else spots
            named(data, ends, (spots, after), field, sort, pool, (begins, sizes, out), odd)
            spots = after
        elif sort == MAH:
            charges(data, ends, spots, field, out.view(np.float64), odd)
        elif doubles(data, ends, spots, field, out.view(np.float64)) > 0:
            undecided(data, ends, spots, field, pool, (begins, sizes, out))
            bits |= OPEN
        cell += next_column - column
        column = next_column
    spoilt = 0
    for row in range(count):
        if odd[row]:
            which[lines[row]] = ODD
            spoilt += 1
    return bits, spoilt


@jit
def placed(room: Arrays, count: int, spoilt: int, out: Any, first: int, rows: int) -> None:
    """Rows that are not odd to the columns of a plan, of `rows` each; the first to `out[first]`."""
    cells, odd = room[0], room[5]
    for column in range(cells.shape[0]):
        at = first + column * rows
        if spoilt == 0:
            for row in range(count):
                out[at + row] = cells[column, row]
        else:
            for row in range(count):
                if not odd[row]:
                    out[at] = cells[column, row]
                    at += 1


@jit
def columns(
    data: Bytes, marks: Arrays, sorted_lines: Arrays, wants: Any, pool: Arrays, out: Arrays, width: int, wide: bool
) -> tuple[int, int]:
    """The lines of one plan to columns of `out`, in 8 bytes a cell or in 4: how many, and all bits.

    out: both memories, and where in each to begin. A few lines at a time, so that what they are made of stays in the
    nearest cache. It ends where 4 bytes are too few.
    """
    lines, which, uids, pooled = sorted_lines
    eights, fours, eight_at, four_at = out
    kept, bits = 0, 0
    room = (
        np.empty((width, AT_A_TIME), np.int64), np.empty(AT_A_TIME, np.int32), np.empty(AT_A_TIME, np.int32),
        np.empty(AT_A_TIME, np.int64), np.empty(AT_A_TIME, np.int64), np.empty(AT_A_TIME, np.uint8),
    )  # fmt: skip
    for first in range(0, lines.size, AT_A_TIME):
        some = lines[first : first + AT_A_TIME]
        more, spoilt = rows_of(data, marks, (some, which, uids, pooled), wants, pool, room)
        bits |= more
        if wide:
            placed(room, some.size, spoilt, eights, eight_at + kept, lines.size)
        elif bits >> NARROW == 0:
            placed(room, some.size, spoilt, fours, four_at + kept, lines.size)
        else:
            break
        kept += some.size - spoilt
    return kept, bits


@jit
def sheets(data: Bytes, marks: Arrays, sorted_lines: Arrays, plans: Arrays, pool: Arrays, out: Arrays) -> None:
    """The lines of all plans, one plan after another: rows and bits of each, and `wide` where 8 bytes are needed."""
    order, which, uids = sorted_lines
    _, keys, starts, wants, _, widths = plans
    eights, fours, counts, wide, tallies = out
    first, eight_at, four_at = 0, 0, 0
    for plan in range(counts.size):
        lines, wanted = order[first : first + counts[plan]], wants[starts[plan] : starts[plan + 1]]
        first += lines.size
        sorted_rows = (lines, which, uids, np.int64(keys[plan, 0] == POOL))
        while True:  # again with 8 bytes where 4 turned out too few
            is_wide, rest = wide[plan], (eights, fours, eight_at, four_at)
            kept, bits = columns(data, marks, sorted_rows, wanted, pool, rest, widths[plan], is_wide)
            if is_wide or bits >> NARROW == 0:
                break
            wide[plan] = True
        tallies[plan, 0], tallies[plan, 1] = kept, bits
        if wide[plan]:
            eight_at += lines.size * widths[plan]
        else:
            four_at += lines.size * widths[plan]


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
