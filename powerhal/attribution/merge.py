"""Several recordings' models as one: their statistics add up, and the sum is fitted as if it were one recording.

What one recording says of a process (a program's own efficiency) is its own; it is integrated out, not lost.
Older recordings may weigh less: half for every half-life of age.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.attribution.fitting.fit import Fit, Prior, fit
from powerhal.attribution.fitting.gram import Gram
from powerhal.attribution.fitting.priors import from_rows, rows_of
from powerhal.attribution.fitting.streaming import weight_after
from powerhal.attribution.model import MODEL_DEGREES, Coefficient, PowerModel
from powerhal.attribution.uncertainty import student90
from powerhal.errors import ModelError, UsageError

Floats = npt.NDArray[np.float64]

LEAST_SD = 1e-3  # of a process's efficiency: with none at all it has no column


def merge(models: Sequence[PowerModel], *, half_life_s: float | None = None) -> PowerModel:
    """One model from the statistics of several of the same board.

    `half_life_s`: a model that is so much older than the newest weighs half; None: all weigh alike. The result is
    the fit of all rows together, each with the weight its own recording gave it. Raises UsageError for fewer than
    two, ModelError when they are of different boards, one has no statistics, or one recording stands twice.
    """
    if len(models) < 2:
        raise UsageError(f"{len(models)} model to merge: at least 2 are needed")
    boards = {m.board for m in models}
    if len(boards) > 1:
        raise ModelError(
            f"models of different boards cannot be one: {', '.join(sorted(boards))}",
            hint="attribute --prior MODEL.phm lets one board's model inform another's",
        )
    factors = _factors([_recorded_s(m) for m in models], half_life_s)
    parts = [statistics(m).scaled(f) for m, f in zip(models, factors, strict=True)]
    if _repeated(models):
        raise ModelError(
            "one recording stands twice among the models: its windows would count twice",
            hint="name each model once; a merged model holds the recordings that it was made from",
        )
    prior = _prior(models)
    newest = models[int(np.argmax(factors))]
    rows = {c.name: c for m in models for c in m.coefficients}
    free = [c.name for c in rows.values() if c.kind == "constant"]
    together = sum(parts[1:], parts[0])
    found = fit(together, prior, free=free)
    covariance = _covariance(models, factors, parts, prior, found)
    sd, t90 = np.sqrt(np.diag(covariance)), student90(MODEL_DEGREES * len(models))
    coefficients = tuple(
        _row(rows[name], float(value), t90 * float(s))
        for name, value, s in zip(found.names, found.theta, sd, strict=True)
    )
    return replace(
        newest,
        coefficients=coefficients,
        covariance=covariance,
        r2=float(found.r2),
        condition=float(found.condition_number),
        windows=sum(m.windows for m in models),
        error=_errors(models),
        groups=(),
        provenance={
            **newest.provenance,
            "noise": float(found.noise),
            "priors": rows_of(prior, found.names),
            "merged": [
                {"recorded": m.provenance.get("recorded"), "windows": m.windows, "weight": f}
                for m, f in zip(models, factors, strict=True)
            ],
            **({"half_life_s": half_life_s} if half_life_s else {}),
        },
        gram=together,
    )


def _repeated(models: Sequence[PowerModel]) -> bool:
    """Whether two of the models hold the very same sums."""
    sums = [m.gram.moments.tobytes() for m in models if m.gram is not None]
    return len(set(sums)) < len(sums)


def statistics(model: PowerModel) -> Gram:
    """The model's statistics over its coefficients, what single processes draw integrated out.

    A process's efficiency is 0 within its spread; with noise s^2 the rest is X'X - X'P (P'P + s^2/sd^2)^-1 P'X, for
    the measurement alike (Gaussian, so nothing is lost). Raises ModelError when the model has no statistics.
    """
    if model.gram is None:
        raise ModelError(
            f"the model of board {model.board} has no statistics: it cannot be merged",
            hint="learn it again with attribute --save-model",
        )
    gram, names = model.gram, [c.name for c in model.coefficients]
    if missing := [n for n in names if n not in gram.names]:
        raise ModelError(f"the statistics of board {model.board} lack {', '.join(missing)}")
    rest = [k for k, n in enumerate(gram.names) if n not in set(names)]
    if not rest:
        return gram.select(names)
    noise = float(model.provenance.get("noise", 1.0)) or 1.0
    value = {c.name: c.value for c in model.coefficients}
    spread = max(float(model.spread.get("processes") or 0.0), LEAST_SD)
    sd = np.array([max(spread * abs(value.get(gram.names[k].rsplit(" / ", 1)[0], 0.0)), 1e-300) for k in rest])
    keep = [gram.names.index(n) for n in names] + [len(gram.names), len(gram.names) + 1]
    moments = gram.moments
    across = moments[np.ix_(rest, keep)] * sd[:, None]
    inner = moments[np.ix_(rest, rest)] * sd[:, None] * sd + noise * np.eye(len(rest))
    left = moments[np.ix_(keep, keep)] - across.T @ np.linalg.solve(inner, across)
    return Gram.from_moments(names, 0.5 * (left + left.T), gram.n, gram.dropped)


def _factors(recorded_s: Sequence[float], half_life_s: float | None) -> list[float]:
    """Weight of each model by its age against the newest, (0, 1]; those without a date count as the oldest."""
    if half_life_s is None:
        return [1.0] * len(recorded_s)
    if not half_life_s > 0.0:
        raise UsageError(f"a half-life of {half_life_s:g} s makes no sense: above 0 expected")
    known = [t for t in recorded_s if np.isfinite(t)]
    if not known:
        raise ModelError("no model says when it was recorded: age cannot weigh them", hint="leave the half-life out")
    return [weight_after(max(known) - (t if np.isfinite(t) else min(known)), half_life_s) for t in recorded_s]


def _recorded_s(model: PowerModel) -> float:
    """Unix time at which the model's recording was started; NaN when it does not say."""
    started: Any = model.provenance.get("recorded")
    if isinstance(started, Mapping) and started.get("real_ns") is not None:
        return float(started["real_ns"]) / 1e9
    return float("nan")


