"""The strict door: plain data against the schema, by pydantic; the only module that imports it."""

from __future__ import annotations

import hashlib
import typing
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from powerhal.board import mistakes, references
from powerhal.board.document import board_error
from powerhal.board.plain import bare
from powerhal.board.problems import by_place
from powerhal.board.schema import BoardDescription, BoardFile, described
from powerhal.board.strict_yaml import loads
from powerhal.chips import CHIPS
from powerhal.errors import Problem

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@cache
def _adapter() -> TypeAdapter[BoardFile]:
    return TypeAdapter(BoardFile)


def describe(text: bytes | str, name: str) -> BoardDescription:
    """A board from its text; raises BoardError with every mistake of YAML, or of schema and references."""
    problems: list[Problem] = []
    document = loads(text, name, problems)
    found: BoardFile | None = None
    try:
        found = _adapter().validate_python(document.data)
    except ValidationError as exc:
        items = exc.errors(include_url=False, include_input=False)
        problems += mistakes.translate([dict(item) for item in items], document, known_keys)
    if isinstance(document.data, dict):
        problems += references.check(document)
    if problems or found is None:
        raise board_error(name, sorted(problems, key=by_place))
    plain = text if isinstance(text, str) else text.decode("utf-8-sig")
    return described(found, plain, hashlib.sha256(plain.encode()).hexdigest(), document)


def editor_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a board file; quantities are texts with a pattern, chips an enumeration."""
    schema = _adapter().json_schema(by_alias=True, mode="validation")
    for name in ("Sensor", "MeterSensor", "SimulatedChip"):
        schema["$defs"][name]["properties"]["chip"] = {"enum": sorted(CHIPS), "description": "device-tree compatible"}
    return {
        "$schema": DIALECT,
        "title": "powerhal board file",
        "description": "What is there: buses, sensors, rails, clusters, devices. See docs/board-files.md.",
        **{key: value for key, value in schema.items() if key not in ("title", "description")},
    }


def known_keys(path: tuple[str | int, ...]) -> list[str]:
    """Keys that the part of a board file at `path` takes; [] where any name is taken."""
    here: Any = BoardFile
    for part in path:
        here = _step(here, part)
        if here is None:
            return []
    return list(_keys(here)) if is_dataclass(here) else []


def _keys(model: Any) -> dict[str, str]:
    """Key in the file -> name of the field."""
    return {item.metadata.get("alias", item.name): item.name for item in fields(model)}


def _step(here: Any, part: str | int) -> Any:
    """Type of the value under key or index `part` of a value of type `here`."""
    if is_dataclass(here):
        name = _keys(here).get(str(part))
        return None if name is None else bare(typing.get_type_hints(here)[name])
    arguments = typing.get_args(here)
    if typing.get_origin(here) is dict:
        return bare(arguments[1])
    return bare(arguments[0]) if arguments else None
