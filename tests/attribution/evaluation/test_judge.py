from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation.judge import SUITES, WITHOUT_TRUTH, Answers, judged
from powerhal.attribution.evaluation.scores import Prediction
from powerhal.attribution.evaluation.table import Table


def table(power_w):
    """One cBench program, one PARSEC program on one and on two cores; two windows each."""
    return Table(
        {
            "suite": np.repeat(["cBench", "PARSEC", "PARSEC"], 2),
            "benchmark": np.repeat(["a", "b", "b"], 2),
            "events_list": np.tile(["1", "2"], 3),
            "cores": np.repeat([1.0, 1.0, 2.0], 2),
            "a15_freq_mhz": np.full(6, 1000.0),
            "a15_w": np.asarray(power_w, dtype=float),
        }
    )


def answers(power_w):
    power = np.asarray(power_w, dtype=float)
    model = Prediction(power, power * 0.95, power * 1.05, power * 0.1, power)
    return Answers(
        model,
        model,
        np.array([1.05, 1.05, np.nan, np.nan, 1.0, 1.0]),
        {"flat": np.array([1.0, 1.0, np.nan, 1.0, 1.0, 1.0])},
    )


def test_suites_are_told_apart():
    members = {name: member(table(np.ones(6))).sum() for name, member in SUITES.items()}
    assert members == {"cBench": 2, "PARSEC_1core": 2, "PARSEC_all": 4}


def test_every_figure_is_of_its_own_rows():
    report = judged(table(np.ones(6)), answers([1.1, 1.3, 1.0, 1.0, 0.8, 0.8]))
    assert report["per_suite"]["cBench"]["mape_percent"] == pytest.approx(20.0)
    assert report["per_suite"]["cBench"]["by_events_list"] == pytest.approx({"1": 10.0, "2": 30.0})
    assert report["per_suite"]["PARSEC_1core"]["mape_percent"] == pytest.approx(0.0)
    assert report["per_suite"]["PARSEC_all"]["mape_percent"] == pytest.approx(10.0)
    assert report["worst_program_energy_error_percent"] == pytest.approx(20.0)
    assert report["interval90_coverage_percent"] == pytest.approx(100 * 2 / 6)
    assert report["per_suite"]["cBench"]["static_share_percent"] == pytest.approx(10.0)


def test_spread_over_programs_counters_and_the_total_are_told():
    report = judged(table(np.ones(6)), answers([1.1, 1.3, 1.0, 1.0, 0.8, 0.8]))
    assert report["one_device_from_total"] == {"mape_percent": pytest.approx(2.5), "windows": 4}
    assert report["per_suite"]["PARSEC_1core"]["one_device_from_total"] is None
    assert report["per_suite"]["PARSEC_all"]["one_device_from_total"]["windows"] == 2
    every = report["per_suite"]["cBench"]["over_programs"]
    assert every == {"programs": 1, "mean_mape_percent": pytest.approx(20.0), "sd_percent": None}
    assert set(report["per_suite"]["cBench"]["interval90_by_events_list"]) == {"1", "2"}
    assert report["per_suite"]["PARSEC_all"]["without_counters_interval90"]["coverage_percent"] == pytest.approx(50.0)


def test_what_a_baseline_cannot_answer_is_counted_not_scored():
    report = judged(table(np.ones(6)), answers(np.ones(6)))
    assert report["baselines"]["flat"]["mape_percent"] == pytest.approx(0.0)
    assert report["baselines"]["flat"]["unanswered_windows"] == 1


def test_rows_without_truth_are_not_judged():
    report = judged(table([1.0, np.nan, 0.0, 1.0, 1.0, 1.0]), answers(np.ones(6)))
    assert report["windows"] == 4
    assert judged(table(np.full(6, np.nan)), answers(np.ones(6))) == WITHOUT_TRUTH
