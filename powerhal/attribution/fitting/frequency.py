"""Power of a busy core at frequencies that were never measured: physics, a few readings, and other chips' curves.

Over f / f_max every measured curve has a shape a + b f + c f^3 with a, b, c >= 0 (static power, switching at
constant voltage, switching where voltage rises with frequency: Weste and Harris, CMOS VLSI Design, ch. 5). A
`Population` of such shapes is the prior of a new curve:

    ln P(f) = level + ln shape_j(f) + slope f + smooth(f) + noise

j: any shape of the population, families of chips alike; level: regression on ln f_max; slope, smooth and noise:
Gaussian, each of a few sizes (`SIZES`) whose probabilities the population itself decides. What was measured
weighs the hypotheses; the answer is their mixture, with an interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
import numpy.typing as npt

from powerhal import kernels
from powerhal.errors import NotEnoughData

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# Standard deviations in ln P, of the slope over f / f_max, of smooth departures, and of a reading.
SLOPES = (0.1, 0.3)
DEPARTURES = (0.03, 0.1)
NOISES = (0.008, 0.025, 0.08, 0.25)
SIZES: tuple[tuple[float, float, float], ...] = tuple(product(SLOPES, DEPARTURES, NOISES))
REACH = 0.2  # length in ln f over which smooth departures agree: about one step of voltage in four
KNEE = 0.03  # relative error below which an error counts as a square in the fit of a shape
SHAPE_ROUNDS = 8
EM_ROUNDS = 25
LEAST_POINTS = 4  # fewer do not make a shape
LEVEL_SLOPE = (1.0, 1.0)  # prior of d level / d ln f_max: mean and standard deviation
TAILS = 4.0  # degrees of freedom of the t distribution of levels
LEVEL_ROUNDS = 20
FREE_LEVEL_SD = 7.0  # a factor of a thousand
LEVEL_SD = 0.8  # where the population is too small to tell
QUANTILE = 0.05, 0.95


@dataclass(frozen=True, slots=True)
class Curve:
    """Measured power of one busy core: hz (k,) ascending, watts (k,) > 0; family: chips of one design share it."""

    label: str
    family: str
    hz: Floats
    watts: Floats


@dataclass(frozen=True, slots=True)
class Expected:
    """Power at the wanted frequencies, (m,) W each: median and 90 % interval of a reading; `like`: the curves
    it follows, by share."""

    watts: Floats
    low_w: Floats
    high_w: Floats
    like: tuple[tuple[str, float], ...]


def shape_of(curve: Curve) -> Floats:
    """Shares (3,) of a, b f / f_max and c (f / f_max)^3 in the power at f_max: non-negative, relative, robust."""
    u = curve.hz / curve.hz.max()
    x = _powers(u) / curve.watts[:, None]
    weight = np.ones(u.size)
    theta = np.zeros(3)
    for _ in range(SHAPE_ROUNDS):
        gram, right = (x * weight[:, None]).T @ x, x.T @ weight
        found, _ = kernels.nnls(gram + 1e-9 * np.diag(np.diag(gram)), right)
        theta = np.asarray(found, dtype=np.float64)
        weight = 1.0 / np.sqrt((x @ theta - 1.0) ** 2 + KNEE**2)
    return np.asarray(theta / theta.sum(), dtype=np.float64)


class Population:
    """Curves of other chips as the prior of a new one.

    `curves`: those with at least LEAST_POINTS readings count. Raises NotEnoughData when there is none.
    """

    def __init__(self, curves: Sequence[Curve]) -> None:
        self.curves = tuple(c for c in curves if c.hz.size >= LEAST_POINTS)
        if not self.curves:
            raise NotEnoughData(
                f"no curve has {LEAST_POINTS} measured frequencies: there is nothing to learn a shape from",
                hint="give tables with more frequencies",
            )
        self.families = np.array([c.family for c in self.curves])
        self.shapes = np.array([shape_of(c) for c in self.curves])

    def without(self, family: str | None = None) -> Prior:
        """What all chips but those of one family say; None: all of them. Raises NotEnoughData when nobody is left."""
        everyone = np.ones(len(self.curves), dtype=np.bool_)
        return Prior(self, everyone if family is None else self.families != family)

    @cached_property
    def evidence(self) -> Floats:
        """Log likelihood (curves, sizes) of each curve under the shapes of the other families."""
        out = np.empty((len(self.curves), len(SIZES)))
        everyone = np.ones(len(self.curves), dtype=np.bool_)
        for row, curve in enumerate(self.curves):
            others = self.families != curve.family
            rest = others if others.any() else everyone
            level = (self.level(rest, float(curve.hz.max()))[0], FREE_LEVEL_SD)
            found = _Conditioned(self.shapes[rest], level, (curve.hz, curve.watts), float(curve.hz.max()))
            share = np.log(self.even(rest))
            out[row] = [_log_sum(one + share) for one in found.likelihood]
        return out

    def even(self, members: Bools) -> Floats:
        """Share of each member's shape: families alike."""
        _, which, count = np.unique(self.families[members], return_inverse=True, return_counts=True)
        return np.asarray(1.0 / (count[which] * count.size), dtype=np.float64)

    def level(self, members: Bools, top_hz: float) -> tuple[float, float]:
        """ln of the power at `top_hz` as the members have it: mean and standard deviation."""
        share = self.even(members)
        tops = np.array([[np.log(c.hz[-1]), np.log(c.watts[-1])] for c in self.curves])[members]
        centre = share @ tops
        x, y = (tops - centre).T
        mean, sd = LEVEL_SLOPE
        spread = LEVEL_SD**2
        families = np.unique(self.families[members]).size
        offset, slope = 0.0, mean
        for _ in range(LEVEL_ROUNDS):
            # Student's t: a table in the wrong unit must not decide what is usual.
            doubt = (TAILS + 1.0) / (TAILS + (y - offset - slope * x) ** 2 / spread)
            weight = families * share * doubt
            slope = (weight @ (x * (y - offset)) / spread + mean / sd**2) / (weight @ (x * x) / spread + 1.0 / sd**2)
            offset = (weight @ (y - slope * x)) / weight.sum()
            # LEVEL_SD is worth two families.
            square = share @ (doubt * (y - offset - slope * x) ** 2)
            spread = (families * square + 2.0 * LEVEL_SD**2) / (families + 2.0)
        mean_level = centre[1] + offset + slope * (np.log(top_hz) - centre[0])
        return float(mean_level), float(np.sqrt(spread * (1.0 + 1.0 / families)))


