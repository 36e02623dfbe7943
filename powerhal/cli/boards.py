"""`powerhal boards`: list, show, check, and the schema for editors."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from powerhal.board.schema import BoardDescription
    from powerhal.errors import Problem


def add(subparsers: Any) -> None:
    """Register the command."""
    boards = subparsers.add_parser(
        "boards", help="board files: list, show, lint, schema", description="What boards are known, and are they right?"
    )
    commands = boards.add_subparsers(title="commands", metavar="COMMAND", required=True)

    listing = commands.add_parser("list", help="all boards on the search path")
    listing.add_argument("--json", action="store_true", help="[{name, title, ...}] on stdout")
    listing.set_defaults(run=_list)

    show = commands.add_parser("show", help="what a board file says")
    show.add_argument("board", metavar="BOARD", help="a name from `boards list`, or a file")
    how = show.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="everything in SI units on stdout")
    how.add_argument("--text", action="store_true", help="the file itself, as it is")
    show.set_defaults(run=_show)

    lint = commands.add_parser("lint", help="every mistake in a board file, with its line; exit 1 on errors")
    lint.add_argument("boards", metavar="BOARD", nargs="*", help="names or files (default: all boards)")
    lint.add_argument("--json", action="store_true", help="[{where, severity, code, message}] on stdout")
    lint.set_defaults(run=_lint)

    schema = commands.add_parser("schema", help="JSON Schema of board files, for editors")
    schema.set_defaults(run=_schema)


def _list(args: argparse.Namespace) -> int:
    from powerhal.board.catalogue import catalogue

    entries = catalogue()
    if args.json:
        rows = [
            {
                "name": e.name, "title": e.title, "path": str(e.path), "origin": e.origin,
                "simulated": e.simulated, "valid": not e.error, "error": e.error or None,
            }
            for e in entries
        ]  # fmt: skip
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    width = max((len(e.name) for e in entries), default=4)
    print(f"{'board':<{width}}  {'from':<11}  title")
    for entry in entries:
        print(f"{entry.name:<{width}}  {entry.origin:<11}  {entry.title or 'not usable: ' + entry.error}")
    return 0


def _show(args: argparse.Namespace) -> int:
    from powerhal.board.load import load
    from powerhal.board.portrait import document, portrait

    board: BoardDescription = load(args.board)
    if args.text:
        sys.stdout.write(board.text)
    elif args.json:
        print(json.dumps(document(board), indent=2, ensure_ascii=False))
    else:
        print("\n".join(portrait(board)))
    return 0


def _lint(args: argparse.Namespace) -> int:
    from powerhal.board.catalogue import files
    from powerhal.board.lint import lint_file
    from powerhal.board.problems import count_text

    problems: list[Problem] = []
    for board in args.boards or sorted(files()):
        found = lint_file(board)
        problems += found if any(p.severity == "error" for p in found) else [*found, *_zone(board)]
    if args.json:
        rows = [{"where": p.where, "severity": p.severity, "code": p.code, "message": p.message} for p in problems]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        width = max((len(p.where) for p in problems), default=0)
        for p in problems:
            print(f"{p.where:<{width}}  {p.severity:<5}  {p.code}  {p.message}")
        print(count_text(problems))
    return int(any(p.severity == "error" for p in problems))


def _zone(board: str) -> list[Problem]:
    """A carbon zone that no table knows, told here because the board room knows nothing of carbon."""
    from powerhal.board.load import load
    from powerhal.carbon import lookup
    from powerhal.errors import Problem, UsageError

    described = load(board)
    carbon = described.carbon
    if not carbon.zone or carbon.intensity_kg_per_j is not None:  # then the zone is only a name
        return []
    try:
        lookup(carbon.zone)
    except UsageError as error:
        return [Problem(described.document.where(("carbon", "zone")), "PH-B057", error.message)]
    return []


def _schema(args: argparse.Namespace) -> int:
    from powerhal.board.door import editor_schema

    print(json.dumps(editor_schema(), indent=2, ensure_ascii=False))
    return 0
