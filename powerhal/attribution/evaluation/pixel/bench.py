"""`powerhal bench pixel`: components of a phone from what it did, after few labelled runs; intervals; peers.

Of the training file N runs are labelled (drawn by seed among those with rails); of all others only
activities and battery are read. Features are never derived from a rail or from the battery's current. The
sum of rails of a run to be predicted is used for its `reconciled` figures and for nothing else.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from powerhal.attribution.evaluation.pixel import activities, lots, peers
from powerhal.attribution.evaluation.pixel.battery import battery_w
from powerhal.attribution.evaluation.pixel.components import COMPONENTS, NEEDED_RAILS, REST_PART, TOTAL_PART
from powerhal.attribution.evaluation.pixel.doubt import doubt
from powerhal.attribution.evaluation.pixel.forecast import ANSWERED, Answer, Forecast, forecast
from powerhal.attribution.evaluation.pixel.phone import Known, learn
from powerhal.attribution.evaluation.pixel.runs import BATTERY_PERCENT, BATTERY_UA, Runs, read_runs
from powerhal.attribution.evaluation.table import Bools, Floats
from powerhal.errors import FileError, NotEnoughData, Problem

Progress = Callable[[str], None]

TRAIN_COLUMNS = (*NEEDED_RAILS, BATTERY_UA, BATTERY_PERCENT)


@dataclass(frozen=True, slots=True)
class Truth:
    """What was measured in the asked runs: each component and the total, sum of rails, (n,) W, NaN where not."""

    power_w: Mapping[str, Floats]
    sum_w: Floats


def bench_pixel(
    train: str | Path,
    test: str | Path | None = None,
    *,
    labelled: int = 20,
    seed: int = 0,
    predictions: str | Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Learn, predict and judge; returns the JSON report, percents throughout, None where nothing was measured.

    Without `test` a random half of the training file (by the same seed) is predicted from the other.
    `predictions`: CSV to write, a line per test run in file order. Raises FileError with every mistake of both
    files and NotEnoughData when fewer than `labelled` runs have rails.
    """
    say = progress or (lambda _text: None)
    known_runs, asked_runs = _files(train, test, seed)
    chosen = lots.labelled(known_runs, labelled, seed)
    say(f"learning from {labelled} labelled of {len(known_runs)} runs, predicting {len(asked_runs)}")
    known, asked, unread = _prepared(known_runs, asked_runs, chosen)
    phone, doubts = learn(known), doubt(known)
    found = forecast(phone, doubts, asked, asked_runs.rail_sum_w())
    if predictions is not None:
        write_predictions(predictions, asked_runs, found)
    truth = _truth(asked_runs)
    return {
        "schema": 1,
        "protocol": "random half" if test is None else "train file, test file",
        "train": str(train),
        "test": None if test is None else str(test),
        "labelled": labelled,
        "seed": seed,
        "runs": {"train": len(known_runs), "test": len(asked_runs)},
        **_judged(found, truth),
        "baselines": _baselines(known, asked, truth),
        "battery": {"per_rail_watt": _number(phone.kappa), "beside_w": _number(phone.leak_w)},
        "coefficients": {
            part.name: dict(zip((name for name, _ in part.columns), phone.lines[part.name].theta.tolist(), strict=True))
            for part in (*COMPONENTS, REST_PART)
        },
        "filled_in": unread,
        "labelled_ids": [name for name, taught in zip(known_runs.ids, chosen, strict=True) if taught],
    }


def bench_halves(
    train: str | Path, *, halves: int, labelled: int = 20, seed: int = 0, progress: Progress | None = None
) -> dict[str, Any]:
    """The same over random halves of one file, seeds `seed` to `seed + halves - 1`: mean and spread of each figure."""
    reports = []
    for number in range(seed, seed + halves):
        reports.append(bench_pixel(train, labelled=labelled, seed=number))
        if progress is not None:
            progress(f"half {number - seed + 1} of {halves}")
    figures = ("components", "reconciled", "interval90_coverage_percent", "interval90_half_width_percent")
    return {
        "schema": 1,
        "protocol": "random halves",
        "train": str(train),
        "labelled": labelled,
        "seeds": [seed, seed + halves - 1],
        **{figure: _over([report[figure] for report in reports]) for figure in figures},
        "rail_sum": _over([{"rail_sum": report["rail_sum_percent"]} for report in reports])["rail_sum"],
        "interval90_pooled_percent": _spread([report["interval90_pooled_percent"] for report in reports]),
        "baselines": {
            name: _over([report["baselines"][name]["components"] for report in reports])
            for name in reports[0]["baselines"]
        },
    }


def write_predictions(path: str | Path, runs: Runs, found: Forecast) -> None:
    """Write `ID`, then power, interval and reconciled power in W of each component and the total; unknown is empty."""
    header = [f"{name}_{kind}" for name in ANSWERED for kind in ("w", "low_w", "high_w", "reconciled_w")]
    columns = [values for name in ANSWERED for values in _columns(found.answers[name])]
    try:
        with Path(path).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(("ID", *header))
            for name, *row in zip(runs.ids, *(values.tolist() for values in columns), strict=True):
                writer.writerow([name, *(f"{value:.6f}" if math.isfinite(value) else "" for value in row)])
    except OSError as fault:
        raise FileError(f"{path} cannot be written: {fault.strerror}") from fault


