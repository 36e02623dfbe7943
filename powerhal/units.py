"""Quantities: SI units inside, the unit in the name, text such as '10 mOhm' only at the border.

Sign convention of the whole project: positive power and current flow into the load, out of
the battery. Every source converts to it once, where it decodes.
"""

from __future__ import annotations

import math
import re
from typing import Final

PREFIXES: Final = {
    "": 1.0, "p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9,
}  # fmt: skip

#: Unit as written -> (dimension, factor to SI, whether prefixes apply).
UNITS: Final[dict[str, tuple[str, float, bool]]] = {
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
    "KiB": ("bytes", 1024.0, False),
    "MiB": ("bytes", 1048576.0, False),
    "GiB": ("bytes", 1073741824.0, False),
    "bit/s": ("bitrate", 1.0, True),
    "Bd": ("bitrate", 1.0, True),
    "g": ("mass", 1e-3, True),
    "degC": ("temperature", 1.0, False),
    "°C": ("temperature", 1.0, False),
    "%": ("ratio", 0.01, False),
    # P = C f V^2, so the device tree's dynamic-power-coefficient is a capacitance: 1 uW/MHz/V^2 = 1 pF.
    "F": ("capacitance", 1.0, True),
    "uW/MHz/V^2": ("capacitance", 1e-12, False),
    "g/kWh": ("carbon intensity", 1e-3 / 3.6e6, False),
}

#: Dimension -> SI unit.
SI: Final = {
    "resistance": "Ohm", "voltage": "V", "current": "A", "power": "W", "energy": "J", "charge": "C",
    "frequency": "Hz", "time": "s", "bytes": "B", "bitrate": "bit/s", "mass": "kg", "temperature": "degC",
    "ratio": "", "capacitance": "F", "carbon intensity": "kg/J",
}  # fmt: skip

#: Dimension -> units a person would write, the most likely first (for messages).
USUAL: Final = {
    "resistance": ("mOhm", "Ohm"), "voltage": ("V", "mV"), "current": ("A", "mA"), "power": ("W", "mW"),
    "energy": ("J", "Wh"), "charge": ("mAh", "Ah"), "frequency": ("Hz", "MHz"), "time": ("s", "ms"),
    "bytes": ("kB", "MB"), "bitrate": ("bit/s", "Mbit/s"), "mass": ("kg", "g"), "temperature": ("degC",),
    "ratio": ("%",), "capacitance": ("uW/MHz/V^2", "pF"), "carbon intensity": ("g/kWh",),
}  # fmt: skip

#: Dimension -> ending of a name that holds such a value in SI (`tail_s`, `idle_w`).
SUFFIX: Final = {
    "resistance": "ohms", "voltage": "v", "current": "a", "power": "w", "energy": "j", "charge": "c",
    "frequency": "hz", "time": "s", "bytes": "b", "bitrate": "bps", "mass": "kg", "temperature": "degc",
    "ratio": "ratio", "capacitance": "f", "carbon intensity": "kg_per_j",
}  # fmt: skip

_SHOWN = (("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1.0), ("m", 1e-3), ("µ", 1e-6), ("n", 1e-9), ("p", 1e-12))

_TEXT = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\d\s].*?)?\s*", re.ASCII | re.DOTALL)

_COMMA = re.compile(r"\s*[-+]?\d+,\d+(?![\d,])", re.ASCII)


def parse_quantity(text: str, dimension: str) -> float:
    """Number with unit ('10 mOhm', '400 kHz', '55.5 kg') as an SI float of that dimension.

    Raises ValueError with a sentence that says what to write instead: a missing or foreign unit,
    an unknown prefix, a number that is not finite.
    """
    number, unit, factor, found = _split(text, USUAL[dimension][0])
    wanted = " or ".join(USUAL[dimension])
    if not unit:
        first = text.strip()
        raise ValueError(f"{text!r} has no unit; write " + " or ".join(f"'{first} {u}'" for u in USUAL[dimension]))
    if found != dimension:
        known = f"a {found}" if found else f"unknown unit {unit!r}"
        raise ValueError(f"{text!r} is not a {dimension} ({known}); write it in {wanted}")
    return _finite(number * factor, text)


def parse_any(text: str) -> tuple[float, str]:
    """Number with any known unit as (SI float, dimension); raises ValueError like `parse_quantity`."""
    number, unit, factor, found = _split(text, "s")
    if not unit:
        raise ValueError(f"{text!r} has no unit; write for example '{text.strip()} s' or '{text.strip()} mW'")
    if not found:
        raise ValueError(f"unknown unit {unit!r} in {text!r}")
    return _finite(number * factor, text), found


