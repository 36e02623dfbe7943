from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from powerhal.attribution.evaluation.gauge import bench_gauge
from powerhal.errors import NotEnoughData
from tests.attribution.evaluation.synthetic import write_table


def recorded(path, programs=5):
    """Programs one after another, as they are measured."""
    rows = write_table(path, rows=40, programs={"cBench": programs})
    names = sorted({row["benchmark"] for row in rows})
    for row in rows:
        row["t_ns"] += names.index(row["benchmark"]) * 60 * 10**9
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_window_and_lag_come_back_and_matching_helps(tmp_path):
    report = bench_gauge(recorded(tmp_path / "train.csv"), seeds=2)
    assert json.loads(json.dumps(report)) == report
    assert report["lag_error_s"] < 0.25
    assert report["window_error_s"] < 0.5
    error = report["over_seeds"]["mape_percent"]
    assert error["learned"]["mean"] < error["naive"]["mean"]
    assert error["learned"]["mean"] == pytest.approx(error["known"]["mean"], abs=1.0)
    assert len(report["settings"]) == 2
    assert report["settings"][0]["window_s"] == 4.0


def test_one_program_cannot_be_left_out(tmp_path):
    with pytest.raises(NotEnoughData, match="two programs"):
        bench_gauge(recorded(tmp_path / "one.csv", programs=1))


def test_windows_without_power_are_not_used(tmp_path):
    path = recorded(tmp_path / "train.csv", programs=3)
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for row in rows[::10]:
        row["a15_w"] = ""
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    report = bench_gauge(path, seeds=1)
    assert report["rows"] == len(rows) - len(rows[::10])
    assert np.isfinite(report["mape_percent"])
