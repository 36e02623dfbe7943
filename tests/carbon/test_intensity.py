from __future__ import annotations

from importlib import resources

import pytest

from powerhal.carbon.intensity import given, lookup, table
from powerhal.errors import UsageError


@pytest.mark.parametrize(
    ("zone", "year", "grams"),
    # examples of Ember's table as republished by CO2.js 0.19.0
    [
        ("JPN", 2024, 483.73), ("DEU", 2024, 342.06), ("FRA", 2024, 44.18), ("GBR", 2024, 215.79),
        ("USA", 2024, 383.55), ("IND", 2024, 708.96), ("CHN", 2024, 557.5), ("NOR", 2024, 30.75),
        ("World", 2024, 472.94),
    ],
)  # fmt: skip
def test_known_values(zone: str, year: int, grams: float) -> None:
    found = lookup(zone)
    assert (found.year, found.g_per_kwh) == (year, pytest.approx(grams))
    assert found.kg_per_j == pytest.approx(grams / 1000 / 3.6e6)


def test_the_table_is_whole() -> None:
    years = [entry.year for entry in table().values()]
    assert len(years) == 222
    assert (years.count(2024), years.count(2023), years.count(2022)) == (102, 81, 39)
    assert all(0 <= entry.g_per_kwh < 1500 for entry in table().values())
    assert all(entry.name and entry.source and entry.licence == "CC BY-SA 4.0" for entry in table().values())
    assert all(len(entry.zone) == 2 for code, entry in table().items() if len(code) == 3 and code not in ("G20",))


def test_many_spellings_of_one_zone() -> None:
    assert {lookup(z).label for z in ("jp", "JP", " jpn ", "Japan")} == {"JP 2024"}
    assert lookup("UK") == lookup("GBR")
    assert lookup("eu").zone == "EU"


@pytest.mark.parametrize(("zone", "guess"), [("jpp", "JP (Japan)"), ("Germny", "DE (Germany)"), ("wrld", "WORLD")])
def test_unknown_zones_get_a_guess(zone: str, guess: str) -> None:
    with pytest.raises(UsageError) as caught:
        lookup(zone)
    assert guess in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_zone_like_nothing_gets_none() -> None:
    with pytest.raises(UsageError, match=r"no grid intensity for zone '0000'$"):
        lookup("0000")


def test_a_given_number_says_so() -> None:
    mine = given(480e-3 / 3.6e6, "my supplier")
    assert mine.label == "my supplier"
    assert mine.g_per_kwh == pytest.approx(480)
    assert mine.year is None


def test_the_licence_lies_beside_the_data() -> None:
    text = (resources.files("powerhal") / "_data" / "carbon" / "LICENSE").read_text()
    for word in ("Ember", "The Green Web", "CC BY-SA 4.0", "Changes made"):
        assert word in text