def _columns(answer: Answer) -> tuple[Floats, ...]:
    return answer.power_w, answer.low_w, answer.high_w, answer.reconciled_w


def _files(train: str | Path, test: str | Path | None, seed: int) -> tuple[Runs, Runs]:
    """Training and test runs; every mistake of both files in one error."""
    faults: list[FileError] = []
    read: list[Runs] = []
    for path, needed in ((train, TRAIN_COLUMNS), (test, ())):
        try:
            read += [] if path is None else [read_runs(path, needed)]
        except FileError as fault:
            faults.append(fault)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        problems = [p for fault in faults for p in fault.problems or (Problem("", "PH-F001", str(fault)),)]
        raise FileError("; ".join(str(fault) for fault in faults), problems, hint=faults[0].hint)
    known, asked = lots.halves(read[0], seed) if test is None else (read[0], read[1])
    for runs in (known, asked):
        if not len(runs):
            raise NotEnoughData(f"{runs.path} has no runs" if test else f"{runs.path} has too few runs to be halved")
    return known, asked


def _prepared(known: Runs, asked: Runs, chosen: Bools) -> tuple[Known, dict[str, Floats], dict[str, dict[str, int]]]:
    """What may be learned from, what the asked runs did, and how many activities had to be filled in."""
    did, does = activities.read(known), activities.read(asked)
    fill = activities.filler(did)
    part_w = _rails(known, chosen)
    unread = {"train": activities.unread(did), "test": activities.unread(does)}
    return Known(fill(did), chosen, part_w, battery_w(known)), fill(does), unread


def _rails(runs: Runs, chosen: Bools) -> dict[str, Floats]:
    """Power of the components and the rest in the chosen runs, (n,) W; NaN in the others, whose rails stay unread."""
    rows = np.flatnonzero(chosen)
    taught = runs.where(rows)
    problems = taught.check_numbers(taught.rails)
    if problems:
        raise FileError(f"{runs.path} has {len(problems)} labelled rails that are no numbers", problems)
    part_w = {part.name: taught.rails_w(part.rails) for part in COMPONENTS}
    part_w[REST_PART.name] = taught.rails_w(taught.rails) - np.sum(list(part_w.values()), axis=0)
    out = {name: np.full(len(runs), np.nan) for name in part_w}
    for name, values in part_w.items():
        out[name][rows] = values
    return out


def _truth(runs: Runs) -> Truth:
    power_w = {part.name: runs.rails_w(part.rails) for part in COMPONENTS}
    return Truth({**power_w, TOTAL_PART.name: battery_w(runs)}, runs.rail_sum_w())


def _judged(found: Forecast, truth: Truth) -> dict[str, Any]:
    """Errors, coverage and width of every component; None where nothing was measured."""
    answers, measured = found.answers, truth.power_w
    inside = {name: _inside(answers[name], measured[name]) for name in ANSWERED}
    each = list(_finite(inside))
    return {
        "components": {name: error_percent(answers[name].power_w, measured[name]) for name in ANSWERED},
        "reconciled": {name: error_percent(answers[name].reconciled_w, measured[name]) for name in ANSWERED},
        "interval90_coverage_percent": inside,
        "interval90_half_width_percent": {name: _half_width(answers[name]) for name in ANSWERED},
        "interval90_pooled_percent": sum(each) / len(each) if each else None,
        "rail_sum_percent": error_percent(found.sum_w, truth.sum_w),
    }


def error_percent(predicted_w: Floats, measured_w: Floats) -> float | None:
    """Mean absolute error over the mean of what was measured, percent; None where nothing was."""
    known = np.isfinite(predicted_w) & np.isfinite(measured_w)
    if not known.any():
        return None
    return float(100.0 * np.mean(np.abs(predicted_w - measured_w)[known]) / np.mean(measured_w[known]))


def _inside(answer: Answer, measured_w: Floats) -> float | None:
    known = np.isfinite(measured_w) & np.isfinite(answer.low_w)
    held = (answer.low_w <= measured_w) & (measured_w <= answer.high_w)
    return float(100.0 * np.mean(held[known])) if known.any() else None


def _half_width(answer: Answer) -> float | None:
    """Median half width of the interval relative to the prediction, percent."""
    relative = 0.5 * (answer.high_w - answer.low_w) / answer.power_w
    return float(100.0 * np.median(relative[np.isfinite(relative)])) if np.isfinite(relative).any() else None


def _baselines(known: Known, asked: Mapping[str, Floats], truth: Truth) -> dict[str, Any]:
    return {
        name: {
            "components": {
                component: error_percent(said[component], truth.power_w[component]) if component in said else None
                for component in ANSWERED
            },
            "development_only": name.startswith("sklearn"),
        }
        for name, said in peers.answers(known, asked).items()
    }


def _finite(figures: Mapping[str, float | None]) -> Iterator[float]:
    return (value for value in figures.values() if value is not None)


def _over(figures: list[dict[str, float | None]]) -> dict[str, Any]:
    return {name: _spread([each[name] for each in figures]) for name in figures[0]}


def _spread(values: list[float | None]) -> dict[str, float] | None:
    known = [value for value in values if value is not None]
    return {"mean": float(np.mean(known)), "sd": float(np.std(known))} if known else None


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
