"""What cannot be told apart is named, and only that (F55)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.attribution.fitting.fit import Prior, fit
from powerhal.attribution.fitting.gram import Gram

seeds = st.integers(0, 2**32 - 1)


def learn(x, z, names):
    return Gram(names).add_rows(x, z)


def random(seed, count=400, columns=4):
    rng = np.random.default_rng(seed)
    return rng, rng.random((count, columns))


def test_independent_columns_are_reported_alone():
    rng, x = random(1)
    got = fit(learn(x, x @ [1.0, 2.0, 0.5, 3.0] + 0.05 * rng.normal(size=400), "abcd"))
    assert got.groups == ()
    assert got.condition_number < 10
    assert (got.vif < 10).all()


@pytest.mark.parametrize("jitter", [0.0, 1e-9, 1e-3])
def test_a_copy_of_a_column_is_a_group_with_a_sum(jitter):
    rng, x = random(2)
    x = np.column_stack((x, 2.0 * x[:, 1] + jitter * rng.normal(size=400)))
    got = fit(learn(x, x @ [1.0, 2.0, 0.5, 3.0, 0.25] + 0.05 * rng.normal(size=400), ["a", "gpu", "c", "d", "display"]))
    assert [(group.names, group.kind) for group in got.groups] == [(("gpu", "display"), "together")]
    group = got.groups[0]
    assert group.mean_w == pytest.approx(2.5 * x[:, 1].mean(), rel=0.02)
    assert group.sd_w < 0.05 * group.mean_w
    assert "gpu and display moved together" in group.reason
    assert got.condition_number > 100


def test_a_constant_column_and_indicators_that_sum_to_it():
    rng, x = random(3, columns=2)
    state = rng.integers(0, 3, 400)
    x = np.column_stack((x, np.ones(400), state == 0, state == 1, state == 2))
    got = fit(
        learn(x, x @ [1.0, 2.0, 1.0, 0.1, 0.2, 0.3] + 0.01 * rng.normal(size=400), ["a", "b", "base", "s0", "s1", "s2"])
    )
    assert [set(group.names) for group in got.groups] == [{"base", "s0", "s1", "s2"}]


def test_two_separate_pairs_are_two_groups():
    rng, x = random(4, columns=3)
    x = np.column_stack((x, x[:, 0], x[:, 1] * 3))
    got = fit(learn(x, x @ [1.0, 2.0, 1.0, 0.5, 0.5] + 0.01 * rng.normal(size=400), "abcde"))
    assert sorted(group.names for group in got.groups) == [("a", "d"), ("b", "e")]


@pytest.mark.parametrize("copies", [3, 6])
def test_many_copies_are_one_group(copies):
    rng, x = random(5, columns=2)
    x = np.column_stack([x] + [x[:, :1]] * copies)
    names = [str(k) for k in range(2 + copies)]
    got = fit(learn(x, x[:, 0] + x[:, 1] + 0.01 * rng.normal(size=400), names))
    assert [set(group.names) for group in got.groups] == [{"0", *names[2:]}]


def test_a_prior_from_elsewhere_separates_a_pair():
    rng, x = random(6)
    x = np.column_stack((x, x[:, 1]))
    gram = learn(x, x @ [1.0, 2.0, 0.5, 3.0, 1.0] + 0.01 * rng.normal(size=400), "abcde")
    assert len(fit(gram).groups) == 1
    known = fit(gram, Prior({"e": 1.0}, {"e": 1e-4}))
    assert known.groups == ()
    assert known.theta[1] == pytest.approx(2.0, abs=0.02)


def test_a_weak_effect_says_how_much_more_is_needed():
    rng, x = random(7, count=100)
    got = fit(learn(x, x @ [1.0, 2.0, 0.3, 3.0] + 0.5 * rng.normal(size=100), "abcd"))
    assert got.theta[2] > 0
    assert [(group.names, group.kind) for group in got.groups] == [(("c",), "vague")]
    assert "more rows like these would settle it" in got.groups[0].reason


def test_a_device_that_was_never_on_is_unseen():
    rng, x = random(8)
    got = fit(
        Gram(["a", "b", "c", "d", "gps", "nfc"]).add_rows(x, x.sum(axis=1) + 0.01 * rng.normal(size=400), names="abcd")
    )
    assert [(group.names, group.kind) for group in got.groups] == [(("gps", "nfc"), "unseen")]
    assert "gps and nfc never became active" in got.groups[0].reason


@given(seed=seeds, columns=st.integers(2, 8))
@settings(max_examples=30, deadline=None)
def test_the_truth_of_a_group_lies_in_its_interval(seed, columns):
    """Whatever is collinear: the mean power of each group is within 5 of its standard deviations."""
    rng = np.random.default_rng(seed)
    basis = rng.random((150, columns))
    x = basis @ rng.integers(0, 2, (columns, columns)) + 1e-4 * rng.random((150, columns))
    theta = rng.random(columns)
    got = fit(learn(x, x @ theta + 0.01 * rng.normal(size=150), [str(k) for k in range(columns)]))
    for group in got.groups:
        members = [int(name) for name in group.names]
        if got.active[members].all():
            truth = x[:, members].mean(axis=0) @ theta[members]
            assert abs(group.mean_w - truth) <= 5.0 * group.sd_w


def test_every_doubtful_coefficient_is_in_exactly_one_group():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x = rng.random((60, 3)) @ rng.random((3, 6)) + 0.02 * rng.random((60, 6))
        got = fit(learn(x, x.sum(axis=1) + 0.05 * rng.normal(size=60), "abcdef"))
        named = [name for group in got.groups for name in group.names]
        assert len(named) == len(set(named))
        doubtful = (got.vif > 10) | ((got.theta > 0) & (np.sqrt(np.diag(got.covariance)) > 0.5 * got.theta))
        assert {name for name, bad in zip(got.names, doubtful, strict=True) if bad} <= set(named)
