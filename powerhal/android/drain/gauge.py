"""What the battery lost, as a staircase: charge between the steps of a gauge, in joules, with its doubts.

A step happens at its own time, so between two steps the charge is whole steps; how late or how far off a
step was moves energy from one window to the next (`blur`), how large a step really is scales everything
(`gain`). Charging, jumps of the gauge and stretches of unknown states are left out, and said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import gcd, hypot, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.android.drain.activities import Span, Timeline, joined
from powerhal.android.history.states import History
from powerhal.android.statistics import Statistics
from powerhal.errors import NotEnoughData

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NOMINAL_V, NOMINAL_GAIN = 3.85, 0.04  # a lithium cell's mean voltage and how far a run's may be off it (1 sigma)
COUNTER_GAIN = 0.03  # raw phone gauges against a bench meter: up to 9 % off, usually a third of it (1 sigma)
LEARNED_GAIN, NAMED_GAIN = 0.04, 0.08  # a learned capacity; one from a data sheet, which cells lose with age
PLACEHOLDER_MAH, PLACEHOLDER_GAIN = 1000.0, 0.5  # the platform's default profile, not a cell
LEVEL_BLUR = 0.25  # of a step: gauges smooth, and are asked some times a minute (1 sigma)
ROUNDED = 1.0 / sqrt(12.0)  # of a step: a counter that is cut to whole mAh
# A window holds at least so many quanta and lasts at least so long: less says more about the gauge than the load.
LEAST_QUANTA = {"charge counter": 8.0, "level steps": 1.0}
SHORTEST_MS = {"charge counter": 10_000, "level steps": 60_000}
FRESH_MS = 5_000  # after a stretch begins: all values are printed again then
LONGEST_MS = 10 * 366 * 86_400_000
MOST_WINDOWS = 1500
MOST_W = 30.0  # no phone draws this for a whole window; the gauge was corrected
REST_OFFSET = 0.1  # of a step, each window: how well `_within_steps` knows where in it a rest began and ended
RISES = 3.0  # quanta by which a gauge may rise on battery before it counts as corrected


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A stretch that is in no row: from, to (ms), why, and the charge that the gauge lost meanwhile (None: unknown)."""

    start_ms: int
    end_ms: int
    why: str
    mah: float | None = None


@dataclass(frozen=True, slots=True)
class Drain:
    """Windows between gauge steps: edges_ms (n+1,), covered (n,) bool, mah (n,) and volts (n,), energy_j (n,).

    blur_j2 (n+1,): variance of what an unsharp step moves across an edge; gain_sd: relative, of all of it;
    way: `charge counter` or `level steps`; quantum_mah: of one step; left_out: stretches without energy here;
    checks: sentences on what else the dump says about the same charge.
    """

    way: str
    quantum_mah: float
    gain_sd: float
    edges_ms: Ints
    covered: npt.NDArray[np.bool_]
    mah: Floats
    volts: Floats
    blur_j2: Floats
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]

    @property
    def energy_j(self) -> Floats:
        """Energy out of the battery in each window (n,), + = drawn; 0 where not covered."""
        return self.mah * 3.6 * self.volts

    @property
    def offset_w(self) -> float:
        """How far off the power at rest may be (1 sigma): where in its step a cut counter stood, in every window."""
        if self.way != "charge counter" or not self.covered.any():
            return 0.0
        seconds = np.diff(self.edges_ms)[self.covered] / 1e3
        volts = float(np.mean(self.volts[self.covered]))
        return REST_OFFSET * self.quantum_mah * 3.6 * volts / float(np.median(seconds))

    @property
    def covered_ms(self) -> int:
        """How long of the history is accounted for."""
        return int(np.diff(self.edges_ms)[self.covered].sum())


@dataclass(frozen=True, slots=True)
class Capacity:
    """Full charge in mAh, how sure (1 sigma, relative), and where from."""

    mah: float
    gain_sd: float
    source: str


