"""A real kernel with a real /dev/i2c-N: our registers against the kernel's own drivers, on the same chips."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.kernel
HERE = Path(__file__).parent
REPO = HERE.parent.parent


@pytest.fixture(scope="module")
def guest(rig: Path) -> Any:
    """What `in_guest.py` found, in one boot of the rig."""
    done = subprocess.run(
        [sys.executable, rig / "umlrun.py", "-t", "100", "--chips", HERE / "chips_model.py", "--",
         sys.executable, "-m", "tests.kernel.in_guest"],
        cwd=REPO, capture_output=True, text=True, timeout=115, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


# our channel, the driver and its attribute, SI per unit of that (also its rounding), sign of ours against it
PAIRS = [
    ("ina226.1.voltage", "ina226", "in1_input", 1e-3, 1),
    ("ina226.1.current", "ina226", "curr1_input", 1e-3, 1),
    ("ina219.1.voltage", "ina219", "in1_input", 1e-3, 1),
    ("ina219.1.current", "ina219", "curr1_input", 1e-3, 1),
    ("ina3221.1.voltage", "ina3221", "in1_input", 1e-3, 1),
    ("ina3221.2.voltage", "ina3221", "in2_input", 1e-3, 1),
    ("ina3221.3.voltage", "ina3221", "in3_input", 1e-3, 1),
    ("ina3221.1.current", "ina3221", "curr1_input", 1e-3, 1),
    ("ina3221.2.current", "ina3221", "curr2_input", 1e-3, 1),
    ("ina3221.3.current", "ina3221", "curr3_input", 1e-3, 1),
    ("max17048.1.voltage", "max17048", "voltage_now", 1e-6, 1),
    ("max17048.1.soc", "max17048", "capacity", 1e-2, 1),
    ("bq27441.1.voltage", "bq27441", "voltage_now", 1e-6, 1),
    ("bq27441.1.current", "bq27441", "current_now", 1e-6, -1),
    ("bq27441.1.temperature", "bq27441", "temp", 0.1, 1),
    ("bq27441.1.soc", "bq27441", "capacity", 1e-2, 1),
]


@pytest.mark.parametrize(("channel", "driver", "attribute", "unit", "sign"), PAIRS, ids=[p[0] for p in PAIRS])
def test_our_registers_agree_with_the_kernels_driver(
    guest: Any, channel: str, driver: str, attribute: str, unit: float, sign: int
) -> None:
    ours = guest["registers"]["alone"][channel]
    kernel = guest["drivers"][driver][attribute] * unit * sign
    assert ours == pytest.approx(kernel, rel=0, abs=1.01 * unit)
    assert ours != 0


def test_what_the_wire_said_is_what_we_say(guest: Any) -> None:
    """Against the data sheets' arithmetic, where the driver rounds too much to tell."""
    values = guest["registers"]["alone"]
    assert values["ina226.1.current"] == pytest.approx(-1.2345)
    assert values["ina226.1.power"] == pytest.approx(-1.2345 * 11.98)
    assert values["ina219.1.current"] == pytest.approx(0.321)
    assert values["ina3221.3.current"] == pytest.approx(0.004)
    assert values["bq27441.1.power"] == pytest.approx(0.432 * 3.712)


def test_one_batch_of_all_chips_says_the_same(guest: Any) -> None:
    assert guest["registers"]["batch"] == guest["registers"]["alone"]
    assert guest["registers"]["batched"] is True


def test_an_absent_chip_is_an_error_and_not_zero_volts(guest: Any) -> None:
    """On this adapter a NACK is 'no messages done' without an errno."""
    assert guest["absent"]["open"][0] == "absent"
    assert guest["absent"]["transfer"][0] == "absent"
    assert guest["absent"]["plan"] == [[1], "2570" + "0000" + "271a"]


def test_another_chip_is_refused(guest: Any) -> None:
    assert guest["absent"]["wrong"][0] == "absent"
    assert "is not the ina219" in guest["absent"]["wrong"][1]


def test_chips_of_a_driver_are_left_to_it(guest: Any) -> None:
    assert guest["owners"] == {
        "0x40": "ina2xx", "0x44": "ina2xx", "0x41": "ina3221", "0x36": "max17040", "0x55": "bq27xxx-battery",
        "0x4a": "",
    }  # fmt: skip
    for kind, text in guest["owned"].values():
        assert kind == "busy", text


def test_a_board_reads_the_same_through_registers_and_through_drivers(guest: Any) -> None:
    free, owned = guest["board_free"], guest["board_owned"]
    assert "error" not in free, free
    assert "error" not in owned, owned
    assert not any("driver owns it" in note for note in free["notes"])
    assert sum("driver owns it" in note for note in owned["notes"]) == 3
    channels = ("CPU.voltage", "CPU.current", "A.voltage", "B.current", "C.voltage", "VBAT.voltage", "VBAT.current")
    for channel in channels:
        assert owned["values"][channel] == pytest.approx(free["values"][channel], abs=1.01e-3), channel