def _prior(models: Sequence[PowerModel]) -> Prior:
    """What was known before any of them: per coefficient the least sure of their priors."""
    mean: dict[str, float] = {}
    sd: dict[str, float] = {}
    origin: dict[str, str] = {}
    for model in models:
        try:
            given = from_rows(model.provenance.get("priors") or [])
        except (KeyError, TypeError, ValueError) as fault:
            raise ModelError(f"the priors of board {model.board} cannot be read: {fault!r}") from fault
        for name in given.sd:
            if given.sd[name] > sd.get(name, 0.0):
                mean[name], sd[name] = given.mean[name], given.sd[name]
                origin[name] = given.origin[name]
    return Prior(mean, sd, origin)


def _covariance(
    models: Sequence[PowerModel], factors: Sequence[float], parts: Sequence[Gram], prior: Prior, found: Fit
) -> Floats:
    """Sandwich of the union: every model's own scatter is what its covariance says about its information."""
    names = found.names
    place = {n: k for k, n in enumerate(names)}
    _, precision = prior.arrays(names)
    information = np.diag(precision)
    meat = np.diag(precision)
    for model, factor, part in zip(models, factors, parts, strict=True):
        mine = [place[n] for n in part.names]
        inner = np.ix_(mine, mine)
        own = part.xx / found.noise
        information[inner] += own
        alone = own / max(factor, 1e-300) + np.diag(precision[mine])
        scatter = alone @ model.covariance @ alone - np.diag(precision[mine])
        values, ways = np.linalg.eigh(0.5 * (scatter + scatter.T))
        meat[inner] += factor**2 * ((ways * np.maximum(values, 0.0)) @ ways.T)
    scale = 1.0 / np.sqrt(np.maximum(np.diag(information), 1e-300))
    bread = np.linalg.pinv(information * scale[:, None] * scale, rcond=1e-12, hermitian=True) * scale[:, None] * scale
    out = bread @ meat @ bread
    return np.asarray(0.5 * (out + out.T), dtype=np.float64)


def _errors(models: Sequence[PowerModel]) -> dict[str, tuple[float, float]]:
    """Each rail's error in a window: root mean square over the models, by their windows."""
    out = {}
    for rail in dict.fromkeys(r for m in models for r in m.error):
        mine = [(m.windows, *m.error[rail]) for m in models if rail in m.error]
        total = max(sum(w for w, _, _ in mine), 1)
        out[rail] = (
            float(np.sqrt(sum(w * a * a for w, a, _ in mine) / total)),
            float(np.sqrt(sum(w * b * b for w, _, b in mine) / total)),
        )
    return out


def _row(row: Coefficient, value: float, half: float) -> Coefficient:
    return replace(row, value=value, low=max(0.0, value - half), high=value + half)
