"""PowerModel: watts per unit of activity, how sure, learned from what; fit, saved and loaded as `.phm`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

import powerhal
from powerhal.attribution.fitting import sandwich
from powerhal.attribution.fitting.drift_notes import drifts
from powerhal.attribution.fitting.fit import Fit, fit
from powerhal.attribution.fitting.gram import Gram
from powerhal.attribution.fitting.priors import rows_of
from powerhal.attribution.fitting.problem import COMPUTING, Problem, process_terms
from powerhal.attribution.observed.processes import Split
from powerhal.attribution.uncertainty import student90
from powerhal.errors import ModelError, NotEnoughData

Floats = npt.NDArray[np.float64]

SCHEMA = 1
WRITE_ONE = "learn one with: powerhal attribute RUN.phr --save-model FILE.phm"
START_RELATIVE, START_FLOOR = 0.03, 0.01  # first guess of the model's error: of the reading, of its mean
ROUNDS = 3
ERROR_ROUNDS = 12
TAILS = 4.0  # residuals are taken for Student's t with so many degrees: a strange window must not rule
ERROR_WINDOWS = 8  # fewer windows say nothing about a rail's error
MODEL_DEGREES = 24  # of a model from elsewhere: its intervals are its own
LEAST = 0.001  # no model is better than this, relative
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

    theta (q,) in the order of `coefficients`, covariance (q, q); error: per measured rail, the model's own
    error in a window (relative to each device's dynamic energy, and a floor in W); gram: statistics of all
    rows, so that models can be merged.
    """

    board: str
    coefficients: tuple[Coefficient, ...]
    covariance: Floats
    r2: float
    condition: float
    windows: int
    error: Mapping[str, tuple[float, float]]
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
            "r2": self.r2, "condition": self.condition, "windows": self.windows,
            "error": {k: list(v) for k, v in self.error.items()},
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
        except OSError as fault:
            raise ModelError(f"{path}: {fault.strerror}", hint=WRITE_ONE) from fault
        except ValueError as fault:
            raise ModelError(f"{path} is not JSON, so it is no model: {fault}", hint=WRITE_ONE) from fault
        return cls.from_json(data, str(path))

    @classmethod
    def from_json(cls, data: Any, where: str = "model") -> Self:
        """The model that `to_json` wrote; raises ModelError naming what is wrong."""
        try:
            if not isinstance(data, dict) or not {"schema", "coefficients", "covariance"} <= data.keys():
                raise ModelError(f"{where} is not a powerhal model: it has no coefficients", hint=WRITE_ONE)
            if data["schema"] != SCHEMA:
                raise ModelError(f"{where} has schema {data['schema']}; this version reads {SCHEMA}", hint=WRITE_ONE)
            rows = tuple(Coefficient(**row) for row in data["coefficients"])
            covariance = np.asarray(data["covariance"], dtype=np.float64).reshape(len(rows), len(rows))
            values = np.array([[c.value, c.low, c.high] for c in rows], dtype=np.float64)
            if not (np.isfinite(values).all() and np.isfinite(covariance).all()):
                raise ModelError(f"{where} holds a number that is not finite", hint=WRITE_ONE)
            return cls(
                str(data["board"]), rows, covariance, float(data["r2"]), float(data["condition"]),
                int(data["windows"]), {str(k): (float(v[0]), float(v[1])) for k, v in data["error"].items()},
                dict(data["spread"]),
                tuple(data["groups"]), dict(data["conditions"]), dict(data["provenance"]),
                Gram.from_json(data["statistics"]) if data.get("statistics") else None,
            )  # fmt: skip
        except (KeyError, TypeError, ValueError, IndexError) as fault:
            if isinstance(fault, ModelError):
                raise
            what = f"{fault} is missing" if isinstance(fault, KeyError) else str(fault)
            raise ModelError(f"{where} is a damaged model: {what}", hint=WRITE_ONE) from fault


