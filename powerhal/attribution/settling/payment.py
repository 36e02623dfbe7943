"""Paying: a device's settled energy is split over processes, with how sure each payment is.

Each column of the device is paid by its own payers (`processes.Split`); programs with an efficiency of
their own pay for it. Three doubts go with a payment: how it moves with the coefficients, the payer's part of
what the windows left open, and what the split itself cannot know.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from powerhal.attribution.fitting.problem import COMPUTING
from powerhal.attribution.observed.brackets import EVEN
from powerhal.attribution.observed.processes import Split

if TYPE_CHECKING:
    from powerhal.attribution.model import Learned

Floats = npt.NDArray[np.float64]

OWN = 0.5  # of the difference in efficiency that a fit finds: the program's own, see `Payment._surroundings`
MIMICKED = 0.3  # our estimate: late clocks and leakage look like no larger difference, what is beyond is its own


@dataclass(frozen=True, slots=True)
class Given:
    """A device's settled dynamic part: joules (n,), how they move with each factor (n, f), the variance that
    is open in each window (n,), and how residuals of neighbouring windows hang together (`drag`)."""

    joules: Floats
    shift: Floats
    open_j2: Floats
    drag: float


class Payment:
    """Splits parts over `processes` many processes; `paid` by term index, root_cov (q, f) the sources of doubt."""

    def __init__(self, learned: Learned, root_cov: Floats, paid: Mapping[int, Split], processes: int) -> None:
        self.problem = learned.problem
        self.theta = learned.theta
        self.error = learned.error
        self.spread = learned.spread.get("processes", 0.0)
        self.root_cov = root_cov
        self.paid = paid
        self.processes = processes
        kinds = {d.name: d.kind for d in self.problem.design.topology.devices}
        self.alike = {
            k
            for k, t in enumerate(self.problem.terms)
            if t.column is not None and kinds.get(t.column.device) in COMPUTING
        }

    def split(self, terms: Sequence[int], rail: int, given: Given) -> tuple[Floats, Floats, Floats]:
        """Joules (m,), loadings (m, f) and variances of their own (m,) of every process for one part."""
        factors = self.root_cov.shape[1]
        joules, alone = np.zeros(self.processes), np.zeros(self.processes)
        loadings = np.zeros((self.processes, factors))
        sway = np.zeros(self.processes)
        for k, share in self._shares(terms).items():
            if k not in self.paid:
                continue
            factor, moves = self._own_efficiency(k)
            paid = self.paid[k].scaled(factor)
            column = given.joules * share
            spent = paid.energy(column, self.processes)
            joules += spent
            for f in range(factors):
                loadings[:, f] += paid.energy(given.shift[:, f] * share, self.processes)
            loadings += self._efficiency_loadings(self.paid[k], factor, moves, column)
            alone += replace(paid, part=paid.part**2).energy(given.open_j2 * share**2, self.processes)
            # The split itself is as rough as the model, and a tail may be another's altogether.
            between = replace(paid, part=paid.part * (1.0 - np.minimum(paid.part, 1.0)))
            alone += between.energy(given.drag * (self.error[rail, 0] * column) ** 2, self.processes)
            alone += paid.ties(column, self.processes)
            sway += paid.sway(column, self.processes)
            sway += self._surroundings(paid, factor).sway(column, self.processes)
            if k in self.alike:
                spent[list(moves)] = 0.0  # what these draw was looked at; of the others only the spread is known
                alone += (self.spread * spent) ** 2
        return joules, loadings, alone + sway**2

    def _shares(self, mine: Sequence[int]) -> dict[int, Floats]:
        """Each activity term's share of its part in each window; process terms belong to their column's term."""
        terms = self.problem.terms
        main = {terms[k].column: k for k in mine if terms[k].kind != "process"}
        size = {k: np.zeros(self.problem.x.shape[0]) for k in main.values()}
        for k in mine:
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
                found = float(self.theta[i]) / base
                open_to_doubt = (1.0 - OWN) * min(MIMICKED, max(-MIMICKED, found))
                factor[term.process] = max(0.05, 1.0 + found - open_to_doubt)
                own = OWN if abs(found) < MIMICKED else 1.0
                moves[term.process] = own * (self.root_cov[i] - self.root_cov[k] * found) / base
        return factor, moves

    def _surroundings(self, paid: Split, factor: Floats) -> Split:
        """How unsure an efficiency makes a part: it may be the program's, or that of what goes on whenever it runs.

        A clock that is late, or leakage that is steeper than its column, looks like the efficiency of who runs
        then, up to a size. Anything between all of that part of the difference and nothing of it is as likely; half of
        it is paid.
        """
        own = factor[paid.process]
        unsure = paid.part * np.minimum(np.abs(own - 1.0) / OWN, MIMICKED) / own / EVEN
        return replace(paid, unsure=unsure).traded()

    def _efficiency_loadings(self, paid: Split, factor: Floats, moves: Mapping[int, Floats], column: Floats) -> Floats:
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
