"""From independent sources of doubt to a 90 % interval, and the doubts that blocks of data cannot show.

Every sum of joules carries loadings: how far it moves when one source moves by one standard
deviation. Normal sources (coefficients, splits) add in squares. A sensor's stated accuracy is a pair
of limits, not a standard deviation: any gain between them is as likely (a rectangular distribution,
GUM JCGM 100:2008, 4.3.7), so the largest of those is folded with the normal rest exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import erf, exp, pi, sqrt

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

LEVEL = 0.90
Z90 = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class Doubt:
    """One source: its name in words, and whether it is `normal` (1 sigma) or `limits` (half width)."""

    name: str
    shape: str = "normal"


def half_width(loadings: Floats, doubts: Sequence[Doubt], t90: float) -> float:
    """Half of the 90 % interval for one row of loadings (f,); t90: Student quantile for normal sources."""
    flat = np.array([d.shape == "limits" for d in doubts], dtype=np.bool_)
    normal = float(np.sum(loadings[~flat] ** 2)) * (t90 / Z90) ** 2
    limits = np.sort(np.abs(loadings[flat]))[::-1]
    if limits.size == 0 or limits[0] == 0.0:
        return Z90 * sqrt(normal)
    rest = normal + float(np.sum(limits[1:] ** 2)) / 3.0
    return folded_quantile(float(limits[0]), sqrt(rest))


def folded_quantile(limit: float, sigma: float, level: float = LEVEL) -> float:
    """q with P(|U + N| < q) = level, U rectangular on +-limit, N normal with `sigma`."""
    if sigma <= 1e-9 * limit:
        return level * limit
    low, high = 0.0, limit + 4.0 * sigma
    for _ in range(60):
        middle = 0.5 * (low + high)
        if _inside(middle, limit, sigma) < level:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _inside(q: float, limit: float, sigma: float) -> float:
    """P(|U + N| < q)."""

    def primitive(x: float) -> float:  # integral of the normal distribution function
        z = x / sigma
        return sigma * (z * 0.5 * (1.0 + erf(z / sqrt(2.0))) + exp(-0.5 * z * z) / sqrt(2.0 * pi))

    upper = primitive(q + limit) - primitive(q - limit)
    lower = primitive(-q + limit) - primitive(-q - limit)
    return (upper - lower) / (2.0 * limit)
