"""Learn rail models from a pool of programs: which of them to believe, and how wrong they will be.

From `MANY_PROGRAMS` on, every candidate is judged on programs left out one at a time, and candidates are
averaged with weights that fall with the number of standard errors by which they trail the best (over
programs). With fewer programs such differences are chance, and without events there is nothing to differ in:
the default stands alone. An average of linear non-negative models is one. The left-out residuals of the
average become the interval of new programs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from powerhal.attribution.evaluation.features import MILD, STRONG, Curve, Design
from powerhal.attribution.evaluation.hierarchy import Interval, interval
from powerhal.attribution.evaluation.rail import Points, RailModel, Sample, fit
from powerhal.attribution.evaluation.table import Floats, Integers

MAX_ROWS = 1200  # for judging candidates; the models in use are fitted on all rows
MANY_PROGRAMS = 8
SMALLEST_SHARE = 0.02  # candidates that would have less are left out


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to fit: how activities bend and how far the physics may be from a program (relative)."""

    curve: Curve
    doubt: float


DEFAULT = Candidate(MILD, 0.03)
CANDIDATES = tuple(Candidate(curve, doubt) for curve in (MILD, STRONG) for doubt in (0.001, 0.003, 0.01, 0.03, 0.1))


@dataclass(frozen=True, slots=True)
class Member:
    """One model of the average, with its share (they sum to 1)."""

    share: float
    candidate: Candidate
    model: RailModel


@dataclass(frozen=True, slots=True)
class Learned:
    """The models in use and the interval of their average for new programs."""

    members: tuple[Member, ...]
    points: Points
    interval: Interval

    def predict(self, columns: Callable[[Curve], Design], frequency_mhz: Floats) -> tuple[Floats, Floats]:
        """Power and its static part, (n,) W each, for rows at these frequencies; `columns` as they were learned."""
        power_w, static_w = np.zeros(frequency_mhz.size), np.zeros(frequency_mhz.size)
        for member in self.members:
            design = columns(member.candidate.curve)
            power_w += member.share * member.model.predict_w(design, frequency_mhz)
            static_w += member.share * member.model.static_w(design)
        return power_w, static_w


Samples = Callable[[Curve], Sample]


def learn(samples: Samples, points: Points) -> Learned:
    """Judge the candidates and fit those in use; `samples(curve)` gives the same training rows for each curve."""
    default = samples(DEFAULT.curve)
    programs = np.unique(default.program)
    candidates = CANDIDATES if programs.size >= MANY_PROGRAMS and default.columns.has_activities() else (DEFAULT,)
    rows = thinned(default)
    program = default.program[rows]
    if programs.size > 1:
        thin = {curve: samples(curve).where(rows) for curve in {c.curve for c in candidates}}
        ratios = np.array([left_out(thin[c.curve], points, c.doubt) for c in candidates])
        errors = np.abs(ratios - 1.0)
        share = shares(np.array([errors[:, program == one].mean(axis=1) for one in programs]).T)
        spread = interval(-np.log(share @ ratios), program)
    else:
        share, spread = np.ones(1), interval(np.zeros(0), np.zeros(0, dtype=np.int64))
    members = tuple(
        Member(float(part), candidate, fit(samples(candidate.curve), points, candidate.doubt))
        for part, candidate in zip(share, candidates, strict=True)
        if part > 0.0
    )
    return Learned(members, points, spread)


def left_out(sample: Sample, points: Points, doubt: float) -> Floats:
    """Predicted / measured of every row, (n,), each program predicted by a fit to the others."""
    start = fit(sample, points, doubt)
    out = np.empty(sample.power_w.size)
    for one in np.unique(sample.program):
        mine = sample.program == one
        model = fit(sample.where(~mine), points, doubt, start)
        predicted_w = model.predict_w(sample.columns.where(mine), points.frequencies_mhz[sample.point[mine]])
        out[mine] = predicted_w / sample.power_w[mine]
    return out


def shares(scores: Floats) -> Floats:
    """Share of each candidate, (candidates,), from mean errors (candidates, programs >= 2); they sum to 1."""
    behind = scores - scores[np.argmin(scores.mean(axis=1))]
    doubt = behind.std(axis=1, ddof=1) / np.sqrt(scores.shape[1]) + 1e-12
    out = np.exp(-2.0 * behind.mean(axis=1) / doubt)
    out[out < SMALLEST_SHARE * out.sum()] = 0.0
    return np.asarray(out / out.sum(), dtype=np.float64)


def thinned(sample: Sample) -> Integers:
    """Every so manieth row of every program, as numbers, so that about MAX_ROWS remain."""
    order = np.argsort(sample.program, kind="stable")
    return np.sort(order[:: max(1, -(-order.size // MAX_ROWS))])
