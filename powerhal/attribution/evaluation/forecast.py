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
from powerhal.attribution.evaluation.features import COUNTERS, CYCLES, Curve, Design, activities, design, expected_miss
from powerhal.attribution.evaluation.heat import HEAT, felt, with_heat
from powerhal.attribution.evaluation.hierarchy import Spread, spread
from powerhal.attribution.evaluation.rail import Points, Sample
from powerhal.attribution.evaluation.scores import POWER, Prediction, measured
from powerhal.attribution.evaluation.selection import Learned, learn
from powerhal.attribution.evaluation.table import Bools, Floats, Integers, Table
from powerhal.attribution.evaluation.unrest import unrest
from powerhal.errors import NotEnoughData


@dataclass(frozen=True, slots=True)
class Part:
    """What one group of test rows was predicted with.

    Its rows, the counters and the temperature differences in use, its training rows, the learned models, and how
    wrong they may be.
    """

    rows: Integers
    counted: tuple[str, ...]
    heated: tuple[str, ...]
    train: Table
    learned: Learned
    spread: Spread


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
    train, test = (table if HEAT[0] in table.columns else with_heat(table) for table in (train, test))
    known = train.where(measured(train) & np.isfinite(train.number("a15_freq_mhz")))
    if not len(known):
        raise NotEnoughData("no training row has a measured a15_w", hint="--train needs the rail's power")
    out = np.full((5, len(test)), np.nan)
    parts = []
    for rows, seen in _groups(test, counters):
        group = test.where(rows)
        pool, counted = _pool(known, group, seen)
        heated = HEAT if felt(pool).all() and felt(group).all() else ()
        points = operating_points(pool, group)
        moved = aligned(pool, counted, lag_s)
        learned = _learned(moved, points, counted, heated)
        doubt = _spread(moved, learned, counted, bool(heated))
        parts.append(Part(rows, counted, heated, pool, learned, doubt))
        out[:, rows] = _predicted(parts[-1], aligned(group, counted, lag_s))
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
    """Rows of each suite and set of recorded counters, those with and without known heat apart."""
    suite = np.unique(table.text("suite"), return_inverse=True)[1]
    pattern = np.column_stack([suite, *(_usable(table, name) for name in counters), felt(table)])
    kinds, which = np.unique(pattern, axis=0, return_inverse=True)
    for number, kind in enumerate(kinds):
        seen = tuple(name for name, there in zip(counters, kind[1:-1], strict=True) if there)
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


def _learned(pool: Table, points: Points, counted: tuple[str, ...], heated: tuple[str, ...]) -> Learned:
    program = np.unique(pool.text("benchmark"), return_inverse=True)[1]
    point = np.searchsorted(points.frequencies_mhz, pool.number("a15_freq_mhz"))
    volts = points.volts_at(pool.number("a15_freq_mhz"))

    def samples(curve: Curve, warm: bool) -> Sample:
        columns = design(pool, counted, volts, curve, heated if warm else ())
        return Sample(columns, pool.number(POWER), program, point)

    return learn(samples, points, heat=bool(heated))


def operating_points(train: Table, test: Table) -> Points:
    """The frequencies of both tables and the highest nominal voltage seen at each.

    Where a frequency has no voltage (a test file may leave it empty) it is taken from the line through the
    frequencies that have one; 1 V where none has. The nominal voltage of a row itself drops by a step when the
    load is low, so a row's own value would tell its power; the operating point's does not. Test rows speak only
    for frequencies that were never trained.
    """
    highest = _highest_volts(test) | _highest_volts(train)
    frequencies_mhz = np.array(sorted(highest))
    volts = np.array([highest[mhz] for mhz in frequencies_mhz])
    return Points(frequencies_mhz, _completed(frequencies_mhz, volts))


def _completed(frequencies_mhz: Floats, volts: Floats) -> Floats:
    """Voltages with those that are 0 (unknown) on the line through their known neighbours, also beyond the ends."""
    known = volts > 0.0
    if known.sum() < 2:
        return np.where(known, volts, volts.max(initial=0.0) or 1.0)
    x, y = frequencies_mhz[known], volts[known]
    inside = np.interp(frequencies_mhz, x, y)
    below = y[0] + (frequencies_mhz - x[0]) * max(0.0, (y[1] - y[0]) / (x[1] - x[0]))
    above = y[-1] + (frequencies_mhz - x[-1]) * max(0.0, (y[-1] - y[-2]) / (x[-1] - x[-2]))
    line = np.where(frequencies_mhz < x[0], below, np.where(frequencies_mhz > x[-1], above, inside))
    return np.where(known, volts, np.maximum(line, 0.5 * y[0]))


def _highest_volts(table: Table) -> dict[float, float]:
    """Highest nominal voltage by frequency in MHz; 0 where the file has none."""
    frequency, volts = table.number("a15_freq_mhz"), np.nan_to_num(table.number("a15_v"))
    known = np.unique(frequency[np.isfinite(frequency)])
    return {float(mhz): float(volts[frequency == mhz].max()) for mhz in known}


def _predicted(part: Part, group: Table) -> Floats:
    """Mean, low, high, static power and that of activities alone, (5, n) W, of each row."""
    frequency = group.number("a15_freq_mhz")
    volts = part.learned.points.volts_at(frequency)

    def columns(curve: Curve, warm: bool) -> Design:
        return design(group, part.counted, volts, curve, part.heated if warm else ())

    power_w, static_w, owned_w = part.learned.predict(columns, frequency)
    low, high = part.spread.factors(unrest(group, power_w))
    return np.array([power_w, power_w * low, power_w * high, np.minimum(static_w, power_w), owned_w])


def _spread(pool: Table, learned: Learned, counted: tuple[str, ...], heated: bool) -> Spread:
    """How wrong the model may be on new programs, from those that were left out of the training rows."""
    missed = learned.left_out
    known = pool.where(np.arange(missed.program.size))
    predicted_w = known.number(POWER) * np.exp(-missed.log_ratio)
    return spread(missed.log_ratio, missed.program, unrest(known, predicted_w), expected_miss(counted, heated))
