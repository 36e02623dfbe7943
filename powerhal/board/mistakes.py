"""Pydantic's findings in our words: code, place, what to write instead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from powerhal.board.document import Document, Path
from powerhal.board.problems import did_you_mean
from powerhal.errors import Problem

# pydantic error type -> our code; what is not listed is a value of the wrong kind.
_CODES = {
    "unexpected_keyword_argument": "PH-B012",
    "missing": "PH-B013",
    "literal_error": "PH-B015",
    "greater_than": "PH-B015",
    "greater_than_equal": "PH-B015",
    "less_than": "PH-B015",
    "less_than_equal": "PH-B015",
    "string_pattern_mismatch": "PH-B015",
    "string_too_long": "PH-B015",
    "value_error": "PH-B031",
}
_KIND = {
    "string_type": "text", "int_type": "a whole number", "bool_type": "true or false", "float_type": "a number",
    "dict_type": "a map (key: value)", "dataclass_type": "a map (key: value)", "tuple_type": "a list ([a, b])",
    "setting": "true or false, a number, or text",
}  # fmt: skip
_PATHS = {
    "device": "/dev/i2c-N",
    "port": "usb:VID:PID[:SERIAL], /dev/serial/by-id/..., /dev/ttyUSBn or /dev/ttyACMn",
}


KnownKeys = Callable[[Path], list[str]]


def translate(items: Iterable[dict[str, Any]], document: Document, known_keys: KnownKeys) -> list[Problem]:
    """Every finding as a Problem with its place in the file; `known_keys(path)` are those allowed at a path."""
    found: dict[tuple[str, str, str], Problem] = {}  # one finding a place and code; several keys may be missing
    for item in items:
        path, key = _path(item["loc"], document)
        kind = item["type"]
        code = _CODES.get(kind, "PH-B014")
        if kind == "string_pattern_mismatch" and path and path[-1] in _PATHS:
            code = "PH-B016"
        place = document.where(path, key=key or kind in ("unexpected_keyword_argument",))
        message = _message(item, path, document, known_keys)
        found.setdefault((place, code, message if kind == "missing" else ""), Problem(place, code, message))
    return list(found.values())


def _path(loc: tuple[str | int, ...], document: Document) -> tuple[Path, bool]:
    """The path in the file: pydantic adds union tags and '[key]', which are not in it."""
    key = bool(loc) and loc[-1] == "[key]"
    path: Path = ()
    node = document.data
    for part in loc:
        inside = part in node if isinstance(node, dict) else isinstance(node, list) and part in range(len(node))
        if inside:
            path, node = (*path, part), node[part]
        elif isinstance(node, dict) and isinstance(part, str) and part == loc[-1] and not key:
            return (*path, part), False
    return path, key


def _message(item: Any, path: Path, document: Document, known_keys: KnownKeys) -> str:
    kind, name = item["type"], str(path[-1]) if path else ""
    if kind == "unexpected_keyword_argument":
        known = known_keys(path[:-1])
        return f"unknown key {name!r}{_inside(path[:-1])}{did_you_mean(name, known, what='allowed')}"
    if kind == "missing":
        return f"key {name!r} is missing{_inside(path[:-1])}"
    return _wrong_value(item, kind, name, _at(document.data, path))


def _wrong_value(item: Any, kind: str, name: str, value: Any) -> str:
    if kind == "value_error":
        return f"{name} {item['ctx']['error']}"
    if kind == "literal_error":
        return _choice(name, value, item["ctx"]["expected"])
    if kind == "string_pattern_mismatch":
        return _text(name, value, key=item["loc"][-1] == "[key]")
    if kind in _KIND:
        return f"{name or 'the board file'} must be {_KIND[kind]}, not {_shown(value)}"
    wrong = item["msg"].removeprefix("Input ").strip()
    bound = next((item["ctx"][key] for key in ("le", "lt", "ge", "gt") if key in item.get("ctx", ())), None)
    if bound is not None and isinstance(value, str) and value.rstrip().endswith("%"):
        wrong = wrong.removesuffix(f" {bound:g}") + f" {100 * bound:g} %"
    return f"{name or 'the board file'}: {wrong}, not {_shown(value)}"


def _choice(name: str, value: Any, expected: str) -> str:
    names = [part.strip("'") for part in expected.replace(" or ", ", ").split(", ")]
    if len(names) == 1:
        return f"{name} must be {names[0]}, not {_shown(value)}"
    near = did_you_mean(str(value), names)
    return f"{name}: {_shown(value)} is not one of {expected}{near if 'mean' in near else ''}"


def _text(name: str, value: Any, *, key: bool) -> str:
    if key:
        return f"{name!r} is not a name; use letters, digits, '_', '-', '+' (a channel: its number)"
    if name in _PATHS:
        return f"{name}: {_shown(value)} is not allowed here; write {_PATHS[name]}"
    return f"{name}: {_shown(value)} does not look like a {name}; use letters, digits, '_' and '-'"


def _inside(path: Path) -> str:
    return " in " + ".".join(str(part) for part in path) if path else ""


def _at(data: Any, path: Path) -> Any:
    for part in path:
        data = data[part]
    return data


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return "a map" if isinstance(value, dict) else "a list"
    return "nothing" if value is None else repr(value)[:60]
