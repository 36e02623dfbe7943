"""The contract of every shipped board file: a new file in boards/ is tested without writing a test."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from powerhal.board.door import editor_schema
from powerhal.board.lint import lint
from powerhal.board.load import load
from powerhal.board.portrait import document, portrait
from powerhal.board.strict_yaml import loads
from powerhal.channel import Topology

from .boardtext import GOOD, spoiled

REPO = Path(__file__).resolve().parents[2]
BOARDS = sorted((REPO / "boards").glob("*.yaml"))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return editor_schema()


@pytest.mark.parametrize("path", BOARDS, ids=lambda p: p.stem)
def test_loads_without_a_doubt_and_is_named_like_its_file(path: Path) -> None:
    board = load(path)
    assert board.name == path.stem
    assert [str(p) for p in lint(board)] == []


@pytest.mark.parametrize("path", BOARDS, ids=lambda p: p.stem)
def test_topology_is_one_tree_that_devices_hang_on(path: Path) -> None:
    topology: Topology = load(path).topology()
    rails = {rail.name for rail in topology.rails}
    assert sum(not rail.parent for rail in topology.rails) == 1
    assert all(not rail.parent or rail.parent in rails for rail in topology.rails)
    assert all(0 < rail.efficiency <= 1 for rail in topology.rails)
    assert all(device.rail in rails for device in topology.devices)
    clusters = {cluster.name for cluster in topology.clusters}
    assert all(not device.cluster or device.cluster in clusters for device in topology.devices)


@pytest.mark.parametrize("path", BOARDS, ids=lambda p: p.stem)
def test_editors_agree(path: Path, schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator(schema).validate(loads(path.read_bytes(), path.name).data)


@pytest.mark.parametrize("path", BOARDS, ids=lambda p: p.stem)
def test_can_be_shown_to_people_and_programs(path: Path) -> None:
    board = load(path)
    text = "\n".join(portrait(board))
    for name in (board.title, *board.rails, *board.sensors, *board.devices):
        assert name in text
    again = json.loads(json.dumps(document(board)))
    assert again["sha256"] == board.sha256
    assert len(again["topology"]["devices"]) == len(board.devices)


@pytest.mark.parametrize("path", BOARDS, ids=lambda p: p.stem)
def test_says_where_its_facts_come_from(path: Path) -> None:
    comments = [line for line in path.read_text().splitlines() if line.lstrip().startswith("#")]
    assert len(comments) >= 3


def test_the_editor_schema_is_a_schema_and_finds_mistakes(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    check = jsonschema.Draft202012Validator(schema)
    assert check.is_valid(loads(GOOD).data)
    for old, new in [
        ("rate: 10 Hz", "rate: 10"), ("rate: 10 Hz", "rate: 10 V"), ("title: A", "titel: A"), ("ti,ina3221", "ti,ina9"),
        ("kind: radio", "kind: rado"), ("address: 0x41", "address: 0x141"), ("/dev/i2c-1", "/dev/mem"),
    ]:  # fmt: skip
        assert not check.is_valid(loads(spoiled(old, new)).data), new


def test_xu3_has_the_operating_points_of_the_device_tree(shared: Path) -> None:
    soc = yaml.safe_load((shared / "facts" / "soc.yaml").read_text())["socs"]["exynos5422 (ODROID-XU3/XU4)"]
    clusters = {c.name: c for c in load(REPO / "boards" / "odroid-xu3.yaml").topology().clusters}
    for name, facts in zip(("little", "big"), soc["clusters"], strict=True):
        expected = [(o["mhz"] * 1e6, o["uv"] / 1e6) for o in facts["opps"]]
        got = clusters[name].opps
        assert len(got) == len(expected)
        for (hz, volts), (want_hz, want_volts) in zip(got, expected, strict=True):
            assert (hz, volts) == (pytest.approx(want_hz), pytest.approx(want_volts))
        coefficient = facts["dynamic_power_coefficient_uw_per_mhz_v2"] * 1e-6 / 1e6
        assert clusters[name].dynamic_power_coefficient == pytest.approx(coefficient)


def test_xu3_has_the_sensors_of_the_device_tree(shared: Path) -> None:
    facts = yaml.safe_load((shared / "facts" / "boards.yaml").read_text())["boards"]["odroid-xu3"]
    board = load(REPO / "boards" / "odroid-xu3.yaml")
    expected = {(s["addr"], s["rail"], s["shunt_uohm"] * 1e-6) for s in facts["sensors"]}
    got = {(s.address, s.rail, round(s.shunt_ohms or 0, 9)) for s in board.sensors.values()}
    assert got == expected


def test_documented_codes_are_the_ones_in_the_table() -> None:
    from powerhal.board.problems import CODES

    page = (REPO / "docs" / "board-files.md").read_text()
    assert set(re.findall(r"PH-B\d{3}", page)) == set(CODES)
    rooms = ("board", "cli")  # the command adds what only rooms above the board know
    source = "".join(p.read_text() for room in rooms for p in (REPO / "powerhal" / room).glob("*.py"))
    for code in CODES:
        assert source.count(f'"{code}"') >= 2, f"{code} is never used"
