from __future__ import annotations

import json

import pytest

from tests.recording.rows import write


@pytest.fixture
def path(tmp_path):
    write(tmp_path / "run.phr")
    return tmp_path / "run.phr"


def test_json_has_it_all(cli, path):
    found = json.loads(cli("info", path, "--json").stdout)
    assert found["duration_s"] == 3.0
    assert found["processes"][0] | {"activities": 0} == {
        "pid": 42, "name": "work", "cpu_s": 0.75, "ppid": 1, "parent": None, "uid": 1000, "cgroup": "",
        "kernel": False, "start_ticks": 7, "activities": 0,
    }  # fmt: skip
    assert {c["name"] for c in found["channels"]} == {"cpu.voltage", "cpu.current", "cpu.power", "cpu.energy"}
    assert found["sources"][0]["rate_hz"] == 10.0
    assert found["sources"][0]["rows"] == 30
    assert found["marks"] == [{"t_s": 1.0, "text": "half"}]
    assert found["faults"][0]["kind"] == "timeout"
    assert found["complete"]


def test_text_names_sources_processes_and_faults(cli, path):
    text = cli("info", path).stdout
    for word in ("3.0 s", "ina", "10.0 Hz", "work", "0.750", "half", "timeout"):
        assert word in text


def test_a_wrong_file_is_exit_3(cli, tmp_path):
    (tmp_path / "a.phr").write_text("no")
    done = cli("info", "a.phr")
    assert done.returncode == 3
    assert "not a powerhal recording" in done.stderr
    assert "Traceback" not in done.stderr
