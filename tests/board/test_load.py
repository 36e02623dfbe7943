from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.board import catalogue
from powerhal.board.load import load, parse
from powerhal.board.problems import CODES, by_place, count_text, did_you_mean
from powerhal.errors import BoardError, Problem, UsageError

from .boardtext import GOOD, spoiled


def mistakes(text: str) -> list[str]:
    with pytest.raises(BoardError) as caught:
        parse(text, "b.yaml")
    return [str(p) for p in caught.value.problems]


def test_everything_arrives_in_si() -> None:
    board = parse(GOOD, "b.yaml")
    assert board.buses["i2c-1"].speed_hz == 400e3
    assert board.buses["i2c-1"].number == 1
    assert board.sensors["supply"].wired()[1].shunt_ohms == pytest.approx(0.01)
    assert board.sensors["three"].wired()[2].rail == "IO"
    topology = board.topology()
    assert topology.root().name == "VIN"
    assert [r.name for r in topology.children("VIN")] == ["CORE", "IO"]
    assert topology.rails[1].efficiency == pytest.approx(0.9)
    assert topology.clusters[0].opps == ((600e6, 0.8), (1.2e9, 1.0))
    assert topology.devices[1].parameters == {"tail_s": pytest.approx(0.2)}
    assert topology.battery == {
        "capacity_c": 10800.0, "nominal_v": 3.85, "energy_j": pytest.approx(41580.0)
    }  # fmt: skip
    assert topology.carbon == {"zone": "JP", "embodied_kg": 55.5, "lifetime_s": pytest.approx(94672800.0)}
    assert board.text == GOOD
    assert board.path == "b.yaml"
    assert len(board.sha256) == 64


