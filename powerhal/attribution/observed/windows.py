"""Cutting a recording into windows: energy, counters and gauges between window edges, gaps stated.

Edges are int64 ns (n+1 of them for n windows); everything that comes back has one entry a window.
Nothing is ever interpolated across a gap: what was not seen is missing seconds, not energy.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from powerhal.channel import Quality
from powerhal.recording.counters import Increments

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

GAP_PERIODS = 2.5  # an interval longer than this many periods was not watched
REFUSED = int(Quality.MISSING | Quality.RESET | Quality.ESTIMATED)  # never becomes energy
BREAKS = int(Quality.CLOCK | Quality.RESET)  # what lies before such a row was not watched


@dataclass(frozen=True, slots=True)
class Integral:
    """Integral of a quantity over each window and what is known about it.

    `value`: integral over the watched part (J for watts); `covered_s`: how long it was watched;
    `weight_s2`: sum of squared sample weights, so that value's noise variance is
    weight_s2 * (variance of one sample); `bound`: True where a saturated sample makes it a lower bound.
    """

    value: Floats
    covered_s: Floats
    weight_s2: Floats
    bound: Bools


def edges_from_scans(scans_ns: Ints, start_ns: int, end_ns: int, window_s: float | None) -> Ints:
    """Window edges (n+1,) int64 ns: the process scans, thinned so that none is shorter than `window_s`.

    Process usage can only be cut where processes were looked at, so edges are scan times; without
    scans the run is cut evenly (1 s, or `window_s`).
    """
    least_ns = round((window_s or 0.0) * 1e9)
    if scans_ns.size >= 2:
        if least_ns <= 0:
            return np.unique(scans_ns)
        kept = [int(scans_ns[0])]
        for t in scans_ns.tolist():
            # A quarter of slack: scans jitter, and 0.999 s is meant to be a second.
            if t - kept[-1] >= least_ns - least_ns // 4:
                kept.append(t)
        return np.array(kept, dtype=np.int64)
    step = least_ns or 1_000_000_000
    return np.arange(start_ns, end_ns + 1, step, dtype=np.int64)


def integrate(
    t_ns: Ints, value: Floats, quality: npt.NDArray[np.integer], edges: Ints, *, period_s: float, lag_s: float = 0.0
) -> Integral:
    """Trapezoid of samples with their true times over each window, never across a gap.

    t_ns (n,) and value (n,) as recorded, `quality` their flags; `lag_s`: how long before its time
    stamp a reading was true (half its averaging window). STALE rows prove that the source was alive
    but are not counted; rows refused by quality end what was watched.
    """
    flags = quality.astype(np.int64)
    good = np.isfinite(value) & ((flags & (REFUSED | int(Quality.STALE))) == 0)
    times, kept = _kept_intervals(t_ns, flags, good, period_s)
    values = value[good]
    t = (times - edges[0]) / 1e9 - lag_s
    at = (edges - edges[0]) / 1e9
    if values.size < 2:
        zero = np.zeros(edges.size - 1)
        return Integral(zero, zero.copy(), zero.copy(), np.zeros(zero.size, dtype=np.bool_))
    step = np.diff(t)
    live = np.where(kept, 1.0, 0.0)
    area = np.concatenate(([0.0], np.cumsum(live * step * 0.5 * (values[1:] + values[:-1]))))
    seen = np.concatenate(([0.0], np.cumsum(live * step)))
    square = np.concatenate(([0.0], np.cumsum(live * step**2)))
    k = np.clip(np.searchsorted(t, at, side="right") - 1, 0, t.size - 2)
    into = np.clip(at - t[k], 0.0, step[k])
    slope = np.divide(np.diff(values)[k], step[k], out=np.zeros(k.size), where=step[k] > 0)
    at_area = area[k] + live[k] * (values[k] * into + 0.5 * slope * into**2)
    at_seen = seen[k] + live[k] * into
    at_square = square[k] + live[k] * into * step[k]
    clipped = np.concatenate(([0], np.cumsum((flags & int(Quality.SATURATED)) != 0)))
    place = np.searchsorted(t_ns, edges, side="right")
    return Integral(np.diff(at_area), np.diff(at_seen), np.diff(at_square), np.diff(clipped[place]) > 0)


def _kept_intervals(t_ns: Ints, flags: Ints, good: Bools, period_s: float) -> tuple[Ints, Bools]:
    """Times of the good rows and, for each interval between two of them, whether it was watched."""
    times = t_ns[good]
    if times.size < 2:
        return times, np.zeros(max(0, times.size - 1), dtype=np.bool_)
    alive = (flags & REFUSED) == 0
    present = t_ns[alive]
    usual = float(np.median(np.diff(present))) / 1e9 if present.size > 1 else period_s
    limit_ns = GAP_PERIODS * max(period_s, usual) * 1e9
    torn = np.concatenate(([False], np.diff(present) > limit_ns))
    broken_at = np.concatenate((present[torn], t_ns[(flags & BREAKS) != 0]))
    broken_at.sort()
    # A break at time b spoils the interval that ends at or spans b: (left, right] contains b.
    count = np.searchsorted(broken_at, times, side="right")
    return times, np.diff(count) == 0


def counter_growth(steps: Increments, edges: Ints) -> tuple[Floats, Bools]:
    """How much a counter grew in each window, and where that is known (n,), (n,) bool.

    Between two readings it grows evenly. A window that touches a step nobody can know (a reset, or a
    hole of several periods) is not known.
    """
    count = edges.size - 1
    if steps.amount.size == 0:
        return np.zeros(count), np.zeros(count, dtype=np.bool_)
    times = np.concatenate((steps.t0_ns[:1], steps.t1_ns))
    t = (times - edges[0]) / 1e9
    at = (edges - edges[0]) / 1e9
    lost = ~np.isfinite(steps.amount)
    total = np.concatenate(([0.0], np.cumsum(np.where(lost, 0.0, steps.amount))))
    slack = GAP_PERIODS * float(np.median(np.diff(t)))
    known = (at[:-1] >= t[0] - slack) & (at[1:] <= t[-1] + slack)
    for k in np.flatnonzero(lost | (np.diff(t) > slack)).tolist():
        known &= ~((at[:-1] < t[k + 1]) & (at[1:] > t[k]))
    return np.diff(np.interp(at, t, total)), known


def gauge_mean(t_ns: Ints, value: Floats, edges: Ints, period_s: float) -> tuple[Floats, Bools]:
    """Time-weighted mean of a gauge in each window, and where it is known (n,), (n,) bool.

    A gauge that never changes may be read once: then that value holds for the whole run.
    """
    count = edges.size - 1
    good = np.isfinite(value)
    if not good.any():
        return np.zeros(count), np.zeros(count, dtype=np.bool_)
    if good.sum() == 1 or np.ptp(value[good]) == 0.0:
        return np.full(count, value[good][0]), np.ones(count, dtype=np.bool_)
    t = (t_ns[good] - edges[0]) / 1e9
    at = (edges - edges[0]) / 1e9
    v = value[good]
    usual = max(period_s, float(np.median(np.diff(t))))
    area = np.concatenate(([0.0], np.cumsum(np.diff(t) * 0.5 * (v[1:] + v[:-1]))))
    k = np.clip(np.searchsorted(t, at, side="right") - 1, 0, t.size - 2)
    into = at - t[k]
    slope = np.diff(v)[k] / np.maximum(np.diff(t)[k], 1e-12)
    slope = np.where((at < t[0]) | (at > t[-1]), 0.0, slope)  # outside, the nearest value holds
    base = np.where(at > t[-1], v[-1], v[k])
    offset = np.where(at > t[-1], area[-1] + (at - t[-1]) * v[-1], area[k] + base * into + 0.5 * slope * into**2)
    known = (at[1:] > t[0] - GAP_PERIODS * usual) & (at[:-1] < t[-1] + GAP_PERIODS * usual)
    return np.diff(offset) / np.diff(at), known


def bursts(t_ns: Ints, value: Floats, gap_s: float) -> tuple[Ints, Ints]:
    """When a counter was moving: starts and ends (k,) int64 ns, disjoint and in order.

    A burst starts and ends in the middle of the interval in which the counter first and last moved (give
    or take); bursts less than `gap_s` apart are one.
    """
    moved = np.flatnonzero(np.diff(value) != 0.0)
    if moved.size == 0:
        empty = np.zeros(0, dtype=np.int64)
        return empty, empty
    middle = (t_ns[moved] + t_ns[moved + 1]) // 2
    apart = np.diff(middle) > round(gap_s * 1e9)
    # Neighbouring intervals are one burst even where there is no tail.
    apart &= np.diff(moved) > 1
    first = np.concatenate(([True], apart))
    last = np.concatenate((apart, [True]))
    return middle[first], middle[last]


def after(starts: Ints, ends: Ints, begin_s: float, stop_s: float) -> tuple[Ints, Ints]:
    """The stretch from `begin_s` to `stop_s` after each burst's end, cut where the next burst starts."""
    following = np.append(starts[1:], np.iinfo(np.int64).max)
    begin = np.minimum(ends + round(begin_s * 1e9), following)
    return begin, np.maximum(np.minimum(ends + round(stop_s * 1e9), following), begin)


def count_in(times: Ints, edges: Ints) -> Floats:
    """How many of the times (k,) fall into each window."""
    place = np.searchsorted(edges, times, side="left") - 1
    inside = (place >= 0) & (place < edges.size - 1)
    return np.bincount(place[inside], minlength=edges.size - 1).astype(np.float64)


def overlap_s(starts: Ints, ends: Ints, edges: Ints) -> Floats:
    """Seconds of each window that lie inside the (disjoint, ordered) intervals."""
    if starts.size == 0:
        return np.zeros(edges.size - 1)
    points = np.column_stack((starts, ends)).reshape(-1)
    inside = np.concatenate(([0.0], np.cumsum(np.diff(points) * np.tile([1, 0], starts.size)[:-1]))) / 1e9
    offset = edges[0]
    return np.diff(np.interp((edges - offset) / 1e9, (points - offset) / 1e9, inside))
