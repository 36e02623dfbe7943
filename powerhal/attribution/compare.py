"""Whether runs differ: per row the difference with its interval, a verdict, and how many more runs would settle it.

Three kinds of error make up a difference of two means of runs:

  common    a sensor's gain or a model's coefficient is off by the same in every run of the device (or with the
            model): of such an error only the difference of the two sides' loadings is left
  own       what only one run's measurement and attribution are off by; averages over runs
  between   how much runs of one side differ beyond that: from two runs a side on it is seen in the data, with one
            run a side nobody can know, and the answer is about these two runs only

Many rows are judged at once, so verdicts hold the rate of false discoveries (Benjamini and Hochberg 1995).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt
from typing import Any

import numpy as np

from powerhal.attribution.ledger import Ledger, Row
from powerhal.attribution.more_runs import POWER_Z, Spread, more_runs
from powerhal.attribution.uncertainty import Z90, Doubt, student_quantile, student_tail
from powerhal.errors import NotEnoughData, UsageError

SCHEMA = 1
LEVEL = 0.1  # of false discoveries among rows called real
Key = tuple[str, str]  # kind, name
TOTAL: Key = ("total", "total")
UNITS = {"second": "W", "run": "J"}


@dataclass(frozen=True, slots=True)
class Item:
    """One row of one run: W or J, loadings on errors that other runs share (by name), variance of its own."""

    value: float
    common: Mapping[str, float] = field(default_factory=dict)
    own2: float = 0.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: its label, machine, seconds that were measured, rows."""

    label: str
    machine: str
    seconds: float
    items: Mapping[Key, Item]


@dataclass(frozen=True, slots=True)
class Difference:
    """One row of a comparison, in W or J. `before`, `after`: means of the sides (None: no run had the row).

    low..high: 90 % interval of the difference; p: of a difference at least as large where there is none; q: the
    same with all rows counted; more_runs: that each side lacks for a verdict (0 where `real`), None when the
    difference is too small for any sensible number; least: the smallest difference that these runs would most
    likely have shown.
    """

    kind: str
    name: str
    before: float | None
    after: float | None
    difference: float
    low: float
    high: float
    p: float
    q: float
    more_runs: int | None
    least: float

    @property
    def real(self) -> bool:
        """Whether a difference is told from none, all rows of the comparison counted."""
        return self.q <= LEVEL

    @property
    def relative(self) -> float | None:
        """Difference as a part of `before`; None where that is 0 or unknown."""
        return self.difference / self.before if self.before else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Rows (the total first, then devices and idle, then processes), runs of both sides, `per` second or run, notes."""

    rows: tuple[Difference, ...]
    before: tuple[Measured, ...]
    after: tuple[Measured, ...]
    per: str
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `compare --json`."""
        unit = UNITS[self.per].lower()
        return {
            "schema": SCHEMA,
            "per": self.per,
            "confidence": 0.9,
            "false_discovery_rate": LEVEL,
            "before": [_about(run) for run in self.before],
            "after": [_about(run) for run in self.after],
            "rows": [
                {
                    "kind": r.kind, "name": r.name, f"before_{unit}": r.before, f"after_{unit}": r.after,
                    f"difference_{unit}": r.difference, f"low_{unit}": r.low, f"high_{unit}": r.high,
                    "relative": r.relative, "p": r.p, "q": r.q, "real": r.real,
                    "verdict": "real" if r.real else "not distinguishable", "more_runs": r.more_runs,
                    f"least_detectable_{unit}": r.least,
                }
                for r in self.rows
            ],
            "notes": list(self.notes),
        }  # fmt: skip


def _about(run: Measured) -> dict[str, Any]:
    return {"label": run.label, "machine": run.machine, "measured_s": run.seconds}


