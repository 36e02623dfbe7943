"""The emulated chips behind a real kernel's own drivers: an oracle that neither shares code nor authors."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.kernel

# What the rig's bus loads: chip models with write(bytes) and read(n).
CHIPS = """
import sys, time
sys.path.insert(0, {repo!r})
from powerhal.sim.chips import build
from powerhal.sim.signal import ConstantSignal
now = time.monotonic_ns
rail, back = ConstantSignal(1.5, 5.0), ConstantSignal(-0.4, 3.304)
cell = ConstantSignal(0.35, 3.9, fraction=0.72, temperature_c=31.0)
CHIPS = {{
    0x40: build("ti,ina226", [rail], now, shunts_ohms=[0.01]),
    0x45: build("ti,ina219", [rail], now, shunts_ohms=[0.01]),
    0x41: build("ti,ina3221", [rail, back, rail], now, shunts_ohms=[0.01] * 3),
    0x36: build("maxim,max17048", [cell], now),
    0x55: build("ti,bq27441", [cell], now),
}}
"""
LOOK = """
bus=$(ls -d /sys/bus/i2c/devices/i2c-* | tail -1)
for c in "ina226 0x40" "ina219 0x45" "ina3221 0x41" "max17048 0x36" "bq27441 0x55"; do
  echo $c > $bus/new_device
done
sleep 1
for h in /sys/class/hwmon/hwmon*; do
  for f in $h/in*_input $h/curr*_input $h/power*_input; do
    [ -e $f ] && echo "$(cat $h/name).$(basename $f)=$(cat $f)"
  done
done
for p in /sys/class/power_supply/*; do sed "s/^POWER_SUPPLY_/$(basename $p)./" $p/uevent; done
"""


@pytest.fixture(scope="module")
def values(shared: Path, repo: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    rig = shared / "rig" / "umlrun.py"
    if not rig.exists():
        pytest.skip("the real-kernel rig is not here")
    place = tmp_path_factory.mktemp("rig")
    (place / "chips.py").write_text(CHIPS.format(repo=str(repo)))
    (place / "look.sh").write_text(LOOK)
    command = [
        sys.executable,
        str(rig),
        "-t",
        "60",
        "--chips",
        str(place / "chips.py"),
        "--",
        "sh",
        str(place / "look.sh"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    if done.returncode == 125:
        pytest.skip(f"the rig does not start: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stderr
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def test_ina2xx_driver_reads_the_emulators(values: dict[str, str]) -> None:
    for chip in ("ina226", "ina219"):
        assert values[f"{chip}.in0_input"] == "15"
        assert values[f"{chip}.in1_input"] == "5000"
        assert values[f"{chip}.curr1_input"] == "1500"
        assert values[f"{chip}.power1_input"] == "7500000"


def test_ina3221_driver_reads_the_emulator(values: dict[str, str]) -> None:
    assert [values[f"ina3221.in{i}_input"] for i in (1, 2, 4, 5)] == ["5000", "3304", "15000", "-4000"]
    assert [values[f"ina3221.curr{i}_input"] for i in (1, 2, 3)] == ["1500", "-400", "1500"]


def test_gauge_drivers_read_the_emulators(values: dict[str, str]) -> None:
    assert values["battery.VOLTAGE_NOW"] == "3900000"
    assert values["battery.CAPACITY"] == "72"
    gauge = next(key.split(".")[0] for key in values if key.startswith("bq27441-"))
    assert values[f"{gauge}.VOLTAGE_NOW"] == "3900000"
    assert values[f"{gauge}.CURRENT_NOW"] == "-350000"
    assert values[f"{gauge}.STATUS"] == "Discharging"
    assert values[f"{gauge}.CAPACITY"] == "72"
    assert abs(int(values[f"{gauge}.TEMP"]) - 310) <= 1
