"""How sure coefficients are: covariance from the scatter between stretches of time, from priors, and from theta >= 0.

Three steps. A block that decides a coefficient alone leaves no residual of its own, so its score is taken with the
residuals that a fit without it would leave (CR3: MacKinnon, Nielsen and Webb 2023). Few blocks say little about
many directions, so their scatter is pulled towards what independent windows would show, times the overdispersion
that all directions have in common, as far as the blocks contradict each other (Ledoit and Wolf 2004). And
coefficients that cannot be negative bound each other: leakage that two columns share is not uncertain by what one
would have to fall below 0 for. That is seen by solving again with the scores moved by their doubt.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from powerhal import kernels
from powerhal.attribution.fitting.fit import Fit
from powerhal.attribution.fitting.gram import Gram
from powerhal.attribution.fitting.problem import Problem

Floats = npt.NDArray[np.float64]

LEVERAGE = 0.2  # no block is taken to decide a direction more than 80 %: there the prior answers
DRAWS = 200  # of moved scores, in pairs of opposite sign


def covariance(problem: Problem, found: Fit, blocks: Sequence[Gram], weights: Floats) -> Floats:
    """Covariance (q, q) of theta about its estimate, W per unit squared; 0 where a column was never seen.

    blocks: parts that add up to what was fitted; weights (n, r) of its rows.
    """
    _, precision = problem.prior.arrays(found.names)
    live = np.flatnonzero(found.seen)
    inner = np.ix_(live, live)
    prior = np.diag(precision[live])
    parts = [block.xx[inner] / found.noise for block in blocks]
    scores = [(block.xz - block.xx @ found.theta)[live] / found.noise for block in blocks]
    whole = sum(parts, np.zeros(prior.shape)) + prior
    half = half_inverse(whole)
    known = half @ prior @ half.T  # of each direction, the part that is known from priors
    scatter = _scatter([_upright(half, part, score) for part, score in zip(parts, scores, strict=True)], known)
    pulled = half.T @ (half @ _pull(problem, found, weights)[live])
    root = np.hstack((half.T @ root_of(known + scatter), pulled / np.sqrt(3.0)))
    free = np.array([name in set(problem.free) for name in found.names], dtype=np.bool_)[live]
    moved = moved_within(whole, found.theta[live], root, free)
    out = np.zeros_like(found.covariance)
    out[inner] = moved.T @ moved / len(moved)
    return np.asarray(0.5 * (out + out.T))


def _pull(problem: Problem, found: Fit, weights: Floats) -> Floats:
    """How far noise in regressors moves the score of each clocked term (q, devices): between nothing and all of it.

    A column that is off by chance pulls its coefficient to 0 and gives what is lost to columns that know the same,
    a rail's static ones (Fuller, Measurement Error Models, 1987, ch. 1). Terms of a device are off together.
    """
    groups: dict[str, list[int]] = {}
    for k in problem.blur:
        column = problem.terms[k].column
        groups.setdefault(column.device if column else "", []).append(k)
    out = np.zeros((len(found.names), len(groups)))
    for j, terms in enumerate(groups.values()):
        rail = problem.terms[terms[0]].rail
        usable = problem.usable[:, rail]
        sd = {k: np.sqrt(problem.blur[k][usable]) for k in terms}
        lost = sum((sd[k] * found.theta[k] for k in terms), np.zeros(int(usable.sum())))
        for k in terms:
            out[k, j] = float(np.sum(weights[usable, rail] * sd[k] * lost)) / found.noise
    return out


def half_inverse(whole: Floats) -> Floats:
    """H with H' H the inverse of a positive matrix whose units differ by many powers of ten."""
    scale = 1.0 / np.sqrt(np.maximum(np.diag(whole), 1e-300))
    values, vectors = np.linalg.eigh(whole * scale[:, None] * scale)
    values = np.maximum(values, 1e-12 * values[-1])
    out: Floats = (vectors / np.sqrt(values)) @ vectors.T * scale
    return out


def _upright(half: Floats, part: Floats, score: Floats) -> Floats:
    """A block's score (q,) in units of doubt, as a fit without the block would leave it."""
    own, ways = np.linalg.eigh(half @ part @ half.T)
    out: Floats = (ways / np.clip(1.0 - own, LEVERAGE, None)) @ (ways.T @ (half @ score))
    return out


def _scatter(scores: Sequence[Floats], known: Floats) -> Floats:
    """Scatter (q, q) of the blocks' scores, pulled towards the same overdispersion in every direction."""
    stacked = np.array(scores)
    # What is in use for longer than a block goes on in the next: half of what neighbours share counts (Newey and
    # West 1987), which is the mean scatter of pairs of neighbours.
    ends = np.zeros((1, stacked.shape[1]))
    pairs = np.concatenate((ends, stacked)) + np.concatenate((stacked, ends))
    seen = 0.5 * pairs.T @ pairs
    learned = np.eye(len(known)) - known
    common = max(1.0, float(np.trace(seen)) / max(float(np.trace(learned)), 1e-9)) * learned
    # How unsure the scatter of so few blocks is, against how far it is from the common one.
    unsure = float(np.sum((stacked**2).sum(axis=1) ** 2)) - float(np.sum(seen**2)) / len(scores)
    far = float(np.sum((seen - common) ** 2))
    pull = min(1.0, max(unsure, 0.0) / far) if far > 0 else 1.0
    return np.asarray(pull * common + (1.0 - pull) * seen)


def root_of(matrix: Floats) -> Floats:
    """R with R R' a symmetric matrix whose values below 0 are rounding."""
    values, vectors = np.linalg.eigh(0.5 * (matrix + matrix.T))
    out: Floats = vectors * np.sqrt(np.maximum(values, 0.0))
    return out


def moved_within(whole: Floats, theta: Floats, root: Floats, free: npt.NDArray[np.bool_]) -> Floats:
    """How theta moves (draws, q) when the scores do, none of the others falling below 0 unless `free`."""
    draws = np.random.default_rng(0).standard_normal((DRAWS // 2, root.shape[1]))
    wanted = theta + np.concatenate((draws, -draws)) @ root.T
    scale = 1.0 / np.sqrt(np.maximum(np.diag(whole), 1e-300))
    scaled = whole * scale[:, None] * scale
    passive = (theta > 0.0) | free
    out = wanted - theta
    for k in np.flatnonzero(((wanted < 0.0) & ~free).any(axis=1)).tolist():
        solved, _ = kernels.nnls(scaled, scaled @ (wanted[k] / scale), free, passive)
        out[k] = np.asarray(solved) * scale - theta
    return out
