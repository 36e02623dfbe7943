from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation.freq_baselines import BASELINES

HZ = np.array([0.5e9, 1.0e9, 2.0e9])
WANTED = np.array([0.75e9, 1.5e9])


@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("constant", lambda f: 0 * f + 0.3),
        ("proportional_to_f", lambda f: 0.4 * f),
        ("line", lambda f: 0.1 + 0.4 * f),
        ("straight_lines", lambda f: 0.1 + 0.4 * f),
        ("power_laws", lambda f: 0.2 * f**2),
        ("f_and_f_cubed", lambda f: 0.2 * f + 0.1 * f**3),
        ("monotone_convex", lambda f: 0.1 + 0.2 * f + 0.1 * f**3),
    ],
)
def test_each_is_exact_on_its_own_law(name, law):
    assert BASELINES[name](HZ, law(HZ / 1e9), WANTED) == pytest.approx(law(WANTED / 1e9), rel=1e-4)


def test_a_fixed_table_takes_the_next_step_up():
    assert BASELINES["fixed_table"](HZ, np.array([1.0, 2.0, 3.0]), np.array([0.75e9, 2.5e9])).tolist() == [2.0, 3.0]


@pytest.mark.parametrize("name", BASELINES)
def test_no_readings_no_answer(name):
    assert BASELINES[name](np.zeros(0), np.zeros(0), WANTED) is None
