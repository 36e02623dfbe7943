"""The command line: parses, calls a session, prints; no arithmetic.

Each module of `COMMANDS` has `add(subparsers)`, which registers its parser and sets `run`. Modules import
nothing heavy at the top, so that `powerhal --help` stays fast on a small board. Errors are caught here and
nowhere else in the street but the sampler.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from powerhal.cli import plugins
from powerhal.errors import FileError, PowerhalError

# Command group modules, in the order of `powerhal --help`.
COMMANDS = (
    "demo",
    "boards",
    "read",
    "record",
    "info",
    "attribute",
    "report",
    "export",
    "bench",
    "chips",
    "android",
)

Runner = Callable[[argparse.Namespace], int]


def parser() -> argparse.ArgumentParser:
    """The whole argument parser, entry-point commands included."""
    import powerhal

    top = argparse.ArgumentParser(
        prog="powerhal",
        description="Know where the energy goes: read a board's power sensors, attribute the drain to devices "
        "and processes, with intervals that add up.",
        epilog="exit codes: 0 done, 1 a check said no, 2 wrong usage, 3 invalid file, 4 hardware not there or not "
        "permitted, 5 not enough data, 6 an extra is missing, 70 internal fault",
    )
    top.add_argument("--version", action="version", version=f"powerhal {powerhal.__version__}")
    top.add_argument("-v", "--verbose", action="store_true", help="say more on stderr")
    top.add_argument("-q", "--quiet", action="store_true", help="say less on stderr")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name in COMMANDS:
        import_module(f"powerhal.cli.{name}").add(commands)
    for name, target in sorted(plugins.commands().items()):
        _add_plugin(name, target, commands)
    return top


def _add_plugin(name: str, target: str, commands: Any) -> None:
    """Register one command of another package; a broken one must not break the others."""
    try:
        plugins.load(target)(commands)
    except Exception as exc:
        print(f"powerhal: command {name!r} cannot be loaded: {exc}", file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status (docs/errors.md)."""
    args = parser().parse_args(argv)
    try:
        return int(args.run(args))
    except PowerhalError as error:
        return _say(error)
    except KeyboardInterrupt:
        print("powerhal: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output went away (head, less): not our failure, and nothing left to say.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _say(error: PowerhalError) -> int:
    """What, where, why, what to do: on stderr; the error's exit status is returned."""
    problems = error.problems if isinstance(error, FileError) else ()
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"powerhal: {error.message}    {error.code}", file=sys.stderr)
    if error.hint:
        print(f"  do: {error.hint}", file=sys.stderr)
    return type(error).exit_code
