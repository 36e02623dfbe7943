"""One model of one CPU rail for all its operating points: fit and predict.

The relative error of each window is what counts, and a mean absolute one: squares are reweighted with
1 / sqrt(r^2 + 0.03^2). Windows of a program with many windows weigh less each (n^-1/2), so that a long
program does not own the model. A Gaussian prior on the energies has the strength of `doubt`^2 per training
program: the share of power by which a model that is right about the physics still misses a program.
The factors s(f) of the operating points and the energies are found in turn; both are never negative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from powerhal import kernels
from powerhal.attribution.evaluation.features import Design
from powerhal.attribution.evaluation.table import Bools, Floats, Integers

LEAK_SHARE = 0.06  # of the rail's power at the training temperatures, prior
LEAK_SPREAD = 0.03
KNEE = 0.03  # relative error below which an error counts as a square
ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Points:
    """All operating points to fit or predict: frequencies (k,) in MHz, ascending, and their supply (k,) in volts."""

    frequencies_mhz: Floats
    volts: Floats

    def volts_at(self, frequency_mhz: Floats) -> Floats:
        """Supply of each row, (n,) V: that of its operating point, between them by interpolation."""
        return np.asarray(np.interp(frequency_mhz, self.frequencies_mhz, self.volts), dtype=np.float64)

    def dynamic_scale(self) -> Floats:
        """V^2 f of every point relative to the first, (k,): the textbook's start for s(f)."""
        power: Floats = self.volts**2 * self.frequencies_mhz
        return np.asarray(power / power[0], dtype=np.float64)

    def completed(self, scale: Floats, seen: Bools) -> Floats:
        """Factors (k,) with those of points that were not `seen` taken from their neighbours' s / (V^2 f)."""
        textbook, logs = self.dynamic_scale(), np.log(self.frequencies_mhz)
        ratio = np.exp(np.interp(logs, logs[seen], np.log(scale[seen] / textbook[seen])))
        return np.where(seen, scale, textbook * ratio)


@dataclass(frozen=True, slots=True)
class Sample:
    """Training rows: their columns, measured power (n,) W > 0, program and operating point number (n,)."""

    columns: Design
    power_w: Floats
    program: Integers
    point: Integers

    def weights(self) -> Floats:
        """Weight of each row, (n,), summing to 1: n^-1/2 of its program's row count."""
        counts = np.bincount(self.program)
        weights = counts[self.program] ** -0.5
        return np.asarray(weights / weights.sum(), dtype=np.float64)

    def programs(self) -> int:
        """How many programs there are."""
        return np.unique(self.program).size

    def where(self, rows: Bools | Integers) -> Sample:
        """The chosen rows."""
        return Sample(self.columns.where(rows), self.power_w[rows], self.program[rows], self.point[rows])


@dataclass(frozen=True, slots=True)
class RailModel:
    """Fitted coefficients, all >= 0.

    leak in W per V e^((T-50)/40), heat (h,) in W/K, energies (p,) in W, scale (k,) per operating point.
    """

    points: Points
    names: tuple[str, ...]
    leak: float
    heat: Floats
    energies: Floats
    scale: Floats

    @property
    def theta(self) -> Floats:
        """The coefficients as they are solved for, (1 + h + p,): leak, heat, energies."""
        return np.concatenate(([self.leak], self.heat, self.energies))

    def static_w(self, columns: Design) -> Floats:
        """What stays when the program leaves, (n,) W."""
        return self.leak * columns.static

    def predict_w(self, columns: Design, frequency_mhz: Floats) -> Floats:
        """Power of each row, (n,) W."""
        dynamic_w = self.scale_at(frequency_mhz) * (columns.dynamic @ self.energies)
        return np.asarray(self.static_w(columns) + columns.heat @ self.heat + dynamic_w, dtype=np.float64)

    def scale_at(self, frequency_mhz: Floats) -> Floats:
        """s(f) of each row, (n,): that of its operating point, between points by a power law."""
        known = np.log(self.points.frequencies_mhz)
        return np.asarray(np.exp(np.interp(np.log(frequency_mhz), known, np.log(self.scale))), dtype=np.float64)


