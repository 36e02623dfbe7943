"""From independent sources of doubt to a 90 % interval.

Every sum of joules carries loadings: how far it moves when one source moves by one standard deviation.
Loadings add up like the energies do, so any group of rows has the interval that its members' common
doubts give it. What was learned from few blocks of data has Student's wider tails.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import atan, erfc, pi, sqrt

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

Z90 = 1.6448536269514722
MANY_DEGREES = 2000.0  # from here on Student's t is the normal to 4 digits
T90 = {1: 6.314, 2: 2.920, 3: 2.353, 4: 2.132, 6: 1.943, 8: 1.860, 12: 1.782, 16: 1.746, 24: 1.711, 60: 1.671}


@dataclass(frozen=True, slots=True)
class Doubt:
    """One source: its name in words, and whether it was learned from the blocks of this recording.

    scope: where it is the same, with the same sign: in this `run` only, in every run of this `device` (its
    sensors, its silicon), or in every run with this `model` (whose name it then bears).
    """

    name: str
    learned: bool = False
    scope: str = "run"


def half_width(loadings: Floats, alone_j2: float, doubts: Sequence[Doubt], t90: float) -> float:
    """Half of the 90 % interval for one row of loadings (f,) and a variance that it shares with no other row.

    t90: Student's quantile for learned sources.
    """
    quantile = np.where([d.learned for d in doubts], t90, Z90)
    return sqrt(float(np.sum((quantile * loadings) ** 2)) + Z90**2 * max(alone_j2, 0.0))


def student90(degrees: float) -> float:
    """Two-sided 90 % quantile of Student's t (tabulated, straight lines in between)."""
    at = sorted(T90)
    return float(np.interp(degrees, at, [T90[k] for k in at])) if degrees <= at[-1] else Z90


def student_tail(t: float, degrees: float) -> float:
    """Probability that Student's t is further from 0 than t, on both sides; degrees >= 1, inf for the normal.

    With t = sqrt(degrees) tan(a) the density is that of cos(a)^(degrees - 1): smooth on a finite span.
    """
    if degrees > MANY_DEGREES:
        return erfc(abs(t) / sqrt(2.0))
    nodes, weights = _nodes()
    sharp = sqrt(degrees)

    def beyond(angle: float) -> float:
        """Integral of cos^(degrees - 1) from angle to pi/2, with nodes where it is large."""
        width = min(0.5 * pi - angle, 12.0 / sharp)
        at = angle + 0.5 * width * (nodes + 1.0)
        return float(0.5 * width * np.sum(weights * np.cos(at) ** (degrees - 1.0)))

    return beyond(atan(abs(t) / sharp)) / beyond(0.0)


@cache
def _nodes() -> tuple[Floats, Floats]:
    nodes, weights = np.polynomial.legendre.leggauss(96)
    return nodes, weights


def student_quantile(level: float, degrees: float) -> float:
    """The t that `level` of Student's distribution lies within, on both sides (0.9 and inf: 1.645)."""
    low, high = 0.0, 1.0
    while student_tail(high, degrees) > 1.0 - level:
        low, high = high, 2.0 * high
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if student_tail(middle, degrees) > 1.0 - level else (low, middle)
    return high
