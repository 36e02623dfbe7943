"""Weighted non-negative regression on a Gram: coefficients, how sure, and which cannot be told apart.

minimise  sum_i w_i (z_i - x_i theta)^2 / noise + sum_k ((theta_k - m_k) / s_k)^2   over theta >= 0

z in watts, theta in watts per unit of its regressor. Several rails are one problem: their Grams share
columns by name, so `rail_a + rail_b` stacks them. A coefficient that the data cannot give alone is
never hidden: it is named in `Fit.groups`, with the reason in a sentence.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from powerhal import kernels
from powerhal.attribution.fitting.gram import Bools, Floats, Gram
from powerhal.attribution.fitting.identify import Group, Spectrum, find_groups, spectrum
from powerhal.errors import NotEnoughData

NOISE_ROUNDS = 30
NOISE_SETTLED = 1e-9


@dataclass(frozen=True, slots=True)
class Prior:
    """Gaussian knowledge from elsewhere: `mean` and `sd` of coefficients by name; absent = none.

    An sd of inf is no prior; a mean without sd is refused. Names that the Gram lacks are ignored, so
    one prior serves many fits. Ridge is mean 0 and a finite sd. `origin`: in words, where each comes from.
    Raises ValueError on sd <= 0.
    """

    mean: Mapping[str, float] = field(default_factory=dict)
    sd: Mapping[str, float] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, sd in self.sd.items():
            if not sd > 0.0:
                raise ValueError(f"the prior of {name} has sd {sd}: above 0 expected")
        if loose := [name for name in self.mean if name not in self.sd]:
            raise ValueError(f"a prior mean without sd: {', '.join(loose)}")

    def arrays(self, names: Sequence[str]) -> tuple[Floats, Floats]:
        """Means and precisions 1/sd^2 (0 where there is no prior), in the order of names."""
        mean = np.array([self.mean.get(name, 0.0) for name in names])
        sd = np.array([self.sd.get(name, np.inf) for name in names])
        return mean, 1.0 / (sd * sd)


NO_PRIOR = Prior()


@dataclass(frozen=True, slots=True)
class Fit:
    """What a Gram says about its coefficients.

    theta (p,) in W per unit; active (p,): above 0 (or free); seen (p,): the column moved or has a
    prior; covariance (p, p): inverse of the penalised Hessian with no coefficient held at 0, so it
    does not pretend that a clipped one is certain (0 in unseen columns, whose `sd` is inf); sandwich
    (p, p) or None: from the scattering of blocks, active set only; residual_variance: of one row at
    weight 1; noise: what the weights were divided by; r2 about the mean; condition_number: of the
    equilibrated design with its priors (2-norm); vif (p,): variance inflation, priors counted; groups:
    what cannot be told apart; how: 0 solved exactly, 1 and 2 see `kernels.nnls`.
    """

    names: tuple[str, ...]
    theta: Floats
    active: Bools
    seen: Bools
    covariance: Floats
    sandwich: Floats | None
    residual_variance: float
    noise: float
    r2: float
    condition_number: float
    vif: Floats
    groups: tuple[Group, ...]
    n: float
    dropped: int
    how: int

    @property
    def sd(self) -> Floats:
        """Standard deviation of each coefficient (the larger of both forms; inf where unseen)."""
        variance = np.diag(self.covariance).copy()
        if self.sandwich is not None:
            variance = np.maximum(variance, np.diag(self.sandwich))
        return np.where(self.seen, np.sqrt(variance), np.inf)

    def coefficients(self) -> dict[str, float]:
        """theta by name, W per unit."""
        return dict(zip(self.names, self.theta.tolist(), strict=True))

    def predict(self, x: npt.ArrayLike) -> Floats:
        """Power in W of rows x (n, p)."""
        answer: Floats = np.asarray(x, dtype=np.float64) @ self.theta
        return answer

    def variance_of(self, x: npt.ArrayLike) -> Floats:
        """Variance in W^2 of the prediction for rows x (n, p) from doubt about theta alone."""
        rows = np.asarray(x, dtype=np.float64)
        matrix = self.covariance if self.sandwich is None else self.sandwich
        answer: Floats = np.einsum("ij,jk,ik->i", rows, matrix, rows)
        return answer


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A block seen by a model that never learned from it: weighted means in W, `bias` = measured - predicted."""

    theta: Floats
    n: float
    mean_measured: float
    mean_predicted: float
    bias: float
    rms: float


