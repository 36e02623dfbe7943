"""Settings of chips, in the names that a board file uses."""

from __future__ import annotations

import pytest

from powerhal.board.settings import unknown_setting
from powerhal.chips import load


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("shunt_conv", "has no setting 'shunt_conv'; it has averages, bus_conversion, shunt_conversion"),
        ("shunt_conv", "did you mean 'shunt_conversion'?"),
        ("shunt_conversion", "write it in s or ms"),
        ("averages", "a number without a unit"),
    ],
)
def test_what_is_wrong_with_a_setting(key: str, said: str) -> None:
    assert said in unknown_setting(load("ti,ina226"), key)
