"""Who pays: a column's energy in a window is split by what each process did in that window.

A process pays for the frequencies that its cluster had while it ran, because energy is split window
by window: in a window at 2 GHz its seconds are worth 2 GHz. What no process explains stays with the
device (its rest). A tail is paid by the last user.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.attribution.observed.brackets import beside_spread, sender_spread
from powerhal.attribution.observed.features import Column
from powerhal.channel import Device, ProcessInfo

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LATE_S = 1.0  # processes' bytes are looked at less often than a device's own counter
COMPLETE = 0.97  # processes that explain this much of a device's activity over the run explain all of it


@dataclass(frozen=True, slots=True)
class Amounts:
    """What processes did of one kind of usage: entries (k,) of process index, window index, amount."""

    process: Ints
    window: Ints
    amount: Floats

    def per_window(self, windows: int) -> Floats:
        """Sum over processes in each window."""
        return np.bincount(self.window, self.amount, minlength=windows)[:windows].astype(np.float64)


@dataclass(frozen=True, slots=True)
class Usage:
    """Everything processes did, cut into windows; `processes` gives each index its name."""

    processes: Sequence[ProcessInfo]
    windows: int
    by_activity: dict[str, Amounts]

    @classmethod
    def from_recording(cls, recording: Any, edges: Ints) -> Usage:
        """Usages whose scan lies inside the edges; the first scan is the baseline and counts nothing."""
        table = recording.usages()
        window = np.searchsorted(edges, np.asarray(table.t_ns, dtype=np.int64), side="left") - 1
        inside = (window >= 0) & (window < edges.size - 1) & np.isfinite(table.amount) & (table.amount > 0)
        activity = np.asarray(table.activity)
        found = {}
        for k, name in enumerate(recording.activities):
            mine = inside & (activity == k)
            if mine.any():
                found[name] = Amounts(
                    np.asarray(table.process, dtype=np.int64)[mine],
                    window[mine].astype(np.int64),
                    np.asarray(table.amount, dtype=np.float64)[mine],
                )
        return cls(recording.processes, edges.size - 1, found)

    def by_interface(self, moved: dict[str, Floats]) -> Usage:
        """With bytes told apart by radio, where several moved at once; `moved`: bytes per radio and window.

        The kernel counts a process's bytes, not on which interface. Within a scan, sums rarely fit twice:
        the largest user goes to the radio whose count fits it best, then the next.
        """
        total = self.by_activity.get("net.bytes")
        if total is None or len(moved) < 2:
            return self
        names = list(moved)
        left = np.column_stack([moved[n] for n in names]).copy()
        choice = np.zeros(total.amount.size, dtype=np.int64)
        for k in np.lexsort((-total.amount, total.window)).tolist():
            room = left[total.window[k]]
            choice[k] = int(np.argmin(np.where(room > 0, np.abs(room - total.amount[k]), np.inf)))
            room[choice[k]] = max(0.0, room[choice[k]] - total.amount[k])
        found = dict(self.by_activity)
        for j, name in enumerate(names):
            mine = choice == j
            found[f"net.{name}.bytes"] = Amounts(total.process[mine], total.window[mine], total.amount[mine])
        return Usage(self.processes, self.windows, found)

    def awake(self, activity: str, seconds: Floats) -> Floats | None:
        """Seconds of each window in which anything ran: at least as long as the busiest process.

        Programs wake each other and are woken by the same timers and frames, so their times overlap by
        more than chance has it: most of what the others ran lies inside.
        """
        amounts = self.by_activity.get(activity)
        if amounts is None:
            return None
        longest = np.zeros(self.windows)
        np.maximum.at(longest, amounts.window, amounts.amount)
        out: Floats = np.minimum(longest, seconds)
        return out

    def named(self, column: Column, device: Device) -> list[str]:
        """Recorded kinds of usage that this column's energy is paid by."""
        names: list[str] = []
        for usage in column.payer.usages:
            for either in usage.replace("{cluster}", device.cluster).replace("{device}", device.name).split("|"):
                found = [n for n in self.by_activity if fnmatchcase(n, either)]
                if found:
                    names += found
                    break
        return names

    def speeds(self, cluster: str) -> dict[float, Floats]:
        """Hz -> seconds (windows,) that processes ran at it, where the kernel counted that: usages `run.CLUSTER@HZ`."""
        prefix = f"run.{cluster}@"
        return {
            float(name.removeprefix(prefix)): amounts.per_window(self.windows)
            for name, amounts in self.by_activity.items()
            if name.startswith(prefix)
        }

    def knows_speeds(self, cluster: str) -> bool:
        """Whether the kernel counted at which frequencies processes ran on a cluster."""
        return any(name.startswith(f"run.{cluster}@") for name in self.by_activity)

    def paced(self, cluster: str, pace: Sequence[tuple[float, float]]) -> Usage:
        """With CPU time on a cluster weighed by the frequencies that each process ran at; the sum of a window stays.

        `pace`: (Hz, weight of a second). Time of processes whose frequencies are not known weighs as the average.
        """
        name = f"cpu.{cluster}.time"
        rows = [
            (w, self.by_activity[f"run.{cluster}@{hz:.0f}"])
            for hz, w in pace
            if f"run.{cluster}@{hz:.0f}" in self.by_activity
        ]
        amounts = self.by_activity.get(name)
        if amounts is None or not rows:
            return self
        own = amounts.process * self.windows + amounts.window
        keys, place = np.unique(
            np.concatenate([a.process * self.windows + a.window for _, a in rows]), return_inverse=True
        )
        ran = np.bincount(place.reshape(-1), np.concatenate([a.amount for _, a in rows]))
        cost = np.bincount(place.reshape(-1), np.concatenate([w * a.amount for w, a in rows]))
        at = np.minimum(np.searchsorted(keys, own), keys.size - 1)
        told = (keys[at] == own) & (ran[at] > 0)
        each = np.divide(cost[at], ran[at], out=np.zeros(own.size), where=told)
        time_s = np.bincount(amounts.window, amounts.amount * told, minlength=self.windows)
        mean = np.bincount(amounts.window, amounts.amount * each, minlength=self.windows) / np.maximum(time_s, 1e-12)
        usual = mean[amounts.window]
        factor = np.divide(each, usual, out=np.ones(own.size), where=told & (usual > 0))
        weighed = Amounts(amounts.process, amounts.window, amounts.amount * factor)
        return Usage(self.processes, self.windows, {**self.by_activity, name: weighed})

    def of(self, column: Column, device: Device) -> Amounts | None:
        """What processes did that this column's energy is paid by; None when nothing was recorded."""
        names = self.named(column, device)
        if not names:
            return None
        parts = [self.by_activity[n] for n in names]
        return Amounts(
            np.concatenate([p.process for p in parts]),
            np.concatenate([p.window for p in parts]),
            np.concatenate([p.amount for p in parts]),
        )


