"""From text to a BoardDescription, or to one BoardError with every mistake in it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from powerhal.board import catalogue
from powerhal.board.document import MAX_BYTES
from powerhal.board.schema import BoardDescription
from powerhal.errors import BoardError, UsageError


def load(name_or_path: str | os.PathLike[str]) -> BoardDescription:
    """A board by name (searched in `catalogue.folders()`) or by path.

    Checked in a child process where that keeps this one small (see `apart`). Raises UsageError for a name that
    is nowhere, BoardError for a file that is not a board.
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
    from powerhal.board.apart import describe

    return describe(text, name)


__all__ = ["BoardDescription", "BoardError", "load", "parse"]
