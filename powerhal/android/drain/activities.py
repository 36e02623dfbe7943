"""What a dump's history says was going on, as spans of time: states, enums, who was in front, who ran what.

Times are ms since the history's first item. A state lasts until it is switched off, or until the history
says that nothing is known any more (OVERFLOW, SHUTDOWN) or starts anew (RESET, START).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.android.history.states import Change, History
from powerhal.android.history.tokens import BY_NAME

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Span = tuple[int, int]

ENUMS = (
    "brightness", "phone_signal_strength", "wifi_signal_strength", "data_conn", "device_idle", "plug", "status",
    "gps_signal_quality", "phone_state",
)  # fmt: skip
#: events that last and belong to a uid; `top` is one app at a time
LASTING = ("top", "job", "sync", "longwake", "wake_lock_in")
MOST_UID = 2**31 - 1  # a uid is an int of the platform; what is larger is no uid
STILL = frozenset({"none", "off", "in", "unknown", "?"})
CHARGING = frozenset({"charging", "full"})
METERS = ("modemRailChargemAh", "wifiRailChargemAh")
FORGOTTEN = ("RESET", "START", "SHUTDOWN", "OVERFLOW")


@dataclass(frozen=True, slots=True)
class Worked:
    """CPU time since the sample before, ms: all of it, and of the uids that the platform names (at most three)."""

    time_ms: int
    user_ms: int
    system_ms: int
    uids: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class Timeline:
    """Spans (start, end) in ms, disjoint and in order per name; `people`: (start, end, uid, text) per kind.

    known: where the history's states can be trusted; enums: (start, end, value); worked: CPU samples.
    meters: (ms, mAh since boot) of rails that the phone measures.
    """

    end_ms: int = 0
    known: list[Span] = field(default_factory=list)
    states: dict[str, list[Span]] = field(default_factory=dict)
    enums: dict[str, list[tuple[int, int, str]]] = field(default_factory=dict)
    people: dict[str, list[tuple[int, int, int, str]]] = field(default_factory=dict)
    worked: list[Worked] = field(default_factory=list)
    meters: dict[str, list[tuple[int, float]]] = field(default_factory=dict)

    def plugged(self) -> list[Span]:
        """When the phone was on a charger by any of the ways a history says so, joined."""
        spans = [*self.states.get("plugged", ()), *self.states.get("charging", ())]
        spans += [(a, b) for a, b, value in self.enums.get("plug", ()) if value not in STILL]
        spans += [(a, b) for a, b, value in self.enums.get("status", ()) if value in CHARGING]
        return joined(spans)

    def unknown(self) -> list[Span]:
        """When nothing is known of the states: the gaps between `known`."""
        edges = [0, *(t for span in self.known for t in span), self.end_ms]
        return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a]


def joined(spans: Sequence[Span]) -> list[Span]:
    """Spans put together where they touch or overlap, in order, empty ones left out."""
    out: list[Span] = []
    for start, end in sorted(s for s in spans if s[1] > s[0]):
        if out and start <= out[-1][1]:
            out[-1] = (out[-1][0], max(end, out[-1][1]))
        else:
            out.append((start, end))
    return out


def timeline(history: History) -> Timeline:
    """The spans of a history that has been read to its end."""
    builder = _Builder()
    marks = [m for m in history.marks if m.command in FORGOTTEN]
    # A mark stands before the item of its own line, whatever comes first at one time.
    for item in history.items:
        while marks and marks[0].line <= item.line:
            mark = marks.pop(0)
            builder.forget(mark.time_ms, mark.command)
        for change in item.changes:
            builder.change(item.time_ms, change)
    for mark in marks:
        builder.forget(mark.time_ms, mark.command)
    return builder.finish(history.now_ms)


class _Builder:
    """Open states while the history is walked through."""

    def __init__(self) -> None:
        self.out = Timeline()
        self.bits: dict[str, int] = {}
        self.values: dict[str, tuple[int, str]] = {}
        self.who: dict[tuple[str, int, str], int] = {}
        self.since: int | None = 0

    def change(self, now: int, change: Change) -> None:
        sign, name, value = change
        if name in ENUMS and value is not None and not (name == "device_idle" and sign):
            self._value(now, name, str(value))
        elif name in LASTING and isinstance(value, tuple):
            self._event(now, sign, name, value)
        elif name == "cpu_times" and isinstance(value, tuple):
            worked = _worked(now, value)
            if worked:
                self.out.worked.append(worked)
        elif name in METERS:
            if (mah := _charge(value)) is not None:
                self.out.meters.setdefault(name, []).append((now, mah))
        elif sign and self.since is not None and (word := BY_NAME.get(name)) and word.kind in ("bit", "enum"):
            if sign == "+":
                self.bits.setdefault(name, now)
            else:
                self._off(name, now)

    def _off(self, name: str, now: int) -> None:
        start = self.bits.pop(name, None)
        if start is not None and now > start:
            self.out.states.setdefault(name, []).append((start, now))

    def _value(self, now: int, name: str, value: str) -> None:
        before = self.values.pop(name, None)
        if before is not None and now > before[0]:
            self.out.enums.setdefault(name, []).append((before[0], now, before[1]))
        self.values[name] = (now, value)

    def _event(self, now: int, sign: str, name: str, value: tuple[object, ...]) -> None:
        uid, text = value[0], str(value[1])
        if not isinstance(uid, int) or not 0 <= uid <= MOST_UID or self.since is None:
            return
        key = (name, uid, text)
        if sign == "-":
            self._left(key, now)
            return
        if name == "top":
            for other in [k for k in self.who if k[0] == "top" and k != key]:
                self._left(other, now)
        self.who.setdefault(key, now)

    def _left(self, key: tuple[str, int, str], now: int) -> None:
        start = self.who.pop(key, None)
        if start is not None and now > start:
            self.out.people.setdefault(key[0], []).append((start, now, key[1], key[2]))

    def forget(self, now: int, command: str) -> None:
        """A command after which states are unknown or start anew."""
        self._close(now)
        if self.since is not None and now > self.since:
            self.out.known.append((self.since, now))
        self.since = now if command in ("RESET", "START") else None

    def _close(self, now: int) -> None:
        for name in list(self.bits):
            self._off(name, now)
        for name, (start, value) in self.values.items():
            if now > start:
                self.out.enums.setdefault(name, []).append((start, now, value))
        self.values.clear()
        for key in list(self.who):
            self._left(key, now)

    def finish(self, end: int) -> Timeline:
        """Close everything at the end of the history."""
        self._close(end)
        if self.since is not None and end > self.since:
            self.out.known.append((self.since, end))
        self.out.end_ms = end
        for spans in self.out.people.values():
            spans.sort()
        return self.out


def _charge(value: object) -> float | None:
    """A sum in mAh as the history gives it; None for what is none."""
    try:
        found = float(value) if isinstance(value, int | float | str) else -1.0
    except (ValueError, OverflowError):
        return None
    return found if 0.0 <= found < 1e9 else None


def _worked(now: int, value: tuple[object, ...]) -> Worked | None:
    """A `Dcpu` detail: `user:system/uid:user:system/...` in ms; None when it is not one."""
    text = ",".join(str(part) for part in value[1:] if part is not None)
    numbers: list[list[int]] = []
    for part in text.split("/"):
        pieces = part.split(":")
        if not all(p.isascii() and p.isdigit() and len(p) < 16 for p in pieces):
            return None
        numbers.append([int(p) for p in pieces])
    if not numbers or len(numbers[0]) != 2 or any(len(n) != 3 for n in numbers[1:]):
        return None
    uids = tuple((uid, u + s) for uid, u, s in numbers[1:] if uid <= MOST_UID)
    return Worked(now, numbers[0][0], numbers[0][1], uids)


class Grid:
    """A timeline cut at every change and at every window edge: states as arrays over the pieces.

    edges_ms (n+1,): window edges. `seconds` (g,): length of each piece; `window` (g,): which window it is in.
    """

    def __init__(self, line: Timeline, edges_ms: Ints) -> None:
        self.line = line
        self.edges = edges_ms
        points = [edges_ms]
        points += [np.array(spans, dtype=np.int64).reshape(-1) for spans in line.states.values()]
        rows: list[Sequence[tuple[Any, ...]]] = [*line.enums.values(), *line.people.values()]
        points += [np.array([r[:2] for r in group], dtype=np.int64).reshape(-1) for group in rows]
        times = np.unique(np.concatenate(points))
        self.times: Ints = times[(times >= edges_ms[0]) & (times <= edges_ms[-1])]
        self.seconds: Floats = np.diff(self.times) / 1e3
        self.window: Ints = np.searchsorted(edges_ms, self.times[:-1], side="right") - 1
        self._cache: dict[str, Bools] = {}

    def on(self, name: str) -> Bools:
        """Whether a state was on in each piece."""
        if name not in self._cache:
            self._cache[name] = self.inside(self.line.states.get(name, []))
        return self._cache[name]

    def inside(self, spans: Sequence[Span]) -> Bools:
        """Whether each piece lies in one of the spans (they may overlap)."""
        return self.crowd(spans) > 0

    def crowd(self, spans: Sequence[Span]) -> Ints:
        """How many of the spans each piece lies in."""
        if not spans:
            return np.zeros(self.seconds.size, dtype=np.int64)
        ends = np.array(spans, dtype=np.int64)
        low = np.searchsorted(self.times, np.clip(ends[:, 0], self.times[0], self.times[-1]))
        high = np.searchsorted(self.times, np.clip(ends[:, 1], self.times[0], self.times[-1]))
        steps = np.bincount(low, minlength=self.times.size) - np.bincount(high, minlength=self.times.size)
        return np.cumsum(steps)[:-1].astype(np.int64)

    def scale(self, name: str, values: Mapping[str, float], default: float = 0.0) -> Floats:
        """A number for each piece by the enum's value there: `default` before the first, 0 for a value without one."""
        out = np.full(self.seconds.size, default)
        for start, end, value in self.line.enums.get(name, ()):
            a, b = np.searchsorted(self.times, (start, end))
            out[a:b] = values.get(value, 0.0)
        return out

    def per_window(self, rate: npt.NDArray[np.generic]) -> Floats:
        """Sum of rate * seconds over each window (n,)."""
        weights = np.asarray(rate, dtype=np.float64) * self.seconds
        return np.bincount(self.window, weights, minlength=self.edges.size - 1).astype(np.float64)

    def by_uid(self, kind: str, where: Bools) -> tuple[Ints, Ints, Floats]:
        """Seconds of each uid in each window, of spans of a kind while `where` holds: uid, window, seconds (k,)."""
        running = np.concatenate(([0.0], np.cumsum(np.where(where, self.seconds, 0.0))))
        totals: dict[tuple[int, int], float] = {}
        for start, end, uid, _ in self.line.people.get(kind, ()):
            a, b = np.searchsorted(self.times, (max(start, int(self.times[0])), min(end, int(self.times[-1]))))
            if b <= a:
                continue
            for w in range(int(self.window[a]), int(self.window[b - 1]) + 1):
                left = max(a, int(np.searchsorted(self.times, self.edges[w])))
                right = min(b, int(np.searchsorted(self.times, self.edges[w + 1])))
                if (spent := float(running[right] - running[left])) > 0:
                    totals[uid, w] = totals.get((uid, w), 0.0) + spent
        keys = np.array(list(totals), dtype=np.int64).reshape(-1, 2)
        return keys[:, 0], keys[:, 1], np.array(list(totals.values()))
