"""From text to a BoardDescription, or to one BoardError with every mistake in it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pydantic import ValidationError

from powerhal.board import catalogue, mistakes, references
from powerhal.board.problems import by_place
from powerhal.board.schema import BoardDescription
from powerhal.board.strict_yaml import MAX_BYTES, board_error, loads
from powerhal.errors import BoardError, Problem, UsageError


def load(name_or_path: str | os.PathLike[str]) -> BoardDescription:
    """A board by name (searched in `catalogue.folders()`) or by path.

    Raises UsageError for a name that is nowhere, BoardError for a file that is not a board.
    """
    path = catalogue.find(name_or_path)
    return parse(read_text(path), str(path))


def read_text(path: Path) -> bytes:
    """Content of a regular file, at most one byte more than a board file may have; raises UsageError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as exc:
        raise UsageError(f"cannot read {path}: {exc.strerror}", code="PH-U002") from exc
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UsageError(f"{path} is not a regular file", code="PH-U002")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)


def parse(text: bytes | str, name: str = "board.yaml") -> BoardDescription:
    """A board from its text (a recording keeps it); `name` is used in messages. Raises BoardError."""
    document = loads(text, name)
    problems: list[Problem] = []
    board: BoardDescription | None = None
    try:
        board = BoardDescription.model_validate(document.data)
    except ValidationError as exc:
        problems += mistakes.translate(exc, document, BoardDescription)
    if isinstance(document.data, dict):
        problems += references.check(document)
    if problems or board is None:
        raise board_error(name, sorted(problems, key=by_place))
    plain = text if isinstance(text, str) else text.decode("utf-8-sig")
    return board.attach(document, plain)


__all__ = ["BoardDescription", "BoardError", "load", "parse"]