@dataclass(frozen=True, slots=True)
class Learned:
    """A fit of one problem: the problem with its process terms, theta (q,), covariance (q, q).

    error (r, 2): the model's own error of each rail in a window, relative to each device's dynamic
    energy, and a floor in W; degrees: of freedom of the covariance (blocks less one).
    """

    problem: Problem
    theta: Floats
    covariance: Floats
    fit: Fit
    error: Floats
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
    error = _first_error(problem)
    weights = _weights(problem, None, error)
    found = fit(problem.gram(weights), problem.prior, free=problem.free)
    for _ in range(ROUNDS - 1):
        error = _error_model(problem, found.theta)
        problem = _calibrated(problem, found.theta, error)
        weights = _weights(problem, found.theta, error)
        found = fit(problem.gram(weights), problem.prior, free=problem.free)
    problem, spread = _with_process_terms(problem, paid, found, weights)
    blocks = [problem.gram(weights, problem.block == b) for b in range(int(problem.block.max()) + 1)]
    whole = problem.gram(weights)
    found = fit(whole, problem.prior, free=problem.free, blocks=blocks)
    covariance = sandwich.covariance(problem, found, blocks, weights)
    return Learned(problem, found.theta, covariance, found, error, spread, len(blocks) - 1, whole)


def _calibrated(problem: Problem, theta: Floats, error: Floats) -> Problem:
    """The same problem with each lower rail's energy as a regressor freed of its sensor's noise.

    Noise in a regressor pulls its coefficient (1 / efficiency) towards 0. What stands in the column instead
    is what is expected of the rail given its reading and its own model: regression calibration (Carroll et
    al., Measurement Error in Nonlinear Models, ch. 4).
    """
    x = problem.columns.copy()
    expected, squares = problem.predict(theta), dynamic_squares(problem, theta)
    seconds, swings = problem.design.seconds, problem.design.swings()
    for k, term in enumerate(problem.terms):
        if term.child < 0:
            continue
        c = term.child
        own = error[c, 0] ** 2 * squares[:, c] + (error[c, 1] * seconds) ** 2
        trust = own / np.maximum(own + problem.noise_j2[:, c], 1e-30)
        energy = expected[:, c] + trust * (problem.target[:, c] - expected[:, c])
        x[:, k] = energy if term.kind == "converter" else energy**2 / seconds * swings[:, c]
    if problem.sharp is None:
        return replace(problem, x=x)
    seen = problem.x.copy()
    below = [k for k, term in enumerate(problem.terms) if term.child >= 0]
    seen[:, below] = problem.shown(x[:, below], [problem.terms[k] for k in below])
    return replace(problem, x=seen, sharp=x)


def _first_error(problem: Problem) -> Floats:
    """A first guess of each rail's error: START_RELATIVE of the reading, START_FLOOR of its mean."""
    out = np.full((problem.target.shape[1], 2), START_RELATIVE)
    for r, fine in enumerate(problem.usable.T):
        mean = float(np.mean(problem.target[fine, r] / problem.design.seconds[fine])) if fine.any() else 1.0
        out[r, 1] = START_FLOOR * mean
    return out


def _weights(problem: Problem, theta: Floats | None, error: Floats) -> Floats:
    """1 / variance of every row: the sensor's noise and the model's own error."""
    floor = error[:, 1] * problem.design.seconds[:, None]
    square = problem.target**2 if theta is None else dynamic_squares(problem, theta)
    variance = problem.noise_j2 + error[:, 0] ** 2 * square + floor**2
    variance = np.maximum(variance, 1e-18)
    if theta is None:
        return np.asarray(1.0 / variance)
    residual = problem.target - problem.predict(theta)
    return np.asarray(_doubtful(residual**2 / variance) / variance)


def _doubtful(square: Floats) -> Floats:
    """Weight of a window whose squared residual is `square` times the usual: 5/4 down to 0 (Lange et al. 1989)."""
    out: Floats = (TAILS + 1.0) / (TAILS + square)
    return out


def dynamic_squares(problem: Problem, theta: Floats) -> Floats:
    """Sum over devices (and rails below) of their squared dynamic energy in each window (n, r), J^2."""
    out = np.zeros_like(problem.target)
    for rail in range(out.shape[1]):
        for group in problem.dynamic_groups(rail):
            out[:, rail] += (problem.x[:, group] @ theta[group]) ** 2
    return out


