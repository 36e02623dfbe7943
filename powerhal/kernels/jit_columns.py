"""Columns of check-in lines whose separators are known: whole numbers, constants, texts, charges, doubles.

Each function reads one column of the lines of one plan: column `field` of line r ends at `ends[spots[r] + field]`.
Where a field is not as its kind wants it, `odd[r]` becomes 1 and the value means nothing.
"""

# mypy: disable-error-code="assignment, return-value, arg-type, no-any-return"
# (numba gives every name one type, int64; to mypy numpy's and Python's integers are two)
from __future__ import annotations

from typing import Any

import numpy as np

from powerhal.kernels.edge import Bytes
from powerhal.kernels.jit import jit
from powerhal.kernels.jit_bytes import lowest, word_at
from powerhal.kernels.text_form import CHARGE_BOUNDS, EXACT

MINUS, QUOTE, BACKSLASH, DIGITS = 45, 34, 92, 18
ALL, NO_BITS, ONE, TEN, EIGHT, SIXTEEN, HALF = (np.uint64(n) for n in (0xFFFFFFFFFFFFFFFF, 0, 1, 10, 8, 16, 32))
LOWEST, DASH, CIPHER = (np.uint64(n) for n in (255, 45, 48))
# eight digits at once (Lemire): all of them checked, then added up in pairs
CIPHERS, HIGHS, ABOVE_NINE = (np.uint64(0x0101010101010101 * n) for n in (48, 128, 118))
PAIRS, HUNDREDS, UNITS = np.uint64(0xFF000000FF), np.uint64(0xF424000000064), np.uint64(0x271000000001)
ONES, POINTS = np.uint64(0x0101010101010101), np.uint64(0x2E2E2E2E2E2E2E2E)
SCALES = 10.0 ** np.arange(23)
TENS = 10 ** np.arange(19)
FIVES = 5 ** np.arange(21)
BOUNDS = np.array(CHARGE_BOUNDS)
FRACTION, HIDDEN, BIAS = (1 << 52) - 1, 1 << 52, 1075  # of a float64


@jit
def eight(digits: Any) -> int:
    """The number that eight bytes of 0 to 9 mean, the first one lowest."""
    pairs = digits * TEN + (digits >> EIGHT)
    return np.int64(((pairs & PAIRS) * HUNDREDS + ((pairs >> SIXTEEN) & PAIRS) * UNITS) >> HALF)


@jit
def wrong(digits: Any) -> Any:
    """Bits where a byte is above 9."""
    return ((digits + ABOVE_NINE) | digits) & HIGHS


@jit
def long(data: Bytes, begin: int, size: int) -> tuple[int, Any]:
    """A number of at most 19 digits (modulo 2**64), and bits where a byte is no digit."""
    first = ((size - 1) & 7) + 1
    digits = (word_at(data, begin) ^ CIPHERS) << np.uint64(64 - 8 * first)
    value, odd = eight(digits), wrong(digits)
    for at in range(begin + first, begin + size, 8):
        digits = word_at(data, at) ^ CIPHERS
        value = value * 100000000 + eight(digits)
        odd |= wrong(digits)
    return value, odd


@jit
def integers(data: Bytes, ends: Any, spots: Any, first: int, out: Any, odd: Any) -> int:
    """Columns of whole numbers from field `first` on, as Java prints them, of up to 18 digits; all bits of their sizes.

    out (columns, rows or more) int64. Row by row: the end of a number is the beginning of the next.
    """
    bits = np.int64(0)
    for row in range(spots.size):
        k = np.uint64(spots[row]) + np.uint64(first)
        begin = np.int64(ends[k - ONE]) + 1
        for column in range(out.shape[0]):
            end = np.int64(ends[k])
            following, k = end + 1, k + ONE
            word = word_at(data, begin)
            negative = word & LOWEST == DASH
            if negative:
                begin += 1
                word = word_at(data, begin)
            size = end - begin
            if size <= 8:
                digits = (word ^ CIPHERS) << np.uint64((64 - 8 * size) & 63)
                value, bad = eight(digits), wrong(digits)
            else:
                value, bad = long(data, begin, min(size, DIGITS + 1))
            zero = (word & LOWEST == CIPHER) & ((size > 1) | negative)  # no branches: which are 0 cannot be guessed
            if (bad != NO_BITS) | (size < 1) | (size > DIGITS) | zero:
                odd[row] = 1
                value = np.int64(0)
            bits |= value
            out[column, row] = -value if negative else value
            begin = following
    return bits


@jit
def letters(data: Bytes, ends: Any, spots: Any, field: int, want: int, odd: Any) -> None:
    """Constants of up to seven bytes."""
    for row in range(spots.size):
        k = spots[row] + field
        begin = np.int64(ends[k - 1]) + 1
        size = np.int64(ends[k]) - begin
        found = np.int64(word_at(data, begin) & (ALL >> np.uint64((64 - 8 * size) & 63)))
        odd[row] |= (size < 1) | (size > 7) | (found != want) | (data[begin + size - 1] == 0)  # see `heads`


@jit
def bounds(ends: Any, fronts: Any, backs: Any, field: int, begins: Any, sizes: Any) -> None:
    """Where the fields begin, and their bytes; with commas in them they end at another separator than the next."""
    for row in range(fronts.size):
        begins[row] = ends[fronts[row] + field - 1] + 1
        sizes[row] = ends[backs[row] + field] - begins[row]


