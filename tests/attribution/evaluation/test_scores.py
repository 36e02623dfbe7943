from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation import scores
from powerhal.attribution.evaluation.scores import Prediction
from powerhal.attribution.evaluation.table import Table


def table():
    """Programs a and b at two frequencies, two windows each."""
    return Table(
        {
            "benchmark": np.repeat(["a", "b"], 4),
            "events_list": np.full(8, "1"),
            "cores": np.ones(8),
            "a15_freq_mhz": np.tile([1000.0, 1000.0, 2000.0, 2000.0], 2),
        }
    )


TRUTH = np.array([1.0, 1.0, 3.0, 3.0, 2.0, 2.0, 5.0, 5.0])


def prediction(power_w, static=0.0):
    power = np.asarray(power_w, dtype=float)
    return Prediction(power, power * 0.9, power * 1.1, np.full(8, static), power)


def test_mape_is_the_mean_of_relative_errors():
    assert scores.mape_percent(np.array([1.1, 0.8]), np.array([1.0, 1.0])) == pytest.approx(15.0)


def test_energy_errors_keep_their_sign():
    found = scores.per_program(table(), TRUTH * np.repeat([1.1, 0.9], 4), TRUTH)
    assert found["a"]["energy_error_percent"] == pytest.approx(10.0)
    assert found["b"]["energy_error_percent"] == pytest.approx(-10.0)


def test_a_common_factor_costs_a_process_nothing():
    found = scores.process_errors(table(), prediction(1.3 * TRUTH), TRUTH)
    assert found["mixed_frequency"]["mean"] == pytest.approx(0.0, abs=1e-9)
    assert found["same_frequency"]["p95"] == pytest.approx(0.0, abs=1e-9)


def test_equal_blame_is_wrong_by_what_they_differ():
    found = scores.process_errors(table(), prediction(np.ones(8)), TRUTH)
    # same frequency: 1 and 2 W told as 1.5 each, 3 and 5 as 4 each
    assert found["same_frequency"]["mean"] == pytest.approx(100 * np.mean([0.5, 0.25, 1 / 3, 0.2]))


def test_static_power_is_nobodys():
    truth = TRUTH + 0.5
    found = scores.process_errors(table(), prediction(TRUTH * 2 + 0.5, static=0.5), truth)
    assert found["mixed_frequency"]["mean"] == pytest.approx(0.0, abs=1e-9)


def test_one_frequency_has_no_mixed_windows():
    rows = table().number("a15_freq_mhz") == 1000
    found = scores.process_errors(table().where(rows), prediction(TRUTH).where(rows), TRUTH[rows])
    assert found["mixed_frequency"] is None


def test_coverage_names_the_worst_program():
    found = scores.coverage(table(), prediction(TRUTH * np.repeat([1.0, 1.5], 4)), TRUTH)
    assert found["coverage_percent"] == pytest.approx(50.0)
    assert found["worst_program_coverage_percent"] == 0.0
