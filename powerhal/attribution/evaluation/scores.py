"""How wrong a prediction was: per window, per program, per process in mixed windows, and its intervals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from powerhal.attribution.evaluation.alignment import cells
from powerhal.attribution.evaluation.table import Bools, Floats, Table

POWER = "a15_w"


def measured(table: Table) -> Bools:
    """Rows whose A15 power was measured (present and above 0), (n,)."""
    return np.asarray(np.nan_to_num(table.number(POWER)) > 0.0)


@dataclass(frozen=True, slots=True)
class Prediction:
    """Predicted power of rows, (n,) W each.

    Mean, 90 % interval, what stays without the program, and power by activities alone: what is split between processes.
    """

    power_w: Floats
    low_w: Floats
    high_w: Floats
    static_w: Floats
    owned_w: Floats

    def where(self, rows: Bools) -> Prediction:
        """The chosen rows."""
        return Prediction(*(getattr(self, each.name)[rows] for each in fields(self)))


def mape_percent(predicted_w: Floats, measured_w: Floats) -> float:
    """Mean of |predicted - measured| / measured over windows, in percent."""
    return float(100.0 * np.mean(np.abs(predicted_w - measured_w) / measured_w))


def per_program(table: Table, predicted_w: Floats, measured_w: Floats) -> dict[str, dict[str, float]]:
    """MAPE and signed energy error of each program in percent, and its number of windows."""
    names = table.text("benchmark")
    out = {}
    for name in np.unique(names):
        rows = names == name
        out[str(name)] = {
            "mape_percent": mape_percent(predicted_w[rows], measured_w[rows]),
            "energy_error_percent": float(100.0 * (predicted_w[rows].sum() / measured_w[rows].sum() - 1.0)),
            "windows": int(rows.sum()),
        }
    return out


def coverage(table: Table, prediction: Prediction, measured_w: Floats) -> dict[str, Any]:
    """Share of windows inside their interval (pooled, and of the worst program) and its median width, percent."""
    inside = (measured_w >= prediction.low_w) & (measured_w <= prediction.high_w)
    width = (prediction.high_w - prediction.low_w) / measured_w
    return {
        "coverage_percent": float(100.0 * inside.mean()),
        "worst_program_coverage_percent": 100.0 * min(inside_by_program(table, prediction, measured_w).values()),
        "width_percent": float(100.0 * np.median(width)),
    }


def inside_by_program(table: Table, prediction: Prediction, measured_w: Floats) -> dict[str, float]:
    """Share (0..1) of each program's windows that are inside their interval."""
    inside = (measured_w >= prediction.low_w) & (measured_w <= prediction.high_w)
    names = table.text("benchmark")
    return {str(name): float(inside[names == name].mean()) for name in np.unique(names)}


def process_errors(table: Table, prediction: Prediction, measured_w: Floats) -> dict[str, dict[str, float] | None]:
    """Error of each program's energy in windows shared by two programs for equal times, percent.

    A window is composed from two programs' mean windows, each at one frequency. Its dynamic energy
    (measured minus static) is split in the ratio of the dynamic powers predicted by activities alone; the truth
    of each program is its own measured mean minus its static part. `mixed_frequency`: the two run at different
    frequencies; None where the data hold no such pair. Programs seen by different counter sets are never mixed.
    """
    found: dict[str, list[Floats]] = {"mixed_frequency": [], "same_frequency": []}
    counter_sets = table.text("events_list")
    for one in np.unique(counter_sets):
        rows = counter_sets == one
        for kind, errors in _pair_errors(table.where(rows), prediction.where(rows), measured_w[rows]).items():
            found[kind].append(errors)
    return {kind: _summary(np.concatenate(parts)) for kind, parts in found.items()}


def _pair_errors(table: Table, prediction: Prediction, measured_w: Floats) -> Mapping[str, Floats]:
    """Absolute relative errors of the first of every ordered pair of cells of different programs."""
    group = cells(table, ("benchmark", "cores", "a15_freq_mhz"))
    first = np.unique(group, return_index=True)[1]
    counts = np.bincount(group)
    truth = np.bincount(group, measured_w - prediction.static_w) / counts
    model = np.bincount(group, prediction.owned_w - prediction.static_w) / counts
    frequency, program = table.number("a15_freq_mhz")[first], table.text("benchmark")[first]
    split = (truth[:, None] + truth) * model[:, None] / (model[:, None] + model)
    error = np.abs(split / truth[:, None] - 1.0)
    other = program[:, None] != program
    same = frequency[:, None] == frequency
    return {"mixed_frequency": error[other & ~same], "same_frequency": error[other & same]}


def _summary(errors: Floats) -> dict[str, float] | None:
    """Mean and 95th percentile in percent."""
    if not errors.size:
        return None
    return {"mean": float(100.0 * errors.mean()), "p95": float(100.0 * np.quantile(errors, 0.95))}