def compare(
    before: Sequence[tuple[str, Ledger]],
    after: Sequence[tuple[str, Ledger]],
    *,
    by: str = "process",
    per: str = "second",
    same_machine: bool | None = None,
) -> Comparison:
    """Compare two sets of runs, each (label, ledger); `by`: how processes are grouped, as in `Ledger.view`.

    per: `second` compares mean W over the measured time, `run` joules of whole runs. same_machine: None asks the
    ledgers. Raises UsageError for an empty side, unknown words or ledgers of different policies, NotEnoughData for
    a run without measured time.
    """
    if not before or not after:
        raise UsageError("a comparison needs a run on each side")
    if per not in UNITS:
        raise UsageError(f"nothing is counted per {per!r}: there are {', '.join(UNITS)}")
    ledgers = [ledger for _, ledger in (*before, *after)]
    if len(policies := {ledger.policy for ledger in ledgers}) > 1:
        raise UsageError(
            f"idle energy is divided differently in these ledgers: {', '.join(sorted(policies))}",
            hint="attribute all of them with one --policy",
        )
    joined = _joined_devices(ledgers)
    sides = [[_measured(label, ledger, by, per, joined) for label, ledger in side] for side in (before, after)]
    machines = {run.machine for side in sides for run in side}
    same = len(machines) == 1 if same_machine is None else same_machine
    keys = dict.fromkeys(key for side in sides for run in side for key in run.items)
    found = [_judged(key, sides[0], sides[1], same=same) for key in keys]
    rows = _with_q(found)
    return Comparison(rows, tuple(sides[0]), tuple(sides[1]), per, _notes(sides, ledgers, same=same, per=per))


# -- one run -------------------------------------------------------------------------------------


def _joined_devices(ledgers: Sequence[Ledger]) -> dict[str, str]:
    """Device (or idle) -> name of the row it is part of in at least one run: what one run cannot tell apart is
    put together in all of them."""
    home: dict[str, set[str]] = {}
    for ledger in ledgers:
        for row in ledger.of_kind("group"):
            whole = set(row.members).union(*(home.get(m, set()) for m in row.members))
            home.update(dict.fromkeys(whole, whole))
    return {name: " + ".join(sorted(whole)) for name, whole in home.items()}


def _measured(label: str, ledger: Ledger, by: str, per: str, joined: Mapping[str, str]) -> Measured:
    seconds = ledger.total.duration_s - ledger.total.missing_s
    if not seconds > 0:
        raise NotEnoughData(f"{label}: nothing was measured in it", hint="record it again")
    scale = 1.0 / seconds if per == "second" else 1.0
    total = ledger.total
    half = (total.high_j - total.energy_j) / Z90
    plain = Row("total", "total", total.energy_j, total.low_j, total.high_j, total.loadings)
    if total.loadings.size != len(ledger.doubts):
        plain = Row("total", "total", total.energy_j, total.low_j, total.high_j, np.zeros(0), half**2)
    items = {TOTAL: _item(ledger, plain, scale)}
    tops: dict[Key, list[Row]] = {}
    for row in ledger.of_kind("device", "group", "idle", "unattributed"):
        name = joined.get(row.members[0] if row.kind == "group" else row.name, row.name)
        kind = "group" if name != row.name or row.kind == "group" else row.kind
        tops.setdefault((kind, name), []).append(row)
    items |= {key: _item(ledger, ledger.merge(key[1], rows), scale) for key, rows in tops.items()}
    if by != "device":
        for row in ledger.view(by):
            if row.kind == "process":
                items["process", f"{row.name} (itself)" if row.own else row.name] = _item(ledger, row, scale)
    return Measured(label, ledger.machine or ledger.board, seconds, items)


def _item(ledger: Ledger, row: Row, scale: float) -> Item:
    """Errors that are this run's alone become one variance; the others keep their names."""
    common: dict[str, float] = {}
    own2 = row.alone_j2
    for doubt, load in zip(ledger.doubts, row.loadings.tolist(), strict=False):
        size = load * (ledger.t90 / Z90 if doubt.learned else 1.0)
        if _shared(doubt):
            common[doubt.name] = common.get(doubt.name, 0.0) + size * scale
        else:
            own2 += size**2
    return Item(row.energy_j * scale, common, own2 * scale**2)


def _shared(doubt: Doubt) -> bool:
    return doubt.scope != "run"


# -- one row -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Side:
    """A side's mean, its mean loadings, own variance of a run, number of runs, sum of squares about the mean."""

    mean: float
    common: Mapping[str, float]
    own2: float
    runs: int
    squares: float
    seen: bool


def _side(key: Key, runs: Sequence[Measured]) -> _Side:
    """A run without the row has 0 of it: a process that was never seen used nothing that could be seen."""
    items = [run.items.get(key, Item(0.0)) for run in runs]
    values = np.array([i.value for i in items])
    names = dict.fromkeys(name for i in items for name in i.common)
    common = {name: float(np.mean([i.common.get(name, 0.0) for i in items])) for name in names}
    own2 = float(np.mean([i.own2 for i in items]))
    seen = any(key in run.items for run in runs)
    return _Side(float(values.mean()), common, own2, len(runs), float(((values - values.mean()) ** 2).sum()), seen)


