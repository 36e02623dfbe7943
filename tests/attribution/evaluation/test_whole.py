from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation.table import Table
from powerhal.attribution.evaluation.whole import ACTIVITY, Idle, from_total, idle_reading


def rails(rows=200, suite="cBench", idle_w=0.2, seed=0):
    """Four rails; the others rest at idle_w and 50 °C and do now and then a little more."""
    random = np.random.default_rng(seed)
    temperature = random.uniform(50.0, 60.0, rows)
    rest = (
        idle_w * (0.5 + 0.5 * np.exp((temperature - 50.0) / 40.0)) * (1 + np.abs(ACTIVITY * random.normal(size=rows)))
    )
    return Table(
        {
            "suite": np.full(rows, suite),
            "a15_w": random.uniform(0.5, 3.0, rows),
            "a7_w": 0.5 * rest,
            "gpu_w": 0.4 * rest,
            "ram_w": 0.1 * rest,
            "gpu_temp_c": temperature,
        }
    )


def test_the_a15_is_what_the_total_leaves_beside_an_idle_reading():
    train, test = rails(seed=1), rails(seed=2)
    found = from_total(train, test)
    assert np.mean(np.abs(found / test.number("a15_w") - 1)) < 0.025
    assert abs(found.sum() / test.number("a15_w").sum() - 1) < 0.01


def test_only_the_sum_of_the_test_rails_is_used():
    train, test = rails(seed=1), rails(seed=2)
    moved = test.replaced({"a7_w": test.number("a7_w") + 0.05, "ram_w": test.number("ram_w") - 0.05})
    np.testing.assert_allclose(from_total(train, moved), from_total(train, test))


def test_the_idle_reading_is_of_the_quietest_rows_and_of_its_own_suite():
    reading = idle_reading(rails(idle_w=0.3))
    assert reading.power_w == pytest.approx(0.3, rel=0.1)
    assert reading.temperature_c < 55.0
    cold, warm = rails(suite="PARSEC", idle_w=0.1), rails(idle_w=0.3)
    both = Table({name: np.concatenate((cold.columns[name], warm.columns[name])) for name in cold.columns})
    np.testing.assert_allclose(from_total(both, warm), from_total(warm, warm))
    strange = warm.replaced({"suite": np.full(len(warm), "other")})
    assert np.isfinite(from_total(both, strange)).all()


def test_rails_that_are_not_there_leave_it_unknown():
    blind = rails().replaced({"ram_w": np.full(200, np.nan)})
    assert idle_reading(blind) is None
    assert np.isnan(from_total(blind, rails())).all()
    assert np.isnan(from_total(rails(), blind)).all()


def test_warmth_adds_leakage():
    rest = Idle(0.2, 50.0).rest_w(Table({"gpu_temp_c": np.array([50.0, 70.0, np.nan])}))
    assert rest[1] > 1.2 * rest[0]
    assert rest[2] == pytest.approx(rest[0])
