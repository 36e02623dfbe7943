"""What the phone did in a run, in plain quantities; what could not be read is filled in from the rest.

A zero is not always a zero. In the public record (10.5281/zenodo.14314943) the byte counter, the load and the
memory in use stand at exactly 0 for whole stretches of runs in which radio and cores draw as much as ever: they
were not read. A brightness setting of 0 is below Android's smallest (1) and leaves the panel at full: the four
runs of that record with a 0 draw what their colours cost at 100 %.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from powerhal.attribution.evaluation.pixel.runs import BATTERY_PERCENT, Runs
from powerhal.attribution.evaluation.table import Bools, Floats

NAN = float("nan")
RIDGE = 0.05  # of a column's variance: keeps the filling-in from trusting near-copies


@dataclass(frozen=True, slots=True)
class Quantity:
    """One activity: its column, what it is divided by, and what a 0 in the file means (0 itself by default)."""

    name: str
    column: str
    unit: float = 1.0
    zero: float = 0.0


QUANTITIES = (
    Quantity("red", "RougeMesuré", 255.0),
    Quantity("green", "VertMesuré", 255.0),
    Quantity("blue", "BleuMesuré", 255.0),
    Quantity("brightness", "Brightness", 100.0, zero=1.0),
    Quantity("little_ghz", "CPU_LITTLE_FREQ_KHz", 1e6),
    Quantity("mid_ghz", "CPU_MID_FREQ_KHz", 1e6),
    Quantity("big_ghz", "CPU_BIG_FREQ_KHz", 1e6),
    Quantity("gpu0_ghz", "GPU0_FREQ", 1e6),
    Quantity("gpu1_ghz", "GPU_1FREQ", 1e6),
    Quantity("wifi_mb", "TOTAL_DATA_WIFI_BYTES", 1e6, zero=NAN),
    Quantity("soc_c", "AVG_SOC_TEMP", 1e3, zero=NAN),
    Quantity("warming_k", "DIFF_SOC_TEMP", 1e3),
    Quantity("load", "C_PL", 100.0, zero=NAN),
    Quantity("own_load", "C_ID", 100.0, zero=NAN),
    Quantity("memory_gb", "M_ID", 1e6, zero=NAN),
    Quantity("charge", BATTERY_PERCENT, 100.0),
)

Activities = Mapping[str, Floats]


def read(runs: Runs) -> dict[str, Floats]:
    """Each quantity of each run, (n,); NaN where it was not read."""
    out = {}
    for quantity in QUANTITIES:
        value = runs.number(quantity.column) / quantity.unit
        out[quantity.name] = np.where(value == 0.0, quantity.zero, value)
    return out


def filler(train: Activities) -> Callable[[Activities], dict[str, Floats]]:
    """How to fill in what was not read: its expectation given what was read, by the training runs' own habits.

    A Gaussian over the quantities of complete training runs, answers kept inside the range seen there.
    Where no run is complete, the median of what was read stands (0 where nothing was).
    """
    names = tuple(train)
    table = np.column_stack([train[name] for name in names])
    seen = [table[np.isfinite(table[:, k]), k] for k in range(len(names))]
    middle = np.array([np.median(column) if column.size else 0.0 for column in seen])
    low = np.array([column.min() if column.size else 0.0 for column in seen])
    high = np.array([column.max() if column.size else 0.0 for column in seen])
    whole = table[np.isfinite(table).all(axis=1)]
    if len(whole) > len(names):
        middle, spread = whole.mean(axis=0), np.cov(whole, rowvar=False)
        spread = spread + RIDGE * np.diag(np.diag(spread)) + 1e-12 * np.eye(len(names))
    else:
        spread = np.eye(len(names))

    def fill(asked: Activities) -> dict[str, Floats]:
        rows = np.column_stack([asked[name] for name in names])
        for row in rows:
            lost = np.isnan(row)
            if lost.any():
                row[lost] = _expected(row, lost, middle, spread)
                row[lost] = np.clip(row[lost], low[lost], high[lost])
        return {name: rows[:, k].copy() for k, name in enumerate(names)}

    return fill


def _expected(row: Floats, lost: Bools, middle: Floats, spread: Floats) -> Floats:
    """Conditional mean of the lost quantities of one run."""
    known = ~lost
    away = np.linalg.solve(spread[np.ix_(known, known)], row[known] - middle[known])
    return np.asarray(middle[lost] + spread[np.ix_(lost, known)] @ away, dtype=np.float64)


def unread(activities: Activities) -> dict[str, int]:
    """How many runs lack each quantity; those that none lacks are left out."""
    counts = {name: int(np.isnan(values).sum()) for name, values in activities.items()}
    return {name: count for name, count in counts.items() if count}