@dataclass(frozen=True, slots=True)
class Split:
    """How a column is paid: entry i gives `part[i]` of the column's energy in `window[i]` to `process[i]`.

    Parts of a window add up to at most 1; what is missing to 1 is the device's rest. origin (k,): which
    earlier or later scan an entry was taken over from, -1 where a process pays for its own window.
    unsure (k,): 1 sigma of the part, wrong the same way in all windows of a process.
    """

    process: Ints
    window: Ints
    part: Floats
    origin: Ints
    unsure: Floats

    def energy(self, column_j: Floats, processes: int) -> Floats:
        """Joules of each process (processes,) from the column's energy in each window (n,)."""
        return np.bincount(self.process, self.part * column_j[self.window], minlength=processes).astype(np.float64)

    def coarse(self, activity: Floats, window: Ints) -> Split:
        """The same split for longer windows: `activity` (n,) of my windows, `window` (n,) which each falls into.

        An entry weighs as its window's activity does, so a second at a high frequency costs more.
        """
        whole = np.bincount(window, activity)
        size = int(self.process.max(initial=0)) + 1
        origins = int(self.origin.max(initial=-1)) + 2
        key = (window[self.window] * size + self.process) * origins + self.origin + 1
        keys, place = np.unique(key, return_inverse=True)
        amount = np.bincount(place.reshape(-1), self.part * activity[self.window], minlength=keys.size)
        at = keys // (size * origins)
        part = np.divide(amount, whole[at], out=np.zeros(keys.size), where=whole[at] > 0)
        sway = np.bincount(place.reshape(-1), self.unsure * activity[self.window], minlength=keys.size)
        unsure = np.divide(sway, whole[at], out=np.zeros(keys.size), where=whole[at] > 0)
        return Split(keys // origins % size, at, part, keys % origins - 1, unsure)

    def swayed(self, relative: Floats) -> Split:
        """The same, with each part unsure by `relative` (k,) of itself besides."""
        return replace(self, unsure=np.hypot(self.unsure, self.part * relative))

    def traded(self) -> Split:
        """The same for windows whose sum is measured: what is unsure is only what others could have owed."""
        return replace(self, unsure=self.unsure * (1.0 - np.minimum(self.part, 1.0)))

    def sway(self, column_j: Floats, processes: int) -> Floats:
        """Joules (processes,) by which a process may be off in all windows at once, 1 sigma."""
        return np.bincount(self.process, self.unsure * column_j[self.window], minlength=processes).astype(np.float64)

    def ties(self, column_j: Floats, processes: int) -> Floats:
        """Variance (processes,) from tails that one of several users owes and no scan can tell which, J^2."""
        out = np.zeros(processes)
        carried = np.flatnonzero(self.origin >= 0)
        if carried.size == 0:
            return out
        joules = self.part[carried] * column_j[self.window[carried]]
        key = self.origin[carried] * processes + self.process[carried]
        keys, place = np.unique(key, return_inverse=True)
        mine = np.bincount(place.reshape(-1), joules)
        origin = keys // processes
        whole = np.bincount(origin, mine)[origin]
        np.add.at(out, keys % processes, mine * np.maximum(whole - mine, 0.0))
        return out

    def scaled(self, factor: Floats) -> Split:
        """The same total per window, shared by amounts times a factor per process (processes,)."""
        weight = self.part * factor[self.process]
        size = int(self.window.max(initial=-1)) + 1
        before = np.bincount(self.window, self.part, minlength=size)
        after = np.bincount(self.window, weight, minlength=size)
        ratio = np.divide(before, after, out=np.ones(size), where=after > 0)
        unsure = self.unsure * factor[self.process] * ratio[self.window]
        return Split(self.process, self.window, weight * ratio[self.window], self.origin, unsure)


def split(
    column: Column, device: Device, usage: Usage, activity: Floats, *, seconds: Floats, comparable: Floats | None
) -> Split | None:
    """Who pays for a column in windows of `seconds` (n,) with this activity (n,); None: nobody does.

    `comparable` (n,): the device's own count of what the usages count (busy seconds, bytes), to see what
    processes do not explain; None when there is no such count, and then users pay for all of it.
    """
    amounts = usage.of(column, device)
    if amounts is None:
        return None
    if column.payer.when == "queue":
        return _queued(amounts, activity, round(LATE_S / float(np.median(seconds))))
    beside = np.zeros(amounts.amount.size)
    if column.payer.alone:
        amounts, beside = _alone(amounts, seconds)
    used = amounts.per_window(usage.windows)
    explained = np.ones(usage.windows)
    if comparable is not None and used.sum() < COMPLETE * comparable.sum():
        explained = np.divide(used, comparable, out=np.zeros(usage.windows), where=comparable > 0)
        explained = np.clip(explained, 0.0, 1.0)
    share = amounts.amount / used[amounts.window] * explained[amounts.window]
    if column.payer.when == "now":
        none = np.full(share.size, -1, dtype=np.int64)
        return Split(amounts.process, amounts.window, share, none, share * beside_spread(beside))
    live = used > 0 if comparable is None else (used > 0) & (comparable > 0)
    return _carried(amounts, amounts.amount / used[amounts.window], live, back=column.payer.when == "last")


def _alone(amounts: Amounts, seconds: Floats) -> tuple[Amounts, Floats]:
    """What each owes of a cost that is there once: half of it while another runs too; and how often one does."""
    total = amounts.per_window(seconds.size)
    others = total[amounts.window] - amounts.amount
    beside = np.clip(others / seconds[amounts.window], 0.0, 1.0)
    return Amounts(amounts.process, amounts.window, amounts.amount * (1.0 - 0.5 * beside)), beside


def _queued(amounts: Amounts, served: Floats, late: int) -> Split:
    """First in, first out: what a device serves in a window belongs to the oldest amounts not served yet.

    What was waiting before the run began belongs to nobody here: as much as is needed so that the device
    never serves what nobody has asked for `late` windows later.
    """
    order = np.argsort(amounts.window, kind="stable")
    asked = np.cumsum(amounts.amount[order])
    by_window = np.cumsum(np.bincount(amounts.window, amounts.amount, minlength=served.size))
    done = np.cumsum(served)
    seen = by_window[np.minimum(np.arange(served.size) + late, served.size - 1)]
    before = float(np.max(done - seen, initial=0.0))
    process: list[Ints] = []
    window: list[Ints] = []
    part: list[Floats] = []
    for t in np.flatnonzero(served > 0).tolist():
        low, high = done[t] - served[t] - before, done[t] - before
        first, last = np.searchsorted(asked, low, side="right"), np.searchsorted(asked, high, side="left")
        rows = np.arange(first, min(int(last) + 1, asked.size))
        start = asked[rows] - amounts.amount[order][rows]
        overlap = np.maximum(np.minimum(asked[rows], high) - np.maximum(start, max(low, 0.0)), 0.0)
        process.append(amounts.process[order][rows])
        window.append(np.full(rows.size, t, dtype=np.int64))
        part.append(overlap / served[t])
    none = np.zeros(0, dtype=np.int64)
    who, at = np.concatenate([none, *process]), np.concatenate([none, *window])
    return Split(who, at, np.concatenate([np.zeros(0), *part]), np.full(at.size, -1, dtype=np.int64), np.zeros(at.size))


def _carried(amounts: Amounts, share: Floats, live: npt.NDArray[np.bool_], *, back: bool) -> Split:
    """Every window is paid by the users of the last live window (a tail), or of the next (a way up).

    While it is live, users pay half by what they moved and half alike: a short message takes a slot and an
    answer, however few its bytes are. Which of several was the last (or the first) their amounts do not tell:
    each is as likely as the others.
    """
    windows = live.size
    source = np.where(live, np.arange(windows), -1)
    if back:
        source = np.maximum.accumulate(source)
    else:
        source = np.where(live, source, windows)
        source = np.minimum.accumulate(source[::-1])[::-1]
        source = np.where(source == windows, -1, source)
    users = np.bincount(amounts.window, minlength=windows)
    equal = (np.bincount(amounts.window, share, minlength=windows) / np.maximum(users, 1))[amounts.window]
    order = np.argsort(amounts.window, kind="stable")
    starts = np.searchsorted(amounts.window[order], np.arange(windows + 1))
    window = np.repeat(np.flatnonzero(source >= 0), users[source[source >= 0]])
    none = np.zeros(0, dtype=np.int64)
    members = np.concatenate([none, *(order[starts[s] : starts[s + 1]] for s in source[source >= 0].tolist())])
    origin = source[window]
    own = window == origin
    part = np.where(own, 0.5 * (share[members] + equal[members]), equal[members])
    unsure = np.where(own, sender_spread(share[members], equal[members]), 0.0)
    return Split(amounts.process[members], window, part, origin, unsure)
