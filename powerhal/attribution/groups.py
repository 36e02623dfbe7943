"""Rows that cannot be told apart are reported together, with the experiment that would separate them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.attribution.doubts import Doubted
from powerhal.attribution.features import EXPERIMENTS
from powerhal.attribution.ledger import Row, interval
from powerhal.attribution.model import Learned
from powerhal.attribution.settle import Settled

Floats = npt.NDArray[np.float64]

VAGUE = 0.5  # a row whose standard deviation exceeds this part of its value is not reported alone
UNSURE = 0.2  # its partner must be in doubt as well: a small vague row does not hide a large known one
TRADED = -0.8  # correlation of two rows beyond which one gets what the other loses
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
        todo = "; or ".join(EXPERIMENTS[k] for k in dict.fromkeys(kinds.get(n, n) for n in names) if k in EXPERIMENTS)
        text = f"{_spoken(names)} cannot be told apart here: together {merged.energy_j / seconds:.3g} W"
        text += f" ± {merged.half_j / seconds:.2g} W; to separate them, {todo}" if todo else ""
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
    linked = (correlation < TRADED) & ((vague[:, None] & unsure) | (unsure[:, None] & vague))
    left, found = set(np.flatnonzero(linked.any(axis=1)).tolist()), []
    while left:
        members, edge = set(), {min(left)}
        while edge:
            members |= edge
            edge = {j for j in range(size) if any(linked[k, j] for k in edge)} - members
        left -= members
        found.append(sorted(members))
    return found


def _join(rows: Sequence[Row], doubted: Doubted, t90: float) -> Row:
    loadings = np.sum([r.loadings for r in rows], axis=0)
    joules = sum(r.energy_j for r in rows)
    alone = sum(r.alone_j2 for r in rows)
    low, high = interval(joules, loadings, alone, doubted.doubts, t90)
    names = tuple(r.name for r in rows)
    devices = {r.name: r.energy_j for r in rows}
    return Row(" + ".join(names), "group", joules, low, high, loadings, alone, devices=devices, members=names)


def _coefficient_groups(learned: Learned) -> list[Mapping[str, Any]]:
    """Coefficients that the fit knows only together, one entry a device, without the process terms."""
    terms = {t.name: t for t in learned.problem.terms}
    found: dict[str, list[str]] = {}
    for group in learned.fit.groups:
        names = [n for n in group.names if terms[n].kind in ("activity", "constant")]
        devices = {(terms[n].column or n, terms[n].rail) for n in names}
        if len(names) < 2 or group.kind != "together" or len(devices) < 2:
            continue
        column = terms[names[0]].column
        mine = found.setdefault(column.device if column else names[0], [])
        mine += [n for n in names if n not in mine]
    return [
        {
            "names": names, "kind": "coefficients",
            "text": f"{device}: what it draws is known; how much of it is due to each of {len(names)} causes is not",
        }
        for device, names in found.items()
    ]  # fmt: skip


def _spoken(names: Sequence[str]) -> str:
    return " + ".join(names)
