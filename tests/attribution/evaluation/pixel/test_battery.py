from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation.pixel.battery import battery_w, voltage_v
from powerhal.attribution.evaluation.pixel.runs import read_runs
from tests.attribution.evaluation.pixel.synthetic import make_rows, write


def test_voltage_rises_with_charge():
    volts = voltage_v(np.linspace(0, 1, 50))
    assert (np.diff(volts) > 0).all()
    assert volts[0] == pytest.approx(3.3)
    assert volts[-1] == pytest.approx(4.38)
    assert np.isnan(voltage_v(np.array([np.nan]))).all()


def test_power_is_current_times_voltage_and_unknown_while_charged(tmp_path):
    rows = make_rows(3)
    rows[0].update({"BATTERY_DISCHARGE_RATE_UAS": "1000000", "BATTERY__PERCENT": "100"})
    rows[1]["BATTERY_DISCHARGE_RATE_UAS"] = "-5"
    rows[2]["BATTERY__PERCENT"] = ""
    power = battery_w(read_runs(write(tmp_path / "a.csv", rows)))
    assert power[0] == pytest.approx(4.38)
    assert np.isnan(power[1:]).all()
