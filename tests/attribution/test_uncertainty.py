from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from powerhal.attribution import attribute
from powerhal.attribution.uncertainty import Z90, Doubt, half_width, student90
from tests.attribution import synthetic


@pytest.mark.parametrize("degrees", [2, 5, 11, 24, 40])
def test_student_is_students(degrees) -> None:
    assert student90(degrees) == pytest.approx(stats.t.ppf(0.95, degrees), rel=0.03)


def test_independent_doubts_add_in_squares_and_common_ones_linearly() -> None:
    doubts = (Doubt("a"), Doubt("b"))
    one, other = np.array([3.0, 0.0]), np.array([0.0, 4.0])
    assert half_width(one + other, 0.0, doubts, 2.0) == pytest.approx(5 * Z90)
    assert half_width(one + one, 0.0, doubts, 2.0) == pytest.approx(6 * Z90)
    assert half_width(one, 16.0, doubts, 2.0) == pytest.approx(5 * Z90)
    assert half_width(one, 0.0, (Doubt("a", learned=True), doubts[1]), 2.0) == pytest.approx(6.0)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Forty runs with sensors that are off by what they state."""
    inside, count = 0, 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        run = synthetic.build(seed=seed, seconds=40.0)
        for name in [n for n in run.channels if n.endswith(".power")]:
            run.series_of[name].value[:] *= 1 + 0.005 / 3 * rng.standard_normal()
        ledger = attribute(run)
        for row in ledger.rows:
            if row.name in run.truth and row.kind in ("device", "idle", "process"):
                inside += row.low_j <= run.truth[row.name] <= row.high_j
                count += 1
    assert count >= 39 * 6  # rows that are in a group have no truth of their own
    assert 0.82 <= inside / count <= 0.99
