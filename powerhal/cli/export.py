"""`powerhal export`: a recording as csv, json or jsonl."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from powerhal.cli import files

DESCRIPTION = "A recording as a table or as JSON, in SI units; times in s since its start."


def add(commands: Any) -> None:
    """Register `export`."""
    p = commands.add_parser("export", help="a recording as csv, json or jsonl", description=DESCRIPTION)
    p.add_argument("form", choices=("csv", "json", "jsonl"), help="jsonl: a JSON object a line")
    p.add_argument("recording", metavar="RUN.phr", help="what `powerhal record` wrote")
    p.add_argument(
        "--what",
        choices=("samples", "usages", "ledger"),
        default="samples",
        help="samples of the sensors, usages of the processes, or the ledger that attribute makes (default: samples)",
    )
    p.add_argument("-o", "--output", default="-", metavar="FILE", help="file to write (default: standard output)")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Write the rows; says on stderr how many."""
    from powerhal.report import export

    run, _ = files.together(files.recording(args.recording), files.output(args.output, inputs=[args.recording]))
    with run:
        rows = _rows(args.what, run.recording, export)
        if args.output == "-":
            export.write(rows, args.form, sys.stdout)
            return 0
        with open(args.output, "w", encoding="utf-8", newline="") as out:
            count = export.write(rows, args.form, out)
    print(f"{args.output}: {count} rows", file=sys.stderr)
    return 0


def _rows(what: str, recording: Any, export: Any) -> Any:
    if what != "ledger":
        return getattr(export, what)(recording)
    from powerhal.attribution import attribute

    return export.ledger_rows(attribute(recording).to_dict())
