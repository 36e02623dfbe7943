from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.report.decimate import min_max


@settings(deadline=None)
@given(st.integers(1, 30_000), st.integers(2, 500), st.integers(0, 2**31))
def test_extremes_and_order_survive(n: int, half: int, seed: int) -> None:
    value = np.random.default_rng(seed).normal(size=n)
    t = np.arange(n, dtype=float)
    out_t, out = min_max(t, value, 2 * half)
    assert len(out) <= max(2 * half, 0) or n <= 2 * half
    assert out.max() == value.max() and out.min() == value.min()
    assert (np.diff(out_t) > 0).all()
    assert np.array_equal(value[out_t.astype(int)], out)
