"""Compiled reading of text: check-in lines to typed columns, texts and tokens to numbers of a pool.

See `powerhal.kernels.text_read` for what the arrays mean. One pass, line by line: what a column wants is known
before it is read. Every index comes from the loops themselves: `data` ends in a newline and padding, the answers have
room for the worst case, pools for all of the text.
"""

# mypy: disable-error-code="assignment, return-value"
# (numba gives every name one type, int64; to mypy numpy's and Python's integers are two)
from __future__ import annotations

from typing import Any

import numpy as np

from powerhal.kernels.edge import Bytes
from powerhal.kernels.jit import jit
from powerhal.kernels.text_form import (
    CHARGE_BOUNDS,
    COUNTED,
    EXACT,
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
COMMA, NEWLINE, MINUS, POINT, QUOTE, ZERO, NINE = 44, 10, 45, 46, 34, 48, 57
H, DETAIL_D, DETAIL_X = 104, 68, 88
FULL = -2
STEP = -7046029254386353131
SCALES = 10.0 ** np.arange(19)
BOUNDS = np.array(CHARGE_BOUNDS)
ALL, HALF, SPREAD = np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(32), np.uint64(0x9E3779B97F4A7C15)
TOP, LONG = np.uint64(56), np.uint64(0xFF00000000000000)
LOWEST, DASH, CIPHER, NO_BITS, ONE, TEN = (np.uint64(n) for n in (255, 45, 48, 0, 1, 10))
SEVEN, EIGHT, SIXTEEN, SIXTY_ONE = (np.uint64(n) for n in (7, 8, 16, 61))
PLACES = np.uint64(sum(n << (61 - 8 * n) for n in range(8)))  # 2**(8 n) times this has n in its top three bits
# eight digits at once (Lemire): all of them checked, then added up in pairs
CIPHERS, NIBBLES, SIXES = np.uint64(0x3030303030303030), np.uint64(0xF0F0F0F0F0F0F0F0), np.uint64(0x0606060606060606)
PAIRS, HUNDREDS, UNITS = np.uint64(0xFF000000FF), np.uint64(0xF424000000064), np.uint64(0x271000000001)
ONES, HIGHS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
COMMAS, NEWLINES = np.uint64(0x2C2C2C2C2C2C2C2C), np.uint64(0x0A0A0A0A0A0A0A0A)
SLOTS = 4 * PLANS


@jit
def decimal(data: Bytes, first: int, end: int) -> tuple[int, int]:
    """A number with a point: its digits as one number, and how many stand behind the point; 0 of them for none."""
    negative = data[first] == MINUS
    at = first + 1 if negative else first
    lead, value, found, point = at, 0, 0, -1
    while at < end:
        byte = np.int64(data[at])
        if byte == POINT and point < 0 and found > 0:
            point = 0
        elif byte >= ZERO and byte <= NINE:
            value = value * 10 + (byte - ZERO)
            found += 1
            point += point >= 0
        else:
            return 0, 0
        at += 1
    if point < 1 or found > EXACT or (data[lead] == ZERO and data[lead + 1] != POINT) or (negative and value == 0):
        return 0, 0
    return (-value if negative else value), point


@jit
def intern(words: Any, first: int, end: int, pool: Arrays) -> int:
    """The number of a text in a pool, where it is put when it is new.

    Up to seven bytes are their own tag, with their count on top; longer texts have a hash and are compared.
    """
    tags, numbers, offsets, room, state = pool
    size = end - first
    if size < 8:
        tag = np.uint64(size) << TOP
        if size > 0:
            tag |= words[first] & (ALL >> np.uint64(64 - 8 * size))
        mixed = tag * SPREAD
    else:
        mixed, k = np.uint64(size), first
        while k + 8 < end:
            mixed = (mixed ^ words[k]) * SPREAD
            mixed ^= mixed >> HALF
            k += 8
        mixed = (mixed ^ words[end - 8]) * SPREAD
        tag = mixed | LONG
    mask = np.uint64(tags.size - 1)
    slot = (mixed >> HALF) & mask
    while numbers[slot] >= 0:
        if tags[slot] == tag:
            number = np.int64(numbers[slot])
            if size < 8:
                return number
            start = offsets[number]
            if offsets[number + 1] - start == size:
                k = first
                while k + 8 < end and words[k] == room[start + k - first]:
                    k += 8
                if k + 8 >= end and words[end - 8] == room[start + size - 8]:
                    return number
        slot = (slot + np.uint64(1)) & mask
    number = np.int64(state[0])
    if 2 * number + 4 > tags.size:
        state[1] = 1
        return 0
    start = offsets[number]
    for j in range(0, size, 8):
        room[start + j] = words[first + j]  # up to seven bytes too many, which the next text covers
    offsets[number + 1] = start + size
    tags[slot], numbers[slot] = tag, number
    state[0] = number + 1
    return number


@jit
def rehash(pool: Arrays) -> None:
    """Fill the slots of a pool anew after they were made larger."""
    offsets, room, state = pool[2], pool[3], pool[4]
    count = state[0]
    state[0] = 0
    for number in range(count):
        intern(room, offsets[number], offsets[number + 1], pool)


@jit
def decimals(value: float) -> int:
    """Decimals of a charge as the platform prints it."""
    out = BOUNDS.size
    while out > 0 and not value < BOUNDS[BOUNDS.size - out]:
        out -= 1
    return out


@jit
def charge(data: Bytes, first: int, end: int) -> float:
    """A charge that is printed by the platform's rule; NaN for anything else."""
    value, at = np.int64(0), first
    while at < end and data[at] >= ZERO and data[at] <= NINE:
        value = value * 10 + (np.int64(data[at]) - ZERO)
        at += 1
    if at == end and end > first and end - first <= EXACT:
        plain = value >= 100 and data[first] != ZERO
        return float(value) if plain or (value == 0 and end - first == 1) else np.nan
    number, point = decimal(data, first, end)
    real = number / SCALES[point]
    return real if point > 0 and number != 0 and decimals(real) == point else np.nan


@jit
def double(data: Bytes, first: int, end: int) -> float:
    """A double of few digits that Java prints without an exponent; NaN for anything else."""
    number, point = decimal(data, first, end)
    real = number / SCALES[point]
    size = abs(real)
    plain = number == 0 or (size >= 1e-3 and size < 1e7)
    return real if point > 0 and plain and (point == 1 or number % 10 != 0) else np.nan


@jit
def slots_of(keys: Any) -> Any:
    """The table that `plan_of` looks into."""
    slots = np.full(SLOTS, -1, dtype=np.int32)
    for plan in range(len(keys)):
        mixed = (keys[plan, 0] * 31 + keys[plan, 1]) * 2 + keys[plan, 2]
        slot = ((mixed * STEP) >> 32) & (SLOTS - 1)
        while slots[slot] >= 0:
            slot = (slot + 1) & (SLOTS - 1)
        slots[slot] = plan
    return slots


@jit
def read(  # noqa: PLR0912, PLR0915 - one function: each call in these loops would count references to ten arrays
    text: tuple[Bytes, Any, int], plans: Arrays, out: Arrays, history: Arrays, odd: Arrays, pools: tuple[Any, Any]
) -> tuple[int, int, int, int]:
    """One pass over the lines: how many (-1: one is no check-in line), moments, odd lines, fresh heads.

    `FULL` lines: a pool had no room; what was found is of no use, but what is in the pools stays right.
    """
    data, words, length = text
    slots, keys, starts, wants = plans
    cells, reals, tallies = out  # plan, line, uid and columns of each row, in two views; rows and bits of each plan
    numbers, deltas, firsts, tokens = history
    odd_lines, odd_starts, fresh = odd
    name_pool, word_pool = pools
    name_tags, name_numbers, name_offsets, name_room, name_state = name_pool
    word_tags, word_numbers, _, _, word_state = word_pool
    name_mask, word_mask = np.uint64(name_tags.size - 1), np.uint64(word_tags.size - 1)
    at, line, used, moments, strange, new, base = 0, 0, 0, 0, 0, 0, 0
    firsts[0] = 0
    while at < length:
        line_start, good = at, False
        if data[at] != NINE or data[at + 1] != COMMA:
            return -1, 0, 0, 0
        if data[at + 2] == H and data[at + 3] == COMMA:
            at += 4
            begin, value = at, np.int64(0)
            byte = np.int64(data[at]) - ZERO
            while byte >= 0 and byte <= 9:
                value = value * 10 + byte
                at += 1
                byte = np.int64(data[at]) - ZERO
            count = at - begin
            good = count > 0 and count < 19 and (count == 1 or data[begin] != ZERO) and data[at] == COMMA
            now = used
            while good and data[at] != NEWLINE:
                begin = at + 1
                end = begin
                while data[end] != COMMA and data[end] != NEWLINE:
                    end += 1
                at = end
                good = data[begin] != DETAIL_D and data[begin] != DETAIL_X
                if good:
                    # the number of a text that is in the pool already; `intern` for a new one
                    size = end - begin
                    found = np.int64(-1)
                    if size < 8:
                        tag = np.uint64(size) << TOP
                        if size > 0:
                            tag |= words[begin] & (ALL >> np.uint64(64 - 8 * size))
                        slot = ((tag * SPREAD) >> HALF) & word_mask
                        while word_numbers[slot] >= 0:
                            if word_tags[slot] == tag:
                                found = np.int64(word_numbers[slot])
                                break
                            slot = (slot + np.uint64(1)) & word_mask
                    if found < 0:
                        found = np.int64(intern(words, begin, end, word_pool))
                    tokens[now] = found
                    now += 1
            if good:
                numbers[moments], deltas[moments] = line, value
                moments += 1
                used = now
                firsts[moments] = used
        else:
            # the uid, a window of one letter, a code of up to seven
            at += 2
            negative = np.int64(data[at] == MINUS)
            at += negative
            begin, uid = at, np.int64(0)
            byte = np.int64(data[at]) - ZERO
            while byte >= 0 and byte <= 9:
                uid = uid * 10 + byte
                at += 1
                byte = np.int64(data[at]) - ZERO
            count = at - begin
            headed = count > 0 and count < 19 and not (data[begin] == ZERO and count + negative > 1)
            headed = headed and data[at] == COMMA and data[at + 1] != NEWLINE and data[at + 2] == COMMA
            window, code, quoted, plan = np.int64(0), np.int64(0), np.int64(0), np.int64(-1)
            if headed:
                window = np.int64(data[at + 1])
                at += 3
                begin = at
                while data[at] != COMMA and data[at] != NEWLINE and at - begin < 8:
                    code |= np.int64(data[at]) << (8 * (at - begin))
                    at += 1
                headed = data[at] == COMMA and at - begin < 8 and at > begin
            if headed:
                if code == VERSION:
                    return -1, 0, 0, 0
                at += 1
                quoted = np.int64(data[at] == QUOTE)
                place = ((((code * 31 + window) * 2 + quoted) * STEP) >> 32) & (SLOTS - 1)
                while slots[place] >= 0:
                    plan = np.int64(slots[place])
                    if keys[plan, 0] == code and keys[plan, 1] == window and keys[plan, 2] == quoted:
                        break
                    plan = np.int64(-1)
                    place = (place + 1) & (SLOTS - 1)
            if plan >= 0 and starts[plan + 1] > starts[plan]:
                width = starts[plan + 1] - starts[plan]
                cells[base], cells[base + 1], cells[base + 2] = plan, line, (-uid if negative else uid)
                bits, good, there = uid, True, base + 3
                for want in range(starts[plan], starts[plan + 1]):
                    sort, begin = wants[want] & 255, at
                    if sort <= COUNTED:
                        word = words[at]
                        comma, newline = word ^ COMMAS, word ^ NEWLINES
                        ends = (((comma - ONES) & ~comma) | ((newline - ONES) & ~newline)) & HIGHS
                        negative = np.int64(word & LOWEST == DASH)
                        if ends != NO_BITS:
                            # up to seven bytes: all digits at once, without a branch that could be guessed wrongly
                            first_end = (ends & (~ends + ONE)) >> SEVEN
                            count = np.int64((first_end * PLACES) >> SIXTY_ONE) - negative
                            word = word >> np.uint64(8 * negative)
                            lead = np.int64(word & LOWEST == CIPHER)
                            word = (word << np.uint64((64 - 8 * count) & 63)) | (CIPHERS >> np.uint64((8 * count) & 63))
                            odd_bits = ((word & NIBBLES) ^ CIPHERS) | (((word + SIXES) & NIBBLES) ^ CIPHERS)
                            word = word - CIPHERS
                            word = word * TEN + (word >> EIGHT)
                            value = np.int64(((word & PAIRS) * HUNDREDS + ((word >> SIXTEEN) & PAIRS) * UNITS) >> HALF)
                            good = (count > 0) & (odd_bits == NO_BITS) & (lead * (count + negative) < 2)
                            at += count + negative
                        else:
                            at += negative
                            begin, value = at, np.int64(0)
                            byte = np.int64(data[at]) - ZERO
                            while byte >= 0 and byte <= 9:
                                value = value * 10 + byte
                                at += 1
                                byte = np.int64(data[at]) - ZERO
                            count = at - begin
                            good = count < 19 and data[begin] != ZERO
                        cells[there] = -value if negative else value
                        bits |= value
                    else:
                        # where the field ends, eight bytes at a time
                        while True:
                            comma, newline = words[at] ^ COMMAS, words[at] ^ NEWLINES
                            if (((comma - ONES) & ~comma) | ((newline - ONES) & ~newline)) & HIGHS != np.uint64(0):
                                break
                            at += 8
                        while data[at] != COMMA and data[at] != NEWLINE:
                            at += 1
                        end = at
                        if sort == LETTER:
                            size = end - begin
                            good = size > 0 and size < 8
                            mask = ALL >> np.uint64((64 - 8 * size) & 63)
                            good = good and np.int64(words[begin] & mask) == wants[want] >> 8
                            cells[there] = 0
                        elif sort <= QUOTED_NAME:
                            opens = data[begin] == QUOTE
                            if sort == QUOTED_NAME:
                                good = opens and end - begin > 1 and data[end - 1] == QUOTE
                                begin += 1
                                end -= 1
                            elif opens and sort == NAME:
                                good = False
                            if good:
                                # the number of a text that is in the pool already; `intern` for a new one
                                size = end - begin
                                found = np.int64(-1)
                                if size < 8:
                                    tag = np.uint64(size) << TOP
                                    if size > 0:
                                        tag |= words[begin] & (ALL >> np.uint64(64 - 8 * size))
                                    slot = ((tag * SPREAD) >> HALF) & name_mask
                                    while name_numbers[slot] >= 0:
                                        if name_tags[slot] == tag:
                                            found = np.int64(name_numbers[slot])
                                            break
                                        slot = (slot + np.uint64(1)) & name_mask
                                else:
                                    mixed, k = np.uint64(size), begin
                                    while k + 8 < end:
                                        mixed = (mixed ^ words[k]) * SPREAD
                                        mixed ^= mixed >> HALF
                                        k += 8
                                    mixed = (mixed ^ words[end - 8]) * SPREAD
                                    tag = mixed | LONG
                                    slot = (mixed >> HALF) & name_mask
                                    while name_numbers[slot] >= 0:
                                        if name_tags[slot] == tag:
                                            number = np.int64(name_numbers[slot])
                                            start = name_offsets[number]
                                            if name_offsets[number + 1] - start == size:
                                                k = begin
                                                while k + 8 < end and words[k] == name_room[start + k - begin]:
                                                    k += 8
                                                if k + 8 >= end and words[end - 8] == name_room[start + size - 8]:
                                                    found = number
                                                    break
                                        slot = (slot + np.uint64(1)) & name_mask
                                if found < 0:
                                    found = np.int64(intern(words, begin, end, name_pool))
                                cells[there] = found
                        else:
                            real = charge(data, begin, end) if sort == MAH else double(data, begin, end)
                            reals[there] = real
                            if np.isnan(real):
                                good = sort != MAH
                                if good:
                                    cells[there] = NAN_BOX | intern(words, begin, end, name_pool)
                                    bits |= OPEN
                    if not good or data[at] != (NEWLINE if there == base + width + 2 else COMMA):
                        good = False
                        break
                    there += 1
                    at += 1
                at -= np.int64(good)
                if good:
                    base += width + 3
                    tallies[plan, 0] += 1
                    tallies[plan, 1] |= bits
            elif headed and plan < 0 and new < FRESH:
                commas = 1
                while data[at] != NEWLINE:
                    commas += data[at] == COMMA
                    at += 1
                fresh[new, 0], fresh[new, 1], fresh[new, 2], fresh[new, 3] = code, window, quoted, commas
                new += 1
        while data[at] != NEWLINE:
            at += 1
        if not good:
            odd_lines[strange], odd_starts[strange] = line, line_start
            strange += 1
        at += 1
        line += 1
    if name_state[1] or word_state[1]:
        return FULL, 0, 0, 0
    return line, moments, strange, new


@jit
def sort_rows(cells: Any, widths: Any, bases: Any, rows: Any, wide: Any, out: tuple[Any, Any]) -> None:
    """Rows in the order of the lines to the rows of their plans, in 8 bytes a cell or in 4."""
    eights, fours = out
    next_row = bases.copy()
    at = 0
    for _ in range(rows.sum()):
        plan = cells[at]
        width = widths[plan] + 2
        there = next_row[plan]
        if wide[plan]:
            for k in range(width):
                eights[there + k] = cells[at + 1 + k]
        else:
            for k in range(width):
                fours[there + k] = cells[at + 1 + k]
        next_row[plan] = there + width
        at += width + 1


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
