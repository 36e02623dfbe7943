from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation.pixel.activities import filler, read
from powerhal.attribution.evaluation.pixel.components import PARTS
from powerhal.attribution.evaluation.pixel.phone import Known, learn
from powerhal.attribution.evaluation.pixel.runs import read_runs
from tests.attribution.evaluation.pixel.synthetic import COLUMNS, component_w, make_rows, write


def make_known(tmp_path, rows, taught, *, battery=True):
    runs = read_runs(write(tmp_path / "runs.csv", rows))
    did = read(runs)
    part_w = dict(component_w(rows))
    total = np.array([sum(float(row[rail]) for rail in COLUMNS) * 1e-6 for row in rows])
    part_w["rest"] = total - sum(part_w.values())
    labelled = np.arange(len(rows)) < taught
    hidden = {name: np.where(labelled, power_w, np.nan) for name, power_w in part_w.items()}
    battery_w = 1.3 * total + 0.1 if battery else np.full(len(rows), np.nan)
    return Known(filler(did)(did), labelled, hidden, battery_w), part_w, total


def error(predicted, truth):
    return np.abs(predicted - truth).mean() / truth.mean()


def test_components_of_runs_that_were_not_labelled(tmp_path):
    known, truth, _ = make_known(tmp_path, make_rows(150), taught=20)
    said = learn(known).parts_w(known.activities)
    assert set(said) == {part.name for part in PARTS}
    rest = ~known.labelled
    assert all(error(said[name][rest], truth[name][rest]) < 0.09 for name in ("display", "gpu", "wifi", "cpu"))


def test_the_battery_teaches_the_cpu(tmp_path):
    errors = []
    for battery in (True, False):
        known, truth, _ = make_known(tmp_path, make_rows(200, noise=0.01), taught=6, battery=battery)
        said = learn(known).parts_w(known.activities)
        errors.append(error(said["cpu"][~known.labelled], truth["cpu"][~known.labelled]))
    assert errors[0] < 0.8 * errors[1]


def test_the_line_from_rails_to_battery(tmp_path):
    known, _, total = make_known(tmp_path, make_rows(150, noise=0.01), taught=50)
    phone = learn(known)
    assert phone.kappa == pytest.approx(1.3, rel=0.03)
    assert phone.total_of_rails_w(total) == pytest.approx(known.battery_w, rel=0.03)
    assert error(phone.total_w(known.activities), known.battery_w) < 0.05


def test_without_any_battery_the_total_stays_unknown(tmp_path):
    known, _, total = make_known(tmp_path, make_rows(60), taught=20, battery=False)
    phone = learn(known)
    assert np.isnan(phone.total_w(known.activities)).all()
    assert np.isnan(phone.total_of_rails_w(total)).all()


def test_left_out_runs_are_gone_altogether(tmp_path):
    known, _, _ = make_known(tmp_path, make_rows(60), taught=20)
    out = np.arange(60) == 3
    rest = known.without(out)
    assert rest.labelled.sum() == 19
    assert len(rest.battery_w) == 59
    assert np.isfinite(rest.sum_w).sum() == 19
