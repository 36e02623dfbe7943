from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation.pixel.activities import filler, read, unread
from powerhal.attribution.evaluation.pixel.runs import read_runs
from tests.attribution.evaluation.pixel.synthetic import make_rows, write


def activities(tmp_path, rows):
    return read(read_runs(write(tmp_path / "runs.csv", rows)))


def test_plain_quantities_and_what_a_zero_means(tmp_path):
    rows = make_rows(3)
    rows[0].update({"Brightness": "0", "TOTAL_DATA_WIFI_BYTES": "0", "C_ID": "0", "RougeMesuré": "51"})
    rows[1].update({"Brightness": "40", "TOTAL_DATA_WIFI_BYTES": "2500000", "CPU_BIG_FREQ_KHz": "1800000"})
    found = activities(tmp_path, rows)
    assert found["brightness"][:2] == pytest.approx([1.0, 0.4])
    assert found["red"][0] == pytest.approx(0.2)
    assert np.isnan(found["wifi_mb"][0])
    assert np.isnan(found["own_load"][0])
    assert found["wifi_mb"][1] == pytest.approx(2.5)
    assert found["big_ghz"][1] == pytest.approx(1.8)


def test_filled_in_from_the_habits_of_the_other_runs(tmp_path):
    rows = make_rows(120)
    found = activities(tmp_path, rows)
    fill = filler(found)
    known = np.flatnonzero(np.isfinite(found["mid_ghz"]))[:40]
    hidden = {name: values[known].copy() for name, values in found.items()}
    hidden["mid_ghz"][:] = np.nan
    guessed, truth = fill(hidden)["mid_ghz"], found["mid_ghz"][known]
    assert np.abs(guessed - truth).mean() < 0.7 * np.abs(truth - np.nanmedian(found["mid_ghz"])).mean()
    assert guessed.min() >= np.nanmin(found["mid_ghz"])
    assert guessed.max() <= np.nanmax(found["mid_ghz"])
    assert all(np.isfinite(values).all() for values in fill(found).values())
    assert np.isnan(found["mid_ghz"]).any(), "the asked runs are not changed in place"


def test_few_complete_runs_leave_the_median(tmp_path):
    rows = make_rows(5)
    for row in rows:
        row["CPU_MID_FREQ_KHz"] = "1000000"
    rows[0]["CPU_MID_FREQ_KHz"] = "err"
    found = activities(tmp_path, rows)
    assert filler(found)(found)["mid_ghz"][0] == pytest.approx(1.0)


def test_a_quantity_that_nobody_read_is_nothing_rather_than_nan(tmp_path):
    rows = [{**row, "BATTERY__PERCENT": ""} for row in make_rows(40)]
    found = activities(tmp_path, rows)
    assert np.isfinite(filler(found)(found)["charge"]).all()


def test_unread_counts():
    assert unread({"a": np.array([1.0, np.nan]), "b": np.array([1.0, 2.0])}) == {"a": 1}