def capacity_of(stats: Statistics, profile_mah: float | None = None) -> Capacity | None:
    """The best capacity there is: learned by the phone, estimated by it, its data sheet's, the given profile's."""
    battery, time = stats.battery, stats.totals.get("battery_time", {})
    learned = [
        float(v) for v in (
            battery.get("min_learned_capacity_mah"), battery.get("max_learned_capacity_mah"),
            _milli(time.get("min_learned_capacity_uah")), _milli(time.get("max_learned_capacity_uah")),
        ) if v
    ]  # fmt: skip
    if learned:
        middle = 0.5 * (min(learned) + max(learned))
        spread = 0.5 * (max(learned) - min(learned)) / middle
        return Capacity(middle, hypot(LEARNED_GAIN, spread), "learned by the phone")
    named = (
        (time.get("estimated_capacity_mah") or battery.get("estimated_capacity_mah"), "estimated by the phone"),
        (battery.get("capacity_mah"), "as the phone's profile names it"),
        (profile_mah, "of the given profile"),
    )
    for value, source in named:
        if value and float(value) > 0:
            dummy = float(value) == PLACEHOLDER_MAH
            doubt = ", which looks like the platform's placeholder" if dummy else ""
            return Capacity(float(value), PLACEHOLDER_GAIN if dummy else NAMED_GAIN, source + doubt)
    return None


def _milli(value: Any) -> float | None:
    return None if not value else float(value) / 1e3


def drain(history: History, line: Timeline, capacity: Capacity | None) -> Drain:
    """The staircase of a history.

    Raises NotEnoughData when there is no battery reading, nothing was ever drawn, or a level step cannot be
    turned into charge.
    """
    if not history.items:
        raise NotEnoughData(
            "this dump has no battery history: nothing says when the battery was drained",
            hint="take it with `dumpsys batterystats -c` (or a bugreport), which print the history",
        )
    if line.end_ms > LONGEST_MS:
        raise NotEnoughData(
            f"the history claims to last {line.end_ms / 3.156e10:.4g} years: its times cannot be right",
            hint="powerhal android parse FILE lists what else is wrong with the file",
        )
    bounds = _segments(line)
    if not bounds:
        raise NotEnoughData(
            "the phone was on a charger, or its states were unknown, for the whole history: nothing was drained",
            hint="take the dump after some hours on battery",
        )
    way, quantum, readings, gain, notes = _gauge(history, capacity, bounds)
    edges, covered, mah, left = _staircase(readings, bounds, line, way, quantum)
    if not covered.any():
        raise NotEnoughData(
            f"the gauge ({way}) did not move twice in one stretch on battery: no drain is bounded by two steps",
            hint="take the dump after some hours on battery",
        )
    volts, volt_gain, volt_note = _volts(history, edges)
    blur = ROUNDED if way == "charge counter" else LEVEL_BLUR
    at = np.concatenate((volts[:1], 0.5 * (volts[1:] + volts[:-1]), volts[-1:]))
    touched = np.concatenate((covered[:1], covered[1:] | covered[:-1], covered[-1:]))
    blur_j2 = np.where(touched, (blur * quantum * 3.6 * at) ** 2, 0.0)
    found = Drain(
        way, quantum, hypot(gain, volt_gain), edges, covered, mah, volts, blur_j2, tuple(left),
        (*notes, *([volt_note] if volt_note else [])),
    )  # fmt: skip
    return _without_jumps(found)


def _segments(line: Timeline) -> list[Span]:
    """Stretches on battery with known states."""
    closed = joined([*line.plugged(), *line.unknown()])
    edges = [0, *(t for span in closed for t in span), line.end_ms]
    return [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a]