@pytest.mark.parametrize(
    ("old", "new", "at", "code", "says"),
    [
        ("title: A", "titel: A", "titel", "PH-B012", "unknown key 'titel'; did you mean 'title'?"),
        ("title: A bench board\n", "", "schema", "PH-B013", "key 'title' is missing"),
        ("schema: 1", "schema: 2", "2", "PH-B015", "schema must be 1, not 2"),
        ("rate: 10 Hz", "rat: 10 Hz", "rat:", "PH-B012", "unknown key 'rat' in sensors.supply; did you mean 'rate'?"),
        ("rate: 10 Hz", "rate: 10", "10, rail", "PH-B031", "rate '10' has no unit; write '10 Hz' or '10 MHz'"),
        ("rate: 10 Hz", "rate: 10 V", "10 V", "PH-B031", "is not a frequency (a voltage)"),
        ("rate: 10 Hz", "rate: -1 Hz", "-1 Hz", "PH-B015", "greater than 0"),
        ("rate: 10 Hz", "rate: [1]", "[1]", "PH-B031", "must be a quantity such as '400 kHz'"),
        ("rail: VIN, shunt", "rail: VINN, shunt", "VINN", "PH-B022", "unknown rail 'VINN'; did you mean 'VIN'?"),
        ("bus: side", "bus: sied", "sied", "PH-B023", "unknown bus 'sied'; did you mean 'side'?"),
        ("ti,ina3221", "ti,ina3222", '"ti,ina3222', "PH-B021", "unknown chip 'ti,ina3222'; did you mean 'ti,ina3221'?"),
        ("CORE, cluster: cpu", "CORE, cluster: cpuu", "cpuu", "PH-B024", "unknown cluster 'cpuu'; did you mean 'cpu'?"),
        ("CORE, cluster: cpu", "CORE", "cpu: {kind", "PH-B013", "device 'cpu' of kind cpu needs `cluster`"),
        ("rail: IO, act", "rail: IO, cluster: cpu, act", "cluster: cpu, act", "PH-B012", "only a cpu has a `cluster`"),
        ("kind: radio", "kind: rado", "rado", "PH-B015", "did you mean 'radio'?"),
        ("bytes: net", "byte: net", "byte:", "PH-B025", "unknown role 'byte'; did you mean 'bytes'?"),
        ("tail: 200 ms", "tial: 200 ms", "tial", "PH-B025", "unknown parameter 'tial'; did you mean 'tail'?"),
        ("tail: 200 ms", "tail: 200", "200}", "PH-B031", "tail '200' has no unit"),
        ("tail: 200 ms", "tail: 200 mV", "200 mV", "PH-B031", "is not a time"),
        ("address: 0x41", "address: 0x141", "0x141", "PH-B015", "less than or equal to 127"),
        ("address: 0x41", "address: '0x41'", "'0x41'", "PH-B014", "must be a whole number, not '0x41'"),
        ("cpus: [0, 1]", "cpus: 4", "4\n    opps", "PH-B014", "must be a list"),
        ("cpus: [0, 1]", "cpus: [0, true]", "true", "PH-B014", "must be a whole number, not True"),
        ("/dev/i2c-1", "/dev/../etc/passwd", "/dev/..", "PH-B016", "write /dev/i2c-N"),
        ("VIN: {subsystem", "VIN: {parent: CORE, subsystem", "CORE, subsystem", "PH-B026", "VIN <- CORE <- VIN"),
        ("IO: {parent: VIN}", "IO: {}", "IO: {}", "PH-B027", "2 rails have no parent (VIN, IO)"),
        ("mux, parent: i2c-1, ", "mux, ", "side: {", "PH-B013", "needs the key 'parent'"),
        ("i2c-1, speed", "i2c-1, channel: 1, speed", "channel: 1,", "PH-B012", "belongs to kind mux"),
        ("parent: i2c-1, address: 0x70", "parent: side, address: 0x70", "side, address", "PH-B026", "side <- side"),
        ("VIN, shunt: 10 mOhm}", "VIN, channels: {1: {rail: IO}}}", "channels: {1: {rail: IO", "PH-B012", "either"),
        ("rail: VIN, shunt: 10 mOhm}", "}", "supply: {", "PH-B013", "watches nothing"),
        ("{1: {rail: CORE", "{one: {rail: CORE", "one:", "PH-B015", "'one' is not a name"),
        ("name: bench", "name: Bench Board", "Bench Board", "PH-B015", "does not look like a name"),
        ("  CORE: {parent", "  C.ORE: {parent", "C.ORE", "PH-B015", "'C.ORE' is not a name"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_place_and_its_remedy(old: str, new: str, at: str, code: str, says: str) -> None:
    text = spoiled(old, new)
    before = text[: text.index(at)]
    where = f"b.yaml:{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"
    found = mistakes(text)
    assert any(p.startswith(f"{where} ") and code in p and says in p for p in found), (where, found)


def test_a_deeper_tree_is_fine() -> None:
    assert parse(spoiled("IO: {parent: VIN}", "IO: {parent: CORE}")).topology().children("CORE")[0].name == "IO"


def test_schema_and_reference_mistakes_come_together_in_order() -> None:
    text = spoiled("rate: 10 Hz", "rate: 10").replace("rail: IO", "rail: IOO").replace("zone: JP", "zne: JP")
    codes = [m.split()[2] for m in mistakes(text)]
    assert codes == ["PH-B031", "PH-B022", "PH-B022", "PH-B012"]


TWO_STAGES = """\
schema: 1
name: my
title: Mine
meters: {m: {}}
rails:
  VIN: {subsystem: board}
  VIN: {subsystem: twice}
devices:
  cpu: {kind: cpuu, rail: VIN}
"""


def test_a_key_given_twice_hides_no_other_mistake_and_each_missing_key_is_told() -> None:
    found = mistakes(TWO_STAGES)
    for place, word in (
        ("b.yaml:4:", "'port' is missing"),
        ("b.yaml:4:", "'protocol' is missing"),
        ("b.yaml:7:3", "'VIN' is given twice (first in line 6)"),
        ("b.yaml:9:15", "'cpuu' is not one of"),
    ):
        assert any(place in text and word in text for text in found), (place, word, found)


@pytest.mark.parametrize("text", ["- a\n", "hello\n", "1\n", "null\n", "{}\n"])
def test_a_document_that_is_no_board(text: str) -> None:
    assert mistakes(text)


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1, max_size=6), inner, max_size=3),
    max_leaves=8,
)
SECTIONS = ["schema", "name", "title", "match", "buses", "sensors", "meters", "kernel", "activity", "rails",
            "clusters", "devices", "battery", "carbon", "simulation"]  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_junk_anywhere_is_a_board_error_with_places(data: st.DataObject) -> None:
    from powerhal.board.strict_yaml import loads

    board = loads(GOOD).data
    for section in data.draw(st.lists(st.sampled_from(SECTIONS), min_size=1, max_size=3, unique=True)):
        value = board.get(section)
        if isinstance(value, dict) and value and data.draw(st.booleans()):
            key = data.draw(st.sampled_from(sorted(value)))
            inner = value[key]
            if isinstance(inner, dict) and inner and data.draw(st.booleans()):
                inner[data.draw(st.sampled_from(sorted(inner)))] = data.draw(JUNK)
            else:
                value[key] = data.draw(JUNK)
        else:
            board[section] = data.draw(JUNK)
    try:
        parse(json.dumps(board), "b.yaml").topology()
    except BoardError as error:
        assert error.problems
        assert all(p.code in CODES for p in error.problems)
        assert all(p.where.startswith("b.yaml:1:") for p in error.problems)


