"""The whole street of this room: recording -> design -> model -> settled books -> ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.attribution.brackets import clock_spread
from powerhal.attribution.design import Design
from powerhal.attribution.doubts import Doubted, Holding, doubts_of
from powerhal.attribution.groups import Merged, merge_groups
from powerhal.attribution.ledger import Ledger, Row, Series, Total, interval
from powerhal.attribution.model import Learned, PowerModel, apply, learn, model_of
from powerhal.attribution.problem import Problem, build
from powerhal.attribution.processes import Split, Usage, split
from powerhal.attribution.settle import Settled, settle
from powerhal.attribution.uncertainty import Z90, student90
from powerhal.channel import Device
from powerhal.errors import UsageError

Floats = npt.NDArray[np.float64]

POLICIES = ("separate", "equal", "proportional")
ACCOUNTING_S = 1.0  # length of an accounting window; frequencies and processes are resolved inside it
CONSERVED = 1e-9
TICK_S = 0.01  # of /proc/stat: USER_HZ is 100 on every architecture of Linux but Alpha
WORTH = 0.002  # of the total: contradictions between rails below it are noise


def attribute(
    recording: Any, *, idle: str = "separate", model: PowerModel | None = None, window_s: float | None = None
) -> Ledger:
    """Who used the energy of this recording.

    recording: powerhal.recording.Recording (or its like); idle: what becomes of static energy,
    `separate` row, `equal` shares or `proportional` to dynamic energy; model: use these coefficients
    instead of learning; window_s: length of an accounting window (default 1 s, never shorter than a
    process scan). Raises NotEnoughData when the data cannot answer, UsageError for an unknown policy.
    """
    if idle not in POLICIES:
        raise UsageError(f"no idle policy {idle!r}: choose {', '.join(POLICIES)}")
    fine = Design.from_recording(recording)
    design, window = fine.coarse(window_s or ACCOUNTING_S)
    usage = Usage.from_recording(recording, fine.edges)
    problem = build(design)
    paid = _payers(problem, fine, window, usage)
    return books(recording, problem, paid, usage, idle=idle, model=model)


def books(
    recording: Any,
    problem: Problem,
    paid: Mapping[int, Split],
    usage: Usage,
    *,
    idle: str = "separate",
    model: PowerModel | None = None,
) -> Ledger:
    """Fit, settle and write down a problem that is already in windows, whoever made it.

    recording: only its `scan_times_ns()`, `meta` and `self_pid` are asked for; paid: who pays, by term index;
    usage: the processes that `paid` counts. Raises NotEnoughData when the windows are too few.
    """
    learned = learn(problem, paid) if model is None else apply(model, problem)
    settled = settle(learned, paid, len(usage.processes), foreign=model is not None)
    book = _Book(settled, doubts_of(learned), usage, idle)
    book.self_pid, book.t90 = int(getattr(recording, "self_pid", 0) or 0), student90(learned.degrees)
    return _ledger(recording, learned, book, model)


def _payers(problem: Problem, fine: Design, window: npt.NDArray[np.int64], usage: Usage) -> dict[int, Split]:
    """Who pays for each dynamic term, resolved scan by scan, then put together for the accounting windows."""
    devices = {d.name: d for d in fine.topology.devices}
    place = {c.name: k for k, c in enumerate(fine.columns)}
    radios = [d.name for d in fine.topology.devices if d.kind == "radio" and d.name in fine.counts]
    usage = usage.by_interface({name: fine.counts[name] for name in radios})
    remainder = _remainder_spread(fine, usage)
    out = {}
    for k, term in enumerate(problem.terms):
        if term.kind != "activity" or term.column is None or term.column.static:
            continue
        activity, device = fine.x[:, place[term.column.name]], devices[term.column.device]
        # Reads are compared with reads; a radio's rx and tx are one usage.
        own = activity if device.kind == "storage" else fine.counts.get(device.name)
        found = split(term.column, device, usage, activity, seconds=fine.seconds, comparable=own)
        if found is None:
            continue
        spread = _clock_spread(fine, device, usage)
        if spread is None or term.column.payer.when != "now":
            out[k] = found.coarse(activity, window)
            continue
        sway = spread[found.window]
        if device.kind == "cpu":
            sway = np.hypot(sway, remainder[found.process])
        out[k] = found.swayed(sway).coarse(activity, window).traded()
    return out


def _remainder_spread(design: Design, usage: Usage) -> Floats:
    """How unsure the CPU time of each process is (processes,), relative: 0 where it has a clock of its own.

    What no process's clock explains (pids below 0) is the rest between counters of whole ticks, two per core.
    """
    ticks_s = TICK_S * float(np.sqrt(2.0 * sum(len(c.cpus) for c in design.topology.clusters)))
    total = np.zeros(len(usage.processes))
    for name, amounts in usage.by_activity.items():
        if name.startswith("cpu."):
            np.add.at(total, amounts.process, amounts.amount)
    own = np.array([p.pid >= 0 for p in usage.processes], dtype=np.bool_)
    return np.where(own | (total <= 0), 0.0, ticks_s / np.maximum(total, ticks_s))


def _clock_spread(fine: Design, device: Device, usage: Usage) -> Floats | None:
    """How far off the cost of a busy second may be in each scan (n,), 1 sigma, relative; None without a clock."""
    slices = fine.clocks.get(device.name)
    if slices is None:
        return None
    awake = usage.awake(f"cpu.{device.cluster}.time", fine.seconds) if device.kind == "cpu" else None
    busy = fine.counts.get(device.name) if awake is None else awake
    return None if busy is None else clock_spread(slices, busy / fine.seconds)


def _ledger(recording: Any, learned: Learned, book: _Book, given: PowerModel | None) -> Ledger:
    design, settled, doubted = learned.problem.design, book.settled, book.doubted
    model = given or model_of(learned, recording)
    merged = merge_groups(book.rows(), learned, settled, doubted, book.t90)
    return Ledger(
        board=design.topology.board,
        policy=book.policy,
        rows=merged.rows,
        total=book.total(design, _span_s(recording, design)),
        series=_series(design, settled),
        model=_about(model, given),
        groups=merged.groups,
        notes=_notes(design, settled, merged),
        conservation_error=_imbalance(settled),
        doubts=doubted.doubts,
        t90=book.t90,
        learned=model,
    )


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


class _Book:
    """Rows of the ledger from the settled accounts."""

    def __init__(self, settled: Settled, doubted: Doubted, usage: Usage, idle: str) -> None:
        self.policy = idle
        self.self_pid, self.t90 = 0, Z90
        self.settled = settled
        self.doubted = doubted
        self.usage = usage
        self.weights = self._idle_weights(idle, settled.process.joules)
        self.shared = bool(self.weights.any())

    def rows(self) -> list[Row]:
        """All rows: devices, idle, unattributed, processes, rests."""
        return [*self._devices(), *self._idle(), self._unattributed(), *self._processes(), *self._rests()]

    def total(self, design: Design, span_s: float) -> Total:
        """The measurement the rows add up to; `span_s`: the whole run, from first to last look."""
        held = self.doubted.total(self.settled)
        low, high = interval(held.joules, held.loadings, held.alone_j2, self.doubted.doubts, self.t90)
        roots = [design.rail_names.index(r) for r in self.settled.roots]
        covered = design.covered_s[:, roots].min(axis=1)
        missing = float(max(0.0, span_s - covered.sum()))
        return Total(
            " + ".join(self.settled.roots), held.joules, low, high, span_s, missing, int(design.edges[0]),
            int(design.edges[-1]),
        )  # fmt: skip

    def _row(self, name: str, kind: str, held: Holding, **more: Any) -> Row:
        low, high = interval(held.joules, held.loadings, held.alone_j2, self.doubted.doubts, self.t90)
        return Row(name, kind, held.joules, low, high, held.loadings, held.alone_j2, **more)

    def _devices(self) -> list[Row]:
        held = self.doubted.devices(self.settled, static=self.shared)
        return [self._row(name, "device", h, device=name) for name, h in held.items()]

    def _idle(self) -> list[Row]:
        if self.shared:
            return []
        devices = {name: h.joules for name, h in self.doubted.statics(self.settled).items()}
        return [self._row("idle", "idle", self.doubted.idle(self.settled), devices=devices)]

    def _unattributed(self) -> Row:
        return self._row("unattributed", "unattributed", self.doubted.unattributed(self.settled))

    def _processes(self) -> list[Row]:
        settled, usage, weights = self.settled, self.usage, self.weights
        dynamic = self.doubted.processes(settled)
        static, by_device = self.doubted.idle(settled), self.doubted.statics(settled)
        out = []
        for i in np.flatnonzero((settled.process.joules > 0) | (weights > 0)).tolist():
            info, part = usage.processes[i], float(weights[i])
            devices = {d: float(v[i]) for d, v in settled.by_device.items() if v[i] > 0}
            for device, held in by_device.items() if part > 0 else ():
                devices[device] = devices.get(device, 0.0) + held.joules * part
            share = Holding(static.joules * part, static.loadings * part, static.alone_j2 * part**2)
            own = bool(self.self_pid) and info.pid == self.self_pid
            out.append(self._row(info.comm, "process", dynamic[i] + share, info=info, own=own, devices=devices))
        return out

    def _idle_weights(self, idle: str, joules: Floats) -> Floats:
        """How the idle floor is shared: by dynamic energy, or evenly over who was active in each window.

        All 0 when it is a row of its own, or when there is nobody to share it.
        """
        weights = np.zeros(joules.size)
        if idle == "proportional" and joules.sum() > 0:
            return np.asarray(joules / joules.sum())
        pairs = [np.stack((a.process, a.window)) for a in self.usage.by_activity.values()]
        if idle != "equal" or not pairs:
            return weights
        process, window = np.unique(np.concatenate(pairs, axis=1), axis=1)
        crowd = np.bincount(window)
        np.add.at(weights, process, 1.0 / crowd[window])
        return np.asarray(weights / weights.sum())

    def _rests(self) -> list[Row]:
        held = self.doubted.rests(self.settled)
        return [self._row(f"{n} (rest)", "rest", h, device=n, devices={n: h.joules}) for n, h in held.items()]


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
