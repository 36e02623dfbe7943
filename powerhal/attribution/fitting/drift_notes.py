"""Drift inside one recording: devices whose coefficients were not the same from beginning to end.

The model is learned from the whole recording, so a device that changed in the middle is predicted too high on one
side and too low on the other. With the whole recording at hand every time of change is tried (likelihood ratio of
r = b + h g [t >= change] against r = b, r the log of measured over predicted, h the device's share); streams are
watched by `drift.py`. What is found is said and kept in the model, nothing is changed silently.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.attribution.fitting.drift import LEAST_SHIFT
from powerhal.attribution.fitting.problem import Problem

Floats = npt.NDArray[np.float64]

LEAST_WINDOWS = 60
LEAST_SHARE = 0.1  # of a rail's energy: what makes up less cannot be heard
EDGE = 0.1  # of the recording at either end in which no change is looked for
THRESHOLD = 20.0  # log likelihood ratio, windows that follow each other counted as fewer


@dataclass(frozen=True, slots=True)
class Drift:
    """From `t_s` (s since the first window) on, `device` on `rail` draws `factor` times what it drew before."""

    t_s: float
    rail: str
    device: str
    factor: float
    evidence: float

    def text(self) -> str:
        """One sentence for the reader."""
        return (
            f"from {self.t_s:.0f} s on {self.device} (rail {self.rail}) draws about {100 * (self.factor - 1):+.0f} % "
            "against before for the same activity; its coefficients here are a mean of both: cut the recording there"
        )

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "t_s": self.t_s, "rail": self.rail, "device": self.device, "factor": self.factor,
            "evidence": self.evidence, "reason": self.text(),
        }  # fmt: skip


def drifts(problem: Problem, theta: Floats) -> tuple[Drift, ...]:
    """The first drift of every measured rail, in the order of time; theta (q,) as learned from the whole."""
    predicted = problem.predict(theta)
    found = [_of_rail(problem, theta, predicted[:, r], r) for r in range(predicted.shape[1])]
    return tuple(sorted((d for d in found if d is not None), key=lambda d: d.t_s))


def _of_rail(problem: Problem, theta: Floats, predicted: Floats, rail: int) -> Drift | None:
    target = problem.target[:, rail]
    fine = problem.usable[:, rail] & (predicted > 0.0) & (target > 0.0)
    if np.count_nonzero(fine) < LEAST_WINDOWS:
        return None
    ratio = np.full(target.size, np.nan)
    ratio[fine] = np.log(target[fine] / predicted[fine])
    shares = _shares(problem, theta, np.where(fine, predicted, np.inf), rail)
    heard = {name: part[fine] for name, part in shares.items() if float(part[fine].mean()) >= LEAST_SHARE}
    best = max(((*_change(ratio[fine], part), name) for name, part in heard.items()), default=None)
    if best is None or best[0] < THRESHOLD or abs(best[2]) < LEAST_SHIFT:
        return None
    evidence, at, change, device = best
    window = int(np.flatnonzero(fine)[at])
    at_s = float((problem.design.edges[window] - problem.design.edges[0]) / 1e9)
    return Drift(at_s, problem.design.rail_names[rail], device, float(np.exp(change)), evidence)


def _change(ratio: Floats, share: Floats) -> tuple[float, int, float]:
    """The likeliest change of one device: log likelihood ratio, its first window, change of ln of its coefficients."""
    n = ratio.size
    places = np.arange(int(EDGE * n), n - int(EDGE * n))
    left = ratio - ratio.mean()
    # Sums from each place to the end of h, h^2 and h r: regression on [1, h after the change] in closed form.
    h, hh, hr = (np.cumsum(v[::-1])[::-1][places] for v in (share, share**2, share * left))
    spread = np.maximum(hh - h**2 / n, 1e-12)
    gain = hr**2 / spread
    k = int(np.argmax(gain))
    change = float(hr[k] / spread[k])
    at = int(places[k])
    after = left - change * np.where(np.arange(n) >= at, share, 0.0)
    after -= after.mean()
    rest = max(float(after @ after), 1e-12 * n)
    alike = float(np.clip(after[1:] @ after[:-1] / rest, 0.0, 0.9))
    evidence = 0.5 * n * (1.0 - alike) / (1.0 + alike) * float(np.log1p(gain[k] / rest))
    return evidence, at, change


def _shares(problem: Problem, theta: Floats, predicted: Floats, rail: int) -> dict[str, Floats]:
    """Part (n,) of the prediction that each device's dynamic terms and each rail below make up."""
    out: dict[str, Floats] = {}
    for group in problem.dynamic_groups(rail):
        term = problem.terms[group[0]]
        name = term.column.device if term.column else f"conversion to {problem.design.rail_names[term.child]}"
        out[name] = np.asarray(problem.x[:, group] @ theta[group] / predicted, dtype=np.float64)
    return out
