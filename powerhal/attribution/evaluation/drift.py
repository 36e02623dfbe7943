"""`powerhal bench drift`: a rail that draws 20 % more from the middle of a run on, noticed and learned anew.

The runs of a suite's programs are put one after another in an order of chance. The first half teaches the model,
the scatter of its residuals and the alarm's threshold; from the middle on the rail is scaled. Errors are those of
predictions made before each window was seen. False alarms are counted on simulated days made of the second half
as it was measured.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from powerhal.attribution.evaluation.alignment import RUN_COLUMNS, cells
from powerhal.attribution.evaluation.gauge import Group, grouped, usable
from powerhal.attribution.evaluation.rail import Sample, fit
from powerhal.attribution.evaluation.scores import POWER, measured
from powerhal.attribution.evaluation.selection import DEFAULT
from powerhal.attribution.evaluation.table import Floats, Integers, read_table
from powerhal.attribution.fitting.drift import (
    DAY_S,
    Noise,
    Visits,
    Watch,
    hold_windows,
    simulate,
    threshold_for,
    watch_run,
)
from powerhal.attribution.fitting.streaming import TwoClocks
from powerhal.errors import NotEnoughData

Progress = Callable[[str], None]

SCALE = 1.2
GROUPS = ("rail", "static part")
WINDOW_S = 0.51
ALARM_WITHIN_S, LEARNED_AFTER_S = 20.0, 60.0
BACK_TO_PERCENT = 5.0
LEAST_MINUTES = 4.0  # a stream that is shorter has no 60 s before and after
SIMULATED_DAYS = 4.0
STREAMS = 96
FORGET_S = 30.0  # half-life of the baseline that only forgets


@dataclass(frozen=True, slots=True)
class Stream:
    """One order of a group's runs: rows in time, the run and the context (program at a frequency) of each, each
    context's program, and the first row after the change."""

    group: Group
    rows: Integers
    visit: Integers
    context: Integers
    family: Integers
    change: int


@dataclass(frozen=True, slots=True)
class Taught:
    """What the first half taught: power of every row in watts (all rows of the group), shares (n, groups), noise."""

    predicted_w: Floats
    shares: Floats
    noise: Noise
    left_out: Floats


def bench_drift(train: str | Path, *, seeds: int = 3, progress: Progress | None = None) -> dict[str, Any]:
    """Scale the rail, watch, and judge; the JSON report, percents and seconds.

    Raises FileError on a bad file and NotEnoughData when no suite is long enough.
    """
    say = progress or (lambda _text: None)
    table = read_table(train)
    table = table.where(measured(table) & np.isfinite(table.number("a15_freq_mhz")) & usable(table))
    groups = [g for g in grouped(table) if len(g.table) * WINDOW_S / 60.0 >= LEAST_MINUTES]
    if not groups:
        raise NotEnoughData(
            f"no suite has {LEAST_MINUTES:g} minutes of two or more programs", hint="--train needs longer runs"
        )
    runs = []
    for seed in range(max(1, seeds)):
        for group in groups:
            name = f"{group.table.text('suite')[0]} {group.table.text('events_list')[0]}"
            say(f"seed {seed}: {name}")
            runs.append({"seed": seed, "stream": name, **_one(_ordered(group, seed), seed)})
    return {
        "schema": 1,
        "protocol": f"rail x {SCALE:g} from the middle of runs in an order of chance; the first half teaches",
        "train": str(train),
        "rows": sum(len(g.table) for g in groups),
        "seeds": max(1, seeds),
        **_together(runs),
        "per_stream": {
            name: _together([r for r in runs if r["stream"] == name])
            for name in dict.fromkeys(r["stream"] for r in runs)
        },
        "runs": runs,
    }


