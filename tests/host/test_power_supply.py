from __future__ import annotations

import pytest

from powerhal.channel import Quality
from powerhal.host import power_supply
from powerhal.host.current_sign import EVIDENCE, Convention, CurrentRule
from tests.host.test_hwmon import values
from tests.host.trees import LAPTOP, PHONE, context, write

BATTERY = "sys/class/power_supply/battery"


def test_laptop_battery_is_power_out_of_the_battery(tmp_path):
    root = write(tmp_path, LAPTOP)
    (source,) = power_supply.detect(root, context(rails={"power_supply.BAT0": "battery"}))
    assert values(source) == pytest.approx(
        {"battery.voltage": 11.8, "battery.power": 9.44, "battery.energy": 108000.0, "battery.soc": 0.62}
    )
    (tmp_path / "sys/class/power_supply/BAT0/status").write_text("Charging\n")
    assert values(source)["battery.power"] == pytest.approx(-9.44)


def test_phone_current_is_positive_while_discharging_whatever_the_driver_prints(tmp_path):
    root = write(tmp_path, PHONE)
    (source,) = power_supply.detect(root, context())
    name = "power_supply.battery"
    assert values(source)[f"{name}.current"] == pytest.approx(0.3125)
    assert values(source)[f"{name}.power"] == pytest.approx(0.3125 * 4.012)
    assert values(source)[f"{name}.charge"] == pytest.approx(9000.0)
    (tmp_path / BATTERY / "current_now").write_text("-312500\n")  # the kernel's own sign
    (fresh,) = power_supply.detect(root, context())
    assert values(fresh)[f"{name}.current"] == pytest.approx(0.3125)


def test_doubt_is_flagged_until_sign_and_unit_are_settled(tmp_path):
    root = write(tmp_path, PHONE)
    (tmp_path / BATTERY / "status").write_text("Full\n")
    (source,) = power_supply.detect(root, context())
    assert source.read().quality == Quality.UNVERIFIED
    (tmp_path / BATTERY / "status").write_text("Discharging\n")
    source.read()
    assert source.read().quality == Quality.OK


def test_battery_whose_current_vanishes_is_missing_not_zero(tmp_path):
    root = write(tmp_path, PHONE)
    (source,) = power_supply.detect(root, context())
    (tmp_path / BATTERY / "current_now").write_text("")
    assert source.read().quality == Quality.MISSING


@pytest.mark.parametrize(
    "convention, sign_discharging, sign_charging",
    [(Convention.KERNEL, -1, 1), (Convention.INVERTED, 1, -1), (Convention.MAGNITUDE, 1, 1)],
)
def test_every_convention_is_learned_and_applied(convention, sign_discharging, sign_charging):
    rule = CurrentRule(("battery",))
    for _ in range(EVIDENCE):
        assert rule.out_ua(sign_discharging * 400_000, "discharging") == 400_000
        assert rule.out_ua(sign_charging * 900_000, "charging") == -900_000
    assert rule.convention is convention and not rule.doubtful
    # plugged in but using more than the charger gives: status says charging, the number knows better
    if convention is not Convention.MAGNITUDE:
        assert rule.out_ua(sign_discharging * 50_000, "charging") == 50_000
        assert rule.out_ua(sign_discharging * 50_000, "full") == 50_000


def test_milliamperes_are_recognised_only_when_discharging():
    rule = CurrentRule(("battery",), vendor=True)
    for _ in range(EVIDENCE + 2):
        rule.out_ua(2, "full")
    assert rule.factor == 0
    for _ in range(EVIDENCE):
        assert rule.out_ua(-350, "discharging") == 350_000
    assert rule.factor == 1000
    assert CurrentRule(("MainBattery",)).factor == 1000


def test_mainline_drivers_keep_to_microamperes_however_small():
    rule = CurrentRule(("bq27500-0", "bq27xxx-battery"))
    for _ in range(2 * EVIDENCE):
        assert rule.out_ua(-1600, "discharging") == 1600


def test_one_odd_reading_at_the_plug_does_not_turn_the_sign():
    rule = CurrentRule(("battery",))
    rule.out_ua(300_000, "charging")  # status ahead of the current
    for _ in range(EVIDENCE):
        rule.out_ua(300_000, "discharging")
        rule.out_ua(-800_000, "charging")
    assert rule.convention is Convention.INVERTED
