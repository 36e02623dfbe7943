"""`powerhal bench drift`: a rail that starts to draw 20 % more, noticed and learned anew, the baselines beside it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from powerhal.cli import bench_seeded


def add(sets: Any) -> None:
    """Register `bench drift`."""
    p = sets.add_parser(
        "drift",
        help="a rail that draws 20 %% more from the middle on: alarm, recovery, false alarms",
        description="Put the runs of a suite one after another, scale the A15 rail by 1.2 from the middle on, and "
        "report when it was noticed, how fast it was learned, and how often a simulated day raises a false alarm.",
    )
    bench_seeded.options(p, "orders of the runs", run)


def run(args: argparse.Namespace) -> int:
    """Run the bench, progress on stderr, the report on stdout."""
    from powerhal.attribution.evaluation.drift import bench_drift

    return bench_seeded.answer(args, bench_drift, _lines)


def _lines(report: dict[str, Any]) -> Iterator[str]:
    """The report for a reader: alarm, errors of every way to go on, false alarms."""
    yield f"A15 rail, {report['rows']} windows, {report['protocol']}, {report['seeds']} orders"
    head = f"{'stream':<14}{'alarm s':>9}{'in 20 s %':>11}{'false/day':>11}"
    yield f"{head}{'frozen %':>10}{'forgets %':>11}{'model %':>9}"
    for name, one in (*report["per_stream"].items(), ("all", report)):
        after = one["error_after_60_s_percent"]
        yield (
            f"{name:<14}{_number(one['alarm_after_s']['median']):>9}{one['alarm_after_s']['within_20_s_percent']:>11.0f}"
            f"{one['false_alarms_per_day']['mean']:>11.2f}{after['frozen']:>10.2f}{after['forgetting']:>11.2f}"
            f"{after['model']:>9.2f}"
        )
    before = report["error_before_percent"]["model"]
    yield f"errors from 60 s after the change on; before it the model is {before:.2f} % off"


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.1f}"
