"""Typed values of check-in columns, both ways: text to value and value to exactly the text it came from.

A number is an int or a float where that prints as the platform printed it, and a `Decimal` where the print
holds fewer or other digits than the value alone tells (`0.00000000`, `100.0`); nothing keeps the text of a
number. `None` is the platform's own `N/A`. What cannot be read is `Malformed`, never zero.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from math import isfinite

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:E-?[1-9][0-9]{0,2})?", re.ASCII)
MAX_DIGITS = 400  # no counter or charge is longer; longer text is refused before anything converts it


@dataclass(frozen=True, slots=True)
class Malformed:
    """A column that is not of its kind: what stood there, and why it was refused."""

    text: str
    why: str


Value = int | float | str | Decimal | Malformed | None

# Android prints mAh with about three digits: below each bound so many decimals (BatteryStatsHelper.makemAh).
MAH_DECIMALS = ((1e-5, 8), (1e-4, 7), (1e-3, 6), (1e-2, 5), (1e-1, 4), (1.0, 3), (10.0, 2), (100.0, 1))


def print_mah(value: float) -> str:
    """A charge as the platform's `formatCharge` prints it; `value` in mAh."""
    if value == 0:
        return "0"
    if not isfinite(value):
        return print_double(value)
    decimals = next((d for bound, d in MAH_DECIMALS if value < bound), 0)
    return f"{value:.{decimals}f}"


def print_double(value: float) -> str:
    """A double as Java's `Double.toString` prints it (plain from 1e-3 to 1e7, else `1.2E-5`)."""
    if not isfinite(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    plain = repr(value)
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return plain
    return _scientific(Decimal(plain).normalize())


def _scientific(value: Decimal) -> str:
    """Java's form with one digit before the point and at least one behind it."""
    sign, digits, _ = value.as_tuple()
    text = "".join(map(str, digits))
    return f"{'-' * sign}{text[0]}.{text[1:] or '0'}E{value.adjusted()}"


def _print_decimal(value: Decimal) -> str:
    return format(value, "f")


def read_int(text: str) -> Value:
    """A whole number of any size, printed as Java prints it."""
    try:
        value = int(text) if len(text) <= MAX_DIGITS else None
    except ValueError:
        value = None
    if value is None or str(value) != text:
        return Malformed(text, "not a whole number" if text else "empty")
    return value


def read_count(text: str) -> Value:
    """A whole number, or the platform's `N/A` as None."""
    return None if text == "N/A" else read_int(text)


def _read_real(text: str, show: Callable[[float], str]) -> Value:
    if text in ("NaN", "Infinity", "-Infinity"):
        return float(text.lower())
    if len(text) > MAX_DIGITS or not NUMBER.fullmatch(text):
        return Malformed(text, "not a number" if text else "empty")
    try:
        value: float | Decimal = float(text)
        if show(float(value)) == text:
            return value
        value = Decimal(text)
        return value if _print_decimal(value) == text else Malformed(text, "not printed as the platform prints")
    except (ArithmeticError, ValueError):
        return Malformed(text, "out of range")


def read_mah(text: str) -> Value:
    """A charge in mAh by the platform's rule."""
    return _read_short_mah(text) if len(text) < 32 else _read_real(text, print_mah)


@lru_cache(maxsize=4096)
def _read_short_mah(text: str) -> Value:
    return _read_real(text, print_mah)


def read_double(text: str) -> Value:
    """A Java double."""
    return _read_real(text, print_double)


def read_any(text: str) -> Value:
    """A column nobody described: a whole number where it is one, else text."""
    value = read_int(text)
    return text if isinstance(value, Malformed) else value


def read_str(text: str) -> Value:
    """Text as it stands."""
    return text


READ: dict[str, Callable[[str], Value]] = {
    "int": read_int,
    "count": read_count,
    "mah": read_mah,
    "double": read_double,
    "str": read_str,
    "name": read_str,
    "letter": read_str,
    "any": read_any,
}


def show(value: Value, kind: str) -> str:
    """A value as text of its column's kind: the inverse of `READ[kind]`."""
    if type(value) is int:
        return str(value)
    if isinstance(value, str):
        return value
    if value is None:
        return "N/A"
    if isinstance(value, Malformed):
        return value.text
    if isinstance(value, Decimal):
        return _print_decimal(value)
    return print_double(value) if kind == "double" else print_mah(value)


def number(value: Value) -> int | float | None:
    """A value for arithmetic: None for what is absent, malformed or no number."""
    if isinstance(value, int):
        return value
    real = float(value) if isinstance(value, float | Decimal) else float("nan")
    return real if isfinite(real) else None