def _gauge(
    history: History, capacity: Capacity | None, bounds: Sequence[Span]
) -> tuple[str, float, list[tuple[int, float]], float, list[str]]:
    """The finer of the two gauges: way, quantum in mAh, readings (ms, mAh), gain, notes."""
    charges = [(t, float(v)) for t, v in history.charges]
    levels = [(t, float(v)) for t, v in history.levels]
    fine = _lost(charges, bounds)
    coarse = _lost(levels, bounds)
    notes = []
    if fine >= 2 * LEAST_QUANTA["charge counter"] and len(charges) >= 3:
        steps = [round(abs(b[1] - a[1])) for a, b in pairwise(charges) if b[1] != a[1]]
        quantum = float(gcd(*steps)) if steps else 1.0
        if capacity is not None and coarse > 0:
            by_level = coarse * capacity.mah / 100
            notes.append(
                f"the charge counter lost {fine:.4g} mAh meanwhile the level fell by {coarse:.3g} % "
                f"({by_level:.4g} mAh of {capacity.mah:.4g} mAh {capacity.source})"
            )
        return "charge counter", quantum, _within_steps(charges, quantum), COUNTER_GAIN, notes
    if not levels:
        raise NotEnoughData("the history has no battery level and no charge: there is no drain to attribute")
    if capacity is None:
        raise NotEnoughData(
            "the history counts the battery in percent and nothing says what the battery holds",
            hint="give the phone's power profile (--profile power_profile.xml), whose battery.capacity is used",
        )
    notes.append(f"1 % of level is {capacity.mah / 100:.4g} mAh: capacity {capacity.mah:.4g} mAh {capacity.source}")
    readings = [(t, v * capacity.mah / 100) for t, v in _changes(levels, bounds)]
    return "level steps", capacity.mah / 100, readings, capacity.gain_sd, notes


def _changes(levels: Sequence[tuple[int, float]], bounds: Sequence[Span]) -> list[tuple[int, float]]:
    """Levels that were seen to change; what is printed as a stretch begins stands anywhere between two steps."""
    steps = [b for a, b in pairwise(levels) if a[1] != b[1]]
    return [row for row in steps if not any(start <= row[0] <= start + FRESH_MS for start, _ in bounds)]


def _within_steps(charges: Sequence[tuple[int, float]], quantum: float) -> list[tuple[int, float]]:
    """Readings of a cut counter, moved to where in its step the charge most likely was.

    When steps are rarer than looks, a new value is seen just after its step began; under heavy load it may be
    anywhere in it. Left alone, that books half a step too much to every rest that follows load.
    """
    rows = list(pairwise(charges))
    falls = [(a[1] - b[1], b[0] - a[0]) for a, b in rows if a[1] > b[1] and b[0] > a[0]]
    often = [gap for fall, gap in falls if fall > 1.5 * quantum]
    if not often:
        return list(charges)
    look_ms = float(np.median(often))
    out = [(charges[0][0], charges[0][1] + 0.5 * quantum)]
    for (before, above), (now, value) in rows:
        steps = max((above - value) / quantum, 0.0) * look_ms / max(now - before, 1)
        out.append((now, value + quantum * (1.0 - 0.5 * min(1.0, steps) if value < above else 0.5)))
    return out


def _lost(readings: Sequence[tuple[int, float]], bounds: Sequence[Span]) -> float:
    """How much a gauge fell inside the bounds, in its own unit."""
    out = 0.0
    for start, end in bounds:
        inside = [v for t, v in readings if start <= t <= end]
        out += max(0.0, inside[0] - inside[-1]) if len(inside) > 1 else 0.0
    return out


