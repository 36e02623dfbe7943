"""One device out of the total only: the A15's power where nothing but the board's sum is measured.

The sum of the four rails is the only measurement. What is known of the three others is one idle reading and
the temperature it was taken at; half of it is taken for leakage. An idle reading is a floor: what
the others do beside the A15 adds to it and never takes away, so their activity is taken for half normal. The
A15 is what the sum leaves, and the two add up to the sum. (A model of the A15 fitted to such remainders and
reconciled with them was tried: it is not better, see docs/accuracy.md.)

The data hold no idle window: the quietest `QUIET` of the training windows of the others stand for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from powerhal.attribution.evaluation.features import LEAKAGE_SLOPE_C
from powerhal.attribution.evaluation.scores import POWER, measured
from powerhal.attribution.evaluation.table import Floats, Table

OTHERS = ("a7_w", "gpu_w", "ram_w")
PLACE = "gpu_temp_c"  # the sensor that no A15 core heats alone
QUIET = 0.05  # share of windows
LEAKS = 0.5  # share of an idle reading that follows temperature
ACTIVITY = 0.15  # what the others do beside the A15, relative to their idle reading: scale of the half normal


@dataclass(frozen=True, slots=True)
class Idle:
    """Power of all other rails at rest, W, and the temperature it was read at."""

    power_w: float
    temperature_c: float

    def rest_w(self, table: Table) -> Floats:
        """What the other rails are expected to take in each row at its temperature, (n,) W."""
        warmer = np.nan_to_num(table.number(PLACE), nan=self.temperature_c) - self.temperature_c
        idle_w = self.power_w * (1.0 - LEAKS + LEAKS * np.exp(warmer / LEAKAGE_SLOPE_C))
        return np.asarray(idle_w * (1.0 + ACTIVITY * math.sqrt(2.0 / math.pi)), dtype=np.float64)


def rest_measured_w(table: Table) -> Floats:
    """The sum of the three other rails, (n,) W; NaN where one is empty."""
    return np.asarray(np.sum([table.number(name) for name in OTHERS], axis=0))


def idle_reading(train: Table) -> Idle | None:
    """The idle reading of the other rails, from the quietest training rows; None where they were not measured."""
    rest_w = rest_measured_w(train)
    known = np.isfinite(rest_w) & measured(train)
    if not known.any():
        return None
    quiet = known & (rest_w <= np.quantile(rest_w[known], QUIET))
    temperature_c = np.nan_to_num(train.number(PLACE)[quiet], nan=50.0)
    return Idle(float(rest_w[quiet].mean()), float(temperature_c.mean()))


def from_total(train: Table, test: Table) -> Floats:
    """The A15's power in each test row, (n,) W, from the sum of the rails; NaN where that is not known.

    The idle reading is of the training rows of the same suite (the same room), of all where it has none.
    """
    out = np.full(len(test), np.nan)
    suites = test.text("suite")
    for suite in np.unique(suites):
        mine, home = suites == suite, train.text("suite") == suite
        idle = idle_reading(train.where(home) if home.any() else train)
        if idle is not None:
            rows = test.where(mine)
            out[mine] = rows.number(POWER) + rest_measured_w(rows) - idle.rest_w(rows)
    return out
