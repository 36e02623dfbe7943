"""Learn a rail model from a pool of programs: which curve and how much doubt, and how wrong it will be.

Every candidate is judged on programs left out one at a time. The default stays unless another candidate
is better by more than one standard error of the difference over programs, so four programs rarely move it
and fifteen can. The left-out residuals of the winner become the interval of new programs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from powerhal.attribution.evaluation.features import MILD, STRONG, Curve
from powerhal.attribution.evaluation.hierarchy import Interval, interval
from powerhal.attribution.evaluation.rail import Points, RailModel, Sample, fit
from powerhal.attribution.evaluation.table import Floats, Integers

MAX_ROWS = 1500  # for choosing among candidates; the chosen one is fitted on all rows


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to fit: how activities bend and how far the physics may be from a program (relative)."""

    curve: Curve
    doubt: float


DEFAULT = Candidate(MILD, 0.03)
CANDIDATES = tuple(Candidate(curve, doubt) for curve in (MILD, STRONG) for doubt in (0.001, 0.003, 0.01, 0.03, 0.1))


@dataclass(frozen=True, slots=True)
class Learned:
    """A fitted model, how it was fitted, and the interval of its predictions for new programs."""

    model: RailModel
    candidate: Candidate
    interval: Interval


Samples = Callable[[Curve], Sample]


def learn(samples: Samples, points: Points) -> Learned:
    """Choose a candidate and fit it; `samples(curve)` gives the same training rows for each curve."""
    default = samples(DEFAULT.curve)
    rows = _thinned(default)
    programs = np.unique(default.program)
    if programs.size < 2:
        return Learned(fit(default, points, DEFAULT.doubt), DEFAULT, interval(np.zeros(0), np.zeros(0, dtype=np.int64)))
    thin = {curve: samples(curve).where(rows) for curve in {c.curve for c in CANDIDATES}}
    residuals = np.array([left_out(thin[c.curve], points, c.doubt) for c in CANDIDATES])
    program = default.program[rows]
    errors = np.abs(np.expm1(-residuals))
    scores = np.array([errors[:, program == one].mean(axis=1) for one in programs]).T
    best = chosen(scores, CANDIDATES.index(DEFAULT))
    winner = CANDIDATES[best]
    return Learned(fit(samples(winner.curve), points, winner.doubt), winner, interval(residuals[best], program))


def left_out(sample: Sample, points: Points, doubt: float) -> Floats:
    """ln(measured / predicted) of every row, (n,), each program predicted by a fit to the others."""
    start = fit(sample, points, doubt)
    out = np.empty(sample.power_w.size)
    for one in np.unique(sample.program):
        mine = sample.program == one
        model = fit(sample.where(~mine), points, doubt, start)
        predicted_w = model.predict_w(sample.columns.where(mine), points.frequencies_mhz[sample.point[mine]])
        out[mine] = np.log(sample.power_w[mine] / predicted_w)
    return out


def chosen(scores: Floats, default: int) -> int:
    """The candidate to use, from mean errors (candidates, programs): one standard error above the default."""
    best = int(np.argmin(scores.mean(axis=1)))
    gain = scores[default] - scores[best]
    if gain.size < 3 or gain.mean() <= gain.std(ddof=1) / np.sqrt(gain.size):
        return default
    return best


def _thinned(sample: Sample) -> Integers:
    """Every so manieth row of every program, as numbers, so that about MAX_ROWS remain."""
    order = np.argsort(sample.program, kind="stable")
    return np.sort(order[:: max(1, -(-order.size // MAX_ROWS))])
