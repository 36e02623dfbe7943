"""What README shows works: its board file, its commands, its links."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from powerhal.cli import parser

REPO = Path(__file__).resolve().parent.parent
README = (REPO / "README.md").read_text()
COMMANDS = sorted(set(re.findall(r"^(?:    |\$ )(powerhal [^#\n]*)", README, re.M)))


def test_the_board_file_has_no_mistake() -> None:
    from powerhal.board.lint import lint
    from powerhal.board.load import parse

    block = re.search(r"```yaml\n(.*?)```", README, re.S)
    assert block
    assert not lint(parse(block[1], "README.md"))


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_is_understood(line: str) -> None:
    words = shlex.split(line)[1:]
    args = parser(words[0]).parse_args(words)
    assert callable(args.run)


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len(targets) > 8
    assert not [t for t in targets if not (REPO / t).exists()]
