from __future__ import annotations

from pathlib import Path

from powerhal.board.lint import lint
from powerhal.board.load import parse

PAGE = Path(__file__).resolve().parents[2] / "docs" / "board-files.md"


def test_the_example_in_the_documentation_loads_without_a_doubt() -> None:
    text = PAGE.read_text().split("```yaml\n")[1].split("```")[0]
    board = parse(text, "example")
    assert [str(p) for p in lint(board)] == []
    assert board.topology().root().name == "VIN"


def test_the_documentation_names_every_kind_and_section() -> None:
    from powerhal.board.door import known_keys
    from powerhal.board.kinds import KINDS

    text = PAGE.read_text()
    for name in (*KINDS, *known_keys(())):
        assert f"`{name}`" in text or f"\n{name}:" in text, name
