"""Intervals for programs that were never seen: how far programs are off, and rows inside a program.

Residuals come from programs that were left out of the fit. Each program's median log ratio
measured / predicted is its bias; biases are few, so their spread is a Student t scaled by the pooled
variance of the biases and of a prior worth a few programs. Rows inside a program have a variance of their
own, linear in what makes them less sure (`unrest.py`), and a shape that is taken as found, every program with
the same weight. An interval is a quantile of bias + inside, both independent. At last its ends are moved by
one factor, so that each known program would have been covered by an interval made from the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from powerhal import kernels
from powerhal.attribution.evaluation.table import Floats, Integers

PRIOR_PROGRAMS = 3.0
PRIOR_CALIBRATION = 4.0  # programs' worth of belief that the factor is 1
STEPS = 60  # quantiles that stand for a distribution
DRAWS = 20_000
SEED = 20_170
WILD = 3.0  # residuals beyond so many standard deviations do not widen the variance further
GRID = np.geomspace(0.001, 0.5, 24)  # standard deviations inside a program at which quantiles are kept
LEAST_SD = 0.002


@dataclass(frozen=True, slots=True)
class Spread:
    """How wrong a new program may be: variances (k,) per column of unrest, ends (2, g) of ln(measured / predicted)."""

    variances: Floats
    ends: Floats

    def factors(self, unrest: Floats) -> tuple[Floats, Floats]:
        """Factors low <= 1 <= high, (n,) each, from predictions to the ends of their intervals; unrest (n, k)."""
        low, high = self.logs(unrest)
        return np.exp(np.minimum(low, 0.0)), np.exp(np.maximum(high, 0.0))

    def logs(self, unrest: Floats) -> tuple[Floats, Floats]:
        """The ends as ln(measured / predicted), (n,) each."""
        at = np.log(np.sqrt(unrest @ self.variances))
        return np.interp(at, np.log(GRID), self.ends[0]), np.interp(at, np.log(GRID), self.ends[1])


def spread(log_ratio: Floats, program: Integers, unrest: Floats, prior_bias: float, level: float = 0.90) -> Spread:
    """Learn intervals from left-out residuals: ln(measured / predicted) (n,) of programs (n,), unrest (n, k).

    prior_bias: relative bias of a program to be expected before any is seen. Without residuals the prior
    alone speaks. The same data always give the same interval.
    """
    if not program.size:
        return Spread(np.full(unrest.shape[1], LEAST_SD**2), _ends(np.zeros(0), np.zeros(1), prior_bias, level))
    number = np.unique(program, return_inverse=True)[1]
    weights = 1.0 / np.bincount(number)[number]
    bias = np.array([np.median(log_ratio[number == one]) for one in range(number.max() + 1)])
    inside = log_ratio - bias[number]
    variances = _variances(inside, unrest, weights)
    shape = inside / np.sqrt(unrest @ variances)
    found = Spread(variances, _ends(bias, _quantiles(shape, weights), prior_bias, level))
    if bias.size < 3:
        return found
    needed = np.empty(log_ratio.size)
    for one in range(bias.size):
        mine = number == one
        others = _quantiles(shape[~mine], weights[~mine])
        low, high = Spread(variances, _ends(np.delete(bias, one), others, prior_bias, level)).logs(unrest[mine])
        needed[mine] = np.maximum(log_ratio[mine] / high, log_ratio[mine] / low)
    factor = float(_quantiles(needed, weights, np.array([level]))[0])
    return Spread(variances, found.ends * factor ** (bias.size / (bias.size + PRIOR_CALIBRATION)))


def _variances(inside: Floats, unrest: Floats, weights: Floats) -> Floats:
    """Variance per unit of each column of unrest, (k,) >= 0, by reweighted least squares on squared residuals."""
    out = np.zeros(unrest.shape[1])
    out[0] = max(float(np.average(inside**2, weights=weights)), LEAST_SD**2)
    for _ in range(12):
        expected = unrest @ out
        squared = np.minimum(inside**2, WILD**2 * expected)
        scaled = unrest * (weights / expected**2)[:, None]
        gram, wanted = unrest.T @ scaled, scaled.T @ squared
        unit = 1.0 / np.sqrt(np.maximum(np.diag(gram), 1e-300))
        solved, _ = kernels.nnls(gram * unit[:, None] * unit + 1e-6 * np.eye(unit.size), wanted * unit)
        out = solved * unit
        out[0] = max(out[0], LEAST_SD**2)
    return out


def _ends(bias: Floats, shape: Floats, prior_bias: float, level: float) -> Floats:
    """Both ends of bias + inside at each standard deviation of GRID, (2, g); shape: quantiles of inside / its sd.

    Left-out programs were predicted from one program less than a new one is: what comes of too few programs
    falls like one over their number, so biases count (n - 1) / n, squared.
    """
    freedom = PRIOR_PROGRAMS + bias.size
    more = (bias.size - 1) / bias.size if bias.size > 1 else 1.0
    variance = (PRIOR_PROGRAMS * prior_bias**2 + more * float(bias @ bias)) / freedom
    draws = np.sort(np.random.default_rng(SEED).standard_t(freedom, DRAWS))
    t = draws[(np.arange(STEPS) * 2 + 1) * DRAWS // (2 * STEPS)] * np.sqrt(variance)
    total = t[:, None] + GRID[:, None, None] * shape
    tails = ((1.0 - level) / 2.0, (1.0 + level) / 2.0)
    return np.asarray(np.quantile(total.reshape(GRID.size, -1), tails, axis=1), dtype=np.float64)


def _quantiles(values: Floats, weights: Floats, at: Floats | None = None) -> Floats:
    """Weighted quantiles of (n,) values at levels `at` (STEPS evenly spread ones by default)."""
    order = np.argsort(values)
    level = (np.cumsum(weights[order]) - 0.5 * weights[order]) / weights.sum()
    wanted = (np.arange(STEPS) + 0.5) / STEPS if at is None else at
    return np.asarray(np.interp(wanted, level, values[order]), dtype=np.float64)
