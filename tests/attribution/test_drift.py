from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.fitting import drift
from powerhal.attribution.fitting.drift import Alarm, Noise, Visits, Watch, simulate, threshold_for, watch_run

NOISE = Noise(0.05, 0.03, 0.02, 0.03, 1.2)
FAMILY = np.array([0, 0, 1, 1])


def stream(seed, visits=40, length=40, shift=0.0, group=0, from_visit=20):
    """Programs that differ by 4 %, windows by 3 %; two groups of coefficients with changing shares."""
    random = np.random.default_rng(seed)
    bias = 0.04 * random.standard_normal(4)
    context = np.repeat(random.integers(0, 4, visits), length)
    visit = np.repeat(np.arange(visits), length)
    share = np.clip(0.5 + 0.4 * np.sin(np.arange(visits * length) / 15), 0, 1)
    h = np.column_stack((share, 1 - share))
    r = bias[context] + 0.03 * random.standard_normal(context.size)
    changed = visit >= from_visit
    return h, context, r + np.log1p((np.exp(shift) - 1) * h[:, group]) * changed, visit


def watch(**options):
    return Watch(("cpu", "rest"), FAMILY, NOISE, **({"threshold": 20.0, "hold": 10} | options))


@pytest.mark.parametrize("seed", range(4))
def test_a_shift_is_found_soon_and_learned(seed):
    h, context, r, _ = stream(seed, shift=0.3)
    clocks = watch()
    expected, alarms = watch_run(clocks, h, context, r)
    assert len(alarms) == 1
    assert 800 <= alarms[0].window <= 800 + 60
    assert alarms[0].group == "cpu"
    assert clocks.factors()["cpu"] == pytest.approx(np.exp(0.3), rel=0.06)
    assert clocks.factors()["rest"] == pytest.approx(1.0, abs=0.03)
    late = slice(920, None)
    assert np.abs(r - expected)[late].mean() < 0.04
    assert np.abs(r)[late].mean() > 0.08


@pytest.mark.parametrize("seed", range(6))
def test_programs_that_differ_are_no_drift(seed):
    h, context, r, _ = stream(seed)
    assert watch_run(watch(), h, context, r)[1] == ()


def test_a_small_shift_is_left_to_forgetting():
    h, context, r, _ = stream(1, shift=0.05)
    assert watch_run(watch(), h, context, r)[1] == ()


def test_the_other_group_is_named_where_it_is_the_one():
    h, context, r, _ = stream(5, shift=-0.4, group=1)
    alarms = watch_run(watch(), h, context, r)[1]
    assert [a.group for a in alarms] == ["rest"]
    assert alarms[0].factor == pytest.approx(np.exp(-0.4), rel=0.15)


def test_windows_without_a_reading_change_nothing():
    h, context, r, _ = stream(2, shift=0.3)
    gaps = r.copy()
    gaps[100:140] = np.nan
    expected, alarms = watch_run(watch(), h, context, gaps)
    assert len(alarms) == 1
    assert np.isfinite(expected).all()


def test_streams_do_not_hear_each_other():
    h, context, r, _ = stream(3, shift=0.3)
    other = stream(4)
    both = watch(streams=2)
    raised = np.zeros(2, dtype=int)
    for t in range(r.size):
        now = np.stack((h[t], other[0][t])), np.array([context[t], other[1][t]]), np.array([r[t], other[2][t]])
        hit = both.learn(*now)
        if hit.any():
            both.accept(hit)
            raised += hit
    assert raised.tolist() == [1, 0]


def test_the_threshold_is_met_about_as_rarely_as_it_promises(monkeypatch):
    monkeypatch.setattr(drift, "SIMULATED_DAYS", 2.0)
    h, context, r, visit = stream(9, visits=60)
    visits = Visits.of(h, context, r, visit)
    threshold = threshold_for(("cpu", "rest"), FAMILY, NOISE, visits, 2.0)
    clocks = watch(threshold=threshold, hold=3, streams=24)
    _, alarms = simulate(clocks, visits, round(86400 / 2.0 / 24), 5)
    assert alarms.sum() <= 4


def test_scatter_is_found_again():
    random = np.random.default_rng(0)
    family = np.repeat(np.arange(30), 2)
    context = np.repeat(np.tile(np.arange(60), 3), 20)
    visit = np.repeat(np.arange(180), 20)
    parts = [0.05 * random.standard_normal(30)[family[context]], 0.03 * random.standard_normal(60)[context]]
    inside = sum(parts) + 0.02 * random.standard_normal(180)[visit] + 0.04 * random.standard_normal(context.size)
    noise = Noise.of(inside, inside, context, visit, family)
    assert noise.sd_context == pytest.approx(0.055, abs=0.015)
    assert noise.sd_related == pytest.approx(0.032, abs=0.01)
    assert noise.sd_visit == pytest.approx(0.022, abs=0.006)
    assert noise.sd_window == pytest.approx(0.04, abs=0.005)
    assert noise.like == pytest.approx(1.0, abs=0.2)


def test_an_alarm_says_why():
    assert "cpu draws +20 %" in Alarm(3, "cpu", 1.2, 40.0).reason()
