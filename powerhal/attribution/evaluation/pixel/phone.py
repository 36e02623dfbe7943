"""One phone learned from a few labelled runs and many that have only their battery.

Labelled runs give each component its rails. For the others the battery's power is kappa times the sum of
all rails plus what leaks around them (regulators lose, the gauge sees everything): kappa and the leak are
regressed on labelled runs (measured sum) and the others (predicted sum), in turn with the component that
moves most, the CPU, whose target in an unlabelled run is what the battery leaves for it. The battery's
power itself is also learned directly from the activities of all training runs: the `total`.

Only measurements of training runs are used: of a run to be predicted, neither rails nor battery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from powerhal.attribution.evaluation.pixel.activities import Activities
from powerhal.attribution.evaluation.pixel.components import CPU_PART, PARTS, TOTAL_PART, Component
from powerhal.attribution.evaluation.pixel.regression import Line, fit
from powerhal.attribution.evaluation.table import Bools, Floats

# Trust in a CPU power that the battery implies beside one that rails measured: the squared ratio of their
# doubts, about 0.07 (the model alone) to 0.13 (model and gauge together) of the mean.
BATTERY_TRUST = 0.3
LABELLED_TRUST = 2.0  # in the regression of battery on rails: a measured sum beside a predicted one
TURNS = 3
FEWEST = 3  # runs that can give kappa and leak


@dataclass(frozen=True, slots=True)
class Known:
    """Training runs: activities without gaps, rails of the labelled ones, battery of all.

    labelled (n,); part_w: power of each of `components.PARTS`, (n,) W, NaN where not labelled; battery_w (n,) W,
    NaN where unknown.
    """

    activities: Activities
    labelled: Bools
    part_w: Mapping[str, Floats]
    battery_w: Floats

    @property
    def sum_w(self) -> Floats:
        """Sum of all rails, (n,) W, NaN where not labelled."""
        return np.asarray(sum(self.part_w.values()), dtype=np.float64)

    def without(self, rows: Bools) -> Known:
        """The same without these runs."""
        keep = ~rows
        return Known(
            picked(self.activities, keep), self.labelled[keep], picked(self.part_w, keep), self.battery_w[keep]
        )


@dataclass(frozen=True, slots=True)
class Phone:
    """A fitted phone: a line for each part, the total's, and battery = kappa * rails + leak_w (NaN: not known)."""

    lines: Mapping[str, Line]
    total: Line | None
    kappa: float
    leak_w: float

    def parts_w(self, activities: Activities) -> dict[str, Floats]:
        """Power of each part, (n,) W each, from activities alone."""
        return {part.name: self.lines[part.name].power_w(part.matrix(activities)) for part in PARTS}

    def total_w(self, activities: Activities) -> Floats:
        """Power that the battery gives, (n,) W, from activities alone; NaN where no training run knew it."""
        if self.total is None:
            return np.full(len(activities["load"]), np.nan)
        return self.total.power_w(TOTAL_PART.matrix(activities))

    def total_of_rails_w(self, sum_w: Floats) -> Floats:
        """Power that the battery gives for a measured sum of rails, (n,) W."""
        return self.kappa * sum_w + self.leak_w


def picked(columns: Mapping[str, Floats], rows: Bools) -> dict[str, Floats]:
    """The chosen rows of each column."""
    return {name: values[rows] for name, values in columns.items()}


def learn(known: Known) -> Phone:
    """Fit a phone to at least one labelled run."""
    taught = known.labelled
    x = {part.name: part.matrix(known.activities) for part in PARTS}
    lines = {part.name: _line(part, x[part.name], known.part_w[part.name], taught) for part in PARTS}
    told = np.isfinite(known.battery_w) & ~taught
    trust = np.where(taught, 1.0, BATTERY_TRUST)
    kappa = leak_w = np.nan
    for _ in range(TURNS):
        expected = {name: line.power_w(x[name]) for name, line in lines.items()}
        sum_w = np.where(taught, known.sum_w, np.sum(list(expected.values()), axis=0))
        kappa, leak_w = _battery_line(sum_w, known.battery_w, np.where(taught, LABELLED_TRUST, 1.0))
        if not told.any() or not kappa > 0.0:
            break
        cpu = CPU_PART.name
        implied_w = (known.battery_w - leak_w) / kappa - (sum_w - expected[cpu])
        target_w = np.where(taught, known.part_w[cpu], implied_w)
        lines[cpu] = _line(CPU_PART, x[cpu], target_w, taught | told, trust)
    return Phone(lines, total_line(known), kappa, leak_w)


def total_line(known: Known) -> Line | None:
    """The battery's power from activities, by all runs that know it; None where none does."""
    rows = np.isfinite(known.battery_w)
    return _line(TOTAL_PART, TOTAL_PART.matrix(known.activities), known.battery_w, rows) if rows.any() else None


def _line(part: Component, x: Floats, target_w: Floats, rows: Bools, trust: Floats | None = None) -> Line:
    weights = None if trust is None else trust[rows]
    return fit(x[rows], target_w[rows], part.guess, x.mean(axis=0), knee=part.knee, weights=weights)


def _battery_line(sum_w: Floats, battery_w: Floats, trust: Floats) -> tuple[float, float]:
    """kappa and leak in W of battery = kappa * sum + leak by relative errors; NaN below `FEWEST` runs."""
    known = np.isfinite(battery_w) & np.isfinite(sum_w)
    if known.sum() < FEWEST:
        return np.nan, np.nan
    weight = np.sqrt(trust[known]) / np.maximum(sum_w[known], 0.2 * np.median(sum_w[known]))
    rows = np.column_stack((sum_w[known], np.ones(int(known.sum()))))
    kappa, leak_w = np.linalg.lstsq(rows * weight[:, None], battery_w[known] * weight, rcond=None)[0]
    return float(kappa), float(leak_w)
