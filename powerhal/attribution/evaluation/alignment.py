"""Put counters and power sensor on one clock: what was counted in the span that the sensor averaged.

A counter sample taken at t holds the events of (t - 0.5 s, t]; the INA231's reading at t describes an
earlier span, because the chip averages and the kernel's driver polls it. The counts are turned into a
piecewise constant rate with the samples' true times and integrated over (t - lag - 0.5 s, t - lag].
The lag is learned from how well counters explain power *inside* each program and frequency, so a
program's constant bias cannot pull at it (attribution by `docs/accuracy.md`: 0.10-0.25 s on this board).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from powerhal.attribution.evaluation.table import Bools, Floats, Integers, Table

PERIOD_S = 0.5
LAGS_S = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
RUN_COLUMNS = ("suite", "cores", "events_list", "run", "set_freq_mhz", "a15_freq_mhz", "benchmark")


def cells(table: Table, columns: Sequence[str]) -> Integers:
    """Number of each row's group, (n,), where a group shares the values of all these columns."""
    out = np.zeros(len(table), dtype=np.int64)
    for name in columns:
        values = table.columns.get(name)
        if values is not None and len(values):
            codes = np.unique(values, return_inverse=True)[1]
            out = np.unique(out * (codes.max() + 1) + codes, return_inverse=True)[1]
    return out


def aligned(table: Table, counters: Sequence[str], lag_s: float) -> Table:
    """The table with `counters` (events per 0.5 s) moved to the span that each power reading describes.

    Times: `t_ns` of the reading, `ev_dt_ns` from it to its counter sample (empty: taken at the same
    time). Outside a run the first or last rate holds. Rows keep their order.
    """
    moved = {name: table.number(name).copy() for name in counters}
    times_s = table.times_ns()
    offsets_s = np.nan_to_num(table.number("ev_dt_ns")) * 1e-9
    for rows in runs(table, times_s):
        at_s = (times_s[rows] - times_s[rows[0]]) * 1e-9
        stamps_s, first = np.unique(np.round(at_s + offsets_s[rows], 3), return_index=True)
        edges_s = _edges(stamps_s)
        spans_s = np.diff(edges_s)
        low_s, high_s = _span(at_s - lag_s, edges_s)
        for values in moved.values():
            total = np.concatenate(([0.0], np.cumsum(values[rows][first] * spans_s)))
            counted = np.interp(high_s, edges_s, total) - np.interp(low_s, edges_s, total)
            values[rows] = counted / (high_s - low_s)
    return table.replaced(moved)


def runs(table: Table, times_ns: Integers, known: Bools | None = None) -> Iterator[Integers]:
    """Rows of each run of a program, in the order of time; only those that are `known` (n,)."""
    group = cells(table, RUN_COLUMNS)
    order = np.lexsort((times_ns, group))
    if known is not None:
        order = order[known[order]]
    for part in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
        if part.size:
            yield part


def _edges(stamps_s: Floats) -> Floats:
    """Borders between counter samples; a gap is shared by its neighbours."""
    starts_s = stamps_s - PERIOD_S
    inner = np.where(starts_s[1:] > stamps_s[:-1] + 0.05, (starts_s[1:] + stamps_s[:-1]) / 2, stamps_s[:-1])
    return np.concatenate((starts_s[:1], inner, stamps_s[-1:]))


def _span(end_s: Floats, edges_s: Floats) -> tuple[Floats, Floats]:
    """Begin and end of the averaged spans, kept inside the run and never shorter than 0.1 s."""
    shortest = min(0.1, float(edges_s[-1] - edges_s[0]))
    high_s = np.clip(end_s, edges_s[0] + shortest, edges_s[-1])
    low_s = np.minimum(np.maximum(end_s - PERIOD_S, edges_s[0]), high_s - shortest)
    return low_s, high_s


def misfit_by_program(table: Table, counters: Sequence[str], power_w: Floats, lag_s: float) -> Floats:
    """Unexplained part of each program's power inside its cells, relative, squared and summed: (programs,).

    A cell is one program at one frequency on as many cores; power and counters lose their mean there,
    and the rest of the power is fitted by the counters at this lag. Programs in the order of their names.
    """
    shifted = aligned(table, counters, lag_s)
    program = np.unique(table.text("benchmark"), return_inverse=True)[1]
    group = cells(table, ("benchmark", "a15_freq_mhz", "cores", "events_list"))
    x = np.column_stack([shifted.number(name) for name in counters])
    out = np.zeros(program.max() + 1)
    for cell in range(group.max() + 1):
        rows = np.flatnonzero(group == cell)
        if rows.size > 3 * x.shape[1]:
            out[program[rows[0]]] += _unexplained(x[rows], power_w[rows])
    return out


def _unexplained(x: Floats, power_w: Floats) -> float:
    """Sum of squares left by a regression on centred, scaled columns, relative to the mean power."""
    centred = x - x.mean(axis=0)
    spread = centred.std(axis=0)
    scaled = centred[:, spread > 0] / spread[spread > 0]
    target = power_w / power_w.mean() - 1.0
    gram = scaled.T @ scaled + np.eye(scaled.shape[1]) * 0.01 * len(scaled)
    left: npt.NDArray[np.float64] = target - scaled @ np.linalg.solve(gram, scaled.T @ target)
    return float(left @ left)
