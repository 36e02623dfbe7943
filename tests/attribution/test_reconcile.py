"""Conservation: the books balance in every window, the way there is the shortest, nothing raises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.attribution.observed.rail_tree import RailTree
from powerhal.attribution.settling.reconcile import reconcile

SETTINGS = settings(max_examples=60, deadline=None)
seeds = st.integers(0, 2**32 - 1)

PHONE = RailTree.build(
    ["battery", "cpu", "display"],
    {"system": "battery", "cpu": "system", "display": "system", "radio": "system"},
    {"big": "cpu", "little": "cpu", "panel": "display", "wifi": "radio", "gpu": "battery"},
)


def nesting(tree):
    """(r, r): 1 where rail r includes rail s (itself too)."""
    out = np.eye(len(tree.rails))
    for start in range(len(tree.rails)):
        rail = tree.above[start]
        while rail >= 0:
            out[rail, start] = 1.0
            rail = tree.above[rail]
    return out


def imbalance(tree, got, z):
    """Relative error of every measured rail in every window: devices plus unattributed against z."""
    parts = np.nan_to_num(got.unattributed)
    total = got.device @ tree.constraints().T + parts @ nesting(tree).T
    known = ~np.isnan(z)
    size = np.maximum(np.nanmax(np.abs(np.where(known, z, 0.0)), axis=1, keepdims=True), 1e-300)
    return np.max(np.abs(np.where(known, total - z, 0.0)) / size, initial=0.0)


@st.composite
def worlds(draw):
    """A random tree, random devices, random measurements: consistent or not, present or not."""
    rng = np.random.default_rng(draw(seeds))
    rails = draw(st.integers(1, 5))
    names = [f"r{k}" for k in range(rails)]
    parent = {names[k]: names[rng.integers(0, k)] for k in range(1, rails)}
    devices = {f"d{k}": names[rng.integers(0, rails)] for k in range(draw(st.integers(1, 6)))}
    if draw(st.booleans()):
        devices["stray"] = "not measured"
    tree = RailTree.build(names, parent, devices)
    count, windows = len(devices), draw(st.integers(1, 12))
    estimate = rng.random((windows, count)) * (rng.random((windows, count)) < 0.8)
    if draw(st.booleans()):
        z = (estimate * rng.uniform(0.5, 1.5, estimate.shape)) @ tree.constraints().T
        z = z + rng.random(z.shape) * 0.3 @ nesting(tree).T
    else:
        z = rng.normal(size=(windows, rails)) + 0.5
    z = z * 10.0 ** rng.integers(-6, 4)
    z[rng.random(z.shape) < draw(st.sampled_from([0.0, 0.3]))] = np.nan
    half = rng.normal(size=(count, count))
    match draw(st.sampled_from(["sd", "window sd", "covariance", "window covariance"])):
        case "sd":
            doubt = {"sd": rng.random(count)}
        case "window sd":
            doubt = {"sd": rng.random((windows, count))}
        case "covariance":
            doubt = {"covariance": half @ half.T}
        case _:
            doubt = {"covariance": half @ half.T * rng.random((windows, 1, 1))}
    return tree, estimate, z, doubt


@given(world=worlds(), loose=st.sampled_from([1e-3, 0.1, 10.0]))
@settings(max_examples=200, deadline=None)
def test_books_balance_in_every_window(world, loose):
    tree, estimate, z, doubt = world
    got = reconcile(tree, estimate, z, unattributed_sd=loose, **doubt)
    assert imbalance(tree, got, z) <= 1e-9
    assert (got.device >= 0.0).all()
    assert np.array_equal(np.isnan(got.unattributed), np.isnan(z))
    negative = np.nan_to_num(got.unattributed) < 0.0
    assert not (negative & ~got.conflict).any()
    assert (got.device_sd >= 0.0).all()


@given(world=worlds())
@settings(max_examples=60, deadline=None)
def test_the_shortest_way_is_taken(world):
    """Against a general solver: minimise the distance in the metric of the doubt, all parts >= 0."""
    optimize = pytest.importorskip("scipy.optimize")
    tree, estimate, z, doubt = world
    z = np.abs(np.nan_to_num(z, nan=0.5))
    z = z @ nesting(tree).T  # every rail at least what is below it: no conflict
    scale = z.max()
    z = z / scale
    loose = 0.3
    got = reconcile(tree, estimate, z, unattributed_sd=loose, **doubt)
    devices, rails = len(tree.devices), len(tree.rails)
    both = np.hstack((tree.constraints(), nesting(tree)))
    for t in range(len(z)):
        covariance = np.zeros((devices + rails,) * 2)
        if "sd" in doubt:
            covariance[:devices, :devices] = np.diag(np.broadcast_to(doubt["sd"], estimate.shape)[t] ** 2)
        else:
            shared = doubt["covariance"].ndim == 2
            covariance[:devices, :devices] = doubt["covariance"] if shared else doubt["covariance"][t]
        covariance[devices:, devices:] = loose**2 * np.eye(rails)
        if np.linalg.cond(covariance) > 1e5:
            continue
        root = np.linalg.cholesky(np.linalg.inv(covariance)).T
        start = np.r_[estimate[t], np.zeros(rails)]
        heavy = 1e4 * np.linalg.norm(root)
        want, _ = optimize.nnls(np.vstack((root, heavy * both)), np.r_[root @ start, heavy * z[t]])
        found = np.r_[got.device[t], got.unattributed[t]]
        best, ours = np.linalg.norm(root @ (want - start)), np.linalg.norm(root @ (found - start))
        assert ours <= best * (1 + 1e-4) + 1e-6


def test_the_closed_form_where_nothing_is_clipped():
    rng = np.random.default_rng(1)
    estimate = 1.0 + rng.random((50, 5))
    half = rng.normal(size=(5, 5)) * 0.03
    z = (estimate * 1.02 + 0.01) @ PHONE.constraints().T + 0.01
    got = reconcile(PHONE, estimate, z, unattributed_sd=0.05, covariance=half @ half.T + 1e-4 * np.eye(5))
    prior = np.zeros((8, 8))
    prior[:5, :5] = half @ half.T + 1e-4 * np.eye(5)
    prior[5:, 5:] = 0.05**2 * np.eye(3)
    c = np.hstack((PHONE.constraints(), nesting(PHONE)))
    gain = prior @ c.T @ np.linalg.inv(c @ prior @ c.T)
    start = np.hstack((estimate, np.zeros((50, 3))))
    want = start + (z - start @ c.T) @ gain.T
    keep = (want >= 0).all(axis=1)
    assert keep.sum() > 10
    np.testing.assert_allclose(np.hstack((got.device, got.unattributed))[keep], want[keep], atol=1e-12)
    left = prior - gain @ c @ prior
    np.testing.assert_allclose(got.covariance(7), left, atol=1e-12)
    np.testing.assert_allclose(np.hstack((got.device_sd, got.unattributed_sd))[7] ** 2, np.diag(left), atol=1e-12)


def test_an_exact_measurement_leaves_no_doubt_about_the_sum():
    got = reconcile(PHONE, np.ones((1, 5)), [[6.0, 2.0, 1.0]], unattributed_sd=0.1, sd=np.full(5, 0.2))
    covariance = got.covariance(0)
    c = np.hstack((PHONE.constraints(), nesting(PHONE)))
    assert np.abs(c @ covariance @ c.T).max() < 1e-12


def test_what_nothing_explains_is_unattributed():
    got = reconcile(PHONE, np.zeros((1, 5)), [[5.0, 2.0, 1.0]], unattributed_sd=1.0, sd=np.full(5, 1e-6))
    np.testing.assert_allclose(got.unattributed, [[2.0, 2.0, 1.0]], atol=1e-6)
    got = reconcile(PHONE, [[1.0, 1.0, 0.5, 0.5, 0.5]], [[3.5, 2.0, 0.5]], unattributed_sd=1e-6, sd=np.full(5, 0.1))
    np.testing.assert_allclose(got.unattributed, 0.0, atol=1e-6)


def test_a_rail_that_was_not_read_hands_its_part_upwards():
    nan = float("nan")
    estimate = np.ones((3, 5))
    z = np.array([[9.0, 2.0, 1.0], [9.0, nan, 1.0], [nan, 2.0, nan]])
    got = reconcile(PHONE, estimate, z, unattributed_sd=10.0, sd=np.full(5, 1e-3))
    np.testing.assert_allclose(got.unattributed[0], [4.0, 0.0, 0.0], atol=1e-3)
    np.testing.assert_allclose(got.unattributed[1], [4.0, nan, 0.0], atol=1e-3)
    assert np.array_equal(np.isnan(got.unattributed_sd), np.isnan(z))
    np.testing.assert_allclose(got.device[2], 1.0, atol=1e-3)
    assert np.isnan(got.covariance(2)).any()
    assert imbalance(PHONE, got, z) < 1e-12


def test_sensors_that_contradict_each_other_are_shown():
    got = reconcile(PHONE, np.ones((1, 5)), [[2.5, 2.0, 1.0]], unattributed_sd=0.1, sd=np.full(5, 0.1))
    assert got.conflict.tolist() == [[True, False, False]]
    assert got.unattributed[0, 0] == pytest.approx(-0.5)
    assert got.device[0, 3:].tolist() == [0.0, 0.0]
    np.testing.assert_allclose(got.device[0, :3], 1.0, atol=1e-9)


def test_thousands_of_windows_with_holes():
    rng = np.random.default_rng(2)
    estimate = rng.random((5000, 5))
    z = np.abs(estimate @ PHONE.constraints().T + 0.3 * rng.normal(size=(5000, 3)))
    z[rng.random(z.shape) < 0.2] = np.nan
    sd = rng.random((5000, 5))
    got = reconcile(PHONE, estimate, z, unattributed_sd=0.1, sd=sd)
    assert imbalance(PHONE, got, z) <= 1e-12
    for t in range(0, 5000, 250):
        alone = reconcile(PHONE, estimate[t : t + 1], z[t : t + 1], unattributed_sd=0.1, sd=sd[t])
        np.testing.assert_allclose(alone.device[0], got.device[t], atol=1e-12)
        np.testing.assert_allclose(alone.unattributed[0], got.unattributed[t], atol=1e-12)


def test_no_windows():
    got = reconcile(PHONE, np.empty((0, 5)), np.empty((0, 3)), unattributed_sd=0.1, sd=np.ones(5))
    assert got.device.shape == (0, 5)


def test_the_tree():
    assert PHONE.above.tolist() == [-1, 0, 0]
    assert PHONE.under.tolist() == [1, 1, 2, 0, 0]
    assert PHONE.constraints().tolist() == [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0], [0, 0, 1, 0, 0]]
    for measured, parent in ((["a", "b"], {"a": "b", "b": "a"}), (["a"], {"a": "x", "x": "y", "y": "x"})):
        with pytest.raises(ValueError, match="circle"):
            RailTree.build(measured, parent, {})
    with pytest.raises(ValueError, match="share a name"):
        RailTree.build(["a", "a"], {}, {})


ONES, Z = np.ones((2, 5)), np.ones((2, 3))


@pytest.mark.parametrize(
    ("estimate", "measured", "given_", "words"),
    [
        (np.ones((2, 4)), Z, {"sd": np.ones(5)}, "devices"),
        (ONES, np.ones((3, 3)), {"sd": np.ones(5)}, "devices"),
        (ONES * np.nan, Z, {"sd": np.ones(5)}, "finite"),
        (ONES, Z * np.inf, {"sd": np.ones(5)}, "finite"),
        (ONES, Z, {}, "either"),
        (ONES, Z, {"sd": np.ones(5), "covariance": np.eye(5)}, "either"),
        (ONES, Z, {"sd": np.ones(4)}, "fit"),
        (ONES, Z, {"covariance": np.ones((3, 5, 5))}, "fit"),
        (ONES, Z, {"covariance": np.eye(5) * np.nan}, "fit"),
        (ONES, Z, {"sd": np.ones(5), "unattributed_sd": 0.0}, "above 0"),
        (ONES, Z, {"sd": np.ones(5), "unattributed_sd": [1.0, 1.0, np.nan]}, "above 0"),
    ],
)
def test_nonsense_is_refused(estimate, measured, given_, words):
    with pytest.raises(ValueError, match=words):
        reconcile(PHONE, estimate, measured, **{"unattributed_sd": 0.1, **given_})
