"""`powerhal bench gauge`: a rail behind an averaging, late and coarse sensor, the baselines beside it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from powerhal.cli import bench_seeded

WAYS = {"naive": 10, "one_lag": 11, "known": 10, "learned": 11}  # columns and their widths


def add(sets: Any) -> None:
    """Register `bench gauge`."""
    p = sets.add_parser(
        "gauge",
        help="a slow sensor: window and lag learned back from its readings",
        description="Average, delay and round the readings of the A15 rail as a battery gauge would, learn window and "
        "lag back, and predict the true power of every program from the others.",
    )
    bench_seeded.options(p, "different sensors", run)


def run(args: argparse.Namespace) -> int:
    """Run the bench, progress on stderr, the report on stdout."""
    from powerhal.attribution.evaluation.gauge import bench_gauge

    return bench_seeded.answer(args, bench_gauge, _lines)


def _lines(report: dict[str, Any]) -> Iterator[str]:
    """The report for a reader: each sensor, what was learned of it, and the errors."""
    undistorted = report["undistorted"]["mape_percent"]
    yield f"A15 rail behind a slow sensor, {report['rows']} windows, {report['protocol']}"
    yield f"without distortion: {undistorted:.2f} %"
    yield f"{'average, lag':<16}{'learned':>16}{'naive %':>10}{'one lag %':>11}{'known %':>10}{'learned %':>11}"
    for one in report["settings"]:
        true, found = f"{one['window_s']:.2f} s, {one['lag_s']:.2f} s", one["learned"]
        seen = f"{found['window_s']:.2f} s, {found['lag_s']:.2f} s"
        yield f"{true:<16}{seen:>16}" + "".join(
            f"{one['mape_percent'][way]:>{width}.2f}" for way, width in WAYS.items()
        )
    yield "suites and counter sets, first sensor"
    ways = report["settings"][0]["by_events_list"]
    for name in ways["learned"]:
        each = (f"{ways[way][name]:>{width}.2f}" for way, width in WAYS.items())
        yield f"  {name:<30}{''.join(each)}"
    worst = report["over_seeds"]
    yield f"worst: window {worst['window_error_s']:.2f} s, lag {worst['lag_error_s']:.2f} s off"
