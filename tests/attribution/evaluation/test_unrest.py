from __future__ import annotations

import numpy as np

from powerhal.attribution.evaluation.table import Table
from powerhal.attribution.evaluation.unrest import NAMES, unrest


def table(rows, runs=1):
    return Table(
        {
            "benchmark": np.repeat([f"p{k}" for k in range(runs)], rows),
            "t_ns": np.tile(np.arange(rows) * 510_000_000, runs) + 10**18,
        }
    )


def column(found, name):
    return found[:, NAMES.index(name)]


def test_an_even_run_is_calm_but_for_its_ends():
    found = unrest(table(8), np.full(8, 2.0))
    np.testing.assert_array_equal(column(found, "always"), 1.0)
    np.testing.assert_array_equal(column(found, "change") + column(found, "changes of the run"), 0.0)
    for place, name in enumerate(("first", "second", "third")):
        np.testing.assert_array_equal(np.flatnonzero(column(found, name)), [place])
    np.testing.assert_array_equal(np.flatnonzero(column(found, "last")), [7])


def test_a_phase_is_felt_on_both_sides_and_hardly_by_the_run():
    found = unrest(table(40), np.where(np.arange(40) < 20, 1.0, 2.0))
    np.testing.assert_allclose(column(found, "change")[[19, 20]], np.log(2.0) ** 2)
    assert np.count_nonzero(column(found, "change")) == 2
    assert column(found, "changes of the run").max() < 0.01


def test_a_restless_run_is_restless_everywhere_in_relative_terms():
    power_w = 1.0 + 0.1 * (np.arange(40) % 2)
    one, ten = unrest(table(40), power_w), unrest(table(40), 10.0 * power_w)
    np.testing.assert_allclose(one, ten)
    np.testing.assert_allclose(column(one, "changes of the run"), np.log(1.1) ** 2)


def test_runs_and_order_are_kept_apart():
    random = np.random.default_rng(0)
    power_w, shuffle = random.uniform(1, 2, 40), random.permutation(40)
    rows = table(20, runs=2)
    np.testing.assert_allclose(unrest(rows.where(shuffle), power_w[shuffle]), unrest(rows, power_w)[shuffle])
    alone = unrest(rows.where(np.arange(20)), power_w[:20])
    np.testing.assert_allclose(unrest(rows, power_w)[:20], alone)


def test_a_single_row_is_all_ends():
    found = unrest(table(1), np.ones(1))[0]
    np.testing.assert_array_equal(found, [1, 0, 0, 1, 0, 0, 1])
