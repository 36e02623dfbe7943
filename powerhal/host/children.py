"""Whose was the CPU time of processes that are gone: the books between clocks and `cutime`.

A process that ends hands its time to the parent that waits for it (`cutime + cstime`, wait4). Part of
that was seen on the child's own clock and is booked already; the rest is the child's last moments and
children that lived between two scans. `settle` takes both apart, so that no time is booked twice:

1. every vanished process gives its parent a *credit*: what is booked of it and of its children;
2. a parent's new `cutime` beyond its credits is unseen time;
3. credits that a parent's `cutime` cannot hold belong to processes it did not wait for: they are offered
   to the reapers (pid 1, subreapers), and fall due nowhere when the parent ignores SIGCHLD;
4. unseen time is split between the tails of the vanished children and the parent's children row.

`cutime` is in whole ticks, rounded down twice, so up to 20 ms of a parent's credits may be invisible at
any moment; it is carried, never lost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from powerhal.host.proc_files import TICK_NS
from powerhal.host.record import Record

HIDDEN_NS = 3 * TICK_NS  # two roundings and one tick of slack between clock and cutime
MEMORY = 0.5  # weight of the newest scan in the rate of unseen children
LEAST_RATE = 0.01  # even a process that slept may have worked before it ended


@dataclass(slots=True)
class Bookings:
    """Result of one settlement: (process, ns) of tails and of children rows."""

    tails: list[tuple[Record, int]] = field(default_factory=list)
    children: list[tuple[Record, int]] = field(default_factory=list)

    @property
    def total_ns(self) -> int:
        """Everything booked."""
        return sum(ns for _, ns in self.tails) + sum(ns for _, ns in self.children)


def settle(
    live: Mapping[int, Record],
    touched: Mapping[int, Record],
    gone: Sequence[Record],
    late: Sequence[Record],
    *,
    reapers: set[int],
    window_ns: int,
    unseen_forks: bool,
) -> Bookings:
    """Book the children's time of one scan.

    `live`: pid -> Record of the processes that are still there. `touched`: those of them whose `reaped_ns`
    was read in this scan, and those with doubtful credits of the last one. `gone`: vanished before that
    was read; `late`: found missing after. `unseen_forks`: whether any process was born that no scan saw.
    """
    touched = dict(touched)
    heirs: dict[int, list[Record]] = {}
    orphaned_ns = 0
    graves = {record.info.pid: record for record in (*gone, *late)}
    for certain, records in ((True, gone), (False, late)):
        for record in records:
            parent = _heir(record, live, graves)
            if parent is None:
                orphaned_ns += record.total_ns
                continue
            touched[parent.info.pid] = parent
            parent.accounted_ns += record.total_ns
            parent.doubtful_ns += 0 if certain else record.total_ns
            if record.info.ppid == parent.info.pid:
                heirs.setdefault(parent.info.pid, []).append(record)
    for record in touched.values():
        short_ns = record.accounted_ns - record.reaped_ns - record.doubtful_ns - HIDDEN_NS
        if short_ns > 0:  # credit for children that somebody else waited for, or nobody
            record.accounted_ns -= short_ns + HIDDEN_NS
            orphaned_ns += short_ns + HIDDEN_NS
    _offer(live, reapers, orphaned_ns)
    return _book(touched, heirs, window_ns, unseen_forks)


def surplus(live: Mapping[int, Record], touched: Mapping[int, Record], gone: Sequence[Record]) -> list[Record]:
    """Processes whose `cutime` grew beyond the credits they are about to get."""
    credit: dict[int, int] = {}
    graves = {record.info.pid: record for record in gone}
    for record in graves.values():
        parent = _heir(record, live, graves)
        if parent is not None:
            credit[parent.info.pid] = credit.get(parent.info.pid, 0) + record.total_ns
    return [r for r in touched.values() if r.reaped_ns - r.accounted_ns > credit.get(r.info.pid, 0)]


def _heir(record: Record, live: Mapping[int, Record], graves: Mapping[int, Record]) -> Record | None:
    """The nearest ancestor that still lives; None when the line is lost."""
    ppid = record.info.ppid
    for _ in range(64):
        if ppid in live:
            return live[ppid]
        if ppid not in graves:
            return None
        ppid = graves[ppid].info.ppid
    return None


def _offer(live: Mapping[int, Record], reapers: set[int], orphaned_ns: int) -> None:
    """Set credits nobody could use against what the reapers waited for."""
    for pid in sorted(reapers):
        record = live.get(pid)
        if record is None or orphaned_ns <= 0:
            continue
        taken = min(orphaned_ns, max(0, record.reaped_ns - record.accounted_ns))
        record.accounted_ns += taken
        orphaned_ns -= taken


def _book(
    touched: Mapping[int, Record], heirs: Mapping[int, list[Record]], window_ns: int, unseen_forks: bool
) -> Bookings:
    booked = Bookings()
    for pid, record in touched.items():
        unseen_ns = record.reaped_ns - record.accounted_ns
        record.doubtful_ns = 0
        vanished = heirs.get(pid, [])
        if not vanished and (unseen_ns > 0 or record.unseen_rate is not None):
            rate = max(0, unseen_ns) / max(1, window_ns)
            before = record.unseen_rate if record.unseen_rate is not None else rate
            record.unseen_rate = before + MEMORY * (rate - before)
        if unseen_ns <= 0:
            continue
        record.accounted_ns += unseen_ns
        tails = _tails(record, vanished, unseen_ns, window_ns, unseen_forks)
        booked.tails += tails
        rest = unseen_ns - sum(ns for _, ns in tails)
        if rest > 0:
            booked.children.append((record, rest))
    return booked


def _tails(
    parent: Record, vanished: list[Record], unseen_ns: int, window_ns: int, unseen_forks: bool
) -> list[tuple[Record, int]]:
    """Split `unseen_ns`: what the vanished children did after the last scan, by their last rates.

    Without unseen births all of it is theirs. Otherwise the parent's usual unseen time stays with the
    children row; where that is not known, each child is taken to have lived half the window.
    """
    if not vanished:
        return []
    rates = [max(record.rate, LEAST_RATE) for record in vanished]
    most_ns = [window_ns * max(1, record.threads) for record in vanished]
    expected_ns = [int(min(rate * window_ns, most)) for rate, most in zip(rates, most_ns, strict=True)]
    if not unseen_forks:
        budget = min(unseen_ns, sum(most_ns))
    elif parent.unseen_rate is not None:
        budget = min(max(0, unseen_ns - int(parent.unseen_rate * window_ns)), sum(expected_ns))
    else:
        budget = min(unseen_ns, sum(expected_ns) // 2)
    scale = budget / sum(rates)
    return [(record, int(rate * scale)) for record, rate in zip(vanished, rates, strict=True)]