def test_names_are_searched_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        (folder / "bench.yaml").write_text(spoiled("A bench board", f"from {folder.name}"))
    (second / "other.yaml").write_text(spoiled("name: bench", "name: other"))
    (second / "bench.cal.yaml").write_text("not a board")
    (second / "broken.yaml").write_text("schema: 1\n")
    monkeypatch.setenv("POWERHAL_BOARDS", f"{first}{os.pathsep}{second}{os.pathsep}{tmp_path / 'absent'}")
    assert load("bench").title == "from first"
    assert load("other").name == "other"
    found = {e.name: e for e in catalogue.catalogue()}
    assert found["bench"].origin == "environment"
    assert found["broken"].error
    assert "bench.cal" not in found
    with pytest.raises(UsageError, match="did you mean 'bench'"):
        load("benhc")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    mine = tmp_path / "powerhal" / "boards"
    mine.mkdir(parents=True)
    (mine / "mine.yaml").write_text(spoiled("name: bench", "name: mine"))
    assert catalogue.files()["mine"][0] == "user"


def test_files_that_are_no_files(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such board file"):
        load(tmp_path / "absent.yaml")
    with pytest.raises(UsageError, match="not a regular file"):
        load(tmp_path)
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="not a regular file"):
        load(pipe)
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as file:
        file.truncate(1 << 33)
    with pytest.raises(BoardError, match="1 mistake"):
        load(huge)


def test_meter_ports_are_named_safely() -> None:
    meter = 'meters: {p: {protocol: "powerhal,probe", port: "%s", rail: VIN}}\n'
    for port in ("usb:2e8a:000a", "usb:2e8a:000a:E66058388", "/dev/serial/by-id/usb-Pico-if00", "/dev/ttyACM0"):
        assert parse(GOOD + meter % port).meters["p"].port == port
    for port in ("/dev/pts/3", "/dev/mem", "/dev/serial/by-id/../../mem", "ttyUSB0", "usb:zz:00"):
        assert any("PH-B016" in m for m in mistakes(GOOD + meter % port))


def test_words_about_problems() -> None:
    assert did_you_mean("sensr", ["sensors", "rails"]) == "; did you mean 'sensors'?"
    assert did_you_mean("zzz", ["a", "b"], what="allowed") == "; allowed: a, b"
    assert did_you_mean("zzz", []) == ""
    rows = [Problem("f:10:2", "PH-B012", "x"), Problem("f:9:20", "PH-B012", "y", "warn")]
    assert [p.message for p in sorted(rows, key=by_place)] == ["y", "x"]
    assert count_text(rows) == "1 error, 1 warning"
