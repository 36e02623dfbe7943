"""Where in a run a prediction is less sure: its beginning and end, and where the program changes.

A sensor's window and a counter's window never quite coincide. While a program runs evenly that does not
matter; where it changes, and in the first windows, which hold a part of what went on before, it does.
"""

from __future__ import annotations

import numpy as np

from powerhal.attribution.evaluation.alignment import runs
from powerhal.attribution.evaluation.table import Floats, Table

# Columns of `unrest`: their coefficients are variances.
NAMES = ("always", "change", "changes of the run", "first", "second", "third", "last")
FIRST, LAST = 3, 6
USUAL = 0.9  # changes of a run beyond this quantile are phases, not its usual restlessness


def unrest(table: Table, power_w: Floats) -> Floats:
    """What makes each row less sure, (n, 7) >= 0, from the predicted power (n,) W of the rows of whole runs.

    1; the greater of the relative changes from and to the neighbours, squared; the mean of the run's squared
    changes; whether the row is the first, second, third or last of its run (0 or 1).
    """
    out = np.zeros((len(table), len(NAMES)))
    out[:, 0] = 1.0
    logs = np.log(np.maximum(power_w, 1e-9))
    for rows in runs(table, table.times_ns()):
        change = np.abs(np.diff(logs[rows]))
        around = np.concatenate(([0.0], change, [0.0]))
        out[rows, 1] = np.maximum(around[:-1], around[1:]) ** 2
        if change.size:
            out[rows, 2] = np.mean(np.minimum(change, np.quantile(change, USUAL)) ** 2)
        out[rows[-1], LAST] = 1.0
        for place, row in enumerate(rows[: LAST - FIRST]):
            out[row, FIRST + place] = 1.0
    return out
