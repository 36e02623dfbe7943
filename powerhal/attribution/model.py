"""PowerModel: watts per unit of activity, how sure, learned from what; fit, saved and loaded as `.phm`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

import powerhal
from powerhal.attribution.fit import Fit, Prior, fit
from powerhal.attribution.gram import Gram
from powerhal.attribution.problem import Problem, process_terms
from powerhal.attribution.processes import Split
from powerhal.errors import ModelError, NotEnoughData

Floats = npt.NDArray[np.float64]

SCHEMA = 1
START_RELATIVE, START_FLOOR = 0.03, 0.01  # first guess of the model's error: of the reading, of its mean
ROUNDS = 3
T90 = {4: 2.13, 6: 1.94, 8: 1.86, 12: 1.78, 16: 1.75, 24: 1.71}  # two-sided 90 % of Student's t
BIG_PROCESS = 0.02  # a process with this part of a column's activity gets an efficiency of its own
MOST_PROCESSES = 12
SPREADS = (0.0, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4)
SPREAD_SCALE = 0.2  # half-normal prior of the spread of processes' efficiency


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One learned number: value and 90 % interval in `unit`; `device`, static or dynamic, what kind of term."""

    name: str
    device: str
    kind: str
    static: bool
    unit: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class PowerModel:
    """Coefficients of one board with intervals, conditions, provenance and mergeable statistics.

    theta (q,) in the order of `coefficients`, covariance (q, q); error: (relative, floor in W) of the
    model's own error per window; gram: statistics of all rows, so that models can be merged.
    """

    board: str
    coefficients: tuple[Coefficient, ...]
    covariance: Floats
    r2: float
    condition: float
    windows: int
    error: tuple[float, float]
    spread: Mapping[str, float] = field(default_factory=dict)
    groups: tuple[dict[str, Any], ...] = ()
    conditions: Mapping[str, Any] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    gram: Gram | None = None

    @property
    def theta(self) -> Floats:
        """Values of the coefficients, (q,)."""
        return np.array([c.value for c in self.coefficients])

    def to_json(self) -> dict[str, Any]:
        """Everything as plain JSON."""
        rows = [{name: getattr(c, name) for name in c.__slots__} for c in self.coefficients]
        return {
            "schema": SCHEMA, "board": self.board, "coefficients": rows, "covariance": self.covariance.tolist(),
            "r2": self.r2, "condition": self.condition, "windows": self.windows, "error": list(self.error),
            "spread": dict(self.spread), "groups": list(self.groups), "conditions": dict(self.conditions),
            "provenance": dict(self.provenance), "statistics": self.gram.to_json() if self.gram else None,
        }  # fmt: skip

    def save(self, path: str | Path) -> None:
        """Write a `.phm` file (JSON)."""
        Path(path).write_text(json.dumps(self.to_json(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a `.phm` file; raises ModelError when it is none."""
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as fault:
            raise ModelError(f"{path} cannot be read as a model: {fault}") from fault
        return cls.from_json(data, str(path))

    @classmethod
    def from_json(cls, data: Any, where: str = "model") -> Self:
        """The model that `to_json` wrote; raises ModelError naming what is wrong."""
        try:
            if data["schema"] != SCHEMA:
                raise ModelError(f"{where} has schema {data['schema']}; this version reads {SCHEMA}")
            rows = tuple(Coefficient(**row) for row in data["coefficients"])
            covariance = np.asarray(data["covariance"], dtype=np.float64).reshape(len(rows), len(rows))
            values = np.array([[c.value, c.low, c.high] for c in rows], dtype=np.float64)
            if not (np.isfinite(values).all() and np.isfinite(covariance).all()):
                raise ModelError(f"{where} holds a number that is not finite")
            return cls(
                str(data["board"]), rows, covariance, float(data["r2"]), float(data["condition"]),
                int(data["windows"]), (float(data["error"][0]), float(data["error"][1])), dict(data["spread"]),
                tuple(data["groups"]), dict(data["conditions"]), dict(data["provenance"]),
                Gram.from_json(data["statistics"]) if data.get("statistics") else None,
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, IndexError) as fault:
            if isinstance(fault, ModelError):
                raise
            raise ModelError(f"{where} is not a powerhal model: {fault!r}") from fault


@dataclass(frozen=True, slots=True)
class Learned:
    """A fit of one problem: the problem with its process terms, theta (q,), covariance (q, q), error model."""

    problem: Problem
    theta: Floats
    covariance: Floats
    fit: Fit
    error: tuple[float, float]
    spread: dict[str, float]
    degrees: int
    gram: Gram


def learn(problem: Problem, paid: Mapping[int, Split]) -> Learned:
    """Fit all rails at once; `paid` says by term index who pays for dynamic columns.

    Raises NotEnoughData when the windows are too few for the coefficients.
    """
    usable = int(problem.usable.sum())
    needed = len(problem.terms) + 2
    if usable < needed:
        raise NotEnoughData(
            f"{usable} usable windows cannot give {len(problem.terms)} coefficients: {needed - usable} more are needed",
            hint="record longer, or use a model that was learned before (--model FILE)",
        )
    weights = _weights(problem, problem.target, (START_RELATIVE, START_FLOOR))
    error = (START_RELATIVE, START_FLOOR)
    found = fit(problem.gram(weights), problem.prior)
    for _ in range(ROUNDS - 1):
        error = _error_model(problem, found.theta)
        weights = _weights(problem, problem.predict(found.theta), error)
        found = fit(problem.gram(weights), problem.prior)
    problem, spread = _with_process_terms(problem, paid, found, weights)
    blocks = [problem.gram(weights, problem.block == b) for b in range(int(problem.block.max()) + 1)]
    whole = problem.gram(weights)
    free = [t.name for t in problem.terms if t.kind == "process"]
    found = fit(whole, problem.prior, free=free, blocks=blocks)
    covariance = _robust(problem, found, blocks)
    return Learned(problem, found.theta, covariance, found, error, spread, len(blocks) - 1, whole)


def _weights(problem: Problem, expected: Floats, error: tuple[float, float]) -> Floats:
    """1 / variance of every row: the sensor's noise and the model's own error."""
    mean = np.array([
        float(np.mean(problem.target[fine, r] / problem.design.seconds[fine])) if fine.any() else 1.0
        for r, fine in enumerate(problem.usable.T)
    ])  # fmt: skip
    floor = error[1] * mean * problem.design.seconds[:, None]
    variance = problem.noise_j2 + (error[0] * np.maximum(expected, 0.0)) ** 2 + floor**2
    out: Floats = 1.0 / np.maximum(variance, 1e-18)
    return out


def _error_model(problem: Problem, theta: Floats) -> tuple[float, float]:
    """Relative and constant part of the residual (per window), from squared residuals, >= 0.2 % each."""
    expected = problem.predict(theta)
    squares, relative, constant = [], [], []
    for r, fine in enumerate(problem.usable.T):
        if not fine.any():
            continue
        mean = float(np.mean(problem.target[fine, r] / problem.design.seconds[fine]))
        scale = mean * problem.design.seconds[fine]
        squares.append(((problem.target[fine, r] - expected[fine, r]) ** 2 - problem.noise_j2[fine, r]) / scale**2)
        relative.append((expected[fine, r] / scale) ** 2)
        constant.append(np.ones(int(fine.sum())))
    y = np.clip(np.concatenate(squares), 0.0, None)
    # Squared residuals have heavy tails: a few large ones must not set the weights of all.
    y = np.minimum(y, 20.0 * max(float(np.median(y)), 1e-12))
    a = np.column_stack((np.concatenate(relative), np.concatenate(constant)))
    gram = Gram(("relative", "constant")).add_rows(a, y, 1.0 / (a.sum(axis=1) ** 2))
    found = fit(gram, Prior())
    least = 0.002
    return max(float(np.sqrt(found.theta[0])), least), max(float(np.sqrt(found.theta[1])), least)


def _robust(problem: Problem, found: Fit, blocks: list[Gram]) -> Floats:
    """Covariance of theta from the scatter of blocks and the priors (sandwich), clipped terms included."""
    mean, precision = problem.prior.arrays(found.names)
    scores = np.stack([(b.xz - b.xx @ found.theta) / found.noise for b in blocks])
    scores -= scores.mean(axis=0)
    count = len(blocks)
    meat = scores.T @ scores * (count / (count - 1.0)) + np.diag(precision)
    out: Floats = found.covariance @ meat @ found.covariance
    return 0.5 * (out + out.T)


def _with_process_terms(
    problem: Problem, paid: Mapping[int, Split], found: Fit, weights: Floats
) -> tuple[Problem, dict[str, float]]:
    """Give large processes an efficiency of their own; its spread is the most probable one."""
    windows = problem.design.seconds.size
    terms, columns, size = [], [], {}
    for k, split in paid.items():
        theta = float(found.theta[k])
        if theta <= 0:
            continue
        column = problem.x[:, k]
        energy = split.energy(column, int(split.process.max(initial=0)) + 1)
        order = np.argsort(energy)[::-1][:MOST_PROCESSES]
        large = [int(p) for p in order if energy[p] > BIG_PROCESS * column.sum()]
        if len(large) < 2:
            continue
        new, x = process_terms(problem, k, split, large, windows)
        terms += new
        columns.append(x)
        size.update({t.name: theta for t in new})
    if not terms:
        return problem, {}
    x = np.column_stack(columns)
    best, best_score, chosen = problem, -np.inf, 0.0
    for spread in SPREADS:
        trial = problem if spread == 0 else problem.with_processes(terms, x, {n: spread * s for n, s in size.items()})
        score = _evidence(trial, weights) - 0.5 * (spread / SPREAD_SCALE) ** 2
        if score > best_score:
            best, best_score, chosen = trial, score, spread
    return best, {"processes": chosen}


def _evidence(problem: Problem, weights: Floats) -> float:
    """Log of the probability of the data under the priors (all terms Gaussian, noise level integrated out)."""
    gram = problem.gram(weights)
    mean, precision = problem.prior.arrays(gram.names)
    n = gram.n
    noise = fit(gram, problem.prior, free=[t.name for t in problem.terms if t.kind == "process"]).noise
    hessian = gram.xx / noise + np.diag(precision)
    right = gram.xz / noise + precision * mean
    scale = 1.0 / np.sqrt(np.diag(hessian))
    sign, logdet = np.linalg.slogdet(hessian * scale[:, None] * scale)
    solution = scale * np.linalg.solve(hessian * scale[:, None] * scale, scale * right)
    quadratic = gram.zz / noise + float(precision @ mean**2) - float(right @ solution)
    entropy = float(np.sum(np.log(precision)) + 2 * np.sum(np.log(scale))) - logdet
    return 0.5 * (entropy - quadratic - n * float(np.log(noise)))


def apply(model: PowerModel, problem: Problem) -> Learned:
    """A problem with coefficients that were learned elsewhere; raises ModelError when none of them fits.

    Converters are a property of the board: they come from the model where it has them, else from priors.
    """
    place = {c.name: k for k, c in enumerate(model.coefficients)}
    mean, precision = problem.prior.arrays(problem.names)
    known = np.array([t.name in place for t in problem.terms], dtype=np.bool_)
    activities = [t for t, k in zip(problem.terms, known, strict=True) if k and t.kind == "activity"]
    if not activities:
        raise ModelError(
            f"the model of board {model.board!r} knows none of this recording's activities",
            hint="learn a model from a recording of this board (--save-model)",
        )
    picked = [place[t.name] for t, k in zip(problem.terms, known, strict=True) if k]
    losses = np.array([t.kind in ("converter", "conduction") for t in problem.terms], dtype=np.bool_)
    theta = np.where(losses, mean, 0.0)
    theta[known] = model.theta[picked]
    covariance = np.diag(np.where(losses & ~known, 1.0 / np.maximum(precision, 1e-300), 0.0))
    covariance[np.ix_(known, known)] = model.covariance[np.ix_(picked, picked)]
    weights = _weights(problem, np.maximum(problem.predict(theta), 0.0), model.error)
    gram = problem.gram(weights)
    seen = fit(gram, problem.prior)
    return Learned(problem, theta, covariance, seen, model.error, dict(model.spread), 24, gram)


def model_of(learned: Learned, recording: Any) -> PowerModel:
    """The saveable model of a fit, with where and how it was learned."""
    problem = learned.problem
    keep = [k for k, t in enumerate(problem.terms) if t.kind != "process"]
    sd = np.sqrt(np.diag(learned.covariance))
    t90 = student90(learned.degrees)
    rows = []
    for k in keep:
        term = problem.terms[k]
        value = float(learned.theta[k])
        column = term.column
        rail = problem.design.rail_names[term.child] if term.child >= 0 else ""
        rows.append(
            Coefficient(
                term.name, column.device if column else rail, term.kind, bool(column and column.static),
                column.unit if column else ("W/W" if term.kind == "converter" else "1/W"),
                value, max(0.0, value - t90 * float(sd[k])), value + t90 * float(sd[k]),
            )
        )  # fmt: skip
    groups = tuple(
        {"names": list(g.names), "kind": g.kind, "mean_w": _per_second(problem, g.names, learned.theta), "text": g.reason}
        for g in learned.fit.groups
    )
    meta = getattr(recording, "meta", {})
    design = problem.design
    return PowerModel(
        board=design.topology.board,
        coefficients=tuple(rows),
        covariance=learned.covariance[np.ix_(keep, keep)],
        r2=float(learned.fit.r2),
        condition=float(learned.fit.condition_number),
        windows=int(design.seconds.size),
        error=learned.error,
        spread=learned.spread,
        groups=groups,
        conditions={
            "duration_s": float(design.seconds.sum()),
            "celsius": dict(design.celsius),
            "rails": {r.rail: {"way": r.way, "channels": list(r.channels), "accuracy": r.accuracy} for r in design.rails},
        },
        provenance={
            "powerhal": powerhal.__version__,
            "board_sha256": str(meta.get("board_sha256", "")),
            "recorded": meta.get("started", ""),
        },
        gram=learned.gram,
    )


def _per_second(problem: Problem, names: tuple[str, ...], theta: Floats) -> float:
    """Mean watts that these terms draw together."""
    picked = [k for k, t in enumerate(problem.terms) if t.name in names]
    return float((problem.x[:, picked] @ theta[picked]).sum() / problem.design.seconds.sum())


def student90(degrees: int) -> float:
    """Two-sided 90 % quantile of Student's t (tabulated, straight lines in between)."""
    at = sorted(T90)
    return float(np.interp(degrees, at, [T90[k] for k in at])) if degrees <= at[-1] else 1.66
