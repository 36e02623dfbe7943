from __future__ import annotations

import re
import typing
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.board.kernel_rails import RailPatterns, ignored, invented, tree
from powerhal.board.quantity import Name
from powerhal.channel import Channel, Layout, Rail, Reading


@dataclass
class Found:
    """A source as far as its name and rails matter."""

    name: str
    rail: str = ""
    period_s: float = 1.0
    last_fault: str = ""

    @property
    def layout(self) -> Layout:
        return Layout(0, (), (Channel("x", "power", "W", rail=self.rail),))

    def open(self) -> None: ...

    def read(self) -> Reading:
        return Reading(0, b"")

    def close(self) -> None: ...


def test_the_first_pattern_that_fits_wins_and_exact_names_come_first() -> None:
    rails = RailPatterns({"hwmon.*": "ALL", "hwmon.ina231@*-0040": "ARM", "hwmon.exact": "E"})
    assert rails["hwmon.exact"] == "E"
    assert rails["hwmon.ina231@4-0040"] == "ALL"
    assert RailPatterns({"hwmon.ina231@*-0040": "ARM", "hwmon.*": "ALL"})["hwmon.ina231@4-0040"] == "ARM"
    assert "iio.x" not in rails
    assert rails.get("iio.x") is None
    assert len(rails) == 3
    assert next(iter(rails)) == "hwmon.*"


def test_ignored() -> None:
    assert ignored("hwmon.ucsi_1", ["hwmon.ucsi*"])
    assert not ignored("hwmon.ina", ["hwmon.ucsi*"])


@settings(deadline=None)
@given(st.lists(st.text(min_size=1, max_size=12), max_size=6, unique=True))
def test_invented_names_are_unique_and_allowed_in_a_board_file(names: list[str]) -> None:
    made = invented([Found(f"hwmon.{name}") for name in names], ["rail", "IO"])
    assert len(set(made.values())) == len(made) == len(names)
    assert not {"rail", "IO"} & set(made.values())
    pattern = typing.get_args(Name)[1].pattern
    assert all(re.fullmatch(pattern, rail) for rail in made.values())


def test_sources_with_a_rail_are_left_alone() -> None:
    assert invented([Found("hwmon.a", "VIN"), Found("hwmon.b@1-0040.CH1")], []) == {
        "hwmon.b@1-0040.CH1": "b_1-0040_CH1"
    }


def test_zones_inside_zones() -> None:
    names = {
        "powercap.package-0": "package-0", "powercap.package-0-core": "package-0-core", "hwmon.gpu": "gpu",
        "powercap.package-0-core-x": "package-0-core-x",
    }  # fmt: skip
    assert {r.name: r.parent for r in tree(names, "SYSTEM")} == {
        "package-0": "SYSTEM", "package-0-core": "package-0", "gpu": "SYSTEM", "package-0-core-x": "package-0-core",
    }  # fmt: skip
    assert tree({"iio.x": "x"}, "R") == (Rail("x", "R", "iio"),)