def fit(sample: Sample, points: Points, doubt: float, start: RailModel | None = None) -> RailModel:
    """Fit a rail model; doubt > 0 is relative (0.03: 3 %). A `start` near the answer saves rounds.

    Columns are divided by the measured power, so a perfect row gives 1.
    """
    weights = sample.weights()
    strength = doubt**2 / sample.programs()
    panel = _Panel(sample)
    scale = points.dynamic_scale() if start is None else start.scale
    panel.rescale(scale)
    robust = weights
    if start is not None:
        robust = _reweighted(weights, panel.errors(start.theta))
    theta = np.zeros(panel.rows.shape[1] - 1)
    for round_ in range(ROUNDS if start is None else 2):
        for _ in range(1 if round_ == 0 else 2):
            theta = _solve(panel.rows, robust, strength, sample.columns)
            robust = _reweighted(weights, panel.errors(theta))
        scale = panel.better_scale(scale, robust, theta)
        panel.rescale(scale)
    theta = _solve(panel.rows, robust, strength, sample.columns)
    scale = points.completed(scale, np.bincount(sample.point, minlength=scale.size) > 0)
    first = panel.first
    return RailModel(points, sample.columns.names, float(theta[0]), theta[1:first], theta[first:], scale)


class _Panel:
    """Rows [leak | heat | dynamic columns at a scale | 1], relative to the measured power, in one array.

    `first`: number of the first dynamic column.
    """

    def __init__(self, sample: Sample) -> None:
        self._point = sample.point
        self._dynamic = sample.columns.dynamic / sample.power_w[:, None]
        self.first = 1 + sample.columns.heat.shape[1]
        self.rows = np.ones((sample.power_w.size, self.first + self._dynamic.shape[1] + 1))
        self.rows[:, 0] = sample.columns.static / sample.power_w
        self.rows[:, 1 : self.first] = sample.columns.heat / sample.power_w[:, None]

    def rescale(self, scale: Floats) -> None:
        """Put the dynamic columns at these factors of the operating points."""
        np.multiply(self._dynamic, scale[self._point, None], out=self.rows[:, self.first : -1])

    def errors(self, theta: Floats) -> Floats:
        """Relative errors (predicted / measured - 1) of coefficients, leak first."""
        return np.asarray(self.rows[:, :-1] @ theta - 1.0, dtype=np.float64)

    def better_scale(self, scale: Floats, weights: Floats, theta: Floats) -> Floats:
        """s(f) by weighted regression of what the others leave on the dynamic part, per point; the first seen is 1."""
        dynamic, left = self._dynamic @ theta[self.first :], 1.0 - self.rows[:, : self.first] @ theta[: self.first]
        seen = np.bincount(self._point, weights * dynamic * dynamic, minlength=scale.size)
        want = np.bincount(self._point, weights * dynamic * left, minlength=scale.size)
        found = np.where(seen > 0.0, np.maximum(want, 1e-3 * seen) / np.where(seen > 0.0, seen, 1.0), scale)
        return np.asarray(found / found[seen > 0.0][0], dtype=np.float64)


def _reweighted(weights: Floats, errors: Floats) -> Floats:
    """Weights under which squares of these relative errors act like their absolute values; sum 1."""
    robust = weights / np.sqrt(errors**2 + KNEE**2)
    return np.asarray(robust / robust.sum(), dtype=np.float64)


def _solve(rows: Floats, weights: Floats, strength: float, columns: Design) -> Floats:
    """Non-negative coefficients, leak first, of x theta = 1 under the prior; the cycle's power sets its unit."""
    q = rows.shape[1] - 1
    moments = np.zeros((q + 1, q + 1))
    kernels.gram_add(moments, rows, weights)
    mean_columns = moments[:q, q]
    unknown = np.zeros(columns.heat.shape[1])
    cycle_w = (1.0 - LEAK_SHARE) / (mean_columns[1 + unknown.size :] @ columns.mean)
    precision = np.concatenate(([(mean_columns[0] / LEAK_SPREAD) ** 2], unknown, (cycle_w * columns.spread) ** -2.0))
    expected = np.concatenate(([LEAK_SHARE / mean_columns[0]], unknown, columns.mean * cycle_w))
    gram = moments[:q, :q] + np.diag(strength * precision + 1e-10 * np.diag(moments)[:q])
    theta, _ = kernels.nnls(gram, mean_columns + strength * precision * expected)
    return np.asarray(theta, dtype=np.float64)
