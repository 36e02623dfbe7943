from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from powerhal.attribution.evaluation.pixel import peers
from powerhal.attribution.evaluation.pixel.bench import bench_halves, bench_pixel
from powerhal.errors import FileError, NotEnoughData
from tests.attribution.evaluation.pixel.synthetic import COLUMNS, blind, component_w, make_rows, write

NAMES = ("display", "cpu", "gpu", "wifi", "total")
FIGURES = ("components", "reconciled", "interval90_coverage_percent", "interval90_half_width_percent")


@pytest.fixture(autouse=True)
def _few_peers(monkeypatch):
    monkeypatch.setattr(peers, "PEERS", {"one_coefficient": peers.one_coefficient})


@pytest.fixture
def files(tmp_path):
    train, test = make_rows(100, seed=1), make_rows(60, seed=2, first_id=1)
    return write(tmp_path / "train.csv", train), write(tmp_path / "test.csv", test), train, test


def predicted(path):
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_report_and_its_predictions(files, tmp_path):
    train, test, _, rows = files
    report = bench_pixel(train, test, labelled=20, seed=1, predictions=tmp_path / "out.csv")
    assert json.loads(json.dumps(report)) == report
    for figure in FIGURES:
        assert tuple(sorted(report[figure])) == tuple(sorted(NAMES))
    assert all(report["components"][name] < 9 for name in NAMES)
    assert report["reconciled"]["cpu"] < report["components"]["cpu"]
    assert report["components"]["cpu"] < report["baselines"]["one_coefficient"]["components"]["cpu"]
    assert len(report["labelled_ids"]) == 20
    # Anyone can recompute the figures from the predictions.
    lines = predicted(tmp_path / "out.csv")
    assert [line["ID"] for line in lines] == [row["ID"] for row in rows]
    for name, truth in component_w(rows).items():
        power, low, high, balanced = (
            np.array([float(line[f"{name}_{kind}"]) for line in lines])
            for kind in ("w", "low_w", "high_w", "reconciled_w")
        )
        error = 100 * np.abs(power - truth).mean() / truth.mean()
        assert error == pytest.approx(report["components"][name], abs=1e-3)
        assert 100 * np.abs(balanced - truth).mean() / truth.mean() == pytest.approx(
            report["reconciled"][name], abs=1e-3
        )
        inside = 100 * np.mean((low <= truth) & (truth <= high))
        assert inside == pytest.approx(report["interval90_coverage_percent"][name], abs=2.0)


def test_rails_of_runs_that_are_not_labelled_are_never_read(files, tmp_path):
    train, test, rows, _ = files
    first = bench_pixel(train, test, labelled=10, seed=3, predictions=tmp_path / "a.csv")
    for fill, name in (("", "b.csv"), ("nonsense", "c.csv")):
        hidden = [
            row if row["ID"] in first["labelled_ids"] else {**row, **dict.fromkeys(COLUMNS, fill)} for row in rows
        ]
        again = bench_pixel(
            write(tmp_path / "hidden.csv", hidden), test, labelled=10, seed=3, predictions=tmp_path / name
        )
        assert again["labelled_ids"] == first["labelled_ids"]
        assert (tmp_path / name).read_text() == (tmp_path / "a.csv").read_text()


def test_rails_and_battery_of_the_test_file_may_be_empty(files, tmp_path):
    train, test, _, rows = files
    bench_pixel(train, test, seed=1, predictions=tmp_path / "a.csv")
    hidden = [{**row, "BATTERY_DISCHARGE_RATE_UAS": ""} for row in blind(rows)]
    report = bench_pixel(train, write(tmp_path / "blind.csv", hidden), seed=1, predictions=tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()
    assert set(report["components"].values()) == {None}
    assert set(report["reconciled"].values()) == {None}
    no_sum = write(tmp_path / "nosum.csv", blind(rows, sums=False))
    bench_pixel(train, no_sum, seed=1, predictions=tmp_path / "c.csv")
    for line, other in zip(predicted(tmp_path / "a.csv"), predicted(tmp_path / "c.csv"), strict=True):
        assert all(value == "" if key.endswith("reconciled_w") else value == line[key] for key, value in other.items())


def test_the_order_of_rows_changes_nothing_that_shows(files, tmp_path):
    train, test, rows, _ = files
    first = bench_pixel(train, test, seed=1)
    turned = bench_pixel(write(tmp_path / "turned.csv", rows[::-1]), test, seed=1)
    assert sorted(first["labelled_ids"]) == sorted(turned["labelled_ids"])
    for name in NAMES:
        assert turned["components"][name] == pytest.approx(first["components"][name], rel=1e-3)


def test_bad_rails_only_of_labelled_runs_are_told(files, tmp_path):
    train, test, rows, _ = files
    chosen = bench_pixel(train, test, labelled=5, seed=3)["labelled_ids"]
    bad = [{**row, COLUMNS[2]: "high"} if row["ID"] == chosen[0] else row for row in rows]
    path = write(tmp_path / "bad.csv", bad)
    with pytest.raises(FileError) as caught:
        bench_pixel(path, test, labelled=5, seed=3)
    line = 2 + [row["ID"] for row in rows].index(chosen[0])
    assert [p.where for p in caught.value.problems] == [f"{path}:{line}:{list(rows[0]).index(COLUMNS[2]) + 1}"]


def test_mistakes_of_both_files_at_once(files, tmp_path):
    train, test = (
        write(tmp_path / name, [{k: v for k, v in row.items() if k not in lost} for row in rows])
        for name, rows, lost in (("a.csv", files[2], ("GPU_ENERGY_AVG_UWS",)), ("b.csv", files[3], ("C_PL",)))
    )
    with pytest.raises(FileError) as caught:
        bench_pixel(train, test)
    told = " ".join(str(problem) for problem in caught.value.problems)
    assert "GPU_ENERGY_AVG_UWS" in told
    assert "C_PL" in told


def test_too_little_to_learn_from(files, tmp_path):
    train, test, rows, _ = files
    with pytest.raises(NotEnoughData, match="100 of 100 runs have rails, 101"):
        bench_pixel(train, test, labelled=101)
    with pytest.raises(NotEnoughData):
        bench_pixel(write(tmp_path / "none.csv", rows[:1]))


def test_no_battery_leaves_the_total_open(files, tmp_path):
    hidden = [{**row, "BATTERY_DISCHARGE_RATE_UAS": ""} for row in files[2]]
    report = bench_pixel(write(tmp_path / "a.csv", hidden), files[1], seed=1)
    assert report["components"]["total"] is None
    assert report["components"]["display"] < 9


def test_halves(files):
    report = bench_halves(files[0], halves=2, labelled=10, seed=5)
    assert report["seeds"] == [5, 6]
    single = [bench_pixel(files[0], labelled=10, seed=seed)["components"]["gpu"] for seed in (5, 6)]
    assert report["components"]["gpu"]["mean"] == pytest.approx(np.mean(single))
    assert report["components"]["gpu"]["sd"] == pytest.approx(np.std(single))


def test_bars_on_a_real_phone(shared):
    """Three halves, to keep the test short, with slack for so few; docs/accuracy.md has forty."""
    report = bench_halves(shared / "data" / "androwatts" / "runs.csv", halves=3, labelled=20, seed=1)
    for name, bar in {"display": 5.2, "gpu": 4.0, "wifi": 5.5, "cpu": 9.0, "total": 6.5}.items():
        assert report["components"][name]["mean"] <= bar
    assert report["reconciled"]["cpu"]["mean"] <= 2.5
    assert 84 <= report["interval90_pooled_percent"]["mean"] <= 96
