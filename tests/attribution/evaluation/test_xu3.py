from __future__ import annotations

import csv
import gzip
import json

import numpy as np
import pytest

from powerhal.attribution.evaluation.xu3 import bench_xu3
from powerhal.errors import NotEnoughData
from tests.attribution.evaluation.synthetic import write_table

KEYS = {
    "mape_percent",
    "per_program",
    "per_suite",
    "worst_program_energy_error_percent",
    "interval90_coverage_percent",
    "interval90_width_percent",
    "baselines",
}


def read_rows(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_leave_one_program_out(tmp_path):
    table = write_table(tmp_path / "train.csv.gz")
    report = bench_xu3(tmp_path / "train.csv.gz", predictions=tmp_path / "out.csv")
    assert set(report) >= KEYS
    assert json.loads(json.dumps(report)) == report
    assert set(report["per_suite"]) == {"cBench", "PARSEC_1core", "PARSEC_all"}
    assert report["mape_percent"] < 5.0
    assert report["mape_percent"] < report["without_counters"]["mape_percent"]
    assert report["mape_percent"] < report["baselines"]["cpu_time_share"]["mape_percent"]
    assert len(report["per_program"]) == 10
    # Anyone can recompute the figure from the predictions.
    rows = read_rows(tmp_path / "out.csv")
    assert [int(row["row"]) for row in rows] == list(range(len(table)))
    truth, power = (
        np.array([float(row[key]) for row in source]) for source, key in ((table, "a15_w"), (rows, "predicted_w"))
    )
    assert 100 * np.mean(np.abs(power - truth) / truth) == pytest.approx(report["mape_percent"], abs=1e-3)


def test_train_and_test_file_without_truth(tmp_path):
    write_table(tmp_path / "train.csv", seed=1)
    table = write_table(tmp_path / "test.csv", seed=2, programs={"cBench": 2})
    with_truth = bench_xu3(tmp_path / "train.csv", tmp_path / "test.csv", predictions=tmp_path / "a.csv")
    blind = [{**row, "a15_w": ""} for row in table]
    with (tmp_path / "blind.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(table[0]))
        writer.writeheader()
        writer.writerows(blind)
    without = bench_xu3(tmp_path / "train.csv", tmp_path / "blind.csv", predictions=tmp_path / "b.csv")
    assert with_truth["mape_percent"] < 6.0
    assert without["mape_percent"] is None
    assert without["windows"] == 0
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()
    assert {model["rung"] for model in with_truth["models"]} == {"counters"}


def test_a_single_program_cannot_be_left_out(tmp_path):
    write_table(tmp_path / "one.csv", programs={"cBench": 1})
    with pytest.raises(NotEnoughData, match="only program"):
        bench_xu3(tmp_path / "one.csv")


@pytest.mark.parametrize(
    ("name", "counters", "bar"), [("rails_and_counters", "2", 5.5), ("paired_counters", "1+2", 4.0)]
)
def test_bars_on_real_rails(shared, tmp_path, name, counters, bar):
    """cBench, every sixth window, to keep the test short; the figures in docs/accuracy.md use all of them."""
    with gzip.open(shared / "data" / "xu3" / f"{name}.csv.gz", "rt", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["suite"] == "cBench" and row["events_list"] == counters]
    with (tmp_path / "cbench.csv").open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows[::6])
    report = bench_xu3(tmp_path / "cbench.csv")
    assert report["per_suite"]["cBench"]["mape_percent"] <= bar
    assert report["baselines"]["cpu_time_share"]["mape_percent"] > 50.0
