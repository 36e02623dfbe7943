"""`powerhal model`: learned models (`.phm`): show what is in one, merge several of one board."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from powerhal.cli import files
from powerhal.units import scaled_unit, significant, tabular

if TYPE_CHECKING:
    from powerhal.attribution import PowerModel

DESCRIPTION = "Learned models (.phm): show what is in one, merge several of one board."


def add(commands: Any) -> None:
    """Register `model` and its subcommands."""
    p = commands.add_parser("model", help="learned models: show, merge", description=DESCRIPTION)
    sub = p.add_subparsers(title="commands", metavar="COMMAND", required=True)
    show = sub.add_parser("show", help="coefficients with intervals and where their priors come from")
    show.add_argument("model", metavar="FILE.phm", help="what `attribute --save-model` wrote")
    show.set_defaults(run=run_show)
    both = sub.add_parser("merge", help="one model from the recordings of several, as if they were one")
    both.add_argument("models", nargs="+", metavar="FILE.phm", help="two models or more, of one board")
    both.add_argument("--out", required=True, metavar="OUT.phm", help="the model to write")
    both.add_argument(
        "--half-life", type=float, metavar="DAYS", help="a model that is so much older than the newest weighs half"
    )
    both.set_defaults(run=run_merge)


def run_show(args: argparse.Namespace) -> int:
    """Print one model."""
    print("\n".join(_lines(files.model(args.model)())))
    return 0


def run_merge(args: argparse.Namespace) -> int:
    """Merge and write; the result is said on stderr."""
    from powerhal.attribution.merge import merge

    days = args.half_life
    *_, ready = files.together(
        files.refuse(
            len(args.models) < 2,
            f"one model alone: there is nothing to merge {args.models[0]} with",
            hint="powerhal model merge A.phm B.phm --out OUT.phm",
        ),
        files.refuse(
            days is not None and not 0 < days < float("inf"),
            f"a half-life of {days or 0:g} days makes no sense: more than 0 expected",
            hint="--half-life 30: what is 30 days older than the newest weighs half; without it all weigh alike",
        ),
        files.output(args.out),
        lambda: files.together(*map(files.model, args.models)),
    )
    together = merge(ready, half_life_s=None if days is None else days * 86400.0)
    together.save(args.out)
    print(f"model: {args.out}, {together.windows} windows of {len(args.models)} models", file=sys.stderr)
    return 0


def _lines(model: PowerModel) -> Iterator[str]:
    """The model for a reader."""
    yield f"{model.board}: {model.windows} windows, R² {model.r2:.3f}, cond {significant(model.condition)}"
    origins = {str(row["name"]): str(row["from"]) for row in model.provenance.get("priors") or []}
    width = max([12, *(len(c.name) for c in model.coefficients)])
    yield f"{'':{width}}{'value':>12}{'low':>12}{'high':>12}  {'unit':<12}prior"
    for row in model.coefficients:
        unit, factor = scaled_unit(row.unit, max(abs(row.value), abs(row.high)))
        numbers = "".join(f"{tabular(value / factor):>12}" for value in (row.value, row.low, row.high))
        yield f"{row.name:{width}}{numbers}  {unit:<12}{origins.get(row.name, '')}".rstrip()
    for one in model.provenance.get("merged") or []:
        yield f"merged: {one['windows']} windows, weight {one['weight']:.3g}"
