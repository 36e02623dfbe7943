"""The fit: against scipy and closed forms, refusals (F56, F58), honest covariances, leave-block-out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.attribution.fitting.fit import Prior, fit, leave_block_out
from powerhal.attribution.fitting.gram import Gram
from powerhal.errors import NotEnoughData

optimize = pytest.importorskip("scipy.optimize")
SETTINGS = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 2**32 - 1)
NAMES = tuple("abcd")


def world(seed, count=200, noise=0.1, theta=(1.0, 2.0, 0.5, 3.0)):
    rng = np.random.default_rng(seed)
    x = rng.random((count, len(theta)))
    return x, x @ np.array(theta) + noise * rng.normal(size=count)


@given(seed=seeds, weighted=st.booleans())
@SETTINGS
def test_without_priors_it_is_weighted_nnls(seed, weighted):
    rng = np.random.default_rng(seed)
    x, z = world(seed, 40, 1.0, np.where(rng.random(4) < 0.5, 0.0, 1.0))
    w = rng.random(40) + 0.1 if weighted else np.ones(40)
    want, distance = optimize.nnls(x * np.sqrt(w)[:, None], z * np.sqrt(w))
    got = fit(Gram(NAMES).add_rows(x, z, w))
    np.testing.assert_allclose(got.theta, want, rtol=0, atol=1e-9 * max(want.max(), 1e-3))
    assert np.array_equal(got.active, want > 0)
    assert got.residual_variance == pytest.approx(distance**2 / (40 - np.count_nonzero(want)), rel=1e-8)
    mean = np.average(z, weights=w)
    assert got.r2 == pytest.approx(1 - distance**2 / (w @ (z - mean) ** 2), rel=1e-8, abs=1e-9)


@given(seed=seeds, level=st.floats(0.01, 10.0))
@SETTINGS
def test_a_prior_is_one_more_row(seed, level):
    """(theta - m) / s is a measurement of theta: stacking it as a row gives the same answer."""
    x, z = world(seed, 30, 0.5)
    mean, sd = np.array([0.5, 1.0, 1.5, 0.0]), np.array([0.1, 0.3, 2.0, np.inf])
    prior = Prior({"a": 0.5, "b": 1.0, "c": 1.5}, {"a": 0.1, "b": 0.3, "c": 2.0, "d": np.inf, "unknown": 1.0})
    stacked = np.vstack((x / np.sqrt(level), np.diag(1.0 / sd)))
    want, _ = optimize.nnls(stacked, np.r_[z / np.sqrt(level), mean / sd])
    got = fit(Gram(NAMES).add_rows(x, z), prior, noise=level)
    np.testing.assert_allclose(got.theta, want, atol=1e-9)
    np.testing.assert_allclose(got.covariance, np.linalg.inv(stacked.T @ stacked), rtol=1e-8, atol=1e-12)


def test_the_noise_level_is_found_where_it_is_not_told():
    x, z = world(4, 2000, 0.3)
    prior = Prior(dict.fromkeys("abcd", 1.0), dict.fromkeys("abcd", 2.0))
    got = fit(Gram(NAMES).add_rows(x, z), prior)
    assert got.noise == pytest.approx(0.09, rel=0.15)
    fixed = fit(Gram(NAMES).add_rows(x, z), prior, noise=got.noise)
    np.testing.assert_allclose(got.theta, fixed.theta, rtol=1e-6)
    # weights say the same thing: a hundredfold weight is a hundredth of the noise
    scaled = fit(Gram(NAMES).add_rows(x, z, np.full(2000, 100.0)), prior)
    np.testing.assert_allclose(scaled.theta, got.theta, rtol=1e-6)
    np.testing.assert_allclose(scaled.covariance, got.covariance, rtol=1e-5)


def test_rails_that_share_columns_are_one_problem():
    """Two rails, one device on both sums: stacking rows and adding Grams is the same fit."""
    x, z = world(5)
    upper = Gram(NAMES).add_rows(x, z)
    lower = Gram("ab").add_rows(x[:, :2], x[:, :2] @ [1.0, 2.0] + 0.01, np.full(200, 25.0))
    wide = np.vstack((x, np.column_stack((x[:, :2], np.zeros((200, 2)))) * 5.0))
    want, _ = optimize.nnls(wide, np.r_[z, 5.0 * (x[:, :2] @ [1.0, 2.0] + 0.01)])
    np.testing.assert_allclose(fit(upper + lower).theta, want, atol=1e-9)


def test_a_coefficient_may_be_freed_of_its_sign():
    x, z = world(6, theta=(1.0, -2.0, 0.5, -3.0))
    got = fit(Gram(NAMES).add_rows(x, z), free=["b"])
    assert got.theta[1] < -1.0
    assert got.theta[3] == 0.0
    assert not got.active[3]


def test_negative_power_cannot_make_negative_coefficients():
    x, z = world(7)
    got = fit(Gram(NAMES).add_rows(x, -z))
    assert not got.theta.any()
    assert got.residual_variance == pytest.approx(np.mean(z**2), rel=0.05)


@pytest.mark.parametrize(("count", "known", "needed"), [(1, "", 5), (4, "", 5), (1, "ab", 3), (2, "ab", 3)])
def test_too_little_data_is_refused_with_what_is_needed(count, known, needed):
    prior = Prior(sd=dict.fromkeys(known, 1.0))
    with pytest.raises(NotEnoughData, match=f"{needed} rows are needed, {needed - count} more"):
        fit(Gram(NAMES).add_rows(*world(8, count)), prior)
    assert fit(Gram(NAMES).add_rows(*world(8, needed)), prior).n == needed


def test_no_data_at_all_is_refused_whatever_the_prior():
    with pytest.raises(NotEnoughData, match="1 rows are needed"):
        fit(Gram(NAMES), Prior(sd=dict.fromkeys(NAMES, 1.0)))


def test_dropped_rows_show_in_the_refusal():
    with pytest.raises(NotEnoughData) as caught:
        fit(Gram("a").add_rows([[1.0], [np.nan]], [1.0, 2.0]))
    assert "1 rows were dropped" in caught.value.hint


@pytest.mark.parametrize(
    ("mean", "sd"), [({}, {"a": 0.0}), ({}, {"a": -1.0}), ({"a": 1.0}, {}), ({}, {"a": float("nan")})]
)
def test_a_prior_must_make_sense(mean, sd):
    with pytest.raises(ValueError, match="prior"):
        Prior(mean, sd)


def test_the_covariance_covers_the_truth():
    """The standardised error of a well-posed fit has variance 1 (chi-square over 300 fits)."""
    scores = []
    for seed in range(300):
        got = fit(Gram(NAMES).add_rows(*world(seed, 60, 0.1)))
        error = got.theta - [1.0, 2.0, 0.5, 3.0]
        scores.append(error @ np.linalg.solve(got.covariance, error) / 4.0)
    assert 0.85 < np.mean(scores) < 1.25


def test_the_sandwich_sees_what_blocks_share():
    """Each block has a bias of its own: the plain covariance is too sure, the sandwich is not."""
    plain, robust = [], []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        parts = []
        for _ in range(20):
            x, z = world(int(rng.integers(2**31)), 50, 0.05)
            parts.append(Gram(NAMES).add_rows(x, z + 0.3 * rng.normal() * x[:, 0]))
        total = sum(parts[1:], parts[0])
        got = fit(total, blocks=parts)
        error = (got.theta[0] - 1.0) ** 2
        plain.append(error / got.covariance[0, 0])
        robust.append(error / got.sandwich[0, 0])
        assert got.sd[0] == pytest.approx(np.sqrt(max(got.covariance[0, 0], got.sandwich[0, 0])))
    assert np.mean(plain) > 5.0
    assert 0.6 < np.mean(robust) < 2.0


def test_prediction_and_its_doubt():
    x, z = world(9)
    got = fit(Gram(NAMES).add_rows(x, z))
    np.testing.assert_allclose(got.predict(x), x @ got.theta)
    np.testing.assert_allclose(got.variance_of(x), np.diag(x @ got.covariance @ x.T))
    assert got.coefficients()["b"] == got.theta[1]


def test_an_unseen_column_is_unknown_and_not_zero():
    x, z = world(10)
    got = fit(Gram(("a", "b", "c", "d", "never")).add_rows(x, z, names=NAMES))
    assert np.isinf(got.sd[4])
    assert not got.seen[4]
    assert np.isfinite(got.sd[:4]).all()


@given(seed=seeds)
@settings(max_examples=15, deadline=None)
def test_leaving_a_block_out_is_fitting_the_others(seed):
    rng = np.random.default_rng(seed)
    data = {str(k): world(int(rng.integers(2**31)), 20 + 5 * k, 0.3) for k in range(4)}
    grams = {label: Gram(NAMES).add_rows(x, z) for label, (x, z) in data.items()}
    prior = Prior({"a": 1.0}, {"a": 0.2})
    out = leave_block_out(grams, prior)
    assert list(out) == list(grams)
    for label, (x, z) in data.items():
        others = [grams[k] for k in grams if k != label]
        alone = fit(sum(others[1:], others[0]), prior)
        held = out[label]
        np.testing.assert_allclose(held.theta, alone.theta, rtol=1e-7, atol=1e-9)
        rest = z - x @ held.theta
        assert held.bias == pytest.approx(rest.mean(), abs=1e-9)
        assert held.mean_measured - held.mean_predicted == pytest.approx(held.bias)
        assert held.rms == pytest.approx(np.sqrt(np.mean(rest**2)), rel=1e-7)
        assert held.n == len(z)


def test_a_block_that_dwarfs_the_others_costs_them_nothing():
    x, z = world(11, 50)
    huge = Gram(NAMES).add_rows(x * 1e9, z * 1e9)
    small = {str(k): Gram(NAMES).add_rows(*world(20 + k, 50)) for k in range(3)}
    out = leave_block_out({"huge": huge, **small})
    alone = fit(small["0"] + small["1"] + small["2"])
    np.testing.assert_allclose(out["huge"].theta, alone.theta, rtol=1e-9)


def test_leave_block_out_needs_blocks():
    one = Gram(NAMES).add_rows(*world(1))
    with pytest.raises(NotEnoughData, match="2 are needed"):
        leave_block_out({"only": one})
    with pytest.raises(NotEnoughData, match="rows"):
        leave_block_out({"large": one, "small": Gram(NAMES).add_rows(*world(2, 2))})
