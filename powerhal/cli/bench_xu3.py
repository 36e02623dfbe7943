"""`powerhal bench xu3`: an ODROID-XU3's rail from its counters, the baselines beside it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

from powerhal.cli import files
from powerhal.cli.bench import CSV


def add(sets: Any) -> None:
    """Register `bench xu3`."""
    p = sets.add_parser(
        "xu3",
        help="ODROID-XU3: power of the A15 rail from its counters",
        description="Fit the A15 rail on one file and predict another; without --test, leave one program out. "
        "Truth columns of the test file may be empty: then only predictions are written.",
    )
    p.add_argument("--train", required=True, metavar="FILE", help="measured windows, .csv or .csv.gz")
    p.add_argument("--test", metavar="FILE", help="windows of other programs, the same columns")
    p.add_argument("--predictions", metavar="OUT.csv", help="write a line per test row: watts, interval, static")
    p.add_argument("--json", action="store_true", help="the whole report as JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the bench, progress on stderr, the report on stdout."""
    from powerhal.attribution.evaluation.xu3 import bench_xu3

    files.together(
        files.present(args.train, hint=CSV),
        files.present(args.test, hint=CSV),
        files.output(args.predictions, inputs=[args.train, args.test]),
    )
    quiet = getattr(args, "quiet", False)
    report = bench_xu3(
        args.train,
        args.test,
        predictions=args.predictions,
        progress=None if quiet else lambda text: print(f"bench: {text}", file=sys.stderr),
    )
    if args.json:
        print(json.dumps(report, indent=2))
    else:
        print("\n".join(_lines(report)))
    return 0


def _lines(report: dict[str, Any]) -> Iterator[str]:
    """The report for a reader: suites, baselines, programs."""
    yield f"ODROID-XU3, A15 rail, {report['rows']} windows, {report['protocol']}"
    if not report["windows"]:
        yield "no measured power in the test file: predictions only"
        return
    head = f"{'suite':<14}{'MAPE %':>8}{'process %':>11}{'worst J %':>11}"
    yield f"{head}{'90% covers':>12}{'width %':>9}{'no counters %':>15}"
    for name, suite in report["per_suite"].items():
        yield (
            f"{name:<14}{suite['mape_percent']:>8.2f}{_mean(suite['process_error_percent']['mixed_frequency']):>11}"
            f"{suite['worst_program_energy_error_percent']:>11.1f}{suite['interval90']['coverage_percent']:>12.1f}"
            f"{suite['interval90']['width_percent']:>9.1f}{suite['without_counters_mape_percent']:>15.2f}"
        )
        if len(suite["by_events_list"]) > 1:
            yield from (_of_list(one, suite) for one in suite["by_events_list"])
        every = suite["over_programs"]
        of_total = suite["one_device_from_total"]
        yield (
            f"  {every['programs']} programs: {every['mean_mape_percent']:.2f} ± {_number(every['sd_percent'])}; "
            f"out of the total with an idle reading: {_number(of_total and of_total['mape_percent'])}"
        )
    yield f"{'all':<14}{report['mape_percent']:>8.2f}"
    for name, baseline in report["baselines"].items():
        yield f"baseline {name:<28}{_number(baseline['mape_percent']):>8}"
    yield from _identifiable(report)
    yield f"{'program':<28}{'MAPE %':>8}{'energy %':>10}"
    for name, program in report["per_program"].items():
        yield f"{name:<28}{program['mape_percent']:>8.2f}{program['energy_error_percent']:>+10.2f}"


def _of_list(one: str, suite: dict[str, Any]) -> str:
    """One counter set of a suite: error, share of windows inside their interval and its width."""
    interval = suite["interval90_by_events_list"][one]
    covers, width = interval["coverage_percent"], interval["width_percent"]
    return f"  counters {one:<4}{suite['by_events_list'][one]:>7.2f}{covers:>34.1f}{width:>9.1f}"


def _identifiable(report: dict[str, Any]) -> Iterator[str]:
    """What cannot be told apart, said as a group, against every coefficient said alone."""
    for name, found in report["identifiability"].items():
        yield (
            f"made-up truths, {name}: {found['rows_covered_percent']:.0f} % inside their 90 % interval with groups, "
            f"{found['confident']['rows_covered_percent']:.0f} % when nothing is grouped"
        )


def _mean(figure: dict[str, float] | None) -> str:
    return _number(figure["mean"] if figure else None)


def _number(value: float | None) -> str:
    return "—" if value is None else f"{value:.2f}"