@dataclass(frozen=True, slots=True)
class _Solution:
    theta: Floats
    passive: Bools
    noise: float
    residual: float
    freedom: float
    how: int


def fit(
    gram: Gram,
    prior: Prior = NO_PRIOR,
    *,
    free: Collection[str] = (),
    noise: float | None = None,
    blocks: Sequence[Gram] = (),
) -> Fit:
    """Fit all coefficients of `gram`.

    `free`: names whose coefficient may be negative. `noise`: variance of a row at weight 1; None
    estimates it together with theta (1 when weights are true inverse variances). `blocks`: the parts
    that add up to `gram` (programs, stretches of time), for the sandwich covariance.
    Raises NotEnoughData, with the number of rows it needs, when rows are fewer than coefficients
    without a prior.
    """
    found = _solve(gram, prior, free, noise, None)
    precision = prior.arrays(gram.names)[1]
    hessian = gram.xx / found.noise + np.diag(precision)
    seen = np.diag(hessian) > 0.0
    view = spectrum(hessian, seen)
    active = found.passive & seen
    total = gram.zz - gram.z_sum**2 / gram.weight_sum if gram.weight_sum > 0.0 else 0.0
    groups = find_groups(gram, found.theta, view, seen)
    return Fit(
        names=gram.names,
        theta=found.theta,
        active=active,
        seen=seen,
        covariance=view.inverse,
        sandwich=_sandwich(hessian, precision, active, _scores(blocks, gram.names, found)) if len(blocks) > 1 else None,
        residual_variance=found.residual / max(gram.n - found.freedom, 1.0),
        noise=found.noise,
        r2=1.0 - found.residual / total if total > 0.0 else float("nan"),
        condition_number=view.condition,
        vif=view.vif,
        groups=groups,
        n=gram.n,
        dropped=gram.dropped,
        how=found.how,
    )


def _solve(gram: Gram, prior: Prior, free: Collection[str], noise: float | None, start: Bools | None) -> _Solution:
    """theta, with the noise level found by fixed point where it is not given and a prior needs it."""
    xx, xz, zz = gram.xx, gram.xz, gram.zz
    mean, precision = prior.arrays(gram.names)
    _check_enough(gram, np.diag(xx) > 0.0, precision)
    signed = np.array([name in free for name in gram.names], dtype=np.bool_)
    level = noise if noise is not None else zz / max(gram.n, 1.0)
    floor = 1e-14 * zz / max(gram.n, 1.0)
    level = max(level, floor) or 1.0
    passive = np.zeros(len(gram.names), dtype=np.bool_) if start is None else start
    rounds = 1 if noise is not None else NOISE_ROUNDS
    solution = None
    for _ in range(rounds):
        matrix = xx + level * np.diag(precision)
        answer, how = kernels.nnls(matrix, xz + level * precision * mean, signed, passive)
        theta: Floats = np.asarray(answer, dtype=np.float64)
        passive = (theta > 0.0) | signed
        residual = max(zz - 2.0 * float(theta @ xz) + float(theta @ xx @ theta), 0.0)
        freedom = _freedom(xx, matrix, passive)
        solution = _Solution(theta, passive, level, residual, freedom, how)
        if noise is not None:
            break
        fresh = max(residual / max(gram.n - freedom, 1.0), floor) or 1.0
        if abs(fresh - level) <= NOISE_SETTLED * level:
            break
        level = fresh
        if not precision.any():
            solution = _Solution(theta, passive, level, residual, freedom, how)
            break
    assert solution is not None
    return solution


def _check_enough(gram: Gram, moves: Bools, precision: Floats) -> None:
    bare = int(np.count_nonzero(moves & (precision == 0.0)))
    needed = bare + 1
    if gram.n + 1e-9 < needed or gram.n <= 0.0:
        more = int(np.ceil(needed - gram.n))
        raise NotEnoughData(
            f"{gram.n:g} usable rows cannot give {bare} coefficients: {needed} rows are needed, {more} more",
            hint="record longer, or give priors" + (f" ({gram.dropped} rows were dropped)" if gram.dropped else ""),
        )


