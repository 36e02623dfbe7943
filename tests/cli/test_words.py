"""Mistakes in the words of a command line, and where `-q` and `-v` may stand."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import pytest

from powerhal import cli as command_line
from powerhal.cli.words import WordParser, command_of


def told(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as left:
        command_line.main(words)
    assert left.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("record --for abc --rate x -o", ["--for: 'abc'", "--rate: 'x'", "expected one argument"]),
        ("android recompute --api x --foo", ["--api: invalid int", "required: FILE, --profile", "--foo"]),
        ("attribute --by nothing --window x", ["--by: invalid choice: 'nothing'", "--window: ", "required: RUN.phr"]),
        ("demo --seed x --duration y", ["--seed: ", "--duration: "]),
        ("compare", ["required: "]),
        ("nosuch --for x", ["invalid choice: 'nosuch'"]),
        ("android nosuch", ["invalid choice: 'nosuch'"]),
        ("", ["required: COMMAND"]),
    ],
)
def test_every_mistake_is_told(capsys: pytest.CaptureFixture[str], words: str, said: list[str]) -> None:
    err = told(capsys, *words.split())
    lines = [line for line in err.splitlines() if line.startswith("powerhal: ")]
    assert len(lines) == len(said), err
    assert all(any(one in line for line in lines) for one in said), err
    assert all(line.endswith("    PH-U001") for line in lines)
    assert err.startswith("usage: powerhal")
    assert err.rstrip().endswith("--help shows what it takes")


def test_the_nearest_option_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    err = told(capsys, "read", "--boad", "x")
    assert "did you mean --board?" in err
    assert "do: powerhal read --help" in err
    for odd in ("--zzz", "--list", "--bogus"):
        assert "did you mean" not in told(capsys, "read", odd)


def leaves(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield parser
    for group in groups:
        for one in group.choices.values():
            yield from leaves(one)


def test_every_command_takes_them() -> None:
    top = command_line.parser()
    found = [*leaves(top)]
    assert len(found) > 30
    for one in found:
        options = one._option_string_actions
        assert {"--quiet", "--verbose"} <= options.keys(), one.prog
        assert options["-h"].dest == "help"


@pytest.mark.parametrize(
    ("words", "quiet", "verbose"),
    [
        ("info run.phr", False, False),
        ("-q info run.phr", True, False),
        ("info -q run.phr", True, False),
        ("info run.phr --verbose", False, True),
        ("-v info run.phr -q", True, True),
        ("android parse dump -q", True, False),
        ("-q android parse -v dump", True, True),
        ("record -q -- make -v", True, False),
    ],
)
def test_before_and_after_the_command(words: str, quiet: bool, verbose: bool) -> None:
    args = command_line.parser(command_of(words.split())).parse_args(words.split())
    assert (args.quiet, args.verbose) == (quiet, verbose)
    assert getattr(args, "command", ["make"])[-1:] in (["make"], ["-v"])


def test_an_option_of_a_command_keeps_its_letter() -> None:
    top = WordParser(prog="p")
    below = top.add_subparsers()
    below.add_parser("a").add_argument("-v", "--volts", type=float)
    top.prepare()
    args = top.parse_args(["a", "-v", "3", "--verbose"])
    assert (args.volts, args.verbose, args.quiet) == (3.0, True, False)


def test_words_that_exclude_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    top = WordParser(prog="p")
    group = top.add_mutually_exclusive_group()
    group.add_argument("--json", action="store_true")
    group.add_argument("--csv", choices=("a", "b"))
    top.prepare()
    with pytest.raises(SystemExit):
        top.parse_args(["--csv", "x", "--json"])
    err = capsys.readouterr().err
    assert "invalid choice: 'x'" in err
    assert "not allowed with" in err


def test_lists_of_values(capsys: pytest.CaptureFixture[str]) -> None:
    top = WordParser(prog="p")
    top.add_argument("numbers", nargs="+", type=int)
    top.prepare()
    assert top.parse_args(["1", "2"]).numbers == [1, 2]
    with pytest.raises(SystemExit):
        top.parse_args(["1", "x", "2", "y"])
    err = capsys.readouterr().err
    assert "'x'" in err
    assert "'y'" in err
