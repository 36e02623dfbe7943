"""`powerhal bench pixel`: a phone's components after few labelled runs, the peers beside it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from powerhal.cli import files
from powerhal.cli.bench import CSV, count


def add(sets: Any) -> None:
    """Register `bench pixel`."""
    p = sets.add_parser(
        "pixel",
        help="a phone: display, CPU, GPU, Wi-Fi and battery from activities, after N labelled runs",
        description="Learn a phone's components from one table of runs and predict another. N runs of the training "
        "file are labelled (their rails are read); of the others only activities and battery. Rails of the test file "
        "may be empty; RAIL_SUM_AVG_UWS may give their sum, to which `reconciled` figures add up.",
    )
    p.add_argument("--train", required=True, metavar="FILE", help="table of runs with rails and battery, .csv")
    p.add_argument("--test", metavar="FILE", help="other runs (default: a random half of the training file)")
    p.add_argument("--labelled", type=count, default=20, metavar="N", help="runs whose rails are used (default 20)")
    p.add_argument("--seed", type=int, default=0, metavar="S", help="draws the labelled runs and the half (default 0)")
    p.add_argument("--halves", type=count, metavar="K", help="mean and spread over K random halves, seeds from S on")
    p.add_argument("--predictions", metavar="OUT.csv", help="write a line per test run: watts, interval, reconciled")
    p.add_argument("--json", action="store_true", help="the whole report as JSON")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the bench, progress on stderr, the report on stdout."""
    from powerhal.attribution.evaluation.pixel.bench import bench_halves, bench_pixel

    alone = args.halves is not None and bool(args.test or args.predictions)
    files.together(
        files.refuse(
            alone,
            "--halves predicts random halves of the training file: --test and --predictions have no part in it",
            hint="leave --halves out, or the other two",
        ),
        files.present(args.train, hint=CSV),
        files.present(args.test, hint=CSV),
        files.output(args.predictions, inputs=[args.train, args.test]),
    )
    quiet = getattr(args, "quiet", False)
    progress = None if quiet else lambda text: print(f"bench: {text}", file=sys.stderr)
    if args.halves is None:
        report = bench_pixel(
            args.train,
            args.test,
            labelled=args.labelled,
            seed=args.seed,
            predictions=args.predictions,
            progress=progress,
        )
        lines = _single
    else:
        report = bench_halves(args.train, halves=args.halves, labelled=args.labelled, seed=args.seed, progress=progress)
        lines = _halves
    print(json.dumps(report, indent=2) if args.json else "\n".join(lines(report)))
    return 0


FIGURES = (
    ("error %", "components"),
    ("reconciled %", "reconciled"),
    ("90% covers", "interval90_coverage_percent"),
    ("half width %", "interval90_half_width_percent"),
)


def _single(report: Mapping[str, Any]) -> Iterator[str]:
    """One report for a reader: components, then peers."""
    runs = report["runs"]
    yield f"{report['labelled']} labelled of {runs['train']} runs, seed {report['seed']}: {runs['test']} other runs"
    yield from _table(report, lambda value: "—" if value is None else f"{value:.2f}")
    if report["rail_sum_percent"] is not None:
        yield f"sum of rails from activities: {report['rail_sum_percent']:.2f} % off"
    if all(value is None for value in report["components"].values()):
        yield "nothing was measured in the test file: predictions only"
        return
    yield from _peers(
        {name: peer["components"] for name, peer in report["baselines"].items()},
        lambda value: "—" if value is None else f"{value:.1f}",
    )


def _halves(report: Mapping[str, Any]) -> Iterator[str]:
    """Many halves for a reader: mean +- standard deviation over seeds."""
    first, last = report["seeds"]
    yield f"{report['labelled']} labelled runs, random halves, seeds {first} to {last}: mean +- standard deviation"
    yield from _table(report, _mean)
    yield f"sum of rails from activities: {_mean(report['rail_sum'])} % off"
    yield f"90% intervals cover, pooled: {_mean(report['interval90_pooled_percent'])} %"
    yield from _peers(report["baselines"], _mean)


def _table(report: Mapping[str, Any], text: Any) -> Iterator[str]:
    yield f"{'component':<12}" + "".join(f"{title:>16}" for title, _ in FIGURES)
    for name in report["components"]:
        yield f"{name:<12}" + "".join(f"{text(report[key][name]):>16}" for _, key in FIGURES)


def _peers(peers: Mapping[str, Mapping[str, Any]], text: Any) -> Iterator[str]:
    names = list(next(iter(peers.values()), {}))
    yield f"{'baseline, error %':<28}" + "".join(f"{name:>14}" for name in names)
    for peer, errors in peers.items():
        yield f"{peer:<28}" + "".join(f"{text(errors[name]):>14}" for name in names)


def _mean(figure: Mapping[str, float] | None) -> str:
    return "—" if figure is None else f"{figure['mean']:.2f} +-{figure['sd']:5.2f}"
