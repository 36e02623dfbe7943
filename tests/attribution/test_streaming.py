from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.attribution.fitting.fit import fit
from powerhal.attribution.fitting.gram import Gram
from powerhal.attribution.fitting.streaming import Fading, TwoClocks, loosened

NAMES = ("a", "b", "c")


def rows(seed, n=60, theta=(1.0, 2.0, 0.5)):
    random = np.random.default_rng(seed)
    x = random.random((n, 3))
    return x, x @ np.array(theta) + 0.01 * random.standard_normal(n)


@given(st.lists(st.integers(1, 40), min_size=2, max_size=5), st.floats(10.0, 1e4))
@settings(max_examples=30, deadline=None)
def test_forgetting_is_by_time_and_not_by_how_the_stream_is_cut(cuts, half_life_s):
    n = sum(cuts)
    x, z = rows(1, n)
    whole = Gram(NAMES).add_rows(x, z, 0.5 ** ((n - 1 - np.arange(n)) / half_life_s))
    fading = Fading(NAMES, half_life_s)
    for k in range(n):
        fading.add(Gram(NAMES).add_rows(x[k : k + 1], z[k : k + 1]), float(k))
    assert fading.gram.moments == pytest.approx(whole.moments, rel=1e-9)
    late = Fading(NAMES, half_life_s)  # what arrives late weighs what its age leaves
    for k in reversed(range(n)):
        late.add(Gram(NAMES).add_rows(x[k : k + 1], z[k : k + 1]), float(k))
    assert late.gram.moments == pytest.approx(whole.moments, rel=1e-9)


def test_the_fast_clock_follows_and_the_slow_one_stays():
    clocks = TwoClocks(NAMES, slow_half_life_s=np.inf, fast_half_life_s=20.0)
    clocks.learn(*rows(1, 2000), at_s=0.0)
    for t in range(100):
        clocks.learn(*rows(2 + t, 2, (1.0, 3.0, 0.5)), at_s=400.0 + t)
    assert clocks.fast_theta() == pytest.approx([1.0, 3.0, 0.5], abs=0.12)
    assert clocks.slow_theta()[1] < 2.3


def test_a_fast_clock_that_forgot_everything_says_what_the_slow_one_knows():
    clocks = TwoClocks(NAMES, fast_half_life_s=1.0)
    clocks.learn(*rows(1, 200), at_s=0.0)
    clocks.fast.advance(1e4)
    assert clocks.fast_theta() == pytest.approx(clocks.slow_theta(), rel=1e-3)


@given(st.integers(0, 1000), st.floats(0.01, 10.0))
@settings(max_examples=40, deadline=None)
def test_loosening_moves_nothing_and_makes_one_direction_unsure(seed, relative):
    x, z = rows(seed)
    gram = Gram(NAMES).add_rows(x, z)
    before = fit(gram)
    after = loosened(gram, before.theta, {"b"}, relative, before.noise)
    assert fit(after).theta == pytest.approx(before.theta, rel=1e-4)
    covariance = np.linalg.inv(after.xx / before.noise)
    direction = np.array([0.0, before.theta[1], 0.0])
    wanted = np.linalg.inv(gram.xx / before.noise) + relative**2 * np.outer(direction, direction)
    assert covariance == pytest.approx(wanted, rel=1e-4, abs=1e-7 * np.abs(wanted).max())


def test_after_loosening_a_group_is_learned_anew_and_the_rest_keeps():
    clocks = TwoClocks(NAMES, slow_half_life_s=np.inf)
    clocks.learn(*rows(1, 5000), at_s=0.0)
    clocks.loosen({"b"}, 0.3)
    clocks.learn(*rows(2, 60, (1.0, 2.4, 0.5)), at_s=60.0)
    assert clocks.slow_theta() == pytest.approx([1.0, 2.4, 0.5], abs=0.03)


def test_a_half_life_that_makes_no_sense():
    with pytest.raises(ValueError, match="half-life"):
        Fading(NAMES, 0.0)
