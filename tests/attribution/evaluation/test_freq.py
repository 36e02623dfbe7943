from __future__ import annotations

import json

import numpy as np
import pytest

from powerhal.attribution.evaluation.freq import bench_freq
from powerhal.errors import NotEnoughData

HEAD = "CPU,Frequency (kHz),Power (mW),Energy (J)\n"


@pytest.fixture
def tables(tmp_path):
    random = np.random.default_rng(3)
    for chip in range(6):
        a, b, c = random.dirichlet((1.0, 2.0, 4.0))
        for device in ("main", "second"):
            u = np.linspace(0.3, 1.0, 6)
            milliwatts = 500 * (a + b * u + c * u**3) * np.exp(0.02 * random.standard_normal(6))
            rows = [f"0,{f:.0f},{w:.4f},1" for f, w in zip(u * 2e6, milliwatts, strict=True)]
            (tmp_path / f"chip{chip}__{device}.csv").write_text(HEAD + "\n".join(rows) + "\n0,2500000,0,0\n")
    return tmp_path


def test_what_was_left_out_is_predicted_better_than_by_simpler_tools(tables):
    report = bench_freq([tables])
    assert json.loads(json.dumps(report)) == report
    assert (report["tables"], report["curves"], report["families"]) == (12, 12, 6)
    assert report["left_out"]["rows_without_power"] == 12
    inner = report["protocols"]["leave_one_inner_frequency_out"]
    assert inner["model"]["mape_percent"] < 4.0
    for name in ("constant", "proportional_to_f", "line", "fixed_table"):
        assert inner["model"]["mape_percent"] < inner["baselines"][name]["mape_percent"]
    assert 70.0 < report["interval90_coverage_percent"] <= 100.0
    assert report["another_device"]["pairs"] == 12
    assert report["another_device"]["mape_percent"] < 5.0
    assert "straight_lines" not in report["protocols"]["highest"]["baselines"]


def test_one_chip_cannot_be_predicted_from_others(tables):
    with pytest.raises(NotEnoughData, match="1 families"):
        bench_freq([tables / "chip1__main.csv", tables / "chip1__second.csv"])


def test_real_tables(shared):
    """A few chips, to keep the test short; the figures in docs/accuracy.md use all of them."""
    folder = shared / "data" / "freqbench"
    chips = ("sdm660", "exynos7904", "msm8953", "sm7225", "sdm632")
    report = bench_freq([p for chip in chips for p in sorted(folder.glob(f"{chip}*.csv"))[:1]])
    few = report["protocols"]["lowest_middle_highest"]
    assert few["model"]["mape_percent"] < 12.0
    assert few["model"]["mape_percent"] < few["baselines"]["straight_lines"]["mape_percent"]
