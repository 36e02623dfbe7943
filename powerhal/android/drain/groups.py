"""Rows of a dump's ledger that say too little alone are put together until what is printed is known.

A board's ledger joins rows that trade energy with each other. A phone's battery total leaves more open: many
states overlap, and windows are few. Here a vague row joins the row with which it is known best, again and again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil, isfinite

from powerhal.attribution.ledger import Ledger, Row

VAGUE = 0.5  # half an interval over this part of the value: the row says little alone
WORTH = 0.02  # of the total: a smaller half interval disturbs nobody


def grouped(ledger: Ledger) -> Ledger:
    """The same ledger with vague device and idle rows joined; groups say what is known together, and what misses."""
    top = [r for r in ledger.rows if r.kind in ("device", "idle", "group")]
    rest = [r for r in ledger.rows if r.kind not in ("device", "idle", "group")]
    joined: list[Row] = []
    whole = ledger.total.energy_j
    while len(top) > 1 and (vague := [r for r in top if _vague(r, whole)]):
        worst = max(vague, key=lambda r: r.half_j)
        partner = min((r for r in top if r is not worst), key=lambda r: _relative(_join(ledger, worst, r)))
        new = _join(ledger, worst, partner)
        top = [r for r in top if r is not worst and r is not partner]
        joined = [r for r in joined if r is not worst and r is not partner] + [new]
        top.append(new)
    names = {name for row in joined for name in row.members}
    # Coefficients that are known only as sums are what the rows' intervals say already; a board's reader wants more.
    kept = [g for g in ledger.groups if g.get("kind") == "rows" and not names & set(g["names"])]
    if not joined:
        return replace(ledger, groups=tuple(kept))
    groups = [_about(ledger, row, ledger.rows) for row in joined]
    order = sorted((r for r in top if r.kind != "idle"), key=lambda r: -r.energy_j)
    rows = (*order, *(r for r in top if r.kind == "idle"), *rest)
    return replace(ledger, rows=rows, groups=(*groups, *kept))


def _vague(row: Row, whole: float) -> bool:
    return row.half_j > max(VAGUE * row.energy_j, WORTH * whole)


def _relative(row: Row) -> float:
    return row.half_j / max(row.energy_j, 1e-9)


def _join(ledger: Ledger, a: Row, b: Row) -> Row:
    """One row for two, with names and devices in the order of their energy."""
    pair = sorted((a, b), key=lambda r: -r.energy_j)
    both = ledger.merge("", pair)
    names = [n for r in pair for n in (r.members or (r.name,))]
    devices = {n: j for r in pair for n, j in (r.devices if r.members else {r.name: r.energy_j}).items()}
    return replace(both, name=" + ".join(names), kind="group", members=tuple(names), devices=devices, device=None)


def _about(ledger: Ledger, row: Row, before: Sequence[Row]) -> dict[str, object]:
    """What is said of a group: its watts, and how many more windows would tell its largest member apart."""
    seconds = ledger.total.duration_s - ledger.total.missing_s
    text = f"{row.name} cannot be told apart here: together {row.energy_j / seconds:.3g} W"
    text += f" ± {row.half_j / seconds:.2g} W"
    alone = [r for r in before if r.name in row.members and r.energy_j > 0]
    best = min((_relative(r) for r in alone), default=float("inf"))
    windows = int(ledger.model.get("windows") or 0)
    if isfinite(best) and VAGUE < best < 10 and windows:
        text += f"; about {ceil(windows * ((best / VAGUE) ** 2 - 1))} more windows like these would settle the first"
    return {
        "names": list(row.members), "kind": "rows", "energy_j": row.energy_j, "low_j": row.low_j,
        "high_j": row.high_j, "mean_w": row.energy_j / seconds, "text": text,
    }  # fmt: skip