class Prior:
    """The members of a population that may speak for a new curve, and how likely they make each size of departure."""

    def __init__(self, population: Population, members: Bools) -> None:
        if not members.any():
            raise NotEnoughData("no other family of chips: nothing to learn a curve from", hint="give more tables")
        self._all, self._members = population, members
        self.sizes = _mixed(population.evidence[members], population.even(members))

    def expect(self, hz: Floats, known_hz: Floats, known_w: Floats, top_hz: float) -> Expected:
        """Power at `hz` (m,), given readings (k,) > 0 at `known_hz` (k may be 0) of a core that goes up to `top_hz`."""
        members = self._members
        mean, sd = self._all.level(members, top_hz)
        # One reading says more of the level than all other chips, and whether the table's unit is right is not known.
        level = (mean, max(sd, FREE_LEVEL_SD) if known_hz.size else sd)
        found = _Conditioned(self._all.shapes[members], level, (known_hz, known_w), top_hz)
        share = np.log(self._all.even(members))
        weight = found.likelihood + share + np.log(self.sizes)[:, None]
        weight = np.exp(weight - weight.max())
        weight /= weight.sum()
        each, variance = found.at(hz, weight)
        low, middle, high = (_quantiles(weight.sum(axis=1), each, variance, q) for q in (QUANTILE[0], 0.5, QUANTILE[1]))
        by_curve = weight.sum(axis=0)
        labels = [c.label for c, m in zip(self._all.curves, members, strict=True) if m]
        like = tuple((labels[k], float(by_curve[k])) for k in np.argsort(by_curve)[::-1][:5])
        return Expected(np.exp(middle), np.exp(low), np.exp(high), like)


