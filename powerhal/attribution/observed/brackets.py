"""What a scan leaves open about who caused what in it, as brackets: two extremes with the truth in between.

Everything between the extremes is as likely as anything else, so the standard deviation is their distance
over the square root of 12.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from powerhal.attribution.observed.features import Slices

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

EVEN = float(np.sqrt(12.0))  # width of an even distribution in standard deviations
LEAST_PART = 1e-3  # of a scan


def extreme_cost(share: Floats, cost: Floats, part: Floats, *, high: bool) -> Floats:
    """Mean cost (n,) of the dearest (or cheapest) `part` (n,) of each window's time.

    share (n, k): of the window's time at each of k frequencies; cost (k,): watts per unit there. Windows
    whose shares are all 0 cost 0.
    """
    order = np.argsort(cost)[::-1] if high else np.argsort(cost)
    upto = np.minimum(np.cumsum(share[:, order], axis=1), np.clip(part, LEAST_PART, 1.0)[:, None])
    taken = np.diff(upto, axis=1, prepend=0.0)
    out: Floats = taken @ cost[order] / np.maximum(taken.sum(axis=1), 1e-12)
    return out


def clock_spread(slices: Slices, part: Floats) -> Floats:
    """How far off a busy second's cost may be (n,), 1 sigma, relative to the window's mean.

    A clock's time at each frequency holds idle time too, and a governor follows work with delay: short work
    may be over before the clock is up, or meet the clock that the work before it left behind. `part` (n,):
    of the window in which the unit was busy; its seconds were the slowest of the window, the fastest, or between.
    """
    cost = slices.hz if slices.volts is None else slices.volts**2 * slices.hz
    mean = slices.share @ cost
    width = extreme_cost(slices.share, cost, part, high=True) - extreme_cost(slices.share, cost, part, high=False)
    return np.divide(width, EVEN * mean, out=np.zeros(mean.size), where=mean > 0)


def beside_spread(beside: Floats) -> Floats:
    """The same for a cost that is there once: who runs `beside` others owes all of its time's or none (1 sigma)."""
    out: Floats = beside / (EVEN * (1.0 - 0.5 * beside))
    return out


def sender_spread(part: Floats, equal: Floats) -> Floats:
    """1 sigma of a user's part of a radio's time in one scan: as its bytes are, or as the others' time is.

    A short message takes a slot, a ramp of its speed and an answer, however few its bytes are.
    """
    out: Floats = np.abs(equal - part) / EVEN
    return out
