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
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from powerhal.attribution.model import Learned

from powerhal.attribution.observed.processes import Split
from powerhal.attribution.observed.rail_tree import RailTree
from powerhal.attribution.settling.payment import Given, Payment
from powerhal.attribution.settling.reconcile import reconcile
from powerhal.attribution.settling.settled import Account, Part, Settled, factors_of, parts_of

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

CHUNK = 2048
SURPRISE = 4.0  # a residual beyond this many standard deviations of the model's error is nobody's
CURVE = 0.01  # of its energy: a converter's curve is not further from its fitted loss, whatever else sits on the rail
HARDLY = 1e-3  # of the model's error: how little may stay unattributed in an ordinary window


def settle(learned: Learned, paid: Mapping[int, Split], processes: int, *, foreign: bool = False) -> Settled:
    """Balance every window and split it over `processes` many processes; `paid` by term index.

    `foreign`: the coefficients were not learned from these windows.
    """
    return _Settling(learned, paid, processes, foreign=foreign).run()


@dataclass(frozen=True, slots=True)
class _Weight:
    """Per window and rail: how loose its unattributed part is, the variance of its balance, what it is
    given of the residual above it, and which share of that."""

    loose: Floats
    whole: Floats
    given: Floats
    share: Floats


@dataclass(frozen=True, slots=True)
class _Estimates:
    """What a chunk of windows starts from: measured (t, r), moves of the estimates with each factor (t, p, f),
    their doubt (t, p, p), and which part sits in which balance (t, r, p)."""

    measured: Floats
    shift: Floats
    doubt: Floats
    belongs: Floats


def sum_shares(share: Floats, above: Ints) -> Floats:
    """For every rail, the share of its residual that the rails below take (t, r)."""
    out = np.zeros_like(share)
    for rail, parent in enumerate(above.tolist()):
        if parent >= 0:
            out[:, parent] += share[:, rail]
    return out


