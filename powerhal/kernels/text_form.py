"""The numbers that text kernels and their callers share: what a column wants, and how open reals are marked."""

from __future__ import annotations

from collections.abc import Sequence

# a column: whole numbers (COUNTED: `N/A` is left to others), a constant, text, a name that stands bare or in quotes,
# a text of the history's pool (in quotes, nothing escaped in it), charges by the platform's rule, Java's doubles
INTEGER, COUNTED, LETTER, WORD, NAME, QUOTED_NAME, POOLED, MAH, REAL = 0, 1, 2, 3, 4, 5, 6, 7, 8
NAN_BOX = 0x7FF9_0000_0000_0000  # a real that was not decided: a NaN that holds the number of its text
OPEN = -1 << 63  # in the bits of a plan: reals are open
EXACT = 15  # digits that a float64 holds exactly
VERSION = int.from_bytes(b"vers", "little")  # the code of lines after which other plans hold: not read here
PLANS = 128  # heads of lines that are planned for
FRESH = 1024  # heads that are told of in one pass
POOL = int.from_bytes(b"hsp", "little")  # the code of lines of the history's pool; they have no window: 0
COMMAS = 32  # that a name in quotes may have
PADDING = 64  # bytes behind the last newline, so that as many can be read from any place
# mAh are printed with 8 decimals below the first bound, 7 below the second, ... none above the last
CHARGE_BOUNDS = (1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0, 100.0)


def may_have_commas(wants: Sequence[int]) -> bool:
    """Whether commas in the only text of a line leave no doubt: it stands in quotes, all other columns are numbers."""
    sorts = [want & 255 for want in wants]
    return [sort for sort in sorts if sort > COUNTED] in ([QUOTED_NAME], [POOLED]) and len(sorts) < 1 << 10


def cells(wants: Sequence[int]) -> int:
    """How many columns of a line are kept: all but constants."""
    return sum(want & 255 != LETTER for want in wants)