@jit
def unquoted(data: Bytes, begins: Any, sizes: Any, odd: Any) -> None:
    """Take the quotes off texts that must have them."""
    for row in range(begins.size):
        begin, size = begins[row], sizes[row]
        odd[row] |= (size < 2) | (data[begin] != QUOTE) | (data[begin + size - 1] != QUOTE)
        begins[row], sizes[row] = begin + 1, max(size - 2, 0)


@jit
def bare(data: Bytes, begins: Any, odd: Any) -> None:
    """No quote may open a text."""
    for row in range(begins.size):
        odd[row] |= data[begins[row]] == QUOTE


@jit
def unescaped(data: Bytes, begins: Any, sizes: Any, odd: Any) -> None:
    """No quote or backslash may stand in a text."""
    for row in range(begins.size):
        for at in range(begins[row], begins[row] + sizes[row]):
            odd[row] |= (data[at] == QUOTE) | (data[at] == BACKSLASH)


@jit
def decimal(data: Bytes, begin: int, end: int) -> tuple[int, int]:
    """A number with a point: its digits as one number, and how many stand behind the point; 0 of them for none.

    At most seven digits before the point (platforms print larger ones otherwise) and 19 in all, or behind `0.`.
    """
    negative = np.int64(data[begin] == MINUS)
    begin += negative
    word = word_at(data, begin)
    found = word ^ POINTS
    before = lowest((found - ONES) & ~found & HIGHS) >> 3
    behind = end - begin - before - 1
    zero = np.int64(word & LOWEST == CIPHER)
    if before < 1 or before > 7 or behind < 1 or before + behind - zero > DIGITS + 1:
        return 0, 0
    digits = (word ^ CIPHERS) << np.uint64(64 - 8 * before)
    fraction, odd = long(data, begin + before + 1, behind)
    if (wrong(digits) | odd) != NO_BITS or (before > 1 and zero):
        return 0, 0
    whole = eight(digits)
    value = whole * TENS[min(behind, DIGITS)] + fraction  # 19 behind the point: 0 is before it, or it is too many
    if (behind > DIGITS and whole != 0) or value < 0 or value >= TENS[17] or (negative and value == 0):
        return 0, 0
    return (-value if negative else value), behind


@jit
def decimals(value: float) -> int:
    """Decimals of a charge as the platform prints it."""
    out = BOUNDS.size
    while out > 0 and not value < BOUNDS[BOUNDS.size - out]:
        out -= 1
    return out


@jit
def charges(data: Bytes, ends: Any, spots: Any, field: int, out: Any, odd: Any) -> None:
    """Charges that are printed by the platform's rule."""
    for row in range(spots.size):
        k = spots[row] + field
        begin, end = np.int64(ends[k - 1]) + 1, np.int64(ends[k])
        number, point = decimal(data, begin, end)
        real = number / SCALES[point]
        good = point > 0 and number != 0 and abs(number) < TENS[EXACT] and decimals(real) == point
        if point == 0 and end > begin and end - begin <= EXACT:
            number, bad = long(data, begin, end - begin)
            real = float(number)
            one = end - begin == 1
            good = bad == NO_BITS and ((number >= 100 and data[begin] != 48) or (one and number == 0))
        out[row] = real
        odd[row] |= not good


@jit
def shortest(number: int, point: int) -> float:
    """The double that Python prints with these 16 or 17 digits (`point` of them behind the point); NaN for none.

    Between 1e-3 and 1e7 all that matters is exact in 64 bits: times 2**shift * 10**point, a double is 4 m 5**point
    (m of 53 bits), its neighbours are 4 * 5**point away, and decimals of as many digits 2**shift.
    """
    real = number / SCALES[point]
    if not (real >= 1e-3 and real < 1e7):
        return np.nan
    bits, five = np.int64(np.float64(real).view(np.int64)), FIVES[point]
    m, shift, away = HIDDEN, 0, 0
    for _ in range(3):  # the quotient may be a neighbour of the nearest one
        m, shift = (bits & FRACTION) | HIDDEN, 2 - point + BIAS - (bits >> 52)
        away = (number << shift) - 4 * m * five  # wraps; the difference is small
        if away <= 2 * five and -away <= (2 * five if m > HIDDEN else five):
            break
        bits += 1 if away > 0 else -1
    even = np.int64(m & 1 == 0)
    above, below = 2 * five + even, (2 * five if m > HIDDEN else five) + even
    last, half = number % 10, (np.int64(1) << (shift - 1)) + (number & 1 == 0)
    nearest = away < min(above, half) and -away < min(below, half)
    shorter = (last << shift) - away < below or ((10 - last) << shift) + away < above
    return np.int64(bits).view(np.float64) if nearest and not shorter else np.nan


@jit
def doubles(data: Bytes, ends: Any, spots: Any, field: int, out: Any) -> int:
    """Doubles that Java and Python print alike, without an exponent; NaN for others. How many of these there are."""
    left = 0
    for row in range(spots.size):
        k = spots[row] + field
        number, point = decimal(data, np.int64(ends[k - 1]) + 1, np.int64(ends[k]))
        size = abs(number)
        real = size / SCALES[point] if size < TENS[EXACT] else shortest(size, point)
        good = point > 0 and (size == 0 or (real >= 1e-3 and real < 1e7)) and (point == 1 or number % 10 != 0)
        left += not good
        out[row] = np.nan if not good else -real if number < 0 else real
    return left