class _Settling:
    def __init__(self, learned: Learned, paid: Mapping[int, Split], processes: int, *, foreign: bool = False) -> None:
        problem, covariance = learned.problem, learned.covariance
        self.foreign = foreign
        self.learned = learned
        self.problem = problem
        self.theta = learned.theta
        self.error = learned.error
        self.parts = parts_of(problem)
        self.processes = processes
        self.paid = paid
        self.root_cov = factors_of(covariance)
        design = problem.design
        self.tops = [r for r, above in enumerate(problem.tree.above.tolist()) if above < 0]
        self.top_of = np.array([self._top(r) for r in range(len(design.rails))])
        part = np.divide(design.covered_s, design.seconds[:, None])
        self.fraction: Floats = np.column_stack([part[:, t] for t in self.top_of])
        self.chain = self._chain()
        self.downwards = sorted(range(len(design.rails)), key=self._depth)
        self.owned = np.array([self._one_owner(r) for r in range(len(design.rails))])
        self.tree = RailTree(
            design.rail_names, problem.tree.above, tuple(str(k) for k in range(len(self.parts))),
            np.array([p.rail for p in self.parts], dtype=np.int64),
        )  # fmt: skip

    def _depth(self, rail: int) -> int:
        above = int(self.problem.tree.above[rail])
        return 0 if above < 0 else 1 + self._depth(above)

    def _one_owner(self, rail: int) -> bool:
        """Whether everything on a rail is one device's by the board's word, modelled or not."""
        problem = self.problem
        kinds = {d.name: d.kind for d in problem.design.topology.devices}
        on = {d for d, r in zip(problem.tree.devices, problem.tree.under.tolist(), strict=True) if r == rail}
        feeds = any(above == rail for above in problem.tree.above.tolist())
        return len(on) == 1 and not feeds and kinds[next(iter(on))] != "base"

    def _top(self, rail: int) -> int:
        while (above := int(self.problem.tree.above[rail])) >= 0:
            rail = above
        return rail

    def _chain(self) -> Floats:
        """Joules at the root per joule at each measured rail, in each window (n, r)."""
        problem = self.problem
        step, swings = np.ones_like(problem.target), problem.design.swings()
        for k, term in enumerate(problem.terms):
            if term.kind == "converter":
                step[:, term.child] = self.theta[k]
        for k, term in enumerate(problem.terms):
            if term.kind == "conduction":
                step[:, term.child] += (
                    self.theta[k] * swings[:, term.child] * problem.target[:, term.child] / problem.design.seconds
                )
        out = step.copy()
        for rail in range(out.shape[1]):
            above = int(problem.tree.above[rail])
            while above >= 0:
                out[:, rail] = out[:, rail] * step[:, above]
                above = int(problem.tree.above[above])
        self.step = step
        return out

    def run(self) -> Settled:
        design = self.problem.design
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
        self.open_j2 = np.zeros((windows, count))
        self.lost_j2 = 0.0
        self.drag = self._drag()
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
            Account(solved.sum(axis=0), moved, self.open_j2.sum(axis=0)),
            Account(np.array([nobody.sum()]), moved_nobody[None, :], np.array([self.lost_j2])),
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

    def _balance(self, where: slice, raw: Floats, measured: Floats) -> tuple[Floats, Floats, Bools, Floats, Floats]:
        """Reconciled parts, unattributed per rail, conflicts, and how both move with each factor."""
        shift = self._shifts(where)
        # Coefficients learned from these very windows have already taken what they can from the residuals;
        # their doubt must not take it again, window by window. Foreign coefficients have not.
        doubt = (
            np.einsum("tif,tjf->tij", shift, shift)
            if self.foreign
            else np.zeros((raw.shape[0], raw.shape[1], raw.shape[1]))
        )
        every = np.arange(len(self.parts))
        doubt[:, every, every] += self._own_doubt(where, raw)
        belongs = self._members(measured)
        weight = self._weigh(where, raw, measured, doubt, belongs)
        settled = measured + weight.given
        found = reconcile(self.tree, raw, settled, unattributed_sd=weight.loose, covariance=doubt)
        self._leave_open(where, doubt, belongs, weight)
        estimates = _Estimates(measured, shift, doubt, belongs)
        moved, nobody = self._moves(where, found.device, estimates, weight)
        return found.device, np.nan_to_num(found.unattributed), np.asarray(found.conflict.any(axis=1)), moved, nobody

    def _shifts(self, where: slice) -> Floats:
        """How each part's estimate moves with each factor (t, p, f), J at the root."""
        size = self.problem.design.seconds[where].size
        shift = np.zeros((size, len(self.parts), self.root_cov.shape[1]))
        for j, part in enumerate(self.parts):
            at_root = self.chain[where, part.rail] * self.fraction[where, part.rail]
            shift[:, j] = (self._rows(part)[where] @ self.root_cov[list(part.terms)]) * at_root[:, None]
        return shift

    def _own_doubt(self, where: slice, raw: Floats) -> Floats:
        """Variance of each part from the model's own error: relative where dynamic, a floor where static."""
        out = np.zeros_like(raw)
        for j, part in enumerate(self.parts):
            relative, floor = self.error[part.rail]
            if part.static:
                out[:, j] = (floor * self.problem.design.seconds[where] * self.chain[where, part.rail]) ** 2
            else:
                out[:, j] = (relative * raw[:, j]) ** 2
        return out

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

    def _weigh(self, where: slice, raw: Floats, measured: Floats, doubt: Floats, belongs: Floats) -> _Weight:
        """Each balance's residual against what is usual, and who may take it.

        A rail's residual goes to its own parts and to the rails below (their converter's curve) by
        variance. A surplus beyond SURPRISE deviations is nobody's, unless the rail has one owner.
        """
        problem = self.problem
        known = np.nan_to_num(measured)
        own = np.einsum("trj,tjk,trk->tr", belongs, doubt, belongs)
        noise = problem.noise_j2[where] * self.chain[where] ** 2
        curve, below = np.zeros_like(known), np.zeros_like(known)
        for rail, above in enumerate(problem.tree.above.tolist()):
            if above >= 0:
                curve[:, rail] = (min(float(self.error[above, 0]), CURVE) * known[:, rail]) ** 2
                below[:, above] += known[:, rail]
        whole = own + noise
        for rail, above in enumerate(problem.tree.above.tolist()):
            if above >= 0:
                whole[:, above] += curve[:, rail]
        residual = known - below - np.einsum("trj,tj->tr", belongs, raw)
        usual = np.sqrt(np.maximum(whole, 1e-18))
        surprise = (residual > SURPRISE * usual) & ~self.owned & np.isfinite(measured)
        loose = np.where(surprise, np.maximum(residual, usual), HARDLY * usual)
        whole += loose**2
        given, share = np.zeros_like(known), np.zeros_like(known)
        for rail in self.downwards:
            above = int(problem.tree.above[rail])
            if above < 0:
                continue
            share[:, rail] = np.where(surprise[:, above], 0.0, curve[:, rail] / whole[:, above])
            given[:, rail] = share[:, rail] * (residual[:, above] + given[:, above])
        return _Weight(loose, whole, given, share)

    def _drag(self) -> Floats:
        """How much residuals of neighbouring windows hang together (r,): variance of a block's sum over that of
        as many independent windows, 1 or more."""
        problem = self.problem
        residual = problem.target - problem.predict(self.theta)
        out = np.ones(residual.shape[1])
        for rail, fine in enumerate(problem.usable.T):
            e = residual[fine, rail]
            if e.size < 8 or not (e**2).sum() > 0:
                continue
            sums = np.bincount(problem.block[fine], e)
            out[rail] = max(1.0, float((sums**2).sum() / (e**2).sum()))
        return out

    def _leave_open(self, where: slice, doubt: Floats, belongs: Floats, weight: _Weight) -> None:
        """Variance of each part that is left once its balance is met."""
        own = np.einsum("tii->ti", doubt)
        inner = np.einsum("trj,tjk,trk->tr", belongs, doubt, belongs) + weight.loose**2
        taken = own / np.maximum(np.einsum("tr,trj->tj", inner, belongs), 1e-30)  # of its balance's residual
        noise = np.einsum("tr,trj->tj", self._noise_j2()[where] * self.chain[where] ** 2, belongs)
        drag = np.array([self.drag[p.rail] for p in self.parts])
        self.open_j2[where] = own * np.clip(1.0 - taken, 0.0, 1.0) * drag + taken**2 * noise
        surplus = weight.loose > HARDLY * 10.0 * np.sqrt(np.maximum(weight.whole - weight.loose**2, 1e-30))
        self.lost_j2 += float(np.sum(np.where(surplus, weight.whole - weight.loose**2, 0.0)))

    def _noise_j2(self) -> Floats:
        """Variance (n, r) of a rail's own reading. What an unsharp edge takes from one window it gives to the next,
        which may be another's: each edge counts once."""
        design = self.problem.design
        return design.noise_j2 + 0.5 * (design.blur_j2[:-1] + design.blur_j2[1:])

    def _moves(
        self,
        where: slice,
        solved: Floats,
        given: _Estimates,
        weight: _Weight,
    ) -> tuple[Floats, Floats]:
        """How the settled parts (t, p, f) and the unattributed sum (t, f) move with each factor."""
        measured, shift, doubt, belongs = given.measured, given.shift, given.doubt, given.belongs
        problem, swings = self.problem, self.problem.design.swings()
        windows, factors = solved.shape[0], self.root_cov.shape[1]
        rails = measured.shape[1]
        change = np.zeros((windows, rails, factors))  # of what a rail's converter makes of it
        for child in range(rails):
            for k, term in enumerate(problem.terms):
                if term.child == child:
                    load = problem.target[where, child] / problem.design.seconds[where] * swings[where, child]
                    size = np.ones(windows) if term.kind == "converter" else load
                    change[:, child] += size[:, None] * self.root_cov[k]
            change[:, child] /= np.maximum(self.step[where, child], 1e-9)[:, None]
        joules = np.nan_to_num(measured)[:, :, None] * change
        # A part's estimate scales with its converter too.
        at = np.array([p.rail for p in self.parts])
        shift = shift + solved[:, :, None] * change[:, at]
        balance = np.einsum("trj,tjf->trf", belongs, shift) - joules
        for child, above in enumerate(problem.tree.above.tolist()):
            if above >= 0:
                balance[:, above] += joules[:, child]
        for rail in self.downwards:
            above = int(problem.tree.above[rail])
            if above >= 0:
                balance[:, rail] += weight.share[:, rail, None] * balance[:, above]
        cross = np.einsum("tij,trj->tri", doubt, belongs) * belongs
        own = weight.loose**2
        inner = np.einsum("tri->tr", cross) + own
        gain = cross / np.maximum(inner, 1e-30)[:, :, None]
        left = 1.0 - sum_shares(weight.share, problem.tree.above)
        moved = shift - np.einsum("tri,trf->tif", gain, balance * left[:, :, None])
        nobody = -(own / np.maximum(inner, 1e-30) * left)[:, :, None] * balance
        return moved, nobody.sum(axis=1)

    def _pay(self, solved: Floats, moved: Floats) -> tuple[Account, dict[str, Floats], dict[str, Account]]:
        """Split dynamic parts over processes, with loadings; what is left is the device's rest."""
        factors = self.root_cov.shape[1]
        total = Account(np.zeros(self.processes), np.zeros((self.processes, factors)), np.zeros(self.processes))
        by_device: dict[str, Floats] = {}
        rest: dict[str, Account] = {}
        shifts = np.concatenate([shift for _, shift in self.moves])
        payment = Payment(self.learned, self.root_cov, self.paid, self.processes)
        for j, part in enumerate(self.parts):
            if part.static:
                continue
            given = Given(solved[:, j], shifts[:, j], self.open_j2[:, j], float(self.drag[part.rail]))
            joules, loadings, alone = payment.split(part.terms, part.rail, given)
            total = Account(total.joules + joules, total.loadings + loadings, total.alone_j2 + alone)
            by_device[part.device] = by_device.get(part.device, np.zeros(self.processes)) + joules
            left, whole = float(solved[:, j].sum() - joules.sum()), float(solved[:, j].sum())
            own = (left / max(whole, 1e-12)) ** 2 * float(self.open_j2[:, j].sum())
            mine = Account(np.array([left]), (moved[j] - loadings.sum(axis=0))[None, :], np.array([own]))
            rest[part.device] = rest[part.device].plus(mine) if part.device in rest else mine
        return total, by_device, rest