def _judged(
    key: Key, before: Sequence[Measured], after: Sequence[Measured], *, same: bool
) -> tuple[Difference, Spread]:
    """The row by itself (q and more_runs are left to `_with_q`), and what it is unsure by."""
    one, other = _side(key, before), _side(key, after)
    difference = other.mean - one.mean
    parts = 1.0 / one.runs + 1.0 / other.runs
    freedom = one.runs + other.runs - 2
    own2 = (one.own2 / one.runs + other.own2 / other.runs) / parts
    scatter2 = (one.squares + other.squares) / freedom if freedom else 0.0
    # Runs that agree by luck do not make their measurement better than it is.
    spread = Spread(_common(one, other, same=same), max(own2, scatter2), scatter2 > own2, one.runs, other.runs)
    variance, degrees = spread.at()
    sd = sqrt(variance)
    half = student_quantile(0.9, degrees) * sd
    p = student_tail(abs(difference) / sd, degrees) if sd > 0 else float(difference == 0)
    row = Difference(
        *key, one.mean if one.seen else None, other.mean if other.seen else None, difference, difference - half,
        difference + half, p, p, None, (Z90 + POWER_Z) * sd,
    )  # fmt: skip
    return row, spread


def _common(one: _Side, other: _Side, *, same: bool) -> float:
    """Variance that more runs do not reduce. On one machine a sensor's error goes through both sides alike."""
    names = dict.fromkeys((*one.common, *other.common))
    pairs = [(one.common.get(n, 0.0), other.common.get(n, 0.0)) for n in names]
    return sum((b - a) ** 2 if same else a**2 + b**2 for a, b in pairs)


def _with_q(found: Sequence[tuple[Difference, Spread]]) -> tuple[Difference, ...]:
    """The same with q: the total is a question of its own, the other rows are asked together."""
    whole = [(d, s) for d, s in found if (d.kind, d.name) == TOTAL]
    rest = [(d, s) for d, s in found if (d.kind, d.name) != TOTAL]
    adjusted: dict[int, float] = {}
    lowest = 1.0
    ranks = sorted(range(len(rest)), key=lambda k: rest[k][0].p)
    for rank, place in reversed(list(enumerate(ranks, start=1))):
        lowest = min(lowest, rest[place][0].p * len(rest) / rank)
        adjusted[place] = lowest
    told = [_settled(d, s, adjusted[k]) for k, (d, s) in enumerate(rest)]
    order = {"total": 0, "device": 1, "group": 1, "idle": 2, "unattributed": 3, "process": 4}
    told.sort(key=lambda d: (order.get(d.kind, 5), -max(d.before or 0.0, d.after or 0.0)))
    return (*(_settled(d, s, d.p) for d, s in whole), *told)


def _settled(row: Difference, spread: Spread, q: float) -> Difference:
    """The row with its q, and how many runs it lacks to be called real while the other rows stay what they are."""
    if q <= LEVEL:
        return replace(row, q=q, more_runs=0)
    return replace(row, q=q, more_runs=more_runs(row.difference, spread, LEVEL * row.p / q))


def _notes(sides: Sequence[Sequence[Measured]], ledgers: Sequence[Ledger], *, same: bool, per: str) -> tuple[str, ...]:
    out = []
    if len(sides[0]) == len(sides[1]) == 1:
        out.append(
            "one run a side: the verdict is about these two runs; how much runs of the same kind differ is not known "
            "(give several a side: A1 A2 --against B1 B2)"
        )
    elif min(map(len, sides)) == 1:
        out.append("one side is a single run: runs of both sides are taken to scatter alike")
    machines = sorted({run.machine for side in sides for run in side})
    if same:
        out.append("all runs are taken to be of one machine: what its sensors are off by cancels where it is the same")
    else:
        out.append(f"the runs are of different machines ({', '.join(machines)}): errors of their sensors do not cancel")
    seconds = [float(np.mean([run.seconds for run in side])) for side in sides]
    if per == "run" and abs(seconds[1] / seconds[0] - 1.0) > 0.02:
        out.append(
            f"joules of whole runs are compared, and these took {seconds[0]:.3g} s and {seconds[1]:.3g} s "
            "(--per second compares mean watts)"
        )
    texts = dict.fromkeys(n for ledger in ledgers for n in ledger.notes if "taken as independent" in n)
    return (*out, *texts)
