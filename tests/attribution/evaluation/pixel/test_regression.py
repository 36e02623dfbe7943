from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.attribution.evaluation.pixel.regression import Guess, fit


def rows(count=60, seed=0):
    random = np.random.default_rng(seed)
    x = np.column_stack((np.ones(count), random.uniform(0, 4, count), random.uniform(0, 0.02, count)))
    return x, x @ [0.2, 0.5, 30.0]


def equal(count, worth=1e-6):
    return Guess(np.full(count, 1.0 / count), worth)


def test_exact_rows_give_exact_coefficients_whatever_their_units():
    x, z = rows()
    assert fit(x, z, equal(3), x.mean(axis=0), knee=0.1).theta == pytest.approx([0.2, 0.5, 30.0], rel=1e-3)


def test_odd_runs_do_not_steer_where_the_knee_is_small():
    x, z = rows()
    z[::9] *= 0.4
    sharp, soft = (fit(x, z, equal(3), x.mean(axis=0), knee=knee).power_w(x) for knee in (0.02, 10.0))
    good = np.arange(len(z)) % 9 != 0
    assert np.abs(sharp - z)[good].mean() < 0.2 * np.abs(soft - z)[good].mean()


def test_too_few_rows_lean_on_the_guess():
    x = np.array([[1.0, 2.0]])
    line = fit(x, np.array([3.0]), Guess(np.array([1.0, 0.0]), 0.1), np.array([1.0, 2.0]), knee=0.1)
    assert line.theta[0] > 2 * line.theta[1]
    assert line.power_w(x)[0] == pytest.approx(3.0, rel=0.1)


def test_a_column_that_never_moves_gets_nothing():
    x, z = rows()
    x[:, 1] = 0.0
    line = fit(x, z, equal(3), x.mean(axis=0), knee=0.1)
    assert line.theta[1] == 0.0
    assert np.isfinite(line.theta).all()


def test_distrusted_rows_count_less():
    x, z = np.ones((40, 1)), np.where(np.arange(40) < 20, 1.0, 2.0)
    trust = np.where(np.arange(40) < 20, 1.0, 0.01)
    assert fit(x, z, equal(1), np.ones(1), knee=5.0, weights=trust).theta[0] == pytest.approx(1.0, abs=0.05)


@given(st.integers(0, 10_000), st.integers(1, 12), st.integers(1, 8))
@settings(max_examples=40, deadline=None)
def test_never_negative_and_scales_with_the_power(seed, count, columns):
    random = np.random.default_rng(seed)
    x, z = random.uniform(0, 3, (count, columns)), random.uniform(0.1, 2, count)
    one, ten = (fit(x, z * k, equal(columns, 0.1), x.mean(axis=0), knee=0.1).theta for k in (1.0, 10.0))
    assert (one >= 0).all()
    assert ten == pytest.approx(10 * one, rel=1e-6, abs=1e-9)
