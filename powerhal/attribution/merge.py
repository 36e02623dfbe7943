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

from powerhal.attribution.fitting import sandwich
from powerhal.attribution.fitting.fit import Fit, Prior, fit
from powerhal.attribution.fitting.gram import Gram
from powerhal.attribution.fitting.priors import from_rows, rows_of
from powerhal.attribution.fitting.streaming import weight_after
from powerhal.attribution.model import MODEL_DEGREES, Coefficient, PowerModel
from powerhal.attribution.uncertainty import student90
from powerhal.errors import ModelError, UsageError

Floats = npt.NDArray[np.float64]

CHANCE = 1.645  # standard deviations of a sum of squares that chance exceeds in one of twenty cases
LEAST_FREEDOM = 0.5  # with less in common models cannot contradict each other
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
    together = sum(parts[1:], parts[0])
    found = fit(together, prior, free=_free(models))
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
    noise = _noise(model)
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
    """Sandwich of the union, within theta >= 0 as in a single fit.

    A model's covariance was cut at 0 and cannot be turned back into the scores that it came from (turning it back once
    made intervals of two runs ten times wider than those of one). What it does tell is how much more its stretches of
    time scatter than independent windows would: one number, which a single fit pulls its scatter towards as well. Its
    information counts with that, and with what the models contradict each other beyond it.
    """
    live = np.flatnonzero(found.seen)
    inner = np.ix_(live, live)
    place = {n: k for k, n in enumerate(found.names)}
    precision = np.diag(prior.arrays(found.names)[1])
    information, meat = precision.copy(), precision.copy()
    spread = [_overdispersion(m, part, f) for m, f, part in zip(models, factors, parts, strict=True)]
    apart = np.sqrt(_contradictions(models, parts, prior, found, spread))
    for model, factor, part, scatter in zip(models, factors, parts, spread, strict=True):
        mine = [place[n] for n in part.names]
        own = part.xx / found.noise
        information[np.ix_(mine, mine)] += own
        each = own * apart[mine] * apart[mine][:, None]
        meat[np.ix_(mine, mine)] += factor * scatter * (_noise(model) / found.noise) * each
    half = sandwich.half_inverse(information[inner])
    root = half.T @ sandwich.root_of(half @ meat[inner] @ half.T)
    free = np.array([name in _free(models) for name in found.names], dtype=np.bool_)[live]
    moved = sandwich.moved_within(information[inner], found.theta[live], root, free)
    out = np.zeros_like(information)
    out[inner] = moved.T @ moved / len(moved)
    return np.asarray(0.5 * (out + out.T), dtype=np.float64)


def _overdispersion(model: PowerModel, part: Gram, factor: float) -> float:
    """Variance of the model's coefficients over that of independent windows, mean over the directions it learned."""
    own, data = from_rows(model.provenance.get("priors") or []), part.xx / (factor * _noise(model))
    learned = _learned(data, own, part.names)
    known = len(part.names) - learned
    seen = float(np.sum(model.covariance * _with_prior(data, own, part.names)))
    return max(1.0, (seen - known) / max(learned, 1e-9))


def _contradictions(
    models: Sequence[PowerModel], parts: Sequence[Gram], prior: Prior, found: Fit, spread: Sequence[float]
) -> Floats:
    """Of each coefficient of the union: how much more the models contradict each other in its device than their own
    scatter and chance explain, variance over variance, at least 1.

    Coefficients that are held at 0 do not count, and the others only as far as they were learned, not known from
    priors: what all models learned less what the union learned is what they can contradict each other in.
    """
    place = {n: k for k, n in enumerate(found.names)}
    owner = {c.name: c.device for m in models for c in m.coefficients}
    active = {n for n, yes in zip(found.names, found.active, strict=True) if yes}
    square: dict[str, float] = {}
    learned: dict[str, float] = {}

    def add(part: Gram, noise: float, scatter: float, sign: float) -> None:
        rest = part.xz - part.xx @ found.theta[[place[n] for n in part.names]]
        for device in dict.fromkeys(owner[n] for n in part.names):
            at = [k for k, n in enumerate(part.names) if owner[n] == device and n in active]
            names, data = [part.names[k] for k in at], part.xx[np.ix_(at, at)] / noise
            if at and data.any():
                upright = sandwich.half_inverse(_with_prior(data, prior, names)) @ (rest[at] / noise)
                square[device] = square.get(device, 0.0) + (sign > 0) * float(upright @ upright) / scatter
                learned[device] = learned.get(device, 0.0) + sign * _learned(data, prior, names)

    for model, part, scatter in zip(models, parts, spread, strict=True):
        add(part, _noise(model), scatter, 1.0)
    add(sum(parts[1:], parts[0]), found.noise, 1.0, -1.0)
    ratio = {device: _beyond_chance(square[device], learned[device]) for device in square}
    return np.array([ratio.get(owner[n], 1.0) for n in found.names])


def _beyond_chance(square: float, freedom: float) -> float:
    if freedom < LEAST_FREEDOM:
        return 1.0
    return max(1.0, (square - CHANCE * float(np.sqrt(2.0 * freedom))) / freedom)


def _with_prior(information: Floats, prior: Prior, names: Sequence[str]) -> Floats:
    out: Floats = information + np.diag(prior.arrays(names)[1])
    return out


def _learned(information: Floats, prior: Prior, names: Sequence[str]) -> float:
    """How many of the coefficients were learned from data, the rest being known from priors."""
    half = sandwich.half_inverse(_with_prior(information, prior, names))
    return float(np.sum((half.T @ half) * information))


def _noise(model: PowerModel) -> float:
    return float(model.provenance.get("noise", 1.0)) or 1.0


def _free(models: Sequence[PowerModel]) -> set[str]:
    """Names of coefficients that may be below 0."""
    return {c.name for m in models for c in m.coefficients if c.kind == "constant"}


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
