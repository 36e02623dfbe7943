"""Examples that --help shows can be typed as they stand."""

from __future__ import annotations

import shlex

import pytest

from powerhal.cli import COMMANDS, parser
from powerhal.cli.examples import EXAMPLES


@pytest.mark.parametrize(("name", "line"), [(name, line) for name, lines in EXAMPLES.items() for line, _ in lines])
def test_every_example_is_understood(name: str, line: str) -> None:
    words = shlex.split(line.partition(">")[0])
    assert words[:2] == ["powerhal", name]
    assert parser(name).parse_args(words[1:]).run
    assert name in COMMANDS


def test_examples_are_shown_line_by_line(capsys) -> None:
    with pytest.raises(SystemExit):
        parser("record").parse_args(["record", "--help"])
    shown = capsys.readouterr().out
    assert "examples:\n  powerhal record -o run.phr -- make -j4" in shown
    assert shown.rstrip().endswith("the command's own.")
