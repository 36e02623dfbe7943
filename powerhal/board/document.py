"""A parsed board file: plain data, the place of each part, and the one error that tells of all mistakes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from powerhal.board.problems import SHOWN
from powerhal.errors import BoardError, Problem

MAX_BYTES = 256 * 1024

Path = tuple[str | int, ...]
Mark = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data and where each part stands: `values` and `keys` map a path to (line, column), from 1."""

    name: str
    data: Any
    values: dict[Path, Mark] = field(default_factory=dict)
    keys: dict[Path, Mark] = field(default_factory=dict)

    def where(self, path: Path, *, key: bool = False) -> str:
        """`file:line:col` of a value (or of its key), or of the nearest part around it that exists."""
        table = self.keys if key else self.values
        while path and path not in table:
            path, table = path[:-1], self.values
        line, column = table.get(path, (1, 1))
        return f"{self.name}:{line}:{column}"


def board_error(name: str, problems: list[Problem]) -> BoardError:
    """The one BoardError that tells of all mistakes in `name`."""
    count = len(problems)
    shown = problems[:SHOWN]
    return BoardError(
        f"{name}: {count} mistake{'s' * (count != 1)}" + (f" (first {SHOWN} shown)" if count > SHOWN else ""),
        shown,
        code=shown[0].code,
        hint=f"powerhal boards lint {name}   shows the same list; `powerhal boards schema` helps your editor",
    )
