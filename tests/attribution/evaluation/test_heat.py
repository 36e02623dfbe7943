from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation.heat import HEAT, columns, felt, recent, with_heat
from powerhal.attribution.evaluation.table import Table

RNG = np.random.default_rng(5)


def table(rows=40, runs=2, **columns_by_name):
    base = {
        "benchmark": np.repeat([f"p{k}" for k in range(runs)], rows),
        "t_ns": np.tile(np.arange(rows) * 510_000_000, runs) + 10**18,
    }
    return Table({**base, **columns_by_name})


def naive(values, at_s, memory_s):
    """Each row's past weighed by exp(-age / memory)."""
    out = []
    for k, now in enumerate(at_s):
        weight = np.exp((at_s[: k + 1] - now) / memory_s)
        out.append((weight * values[: k + 1]).sum() / weight.sum())
    return np.array(out)


def test_recent_is_a_fading_mean_of_the_past():
    values = RNG.normal(size=40)
    found = recent(table(runs=1), values, 3.0)
    np.testing.assert_allclose(found, naive(values, np.arange(40) * 0.51, 3.0))


def test_the_future_and_other_runs_do_not_speak():
    values = RNG.normal(size=80)
    changed = values.copy()
    changed[25:] += 7.0
    before, after = recent(table(), values), recent(table(), changed)
    np.testing.assert_array_equal(before[:25], after[:25])
    assert np.all(after[25:40] > before[25:40])
    np.testing.assert_allclose(recent(table(), np.r_[changed[:40], values[40:]])[40:], before[40:])


def test_order_of_rows_does_not_matter():
    values, shuffle = RNG.normal(size=80), RNG.permutation(80)
    np.testing.assert_allclose(recent(table().where(shuffle), values[shuffle]), recent(table(), values)[shuffle])


def test_the_unknown_is_passed_over():
    values = RNG.normal(size=40)
    values[[3, 9]] = np.nan
    found = recent(table(runs=1), values, 3.0)
    assert np.isnan(found[[3, 9]]).all()
    kept = np.isfinite(values)
    np.testing.assert_allclose(found[kept], naive(values[kept], np.arange(40)[kept] * 0.51, 3.0))


def test_differences_do_not_care_for_the_room_or_for_names():
    cool, hot, mid = 40 + RNG.integers(0, 3, 80), 55 + RNG.integers(0, 9, 80), 47 + RNG.integers(0, 3, 80)
    one = with_heat(table(a7_temp_c=hot, a15_temp_c=cool, gpu_temp_c=mid))
    two = with_heat(table(a7_temp_c=cool + 20, a15_temp_c=mid + 20, gpu_temp_c=hot + 20))
    for name in HEAT:
        np.testing.assert_allclose(one.number(name), two.number(name))
    np.testing.assert_allclose(one.number(HEAT[0])[0], (hot - cool)[0])
    np.testing.assert_allclose(one.number(HEAT[1])[0], (hot - mid)[0])


@pytest.mark.parametrize("sensors", [{}, {"a15_temp_c": np.full(80, 50.0)}])
def test_one_sensor_tells_nothing(sensors):
    assert not felt(with_heat(table(**sensors))).any()


def test_a_sensor_that_fails_for_a_while_costs_those_rows_only():
    hot = np.full(80, 60.0)
    hot[10:20] = np.nan
    found = felt(with_heat(table(a=np.zeros(80), a15_temp_c=np.full(80, 50.0), a7_temp_c=hot)))
    np.testing.assert_array_equal(found, np.isfinite(hot))


def test_columns_are_never_negative_and_know_of_a_second_core():
    warm = with_heat(table(a7_temp_c=RNG.integers(40, 60, 80), a15_temp_c=RNG.integers(40, 60, 80)))
    busy = np.r_[np.full(40, 0.9), np.full(40, 1.8)]
    found = columns(warm, busy, HEAT)
    assert found.shape == (80, 4)
    assert np.all(found >= 0)
    np.testing.assert_allclose(found[:40, 2:], 0.0)
    np.testing.assert_allclose(found[40:, 2:], found[40:, :2] * 0.8)
    assert columns(warm, busy, ()).shape == (80, 0)
