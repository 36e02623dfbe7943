from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from powerhal.attribution.evaluation.features import Design
from powerhal.attribution.evaluation.rail import Points, RailModel, Sample, fit

POINTS = Points(np.array([1000.0, 1500.0, 2000.0]), np.array([0.9, 1.0, 1.3]))


def sample(seed=0, rows=300, noise=0.0, programs=6):
    """Rows of a rail whose model is known: leak 0.04, clock 0.2, busy 0.25, activity 0.1, s = 1, 2, 4.4."""
    random = np.random.default_rng(seed)
    point = random.integers(0, 3, rows)
    static = POINTS.volts[point] * random.uniform(0.8, 1.4, rows)
    dynamic = np.column_stack((np.ones(rows), random.uniform(0.5, 1.0, rows), random.uniform(0.0, 1.5, rows)))
    power = 0.04 * static + np.array([1.0, 2.0, 4.4])[point] * (dynamic @ [0.2, 0.25, 0.1])
    power *= 1 + noise * random.standard_normal(rows)
    names, mean, spread = ("clock", "busy", "x"), np.array([0.5, 0.5, 1.0]), np.array([0.5, np.inf, 1.0])
    columns = Design(static, np.empty((rows, 0)), dynamic, names, mean, spread)
    return Sample(columns, power, random.integers(0, programs, rows), point)


def test_known_physics_is_recovered():
    data = sample()
    model = fit(data, POINTS, doubt=1e-4)
    # Leakage and the factors trade places slowly: power is what has to be right.
    np.testing.assert_allclose(model.scale, [1.0, 2.0, 4.4], rtol=0.05)
    np.testing.assert_allclose(model.energies, [0.2, 0.25, 0.1], rtol=0.08)
    predicted = model.predict_w(data.columns, POINTS.frequencies_mhz[data.point])
    assert np.mean(np.abs(predicted / data.power_w - 1)) < 0.005
    np.testing.assert_allclose(predicted, data.power_w, rtol=0.02)


def test_heat_is_believed_where_activities_do_not_see_it():
    data, random = sample(), np.random.default_rng(1)
    hidden = random.uniform(0.0, 3.0, data.power_w.size)  # W, at no operating point's factor
    columns = replace(data.columns, heat=(5.0 * hidden + random.standard_normal(hidden.size) * 0.1)[:, None])
    data = replace(data, columns=columns, power_w=data.power_w + hidden)
    model = fit(data, POINTS, doubt=1e-3)
    assert model.heat[0] == pytest.approx(0.2, rel=0.1)
    predicted = model.predict_w(data.columns, POINTS.frequencies_mhz[data.point])
    assert np.mean(np.abs(predicted / data.power_w - 1)) < 0.03
    assert np.all(model.static_w(data.columns) < 0.1)


def test_coefficients_are_never_negative():
    data = sample(noise=0.3, rows=40)
    model = fit(data, POINTS, doubt=0.03)
    assert model.leak >= 0
    assert np.all(model.energies >= 0)
    assert np.all(model.scale > 0)


def test_one_wild_row_does_not_move_the_model():
    data = sample()
    spoiled = Sample(data.columns, data.power_w.copy(), data.program, data.point)
    spoiled.power_w[7] *= 30
    one, two = (fit(part, POINTS, doubt=0.01) for part in (data, spoiled))
    frequency = POINTS.frequencies_mhz[data.point]
    np.testing.assert_allclose(
        one.predict_w(data.columns, frequency), two.predict_w(data.columns, frequency), rtol=0.01
    )


def test_a_large_doubt_keeps_the_prior_and_a_small_one_the_data():
    data = sample()
    kept, learned = fit(data, POINTS, doubt=30.0), fit(data, POINTS, doubt=1e-4)
    assert kept.energies[2] / kept.energies[1] == pytest.approx(2.0, rel=0.2)  # prior: 1.0 to 0.5
    assert learned.energies[2] / learned.energies[1] == pytest.approx(0.4, rel=0.1)


def test_a_warm_start_ends_at_the_same_model():
    data = sample(noise=0.02)
    cold = fit(data, POINTS, doubt=0.03)
    warm = fit(data, POINTS, doubt=0.03, start=cold)
    np.testing.assert_allclose(warm.energies, cold.energies, atol=2e-3)


def test_a_long_program_does_not_own_the_fit():
    weights = sample().weights()
    assert weights.sum() == pytest.approx(1.0)
    many = Sample(sample().columns, sample().power_w, np.repeat([0, 1], [290, 10]), sample().point)
    assert many.weights()[-10:].sum() / many.weights()[:290].sum() == pytest.approx((10 / 290) ** 0.5)


def test_factors_between_points_lie_on_a_power_law():
    model = RailModel(POINTS, ("clock",), 0.0, np.empty(0), np.array([1.0]), np.array([1.0, 2.0, 4.0]))
    found = model.scale_at(np.array([1000.0, 1200.0, 1500.0, 2000.0]))
    np.testing.assert_allclose(found[[0, 2, 3]], [1.0, 2.0, 4.0])
    assert 1.0 < found[1] < 2.0


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_point_that_was_never_trained_follows_v_squared_f(missing):
    seen = np.arange(3) != missing
    textbook = POINTS.dynamic_scale()
    np.testing.assert_allclose(POINTS.completed(np.where(seen, 1.1 * textbook, 99.0), seen), 1.1 * textbook)
    data = sample()
    model = fit(data.where(data.point != missing), POINTS, doubt=0.01)
    left = data.where(data.point == missing)
    predicted = model.predict_w(left.columns, POINTS.frequencies_mhz[left.point])
    assert np.mean(np.abs(predicted / left.power_w - 1)) < 0.12
