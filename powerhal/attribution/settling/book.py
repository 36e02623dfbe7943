"""Rows of the ledger from the settled accounts, with static energy paid for by a policy."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.attribution.design import Design
from powerhal.attribution.ledger import Row, Total, interval
from powerhal.attribution.observed.processes import Usage
from powerhal.attribution.settling.doubts import Doubted, Holding
from powerhal.attribution.settling.policy import Stage, weights_of
from powerhal.attribution.settling.settled import Settled

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEAST_LEFT = 1e-9  # of the static energy: what is left over by rounding is no row


class Book:
    """Rows of one recording. policy: a name of `policy.POLICIES`; t90: Student's quantile of learned doubts."""

    def __init__(self, settled: Settled, doubted: Doubted, usage: Usage, policy: str, t90: float) -> None:
        self.policy, self.t90 = policy, t90
        self.settled, self.doubted, self.usage = settled, doubted, usage
        self.statics = self._statics()
        self.weights: Floats = np.zeros((settled.process.joules.size, len(self.statics)))

    def shared_by(self, design: Design, window: Ints) -> Book:
        """The same with static energy shared by the policy; `design` of scans, `window` (n,) of each scan."""
        static_j = {name: np.zeros(self.settled.total_j.size) for name in self.statics}
        for j, part in enumerate(self.settled.parts):
            if part.static:
                static_j[part.device] += self.settled.windows_j[:, j]
        stage = Stage(design, window, self.usage, self.settled.process.joules, static_j)
        self.weights = weights_of(self.policy, stage)
        return self

    def rows(self, self_pid: int) -> list[Row]:
        """All rows: devices, idle, unattributed, processes, rests; `self_pid`: the recorder's, 0 for none."""
        return [*self._devices(), *self._idle(), self._unattributed(), *self._processes(self_pid), *self._rests()]

    def total(self, design: Design, span_s: float) -> Total:
        """The measurement the rows add up to; `span_s`: the whole run, from first to last look."""
        held = self.doubted.total(self.settled)
        low, high = interval(held.joules, held.loadings, held.alone_j2, self.doubted.doubts, self.t90)
        roots = [design.rail_names.index(r) for r in self.settled.roots]
        covered = design.covered_s[:, roots].min(axis=1)
        missing = float(max(0.0, span_s - covered.sum()))
        return Total(
            " + ".join(self.settled.roots), held.joules, low, high, span_s, missing, int(design.edges[0]),
            int(design.edges[-1]), held.loadings,
        )  # fmt: skip

    def _row(self, name: str, kind: str, held: Holding, **more: Any) -> Row:
        low, high = interval(held.joules, held.loadings, held.alone_j2, self.doubted.doubts, self.t90)
        return Row(name, kind, held.joules, low, high, held.loadings, held.alone_j2, **more)

    def _statics(self) -> dict[str, Holding]:
        """Each device's static energy; what a sensor reads at no load is in them as much as they are in idle."""
        held = self.doubted.statics(self.settled)
        whole = sum(abs(h.joules) for h in held.values())
        extra = self.doubted.idle(self.settled).loadings - sum((h.loadings for h in held.values()), np.zeros(1))
        return {
            name: Holding(h.joules, h.loadings + extra * (abs(h.joules) / whole if whole > 0 else 0.0), h.alone_j2)
            for name, h in held.items()
        }

    def _devices(self) -> list[Row]:
        held = self.doubted.devices(self.settled)
        for name, part in zip(self.statics, self.weights.sum(axis=0).tolist(), strict=True):
            if part > 0:
                paid = self.statics[name].scaled(part)
                held[name] = held[name] + paid if name in held else paid
        return [self._row(name, "device", h, device=name) for name, h in held.items()]

    def _idle(self) -> list[Row]:
        left = np.maximum(1.0 - self.weights.sum(axis=0), 0.0)
        if not (left > LEAST_LEFT).any():
            return []
        held = {name: h.scaled(part) for (name, h), part in zip(self.statics.items(), left.tolist(), strict=True)}
        whole = sum(held.values(), Holding(0.0, np.zeros(len(self.doubted.doubts)), 0.0))
        return [self._row("idle", "idle", whole, devices={n: h.joules for n, h in held.items()})]

    def _unattributed(self) -> Row:
        return self._row("unattributed", "unattributed", self.doubted.unattributed(self.settled))

    def _processes(self, self_pid: int) -> list[Row]:
        settled, usage, weights = self.settled, self.usage, self.weights
        dynamic = self.doubted.processes(settled)
        out = []
        for i in np.flatnonzero((settled.process.joules > 0) | (weights > 0).any(axis=1)).tolist():
            info, held = usage.processes[i], dynamic[i]
            devices = {d: float(v[i]) for d, v in settled.by_device.items() if v[i] > 0}
            for (device, static), part in zip(self.statics.items(), weights[i].tolist(), strict=True):
                if part > 0:
                    devices[device] = devices.get(device, 0.0) + static.joules * part
                    held = held + static.scaled(part)
            own = bool(self_pid) and info.pid == self_pid
            out.append(self._row(info.comm, "process", held, info=info, own=own, devices=devices))
        return out

    def _rests(self) -> list[Row]:
        held = self.doubted.rests(self.settled)
        return [self._row(f"{n} (rest)", "rest", h, device=n, devices={n: h.joules}) for n, h in held.items()]
