"""`powerhal report`: one offline HTML file of a recording."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from powerhal.cli import carbon_options, files
from powerhal.cli.attribute import POLICIES

DESCRIPTION = "One HTML file of a recording, with pictures and tables; it needs no network."


def add(commands: Any) -> None:
    """Register `report`."""
    p = commands.add_parser("report", help="one offline HTML file of a recording", description=DESCRIPTION)
    p.add_argument("recording", metavar="RUN.phr", help="what `powerhal record` wrote")
    p.add_argument("-o", "--output", metavar="FILE", help="file to write (default: the recording's name with .html)")
    p.add_argument(
        "--policy", "--idle", choices=POLICIES, default="separate", help="who pays for idle, as in `attribute`"
    )
    p.add_argument("--json", action="store_true", help="{path, refused} on stdout in place of the path")
    carbon_options.add(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Attribute what can be attributed, draw the rest, and say where the file is."""
    from pathlib import Path

    from powerhal.errors import NotEnoughData
    from powerhal.report import html

    target = Path(args.output or Path(args.recording).with_suffix(".html"))
    run, *_ = files.together(
        files.recording(args.recording), files.output(target, inputs=[args.recording]), carbon_options.zone(args)
    )
    with run as opened:
        try:
            document = html.document_of(opened.attribute(policy=args.policy, **carbon_options.chosen(args)))
        except NotEnoughData as refusal:
            # What was measured is still worth a page; why nothing is attributed stands on it.
            document = {"refused": refusal.message, "total": {}, "rows": []}
            print(f"powerhal: {refusal.message}    {refusal.code}", file=sys.stderr)
        page = html.render(opened.recording, document)
    target.write_text(page, encoding="utf-8")
    if args.json:
        print(json.dumps({"schema": 1, "path": str(target), "refused": document.get("refused")}, ensure_ascii=False))
    else:
        print(target)
    return 0
