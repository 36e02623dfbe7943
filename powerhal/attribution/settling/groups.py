"""Rows that cannot be told apart are reported together, with the experiment that would separate them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.attribution.ledger import Row, interval
from powerhal.attribution.model import Learned
from powerhal.attribution.observed.features import EXPERIMENTS
from powerhal.attribution.settling.doubts import Doubted
from powerhal.attribution.settling.settled import Settled

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

VAGUE = 0.5  # a row whose standard deviation exceeds this part of its value is not reported alone
UNSURE = 0.2  # its partner must be in doubt as well: a small vague row does not hide a large known one
TRADED = -0.8  # correlation of two rows beyond which one gets what the other loses
SURER = 0.5  # the sum of rows that trade among several is at least so much surer than the vague one of them
INFLATED = -0.95  # a variance inflated ten times and more: unsure rows are joined before they are vague
WORTH = 0.005  # of the total: smaller rows are printed as they are


@dataclass(frozen=True, slots=True)
class Merged:
    """Rows after merging, the groups in words, notes."""

    rows: tuple[Row, ...]
    groups: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]


def merge_groups(rows: Sequence[Row], learned: Learned, settled: Settled, doubted: Doubted, t90: float) -> Merged:
    """Put device and idle rows together whose sum is known while their parts are not."""
    total = float(settled.total_j.sum())
    top = [r for r in rows if r.kind in ("device", "idle")]
    kinds = {d.name: d.kind for d in learned.problem.design.topology.devices}
    groups: list[Mapping[str, Any]] = []
    out = list(rows)
    seconds = float(learned.problem.design.seconds.sum())
    for members in _traded(top, total, doubted.factors):
        merged = _join([top[k] for k in members], doubted, t90)
        out = [r for r in out if all(r is not top[k] for k in members)]
        out.insert(0, merged)
        names = [top[k].name for k in members]
        strongest = _strongest([top[k] for k in members], doubted.factors)
        text = (
            f"{_spoken(names)} cannot be told apart here: together {merged.energy_j / seconds:.3g} W "
            f"± {merged.half_j / seconds:.2g} W; they changed together, so what one is given the other loses "
            f"(correlation {strongest:.2f}); to separate them, {_experiments(names, kinds)}"
        )
        groups.append(
            {
                "names": names, "kind": "rows", "energy_j": merged.energy_j, "low_j": merged.low_j,
                "high_j": merged.high_j, "mean_w": merged.energy_j / seconds, "text": text,
            }
        )  # fmt: skip
    groups += _coefficient_groups(learned)
    return Merged(tuple(out), tuple(groups), ())


def _traded(rows: Sequence[Row], total: float, factors: int) -> list[list[int]]:
    """Sets of rows of which each is vague and trades energy with another (connected components)."""
    size = len(rows)
    loadings = np.stack([r.loadings[:factors] for r in rows]) if rows else np.zeros((0, factors))
    covariance = loadings @ loadings.T
    sd = np.sqrt(np.diag(covariance))
    vague = np.array(
        [s > VAGUE * abs(r.energy_j) and s > WORTH * total for s, r in zip(sd, rows, strict=True)], dtype=bool
    )
    correlation = covariance / np.maximum(np.outer(sd, sd), 1e-30)
    unsure = sd > UNSURE * np.array([abs(r.energy_j) for r in rows])
    one_vague = (vague[:, None] & unsure) | (unsure[:, None] & vague)
    worth = sd > WORTH * total
    both_unsure = (unsure & worth)[:, None] & (unsure & worth)
    linked = ((correlation < TRADED) & one_vague) | ((correlation < INFLATED) & both_unsure)
    left, found = set(np.flatnonzero(linked.any(axis=1)).tolist()), []
    while left:
        members, edge = set(), {min(left)}
        while edge:
            members |= edge
            edge = {j for j in range(size) if any(linked[k, j] for k in edge)} - members
        left -= members
        found.append(sorted(members))
    alone = vague & ~linked.any(axis=1)
    return _among_several(covariance, alone, unsure & worth, found)


def _among_several(covariance: Floats, vague: Bools, unsure: Bools, found: list[list[int]]) -> list[list[int]]:
    """Groups with the vague rows that trade with several others at once, and with none of them alone.

    A row takes in whichever unsure row makes the sum surest, as long as that helps; it stays alone where even the
    sum of all is not much surer than it is.
    """
    groups = [set(members) for members in found]
    for start in np.flatnonzero(vague).tolist():
        if any(start in group for group in groups):
            continue
        members, best = {start}, float(covariance[start, start])
        while others := [j for j in np.flatnonzero(unsure).tolist() if j not in members]:
            sums = {j: float(covariance[np.ix_([*members, j], [*members, j])].sum()) for j in others}
            chosen = min(sums, key=lambda j: sums[j])
            if sums[chosen] >= best:
                break
            members.add(chosen)
            best = sums[chosen]
        if len(members) > 1 and best < SURER**2 * float(covariance[start, start]):
            touched = [group for group in groups if group & members]
            groups = [group for group in groups if not group & members] + [members.union(*touched)]
    return [sorted(group) for group in groups]


def _strongest(rows: Sequence[Row], factors: int) -> float:
    """The most negative correlation between any two of the rows."""
    loadings = np.stack([r.loadings[:factors] for r in rows])
    sd = np.maximum(np.sqrt((loadings**2).sum(axis=1)), 1e-30)
    return float((loadings @ loadings.T / np.outer(sd, sd)).min())


def _experiments(names: Sequence[str], kinds: Mapping[str, str]) -> str:
    """What to record so that one of these changes while the others do not."""
    known = dict.fromkeys(kinds.get(n, n) for n in names)
    told = [EXPERIMENTS[k] for k in known if k in EXPERIMENTS]
    plain = [n for n in names if kinds.get(n, n) not in EXPERIMENTS]
    told += [f"let {n} change for 10 s while the others hold still" for n in plain]
    return "; or ".join(told)


def _join(rows: Sequence[Row], doubted: Doubted, t90: float) -> Row:
    loadings = np.sum([r.loadings for r in rows], axis=0)
    joules = sum(r.energy_j for r in rows)
    alone = sum(r.alone_j2 for r in rows)
    low, high = interval(joules, loadings, alone, doubted.doubts, t90)
    names = tuple(r.name for r in rows)
    devices = {r.name: r.energy_j for r in rows}
    return Row(" + ".join(names), "group", joules, low, high, loadings, alone, devices=devices, members=names)


def _coefficient_groups(learned: Learned) -> list[Mapping[str, Any]]:
    """Coefficients that the fit knows only together, one entry for each set of devices, without the process terms."""
    terms = {t.name: t for t in learned.problem.terms}
    kinds = {d.name: d.kind for d in learned.problem.design.topology.devices}
    found: dict[tuple[str, ...], list[str]] = {}
    for group in learned.fit.groups:
        names = [n for n in group.names if terms[n].kind in ("activity", "constant")]
        columns = {(terms[n].column or n, terms[n].rail) for n in names}
        if len(names) < 2 or group.kind != "together" or len(columns) < 2:
            continue
        owners = dict.fromkeys(c.device if (c := terms[n].column) else n for n in names)
        mine = found.setdefault(tuple(owners), [])
        mine += [n for n in names if n not in mine]
    return [
        {"names": names, "kind": "coefficients", "text": _causes(owners, len(names), kinds)}
        for owners, names in found.items()
    ]


def _causes(owners: Sequence[str], causes: int, kinds: Mapping[str, str]) -> str:
    if len(owners) == 1:
        return f"{owners[0]}: what it draws is known; how much of it is due to each of {causes} causes is not"
    return (
        f"{_spoken(owners)}: {causes} of their causes changed together; their rows' intervals say how far they are "
        f"known apart; to know more, {_experiments(owners, kinds)}"
    )


def _spoken(names: Sequence[str]) -> str:
    return " + ".join(names)
