"""Chips that their drivers only take from a device tree (LTC2941 to LTC2944, MAX9611 through IIO), the INA237, and the
INA233 behind the generic PMBus driver: our registers against theirs.

The rig's kernel takes a tree with `dtb=`: a program of the same name in front of it adds one.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.tree_chips import GAUGES, SENSE_OHMS, SENSE_STEPS, VOLT_STEPS

pytestmark = pytest.mark.kernel
HERE = Path(__file__).parent
REPO = HERE.parent.parent

IN_FRONT = """#!{python}
import os, sys
sys.path.insert(0, {repo!r})
from tests.kernel.fdt import blob
from tests.kernel.tree_chips import tree
device = next(word for word in sys.argv[1:] if word.startswith("virtio_uml.device="))
with open("tree.dtb", "wb") as file:
    file.write(blob(tree(device.partition("=")[2].rpartition(":")[0])))
os.execv({kernel!r}, ["linux", *(word for word in sys.argv[1:] if word != device), "dtb=tree.dtb"])
"""


@pytest.fixture(scope="module")
def guest(rig: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What `in_guest_tree.py` found."""
    front = tmp_path_factory.mktemp("kernel") / "linux"
    front.write_text(IN_FRONT.format(python=sys.executable, repo=str(REPO), kernel=str(rig / "kernel" / "linux")))
    front.chmod(0o755)
    done = subprocess.run(
        [sys.executable, rig / "umlrun.py", "-t", "100", "--kernel", front.parent, "--chips", HERE / "tree_model.py",
         "--", sys.executable, "-m", "tests.kernel.in_guest_tree"],
        cwd=REPO, capture_output=True, text=True, timeout=115, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_the_tree_bound_every_driver(guest: Any) -> None:
    assert set(guest["owners"].values()) == {"LTC2941", "ina238", "max9611"}


@pytest.mark.parametrize(("address", "compatible", "ohms", "exponent"), GAUGES)
def test_coulomb_counters_say_what_their_driver_says(
    guest: Any, address: int, compatible: str, ohms: float, exponent: int
) -> None:
    ours, kernel = guest[compatible]["ours"], guest[compatible]["kernel"]
    large = compatible in ("lltc,ltc2943", "lltc,ltc2944")
    step_ah = (0.34e-3 * min(4**exponent, 4096) / 4096 if large else 85e-6 * 2**exponent / 128) * 0.05 / ohms
    if compatible == "lltc,ltc2944":  # the driver's formula for this part is the LTC2941's
        kernel["charge_counter"] *= step_ah / (85e-6 * 2**exponent / 128 * 0.05 / ohms)
    assert ours["r1.charge"] == pytest.approx(-kernel["charge_counter"] * 3600e-6, abs=3.01 * step_ah * 3600)
    assert ours["r1.charge"] > 0, "consumed"
    if compatible != "lltc,ltc2941":
        assert ours["r1.voltage"] == pytest.approx(kernel["voltage_now"] * 1e-6, abs=2e-3)
        assert ours["r1.temperature"] == pytest.approx(kernel["temp"] / 10 - 0.95, abs=0.11)  # 0 degC is 272.2 K there
    if large:
        assert ours["r1.current"] == pytest.approx(-kernel["current_now"] * 1e-6, abs=0.051)  # whole steps of 1 mA/R
        assert ours["r1.current"] == pytest.approx(0.6, abs=0.003)


def test_the_ina237_is_read_as_its_driver_reads_it(guest: Any) -> None:
    ours, kernel = guest["ti,ina237"]["ours"], guest["ti,ina237"]["kernel"]
    assert ours["r1.voltage"] == pytest.approx(kernel["in1_input"] * 1e-3, abs=3.2e-3)
    assert ours["r1.current"] == pytest.approx(kernel["curr1_input"] * 1e-3, abs=1.01e-3)
    assert ours["r1.temperature"] == pytest.approx(kernel["temp1_input"] * 1e-3, abs=0.126)
    assert ours["r1.power"] == pytest.approx(kernel["power1_input"] * 1e-6, rel=2e-3)


def linear11(word: int) -> float:
    """What PMBus makes of a word without coefficients: Y * 2^N, both two's complements (PMBus part II, 7.3)."""
    y, n = word & 0x7FF, word >> 11
    return (y - 0x800 if y & 0x400 else y) * 2.0 ** (n - 32 if n & 0x10 else n)


def test_the_ina233s_words_are_where_pmbus_has_them(guest: Any) -> None:
    """The rig's kernel is older than the part's driver: the generic one reads the same command, low byte first, and
    prints it in the format that it takes every chip to have."""
    ours, kernel = guest["ti,ina233"]["ours"], guest["ti,ina233"]["kernel"]
    steps = round(ours["r1.voltage"] / 1.25e-3)
    assert steps == 4000
    assert kernel["in1_input"] == pytest.approx(linear11(steps) * 1000, abs=1)
    assert kernel["in3_input"] == steps * 1000  # READ_VOUT without an exponent: the integer itself


def test_a_current_sense_amplifier_through_iio(guest: Any) -> None:
    """Raw with scale and offset, and processed numbers with a point, as the driver gives them."""
    found = {name.rpartition(".")[2]: value for source in guest["iio"].values() for name, value in source.items()}
    amperes = SENSE_STEPS * 107.5e-6 / SENSE_OHMS
    assert found["current"] == pytest.approx(amperes, rel=2e-3)
    assert found["power"] == pytest.approx(amperes * VOLT_STEPS * 14e-3, rel=4e-3)