class _Conditioned:
    """Every hypothesis (size, shape) given the readings: its log likelihood (sizes, shapes), and its prediction."""

    def __init__(self, shapes: Floats, level: tuple[float, float], known: tuple[Floats, Floats], top_hz: float) -> None:
        self._shapes, (self._mean, self._level_sd), self._top = shapes, level, top_hz
        self._known = known[0]
        self._left = np.log(known[1]) - self._mean - self._logs(known[0])
        self._solved = []
        self.likelihood = np.zeros((len(SIZES), len(shapes)))
        for k, size in enumerate(SIZES):
            chol = np.linalg.cholesky(self._covariance(size, known[0], known[0]) + size[2] ** 2 * np.eye(known[0].size))
            half = np.linalg.solve(chol, self._left.T)
            self._solved.append((chol, half))
            self.likelihood[k] = -0.5 * np.sum(half**2, axis=0) - np.sum(np.log(np.diag(chol)))

    def at(self, hz: Floats, weight: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of ln P, (sizes, m), shapes mixed by `weight` (sizes, shapes) within each size."""
        mean, variance = (np.zeros((len(SIZES), hz.size)) for _ in range(2))
        base = self._mean + self._logs(hz)
        for k, size in enumerate(SIZES):
            chol, half = self._solved[k]
            across = np.linalg.solve(chol, self._covariance(size, self._known, hz))
            each = base + half.T @ across
            own = np.diag(self._covariance(size, hz, hz)) - np.sum(across**2, axis=0) + size[2] ** 2
            share = weight[k] / max(float(weight[k].sum()), 1e-300)
            mean[k] = share @ each
            variance[k] = share @ (each - mean[k]) ** 2 + own
        return mean, variance

    def _logs(self, hz: Floats) -> Floats:
        """ln of every shape at these frequencies, (shapes, m)."""
        return np.asarray(np.log(self._shapes @ _powers(hz / self._top).T + 1e-12), dtype=np.float64)

    def _covariance(self, size: tuple[float, float, float], a: Floats, b: Floats) -> Floats:
        slope, departure, _ = size
        u, v = (a / self._top)[:, None], b / self._top
        near = np.exp(-0.5 * ((np.log(u) - np.log(v)) / REACH) ** 2)
        return np.asarray(self._level_sd**2 + slope**2 * (u - 1.0) * (v - 1.0) + departure**2 * near, dtype=np.float64)


def _powers(u: Floats) -> Floats:
    return np.column_stack((np.ones_like(u), u, u**3))


def _log_sum(values: Floats) -> float:
    top = float(values.max())
    return top + float(np.log(np.exp(values - top).sum()))


def _mixed(evidence: Floats, share: Floats) -> Floats:
    """Probability of each size (sizes,) that makes the curves likeliest: EM, one pseudo-curve spread over all."""
    likely = np.exp(evidence - evidence.max(axis=1, keepdims=True))
    weight = share * share.size
    out = np.full(evidence.shape[1], 1.0 / evidence.shape[1])
    for _ in range(EM_ROUNDS):
        part = likely * out
        out = weight @ (part / part.sum(axis=1, keepdims=True)) + 1.0 / evidence.shape[1]
        out /= out.sum()
    return np.asarray(out, dtype=np.float64)


def _quantiles(weight: Floats, mean: Floats, variance: Floats, level: float) -> Floats:
    """Quantile of a mixture of normals, (m,), by bisection; weight (s,), mean and variance (s, m)."""
    sd = np.sqrt(variance)
    low, high = (mean - 8.0 * sd).min(axis=0), (mean + 8.0 * sd).max(axis=0)
    for _ in range(60):
        middle = 0.5 * (low + high)
        below = weight @ _normal((middle - mean) / sd) < level
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return np.asarray(0.5 * (low + high), dtype=np.float64)


def _normal(z: Floats) -> Floats:
    """Distribution function of the normal, to 1.5e-7 (Abramowitz and Stegun 7.1.26)."""
    x = np.abs(z) / np.sqrt(2.0)
    t = 1.0 / (1.0 + 0.3275911 * x)
    poly = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    tail = 0.5 * poly * np.exp(-(x**2))
    return np.asarray(np.where(z > 0, 1.0 - tail, tail), dtype=np.float64)
