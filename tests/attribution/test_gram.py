"""Sufficient statistics: sums, unions, forgetting, dropped rows (F57), drift of a long run (F59)."""

from __future__ import annotations

import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.attribution.fitting.gram import Gram
from powerhal.errors import ModelError
from powerhal.kernels.tier_numpy import PANEL_ROWS

SETTINGS = settings(max_examples=40, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def rows(seed, count=30, columns=3):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, columns)), rng.normal(size=count), rng.random(count) + 0.1


def direct(x, z, w):
    wide = np.column_stack((x, z, np.ones(len(z))))
    return (wide * w[:, None]).T @ wide


def same(gram, moments, n, tolerance=1e-11):
    scale = np.sqrt(np.outer(np.diag(moments), np.diag(moments))) + 1e-300
    assert np.all(np.abs(gram.moments - moments) <= tolerance * scale)
    assert gram.n == n


@given(seed=seeds, cut=st.integers(0, 30))
@SETTINGS
def test_batches_add_up(seed, cut):
    x, z, w = rows(seed)
    gram = Gram("abc").add_rows(x[:cut], z[:cut], w[:cut]).add_rows(x[cut:], z[cut:], w[cut:])
    same(gram, direct(x, z, w), 30)
    np.testing.assert_allclose(gram.xx, (x * w[:, None]).T @ x)
    np.testing.assert_allclose(gram.xz, x.T @ (w * z))
    np.testing.assert_allclose(gram.zz, w @ z**2)
    np.testing.assert_allclose(gram.x_sum, w @ x)
    np.testing.assert_allclose([gram.z_sum, gram.weight_sum], [w @ z, w.sum()])


def test_a_batch_of_many_panels():
    x, z, w = rows(1, 2 * PANEL_ROWS + 7)
    same(Gram("abc").add_rows(x, z, w), direct(x, z, w), len(z))


@given(seed=seeds)
@SETTINGS
def test_columns_are_known_by_name(seed):
    x, z, w = rows(seed)
    gram = Gram("cx").add_rows(x[:, [1, 0]], z, w, names="ac").add_rows(x, z, w, names="bad")
    assert gram.names == ("c", "x", "a", "b", "d")
    wide = np.zeros((60, 5))
    wide[:30, [2, 0]] = x[:, [1, 0]]
    wide[30:, [3, 2, 4]] = x
    same(gram, direct(wide, np.tile(z, 2), np.tile(w, 2)), 60)


@given(seed=seeds)
@SETTINGS
def test_a_merge_is_a_union_and_a_difference_undoes_it(seed):
    x, z, w = rows(seed)
    one = Gram("abc").add_rows(x, z, w)
    two = Gram("cbd").add_rows(x[:20], z[:20], w[:20])
    both = one + two
    assert both.names == ("a", "b", "c", "d")
    wide = np.zeros((50, 4))
    wide[:30, :3], wide[30:, [2, 1, 3]] = x, x[:20]
    same(both, direct(wide, np.r_[z, z[:20]], np.r_[w, w[:20]]), 50)
    same((both - two).select("abc"), one.moments, 30)
    same(two + one, both.select("cbda").moments, 50)
    with pytest.raises(ValueError, match="never added"):
        one - two


def test_forgetting_scales_sums_and_rows():
    x, z, w = rows(2)
    gram = Gram("abc").add_rows(x, z, w)
    same(gram.scaled(0.25), 0.25 * direct(x, z, w), 7.5)
    same(gram, direct(x, z, w), 30)
    gram.decay(0.5).add_rows(x, z, w)
    same(gram, 1.5 * direct(x, z, w), 45)
    same(gram.reweighted(2.0), 3.0 * direct(x, z, w), 45)
    for wrong in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="forgetting"):
            gram.scaled(wrong)


POISON = [float("nan"), float("inf"), -float("inf"), 1e200]


@given(seed=seeds, data=st.data())
@SETTINGS
def test_bad_rows_are_dropped_and_counted(seed, data):
    x, z, w = rows(seed)
    good = np.ones(30, dtype=bool)
    valid = np.ones(30, dtype=bool)
    for k in data.draw(st.sets(st.integers(0, 29))):
        good[k] = False
        match data.draw(st.sampled_from(["x", "z", "weight", "nan weight", "flag", "both"])):
            case "x":
                x[k, data.draw(st.integers(0, 2))] = data.draw(st.sampled_from(POISON))
            case "z":
                z[k] = data.draw(st.sampled_from(POISON))
            case "weight":
                w[k] = 0.0
            case "nan weight":
                w[k] = float("nan")
            case "flag":
                valid[k] = False
            case "both":
                valid[k], z[k] = False, float("nan")
    gram = Gram("abc").add_rows(x, z, w, valid=valid)
    same(gram, direct(x[good], z[good], w[good]), good.sum())
    assert gram.dropped == 30 - good.sum()


