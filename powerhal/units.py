"""Quantities: SI units inside, the unit in the name, text such as '10 mOhm' only at the border.

Sign convention of the whole project: positive power and current flow into the load, out of
the battery. Every source converts to it once, where it decodes.
"""

from __future__ import annotations

import math
import re

PREFIXES = {
    "": 1.0, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9,
}  # fmt: skip

# unit as written -> (dimension, factor to SI); prefixes apply to those marked True
UNITS: dict[str, tuple[str, float, bool]] = {
    "Ohm": ("resistance", 1.0, True),
    "ohm": ("resistance", 1.0, True),
    "Ω": ("resistance", 1.0, True),
    "V": ("voltage", 1.0, True),
    "A": ("current", 1.0, True),
    "W": ("power", 1.0, True),
    "J": ("energy", 1.0, True),
    "Wh": ("energy", 3600.0, True),
    "C": ("charge", 1.0, True),
    "Ah": ("charge", 3600.0, True),
    "Hz": ("frequency", 1.0, True),
    "s": ("time", 1.0, True),
    "min": ("time", 60.0, False),
    "h": ("time", 3600.0, False),
    "d": ("time", 86400.0, False),
    "y": ("time", 31557600.0, False),
    "B": ("bytes", 1.0, True),
    "bit/s": ("bitrate", 1.0, True),
    "Bd": ("bitrate", 1.0, True),
    "g": ("mass", 1e-3, True),
    "degC": ("temperature", 1.0, False),
    "°C": ("temperature", 1.0, False),
    "%": ("ratio", 0.01, False),
}

SI = {
    "resistance": "Ohm", "voltage": "V", "current": "A", "power": "W", "energy": "J", "charge": "C",
    "frequency": "Hz", "time": "s", "bytes": "B", "bitrate": "bit/s", "mass": "kg",
    "temperature": "degC", "ratio": "",
}  # fmt: skip

_TEXT = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\d\s].*?)?\s*", re.ASCII | re.DOTALL)


def parse_quantity(text: str, dimension: str) -> float:
    """Number with unit ('10 mOhm', '400 kHz', '55.5 kg') as an SI float of that dimension.

    Raises ValueError with a sentence that says what to write instead: a missing or foreign unit,
    an unknown prefix, a number that is not finite.
    """
    match = _TEXT.fullmatch(text)
    si = SI[dimension] or "%"
    if not match:
        raise ValueError(f"{text!r} is not a number with a unit; write for example '10 {si}'")
    number, unit = float(match[1]), match[2] or ""
    if not unit:
        raise ValueError(f"{text!r} has no unit; write '{match[1]} {si}' or with a prefix, e.g. 'm{si}'")
    factor, found = _unit(unit)
    if found != dimension:
        known = "" if found else f"unknown unit {unit!r}; "
        raise ValueError(f"{known}{text!r} is not a {dimension}; write it in {si}")
    value = number * factor
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a finite number")
    return value


def _unit(text: str) -> tuple[float, str]:
    """Factor to SI and dimension of a unit as written; ('', 0) dimension when unknown."""
    if text in UNITS:
        dimension, factor, _ = UNITS[text]
        return factor, dimension
    prefix, base = text[:1], text[1:]
    if base in UNITS and prefix in PREFIXES and UNITS[base][2]:
        dimension, factor, _ = UNITS[base]
        return factor * PREFIXES[prefix], dimension
    return 0.0, ""


def format_quantity(value: float | None, unit: str, digits: int = 3) -> str:
    """Value with `digits` significant digits and an SI prefix, '—' when unknown (None or NaN)."""
    if value is None or math.isnan(value):
        return "—"
    if value == 0 or math.isinf(value):
        return f"{value:g} {unit}"
    for prefix, factor in (("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1.0), ("m", 1e-3), ("µ", 1e-6)):
        if abs(value) >= factor * (1 - 0.5 * 10**-digits):
            break
    return f"{significant(value / factor, digits)} {prefix}{unit}"


def significant(value: float | None, digits: int = 3) -> str:
    """Plain decimal text with `digits` significant digits ('612', '0.0480'), '—' when unknown."""
    if value is None or math.isnan(value):
        return "—"
    if value == 0 or math.isinf(value):
        return f"{value:g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{decimals}f}"
