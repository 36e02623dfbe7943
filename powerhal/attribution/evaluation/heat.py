"""Heat as a witness of power: a core that draws more is hotter than the silicon around it.

The sensors of one chip share its case and its fan, so their differences say what the temperatures themselves
do not: heat P through the thermal resistance between two places of the die keeps them P R apart, whatever
the room is like, and follows a change of P within seconds. Sensors report whole degrees, so the
differences are averaged over the last seconds of the same run, never over what is still to come.
The hottest sensor is taken to be beside the busy core, whatever it is called: boards name zones loosely.
"""

from __future__ import annotations

import math

import numpy as np

from powerhal.attribution.evaluation.alignment import runs
from powerhal.attribution.evaluation.table import Bools, Floats, Table

MEMORY_S = 4.0
SENSOR = "_temp_c"
# How far the hottest sensor is above the coolest and above the next one, K, averaged over the last seconds.
HEAT = ("heat_span_k", "heat_lead_k")


def with_heat(table: Table) -> Table:
    """The table with the columns `HEAT` added, (n,) K >= 0; NaN in rows with fewer than two temperatures."""
    sensors = [table.number(name) for name in sorted(table.columns) if name.endswith(SENSOR)]
    known = [values for values in sensors if np.isfinite(values).any()]
    if len(known) < 2:
        return table.replaced({name: np.full(len(table), np.nan) for name in HEAT})
    ranked = np.sort(np.stack(known), axis=0)  # NaN last: a row is known where all sensors are
    span, lead = ranked[-1] - ranked[0], ranked[-1] - ranked[-2]
    return table.replaced({name: recent(table, values) for name, values in zip(HEAT, (span, lead), strict=True)})


def recent(table: Table, values: Floats, memory_s: float = MEMORY_S) -> Floats:
    """Exponentially fading mean of (n,) values over the past of each row's run, the row included.

    At the start of a run all rows so far weigh alike: nothing is assumed of the time before. NaN values are
    passed over, and stay NaN themselves.
    """
    out = np.full(len(table), np.nan)
    times_ns = table.times_ns()
    for rows in runs(table, times_ns, known=np.isfinite(values)):
        weight, mean, before = 0.0, 0.0, 0.0
        past = np.empty(rows.size)
        at_s = ((times_ns[rows] - times_ns[rows[0]]) * 1e-9).tolist()
        for k, (now_s, value) in enumerate(zip(at_s, values[rows].tolist(), strict=True)):
            weight = 1.0 + weight * math.exp((before - now_s) / memory_s)
            mean += (value - mean) / weight
            before, past[k] = now_s, mean
        out[rows] = past
    return out


def columns(table: Table, busy: Floats, names: tuple[str, ...]) -> Floats:
    """What heat says of power, (n, 2 len(names)) K: each difference, and again for every busy core beyond the first.

    Two cores that share a power are each less hot than one that draws it alone.
    """
    each = [table.number(name) for name in names]
    more = np.maximum(busy - 1.0, 0.0)
    return np.column_stack([*each, *(values * more for values in each)]) if each else np.empty((len(table), 0))


def felt(table: Table) -> Bools:
    """Rows whose heat is known, (n,)."""
    return np.asarray(np.all([np.isfinite(table.number(name)) for name in HEAT], axis=0))
