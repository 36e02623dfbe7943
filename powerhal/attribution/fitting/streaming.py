"""Learning from a stream in two clocks: statistics that forget by real time, slowly and fast.

Only Gram matrices are kept, so forgetting is one factor, merging is a sum, and a model that was saved last month
weighs what its age leaves of it. `loosened` gives one group of columns room to move and leaves the rest alone.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from powerhal.attribution.fitting.fit import NO_PRIOR, Prior, fit
from powerhal.attribution.fitting.gram import Gram

Floats = npt.NDArray[np.float64]

SLOW_S, FAST_S = 24 * 3600.0, 60.0  # half-lives
RIDGE = 1e-6  # of a column's own square: only so that twins do not make the system singular
HOLD = 1e-3  # windows that the slow clock's answer is worth to the fast one: what it has forgotten is not invented


class Fading:
    """A Gram that loses half of its weight in `half_life_s` of real time (inf: never)."""

    def __init__(self, names: Sequence[str], half_life_s: float) -> None:
        if not half_life_s > 0.0:
            raise ValueError(f"a half-life is above 0 s, not {half_life_s}")
        self.gram = Gram(names)
        self.half_life_s = half_life_s
        self.at_s: float | None = None

    def advance(self, at_s: float) -> None:
        """Let time pass up to `at_s`; an earlier time changes nothing (clocks do not run back)."""
        if self.at_s is not None and at_s > self.at_s:
            self.gram.decay(weight_after(at_s - self.at_s, self.half_life_s))
        self.at_s = at_s if self.at_s is None else max(self.at_s, at_s)

    def add(self, part: Gram, at_s: float) -> None:
        """Take in statistics of rows that ended at `at_s`; those that are older than what is here weigh less."""
        age_s = 0.0 if self.at_s is None else max(0.0, self.at_s - at_s)
        self.advance(at_s)
        self.gram = self.gram + part.scaled(weight_after(age_s, self.half_life_s))


class TwoClocks:
    """A slow Gram for coefficients, a fast one for prediction and drift, over the same columns."""

    def __init__(
        self,
        names: Sequence[str],
        prior: Prior = NO_PRIOR,
        *,
        slow_half_life_s: float = SLOW_S,
        fast_half_life_s: float = FAST_S,
        free: Collection[str] = (),
    ) -> None:
        self.prior, self._free = prior, tuple(free)
        self.slow, self.fast = Fading(names, slow_half_life_s), Fading(names, fast_half_life_s)

    def learn(self, x: npt.ArrayLike, z: npt.ArrayLike, weights: npt.ArrayLike | None = None, *, at_s: float) -> None:
        """Rows x (n, p), z (n,), weights (n,) that ended at `at_s`."""
        part = Gram(self.slow.gram.names).add_rows(x, z, weights)
        self.slow.add(part, at_s)
        self.fast.add(part, at_s)

    def slow_theta(self) -> Floats:
        """Coefficients (p,) of the slow clock; raises NotEnoughData before there is enough."""
        return fit(self.slow.gram, self.prior, free=self._free).theta

    def fast_theta(self) -> Floats:
        """Coefficients (p,) of the fast clock: the slow ones where it has forgotten too much to know better."""
        slow = self.slow.gram
        whole = np.diag(slow.xx)
        theta = fit(_pulled(slow, np.zeros(whole.size), RIDGE * whole), self.prior, free=self._free).theta
        held = _pulled(self.fast.gram, theta, HOLD * whole / max(slow.n, 1.0))
        return fit(held, self.prior, free=self._free, noise=1.0).theta

    def loosen(self, group: Collection[str], relative_sd: float) -> None:
        """Let the coefficients of one group move by this much of themselves; the fast clock forgets all it knew."""
        theta = self.slow_theta()
        noise = fit(self.slow.gram, self.prior, free=self._free).noise
        self.slow.gram = loosened(self.slow.gram, theta, group, relative_sd, noise)
        self.fast.gram = self.fast.gram.scaled(0.0)


def weight_after(age_s: float, half_life_s: float) -> float:
    """What is left of a weight after `age_s` (>= 0)."""
    return float(0.5 ** (age_s / half_life_s)) if np.isfinite(half_life_s) else 1.0


def loosened(gram: Gram, theta: Floats, group: Collection[str], relative_sd: float, noise: float) -> Gram:
    """The same statistics about `theta`, with the common factor of one group's coefficients unsure by `relative_sd`.

    The information H = X'WX / noise becomes (H^-1 + s^2 d d')^-1, d the group's part of theta: by the
    Sherman-Morrison formula H - s^2 Hd d'H / (1 + s^2 d'Hd). No other direction loses anything; the optimum stays.
    """
    direction = np.array([t if name in group else 0.0 for name, t in zip(gram.names, theta, strict=True)])
    information = gram.xx / noise
    pushed = information @ direction
    size = float(direction @ pushed)
    if size <= 0.0:
        return gram.copy()
    cut = noise * np.outer(pushed, pushed) * (relative_sd**2 / (1.0 + relative_sd**2 * size))
    moments = gram.moments
    moments[:-2, :-2] -= cut
    shift = cut @ theta
    moments[:-2, -2] -= shift
    moments[-2, :-2] -= shift
    moments[-2, -2] = max(moments[-2, -2] - float(theta @ cut @ theta), 0.0)
    return Gram.from_moments(gram.names, moments, gram.n, gram.dropped)


def _pulled(gram: Gram, theta: Floats, strength: Floats) -> Gram:
    """The same statistics with rows that say each coefficient is theta, with these weights (p,)."""
    moments = gram.moments
    p = len(gram.names)
    moments[range(p), range(p)] += strength
    moments[:-2, -2] += strength * theta
    moments[-2, :-2] += strength * theta
    moments[-2, -2] += float(strength @ theta**2)
    return Gram.from_moments(gram.names, moments, gram.n + p + 1, gram.dropped)  # as good as so many rows
