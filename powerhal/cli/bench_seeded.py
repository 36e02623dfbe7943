"""What `bench` data sets that vary with a seed share: a training file, how many seeds, text or JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from powerhal.cli import files
from powerhal.cli.bench import CSV, count

Report = dict[str, Any]


def options(p: argparse.ArgumentParser, what: str, run: Callable[[argparse.Namespace], int]) -> None:
    """The options of such a data set; `what` a seed varies."""
    p.add_argument("--train", required=True, metavar="FILE", help="measured windows, .csv or .csv.gz")
    p.add_argument(
        "--seeds", type=count, default=1, metavar="N", help=f"so many {what} (default 1; each takes 1-5 min)"
    )
    p.add_argument("--json", action="store_true", help="the whole report as JSON")
    p.set_defaults(run=run)


def answer(args: argparse.Namespace, bench: Callable[..., Report], lines: Callable[[Report], Iterable[str]]) -> int:
    """Run a bench, progress on stderr, the report on stdout."""
    files.present(args.train, hint=CSV)()
    quiet = getattr(args, "quiet", False)
    progress = None if quiet else lambda text: print(f"bench: {text}", file=sys.stderr)
    report = bench(args.train, seeds=args.seeds, progress=progress)
    print(json.dumps(report, indent=2, allow_nan=False) if args.json else "\n".join(lines(report)))
    return 0
