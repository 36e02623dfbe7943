"""`powerhal android`: battery-stats dumps, bugreports, power profiles and rails of phones.

Each row of `SUBCOMMANDS` names a module function `add(subparsers)` that registers one subcommand and sets
`run`; the modules import nothing heavy at the top.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from itertools import islice
from typing import Any

AT_ONCE = 1 << 14  # pieces of JSON that are written together
# "module:function" under powerhal.cli, in the order of `powerhal android --help`.
SUBCOMMANDS: tuple[str, ...] = (
    "android:add_parse",
    "android:add_emit",
    "android_profile:add_profile",
    "android_profile:add_recompute",
    "android_rails:add_powerstats",
    "android_share:add_diff",
    "android_share:add_export",
    "android_share:add_redact",
    "android_share:add_downgrade",
    "android_attribute:add_attribute",
    "android_attribute:add_report",
)


def add(subparsers: Any) -> None:
    """Register the group and its subcommands."""
    group = subparsers.add_parser(
        "android",
        help="battery-stats dumps, bugreports, power profiles and rails of phones",
        description="Read what an Android phone prints about its power.",
    )
    commands = group.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for row in SUBCOMMANDS:
        module, function = row.split(":")
        getattr(import_module(f"powerhal.cli.{module}"), function)(commands)


def add_parse(commands: Any) -> None:
    """Register `android parse`."""
    p = commands.add_parser("parse", help="what a dump or bugreport says", description="Read a dump of any form.")
    p.add_argument("file", metavar="FILE", help="check-in, text, proto, bugreport (txt, zip, gz); '-' is stdin")
    p.add_argument("--json", action="store_true", help="the whole summary as JSON (docs/android.md)")
    p.set_defaults(run=_parse)


def add_emit(commands: Any) -> None:
    """Register `android emit`."""
    p = commands.add_parser("emit", help="the check-in lines again, from their typed fields")
    p.add_argument("file", metavar="FILE", help="check-in dump or bugreport; '-' is stdin")
    p.add_argument("-o", "--output", default="-", help="file to write (default: standard output)")
    p.set_defaults(run=_emit)


def _parse(args: argparse.Namespace) -> int:
    from powerhal.android.parse import read
    from powerhal.android.summary import document, portrait

    found = read(args.file)
    if args.json:  # also of a file without a dump: `source` says so
        pieces = json.JSONEncoder(indent=1).iterencode(document(found))
        while text := "".join(islice(pieces, AT_ONCE)):  # a whole text of them may not fit into memory
            sys.stdout.write(text)
        print()
    found.demand()
    if not args.json:
        print("\n".join(portrait(found)))
    return 0


def _emit(args: argparse.Namespace) -> int:
    from powerhal.android.checkin.emit import emit_file
    from powerhal.android.kinds import told_apart
    from powerhal.cli import android_files, files

    files.together(files.output(args.output, inputs=[args.file]), android_files.dump(args.file))
    with told_apart(args.file, "dump"):
        count = emit_file(args.file, args.output)
    print(f"{count} check-in lines", file=sys.stderr)
    return 0
