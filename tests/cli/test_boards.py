from __future__ import annotations

import argparse
import json
from pathlib import Path

import jsonschema
import pytest

from powerhal.cli import boards
from powerhal.errors import BoardError, UsageError

BAD = """\
schema: 1
name: my
title: Mine
buses: {i2c-1: {kind: i2c, device: /dev/i2c-1}}
sensors:
  a: {chip: "ti,ina226", bus: i2c-1, address: 0x40, rail: vdd_core, shunt: 10}
rails:
  vdd_core: {limt: 5 A}
"""


def run(*argv: str) -> int:
    parser = argparse.ArgumentParser()
    boards.add(parser.add_subparsers())
    args = parser.parse_args(["boards", *argv])
    return int(args.run(args))


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    out = capsys.readouterr().out
    assert "sim-phone" in out
    assert "Simulated phone" in out
    assert run("list", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert {"sim-phone", "linux-host", "rpi4-ina219-max17048", "odroid-xu3"} <= set(rows)
    assert all(row["title"] and row["valid"] for row in rows.values())
    assert rows["sim-phone"]["simulated"]


def test_a_file_that_is_no_board_is_listed_with_its_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my.yaml").write_text(BAD)
    monkeypatch.setenv("POWERHAL_BOARDS", str(tmp_path))
    assert run("list", "--json") == 0
    mine = next(row for row in json.loads(capsys.readouterr().out) if row["name"] == "my")
    assert mine["valid"] is False
    assert "2 mistakes" in mine["error"]
    assert run("list") == 0
    assert "not usable" in capsys.readouterr().out


def test_show(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "odroid-xu3") == 0
    out = capsys.readouterr().out
    assert "├─ VDD_ARM  (cpu, measured by arm)" in out
    assert "ti,ina231 on i2c-0 0x40 at 100 Hz: VDD_ARM through 10.0 mOhm" in out
    assert run("show", "odroid-xu3", "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["topology"]["clusters"][1]["opps"][-1] == [2e9, 1.3125]
    assert run("show", "odroid-xu3", "--text") == 0
    assert capsys.readouterr().out.startswith("# Hardkernel")


def test_lint_tells_everything_and_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(BAD)
    assert run("lint", str(path)) == 1
    out = capsys.readouterr().out
    column = BAD.splitlines()[5].index("10}") + 1
    assert f"{path}:6:{column}  error  PH-B031  shunt '10' has no unit; write '10 mOhm' or '10 Ohm'" in out
    assert f"{path}:8:14  error  PH-B012  unknown key 'limt' in rails.vdd_core; did you mean 'limit'?" in out
    assert out.endswith("2 errors, 0 warnings\n")
    assert run("lint", str(path), "--json") == 1
    rows = json.loads(capsys.readouterr().out)
    assert [row["code"] for row in rows] == ["PH-B031", "PH-B012"]


def test_warnings_alone_exit_0(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(BAD.replace("shunt: 10}", "shunt: 2 Ohm}").replace("limt: 5 A", "limit: 5 mA"))
    assert run("lint", str(path)) == 0
    assert "0 errors, 1 warning" in capsys.readouterr().out


def test_all_shipped_boards_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("lint") == 0
    assert capsys.readouterr().out == "0 errors, 0 warnings\n"


def test_other_commands_exit_3_for_a_file_that_is_no_board(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(BAD)
    with pytest.raises(BoardError) as caught:
        run("show", str(path))
    assert caught.value.exit_code == 3
    assert len(caught.value.problems) == 2


def test_unknown_names_are_wrong_usage() -> None:
    with pytest.raises(UsageError, match="did you mean 'linux-host'") as caught:
        run("show", "linux-hst")
    assert caught.value.exit_code == 2


def test_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema") == 0
    jsonschema.Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))


@pytest.mark.parametrize(
    ("carbon", "status"), [("{zone: XX}", 1), ("{zone: JP}", 0), ("{zone: XX, intensity: 300 g/kWh}", 0)]
)
def test_a_zone_without_an_intensity_is_told_before_the_first_recording(tmp_path, capsys, carbon, status):
    file = tmp_path / "my.yaml"
    rails = "rails: {VIN: {subsystem: board, measured: false}}"
    file.write_text(f"schema: 1\nname: my\ntitle: Mine\n{rails}\ncarbon: {carbon}\n")
    assert run("lint", str(file)) == status
    assert ("PH-B057" in capsys.readouterr().out) == bool(status)
