"""The whole street of this room: recording -> design -> model -> settled books -> ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.attribution.design import Design
from powerhal.attribution.fitting.priors import Known
from powerhal.attribution.fitting.problem import Problem, build
from powerhal.attribution.fitting.slow import restored, sensed
from powerhal.attribution.ledger import Ledger, Series
from powerhal.attribution.model import Learned, PowerModel, apply, learn, model_of
from powerhal.attribution.observed.processes import Split, Usage
from powerhal.attribution.observed.sensed import FAST
from powerhal.attribution.settling.book import Book
from powerhal.attribution.settling.doubts import doubts_of
from powerhal.attribution.settling.groups import Merged, merge_groups
from powerhal.attribution.settling.payers import clock_blur, payers
from powerhal.attribution.settling.policy import POLICIES
from powerhal.attribution.settling.settle import settle
from powerhal.attribution.settling.settled import Settled
from powerhal.attribution.uncertainty import student90
from powerhal.errors import UsageError

Floats = npt.NDArray[np.float64]

ACCOUNTING_S = 1.0  # length of an accounting window; frequencies and processes are resolved inside it
CONSERVED = 1e-9
WORTH = 0.002  # of the total: contradictions between rails below it are noise


def attribute(
    recording: Any,
    *,
    policy: str | None = None,
    idle: str = "separate",
    model: PowerModel | None = None,
    window_s: float | None = None,
    priors: Sequence[Known] = (),
) -> Ledger:
    """Who used the energy of this recording.

    recording: powerhal.recording.Recording (or its like); policy: what becomes of static energy, a `separate` row,
    `equal` shares, `proportional` to dynamic energy, or by `shapley` value (`idle`: its older name); model: use these
    coefficients instead of learning; window_s: length of an accounting window (default 1 s, never shorter than a
    process scan); priors: what is known from elsewhere (`prior_files`). Raises NotEnoughData when the data cannot
    answer, UsageError for an unknown policy, ModelError when the model is of another board.
    """
    chosen = policy or idle
    if chosen not in POLICIES:
        raise UsageError(
            f"no policy {chosen!r} for idle energy: there are {', '.join(POLICIES)}", hint="leave it out for `separate`"
        )
    fine = Design.from_recording(recording)
    if slow := sensed(recording, fine, priors):
        fine = Design.from_recording(recording, sensed=slow)
    design, window = fine.coarse(window_s or ACCOUNTING_S)
    usage = Usage.from_recording(recording, fine.edges)
    problem = build(design, priors)
    problem = replace(problem, blur=clock_blur(problem, fine, window, usage))
    paid = payers(problem, fine, window, usage)
    learned = learn(problem, paid) if model is None else apply(model, problem)
    learned = replace(learned, problem=restored(learned.problem, learned.theta))
    settled = settle(learned, paid, len(usage.processes), foreign=model is not None)
    doubted = doubts_of(learned, foreign=model is not None)
    book = Book(settled, doubted, usage, chosen, student90(learned.degrees)).shared_by(fine, window)
    return _ledger(recording, learned, book, model)


def books(recording: Any, problem: Problem, paid: Mapping[int, Split], usage: Usage) -> Ledger:
    """Learn, settle and write down a problem that was put into windows elsewhere (a phone's history); idle apart.

    recording: only its `scan_times_ns()`, `meta` and `self_pid` are asked for; paid: who pays, by term index;
    usage: the processes that `paid` counts. Raises NotEnoughData when the windows are too few.
    """
    learned = learn(problem, paid)
    settled = settle(learned, paid, len(usage.processes))
    book = Book(settled, doubts_of(learned), usage, "separate", student90(learned.degrees))
    return _ledger(recording, learned, book, None)


def _ledger(recording: Any, learned: Learned, book: Book, given: PowerModel | None) -> Ledger:
    design, settled, doubted = learned.problem.design, book.settled, book.doubted
    model = given or model_of(learned, recording)
    rows = book.rows(int(getattr(recording, "self_pid", 0) or 0))
    merged = merge_groups(rows, learned, settled, doubted, book.t90)
    return Ledger(
        board=design.topology.board,
        policy=book.policy,
        rows=merged.rows,
        total=book.total(design, _span_s(recording, design)),
        series=_series(design, settled),
        model=_about(model, given),
        groups=merged.groups,
        notes=(
            *_notes(design, settled, merged),
            *(() if given else (str(d["reason"]) for d in model.provenance["drift"])),
        ),
        conservation_error=_imbalance(settled),
        doubts=doubted.doubts,
        t90=book.t90,
        learned=model,
        machine=_machine(recording, design.topology.board),
    )


def _machine(recording: Any, board: str) -> str:
    """Which machine this is, as far as a recording says: its board, and a simulated one's seed."""
    seed = getattr(recording, "meta", {}).get("seed")
    return board if seed is None else f"{board} #{seed}"


def _span_s(recording: Any, design: Design) -> float:
    scans = recording.scan_times_ns()
    whole = (int(scans[-1]) - int(scans[0])) / 1e9 if len(scans) > 1 else 0.0
    return max(whole, float(design.seconds.sum()))


def _imbalance(settled: Settled) -> float:
    """Worst relative difference between a window's parts and its measurement; above 1e-9 the books are wrong."""
    whole = settled.windows_j.sum(axis=1) + settled.unattributed_j
    scale = np.maximum(np.abs(settled.total_j), 1e-12 + 1e-6 * np.abs(settled.total_j).max())
    worst = float(np.max(np.abs(whole - settled.total_j) / scale, initial=0.0))
    assert worst <= CONSERVED, f"the books do not balance: {worst:.3g}"
    return worst


def _series(design: Design, settled: Settled) -> Series:
    seconds = design.seconds
    roots = [design.rail_names.index(r) for r in settled.roots]
    covered = np.maximum(design.covered_s[:, roots].min(axis=1), 0.0)

    def watts(joules: Floats) -> Floats:
        out: Floats = np.divide(joules, covered, out=np.full(seconds.size, np.nan), where=covered > 0)
        return out

    parts: dict[str, Floats] = {}
    for j, part in enumerate(settled.parts):
        name = "idle" if part.static else part.device
        parts[name] = parts.get(name, np.zeros(seconds.size)) + settled.windows_j[:, j]
    parts["unattributed"] = settled.unattributed_j
    return Series(
        (design.edges[:-1] - design.edges[0]) / 1e9, seconds, watts(settled.total_j), watts(settled.predicted_j),
        {name: watts(joules) for name, joules in parts.items()},
    )  # fmt: skip


def _about(model: PowerModel, given: PowerModel | None) -> dict[str, Any]:
    rows = [{name: getattr(c, name) for name in c.__slots__} for c in model.coefficients]
    return {
        "source": "given" if given else "learned from this recording",
        "activities": sum(1 for c in model.coefficients if c.kind == "activity"),
        "coefficients": rows,
        "r2": model.r2,
        "condition": model.condition,
        "windows": model.windows,
        "error": {k: list(v) for k, v in model.error.items()},
        "process_spread": model.spread.get("processes"),
        "provenance": dict(model.provenance),
        "conditions": dict(model.conditions),
    }


def _notes(design: Design, settled: Settled, merged: Merged) -> tuple[str, ...]:
    out = list(design.notes)
    told = ((r.rail, r.sensed) for r in design.rails if r.sensed is not None)
    out += [how.text(rail) for rail, how in told if how.origin != FAST]
    topology = design.topology
    roots = [r.name for r in topology.rails if not r.parent]
    if not set(settled.roots) & set(roots):
        out.append(
            f"the root rail is not measured: the total is the sum of {', '.join(settled.roots)}, "
            "and what other rails draw is not in it"
        )
    lost = float(-np.minimum(settled.unattributed_j[settled.conflict], 0.0).sum())
    if lost > WORTH * settled.total_j.sum():
        out.append(
            f"in {int(settled.conflict.sum())} windows a rail measured less than the rails it feeds; the difference "
            f"({lost:.3g} J) is unattributed, below 0"
        )
    saturated = int(design.bound.any(axis=1).sum())
    if saturated:
        out.append(f"in {saturated} windows a sensor was at the end of its range: energy there is a lower bound")
    return (*out, *merged.notes)
