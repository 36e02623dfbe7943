"""Every supported chip that the kernel has a driver for: its registers by us, and by that driver, in one boot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from powerhal.channel import Quality
from tests.kernel.emulated_chips import MONITORS, VARIANTS

pytestmark = pytest.mark.kernel
HERE = Path(__file__).parent
REPO = HERE.parent.parent
ALL = [compatible for _, compatible, _ in (*MONITORS, *VARIANTS)]


@pytest.fixture(scope="module")
def guest(rig: Path) -> Any:
    """What `in_guest_emulated.py` found."""
    done = subprocess.run(
        [sys.executable, rig / "umlrun.py", "-t", "120", "--chips", HERE / "emulated_model.py", "--",
         sys.executable, "-m", "tests.kernel.in_guest_emulated"],
        cwd=REPO, capture_output=True, text=True, timeout=150, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


# attribute of the driver -> our channel, SI of its unit (also its rounding), sign of ours against it
HWMON = {
    "in1_input": ("r1.voltage", 1e-3, 1), "curr1_input": ("r1.current", 1e-3, 1),
    "power1_input": ("r1.power", 1e-6, 1), "temp1_input": ("r1.temperature", 1e-3, 1),
}  # fmt: skip
INA3221 = {
    **{f"in{i}_input": (f"r{i}.voltage", 1e-3, 1) for i in (1, 2, 3)},
    **{f"curr{i}_input": (f"r{i}.current", 1e-3, 1) for i in (1, 2, 3)},
}
SUPPLY = {
    "voltage_now": ("r1.voltage", 1e-6, 1), "current_now": ("r1.current", 1e-6, -1), "temp": ("r1.temperature", 0.1, 1),
    "capacity": ("r1.soc", 0.01, 1), "charge_now": ("r1.charge", 3600e-6, 1),
}  # fmt: skip
# What is known to be wrong or coarse in a driver: (compatible, attribute) -> (factor of the driver, reason)
FAULTS = {
    ("maxim,ds2782", "voltage_now"): (4.80 / 4.88, "multiplies by 4800 and not by 4880 uV"),
    ("maxim,ds2782", "current_now"): (1563 / 1000 * 20 / 31.25, "whole microvolts, whole milliohms"),
    ("ti,bq27200", "charge_now"): (178 / 178.5, "whole microampere-hours a step"),
    ("ti,bq27210", "charge_now"): (178 / 178.5, "whole microampere-hours a step"),
    ("cellwise,cw2015", "voltage_now"): (312 / 1024 / 0.305, "multiplies by 312/1024, whole millivolts"),
}
# The gauge has no current and no charge; the driver prints zeros.
NOTHING = {("cellwise,cw2015", "current_now"), ("cellwise,cw2015", "charge_now")}
# What differs by a step: the driver prints nominal charge (NAC) and ours is the remaining one; power is a product.
COARSE = {"charge_now": 3600 * 1.01e-3, "power1_input": 0.03}


@pytest.mark.parametrize("compatible", ALL)
def test_our_values_are_the_drivers(guest: Any, compatible: str) -> None:
    found = guest["chips"][compatible]
    assert "error" not in found["ours"], found
    assert "error" not in found["kernel"], found
    table = {**(INA3221 if compatible == "ti,ina3221" else HWMON), **SUPPLY}
    compared = set()
    for attribute, (channel, unit, sign) in table.items():
        if attribute not in found["kernel"] or channel not in found["ours"] or (compatible, attribute) in NOTHING:
            continue
        factor, _ = FAULTS.get((compatible, attribute), (1.0, ""))
        kernel = found["kernel"][attribute] * unit * sign / factor
        room = max(1.01 * unit, COARSE.get(attribute, 0.0), 1.01e-3 if factor != 1.0 else 0.0)
        assert found["ours"][channel] == pytest.approx(kernel, rel=0, abs=room), (attribute, found)
        assert kernel != 0
        compared.add(channel)
    assert "r1.voltage" in compared
    assert len(compared) >= 2


@pytest.mark.parametrize("compatible", ALL)
def test_no_row_of_a_genuine_chip_is_flagged(guest: Any, compatible: str) -> None:
    quality = Quality(guest["chips"][compatible]["ours"]["quality"])
    assert not quality & ~Quality.UNVERIFIED, quality


def test_the_average_power_that_the_driver_prints_tenfold(guest: Any) -> None:
    """bq27xxx_battery takes 10 mW for every gauge; these answer in 1 mW."""
    for compatible in ("ti,bq27541", "ti,bq27530", "ti,bq27z561"):
        ours, kernel = guest["chips"][compatible]["ours"], guest["chips"][compatible]["kernel"]
        assert -kernel["power_avg"] * 1e-6 / 10 == pytest.approx(ours["r1.power"], abs=1e-3)


def test_a_supply_that_moves_while_we_sample(guest: Any) -> None:
    """Both see the same rail through chips of their own; the driver rounds to milliamperes."""
    assert len(guest["live"]) == 8
    for truth, ours, kernel, power in guest["live"]:
        assert ours == pytest.approx(truth, abs=0.3e-3)
        assert ours == pytest.approx(kernel, abs=1.01e-3)
        assert power == pytest.approx(5.0 * ours, abs=2e-3)


def test_a_pulled_wire_is_missing_and_its_neighbour_goes_on(guest: Any) -> None:
    found = guest["unplug"]
    assert found["before"] == [0, 1.5, ""]
    assert found["pulled"][0] & Quality.MISSING
    assert found["pulled"][2] == "absent"
    assert found["neighbour"] == [0, 1.5, ""]
    assert found["back"] == [0, 1.5, ""]


def test_a_dip_of_the_supply_is_flagged_within_sixteen_rows(guest: Any) -> None:
    """Its averages are gone and the values look as before: only the look at the configuration can tell."""
    flagged = [i for i, quality in enumerate(guest["unplug"]["dip"]) if quality & Quality.RESET]
    assert flagged
    assert flagged[0] < 16


def test_a_driver_that_takes_the_chip_is_left_alone(guest: Any) -> None:
    found = guest["taken"]
    assert [row[0] for row in found["free"]] == [0, 0, 0]
    missing = [i for i, row in enumerate(found["owned"]) if row[0] & Quality.MISSING]
    assert missing
    assert missing[0] < 16
    assert found["owned"][missing[0]][0] & Quality.RESET, "rows since the last look are doubtful"
    assert missing == list(range(missing[0], 20)), "and it stays with the driver"
    assert {row[2] for row in found["owned"][missing[0] :]} == {"busy"}
    before, after = found["registers"]
    assert before == after, "nothing was written to a chip that a driver owns"


def test_a_chip_that_was_given_back_is_read_again(guest: Any) -> None:
    for quality, current, _ in guest["taken"]["given_back"]:
        assert not quality & Quality.MISSING
        assert current == pytest.approx(1.5)
