"""How sure: errors of runs that were left out, the reach of 90 % of them, and how components err together.

Each labelled run is predicted by a phone that was learned without it. An error is measured in units of the
run's `scale`, half its prediction and half the component's mean, because errors grow with power but not in
proportion. The half width of an interval is the size that 90 % of a new run's errors stay below: with many errors
the 0.9 (n + 1)-th of them (conformal prediction's rank, straight lines in between); with few that one is nearly
the largest and moves a lot from draw to draw, so it is averaged with what the ranks below it say if errors have
the shape of Student's t with four degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from powerhal.attribution.evaluation.pixel.components import PARTS, TOTAL_PART
from powerhal.attribution.evaluation.pixel.phone import Known, learn, picked, total_line
from powerhal.attribution.evaluation.table import Floats, Integers

FOLDS = 20  # at most: each labelled run alone up to 20 of them
TOTAL_FOLDS = 10
# Share of errors and what it is stretched by to reach 90 % where errors are like Student's t with 4 degrees of freedom.
STRETCH = {0.5: 2.8782, 0.6: 2.2656, 0.7: 1.7921, 0.8: 1.3905, 0.9: 1.0}
SHAPE_WORTH = 20.0  # left-out runs that the guess about the shape is worth
TOGETHER = 30.0  # left-out runs that the guess is worth that components err independently


@dataclass(frozen=True, slots=True)
class Doubt:
    """reach: half width of each component's 90 % interval in units of its scale; mean_w: what the scale is half of.

    covariance (d, d): of the parts' errors in units of their scale, in the order of `components.PARTS`.
    """

    reach: Mapping[str, float]
    mean_w: Mapping[str, float]
    covariance: Floats

    def scale_w(self, name: str, power_w: Floats) -> Floats:
        """Unit of error of runs with this predicted power, (n,) W."""
        return np.asarray(0.5 * (power_w + self.mean_w[name]), dtype=np.float64)

    def half_width_w(self, name: str, power_w: Floats) -> Floats:
        """Half of the 90 % interval around this prediction, (n,) W."""
        return self.reach[name] * self.scale_w(name, power_w)


def doubt(known: Known) -> Doubt:
    """Judge a fit by what it says of runs that it did not see; NaN where fewer than two runs can be left out."""
    rows = np.flatnonzero(known.labelled)
    predicted = {part.name: np.full(rows.size, np.nan) for part in PARTS}
    for fold in _folds(rows.size, FOLDS):
        left = np.zeros(len(known.labelled), dtype=np.bool_)
        left[rows[fold]] = True
        if fold.size == rows.size:
            break
        answer = learn(known.without(left)).parts_w(picked(known.activities, left))
        for name, power_w in answer.items():
            predicted[name][fold] = power_w
    mean_w, errors = {}, np.full((rows.size, len(PARTS)), np.nan)
    for k, (name, power_w) in enumerate(predicted.items()):
        mean_w[name] = float(np.mean(known.part_w[name][rows]))
        errors[:, k] = (known.part_w[name][rows] - power_w) / (0.5 * (power_w + mean_w[name]))
    reach = {part.name: reach90(errors[:, k]) for k, part in enumerate(PARTS)}
    name = TOTAL_PART.name
    mean_w[name], scores = _total_errors(known)
    reach[name] = reach90(scores)
    widest = np.array([reach[part.name] for part in PARTS])
    return Doubt(reach, mean_w, _together(np.clip(errors, -widest, widest)))


def reach90(errors: Floats) -> float:
    """The size that 90 % of new errors stay below, from n left-out ones; NaN below two."""
    sizes = np.sort(np.abs(errors[np.isfinite(errors)]))
    count = sizes.size
    if count < 2:
        return float("nan")
    ranks = np.array([share * (count + 1) for share in STRETCH])
    at = np.interp(ranks, np.arange(1, count + 1), sizes)
    there = (ranks <= count) | (ranks == ranks[0])
    by_shape = float(np.mean((at * np.array(list(STRETCH.values())))[there]))
    if not there[-1]:
        return by_shape
    return float((count * at[-1] + SHAPE_WORTH * by_shape) / (count + SHAPE_WORTH))


def _together(errors: Floats) -> Floats:
    """Covariance of the parts' errors about zero, drawn towards independence; all 1 and apart where unknown."""
    if not np.isfinite(errors).all() or len(errors) < 2:
        return np.eye(errors.shape[1])
    scatter = errors.T @ errors / len(errors)
    apart = np.diag(np.diag(scatter))
    shared: Floats = (scatter * len(errors) + apart * TOGETHER) / (len(errors) + TOGETHER)
    return shared


def _total_errors(known: Known) -> tuple[float, Floats]:
    """The total's mean in W and the errors of left-out training runs in units of its scale."""
    rows = np.flatnonzero(np.isfinite(known.battery_w))
    if rows.size < 2:
        return float("nan"), np.empty(0)
    errors = np.full(rows.size, np.nan)
    mean_w = float(np.mean(known.battery_w[rows]))
    part = TOTAL_PART
    for fold in _folds(rows.size, TOTAL_FOLDS):
        left = np.zeros(len(known.labelled), dtype=np.bool_)
        left[rows[fold]] = True
        line = total_line(known.without(left))
        if line is not None:
            power_w = line.power_w(part.matrix(picked(known.activities, left)))
            errors[fold] = (known.battery_w[left] - power_w) / (0.5 * (power_w + mean_w))
    return mean_w, errors


def _folds(rows: int, folds: int) -> list[Integers]:
    """Rows in that many folds, dealt out in turn."""
    return [np.arange(first, rows, min(folds, rows)) for first in range(min(folds, rows))]
