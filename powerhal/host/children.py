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
MEMORY = 0.3  # weight of the newest scan in what an unseen child usually does
QUIET = 0.2  # part of a window that tails may fill for the scan to teach about unseen children
LEAST_RATE = 0.01  # even a process that slept may have worked before it ended


@dataclass(frozen=True, slots=True)
class Window:
    """The span since the last scan.

    `births`: processes and threads born in it that no scan saw; where the kernel does not tell, seconds.
    """

    begin_ns: int  # CLOCK_BOOTTIME of the last scan
    ns: int
    births: float


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
    window: Window,
) -> Bookings:
    """Book the children's time of one scan.

    `live`: pid -> Record of the processes that are still there. `touched`: those of them whose `reaped_ns`
    was read in this scan, and those with doubtful credits of the last one. `gone`: vanished before that
    was read; `late`: found missing after.
    """
    touched = dict(touched)
    heirs: dict[int, list[Record]] = {}
    orphaned_ns = 0
    graves = {record.info.pid: record for record in (*gone, *late)}
    for certain, records in ((True, gone), (False, late)):
        for record in records:
            parent = heir(record, live, graves)
            if parent is None:
                orphaned_ns += record.total_ns
                continue
            touched[parent.info.pid] = parent
            parent.accounted_ns += record.total_ns
            parent.doubtful_ns += 0 if certain else record.total_ns
            heirs.setdefault(parent.info.pid, []).append(record)
    for record in touched.values():
        short_ns = record.accounted_ns - record.reaped_ns - record.doubtful_ns - HIDDEN_NS
        if short_ns > 0:  # credit for children that somebody else waited for, or nobody
            record.accounted_ns -= short_ns + HIDDEN_NS
            orphaned_ns += short_ns + HIDDEN_NS
    _offer(live, reapers, orphaned_ns)
    return _book(touched, heirs, window)


def surplus(live: Mapping[int, Record], touched: Mapping[int, Record], gone: Sequence[Record]) -> list[Record]:
    """Processes whose `cutime` grew beyond the credits they are about to get."""
    credit: dict[int, int] = {}
    graves = {record.info.pid: record for record in gone}
    for record in graves.values():
        parent = heir(record, live, graves)
        if parent is not None:
            credit[parent.info.pid] = credit.get(parent.info.pid, 0) + record.total_ns
    return [r for r in touched.values() if r.reaped_ns - r.accounted_ns > credit.get(r.info.pid, 0)]


def heir(record: Record, live: Mapping[int, Record], graves: Mapping[int, Record]) -> Record | None:
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


def _book(touched: Mapping[int, Record], heirs: Mapping[int, list[Record]], window: Window) -> Bookings:
    booked = Bookings()
    for pid, record in touched.items():
        unseen_ns = record.reaped_ns - record.accounted_ns
        record.doubtful_ns = 0
        expected_ns = [_expected_ns(child, window) for child in heirs.get(pid, [])]
        _learn(record, unseen_ns, sum(expected_ns), window)
        if unseen_ns <= 0:
            continue
        record.accounted_ns += unseen_ns
        tails_ns = _tails_ns(record, unseen_ns, expected_ns, window)
        booked.tails += zip(heirs.get(pid, []), tails_ns, strict=True)
        rest = unseen_ns - sum(tails_ns)
        if rest > 0:
            booked.children.append((record, rest))
    return booked


def _expected_ns(child: Record, window: Window) -> int:
    """Most that a vanished child is likely to have done since it was last seen.

    As much again as it lived so far, and no more than the window, at its last rate: what has just been
    born mostly ends soon, what has run for long may have run until a moment ago.
    """
    if child.told:
        return 0
    age_ns = max(TICK_NS, window.begin_ns - child.info.start_ticks * TICK_NS)
    return int(max(child.rate, LEAST_RATE) * min(age_ns, window.ns))


def _learn(parent: Record, unseen_ns: int, expected_ns: int, window: Window) -> None:
    """Remember what an unseen birth usually means in its children's time, from scans without a large tail."""
    if window.births <= 0 or expected_ns > QUIET * window.ns or (unseen_ns <= 0 and parent.per_birth_ns is None):
        return
    mean_ns = max(0, unseen_ns - expected_ns // 2) / window.births
    before_ns = parent.per_birth_ns if parent.per_birth_ns is not None else mean_ns
    parent.per_birth_ns = before_ns + MEMORY * (mean_ns - before_ns)


def _tails_ns(parent: Record, unseen_ns: int, expected_ns: Sequence[int], window: Window) -> list[int]:
    """Split `unseen_ns`: what the vanished children did after the last scan, in proportion to `expected_ns`.

    Without unseen births all of it is theirs. Otherwise what so many births usually mean stays with the
    children row; where that is not known, half of what each child may have done is its own.
    """
    whole = sum(expected_ns)
    if not whole:  # nobody, or all told exactly: what is left is the end of exit itself
        share = unseen_ns // len(expected_ns) if expected_ns and window.births <= 0 else 0
        return [share] * len(expected_ns)
    if window.births <= 0:
        budget = unseen_ns
    elif parent.per_birth_ns is not None:
        budget = min(max(0, unseen_ns - int(parent.per_birth_ns * window.births)), whole)
    else:
        budget = min(unseen_ns, whole // 2)
    return [budget * ns // whole for ns in expected_ns]
