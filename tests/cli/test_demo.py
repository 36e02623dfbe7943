from __future__ import annotations

import argparse
import json
import struct
from pathlib import Path
from typing import Any

import pytest

from powerhal.cli import demo
from powerhal.errors import FileError, UsageError


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    demo.add(parser.add_subparsers())
    return parser.parse_args(["demo", *words])


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One whole demo as a user gets it."""
    from contextlib import redirect_stdout
    from io import StringIO

    folder = tmp_path_factory.mktemp("demo")
    out = StringIO()
    with redirect_stdout(out):
        report, kept = str(folder / "r.html"), str(folder / "r.phr")
        status = demo.run(parse("--seed", "3", "--json", "--report", report, "--keep", kept))
    assert status == 0
    return {**json.loads(out.getvalue()), "folder": folder}


def test_json_rows_have_the_promised_keys_and_kinds(document: dict[str, Any]) -> None:
    assert document["rows"]
    for row in document["rows"]:
        assert {"name", "kind", "energy_j", "low_j", "high_j", "truth_j"} <= set(row)
        assert row["low_j"] <= row["energy_j"] + 1e-9 and row["energy_j"] <= row["high_j"] + 1e-9
    kinds = {row["kind"] for row in document["rows"]}
    assert {"device", "process", "idle", "unattributed"} <= kinds
    assert sum(row["self"] for row in document["rows"]) == 1


def test_rows_add_up_to_the_total_and_so_does_the_truth(document: dict[str, Any]) -> None:
    top = [row for row in document["rows"] if row["kind"] in ("device", "group", "idle", "unattributed")]
    assert sum(row["energy_j"] for row in top) == pytest.approx(document["total"]["energy_j"], rel=1e-9)
    truth = sum(row["truth_j"] for row in top if row["truth_j"] is not None)
    without_rows = document["total"]["truth_j"] - truth
    assert abs(without_rows) < 1e-6 * truth
    people = sum(row["truth_j"] or 0 for row in document["rows"] if row["kind"] in ("process", "rest"))
    devices = sum(row["truth_j"] for row in top if row["kind"] in ("device", "group"))
    assert people == pytest.approx(devices, rel=1e-3)


def test_the_large_rows_are_roughly_right(document: dict[str, Any]) -> None:
    """A guard against blunders; how good it is, benchmarks/demo_accuracy.py says over many phones."""
    large = [r for r in document["rows"] if r["truth_j"] and r["truth_j"] > 0.05 * document["total"]["truth_j"]]
    assert len(large) >= 6
    for row in large:
        assert row["energy_j"] == pytest.approx(row["truth_j"], rel=0.3), row["name"]


def test_truth_is_not_in_the_recording(document: dict[str, Any]) -> None:
    from powerhal.recording import Recording

    recording = Recording.open(document["folder"] / "r.phr")
    assert not [key for key in recording.meta if "truth" in key]
    stored = (document["folder"] / "r.phr").read_bytes()
    for row in document["rows"]:
        if row["truth_j"]:
            assert struct.pack("<d", row["truth_j"]) not in stored
            assert f"{row['truth_j']:.6f}".encode() not in stored
    assert recording.self_pid == 7777


def test_report_is_written_and_needs_no_network(document: dict[str, Any]) -> None:
    page = (document["folder"] / "r.html").read_text()
    assert "Simulated phone" in page
    assert "<script src" not in page and "<link" not in page


def test_table_has_devices_processes_and_the_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.run(parse("--duration", "100", "--report", str(tmp_path / "x.html"))) == 0
    shown = capsys.readouterr()
    for word in ("display", "idle", "unattributed", "total", "powerhal (itself)", "rows above 5 %"):
        assert word in shown.out
    assert "x.html" in shown.err


def test_nothing_is_recorded_for_no_time() -> None:
    with pytest.raises(UsageError):
        demo.run(parse("--duration", "0"))


def test_a_report_without_a_folder_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no folder"):
        demo.run(parse("--report", str(tmp_path / "nowhere" / "r.html")))
