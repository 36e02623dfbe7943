"""`powerhal bench freq`: power of a CPU at frequencies that nobody measured, from tables of power per frequency.

A curve (one cluster of one chip) is always predicted from its own readings that are given and from chips of
other families; sizes of departure, shapes and level are learned without its family. Baselines see the same
readings.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.attribution.evaluation.freq_baselines import BASELINES
from powerhal.attribution.fitting.frequency import LEAST_POINTS, Curve, Expected, Population, Prior
from powerhal.attribution.fitting.frequency_table import FrequencyTable, read_frequency_table, tables_in
from powerhal.errors import NotEnoughData

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Progress = Callable[[str], None]
# For a curve of n points: sets of readings that are given, as numbers (k,).
Given = Callable[[int, np.random.Generator], Iterator[Integers]]

SEEDS = 5
FEW = 3


def _all_but_one(n: int, _: np.random.Generator) -> Iterator[Integers]:
    return (np.delete(np.arange(n), k) for k in range(n))


def _all_but_one_inside(n: int, _: np.random.Generator) -> Iterator[Integers]:
    return (np.delete(np.arange(n), k) for k in range(1, n - 1))


def _only(*parts: float) -> Given:
    """Readings at these parts (0..1) of the table."""

    def given(n: int, _: np.random.Generator) -> Iterator[Integers]:
        yield np.unique([round(part * (n - 1)) for part in parts]).astype(np.int64)

    return given


def _some(n: int, random: np.random.Generator) -> Iterator[Integers]:
    yield np.sort(random.choice(n, min(FEW, n - 1), replace=False)).astype(np.int64)


PROTOCOLS: dict[str, Given] = {
    "leave_one_frequency_out": _all_but_one,
    "leave_one_inner_frequency_out": _all_but_one_inside,
    "lowest_middle_highest": _only(0.0, 0.5, 1.0),
    "lowest_highest": _only(0.0, 1.0),
    "highest": _only(1.0),
    "other_chips_only": _only(),
}


def bench_freq(places: Sequence[str | Path], *, progress: Progress | None = None) -> dict[str, Any]:
    """Predict what was left out of every table and judge it; the JSON report, percents throughout.

    Errors are means of |predicted / measured - 1| over the frequencies of a curve, then over curves. Raises
    FileError on a bad table, NotEnoughData with fewer than two families of chips.
    """
    say = progress or (lambda _text: None)
    tables = [read_frequency_table(path) for path in tables_in(places)]
    curves = [c for table in tables for c in table.curves.values() if c.hz.size >= LEAST_POINTS]
    families = {c.family for c in curves}
    if len(families) < 2:
        raise NotEnoughData(
            f"{len(families)} families of chips with {LEAST_POINTS} or more measured frequencies: 2 are needed",
            hint="a chip is predicted from other chips; give more tables",
        )
    say(f"{len(curves)} curves of {len(families)} families of chips")
    population = Population(curves)
    priors = _Priors(population)
    protocols, per_curve = {}, {}
    for name, given in PROTOCOLS.items():
        say(name.replace("_", " "))
        protocols[name], per_curve[name] = _run(curves, priors, given, np.random.default_rng(0))
    say(f"{FEW} frequencies drawn by chance, {SEEDS} seeds")
    return {
        "schema": 1,
        "protocol": "a curve from its given readings and chips of other families",
        "tables": len(tables),
        "curves": len(curves),
        "families": len(families),
        "left_out": _left_out(tables),
        "mape_percent": protocols["leave_one_frequency_out"]["model"]["mape_percent"],
        "interval90_coverage_percent": protocols["leave_one_frequency_out"]["model"]["interval90_coverage_percent"],
        "protocols": protocols,
        "three_by_chance": _over_seeds(curves, priors),
        "another_device": _another_device(tables),
        "per_curve": {c.label: {name: figures[k] for name, figures in per_curve.items()} for k, c in enumerate(curves)},
    }


class _Priors:
    """What the other families say of each curve; what was asked before is not worked out again."""

    def __init__(self, population: Population) -> None:
        self._priors: dict[str, Prior] = {str(f): population.without(str(f)) for f in np.unique(population.families)}
        self._said: dict[tuple[str, bytes], Expected] = {}

    def expect(self, curve: Curve, known: Integers, left: Integers) -> Expected:
        """Power at the points `left` given the readings at the points `known`."""
        key = (curve.label, known.tobytes())
        if key not in self._said:
            prior, top_hz = self._priors[curve.family], float(curve.hz[-1])
            self._said[key] = prior.expect(curve.hz[left], curve.hz[known], curve.watts[known], top_hz)
        return self._said[key]


def _run(
    curves: Sequence[Curve], priors: _Priors, given: Given, random: np.random.Generator
) -> tuple[dict[str, Any], list[float]]:
    """Model and baselines on what `given` leaves out of every curve, and the model's error of each curve."""
    errors: dict[str, list[float]] = defaultdict(list)
    inside, widths = [], []
    for curve in curves:
        mine: dict[str, list[Floats]] = defaultdict(list)
        for known in given(curve.hz.size, random):
            left = np.setdiff1d(np.arange(curve.hz.size), known)
            truth, found = curve.watts[left], priors.expect(curve, known, left)
            inside.append((found.low_w <= truth) & (truth <= found.high_w))
            widths.append((found.high_w - found.low_w) / truth)
            mine["model"].append(np.abs(found.watts / truth - 1.0))
            for name, baseline in BASELINES.items():
                guess = baseline(curve.hz[known], curve.watts[known], curve.hz[left])
                if guess is not None:
                    mine[name].append(np.abs(guess / truth - 1.0))
        for name, parts in mine.items():
            errors[name].append(float(100.0 * np.mean(np.concatenate(parts))))
    model = {
        **_summary(errors["model"]),
        "interval90_coverage_percent": float(100.0 * np.mean(np.concatenate(inside))),
        "interval90_width_percent": float(100.0 * np.median(np.concatenate(widths))),
    }
    baselines = {name: _summary(found) for name, found in errors.items() if name != "model"}
    return {"model": model, "baselines": baselines}, errors["model"]


