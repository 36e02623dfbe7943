"""Learn rail models from a pool of programs: which of them to believe, and how wrong they will be.

From `MANY_PROGRAMS` on, every candidate is judged on programs left out one at a time, and candidates are
averaged with weights that fall with the number of standard errors by which they trail the best (over
programs). With fewer programs such differences are chance, and without events there is nothing to differ in:
the default stands alone. An average of linear non-negative models is one. The left-out residuals of the
average become the interval of new programs (`hierarchy.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from powerhal.attribution.evaluation.features import MILD, STRONG, Curve, Design
from powerhal.attribution.evaluation.rail import Points, RailModel, Sample, fit
from powerhal.attribution.evaluation.table import Floats, Integers

MAX_ROWS = 1200  # for judging candidates; the models in use are fitted on all rows
MANY_PROGRAMS = 8
SMALLEST_SHARE = 0.02  # candidates that would have less are left out


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to fit: how activities bend, how far the physics may be from a program (relative), heat used or not."""

    curve: Curve
    doubt: float
    heated: bool = False


CURVES, DOUBTS = (MILD, STRONG), (0.001, 0.003, 0.01, 0.03, 0.1)
DEFAULT = Candidate(MILD, 0.03)


@dataclass(frozen=True, slots=True)
class Member:
    """One model of the averages: its share of the power, and of what is split between processes (each sums to 1)."""

    share: float
    owned_share: float
    candidate: Candidate
    model: RailModel


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What was wrong with programs that were left out: ln(measured / predicted) (n,) of all training rows.

    program (n,): number of each row's program. Empty when there is only one program.
    """

    program: Integers
    log_ratio: Floats


@dataclass(frozen=True, slots=True)
class Learned:
    """The models in use, and how far their average was from left-out programs."""

    members: tuple[Member, ...]
    points: Points
    left_out: LeftOut

    def predict(self, columns: Columns, frequency_mhz: Floats) -> tuple[Floats, Floats, Floats]:
        """Power, its static part and power by activities alone, (n,) W each; `columns` as they were learned.

        Heat has no owner: what is static and how the rest is split is said by the models without it.
        """
        power_w, static_w, owned_w = (np.zeros(frequency_mhz.size) for _ in range(3))
        for member in self.members:
            design = columns(member.candidate.curve, member.candidate.heated)
            predicted_w = member.model.predict_w(design, frequency_mhz)
            power_w += member.share * predicted_w
            owned_w += member.owned_share * predicted_w
            static_w += member.owned_share * member.model.static_w(design)
        return power_w, static_w, owned_w


Columns = Callable[[Curve, bool], Design]
Samples = Callable[[Curve, bool], Sample]


def candidates_for(sample: Sample, heat: bool) -> tuple[Candidate, ...]:
    """The ways to fit that these training rows can tell apart; `heat`: temperature differences are known.

    Few programs cannot choose, and what a kelvin means has no prior: heat then helps only where nothing is counted.
    """
    counted, programs = sample.columns.has_activities(), sample.programs()
    if not counted or programs < MANY_PROGRAMS:
        warmed = Candidate(DEFAULT.curve, DEFAULT.doubt, heated=True)
        return (DEFAULT, warmed) if heat and not counted and programs > 1 else (DEFAULT,)
    warm = (False, True) if heat else (False,)
    return tuple(Candidate(curve, doubt, heated) for heated in warm for curve in CURVES for doubt in DOUBTS)


def learn(samples: Samples, points: Points, heat: bool = False) -> Learned:
    """Judge the candidates and fit those in use; `samples(curve, heated)` gives the same training rows each time."""
    default = samples(DEFAULT.curve, DEFAULT.heated)
    candidates = candidates_for(default, heat)
    program = default.program
    missed = LeftOut(program[:0], np.zeros(0))
    share = owned = np.ones(1)
    if default.programs() > 1:
        forms = {(candidate.curve, candidate.heated) for candidate in candidates}
        whole = {form: samples(*form) for form in forms}
        ratios = np.array([left_out(whole[c.curve, c.heated], points, c.doubt) for c in candidates])
        share, owned = _weighed(candidates, np.abs(ratios - 1.0), program)
        missed = LeftOut(program, -np.log(share @ ratios))
    members = tuple(
        Member(
            float(part),
            float(part_owned),
            candidate,
            fit(samples(candidate.curve, candidate.heated), points, candidate.doubt),
        )
        for part, part_owned, candidate in zip(share, owned, candidates, strict=True)
        if part + part_owned > 0.0
    )
    return Learned(members, points, missed)


def _weighed(candidates: Sequence[Candidate], errors: Floats, program: Integers) -> tuple[Floats, Floats]:
    """Shares of the candidates in power, and in what is split; errors (candidates, n) of left-out rows."""
    cold = np.array([not candidate.heated for candidate in candidates])
    if len(candidates) <= 2:
        last = np.arange(len(candidates)) == len(candidates) - 1
        return last.astype(np.float64), cold.astype(np.float64)
    scores = np.array([errors[:, program == one].mean(axis=1) for one in np.unique(program)]).T
    owned = np.zeros(cold.size)
    owned[cold] = shares(scores[cold])
    return shares(scores), owned


def left_out(sample: Sample, points: Points, doubt: float) -> Floats:
    """Predicted / measured of every row, (n,), each program predicted by a fit to some rows of the others."""
    few = sample.where(thinned(sample))
    start = fit(few, points, doubt)
    out = np.empty(sample.power_w.size)
    for one in np.unique(sample.program):
        mine = sample.program == one
        model = fit(few.where(few.program != one), points, doubt, start)
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
