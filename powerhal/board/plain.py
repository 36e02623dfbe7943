"""Board descriptions as plain JSON values and back, by the types of their fields."""

from __future__ import annotations

import types
import typing
from dataclasses import fields, is_dataclass
from typing import Any


def bare(annotation: Any) -> Any:
    """An annotation without Annotated and Optional."""
    if typing.get_origin(annotation) is typing.Annotated:
        return bare(typing.get_args(annotation)[0])
    options = [a for a in typing.get_args(annotation) if a is not type(None)]
    if typing.get_origin(annotation) in (typing.Union, types.UnionType) and len(options) == 1:
        return bare(options[0])
    return annotation


def to_plain(value: Any) -> Any:
    """Dataclasses as maps, tuples as lists; fields that are None are left out."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(v) for f in fields(value) if (v := getattr(value, f.name)) is not None}
    if isinstance(value, dict):
        return {key: to_plain(inner) for key, inner in value.items()}
    return [to_plain(inner) for inner in value] if isinstance(value, list | tuple) else value


def from_plain(kind: Any, value: Any) -> Any:
    """The value of type `kind` that `to_plain` turned into `value`; nothing is checked again."""
    kind = bare(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        return kind(**{name: from_plain(hints[name], inner) for name, inner in value.items()})
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) is dict:
        return {key: from_plain(arguments[1], inner) for key, inner in value.items()}
    if typing.get_origin(kind) is tuple:
        return tuple(from_plain(arguments[0], inner) for inner in value)
    return value
