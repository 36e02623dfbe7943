"""How much CO2e a joule from the grid costs, by country and year.

The table is Ember's yearly averages as republished by The Green Web Foundation in CO2.js (CC BY-SA 4.0, see
`_data/carbon/LICENSE`). It is generation-based and location-based: grid losses are not in it, market instruments
do not count (Software Carbon Intensity specification 1.1, ISO/IEC 21031:2024), and a yearly mean hides the hour.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import resources

from powerhal.errors import UsageError

KG_PER_J = 1e-3 / 3.6e6  # one g/kWh
SOURCE = "Ember yearly average via CO2.js 0.19.0"
LICENCE = "CC BY-SA 4.0"
# A second table (Our World in Data) differs from this one by 4.3 % in the median over 207 common zones. If both err
# alike and normally, one table's sigma is 4.3 / (0.6745 * sqrt 2) = 4.5 %, and 90 % lie within 1.645 sigma.
HALF_WIDTH = 0.074
ALIASES = {"UK": "GB", "EL": "GR", "EU27": "EU", "EARTH": "WORLD", "GLOBAL": "WORLD"}


@dataclass(frozen=True, slots=True)
class Intensity:
    """Grid intensity of a zone: kgCO2e/J, relative half-width of its 90 % interval, and where it comes from."""

    zone: str
    name: str
    year: int | None
    kg_per_j: float
    half_width: float = HALF_WIDTH
    source: str = SOURCE
    licence: str = LICENCE

    @property
    def g_per_kwh(self) -> float:
        """The same in g/kWh, as people read it."""
        return self.kg_per_j / KG_PER_J

    @property
    def label(self) -> str:
        """'JP 2024', or the name of a number that was given."""
        return f"{self.zone} {self.year}" if self.year else self.zone


@cache
def table() -> Mapping[str, Intensity]:
    """Every zone by its three-letter code (regions by name in capitals), in the file's order."""
    path = resources.files("powerhal") / "_data" / "carbon" / "grid_intensity_ember.csv"
    found = {}
    for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
        short = row["iso2"] or row["zone"]
        grams = float(row["gco2e_per_kwh"])
        found[row["zone"]] = Intensity(short, row["name"], int(row["year"]), grams * KG_PER_J)
    return found


@cache
def _names() -> Mapping[str, Intensity]:
    """Everything a person may type, in capitals: codes of two and three letters, names."""
    names: dict[str, Intensity] = {}
    for code, entry in table().items():
        for name in (code, entry.zone, entry.name.upper()):
            names.setdefault(name, entry)
    return names


def lookup(zone: str) -> Intensity:
    """The newest yearly average of a zone: 'JP', 'JPN', 'Japan', 'EU', 'World'; case does not matter.

    Raises UsageError with the nearest name for a zone that the table lacks.
    """
    wanted = zone.strip().upper()
    names = _names()
    found = names.get(ALIASES.get(wanted, wanted))
    if found is not None:
        return found
    near = get_close_matches(wanted, names, n=1, cutoff=0.5)
    guess = f"; did you mean {names[near[0]].zone} ({names[near[0]].name})?" if near else ""
    raise UsageError(
        f"no grid intensity for zone {zone!r}{guess}",
        code="PH-U011",
        hint="give a country by its ISO code (JP, JPN), a region (EU, WORLD), or a number: --intensity 480 g/kWh",
    )


def given(kg_per_j: float, name: str = "given", half_width: float = 0.0) -> Intensity:
    """An intensity that the user knows better, for example from a supplier or an hourly series."""
    return Intensity(name, name, None, kg_per_j, half_width, "given by the user", "")
