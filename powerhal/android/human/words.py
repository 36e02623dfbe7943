"""What the lines of `dumpsys batterystats` are made of: durations, counts, sizes, charges, as patterns and values.

Ratios and sizes are printed in the phone's language (`99,2%`, `9,54KB`), everything else in English.
"""

from __future__ import annotations

import re
from math import isfinite

D = r"-?(?:[0-9]+(?:ms|d|h|m|s) ?)+"
N = r"([0-9]{1,18})"
RATIO = r"\((?:[^()%]{0,24}%|%[^()]{0,24})\)"  # the sign stands before the digits in some languages
NUM = r"(?:-?[0-9]{1,18}(?:\.[0-9]{1,18})?(?:E-?[0-9]{1,2})?|NaN|-?Infinity)"
SIZE = r"(\S{1,40}?[BKMGTP]B?)"
BYTES = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}


def size_bytes(text: str) -> float | None:
    """A size as printed (`9.54KB`): rounded by the platform to two digits behind the point; None if it is none."""
    match = re.fullmatch(r"(\d{1,18})(?:[.,\u066b](\d{1,9}))?([KMGT]?B)", text)
    return float(f"{int(match[1])}.{_digits(match[2] or '0')}") * BYTES[match[3]] if match else None


def charge_mah(text: str) -> float | None:
    """A charge as printed; None for what is no finite number."""
    value = float(text)
    return value if isfinite(value) else None


def _digits(text: str) -> str:
    """Decimal digits of any script as ASCII."""
    return "".join(str(int(digit)) for digit in text)
