from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from powerhal.cli import chips
from powerhal.errors import TransportError, UsageError


def run(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    chips.add(parser.add_subparsers())
    args = parser.parse_args(["chips", *argv])
    return int(args.run(args))


def fields(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    assert run("decode", *argv, "--json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)["fields"]
    return found


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    assert "ina3221" in capsys.readouterr().out
    assert run("list", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert len([r for r in rows.values() if r["access"] == "i2c"]) >= 50
    assert rows["ina226"]["compatibles"] == ["ti,ina226"]
    assert rows["axp803"]["access"] == "driver" and rows["jbd_bms"]["access"] == "frame"


def test_show_every_chip(capsys: pytest.CaptureFixture[str]) -> None:
    run("list", "--json")
    for row in json.loads(capsys.readouterr().out):
        assert run("show", row["name"]) == 0
        assert row["title"] in capsys.readouterr().out
        assert run("show", row["name"], "--json") == 0
        assert json.loads(capsys.readouterr().out)["title"] == row["title"]


def test_show_has_registers_and_formulas(capsys: pytest.CaptureFixture[str]) -> None:
    run("show", "ina3221")
    out = capsys.readouterr().out
    assert "0x01  shunt1  2 bytes big-endian" in out
    assert "15:3  v_shunt = n * 4e-05  V  signed" in out
    assert "i = n * 4e-05 / r_shunt_ohm  A" in out


@pytest.mark.parametrize(
    "words",
    [
        ("--config", "r_shunt_ohm=0.005", "channel=1", "0x01=0fa0", "0x02=13d8"),
        ("--config", "r_shunt_ohm=0.005", "--config", "channel=1", "0x01=0fa0", "0x02=13d8"),
        ("0x01=0fa0", "0x02=13d8", "--config=r_shunt_ohm=0.005", "--config=channel=1"),
    ],
)
def test_configuration_may_stand_anywhere(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    want = {"v_shunt": 0.02, "v_bus": 5.08, "i": 4.0, "p": 20.32}
    assert fields(capsys, "ina3221", *words) == pytest.approx(want)


def test_values_of_every_kind(capsys: pytest.CaptureFixture[str]) -> None:
    got = fields(capsys, "pac1934", "--config", "bidirectional=true", "r_shunt_ohm=0.01", "0x0b=f000")
    assert got["i"] == pytest.approx(-1.25)
    words = ("--config", "R_ohm=[1031.64, 101.65, 10.15, 0.94, 0.043]", "gains={'GI': 1, 'UG': 1}", "word_le=e8030000")
    assert fields(capsys, "ppk2", *words)["i"] == pytest.approx(4.2597526753518664e-05)
    assert fields(capsys, "bq27541", "0x16=ffff") == {"tte_min": None}
    assert fields(capsys, "ina228", "--config", "r_shunt_ohm=null", "0x05=0c6a30") == {"v_bus": 9.9318359375}


def test_settings_stand_beside_the_fields(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("decode", "ina226", "0x00=4127", "0x02=2570", "--json") == 0
    out = json.loads(capsys.readouterr().out)
    assert out["fields"] == {"v_bus": pytest.approx(11.98)}
    assert out["settings"]["averages"] == 1.0 and out["settings"]["bus_conversion_s"] == pytest.approx(1.1e-3)


def test_text_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("decode", "ina219", "0x02=5d9a", "0x00=399f") == 0
    out = capsys.readouterr().out
    assert "v_bus" in out and "11.98" in out and "conversion_ready" in out and "yes" in out and "shunt_range_v" in out


@pytest.mark.parametrize(
    "words",
    [("ina226",), ("ina226", "hello"), ("ina226", "0x02=123"), ("ina226", "0x33=0000"), ("ina226", "0x02=00", "--no"),
     ("ina226", "0x02=zz")],
)  # fmt: skip
def test_wrong_words_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        run("decode", *words)


def test_unknown_chip() -> None:
    with pytest.raises(UsageError):
        run("decode", "ina999", "0x02=0000")


def test_identify_a_dump(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = {"0x00": "4127", "0x01": "0000", "0x02": "2570", "0xfe": "5449", "0xff": "2260"}
    chip = {"autoincrement": False, "registers": {k: {"raw": v} for k, v in words.items()}}
    dump = tmp_path / "dump.json"
    dump.write_text(json.dumps({"schema": 1, "board": "b", "buses": {"i2c-1": {"0x40": chip}}}))
    assert run("identify", str(dump)) == 0
    assert "i2c-1 0x40  certain" in capsys.readouterr().out
    assert run("identify", str(dump), "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["chip"] == "ina226" and found["verdict"] == "certain"


def test_identify_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TransportError):
        run("identify", str(tmp_path / "none.json"))


def test_every_reference_vector_through_the_command(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tests.chips.test_vectors import agree

    rows = yaml.safe_load((shared / "vectors" / "chips.yaml").read_text())["public"]
    for row in rows:
        config = [f"{k}={v if isinstance(v, str) else json.dumps(v)}" for k, v in row["config"].items()]
        raw = [f"{k}={v}" for k, v in row["raw"].items()]
        got = fields(capsys, row["chip"], *(["--config", *config] if config else []), *raw)
        wrong = {k: (got.get(k), want) for k, want in row["expect"].items() if not agree(got.get(k, "left out"), want)}
        assert not wrong, (row["id"], wrong)
    assert len(rows) >= 190


def test_values_have_units(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("decode", "ina226", "0x02=1234", "0x01=01f4", "r_shunt_ohm=0.01") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["v_bus", "5.825", "V"] in lines and ["i_from_shunt", "0.125", "A"] in lines
    assert ["p_from_shunt", "0.728125", "W"] in lines
    assert run("decode", "ina3221", "0x01=01f0", "0x03=01f0", "r_shunt_ohm=0.1") == 0
    assert all(line.split()[2] in "VAW" for line in capsys.readouterr().out.splitlines())


def test_all_wrong_words_at_once_and_names_that_are_alike() -> None:
    with pytest.raises(UsageError, match=r"0x99=zz is not.*'bar' is neither") as caught:
        run("decode", "ina226", "0x99=zz", "bar")
    assert caught.value.hint
    for command in (("show", "in226"), ("decode", "in226", "0x02=1234")):
        with pytest.raises(UsageError) as caught:
            run(*command)
        assert "ina226" in caught.value.hint and "," not in caught.value.hint
