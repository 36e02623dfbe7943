"""Intervals for programs that were never seen: how far programs are off, and rows inside a program.

Residuals come from programs that were left out of the fit. Each program's mean log ratio
measured / predicted is its bias; biases are few, so their spread is a Student t scaled by the pooled
variance of the biases and of a prior worth a few programs. What varies inside a program is taken as found,
every program with the same weight. An interval is a quantile of bias + inside, both drawn independently.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from powerhal.attribution.evaluation.table import Floats, Integers

PRIOR_BIAS = 0.04
PRIOR_PROGRAMS = 3.0
DRAWS = 20_000
SEED = 20_170


@dataclass(frozen=True, slots=True)
class Interval:
    """Factors (low < 1 < high) from a prediction to the ends of its interval."""

    low: float
    high: float


def interval(log_ratios: Floats, program: Integers, level: float = 0.90) -> Interval:
    """Interval factors at `level` from left-out residuals: ln(measured / predicted) (n,) of programs (n,).

    Without residuals the prior alone speaks. The same data always give the same interval.
    """
    random = np.random.default_rng(SEED)
    counts = np.bincount(program) if program.size else np.zeros(0, dtype=np.int64)
    present = np.flatnonzero(counts)
    bias = np.bincount(program, log_ratios)[present] / counts[present] if present.size else np.zeros(0)
    freedom = PRIOR_PROGRAMS + bias.size
    variance = (PRIOR_PROGRAMS * PRIOR_BIAS**2 + float(bias @ bias)) / freedom
    draws = random.standard_t(freedom, DRAWS) * np.sqrt(variance)
    if present.size:
        draws += _inside(log_ratios, program, random)
    low, high = np.quantile(draws, ((1.0 - level) / 2.0, (1.0 + level) / 2.0))
    return Interval(float(np.exp(low)), float(np.exp(high)))


def _inside(log_ratios: Floats, program: Integers, random: np.random.Generator) -> Floats:
    """Draws of what varies inside a program: a program by equal chance, then one of its rows."""
    order = np.argsort(program, kind="stable")
    counts = np.bincount(program)
    centred = log_ratios - (np.bincount(program, log_ratios) / np.maximum(counts, 1))[program]
    present = np.flatnonzero(counts)
    starts = np.concatenate(([0], np.cumsum(counts)))
    chosen = random.choice(present, DRAWS)
    rows = starts[chosen] + (random.random(DRAWS) * counts[chosen]).astype(np.int64)
    return np.asarray(centred[order][rows], dtype=np.float64)
