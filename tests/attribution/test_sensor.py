from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.attribution.observed.sensor import Response, Stream, felt, learn_response, settled, shown
from powerhal.errors import NotEnoughData


def steps(seed, seconds=240.0, step_s=0.5, columns=3):
    random = np.random.default_rng(seed)
    edges = np.arange(0.0, seconds + step_s / 2, step_s)
    level = np.repeat(random.random((edges.size // 12 + 1, columns)), 12, axis=0)[: edges.size - 1]
    return edges, level * step_s


def sensed(seed, response, noise=0.0, lsb=0.0):
    edges, amount = steps(seed)
    theta = np.array([1.0, 0.5, 2.0])
    reading = shown(edges, amount, edges[1:], response) @ theta + 0.3
    reading += noise * np.random.default_rng(seed + 1).standard_normal(reading.size)
    if lsb:
        reading = np.round(reading / lsb) * lsb
    return Stream(edges, amount, edges[1:], reading)


def brute(edges, amount, at, window, lag):
    """Mean of a piecewise constant activity by a fine sum."""
    fine = np.linspace(at - lag - window, at - lag, 4001)
    middle = 0.5 * (fine[1:] + fine[:-1])
    k = np.clip(np.searchsorted(edges, middle, side="right") - 1, 0, len(amount) - 1)
    return (amount[k] / np.diff(edges)[k][:, None]).mean(axis=0)


@given(window=st.floats(0.1, 6.0), lag=st.floats(0.0, 4.0), at=st.floats(15.0, 60.0))
@settings(max_examples=40, deadline=None)
def test_what_a_sensor_shows_is_the_mean_of_what_was(window, lag, at):
    edges, amount = steps(3, 60.0)
    seen = shown(edges, amount, np.array([at]), Response(window, lag))[0]
    assert seen == pytest.approx(brute(edges, amount, at, window, lag), abs=2e-3)


@given(window=st.floats(0.0, 6.0), lag=st.floats(0.0, 4.0))
@settings(max_examples=40, deadline=None)
def test_what_is_felt_is_what_is_shown_all_the_time(window, lag):
    edges, amount = steps(4, 60.0)
    seen = felt(edges, amount, Response(window, lag))
    k = 70
    at = np.linspace(edges[k], edges[k + 1], 2001)
    each = shown(edges, amount, at, Response(window, lag))
    assert seen[k] == pytest.approx(each.mean(axis=0) * (edges[k + 1] - edges[k]), abs=2e-3)


def test_an_instant_sensor_changes_nothing_and_amounts_are_conserved():
    edges, amount = steps(5)
    assert felt(edges, amount, Response(0.0, 0.0)) == pytest.approx(amount)
    late = felt(edges, amount, Response(3.0, 1.0))
    rested = np.concatenate((amount, np.zeros((20, 3))))
    longer = np.append(edges, edges[-1] + 0.5 * np.arange(1, 21))
    assert felt(longer, rested, Response(3.0, 1.0)).sum(axis=0) == pytest.approx(
        rested.sum(axis=0) + amount[0] / 0.5 * (1.0 + 3.0 / 2)
    )
    assert late.shape == amount.shape


def test_windows_that_reach_back_before_the_first_edge_are_known():
    edges = np.arange(6.0)
    assert settled(edges, Response(1.0, 1.0)).tolist() == [False, False, True, True, True]


@pytest.mark.parametrize(("window", "lag"), [(4.0, 2.0), (2.3, 1.1), (3.1, 0.0)])
def test_window_and_lag_are_learned_back(window, lag):
    learned = learn_response([sensed(seed, Response(window, lag), 0.02, 0.05) for seed in (1, 2)])
    assert learned.response.window_s == pytest.approx(window, abs=0.15)
    assert learned.response.lag_s == pytest.approx(lag, abs=0.15)
    assert learned.gain > 50.0


def test_a_lag_without_a_window_is_learned_to_the_step_of_the_activities():
    learned = learn_response([sensed(seed, Response(0.0, 1.4), 0.02, 0.05) for seed in (1, 2)])
    assert learned.response.window_s < 0.15
    assert 1.0 - 0.05 <= learned.response.lag_s <= 1.5 + 0.05  # activities are known in steps of 0.5 s


def test_intervals_hold_what_they_claim():
    inside = []
    for seed in range(12):
        learned = learn_response([sensed(10 + 2 * seed, Response(3.0, 1.5), 0.05)])
        inside += [learned.window_s[0] <= 3.0 <= learned.window_s[1], learned.lag_s[0] <= 1.5 <= learned.lag_s[1]]
    assert np.mean(inside) >= 0.75


def test_an_instant_sensor_is_not_called_slow():
    learned = learn_response([sensed(1, Response(0.0, 0.0), 0.02)])
    assert learned.response.reach_s() < 0.3
    assert learned.gain < 5.0


def test_a_window_that_is_kept():
    learned = learn_response([sensed(1, Response(2.0, 1.0), 0.02)], windows_s=(0.0,), fixed_window=True)
    assert learned.response.window_s == 0.0
    assert learned.response.lag_s == pytest.approx(2.0, abs=0.3)  # the middle of what is averaged


def test_too_little_to_learn_from():
    edges, amount = steps(1, 8.0)
    with pytest.raises(NotEnoughData, match="too few readings"):
        learn_response([Stream(edges, amount, edges[1:], amount[:, 0])])
