"""Priors from files: models of other boards of the kind, tables of power per CPU frequency."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from powerhal.attribution.fitting.frequency_table import FrequencyTable, read_frequency_table
from powerhal.attribution.fitting.priors import TWIN_SD, Known
from powerhal.attribution.model import PowerModel
from powerhal.errors import UsageError


def twin(model: PowerModel, name: str) -> Known:
    """What the model of another board of the same kind says: its values, no surer than boards differ."""
    sd = np.sqrt(np.maximum(np.diag(model.covariance), 0.0))
    mean, spread = {}, {}
    for row, own in zip(model.coefficients, sd.tolist(), strict=True):
        least = TWIN_SD * abs(row.value)
        if row.kind in ("activity", "converter") and np.hypot(own, least) > 0.0:
            mean[row.name], spread[row.name] = row.value, float(np.hypot(own, least))
    return Known(f"model {name} of board {model.board}", mean, spread)


def of_table(table: FrequencyTable) -> Known:
    """A table of power per CPU frequency: what it says of coefficients is worked out where the board is known."""
    return Known(f"table {table.path.name}", table=table)


def read_priors(places: Sequence[str]) -> tuple[Known, ...]:
    """Sources from files, `.phm` models and `.csv` tables; raises UsageError, ModelError or FileError."""
    out = []
    for place in map(Path, places):
        if place.suffix == ".phm":
            out.append(twin(PowerModel.load(place), place.name))
        elif place.suffix == ".csv":
            out.append(of_table(read_frequency_table(place)))
        else:
            raise UsageError(
                f"{place}: a prior is a model (.phm) or a table of power per CPU frequency (.csv)",
                hint="powerhal attribute RUN.phr --save-model MODEL.phm writes a model",
            )
    return tuple(out)