def pattern(dimension: str) -> str:
    """Regular expression (ECMA 262) of the texts that `parse_quantity` takes for a dimension, for editors."""
    plain = [re.escape(u) for u, (d, _, _) in UNITS.items() if d == dimension]
    scaled = [re.escape(u) for u, (d, _, prefixed) in UNITS.items() if d == dimension and prefixed]
    units = "|".join(plain)
    if scaled:
        units += f"|[{''.join(PREFIXES)}](?:{'|'.join(scaled)})"
    return rf"^\s*[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\s*(?:{units})\s*$"


def _split(text: str, example: str) -> tuple[float, str, float, str]:
    """Number, unit as written, factor to SI and dimension ('' when unknown) of a quantity."""
    if _COMMA.match(text):
        raise ValueError(
            f"{text[:60]!r} has a comma; write the number with a point: {text[:60].replace(',', '.', 1)!r}"
        )
    match = _TEXT.fullmatch(text)
    if not match:
        raise ValueError(f"{text[:60]!r} is not a number with a unit; write for example '10 {example}'")
    unit = match[2] or ""
    factor, dimension = _unit(unit)
    return float(match[1]), unit, factor, dimension


def _finite(value: float, text: str) -> float:
    if not math.isfinite(value):
        raise ValueError(f"{text[:60]!r} is not a finite number")
    return value


def _unit(text: str) -> tuple[float, str]:
    """Factor to SI and dimension of a unit as written; '' as dimension when unknown."""
    if text in UNITS:
        dimension, factor, _ = UNITS[text]
        return factor, dimension
    prefix, base = text[:1], text[1:]
    if base in UNITS and prefix in PREFIXES and UNITS[base][2]:
        dimension, factor, _ = UNITS[base]
        return factor * PREFIXES[prefix], dimension
    return 0.0, ""


def format_quantity(value: float | None, unit: str, digits: int = 3) -> str:
    """Value with `digits` significant digits and an SI prefix, '—' when unknown (None or NaN).

    Takes SI values: 'kg' is shown in grams; '' (ratios, counts) and 'degC' never get a prefix.
    """
    if value is None or math.isnan(value):
        return "—"
    if unit == "kg":
        value, unit = value * 1e3, "g"
    if value == 0 or math.isinf(value):
        return f"{value:g} {unit}".rstrip()
    if unit in ("", "degC"):
        return f"{significant(value, digits)} {unit}".rstrip()
    shown = [item for item in _SHOWN if abs(value) >= item[1] * (1 - 0.5 * 10**-digits)]
    prefix, factor = shown[0] if shown else _SHOWN[-1]
    return f"{significant(value / factor, digits)} {prefix}{unit}"


def significant(value: float | None, digits: int = 3) -> str:
    """Plain decimal text with `digits` significant digits ('612', '0.0480'), '—' when unknown."""
    if value is None or math.isnan(value):
        return "—"
    if value == 0 or math.isinf(value):
        return f"{value:g}"
    # Rounding first: 99.97 with three digits is 100, not 100.0.
    exponent = int(f"{abs(value):.{digits - 1}e}".partition("e")[2])
    return f"{value:.{max(0, digits - 1 - exponent)}f}"


def column_prefix(largest: float) -> tuple[str, float]:
    """SI prefix and its factor for a column of numbers of one unit, so that the largest is at least 1 ('m', 1e-3).

    Never above 1: a column of joules stays joules. `largest` in SI; '' for 0, NaN and infinity.
    """
    size = abs(largest)
    if not 0.0 < size < 1.0 or math.isnan(size):
        return "", 1.0
    shown = [item for item in _SHOWN if item[1] <= 1.0]
    return next((item for item in shown if size >= item[1] * (1 - 0.5e-3)), shown[-1])


def scaled_unit(unit: str, largest: float) -> tuple[str, float]:
    """Unit with the prefix of `column_prefix`, and its factor: ('pW/(Hz V²)', 1e-12); ratios (W/W, 1/W, %) get none."""
    above, _, below = unit.partition("/")
    if not unit or above in ("1", "%", "degC") or above == below:
        return unit, 1.0
    prefix, factor = column_prefix(largest)
    return prefix + unit, factor


def tabular(value: float | None, digits: int = 3, decimals: int = 6) -> str:
    """A number of a column: `digits` significant digits, at most `decimals` decimals, so that columns stay narrow.

    '—' when unknown, '0' for what rounds to it there.
    """
    text = significant(value, digits)
    if value is None or len(text.partition(".")[2]) <= decimals:
        return text
    short = f"{value:.{decimals}f}"
    return "0" if float(short) == 0.0 else short
