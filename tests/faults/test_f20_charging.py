"""F20: charging turns the current round, and drivers disagree on sign and unit: learned and doubted."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powerhal.channel import Quality
from powerhal.host import power_supply
from powerhal.host.current_sign import EVIDENCE, CurrentRule
from tests.host.test_hwmon import values
from tests.host.trees import PHONE, context, write

BATTERY = "sys/class/power_supply/battery"
NAME = "power_supply.battery"


@given(
    convention=st.sampled_from([(-1, 1), (1, -1), (1, 1)]),
    currents=st.lists(st.tuples(st.booleans(), st.integers(50_000, 4_000_000)), min_size=1, max_size=40),
)
def test_f20_out_of_the_battery_is_positive_under_every_convention(
    convention: tuple[int, int], currents: list[tuple[bool, int]]
) -> None:
    rule = CurrentRule(("battery",), vendor=True)
    for charging, size in currents:
        raw = size * convention[1 if charging else 0]
        assert rule.out_ua(raw, "charging" if charging else "discharging") == (-size if charging else size)


def test_f20_milliamperes_are_learned() -> None:
    rule = CurrentRule(("battery",), vendor=True)
    for _ in range(EVIDENCE):
        assert rule.out_ua(-350, "discharging") == 350_000


def test_f20_a_charging_battery_gives_negative_power_and_an_unknown_sign_is_flagged(tmp_path: Path) -> None:
    root = write(tmp_path, PHONE)
    place = tmp_path / BATTERY
    (place / "status").write_text("Full\n")
    (source,) = power_supply.detect(root, context())
    assert source.read().quality == Quality.UNVERIFIED
    (place / "status").write_text("Discharging\n")
    out = values(source)[f"{NAME}.power"]
    (place / "status").write_text("Charging\n")
    (place / "current_now").write_text(str(-int((place / "current_now").read_text())))
    assert out > 0
    assert values(source)[f"{NAME}.power"] == pytest.approx(-out)


USB = "/sys/class/power_supply/usb"
FEEDS = {f"{USB}/online": "1\n", f"{USB}/voltage_now": "5000000\n", f"{USB}/current_now": "1000000\n"}


def test_f20_load_is_what_the_adapter_feeds_in_and_the_battery_gives(tmp_path: Path) -> None:
    root = write(tmp_path, {**PHONE, **FEEDS})
    (source,) = power_supply.detect(root, context())
    place = tmp_path / BATTERY
    out = 0.3125 * 4.012
    assert values(source)[f"{NAME}.power"] == pytest.approx(5.0 + out, abs=1e-5), "the adapter is not enough"
    (place / "status").write_text("Charging\n")
    (place / "current_now").write_text(str(-int((place / "current_now").read_text())))
    assert values(source)[f"{NAME}.power"] == pytest.approx(5.0 - out, abs=1e-5)
    assert not source.read().quality & Quality.ESTIMATED
    (tmp_path / "sys/class/power_supply/usb/online").write_text("0\n")
    (place / "status").write_text("Discharging\n")
    (place / "current_now").write_text(str(abs(int((place / "current_now").read_text()))))
    assert values(source)[f"{NAME}.power"] == pytest.approx(out, abs=1e-5)


def test_f20_an_adapter_that_nobody_measures_leaves_nothing_to_attribute(tmp_path: Path) -> None:
    root = write(tmp_path, {**PHONE, f"{USB}/online": "1\n"})
    host = context()
    (source,) = power_supply.detect(root, host)
    assert source.read().quality & Quality.ESTIMATED
    assert any("no energy is attributed" in note for note in host.notes)
    (tmp_path / "sys/class/power_supply/usb/online").write_text("0\n")
    assert not source.read().quality & Quality.ESTIMATED
