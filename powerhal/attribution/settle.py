"""Settling the books: every window's measured joules are given to devices, idle, processes or nobody.

All energies are at the root: a device behind a converter pays for the converter's loss. In each window
the model's estimates are moved, as little as their doubt allows, until the measurement is met
(`reconcile`); what exceeds the model's own error is unattributed. Beside every sum of joules its
*loadings* are kept: how far it moves when one independent source of doubt moves by one standard
deviation. Loadings add up like the energies do, so any grouping of rows has an exact interval.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from powerhal.attribution.problem import Problem
from powerhal.attribution.processes import Split
from powerhal.attribution.reconcile import RailTree, reconcile

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

CHUNK = 2048
SURPRISE = 3.0  # a residual beyond this many standard deviations of the model's error is nobody's
HARDLY = 1e-3  # of the model's error: how little may stay unattributed in an ordinary window


@dataclass(frozen=True, slots=True)
class Part:
    """A share of a rail's energy that is estimated by itself: a device's dynamic or static draw."""

    device: str
    static: bool
    rail: int
    terms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """Joules (m,) of m holders and their loadings (m, f) on the f sources of doubt."""

    joules: Floats
    loadings: Floats


@dataclass(frozen=True, slots=True)
class Settled:
    """The balanced books of one recording, joules at the root.

    windows_j (n, p): each part in each window; unattributed_j (n,); total_j (n,): measured;
    predicted_j (n,): what the model said; parts: totals of the parts; unattributed: one holder;
    processes: dynamic energy per process index (all devices); by_device: device -> (processes,) joules;
    rest: per device name, what no process explains; conflict (n,): rails contradicted each other.
    """

    parts: tuple[Part, ...]
    windows_j: Floats
    unattributed_j: Floats
    total_j: Floats
    predicted_j: Floats
    part: Account
    unattributed: Account
    process: Account
    by_device: Mapping[str, Floats]
    rest: Mapping[str, Account]
    conflict: Bools
    roots: tuple[str, ...]


def parts_of(problem: Problem) -> tuple[Part, ...]:
    """Devices' dynamic and static parts, in the order of the terms."""
    found: dict[tuple[str, bool, int], list[int]] = {}
    for k, term in enumerate(problem.terms):
        if term.column is not None:
            found.setdefault((term.column.device, term.column.static, term.rail), []).append(k)
    return tuple(Part(device, static, rail, tuple(terms)) for (device, static, rail), terms in found.items())


def settle(
    problem: Problem,
    theta: Floats,
    covariance: Floats,
    error: tuple[float, float],
    paid: Mapping[int, Split],
    processes: int,
) -> Settled:
    """Balance every window and split it; `paid` by term index, theta (q,), covariance (q, q)."""
    return _Settling(problem, theta, covariance, error, paid, processes).run()


