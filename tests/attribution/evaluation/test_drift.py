from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from powerhal.attribution.evaluation import drift as bench
from powerhal.attribution.evaluation.drift import bench_drift
from powerhal.errors import NotEnoughData
from tests.attribution.evaluation.test_gauge import recorded


def twice(path):
    """Every program once more, as a second run."""
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    random = np.random.default_rng(1)
    again = [
        {
            **row,
            "run": 2,
            "t_ns": int(row["t_ns"]) + 10**15,
            "a15_w": float(row["a15_w"]) * (1 + 0.02 * random.standard_normal()),
        }
        for row in rows
    ]
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows + again)
    return path


def test_a_rail_that_draws_more_is_noticed_and_learned(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "SIMULATED_DAYS", 0.5)
    monkeypatch.setattr("powerhal.attribution.fitting.drift.SIMULATED_DAYS", 0.5)
    report = bench_drift(twice(recorded(tmp_path / "train.csv", programs=5)), seeds=1)
    assert json.loads(json.dumps(report)) == report
    after = report["error_after_60_s_percent"]
    assert report["alarm_after_s"]["never"] == 0
    assert report["alarm_after_s"]["median"] <= 20.0
    assert after["frozen"] > 12.0
    assert after["model"] < 5.0
    assert report["factor"] == pytest.approx(1.2, abs=0.06)
    assert report["false_alarms_per_day"]["mean"] <= 4.0


def test_too_short_a_file_is_refused(tmp_path):
    with pytest.raises(NotEnoughData, match="minutes"):
        bench_drift(recorded(tmp_path / "short.csv", programs=2), seeds=1)
