"""Meters of the radios in a history: read as they are booked, and worth a narrower interval that holds the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from powerhal.android.drain.activities import timeline
from powerhal.android.drain.attribute import Attributed, attribute
from powerhal.android.drain.compare import document
from powerhal.android.drain.rails import rails
from powerhal.android.parse import Dump, read
from powerhal.android.profile.reader import parse_profile
from powerhal.android.statistics import Statistics

from .story import Story
from .test_attribute import dump_of, spans

SEEDS = range(3100, 3106)
RADIOS = ("wifi", "mobile_radio")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[Story, Attributed]]]:
    folder = tmp_path_factory.mktemp("stories")
    out: dict[str, list[tuple[Story, Attributed]]] = {}
    for seed in SEEDS:
        for meters in ("", "apart", "joint"):
            story = Story(seed, 4.0, meters=meters)
            out.setdefault(meters, []).append((story, attribute(dump_of(story.text(), folder))))
    return out


def radios(runs: list[tuple[Story, Attributed]]) -> Any:
    """(truth, value, low, high) J of every radio with a row of its own."""
    out = []
    for story, found in runs:
        truth = story.truth(spans(found))
        rows = [r for r in found.ledger.rows if r.kind == "device" and r.name in RADIOS]
        out += [(t, r.energy_j, r.low_j, r.high_j) for r in rows if (t := truth[f"device:{r.name}"]) > 0]
    return np.array(out)


@pytest.mark.parametrize("meters", ["apart", "joint"])
def test_meters_narrow_the_radios(told: dict[str, list[tuple[Story, Attributed]]], meters: str) -> None:
    truth, value, low, high = radios(told[meters]).T
    used = sum(story.parts[name][0].any() for story, _ in told[meters] for name in RADIOS)
    assert truth.size == used  # a radio with a meter has a row of its own in every phone
    assert np.mean((low <= truth) & (truth <= high)) >= 0.87
    plain = radios(told[""])
    assert len(plain) < used
    before = np.median((plain[:, 3] - plain[:, 2]) / plain[:, 0])
    assert np.median((high - low) / truth) < 0.75 * before
    assert np.median(abs(value / truth - 1)) < np.median(abs(plain[:, 1] / plain[:, 0] - 1))


def test_what_was_counted_is_told(told: dict[str, list[tuple[Story, Attributed]]]) -> None:
    story, found = told["apart"][2]
    by_name = {rail.name: rail for rail in found.rails}
    assert set(by_name) == {"modemRailChargemAh", "wifiRailChargemAh"}
    for name, token in (("modemRailChargemAh", "Mrc"), ("wifiRailChargemAh", "Wrc")):
        sums = story.counted[token]
        assert by_name[name].mah == pytest.approx(float(sums[-1] - sums[0]), rel=0.2)
    assert by_name["wifiRailChargemAh"].devices == ("wifi",)
    (joint,) = told["joint"][2][1].rails  # Android 14 books the modem under Wi-Fi
    assert joint.name == "wifiRailChargemAh" and set(joint.devices) == {"wifi", "mobile_radio", "phone"}
    assert any("the meter of wifi counted" in note for note in found.notes)
    assert "the phone's own meter" in found.priors["wifi: active"]
    out = document(found, Statistics("l"))
    assert [row["name"] for row in out["rails"]] == ["modemRailChargemAh", "wifiRailChargemAh"]
    assert all(row["low_j"] < row["energy_j"] < row["high_j"] for row in out["rails"])
    assert told[""][0][1].rails == ()


def history(tmp_path: Path, *lines: str, version: str = "35,208") -> Dump:
    path = tmp_path / "dump"
    path.write_text("\n".join([f"9,0,i,vers,{version},A,A", "9,h,0:RESET:TIME:1700000000000", *lines, ""]))
    found = read(path).main
    assert found is not None
    return found


STEPS = [f"9,h,60000,{'+' if k % 2 else '-'}Wr,Wrc={40 + 0.5 * k:.2f}" for k in range(1, 21)]


def test_voltage_of_the_profile(tmp_path: Path) -> None:
    found = history(tmp_path, *STEPS)
    xml = b'<device name="Android"><item name="wifi.controller.voltage">4000</item></device>'
    (plain,) = rails(timeline(found.history), 35, None)
    (named,) = rails(timeline(found.history), 35, parse_profile(xml))
    assert plain.mah == named.mah == pytest.approx(9.5)
    assert (plain.volts, named.volts) == (3.7, 4.0)
    assert named.gain_sd < plain.gain_sd
    assert named.energy_j == pytest.approx(9.5 * 3.6 * 4.0)


@pytest.mark.parametrize(
    ("lines", "mah"),
    [
        (["9,h,0,Mrc=0,Wrc=0", "9,h,60000,+Wr", "9,h,60000,-Wr"], None),  # what phones without meters print
        ([*STEPS[:10], "9,h,10,Wrc=0", *STEPS[:3]], 4.5 + 1.0),  # a sum that began anew
        ([*STEPS[:5], "9,h,60000,Wrc=2562047788015.22", *STEPS[5:7]], 2.0 + 1.0),  # no voltage in the profile
        ([*STEPS[:5], "9,h,60000,Wrc=900", *STEPS[5:7]], 2.0 + 0.5),  # all since the boot at once
        ([*STEPS[:5], "9,h,5:SHUTDOWN", "9,h,5:START", "9,h,0:TIME:1700000900000", *STEPS[10:13]], 2.0 + 1.0),
        (["9,h,9,Wrc=nan", "9,h,9,Wrc=-1", "9,h,9,Wrc=x", "9,h,9,Wrc", "9,h,9,Wrc=1e400"], None),
    ],
)
def test_sums_that_say_nothing(tmp_path: Path, lines: list[str], mah: float | None) -> None:
    found = rails(timeline(history(tmp_path, *lines).history), 33, None)
    assert [rail.mah for rail in found] == ([] if mah is None else [pytest.approx(mah)])


def test_too_little_is_said_and_not_used(tmp_path: Path) -> None:
    (rail,) = rails(timeline(history(tmp_path, *STEPS[:4]).history), 33, None)
    assert not rail.draws and "not used" in rail.text


def test_text_form(tmp_path: Path) -> None:
    rows = "".join(
        f"  +{k}m00s000ms (2) 050 wifiRailChargemAh={40 + k / 4:g} {'+' if k % 2 else '-'}wifi_radio\n"
        for k in range(1, 20)
    )
    path = tmp_path / "dump"
    path.write_text(
        "Battery History (1% used, 1KB used of 256KB, 1 strings using 1):\n"
        f"  0 (2) RESET:TIME: 2024-01-01-00-00-00\n{rows}"
    )
    found = read(path).main
    assert found is not None
    (rail,) = rails(timeline(found.history), None, None)
    assert rail.mah == pytest.approx(4.5) and set(rail.devices) == {"wifi", "mobile_radio", "phone"}