class _Settling:
    def __init__(
        self, problem: Problem, theta: Floats, covariance: Floats, error: tuple[float, float],
        paid: Mapping[int, Split], processes: int,
    ) -> None:  # fmt: skip
        self.problem = problem
        self.theta = theta
        self.error = error
        self.parts = parts_of(problem)
        self.processes = processes
        self.paid = paid
        values, vectors = np.linalg.eigh(covariance)
        live = values > 1e-14 * max(float(values[-1]), 1e-300)
        self.root_cov: Floats = vectors[:, live] * np.sqrt(values[live])
        design = problem.design
        self.tops = [r for r, above in enumerate(problem.tree.above.tolist()) if above < 0]
        self.top_of = np.array([self._top(r) for r in range(len(design.rails))])
        part = np.divide(design.covered_s, design.seconds[:, None])
        self.fraction: Floats = np.column_stack([part[:, t] for t in self.top_of])
        self.chain = self._chain()
        self.tree = RailTree(
            design.rail_names, problem.tree.above, tuple(str(k) for k in range(len(self.parts))),
            np.array([p.rail for p in self.parts], dtype=np.int64),
        )  # fmt: skip

    def _top(self, rail: int) -> int:
        while (above := int(self.problem.tree.above[rail])) >= 0:
            rail = above
        return rail

    def _chain(self) -> Floats:
        """Joules at the root per joule at each measured rail, in each window (n, r)."""
        problem = self.problem
        step = np.ones_like(problem.target)
        for k, term in enumerate(problem.terms):
            if term.kind == "converter":
                step[:, term.child] = self.theta[k]
        for k, term in enumerate(problem.terms):
            if term.kind == "conduction":
                step[:, term.child] += self.theta[k] * problem.target[:, term.child] / problem.design.seconds
        out = step.copy()
        for rail in range(out.shape[1]):
            above = int(problem.tree.above[rail])
            while above >= 0:
                out[:, rail] = out[:, rail] * step[:, above]
                above = int(problem.tree.above[above])
        self.step = step
        return out

    def run(self) -> Settled:
        problem, design = self.problem, self.problem.design
        windows, count = design.seconds.size, len(self.parts)
        raw = np.zeros((windows, count))
        for j, part in enumerate(self.parts):
            at_root = self.chain[:, part.rail] * self.fraction[:, part.rail]
            raw[:, j] = np.maximum(self._rows(part) @ self.theta[list(part.terms)], 0.0) * at_root
        measured = self._measured()
        solved = np.zeros((windows, count))
        nobody = np.zeros((windows, len(design.rails)))
        conflict = np.zeros(windows, dtype=np.bool_)
        factors = self.root_cov.shape[1]
        moved = np.zeros((count, factors))
        moved_nobody = np.zeros(factors)
        self.moves: list[tuple[slice, Floats]] = []
        for start in range(0, windows, CHUNK):
            part_of = slice(start, min(start + CHUNK, windows))
            values, loose, clash, shift, shift_nobody = self._balance(part_of, raw[part_of], measured[part_of])
            solved[part_of], nobody[part_of], conflict[part_of] = values, loose, clash
            moved += shift.sum(axis=0)
            moved_nobody += shift_nobody.sum(axis=0)
            self.moves.append((part_of, shift))
        roots = [design.rail_names[t] for t in self.tops]
        process, by_device, rest = self._pay(solved, moved)
        return Settled(
            self.parts, solved, nobody.sum(axis=1), measured[:, self.tops].sum(axis=1), raw.sum(axis=1),
            Account(solved.sum(axis=0), moved),
            Account(np.array([nobody.sum()]), moved_nobody[None, :]),
            process, by_device, rest, conflict, tuple(roots),
        )  # fmt: skip

    def _rows(self, part: Part) -> Floats:
        return self.problem.x[:, list(part.terms)]

    def _measured(self) -> Floats:
        """Measured joules at the root (n, r): roots as read, rails below over the time their root was watched."""
        problem, design = self.problem, self.problem.design
        out = problem.target * self.chain * self.fraction
        fine = design.covered_s >= 0.5 * design.seconds[:, None]
        out = np.where(fine, out, np.nan)
        for top in self.tops:
            out[:, top] = design.energy[:, top]
        return out

    def _balance(
        self, where: slice, raw: Floats, measured: Floats
    ) -> tuple[Floats, Floats, Bools, Floats, Floats]:
        """Reconciled parts, unattributed per rail, conflicts, and how both move with each factor."""
        problem, design = self.problem, self.problem.design
        size = raw.shape[0]
        shift = np.zeros((size, len(self.parts), self.root_cov.shape[1]))
        for j, part in enumerate(self.parts):
            at_root = self.chain[where, part.rail] * self.fraction[where, part.rail]
            shift[:, j] = (self._rows(part)[where] @ self.root_cov[list(part.terms)]) * at_root[:, None]
        doubt = np.einsum("tif,tjf->tij", shift, shift)
        own = (self.error[0] * raw) ** 2
        mean = np.maximum(raw.mean(axis=0), 1e-12)
        every = np.arange(len(self.parts))
        doubt[:, every, every] += own + (self.error[1] * mean) ** 2
        belongs = self._members(measured)
        loose = self._looseness(raw, measured, doubt, belongs, problem.noise_j2[where] * self.chain[where] ** 2)
        found = reconcile(self.tree, raw, measured, unattributed_sd=loose, covariance=doubt)
        gain = self._gain(doubt, loose, belongs)
        step = self._converter_shift(where, found.device, measured, gain, belongs)
        balance = np.einsum("trj,tjf->trf", belongs[:, :, : len(self.parts)], shift)
        moved = shift - np.einsum("trj,trf->tjf", gain[:, :, : len(self.parts)], balance) + step
        rails = len(design.rails)
        loosened = -np.einsum("trr,trf->trf", gain[:, :, len(self.parts) : len(self.parts) + rails], balance)
        nobody = np.nan_to_num(found.unattributed)
        return found.device, nobody, found.conflict.any(axis=1), moved, loosened.sum(axis=1)

    def _members(self, measured: Floats) -> Floats:
        """(t, r, p): 1 where a part sits in a measured rail's own balance in that window."""
        windows, rails = measured.shape
        out = np.zeros((windows, rails, len(self.parts)))
        present = np.isfinite(measured)
        for j, part in enumerate(self.parts):
            home = np.full(windows, part.rail)
            for _ in range(rails):
                lost = ~present[np.arange(windows), home]
                up = self.problem.tree.above[home]
                home = np.where(lost & (up >= 0), up, home)
            out[np.arange(windows), home, j] = 1.0
        return out

    def _looseness(
        self, raw: Floats, measured: Floats, doubt: Floats, belongs: Floats, noise: Floats
    ) -> Floats:
        """How much of each balance may stay unattributed: hardly any, except where it is a surprise."""
        known = np.where(np.isfinite(measured), measured, 0.0)
        below = np.zeros_like(known)
        for rail, above in enumerate(self.problem.tree.above.tolist()):
            if above >= 0:
                below[:, above] += known[:, rail]
        residual = known - below - np.einsum("trj,tj->tr", belongs, raw)
        variance = np.einsum("trj,tjk,trk->tr", belongs, doubt, belongs) + noise
        usual = np.sqrt(np.maximum(variance, 1e-18))
        # Only a surplus can be somebody else's; a deficit means that the estimates are too high.
        surprise = residual > SURPRISE * usual
        return np.where(surprise, np.maximum(residual, HARDLY * usual), HARDLY * usual)

    def _gain(self, doubt: Floats, loose: Floats, belongs: Floats) -> Floats:
        """How each part and each rail's unattributed share answers a surplus of a balance (t, r, p + r)."""
        rails = loose.shape[1]
        cross = np.einsum("tij,trj->tri", doubt, belongs)
        own = np.zeros((loose.shape[0], rails, rails))
        own[:, np.arange(rails), np.arange(rails)] = loose**2
        cross = np.concatenate((cross, own), axis=2)
        whole = np.einsum("tri,tri->tr", cross[:, :, : len(self.parts)], belongs) + loose**2
        out: Floats = cross / np.maximum(whole, 1e-30)[:, :, None]
        # A part answers only its own balance.
        out[:, :, : len(self.parts)] *= belongs
        return out

    def _converter_shift(
        self, where: slice, solved: Floats, measured: Floats, gain: Floats, belongs: Floats
    ) -> Floats:
        """How parts move with a converter's coefficients: what is below it scales, what is beside it gives way."""
        problem = self.problem
        out = np.zeros((solved.shape[0], len(self.parts), self.root_cov.shape[1]))
        for child, above in enumerate(problem.tree.above.tolist()):
            if above < 0:
                continue
            change = np.zeros((solved.shape[0], self.root_cov.shape[1]))
            for k, term in enumerate(problem.terms):
                if term.child == child:
                    load = problem.target[where, child] / problem.design.seconds[where]
                    size = np.ones(solved.shape[0]) if term.kind == "converter" else load
                    change += size[:, None] * self.root_cov[k]
            relative = change / np.maximum(self.step[where, child], 1e-9)[:, None]
            joules = np.nan_to_num(measured[:, child])[:, None] * relative
            out += (belongs[:, child] * solved)[:, :, None] * relative[:, None, :]
            out -= gain[:, above, : len(self.parts), None] * joules[:, None, :]
        return out

    # -- processes -----------------------------------------------------------------------------

    def _pay(self, solved: Floats, moved: Floats) -> tuple[Account, dict[str, Floats], dict[str, Account]]:
        """Split dynamic parts over processes, with loadings; what is left is the device's rest."""
        factors = self.root_cov.shape[1]
        joules, loadings = np.zeros(self.processes), np.zeros((self.processes, factors))
        by_device: dict[str, Floats] = {}
        rest: dict[str, Account] = {}
        shifts = np.concatenate([shift for _, shift in self.moves])
        for j, part in enumerate(self.parts):
            if part.static:
                continue
            mine, mine_loadings = np.zeros(self.processes), np.zeros((self.processes, factors))
            for k, share in self._shares(part).items():
                if k not in self.paid:
                    continue
                factor, moves = self._own_efficiency(k)
                paid = self.paid[k].scaled(factor)
                column = solved[:, j] * share
                mine += paid.energy(column, self.processes)
                for f in range(factors):
                    mine_loadings[:, f] += paid.energy(shifts[:, j, f] * share, self.processes)
                mine_loadings += self._efficiency_loadings(self.paid[k], factor, moves, column)
            joules += mine
            loadings += mine_loadings
            by_device[part.device] = by_device.get(part.device, np.zeros(self.processes)) + mine
            left = solved[:, j].sum() - mine.sum()
            before = rest.get(part.device)
            left_loadings = moved[j] - mine_loadings.sum(axis=0)
            rest[part.device] = Account(
                np.array([left]) + (before.joules if before else 0.0),
                left_loadings[None, :] + (before.loadings if before else 0.0),
            )
        return Account(joules, loadings), by_device, rest

    def _shares(self, part: Part) -> dict[int, Floats]:
        """Each activity term's share of its part in each window; process terms belong to their column's term."""
        terms = self.problem.terms
        main = {terms[k].column: k for k in part.terms if terms[k].kind != "process"}
        size = {k: np.zeros(self.problem.x.shape[0]) for k in main.values()}
        for k in part.terms:
            size[main[terms[k].column]] += self.problem.x[:, k] * self.theta[k]
        total = np.maximum(sum(np.maximum(v, 0.0) for v in size.values()), 1e-30)
        return {k: np.maximum(v, 0.0) / total for k, v in size.items()}

    def _own_efficiency(self, k: int) -> tuple[Floats, dict[int, Floats]]:
        """What each process draws against the average of term k, and how that moves with each factor."""
        factor = np.ones(self.processes)
        moves: dict[int, Floats] = {}
        base = float(self.theta[k])
        for i, term in enumerate(self.problem.terms):
            if term.kind == "process" and term.column is self.problem.terms[k].column and base > 0:
                factor[term.process] = max(0.05, 1.0 + float(self.theta[i]) / base)
                moves[term.process] = (self.root_cov[i] - self.root_cov[k] * self.theta[i] / base) / base
        return factor, moves

    def _efficiency_loadings(
        self, paid: Split, factor: Floats, moves: Mapping[int, Floats], column: Floats
    ) -> Floats:
        """How the split moves when one process's efficiency does: it pays more, the others less."""
        out = np.zeros((self.processes, self.root_cov.shape[1]))
        if not moves:
            return out
        scaled = paid.scaled(factor)
        size = column.size
        whole = np.bincount(scaled.window, scaled.part, minlength=size)
        for process, move in moves.items():
            mine = scaled.process == process
            own = np.bincount(scaled.window[mine], scaled.part[mine], minlength=size)
            relative = np.divide(own, whole, out=np.zeros(size), where=whole > 0)
            taken = -scaled.energy(column * relative, self.processes)
            taken[process] += float((own * column).sum())
            out += taken[:, None] * (move / max(float(factor[process]), 0.05))[None, :]
        return out
