"""Non-negative, robust, gently regularised regression for few rows: what every component is fitted with.

minimise  sum_i w_i rho((z_i - x_i theta) / f_i) + worth sum_k (theta_k - m_k)^2   over theta >= 0

Columns and the measurement are divided by their means first, so coefficients are shares of the mean power.
rho is a square for errors below `knee` times the prediction f_i and grows like an absolute value beyond, because
the figure of merit is a mean absolute error and some runs are simply odd. m: the guess beforehand. Squares are
reweighted (iteratively); each round is one `kernels.nnls` on a Gram.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from powerhal import kernels
from powerhal.attribution.evaluation.table import Floats

ROUNDS = 8
SETTLED = 1e-4
LEAST = 0.1  # of the mean: predictions below it do not sharpen the knee any more


@dataclass(frozen=True, slots=True)
class Line:
    """Fitted coefficients (p,) >= 0 in watts per unit of their column."""

    theta: Floats

    def power_w(self, x: Floats) -> Floats:
        """Power of rows x (n, p), (n,) W."""
        return np.asarray(x @ self.theta, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Guess:
    """What is expected beforehand: shares (p,) of the columns in the mean power, and how many rows that is worth."""

    shares: Floats
    worth: float


def fit(x: Floats, z_w: Floats, guess: Guess, unit: Floats, *, knee: float, weights: Floats | None = None) -> Line:
    """Fit rows x (n, p) >= 0 to z_w (n,) W.

    unit (p,): what the columns are divided by (their means over all known runs; a column that is 0 there gets no
    coefficient); knee: relative; weights (n,): trust in each row, all alike when None.
    """
    size_w = float(np.median(z_w))
    live = unit > 0.0
    scaled = x[:, live] / unit[live]
    rows = np.column_stack((scaled, z_w / size_w))
    p = scaled.shape[1]
    trust = np.ones(len(rows)) if weights is None else weights / weights.mean()
    pull, robust, theta = guess.worth * guess.shares[live], trust, np.zeros(p)
    for _ in range(ROUNDS):
        moments = np.zeros((p + 1, p + 1))
        kernels.gram_add(moments, rows, robust)
        answer, _how = kernels.nnls(moments[:p, :p] + guess.worth * np.eye(p), moments[:p, p] + pull)
        step, theta = np.abs(np.asarray(answer) - theta).max(), np.asarray(answer, dtype=np.float64)
        if step < SETTLED:
            break
        expected = scaled @ theta
        robust = trust / np.hypot(rows[:, p] - expected, knee * np.maximum(expected, LEAST))
        robust = robust / robust.mean()
    out = np.zeros(x.shape[1])
    out[live] = theta * size_w / unit[live]
    return Line(out)
