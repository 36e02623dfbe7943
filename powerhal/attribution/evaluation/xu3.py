"""`powerhal bench xu3`: real A15 rail power of programs the model has never seen.

Without a test file every program is predicted from the other programs of its suite, everything (lag, curve,
strength of the prior, interval) chosen without it. With a test file the whole training file is used.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from powerhal.attribution.evaluation.baselines import BASELINES
from powerhal.attribution.evaluation.features import COUNTERS, CYCLES
from powerhal.attribution.evaluation.forecast import Forecast, Lags, forecast
from powerhal.attribution.evaluation.heat import with_heat
from powerhal.attribution.evaluation.identifiability import identifiability
from powerhal.attribution.evaluation.judge import Answers, judged
from powerhal.attribution.evaluation.scores import POWER, Prediction
from powerhal.attribution.evaluation.selection import Member
from powerhal.attribution.evaluation.table import Floats, Table, read_table
from powerhal.attribution.evaluation.whole import from_total
from powerhal.errors import NotEnoughData

Progress = Callable[[str], None]

# The rung below all event counters: busy time at a frequency. The file's only record of CPU time is cycles / frequency.
TIME_ONLY = (CYCLES,)


def bench_xu3(
    train: str | Path,
    test: str | Path | None = None,
    *,
    predictions: str | Path | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Fit, predict and judge; returns the JSON report, percents throughout.

    `predictions`: CSV to write, a line per test row in file order. Where the test file has no measured power
    only predictions are made, and every figure of error is None. Raises FileError on a bad file and
    NotEnoughData when there is nothing to learn from.
    """
    say = progress or (lambda _text: None)
    known = with_heat(read_table(train))
    asked = known if test is None else with_heat(read_table(test))
    if not len(asked):
        raise NotEnoughData("the test file has no rows")
    models: list[dict[str, Any]] = []
    if test is None:
        answers = _left_out(known, say)
    else:
        say(f"fitting {len(known)} rows, predicting {len(asked)}")
        answers, models = _predicted(known, asked)
    if predictions is not None:
        write_predictions(predictions, answers.model)
    return {
        "schema": 1,
        "protocol": "leave one program out" if test is None else "train file, test file",
        "train": str(train),
        "test": None if test is None else str(test),
        "rows": len(asked),
        **judged(asked, answers),
        "identifiability": _identifiability(known),
        "models": models,
    }


def write_predictions(path: str | Path, prediction: Prediction) -> None:
    """Write `row,predicted_w,low_w,high_w,static_w`, a line per row from 0 in file order, in W; unknown is empty."""
    with Path(path).open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("row", "predicted_w", "low_w", "high_w", "static_w"))
        for number, row in enumerate(_stacked(prediction)[:4].T.tolist()):
            writer.writerow([number, *(f"{value:.6f}" if math.isfinite(value) else "" for value in row)])


def _predicted(known: Table, asked: Table) -> tuple[Answers, list[dict[str, Any]]]:
    """Answers for the test rows from all training rows, and what each group of them was predicted with."""
    lag_s = Lags(known).best_s()
    whole = forecast(known, asked, lag_s)
    time_only = forecast(known, asked, lag_s, TIME_ONLY).prediction
    answers = Answers(whole.prediction, time_only, from_total(known, asked), _baselines(whole, asked))
    return answers, _models(whole, asked, lag_s)


def _left_out(table: Table, say: Progress) -> Answers:
    """Answers for every row from the other programs of its suite."""
    lags = Lags(table)
    full, time_only = np.full((5, len(table)), np.nan), np.full((5, len(table)), np.nan)
    of_total = np.full(len(table), np.nan)
    baselines: dict[str, Floats] = {}
    suite, program = table.text("suite"), table.text("benchmark")
    pairs = sorted(set(zip(suite.tolist(), program.tolist(), strict=True)))
    for number, (home, name) in enumerate(pairs, start=1):
        mine = (suite == home) & (program == name)
        others, left = table.where((suite == home) & (program != name)), table.where(mine)
        say(f"{number}/{len(pairs)} {name}: from {len(others)} rows of other programs")
        if not len(others):
            raise NotEnoughData(f"{name} is the only program of suite {home}: nothing to learn it from")
        lag_s = lags.best_s(without=name)
        whole = forecast(others, left, lag_s)
        full[:, mine] = _stacked(whole.prediction)
        time_only[:, mine] = _stacked(forecast(others, left, lag_s, TIME_ONLY).prediction)
        of_total[mine] = from_total(others, left)
        for kind, power_w in _baselines(whole, left).items():
            baselines.setdefault(kind, np.full(len(table), np.nan))[mine] = power_w
    return Answers(Prediction(*full), Prediction(*time_only), of_total, baselines)


def _identifiability(table: Table) -> dict[str, Any]:
    """Made-up truths on the activities of each suite and counter set: are they inside what is reported?"""
    out: dict[str, Any] = {}
    suite, lists = table.text("suite"), table.text("events_list")
    for home, one in sorted(set(zip(suite.tolist(), lists.tolist(), strict=True))):
        part = table.where((suite == home) & (lists == one))
        out[f"{home} {one}".strip()] = identifiability(part, part.counted(COUNTERS))
    return {name: figures for name, figures in out.items() if figures is not None}


def _stacked(prediction: Prediction) -> Floats:
    return np.array([getattr(prediction, each.name) for each in fields(Prediction)])


def _baselines(whole: Forecast, test: Table) -> dict[str, Floats]:
    """Predictions of the simpler tools from the same training rows; those that are not installed are left out."""
    out: dict[str, Floats] = {}
    for name, baseline in BASELINES.items():
        power_w = np.full(len(test), np.nan)
        try:
            for part in whole.parts:
                rows = test.where(part.rows)
                power_w[part.rows] = baseline(part.train, part.train.number(POWER), rows, part.counted)
        except ImportError:
            continue
        out[name] = power_w
    return out


def _models(whole: Forecast, test: Table, lag_s: float) -> list[dict[str, Any]]:
    """What each group of test rows was predicted with: counters, lag, and the members of the average."""
    return [
        {
            "suite": str(test.text("suite")[part.rows[0]]),
            "rows": len(part.rows),
            "rung": "counters" if set(part.counted) - set(TIME_ONLY) else "time at frequency",
            "counters": list(part.counted),
            "lag_s": lag_s,
            "members": [_member(member) for member in part.learned.members],
        }
        for part in whole.parts
    ]


def _member(member: Member) -> dict[str, Any]:
    """One model of an average: coefficients in W, factors of the operating points."""
    model = member.model
    points = (f"{mhz:g} MHz" for mhz in model.points.frequencies_mhz)
    return {
        "share": member.share,
        "share_of_split": member.owned_share,
        "curve": member.candidate.curve.name,
        "doubt": member.candidate.doubt,
        "leak_w": model.leak,
        "heat_w_per_k": model.heat.tolist(),
        "energies_w": dict(zip(model.names, model.energies.tolist(), strict=True)),
        "scale": dict(zip(points, model.scale.tolist(), strict=True)),
    }
