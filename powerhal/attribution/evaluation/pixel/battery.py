"""What the battery gave in a run: the gauge's current times a voltage that falls with charge.

The record has current and charge but no voltage. A constant 4.4 V leaves an error that runs with the charge
(rails and current of the record imply 12 % less at a quarter than when full); the open-circuit curve of a
lithium cobalt oxide cell that is charged to 4.4 V takes it away to within 2 % at any charge.
"""

from __future__ import annotations

import numpy as np

from powerhal.attribution.evaluation.pixel.runs import BATTERY_PERCENT, BATTERY_UA, MICRO, Runs
from powerhal.attribution.evaluation.table import Floats

CHARGE = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
OPEN_V = (3.30, 3.55, 3.65, 3.72, 3.77, 3.81, 3.87, 3.96, 4.06, 4.16, 4.26, 4.38)
EMPTY_V = OPEN_V[0]


def voltage_v(charge: Floats) -> Floats:
    """Cell voltage at a charge of 0..1, (n,) V; NaN where the charge is unknown."""
    return np.where(np.isfinite(charge), np.interp(np.nan_to_num(charge), CHARGE, OPEN_V), np.nan)


def battery_w(runs: Runs) -> Floats:
    """Mean power out of the battery, (n,) W; NaN where current or charge is unknown, or while it was charged."""
    power_w = runs.number(BATTERY_UA) * MICRO * voltage_v(runs.number(BATTERY_PERCENT) / 100.0)
    return np.where(power_w > 0.0, power_w, np.nan)
