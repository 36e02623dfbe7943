"""Regression kernels: every tier against the naive twins (and so against each other)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels import twins

SETTINGS = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def close(got, want, tolerance=1e-9):
    got, want = np.asarray(got, dtype=float), np.asarray(want, dtype=float)
    assert got.shape == want.shape
    size = np.max(np.abs(want), initial=0.0)
    assert np.all(np.abs(got - want) <= tolerance * max(size, 1e-300))


def problem(seed, rows, columns, condition=1.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, columns))
    u, _, v = np.linalg.svd(x, full_matrices=False)
    x = u * np.geomspace(1.0, 1.0 / condition, min(rows, columns)) @ v
    theta = np.where(rng.random(columns) < 0.4, 0.0, rng.normal(size=columns))
    return x, x @ theta + 0.1 * rng.normal(size=rows) / np.sqrt(rows)


@given(seed=seeds, rows=st.integers(0, 70), columns=st.integers(1, 7), weighted=st.booleans())
@SETTINGS
def test_gram_add_is_the_exact_sum(tier, seed, rows, columns, weighted):
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(rows, columns)) * 10.0 ** rng.integers(-3, 4, columns)
    weights = rng.random(rows) if weighted else np.empty(0)
    start = np.eye(columns)
    got = start.copy()
    tier.gram_add(got, matrix, weights)
    want = start + (twins.gram(matrix, weights if weighted else np.ones(rows)) if rows else 0.0)
    scale = np.sqrt(np.outer(np.diag(want), np.diag(want)))
    assert np.all(np.abs(got - want) <= 1e-12 * scale)
    assert np.array_equal(got, got.T)


def test_gram_add_crosses_panels(tier):
    rng = np.random.default_rng(3)
    rows = rng.random((5000 if tier.tier != "python" else 300, 3))
    weights = rng.random(len(rows))
    got = np.zeros((3, 3))
    tier.gram_add(got, rows, weights)
    close(got, (rows * weights[:, None]).T @ rows, 1e-12)


@given(seed=seeds, rows=st.integers(0, 12), width=st.integers(1, 9), weighted=st.booleans(), poison=st.booleans())
@SETTINGS
def test_sparse_rows_add_up_like_dense_ones(tier, seed, rows, width, weighted, poison):
    rng = np.random.default_rng(seed)
    active = [rng.permutation(width)[: rng.integers(0, width + 1)] for _ in range(rows)]
    starts = np.concatenate(([0], np.cumsum([len(part) for part in active]))).astype(int)
    columns = np.concatenate(active).astype(int) if rows else np.empty(0, dtype=int)
    values, z = rng.normal(size=columns.size), rng.normal(size=rows)
    weights = rng.random(rows) if weighted else np.empty(0)
    if poison:
        values[rng.random(columns.size) < 0.1] = np.nan
        z[rng.random(rows) < 0.1] = 1e200
        weights[rng.random(weights.size) < 0.1] = 0.0
    got = np.zeros((width + 2, width + 2))
    count = tier.moments_add_sparse(got, starts, columns, values, z, weights)
    want, carry = np.zeros((width + 2, width + 2)), np.zeros((width + 2, width + 2))
    assert count == tier.moments_add(want, carry, twins.dense(starts, columns, values, width), z, weights)
    close(got, np.triu(want + carry), 1e-12)


@given(seed=seeds, rows=st.integers(0, 30), columns=st.integers(0, 5), weighted=st.booleans())
@SETTINGS
def test_moments_are_the_gram_of_augmented_rows(tier, seed, rows, columns, weighted):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(rows, columns)), rng.normal(size=rows)
    weights = rng.random(rows) if weighted else np.empty(0)
    total, carry = np.eye(columns + 2), np.zeros((columns + 2, columns + 2))
    assert tier.moments_add(total, carry, x, z, weights) == rows
    wide = np.column_stack((x, z, np.ones(rows)))
    want = np.eye(columns + 2) + (twins.gram(wide, weights if weighted else np.ones(rows)) if rows else 0.0)
    close(total + carry, want, 1e-13)


POISON = [np.nan, np.inf, -np.inf, 1e200, -2e145]


@given(seed=seeds, data=st.data())
@SETTINGS
def test_rows_out_of_range_are_left_out(tier, seed, data):
    rng = np.random.default_rng(seed)
    x, z, weights = rng.normal(size=(12, 3)), rng.normal(size=12), rng.random(12) + 0.5
    bad = data.draw(st.sets(st.integers(0, 11)))
    for k in bad:
        where = data.draw(st.sampled_from(["x", "z", "weight"]))
        if where == "x":
            x[k, data.draw(st.integers(0, 2))] = data.draw(st.sampled_from(POISON))
        elif where == "z":
            z[k] = data.draw(st.sampled_from(POISON))
        else:
            weights[k] = data.draw(st.sampled_from([0.0, np.nan]))
    total, carry = np.zeros((5, 5)), np.zeros((5, 5))
    assert tier.moments_add(total, carry, x, z, weights) == 12 - len(bad)
    good = [k for k in range(12) if k not in bad]
    want = twins.gram(np.column_stack((x, z, np.ones(12)))[good], weights[good]) if good else np.zeros((5, 5))
    close(total + carry, want, 1e-12)


def test_moments_keep_what_plain_addition_loses(tier):
    total, carry = np.full((2, 2), 1e16), np.zeros((2, 2))
    plain = 1e16
    for _ in range(1000):
        tier.moments_add(total, carry, np.empty((1, 0)), [1.0], [0.7])
        plain += 0.7
    assert abs(total[0, 0] + carry[0, 0] - (1e16 + 700.0)) <= 2.0
    assert abs(plain - (1e16 + 700.0)) > 100.0


def test_moments_cross_panels(tier):
    rng = np.random.default_rng(3)
    rows = 5000 if tier.tier != "python" else 100
    x, z, weights = rng.random((rows, 2)), rng.random(rows), rng.random(rows)
    x[rows - 3, 1] = np.nan
    total, carry = np.zeros((4, 4)), np.zeros((4, 4))
    assert tier.moments_add(total, carry, x, z, weights) == rows - 1
    wide = np.delete(np.column_stack((x, z, np.ones(rows))) * np.sqrt(weights)[:, None], rows - 3, axis=0)
    close(total + carry, wide.T @ wide, 1e-13)


@given(seed=seeds, size=st.integers(1, 9), columns=st.integers(1, 3))
@SETTINGS
def test_cholesky_solves_and_inverts(tier, seed, size, columns):
    rng = np.random.default_rng(seed)
    half = rng.normal(size=(size + 3, size))
    matrix = half.T @ half + 0.1 * np.eye(size)
    x = rng.normal(size=(size, columns))
    close(tier.cholesky_solve(matrix, matrix @ x), x)
    close(tier.cholesky_solve(matrix, matrix @ x[:, 0]), x[:, 0])
    inverse = np.asarray(tier.spd_inverse(matrix))
    close(matrix @ inverse, np.eye(size))
    assert np.array_equal(inverse, inverse.T)


@pytest.mark.parametrize("matrix", [[[1.0, 1.0], [1.0, 1.0]], [[1.0, 2.0], [2.0, 1.0]], [[0.0]], [[np.nan]]])
def test_an_indefinite_matrix_answers_nan(tier, matrix):
    assert np.isnan(np.asarray(tier.cholesky_solve(matrix, [1.0] * len(matrix)))).all()
    assert np.isnan(np.asarray(tier.spd_inverse(matrix))).all()


@given(
    seed=seeds,
    columns=st.integers(1, 12),
    decades=st.integers(0, 3),
    spread=st.integers(0, 6),
    warm=st.booleans(),
    signed=st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_nnls_reaches_the_minimum(tier, seed, columns, decades, spread, warm, signed):
    rng = np.random.default_rng(seed)
    x, z = problem(seed, columns + 10, columns, 10.0**decades)
    x = x * 10.0 ** rng.uniform(-spread, spread, columns)
    free = rng.random(columns) < 0.3 if signed else np.empty(0, dtype=bool)
    passive = rng.random(columns) < 0.5 if warm else np.empty(0, dtype=bool)
    theta, how = tier.nnls(x.T @ x, x.T @ z, free, passive)
    assert how == 0
    mask = free if signed else np.zeros(columns, dtype=bool)
    assert twins.optimality(x.T @ x, x.T @ z, theta, mask) <= 1e-11


@given(seed=seeds, columns=st.integers(1, 12), decades=st.floats(0, 3))
@SETTINGS
def test_nnls_on_the_gram_agrees_with_scipy_on_the_rows(tier, seed, columns, decades):
    optimize = pytest.importorskip("scipy.optimize")
    x, z = problem(seed, 4 * columns + 5, columns, 10.0**decades)
    want, _ = optimize.nnls(x, z)
    got, _ = tier.nnls(x.T @ x, x.T @ z, (), ())
    close(got, want)


def test_nnls_leaves_its_inputs_alone(tier):
    x, z = problem(1, 20, 4)
    gram, rhs, free, passive = x.T @ x, x.T @ z, np.zeros(4, dtype=bool), np.ones(4, dtype=bool)
    kept = [part.copy() for part in (gram, rhs, free, passive)]
    tier.nnls(gram, rhs, free, passive)
    for now, before in zip((gram, rhs, free, passive), kept, strict=True):
        assert np.array_equal(now, before)


def test_nnls_on_a_singular_gram_still_reaches_a_minimum(tier):
    rng = np.random.default_rng(5)
    x = rng.random((30, 4))
    x = np.column_stack((x, x[:, 0], 2.0 * x[:, 1]))
    z = x @ [1.0, 2.0, 0.0, 3.0, 0.5, 0.0]
    theta, how = tier.nnls(x.T @ x, x.T @ z, (), np.ones(6, dtype=bool))
    assert how == 1
    assert twins.optimality(x.T @ x, x.T @ z, theta, np.zeros(6, dtype=bool)) <= 1e-9
    close(x @ np.asarray(theta), z, 1e-9)
    share = np.asarray(theta) * np.linalg.norm(x, axis=0)
    close(share[[0, 1]], share[[4, 5]], 1e-4)  # copies share: none is blamed for all


def test_nnls_gives_zero_to_a_column_that_never_moved(tier):
    theta, how = tier.nnls([[0.0, 0.0], [0.0, 4.0]], [0.0, 8.0], (), ())
    assert (list(theta), how) == ([0.0, 2.0], 0)
    theta, how = tier.nnls([[0.0]], [0.0], (), ())
    assert (list(theta), how) == ([0.0], 0)
    theta, how = tier.nnls(np.empty((0, 0)), np.empty(0), (), ())
    assert (len(theta), how) == (0, 0)


@pytest.mark.parametrize("singular", [False, True])
def test_tiers_agree_on_a_large_problem(singular):
    from powerhal import kernels

    x, z = problem(11, 400, 60, 1e3)
    if singular:
        x[:, 7] = x[:, 3]
    tables = [kernels.load(name) for name in ("numba", "numpy", "python")]
    guess = np.ones(60, dtype=bool)  # meets the copies in the first block
    answers = [table.nnls(x.T @ x, x.T @ z, (), guess) for table in tables]
    assert [how for _, how in answers] == [int(singular)] * 3
    fitted = [x @ np.asarray(theta) if singular else theta for theta, _ in answers]
    close(fitted[0], fitted[1])
    close(fitted[1], fitted[2])


@given(seed=seeds, size=st.integers(2, 12), jitter=st.sampled_from([0.0, 1e-10, 1e-8, 1e-7, 1e-6, 1e-4]))
@settings(max_examples=40, deadline=None)
def test_nearly_collinear_columns_cost_nothing_of_the_fit(tier, seed, size, jitter):
    """However singular: the sum of squares is within 1e-6 of scipy's on the rows themselves."""
    optimize = pytest.importorskip("scipy.optimize")
    rng = np.random.default_rng(seed)
    x = rng.random((40, size)) @ rng.integers(0, 2, (size, size)) + jitter * rng.random((40, size))
    z = x @ np.where(rng.random(size) < 0.3, 0.0, rng.random(size)) + 0.05 * rng.normal(size=40)
    _, distance = optimize.nnls(x, z, maxiter=10_000)
    theta, _how = tier.nnls(x.T @ x, x.T @ z, (), ())
    theta = np.asarray(theta)
    assert (theta >= 0).all()
    assert np.sum((z - x @ theta) ** 2) <= distance**2 * (1 + 1e-6) + 1e-12 * np.sum(z**2)
