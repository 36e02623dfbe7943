"""`powerhal bench freq`: power of a CPU at frequencies that nobody measured, the baselines beside it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

from powerhal.cli import files


def add(sets: Any) -> None:
    """Register `bench freq`."""
    p = sets.add_parser(
        "freq",
        help="power per CPU frequency of many chips: what was left out",
        description="Predict the power of a busy core at frequencies that were left out of its table, from the "
        "readings that are given and from chips of other families.",
    )
    p.add_argument("tables", nargs="+", metavar="DIR_OR_FILE", help="tables CPU,Frequency (kHz),…,Power (mW),… (.csv)")
    p.add_argument("--json", action="store_true", help="the whole report as JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the bench, progress on stderr, the report on stdout."""
    from powerhal.attribution.evaluation.freq import bench_freq

    hint = "give tables of power per frequency (.csv), or folders of them"
    files.together(*(files.present(place, hint=hint) for place in args.tables))
    quiet = getattr(args, "quiet", False)
    report = bench_freq(args.tables, progress=None if quiet else lambda text: print(f"bench: {text}", file=sys.stderr))
    print(json.dumps(report, indent=2, allow_nan=False) if args.json else "\n".join(_lines(report)))
    return 0


def _lines(report: dict[str, Any]) -> Iterator[str]:
    """The report for a reader: protocols, baselines, what a table of another device is worth."""
    yield (
        f"{report['curves']} curves of {report['families']} families of chips ({report['tables']} tables); "
        f"{report['left_out']['rows_without_power']} rows without power left out"
    )
    yield f"{'given':<36}{'MAPE %':>9}{'median %':>10}{'90% covers':>12}{'width %':>9}"
    for name, found in report["protocols"].items():
        model = found["model"]
        yield (
            f"{name.replace('_', ' '):<36}{model['mape_percent']:>9.2f}{model['median_percent']:>10.2f}"
            f"{model['interval90_coverage_percent']:>12.1f}{model['interval90_width_percent']:>9.1f}"
        )
        for baseline, figures in found["baselines"].items():
            yield f"  {baseline.replace('_', ' '):<34}{figures['mape_percent']:>9.2f}{figures['median_percent']:>10.2f}"
    chance = report["three_by_chance"]
    yield f"three frequencies by chance, {chance['seeds']} seeds"
    for name, figures in chance["mape_percent"].items():
        yield f"  {name.replace('_', ' '):<34}{figures['mean']:>9.2f} ± {figures['sd']:.2f}"
    twin = report["another_device"]
    if twin["pairs"]:
        yield (
            f"the table of another device with the same chip: {twin['mape_percent']:.1f} % off "
            f"(median {twin['median_percent']:.1f} %, {twin['pairs']} pairs of curves)"
        )