def test_nothing_at_all_is_fine():
    gram = Gram("ab").add_rows(np.empty((0, 2)), []).add_rows([[np.nan, 1.0]], [1.0])
    assert (gram.n, gram.dropped, gram.weight_sum) == (0.0, 1, 0.0)
    assert not gram.moments.any()


@pytest.mark.parametrize(
    ("x", "z", "weights", "words"),
    [
        (np.ones((2, 3)), [1.0, 2.0], None, "columns expected"),
        (np.ones((2, 2)), [1.0], None, "rows of"),
        (np.ones((1, 2)), [1.0], [-1.0], "negative"),
        (np.ones((1, 2)), [1.0], [1.0, 1.0], "weights"),
    ],
)
def test_wrong_shapes_are_refused(x, z, weights, words):
    with pytest.raises(ValueError, match=words):
        Gram("ab").add_rows(x, z, weights)


def test_two_columns_cannot_share_a_name():
    for call in (lambda: Gram("aa"), lambda: Gram("a").add_rows([[1.0, 2.0]], [1.0], names="bb")):
        with pytest.raises(ValueError, match="share a name"):
            call()


@given(seed=seeds, weighted=st.booleans(), poison=st.booleans())
@SETTINGS
def test_sparse_rows_are_the_same_rows(seed, weighted, poison):
    rng = np.random.default_rng(seed)
    active = [np.sort(rng.permutation(6)[: rng.integers(0, 4)]) for _ in range(12)]
    starts = np.concatenate(([0], np.cumsum([len(part) for part in active])))
    columns = np.concatenate(active).astype(int)
    values, z, w = rng.normal(size=columns.size), rng.normal(size=12), rng.random(12)
    if poison:
        z[3] = np.nan
        values[starts[5] : starts[6]] = np.inf
        w[7] = 0.0
    wide = np.zeros((12, 6))
    for k in range(12):
        wide[k, columns[starts[k] : starts[k + 1]]] = values[starts[k] : starts[k + 1]]
    weights = w if weighted else None
    sparse = Gram("abcdef").add_rows(wide[:2], z[:2]).add_sparse(starts, columns, values, z, weights)
    dense = Gram("abcdef").add_rows(wide[:2], z[:2]).add_rows(wide, z, weights)
    same(sparse, dense.moments, dense.n)
    assert sparse.dropped == dense.dropped
    np.testing.assert_array_equal(sparse.moments, sparse.moments.T)


def test_sparse_shapes_are_checked():
    gram = Gram("ab")
    for starts, columns, values in (([0, 1], [2], [1.0]), ([0, 2], [0], [1.0]), ([0], [0], [1.0])):
        with pytest.raises(ValueError, match=r"row starts|outside|shape"):
            gram.add_sparse(starts, columns, values, [1.0])


def test_a_long_run_does_not_drift():
    """10^5 batches of one tiny row on top of a huge sum: the rational sum is the truth."""
    gram = Gram(["a"]).add_rows([[1e7]], [1e7])
    exact = Fraction(1e7) ** 2
    for k in range(20_000):
        value = 0.001 * (1 + k % 7)
        gram.add_rows([[value]], [value])
        exact += Fraction(value) ** 2
    plain_step = np.spacing(1e14)
    assert plain_step > 0.001  # a plain sum would have lost most of the rows
    assert abs(Fraction(float(gram._moments[0, 0])) + Fraction(float(gram._carry[0, 0])) - exact) < 1e-6


@given(seed=seeds)
@SETTINGS
def test_files_keep_every_bit(seed):
    x, z, w = rows(seed)
    gram = Gram("abc").add_rows(x, z, w, valid=np.arange(30) > 3)
    back = Gram.from_json(json.loads(json.dumps(gram.to_json())))
    assert (back.names, back.n, back.dropped) == (gram.names, gram.n, gram.dropped)
    np.testing.assert_array_equal(back.moments, gram.moments)


GOOD = Gram("a").add_rows([[1.0]], [2.0]).to_json()


@pytest.mark.parametrize(
    "change",
    [
        {"names": ["a", "b"]}, {"names": ["a", "a"]}, {"moments": [1.0]}, {"moments": "abc"}, {"n": -1.0},
        {"n": "many"}, {"moments": [-1.0, 0, 0, 0, 0, 0]}, {"moments": [float("nan"), 0, 0, 0, 0, 0]},
        {"n": float("inf")},
    ],
)  # fmt: skip
def test_a_spoilt_file_is_refused(change):
    with pytest.raises(ModelError, match="statistics"):
        Gram.from_json({**GOOD, **change})
    with pytest.raises(ModelError, match="statistics"):
        Gram.from_json({"names": ["a"]})


def test_unknown_columns_are_refused():
    gram = Gram("ab")
    with pytest.raises(KeyError, match="c"):
        gram.select("c")
    with pytest.raises(ValueError, match="lost"):
        gram.extended("a")
    with pytest.raises(ValueError, match="expected"):
        Gram.from_moments("ab", np.zeros((2, 2)), 1.0)
