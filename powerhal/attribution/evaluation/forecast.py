"""From training rows to predictions for the rows of programs that were not among them.

Rows are handled in groups that share a suite and the counters that were recorded. Each group learns from the
training rows of its suite (of all suites where its own is missing) that hold the same counters, or the
largest set of them that both sides have; without any counter the rung of time at frequency remains.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from powerhal.attribution.evaluation.alignment import LAGS_S, aligned, misfit_by_program
from powerhal.attribution.evaluation.features import COUNTERS, CYCLES, Curve, activities, design
from powerhal.attribution.evaluation.rail import Points, Sample
from powerhal.attribution.evaluation.scores import POWER, Prediction, measured
from powerhal.attribution.evaluation.selection import Learned, learn
from powerhal.attribution.evaluation.table import Bools, Floats, Integers, Table
from powerhal.errors import NotEnoughData


@dataclass(frozen=True, slots=True)
class Part:
    """What one group of test rows was predicted with: its rows, the counters in use and the learned model."""

    rows: Integers
    counted: tuple[str, ...]
    train: Table
    learned: Learned


@dataclass(frozen=True, slots=True)
class Forecast:
    """Predictions of all test rows, and the parts they came from."""

    prediction: Prediction
    parts: tuple[Part, ...]


def forecast(train: Table, test: Table, lag_s: float, counters: tuple[str, ...] = COUNTERS) -> Forecast:
    """Fit on `train` (rows with `a15_w` > 0), predict every row of `test`, in its order.

    The truth columns of `test` are not looked at. `counters`: which ones may be used (empty: none).
    Raises NotEnoughData when no training row has a measured power.
    """
    known = train.where(measured(train) & np.isfinite(train.number("a15_freq_mhz")))
    if not len(known):
        raise NotEnoughData("no training row has a measured a15_w", hint="--train needs the rail's power")
    out = np.full((4, len(test)), np.nan)
    parts = []
    for rows, seen in _groups(test, counters):
        group = test.where(rows)
        pool, counted = _pool(known, group, seen)
        learned = _learned(aligned(pool, counted, lag_s), operating_points(pool, group), counted)
        out[:, rows] = _predicted(learned, aligned(group, counted, lag_s), counted)
        parts.append(Part(rows, counted, pool, learned))
    return Forecast(Prediction(*out), tuple(parts))


class Lags:
    """How well every lag between counters and power explains each program: chosen with some left out."""

    def __init__(self, train: Table) -> None:
        known = train.where(measured(train) & np.isfinite(train.number("a15_freq_mhz")))
        self._misfit: dict[str, Floats] = {}
        for rows, counted in _groups(known, COUNTERS) if len(known) else ():
            part = known.where(rows)
            names = np.unique(part.text("benchmark"))
            if CYCLES not in counted:
                continue
            misfit = np.array([misfit_by_program(part, counted, part.number(POWER), lag_s) for lag_s in LAGS_S])
            for name, column in zip(names, misfit.T, strict=True):
                self._misfit[str(name)] = self._misfit.get(str(name), np.zeros(len(LAGS_S))) + column

    def best_s(self, without: str = "") -> float:
        """The lag that explains most, in s, as learned from all programs but one; 0 where nothing is known."""
        kept = [misfit for name, misfit in self._misfit.items() if name != without]
        return LAGS_S[int(np.argmin(np.sum(kept, axis=0)))] if kept else 0.0


def _groups(table: Table, counters: tuple[str, ...]) -> Iterator[tuple[Integers, tuple[str, ...]]]:
    """Rows of each suite and set of recorded counters."""
    suite = np.unique(table.text("suite"), return_inverse=True)[1]
    pattern = np.column_stack([suite, *(_usable(table, name) for name in counters)])
    kinds, which = np.unique(pattern, axis=0, return_inverse=True)
    for number, kind in enumerate(kinds):
        seen = tuple(name for name, there in zip(counters, kind[1:], strict=True) if there)
        yield np.flatnonzero(which.reshape(-1) == number), seen


def _usable(table: Table, counter: str) -> Bools:
    """Rows where this counter holds a number; cycles also have to be positive, for rates per cycle."""
    values = table.number(counter)
    return np.asarray(values > 0.0 if counter == CYCLES else np.isfinite(values))


def _pool(train: Table, group: Table, seen: tuple[str, ...]) -> tuple[Table, tuple[str, ...]]:
    """Training rows for a group, and the counters that both of them have."""
    mine = train.text("suite") == group.text("suite")[0]
    pool = train.where(mine) if mine.any() else train
    shared = [tuple(name for name in there if name in seen) for _, there in _groups(pool, COUNTERS)]
    counted = max(shared, key=lambda names: (CYCLES in names, len(activities(names)), len(names)), default=())
    if CYCLES not in counted:
        counted = ()
    rows = np.ones(len(pool), dtype=np.bool_)
    for name in counted:
        rows &= _usable(pool, name)
    return pool.where(rows), counted


def _learned(pool: Table, points: Points, counted: tuple[str, ...]) -> Learned:
    program = np.unique(pool.text("benchmark"), return_inverse=True)[1]
    point = np.searchsorted(points.frequencies_mhz, pool.number("a15_freq_mhz"))
    volts = points.volts_at(pool.number("a15_freq_mhz"))

    def samples(curve: Curve) -> Sample:
        return Sample(design(pool, counted, volts, curve), pool.number(POWER), program, point)

    return learn(samples, points)


def operating_points(train: Table, test: Table) -> Points:
    """The frequencies of both tables and the highest nominal voltage seen at each (1 V where none is given).

    The nominal voltage of a row itself drops by a step when the load is low, so a row's own value would tell
    its power; the operating point's does not. Test rows speak only for frequencies that were never trained.
    """
    highest = _highest_volts(test) | _highest_volts(train)
    return Points(np.array(sorted(highest)), np.array([highest[mhz] or 1.0 for mhz in sorted(highest)]))


def _highest_volts(table: Table) -> dict[float, float]:
    """Highest nominal voltage by frequency in MHz; 0 where the file has none."""
    frequency, volts = table.number("a15_freq_mhz"), np.nan_to_num(table.number("a15_v"))
    known = np.unique(frequency[np.isfinite(frequency)])
    return {float(mhz): float(volts[frequency == mhz].max()) for mhz in known}


def _predicted(learned: Learned, group: Table, counted: tuple[str, ...]) -> Floats:
    """Mean, low, high and static power of each row, (4, n) W."""
    frequency = group.number("a15_freq_mhz")
    volts = learned.points.volts_at(frequency)
    power_w, static_w = learned.predict(lambda curve: design(group, counted, volts, curve), frequency)
    low_w, high_w = power_w * learned.interval.low, power_w * learned.interval.high
    return np.array([power_w, low_w, high_w, np.minimum(static_w, power_w)])
