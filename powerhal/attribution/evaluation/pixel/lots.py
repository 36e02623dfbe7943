"""Who is labelled, and which half is the test: drawn by seed and by the run's name, whatever the order of rows.

A run's lot is SHA-256 of `PURPOSE:SEED:ID`; the smallest lots are drawn. Adding or moving rows changes nothing
for the others, and nothing but the name of a run and whether its rails are written is looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from powerhal.attribution.evaluation.pixel.runs import Runs
from powerhal.attribution.evaluation.table import Bools, Integers
from powerhal.errors import NotEnoughData

FEWEST = 3


def by_lot(ids: Sequence[str], purpose: str, seed: int) -> Integers:
    """Rows in the order of their lots, (n,)."""
    lots = [sha256(f"{purpose}:{seed}:{name}".encode()).digest() for name in ids]
    return np.array(sorted(range(len(ids)), key=lots.__getitem__), dtype=np.int64)


def labelled(runs: Runs, count: int, seed: int) -> Bools:
    """The `count` runs of the smallest lots among those whose rails are written, (n,).

    Raises NotEnoughData when fewer are there, or fewer than `FEWEST` are asked for.
    """
    if count < FEWEST:
        raise NotEnoughData(
            f"{count} labelled runs cannot teach what a phone's components draw: at least {FEWEST} are needed"
        )
    written = runs.has_rails()
    if written.sum() < count:
        raise NotEnoughData(
            f"{runs.path}: {int(written.sum())} of {len(runs)} runs have rails, {count} labelled ones are asked for",
            hint=f"ask for fewer with --labelled, at least {FEWEST}",
        )
    order = by_lot(runs.ids, "labelled", seed)
    chosen = np.zeros(len(runs), dtype=np.bool_)
    chosen[order[written[order]][:count]] = True
    return chosen


def halves(runs: Runs, seed: int) -> tuple[Runs, Runs]:
    """Two random halves of a file: training, test, in the order of the file."""
    order = by_lot(runs.ids, "half", seed)
    middle = len(order) // 2
    return runs.where(np.sort(order[:middle])), runs.where(np.sort(order[middle:]))
