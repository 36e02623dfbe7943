"""Fewer points for a picture without losing a spike: the least and the greatest of every bucket."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray


def min_max(
    t: NDArray[np.float64], value: NDArray[np.float64], limit: int = 4000
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most `limit` points of a series (n,) that keep every bucket's minimum and maximum, in time order.

    Averaging would hide the peaks that a power trace is looked at for. Shorter series come back unchanged.
    """
    n = len(value)
    if n <= limit:
        return t, value
    buckets = limit // 2
    edges = np.linspace(0, n, buckets + 1).astype(np.int64)
    keep = np.empty(2 * buckets, dtype=np.int64)
    for i, (start, end) in enumerate(pairwise(edges.tolist())):
        low, high = start + int(value[start:end].argmin()), start + int(value[start:end].argmax())
        keep[2 * i : 2 * i + 2] = (low, high) if low < high else (high, low)
    keep = np.unique(keep)
    return t[keep], value[keep]


def on_common_times(
    series: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]], limit: int = 4000
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """Several series (t, value) on one time axis of at most `limit` points that has every series' own extremes.

    Bands can only be stacked where they share their times; between its samples a series is interpolated, outside
    its span it is NaN.
    """
    times = np.unique(np.concatenate([min_max(t, value, limit // len(series))[0] for t, value in series]))
    return times, [np.interp(times, t, value, left=np.nan, right=np.nan) for t, value in series]


def cover(spans: Sequence[tuple[float, float]], end: float, limit: int = 1000) -> list[tuple[float, float, float]]:
    """Spans as (start, end, part of it that was on): themselves while they are few, else buckets of equal length.

    A state that flickers ten thousand times a day is a shade, not ten thousand bars; no on-time is lost or added.
    """
    if len(spans) <= limit:
        return [(a, b, 1.0) for a, b in spans if b > a]
    edges = np.linspace(0.0, end, limit + 1)
    ends = np.array(spans, dtype=np.float64)
    points = ends.reshape(-1)
    inside = np.concatenate(([0.0], np.cumsum(np.diff(points) * np.tile([1.0, 0.0], len(spans))[:-1])))
    part = np.diff(np.interp(edges, points, inside)) / (end / limit)
    out: list[tuple[float, float, float]] = []
    for a, b, on in zip(edges.tolist(), edges[1:].tolist(), np.round(part, 2).tolist(), strict=False):
        if out and on > 0 and out[-1][2] == on and out[-1][1] == a:
            out[-1] = (out[-1][0], b, on)
        elif on > 0:
            out.append((a, b, on))
    return out
