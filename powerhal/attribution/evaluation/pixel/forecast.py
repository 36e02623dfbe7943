"""Predictions for new runs: each component with its interval, and once more reconciled with the sum of the rails.

Reconciling moves the components and the rest, as little as their doubt and what they were seen to err together
allow, until they add up to the measured sum (`attribution.reconcile`: p* = p + S C'(C S C')^-1 (z - C p), never
below 0). The total, which is more than the rails, follows from the sum by the line battery = kappa * rails + leak.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from powerhal.attribution.evaluation.pixel.activities import Activities
from powerhal.attribution.evaluation.pixel.components import NAMES, PARTS, TOTAL_PART
from powerhal.attribution.evaluation.pixel.doubt import Doubt
from powerhal.attribution.evaluation.pixel.phone import Phone
from powerhal.attribution.evaluation.table import Floats
from powerhal.attribution.observed.rail_tree import RailTree
from powerhal.attribution.settling.reconcile import reconcile

UNEXPLAINED = 1e-3  # of the sum of rails: the rest is a part of its own, nothing else is missing
ANSWERED = (*NAMES, TOTAL_PART.name)


@dataclass(frozen=True, slots=True)
class Answer:
    """One component of the asked runs, (n,) W each; NaN where unknown."""

    power_w: Floats
    low_w: Floats
    high_w: Floats
    reconciled_w: Floats


@dataclass(frozen=True, slots=True)
class Forecast:
    """answers: by name of component and `total`; sum_w: predicted sum of rails, (n,) W."""

    answers: Mapping[str, Answer]
    sum_w: Floats


def forecast(phone: Phone, doubt: Doubt, activities: Activities, rails_w: Floats) -> Forecast:
    """Predict runs by their activities; rails_w (n,): measured sum of rails, NaN where it is not to be used."""
    parts = phone.parts_w(activities)
    balanced = _balanced(parts, doubt, rails_w)
    power = {**{name: parts[name] for name in NAMES}, TOTAL_PART.name: phone.total_w(activities)}
    balanced[TOTAL_PART.name] = phone.total_of_rails_w(rails_w)
    answers = {}
    for name, power_w in power.items():
        half_w = doubt.half_width_w(name, power_w)
        answers[name] = Answer(power_w, np.maximum(power_w - half_w, 0.0), power_w + half_w, balanced[name])
    return Forecast(answers, np.sum(list(parts.values()), axis=0))


def _balanced(parts: Mapping[str, Floats], doubt: Doubt, rails_w: Floats) -> dict[str, Floats]:
    """Each part made to add up to the measured sum, (n,) W; NaN where no sum is known."""
    out = {part.name: np.full(len(rails_w), np.nan) for part in PARTS}
    rows = np.flatnonzero(np.isfinite(rails_w))
    if rows.size:
        tree = RailTree.build(("rails",), {}, dict.fromkeys(out, "rails"))
        power_w = np.column_stack([parts[name][rows] for name in out])
        scale_w = np.column_stack([doubt.scale_w(name, parts[name][rows]) for name in out])
        spread = doubt.covariance * scale_w[:, :, None] * scale_w[:, None, :]
        loose_w = UNEXPLAINED * np.maximum(rails_w[rows], 1e-3)[:, None]
        found = reconcile(tree, power_w, rails_w[rows, None], covariance=spread, unattributed_sd=loose_w)
        for k, values in enumerate(out.values()):
            values[rows] = found.device[:, k]
    return out