def _ordered(group: Group, seed: int) -> Stream:
    """All runs of the group, shuffled; the change comes at the middle row, wherever that falls."""
    run = cells(group.table, RUN_COLUMNS)
    times_ns = group.table.times_ns()
    order = np.random.default_rng(seed).permutation(int(run.max()) + 1)
    parts = []
    for one in order.tolist():
        rows = np.flatnonzero(run == one)
        parts.append(rows[np.argsort(times_ns[rows], kind="stable")])
    rows = np.concatenate(parts)
    visit = np.repeat(np.arange(len(parts)), [p.size for p in parts])
    context = cells(group.table, ("benchmark", "a15_freq_mhz", "cores"))
    family = group.program[np.unique(context, return_index=True)[1]]
    return Stream(group, rows, visit, context[rows], family, rows.size // 2)


def _taught(stream: Stream) -> Taught:
    """The model, its residuals and their scatter from the rows before the change."""
    group, before = stream.group, stream.rows[: stream.change]
    power_w, frequency = group.table.number(POWER), group.table.number("a15_freq_mhz")
    point = np.searchsorted(group.points.frequencies_mhz, frequency)
    all_rows = group.sharp(DEFAULT.curve)
    every = Sample(all_rows.where(before), power_w[before], group.program[before], point[before])
    whole = fit(every, group.points, DEFAULT.doubt)
    predicted_w, static_w = whole.predict_w(all_rows, frequency), whole.static_w(all_rows)
    shares = np.column_stack((np.ones(predicted_w.size), static_w / predicted_w))
    inside = np.log(power_w[before] / predicted_w[before])
    left_out = np.empty(before.size)
    for one in np.unique(every.program):
        mine = every.program == one
        if mine.all():
            left_out[:] = inside
            break
        model = fit(every.where(~mine), group.points, DEFAULT.doubt)
        left_out[mine] = np.log(
            every.power_w[mine] / model.predict_w(every.columns.where(mine), frequency[before[mine]])
        )
    noise = Noise.of(left_out, inside, stream.context[: stream.change], stream.visit[: stream.change], stream.family)
    return Taught(predicted_w, shares, noise, left_out)


def _one(stream: Stream, seed: int) -> dict[str, Any]:
    """One order of runs: alarm, errors after the change of every way to go on, false alarms of simulated days."""
    group, rows, half = stream.group, stream.rows, stream.change
    taught = _taught(stream)
    measured_w = group.table.number(POWER)[rows]
    distorted_w = np.where(np.arange(rows.size) < half, measured_w, SCALE * measured_w)
    predicted_w, h = taught.predicted_w[rows], taught.shares[rows]
    context = stream.context
    residual = np.log(distorted_w / predicted_w)
    known = Visits.of(h[:half], context[:half], residual[:half], stream.visit[:half])
    threshold = threshold_for(GROUPS, stream.family, taught.noise, known, WINDOW_S)
    watch = Watch(GROUPS, stream.family, taught.noise, threshold=threshold, hold=hold_windows(WINDOW_S))
    expected, alarms = watch_run(watch, h, context, residual)
    after = [a for a in alarms if a.window >= half]
    answers = {
        "model": predicted_w * np.exp(expected),
        "frozen": predicted_w,
        "forgetting": _forgetting(stream, distorted_w),
    }
    errors = {name: 100.0 * np.abs(power / distorted_w - 1.0) for name, power in answers.items()}
    late = half + round(LEARNED_AFTER_S / WINDOW_S)
    return {
        "threshold": threshold,
        "alarm_after_s": (after[0].window - half + 1) * WINDOW_S if after else None,
        "alarm_group": after[0].group if after else None,
        "factor": watch.factors()["rail"],
        "alarms_before_change": len(alarms) - len(after),
        "error_before_percent": {name: float(e[half // 2 : half].mean()) for name, e in errors.items()},
        "error_first_60_s_percent": {name: float(e[half:late].mean()) for name, e in errors.items()},
        "error_after_60_s_percent": {name: float(e[late:].mean()) for name, e in errors.items()},
        "recovered_after_s": {name: _recovered_s(e[half:]) for name, e in errors.items()},
        "false_alarms_per_day": _false_alarms(stream, taught, threshold, seed),
    }


def _recovered_s(errors: Floats) -> float | None:
    """Seconds until the mean error of 10 s falls below BACK_TO_PERCENT; None: never."""
    span = round(10.0 / WINDOW_S)
    total = np.concatenate(([0.0], np.cumsum(errors)))
    good = np.flatnonzero((total[span:] - total[:-span]) / span < BACK_TO_PERCENT)
    return float((good[0] + span) * WINDOW_S) if good.size else None


def _false_alarms(stream: Stream, taught: Taught, threshold: float, seed: int) -> float:
    """Alarms a day on days made of the second half's runs, as they were measured."""
    group, rows, half = stream.group, stream.rows, stream.change
    residual = np.log(group.table.number(POWER)[rows] / taught.predicted_w[rows])
    h, context = taught.shares[rows], stream.context
    first = Visits.of(h[:half], context[:half], residual[:half], stream.visit[:half])
    second = Visits.of(h[half:], context[half:], residual[half:], stream.visit[half:])
    watch = Watch(
        GROUPS, stream.family, taught.noise, threshold=threshold, hold=hold_windows(WINDOW_S), streams=STREAMS
    )
    simulate(watch, first, half, seed)  # as much as the stream had seen before
    _, alarms = simulate(watch, second, round(SIMULATED_DAYS * DAY_S / WINDOW_S / STREAMS), seed + 1)
    return float(alarms.sum() / SIMULATED_DAYS)


def _forgetting(stream: Stream, power_w: Floats) -> Floats:
    """Baseline: a linear model that forgets with a half-life of FORGET_S and raises no alarm; (n,) W."""
    columns = stream.group.sharp(DEFAULT.curve)
    points = stream.group.points
    frequency = stream.group.table.number("a15_freq_mhz")
    scale = np.interp(frequency, points.frequencies_mhz, points.dynamic_scale())
    x = np.column_stack((columns.static, columns.dynamic * scale[:, None]))[stream.rows]
    x = x / np.maximum(np.abs(x[: stream.change]).mean(axis=0), 1e-12)
    names = tuple(f"x{k}" for k in range(x.shape[1]))
    clocks = TwoClocks(names, slow_half_life_s=np.inf, fast_half_life_s=FORGET_S)
    step = max(1, round(5.0 / WINDOW_S))
    out = np.full(power_w.size, np.nan)
    for first in range(0, power_w.size, step):
        now = slice(first, first + step)
        if first:
            out[now] = np.maximum(x[now] @ clocks.fast_theta(), 1e-3)
        clocks.learn(x[now], power_w[now], 1.0 / power_w[now] ** 2, at_s=(first + step) * WINDOW_S)
    out[:step] = power_w[:step]
    return out


def _together(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Figures over several runs: shares, medians and means."""
    delays = [r["alarm_after_s"] for r in runs]
    raised = [d for d in delays if d is not None]
    false = np.array([r["false_alarms_per_day"] for r in runs])

    def mean(key: str) -> dict[str, float]:
        return {name: float(np.mean([r[key][name] for r in runs])) for name in runs[0][key]}

    after = np.array([r["error_after_60_s_percent"]["model"] for r in runs])
    return {
        "streams": len(runs),
        "alarm_after_s": {
            "median": float(np.median(raised)) if raised else None,
            "p90": float(np.quantile([np.inf if d is None else d for d in delays], 0.9, method="lower"))
            if len(raised) == len(delays) else None,
            "within_20_s_percent": 100.0 * float(np.mean([d is not None and d <= ALARM_WITHIN_S for d in delays])),
            "never": len(delays) - len(raised),
        },
        "false_alarms_per_day": {"mean": float(false.mean()), "worst": float(false.max())},
        "error_before_percent": mean("error_before_percent"),
        "error_first_60_s_percent": mean("error_first_60_s_percent"),
        "error_after_60_s_percent": mean("error_after_60_s_percent"),
        "error_after_60_s_sd": float(after.std(ddof=1)) if after.size > 1 else 0.0,
        "below_5_percent_after_60_s": 100.0 * float(np.mean(after < BACK_TO_PERCENT)),
        "factor": float(np.median([r["factor"] for r in runs])),
    }  # fmt: skip