def _staircase(
    readings: Sequence[tuple[int, float]], bounds: Sequence[Span], line: Timeline, way: str, quantum: float
) -> tuple[Ints, npt.NDArray[np.bool_], Floats, list[LeftOut]]:
    """Edges, which windows are bounded by two readings, their charge, and what lies between them."""
    whole = sum(_lost(readings, [b]) for b in bounds) / quantum
    least = max(LEAST_QUANTA[way], whole / MOST_WINDOWS)
    shortest = SHORTEST_MS[way]
    if way == "charge counter":
        # Windows cut by the clock: where a window ended when its charge was full, heavy load would choose its length.
        shortest = max(shortest, round(sum(b - a for a, b in bounds) * least / max(whole, 1.0)))
        least = 1.0
    plugged = line.plugged()
    edges: list[int] = [0]
    covered: list[bool] = []
    mah: list[float] = []
    left: list[LeftOut] = []

    def gap(until: int, why: str = "") -> None:
        if until > edges[-1]:
            left.extend([LeftOut(edges[-1], until, why)] if why else _why(edges[-1], until, plugged, line))
            edges.append(until)
            covered.append(False)
            mah.append(0.0)

    for start, end in bounds:
        inside = [r for r in readings if start <= r[0] <= end]
        for part in _without_rises(inside, RISES * quantum):
            kept = [part[0]] if part else []
            for t, value in part[1:]:
                if kept[-1][1] - value >= least * quantum * (1 - 1e-9) and t - kept[-1][0] >= shortest:
                    kept.append((t, value))
            if len(kept) < 2:
                continue
            if part[-1][1] < kept[-1][1]:  # what is left is no window of its own
                kept[-1] = part[-1]
            gap(kept[0][0])
            for (_, above), (t, below) in pairwise(kept):
                edges.append(t)
                covered.append(True)
                mah.append(above - below)
    gap(line.end_ms)
    return np.array(edges, dtype=np.int64), np.array(covered, dtype=np.bool_), np.array(mah), left


def _without_rises(readings: Sequence[tuple[int, float]], most: float) -> list[list[tuple[int, float]]]:
    """Runs of readings in which the gauge never rose by more than `most`: there it was corrected."""
    out: list[list[tuple[int, float]]] = [[]]
    lowest = float("inf")
    for reading in readings:
        if reading[1] > lowest + most:
            out.append([])
            lowest = float("inf")
        lowest = min(lowest, reading[1])
        out[-1].append(reading)
    return out


def _why(start: int, end: int, plugged: Sequence[Span], line: Timeline) -> list[LeftOut]:
    """What a stretch without energy was: charging, unknown, or before, between or after steps."""
    marked = [(a, b, "charging") for a, b in plugged] + [(a, b, "states unknown") for a, b in line.unknown()]
    out, at = [], start
    for first, last, why in sorted(marked):
        a, b = max(first, at), min(last, end)
        if b <= a:
            continue
        if a > at:
            out.append(LeftOut(at, a, "not between two steps of the gauge"))
        out.append(LeftOut(a, b, why))
        at = b
    if end > at:
        out.append(LeftOut(at, end, "not between two steps of the gauge"))
    return out


def _volts(history: History, edges: Ints) -> tuple[Floats, float, str]:
    """Mean voltage of each window from readings that hold until the next, how sure, and a note without any."""
    count = edges.size - 1
    rows = [(t, v / 1e3) for t, v in history.volts if 2000 <= v <= 20_000]
    if not rows:
        note = f"the history has no voltage: {NOMINAL_V} V is assumed, give or take {100 * NOMINAL_GAIN:.0f} %"
        return np.full(count, NOMINAL_V), NOMINAL_GAIN, note
    t = np.array([r[0] for r in rows], dtype=np.float64)
    v = np.array([r[1] for r in rows])
    # Held values: the integral is piecewise linear with corners at the readings.
    corner = np.concatenate(([min(0.0, t[0])], t, [max(float(edges[-1]), t[-1]) + 1.0]))
    held = np.concatenate((v[:1], v))
    area = np.concatenate(([0.0], np.cumsum(held * np.diff(corner))))
    at = np.interp(edges.astype(np.float64), corner, area)
    return np.diff(at) / np.maximum(np.diff(edges), 1), 0.005, ""


def _without_jumps(found: Drain) -> Drain:
    """Windows that claim more power than a phone can draw are corrections of the gauge, not energy."""
    seconds = np.diff(found.edges_ms) / 1e3
    jump = found.covered & (found.energy_j > MOST_W * seconds)
    if not jump.any():
        return found
    more = [
        LeftOut(int(found.edges_ms[k]), int(found.edges_ms[k + 1]), "the gauge was corrected", float(found.mah[k]))
        for k in np.flatnonzero(jump).tolist()
    ]
    return replace(
        found, covered=found.covered & ~jump, mah=np.where(jump, 0.0, found.mah),
        left_out=tuple(sorted((*found.left_out, *more), key=lambda row: row.start_ms)),
    )  # fmt: skip