def _freedom(xx: Floats, matrix: Floats, passive: Bools) -> float:
    """Effective number of coefficients: trace of (penalised Gram)^-1 Gram over the active ones."""
    live = np.flatnonzero(passive & (np.diag(matrix) > 0.0))
    if live.size == 0:
        return 0.0
    block = np.ix_(live, live)
    inverse = np.asarray(kernels.spd_inverse(matrix[block]))
    if not np.isfinite(inverse).all():
        return float(np.linalg.matrix_rank(matrix[block], hermitian=True))
    return float(np.clip(np.sum(inverse * xx[block]), 0.0, live.size))


def _scores(blocks: Sequence[Gram], names: tuple[str, ...], found: _Solution) -> Floats:
    """Gradient of each block's log likelihood at theta, (blocks, p)."""
    parts = [block.extended(names) for block in blocks]
    return np.array([(part.xz - part.xx @ found.theta) / found.noise for part in parts])


def _sandwich(hessian: Floats, precision: Floats, active: Bools, scores: Floats) -> Floats:
    """H^-1 (scatter of block scores + prior) H^-1 over the active coefficients; 0 elsewhere."""
    out = np.zeros_like(hessian)
    live = np.flatnonzero(active)
    if live.size == 0:
        return out
    meat = scores.T @ scores * (len(scores) / (len(scores) - 1.0)) + np.diag(precision)
    inner = np.ix_(live, live)
    bread = spectrum(hessian[inner], np.ones(live.size, dtype=np.bool_)).inverse
    out[inner] = bread @ meat[inner] @ bread
    return out


def leave_block_out(
    blocks: Mapping[str, Gram],
    prior: Prior = NO_PRIOR,
    *,
    free: Collection[str] = (),
    noise: float | None = None,
) -> dict[str, HeldOut]:
    """Each block judged by a fit on all the others; the honest source of intervals.

    Columns are the union over blocks, in the order of first appearance; `HeldOut.theta` follows it.
    What remains without a block is added up from the other blocks, never subtracted from the total,
    so a block that dominates the sum costs no digits. Raises NotEnoughData for fewer than two blocks
    or when the others cannot carry a fit.
    """
    if len(blocks) < 2:
        raise NotEnoughData(f"{len(blocks)} block to leave out: at least 2 are needed")
    names = tuple(dict.fromkeys(name for gram in blocks.values() for name in gram.names))
    parts = [gram.extended(names) for gram in blocks.values()]
    moments = np.stack([part.moments for part in parts])
    empty = np.zeros_like(moments[:1])
    before = np.concatenate((empty, np.cumsum(moments[:-1], axis=0)))
    after = np.concatenate((np.cumsum(moments[:0:-1], axis=0)[::-1], empty))
    rows = sum(part.n for part in parts)
    out: dict[str, HeldOut] = {}
    passive: Bools | None = None
    for k, (label, part) in enumerate(zip(blocks, parts, strict=True)):
        rest = Gram.from_moments(names, before[k] + after[k], rows - part.n)
        found = _solve(rest, prior, free, noise, passive)
        passive = found.passive
        out[label] = _judge(part, found.theta)
    return out


def _judge(part: Gram, theta: Floats) -> HeldOut:
    weight = part.weight_sum
    if not weight > 0.0:
        nan = float("nan")
        return HeldOut(theta, part.n, nan, nan, nan, nan)
    squares = part.zz - 2.0 * float(theta @ part.xz) + float(theta @ part.xx @ theta)
    measured = part.z_sum / weight
    predicted = float(part.x_sum @ theta) / weight
    return HeldOut(theta, part.n, measured, predicted, measured - predicted, float(np.sqrt(max(squares, 0.0) / weight)))


__all__ = ["NO_PRIOR", "Fit", "Group", "HeldOut", "Prior", "Spectrum", "fit", "leave_block_out"]
