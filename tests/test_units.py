from __future__ import annotations

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal import units
from powerhal.units import format_quantity, parse_any, parse_quantity, pattern, significant


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("10 mOhm", "resistance", 0.01),
        ("10mOhm", "resistance", 0.01),
        (" 0.1 Ω ", "resistance", 0.1),
        ("400 kHz", "frequency", 400e3),
        ("1708.8 MHz", "frequency", 1708.8e6),
        ("90 %", "ratio", 0.9),
        ("3000 mAh", "charge", 10800.0),
        ("11 Wh", "energy", 39600.0),
        ("55.5 kg", "mass", 55.5),
        ("250 g", "mass", 0.25),
        ("3 y", "time", 3 * 365.25 * 86400),
        ("2 min", "time", 120.0),
        ("588 us", "time", 588e-6),
        ("588 µs", "time", 588e-6),
        ("310 uW/MHz/V^2", "capacitance", 310e-12),
        ("310 pF", "capacitance", 310e-12),
        ("360 g/kWh", "carbon intensity", 1e-7),
        ("1e-3 V", "voltage", 1e-3),
        ("-5 mA", "current", -5e-3),
        ("4 KiB", "bytes", 4096.0),
        ("9600 Bd", "bitrate", 9600.0),
    ],
)
def test_reads_what_people_write(text: str, dimension: str, value: float) -> None:
    assert parse_quantity(text, dimension) == pytest.approx(value, rel=1e-12)
    assert parse_any(text) == (pytest.approx(value, rel=1e-12), dimension)


@pytest.mark.parametrize(
    ("text", "dimension", "says"),
    [
        ("10", "resistance", "'10' has no unit; write '10 mOhm' or '10 Ohm'"),
        ("10 mV", "resistance", "'10 mV' is not a resistance (a voltage); write it in mOhm or Ohm"),
        ("10 mOm", "resistance", "unknown unit 'mOm'"),
        ("10 mohms", "resistance", "unknown unit 'mohms'"),
        ("ten Ohm", "resistance", "not a number with a unit"),
        ("", "resistance", "not a number with a unit"),
        ("1,5 V", "voltage", "write the number with a point: '1.5 V'"),
        ("1e999 V", "voltage", "not a finite number"),
        ("5 k%", "ratio", "unknown unit"),
        ("5 mmin", "time", "unknown unit"),
        ("inf V", "voltage", "not a number with a unit"),
        ("1 2 V", "voltage", "not a number with a unit"),
    ],
)
def test_says_what_to_write_instead(text: str, dimension: str, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        parse_quantity(text, dimension)


def test_a_superscript_or_foreign_digit_is_no_number() -> None:
    for text in ("٣ V", "5² V"):
        with pytest.raises(ValueError, match=r"number with a unit|unknown unit"):
            parse_quantity(text, "voltage")


@settings(deadline=None)
@given(st.floats(-1e12, 1e12), st.sampled_from(sorted(units.UNITS)))
def test_every_unit_matches_its_own_editor_pattern(number: float, unit: str) -> None:
    text = f"{number!r} {unit}"
    dimension, factor, _ = units.UNITS[unit]
    assert re.search(pattern(dimension), text)
    assert parse_quantity(text, dimension) == pytest.approx(number * factor)


@settings(deadline=None)
@given(st.text(max_size=20))
def test_pattern_and_parser_agree(text: str) -> None:
    for dimension in units.SI:
        try:
            parse_quantity(text, dimension)
        except ValueError:
            continue
        assert re.search(pattern(dimension), text)


@settings(deadline=None)
@given(st.text(max_size=30))
def test_hostile_text_gives_a_value_or_a_valueerror(text: str) -> None:
    try:
        value, dimension = parse_any(text)
    except ValueError:
        return
    assert math.isfinite(value)
    assert dimension in units.SI


def test_tables_cover_each_other() -> None:
    dimensions = {d for d, _, _ in units.UNITS.values()}
    assert dimensions == set(units.SI) == set(units.USUAL) == set(units.SUFFIX)
    for dimension, names in units.USUAL.items():
        for name in names:
            parse_quantity(f"1 {name}", dimension)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.612, "W", "612 mW"),
        (612.0, "J", "612 J"),
        (0.9999, "V", "1.00 V"),
        (999.6, "W", "1.00 kW"),
        (0.0, "W", "0 W"),
        (None, "W", "—"),
        (math.nan, "W", "—"),
        (2.17e-3, "kg", "2.17 g"),
        (0.5, "", "0.500"),
        (0.02, "degC", "0.0200 degC"),
        (-0.25, "A", "-250 mA"),
        (3e-12, "W", "3.00 pW"),
        (1.0e12, "Hz", "1000 GHz"),
    ],
)
def test_shows_three_digits(value: float | None, unit: str, text: str) -> None:
    assert format_quantity(value, unit) == text


@settings(deadline=None)
@given(st.floats(1e-12, 1e12), st.integers(1, 6))
def test_significant_digits_are_as_many_as_asked(value: float, digits: int) -> None:
    shown = significant(value, digits)
    assert float(shown) == pytest.approx(value, rel=0.5 * 10 ** (1 - digits) * 1.001)
    assert "e" not in shown
    stripped = shown.replace(".", "").lstrip("0")
    assert len(stripped) == digits or value >= 10**digits


@pytest.mark.parametrize(
    ("largest", "prefix"),
    [
        (175.0, ""),
        (1.0, ""),
        (0.9999, ""),
        (0.5, "m"),
        (-0.02, "m"),
        (3e-8, "n"),
        (1e-15, "p"),
        (0.0, ""),
        (math.nan, ""),
    ],
)
def test_a_column_gets_the_prefix_that_makes_its_largest_number_readable(largest: float, prefix: str) -> None:
    shown, factor = units.column_prefix(largest)
    assert shown == prefix
    assert factor == units.PREFIXES[prefix]


@pytest.mark.parametrize(
    ("unit", "largest", "shown"),
    [
        ("W/(Hz V²)", 1.9e-10, ("pW/(Hz V²)", 1e-12)),
        ("J/B", 9e-8, ("nJ/B", 1e-9)),
        ("W", 2.2, ("W", 1.0)),
        ("W/W", 0.9, ("W/W", 1.0)),
        ("1/W", 0.03, ("1/W", 1.0)),
        ("", 0.1, ("", 1.0)),
    ],
)
def test_a_unit_gets_a_prefix_unless_it_is_a_ratio(unit: str, largest: float, shown: tuple[str, float]) -> None:
    assert units.scaled_unit(unit, largest) == shown


@pytest.mark.parametrize(
    ("value", "text"),
    [(13.31, "13.3"), (0.0536, "0.0536"), (0.0000586, "0.000059"), (-3.03e-8, "0"), (0.0, "0"), (None, "—")],
)
def test_numbers_of_a_column_stay_narrow(value: float | None, text: str) -> None:
    assert units.tabular(value) == text