def _error_model(problem: Problem, theta: Floats) -> Floats:
    """Relative and constant part of each rail's residual (r, 2), from its squares, not below LEAST."""
    squares, expected = dynamic_squares(problem, theta), problem.predict(theta)
    out = _first_error(problem)
    for r, fine in enumerate(problem.usable.T):
        if np.count_nonzero(fine) < ERROR_WINDOWS:
            continue
        seconds = problem.design.seconds[fine]
        mean = float(np.mean(problem.target[fine, r] / seconds))
        y = ((problem.target[fine, r] - expected[fine, r]) ** 2 - problem.noise_j2[fine, r]) / seconds**2
        y = np.maximum(y, 0.0)
        a = np.column_stack((squares[fine, r] / seconds**2, np.ones(seconds.size)))
        usual = a @ out[r] ** 2
        for _ in range(ERROR_ROUNDS):
            tamed = y * _doubtful(y / usual)
            found = fit(Gram(("relative", "floor")).add_rows(a, tamed, 1.0 / usual**2))
            usual = a @ found.theta + (LEAST * mean) ** 2
        least = np.array([LEAST, LEAST * mean])
        out[r] = np.maximum(np.sqrt(found.theta), least)
    return out


def _with_process_terms(
    problem: Problem, paid: Mapping[int, Split], found: Fit, weights: Floats
) -> tuple[Problem, dict[str, float]]:
    """Give large processes an efficiency of their own; its spread is the most probable one."""
    windows = problem.design.seconds.size
    terms, columns, size = [], [], {}
    kinds = {d.name: d.kind for d in problem.design.topology.devices}
    for k, split in paid.items():
        theta, owner = float(found.theta[k]), problem.terms[k].column
        if theta <= 0 or owner is None or kinds.get(owner.device) not in COMPUTING:
            continue
        column = problem.columns[:, k]
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
    noise = fit(gram, problem.prior, free=problem.free).noise
    hessian = gram.xx / noise + np.diag(precision)
    right = gram.xz / noise + precision * mean
    scale = 1.0 / np.sqrt(np.diag(hessian))
    _, logdet = np.linalg.slogdet(hessian * scale[:, None] * scale)
    solution = scale * np.linalg.solve(hessian * scale[:, None] * scale, scale * right)
    quadratic = gram.zz / noise + float(precision @ mean**2) - float(right @ solution)
    entropy = float(np.sum(np.log(precision)) + 2 * np.sum(np.log(scale))) - logdet
    return float(0.5 * (entropy - quadratic - n * float(np.log(noise))))


def apply(model: PowerModel, problem: Problem) -> Learned:
    """A problem with coefficients that were learned elsewhere; raises ModelError when none of them fits.

    Converters are a property of the board: they come from the model where it has them, else from priors.
    """
    place = {c.name: k for k, c in enumerate(model.coefficients)}
    mean, precision = problem.prior.arrays(problem.names)
    known = np.array([t.name in place for t in problem.terms], dtype=np.bool_)
    activities = [t for t, k in zip(problem.terms, known, strict=True) if k and t.column and not t.column.static]
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
    error = _first_error(problem)
    for r, name in enumerate(problem.design.rail_names):
        error[r] = model.error.get(name, error[r])
    gram = problem.gram(_weights(problem, theta, error))
    seen = fit(gram, problem.prior, free=problem.free)
    return Learned(problem, theta, covariance, seen, error, dict(model.spread), MODEL_DEGREES, gram)


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
        {
            "names": list(g.names),
            "kind": g.kind,
            "mean_w": _per_second(problem, g.names, learned.theta),
            "text": g.reason,
        }
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
        error={name: (float(e[0]), float(e[1])) for name, e in zip(design.rail_names, learned.error, strict=True)},
        spread=learned.spread,
        groups=groups,
        conditions={
            "duration_s": float(design.seconds.sum()),
            "celsius": dict(design.celsius),
            "rails": {
                r.rail: {"way": r.way, "channels": list(r.channels), "gain_sd": r.gain_sd, "offset_w": r.offset_w}
                for r in design.rails
            },
        },
        provenance={
            "powerhal": powerhal.__version__,
            "board_sha256": str(meta.get("board_sha256", "")),
            "recorded": meta.get("started", ""),
            "noise": float(learned.fit.noise),
            "priors": rows_of(problem.prior, [problem.terms[k].name for k in keep]),
            "sensors": {r.rail: r.sensed.to_json() for r in design.rails if r.sensed is not None},
            "drift": [d.to_json() for d in drifts(problem, learned.theta)],
        },
        gram=learned.gram,
    )


def _per_second(problem: Problem, names: tuple[str, ...], theta: Floats) -> float:
    """Mean watts that these terms draw together."""
    picked = [k for k, t in enumerate(problem.terms) if t.name in names]
    return float((problem.x[:, picked] @ theta[picked]).sum() / problem.design.seconds.sum())