def _summary(errors: Sequence[float]) -> dict[str, float]:
    """Over curves: mean, median and 90th percentile of their mean errors."""
    return {
        "mape_percent": float(np.mean(errors)),
        "median_percent": float(np.median(errors)),
        "p90_percent": float(np.quantile(errors, 0.9)),
    }


def _over_seeds(curves: Sequence[Curve], priors: _Priors) -> dict[str, Any]:
    """Three frequencies by chance: mean and standard deviation over seeds of every method's error."""
    runs = [_run(curves, priors, _some, np.random.default_rng(seed))[0] for seed in range(SEEDS)]
    figures = {"model": [r["model"]["mape_percent"] for r in runs]}
    for name in runs[0]["baselines"]:
        figures[name] = [r["baselines"][name]["mape_percent"] for r in runs]
    return {
        "seeds": SEEDS,
        "mape_percent": {
            name: {"mean": float(np.mean(v)), "sd": float(np.std(v, ddof=1))} for name, v in figures.items()
        },
        "interval90_coverage_percent": float(np.mean([r["model"]["interval90_coverage_percent"] for r in runs])),
    }


def _another_device(tables: Sequence[FrequencyTable]) -> dict[str, Any]:
    """How far the table of one device is from that of another with the same chip: what a table is worth as a prior."""
    ratios = []
    for table in tables:
        for twin in tables:
            if twin.path == table.path or twin.chip != table.chip:
                continue
            for cpu, curve in table.curves.items():
                if cpu in twin.curves and (common := np.intersect1d(curve.hz, twin.curves[cpu].hz)).size:
                    mine, other = (c.watts[np.searchsorted(c.hz, common)] for c in (curve, twin.curves[cpu]))
                    ratios.append(np.log(mine / other))
    if not ratios:
        return {"pairs": 0, "mape_percent": None, "median_percent": None, "log_sd": None}
    every = np.concatenate(ratios)
    each = [float(100.0 * np.mean(np.abs(np.exp(r) - 1.0))) for r in ratios]
    return {
        "pairs": len(ratios),
        "mape_percent": float(np.mean(each)),
        "median_percent": float(np.median(each)),
        "log_sd": float(np.median(np.abs(every)) / 0.6745),
    }


def _left_out(tables: Sequence[FrequencyTable]) -> dict[str, Any]:
    short = [c.label for t in tables for c in t.curves.values() if c.hz.size < LEAST_POINTS]
    return {
        "rows_without_power": sum(t.unknown for t in tables),
        "tables_without_power": [t.path.name for t in tables if not t.curves],
        "curves_too_short": short,
    }
