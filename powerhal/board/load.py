"""From text to a BoardDescription, or to one BoardError with every mistake in it."""

from __future__ import annotations

import os

from powerhal.board import catalogue
from powerhal.board.schema import BoardDescription
from powerhal.errors import BoardError


def load(name_or_path: str | os.PathLike[str]) -> BoardDescription:
    """A board by name (searched in `catalogue.folders()`) or by path.

    Checked in a child process where that keeps this one small (see `apart`). Raises UsageError for a name that
    is nowhere, BoardError for a file that is not a board.
    """
    path = catalogue.find(name_or_path)
    return parse(catalogue.read_text(path), str(path))


def parse(text: bytes | str, name: str = "board.yaml") -> BoardDescription:
    """A board from its text (a recording keeps it); `name` is used in messages. Raises BoardError."""
    from powerhal.board.apart import describe

    return describe(text, name)


__all__ = ["BoardDescription", "BoardError", "load", "parse"]
