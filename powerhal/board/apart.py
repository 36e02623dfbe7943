"""A board validated in a child process, so that the one that goes on to record stays small.

YAML and schema libraries take some 20 MB and stay loaded once imported; the description itself is plain values and
crosses a pipe. The child also bounds what a hostile file can cost. Where a fork is not wise (threads run) or the
libraries are loaded already, everything happens here.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from powerhal.board.document import Document
from powerhal.board.plain import from_plain, to_plain
from powerhal.board.schema import BoardDescription, BoardFile, described
from powerhal.errors import BoardError, Problem

CPU_SECONDS = 20  # more than any board file needs on the slowest board


def describe(text: bytes | str, name: str) -> BoardDescription:
    """Like `door.describe`, with the libraries kept out of this process; raises BoardError."""
    if "pydantic" in sys.modules or threading.active_count() > 1 or not hasattr(os, "fork"):
        from powerhal.board import door

        return door.describe(text, name)
    answer = _ask(text, name)
    if answer is None:  # a fault of ours: let it happen here, where it can be seen
        from powerhal.board import door

        return door.describe(text, name)
    if "refused" in answer:
        problems = tuple(Problem(**problem) for problem in answer["problems"])
        raise BoardError(answer["refused"], problems, code=answer["code"], hint=answer["hint"])
    return _unpack(answer)


def _pack(board: BoardDescription) -> dict[str, Any]:
    """A description as JSON values; paths and marks of the document are lists of pairs."""
    document = board.document
    return {
        "file": {item.name: to_plain(getattr(board, item.name)) for item in fields(BoardFile)},
        "text": board.text,
        "sha256": board.sha256,
        "name": document.name,
        "data": document.data,
        "values": [[path, mark] for path, mark in document.values.items()],
        "keys": [[path, mark] for path, mark in document.keys.items()],
    }


def _unpack(answer: Mapping[str, Any]) -> BoardDescription:
    given = {name: value for name, value in answer["file"].items() if value is not None}
    values, keys = ({tuple(path): (mark[0], mark[1]) for path, mark in answer[table]} for table in ("values", "keys"))
    document = Document(answer["name"], answer["data"], values, keys)
    file: BoardFile = from_plain(BoardFile, given)
    return described(file, answer["text"], answer["sha256"], document)


def _ask(text: bytes | str, name: str) -> dict[str, Any] | None:
    """Fork, let the child validate, read its answer; None when the child failed, BoardError when it was stopped."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _child(writer, text, name)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        raw = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        raise BoardError(f"{name}: checking it took more than {CPU_SECONDS} s and was stopped", code="PH-B008")
    if status != 0:
        return None
    answer: dict[str, Any] = json.loads(raw)
    return answer


def _child(writer: int, text: bytes | str, name: str) -> None:
    """Validate and answer through the pipe; never returns, and runs none of the parent's exit handlers."""
    status = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        from powerhal.board import door

        try:
            answer = _pack(door.describe(text, name))
        except BoardError as error:
            problems = [problem._asdict() for problem in error.problems]
            answer = {"refused": error.message, "problems": problems, "code": error.code, "hint": error.hint}
        with os.fdopen(writer, "w", encoding="utf-8") as pipe:
            json.dump(answer, pipe)
        status = 0
    finally:
        os._exit(status)
