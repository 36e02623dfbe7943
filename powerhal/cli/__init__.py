"""The command line: parses, calls a session, prints; no arithmetic.

Each module of `COMMANDS` has `add(subparsers)`, which registers its parsers and sets `run`. Modules import
nothing heavy at the top, so that `powerhal --help` stays fast on a small board. Errors are caught here and
nowhere else in the street but the sampler.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from powerhal.cli import examples, plugins
from powerhal.cli.words import WordParser, command_of
from powerhal.errors import FileError, PowerhalError, Problem

# Command -> its module here and its line in `powerhal --help`, in the order of that page. Only the module of the
# command that was asked for is imported; a test holds the lines equal to what the modules themselves say.
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "a simulated phone: record, attribute, compare with the truth"),
    "boards": ("boards", "board files: list, show, lint, schema"),
    "read": ("read", "one reading of every rail: V, A, W"),
    "watch": ("read", "the rails live"),
    "record": ("record", "record a board's sensors and processes into one file"),
    "info": ("info", "what is in a recording"),
    "attribute": ("attribute", "who used the energy of a recording"),
    "compare": ("compare", "whether two runs, or two sets of runs, differ"),
    "model": ("model", "learned models: show, merge"),
    "report": ("report", "one offline HTML file of a recording"),
    "export": ("export", "a recording as csv, json or jsonl"),
    "bench": ("bench", "accuracy on real measurements"),
    "chips": ("chips", "sensor chips: list, show, decode registers, identify"),
    "android": ("android", "battery-stats dumps, bugreports, power profiles and rails of phones"),
    "completion": ("housekeeping", "completions for your shell"),
    "warmup": ("housekeeping", "compile the numeric kernels now, not at the first use"),
}

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # these name no file

Runner = Callable[[argparse.Namespace], int]


def parser(word: str | None = None) -> argparse.ArgumentParser:
    """The argument parser: whole, entry-point commands included, or as much as a command line needs.

    word: the command that was given; then nothing else is built. '' or an unknown word: only names and help lines.
    """
    import powerhal

    top = WordParser(
        prog="powerhal",
        description="Know where the energy goes: read a board's power sensors, attribute the drain to devices "
        "and processes, with intervals that add up.",
        epilog="powerhal COMMAND --help shows examples. Exit codes: 0 done, 1 a check said no, 2 wrong usage, "
        "3 invalid file, 4 hardware not there or not "
        "permitted, 5 not enough data, 6 an extra is missing, 70 internal fault",
    )
    top.add_argument("--version", action="version", version=f"powerhal {powerhal.__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _fill(commands, word)
    top.prepare()
    return top


def _fill(commands: Any, word: str | None) -> None:
    """Register the commands that a command line needs."""
    if word in COMMANDS:
        import_module(f"powerhal.cli.{COMMANDS[word][0]}").add(commands)
        examples.give(commands.choices)
        return
    if word is None:
        for module in dict.fromkeys(module for module, _ in COMMANDS.values()):
            import_module(f"powerhal.cli.{module}").add(commands)
        examples.give(commands.choices)
    else:
        for name, (_, line) in COMMANDS.items():
            commands.add_parser(name, help=line)
    for name, target in sorted(plugins.commands().items()):
        _add_plugin(name, target, commands)


def _add_plugin(name: str, target: str, commands: Any) -> None:
    """Register one command of another package; a broken one must not break the others."""
    try:
        plugins.load(target)(commands)
    except Exception as exc:
        print(f"powerhal: command {name!r} cannot be loaded: {exc}", file=sys.stderr)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit status (docs/errors.md)."""
    words = sys.argv[1:] if argv is None else argv
    args = parser(command_of(words)).parse_args(words)
    try:
        status = int(args.run(args))
        sys.stdout.flush()  # what the reader of a pipe refuses is noticed here, not by the interpreter's exit
    except PowerhalError as error:
        return _say(error)
    except KeyboardInterrupt:
        print("powerhal: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _forget_output()  # the reader went away (head, less): not our failure, and nothing left to say
        return 0
    except Exception as error:
        return _unexpected(error, loud=args.verbose)
    return status


def _unexpected(error: Exception, *, loud: bool) -> int:
    """What is no single mistake of the user's: several of them, the disk's refusal, or a fault of ours."""
    if isinstance(error, ExceptionGroup) and not error.split(PowerhalError)[1]:
        return _say_all([one for one in error.exceptions if isinstance(one, PowerhalError)])
    if not _is_file_trouble(error):
        return _internal(error, loud=loud)
    if not getattr(error, "filename", None):
        _forget_output()
    return _say(_unwritable(error))


def _forget_output() -> None:
    """What standard output still holds goes nowhere, so that the interpreter's own flush cannot fail at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _is_file_trouble(error: Exception) -> bool:
    """Whether the user's file or disk said no; drivers and readers say so with errors of their own."""
    return isinstance(error, OSError) and (bool(error.filename) or error.errno in FULL)


def _unwritable(error: Exception) -> FileError:
    assert isinstance(error, OSError)
    where = f"{error.filename}: " if error.filename else "standard output: "
    return FileError(
        f"{where}{error.strerror}", code="PH-F002", hint="name a file in a folder that you can write and that has space"
    )


def _internal(error: Exception, *, loud: bool) -> int:
    """A fault of ours: the traceback goes into a private file that can be sent along; exit 70."""
    import tempfile
    import traceback

    text = "".join(traceback.format_exception(error))
    if loud:
        print(text, end="", file=sys.stderr)
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    fault = PowerhalError(f"internal fault: {what}")
    try:
        descriptor, path = tempfile.mkstemp(prefix="powerhal-fault-", suffix=".txt")  # mode 0600
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        fault.hint = f"please report it; the details are in {path}"
    except OSError:
        fault.hint = "please report it; powerhal -v COMMAND shows the details"
    return _say(fault)


def _say_all(errors: Sequence[PowerhalError]) -> int:
    """Several mistakes, each advice once; the exit status is that of the most basic one (wrong usage before files)."""
    for place, error in enumerate(errors):
        if error.hint in [later.hint for later in errors[place + 1 :]]:
            error.hint = ""
        _say(error)
    return min(type(error).exit_code for error in errors)


def _say(error: PowerhalError) -> int:
    """What, where, why, what to do: on stderr; the error's exit status is returned."""
    problems = error.problems if isinstance(error, FileError) else ()
    lines = [str(problem) for problem in problems if not _same_said(problem, error)]
    lines.append(f"powerhal: {error.message}    {error.code}")
    if error.hint:
        lines.append(f"  do: {error.hint}")
    try:
        print("\n".join(lines), file=sys.stderr, flush=True)
    except BrokenPipeError:  # nobody reads any more: the exit status still tells
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())
    return type(error).exit_code


def _same_said(problem: Problem, error: PowerhalError) -> bool:
    """Whether the last line says the same: one mistake is not told twice."""
    return problem.code == error.code and problem.message in error.message and problem.where in error.message
