"""YAML with the sharp edges taken off: one document of maps, lists and scalars, with places.

PyYAML's parser is used only for its events (which carry line and column); the tree, the limits and the
scalar rules are ours. Scalars follow the YAML 1.2 core schema, so `NO` is text, `1e-3` a number, `010` ten
and `12:30` text. Anchors, aliases, tags, merge keys, duplicate keys and second documents are refused. Working on
events keeps hostile input cheap: nothing is built beyond the limits, and nothing recurses.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.reader import ReaderError

from powerhal.board.document import MAX_BYTES, Document, Mark, Path, board_error
from powerhal.board.problems import SHOWN
from powerhal.board.syntax import told
from powerhal.errors import Problem

MAX_DEPTH = 12
MAX_NODES = 20_000
MAX_INT_DIGITS = 20

# The C parser is 50 times faster and optional in PyYAML; both raise the same exceptions with marks.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_DECIMAL = re.compile(r"[-+]?[0-9]+", re.ASCII)
_BASED = re.compile(r"0(?:o[0-7]+|x[0-9a-fA-F]+)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)", re.ASCII)


class _Stop(Exception):
    """A limit was passed: reading on would only cost time."""


@dataclass(slots=True)
class _Frame:
    """A map or list that is still open; `key` is the pending key of a map (None: a key comes next)."""

    node: dict[str, Any] | list[Any]
    path: Path
    key: str | None = None
    seen: set[str] = field(default_factory=set)


TWICE = "PH-B006"


def loads(text: bytes | str, name: str = "board.yaml", twice: list[Problem] | None = None) -> Document:
    """Parse one document; raises BoardError that holds every mistake found, each with its place.

    twice: where given, keys that stand twice are put there in place of raising when they are the only mistakes, so
    that the rest of the file (with the first of each) can be checked as well.
    """
    reader = _Reader(name)
    source = reader.decode(text)
    try:
        for event in _events(source):
            reader.take(event)
    except _Stop:
        pass
    except yaml.MarkedYAMLError as exc:
        for (line, column), message in told(source, exc) or [((0, 0), "not YAML")]:
            reader.problems.append(Problem(f"{name}:{line + 1}:{column + 1}", "PH-B001", message))
    except ReaderError as exc:
        place = source[: exc.position]
        line, column = place.count("\n") + 1, exc.position - place.rfind("\n")
        message = f"not YAML: character {source[exc.position : exc.position + 1]!r} is not allowed"
        reader.problems.append(Problem(f"{name}:{line}:{column}", "PH-B001", message))
    except yaml.YAMLError as exc:
        reader.say("PH-B001", _one_line(str(exc)), None)
    if not reader.problems and not reader.documents:
        reader.say("PH-B011", "the file is empty", None)
    if twice is not None and all(problem.code == TWICE for problem in reader.problems):
        twice += reader.problems
    elif reader.problems:
        raise board_error(name, reader.problems)
    return Document(name, reader.data, reader.values, reader.keys)


def scalar(text: str) -> Any:
    """Value of a plain scalar by the YAML 1.2 core schema; ValueError for numbers that no board needs."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _DECIMAL.fullmatch(text):
        return _integer(text, 10)
    if _BASED.fullmatch(text):
        return _integer(text, 0)
    if _FLOAT.fullmatch(text):
        return _finite(text)
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(f"{text!r} is not a finite number")
    return text


def _integer(text: str, base: int) -> int:
    if len(text) > MAX_INT_DIGITS + 2:
        raise ValueError(f"a whole number of {len(text)} characters is larger than 64 bits")
    value = int(text, base)
    if not -(2**63) <= value < 2**64:
        raise ValueError(f"{text} is larger than 64 bits")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]!r} is not a finite number")
    return value


def _events(source: str) -> Iterator[Any]:
    """Parser events; the parser may raise odd errors on hostile text, which all become YAMLError."""
    try:
        yield from yaml.parse(source, Loader=_LOADER)
    except (ValueError, IndexError, AttributeError, OverflowError, RecursionError, TypeError) as exc:
        raise yaml.YAMLError(f"not YAML ({type(exc).__name__})") from exc


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]


class _Reader:
    """Builds the tree from events; collects mistakes and goes on where that is safe."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self.values: dict[Path, Mark] = {}
        self.keys: dict[Path, Mark] = {}
        self.data: Any = None
        self.documents = 0
        self._stack: list[_Frame] = []
        self._nodes = 0

    def say(self, code: str, message: str, mark: Any) -> None:
        """Note one mistake at a parser mark (None: at the start of the file)."""
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        self.problems.append(Problem(f"{self.name}:{line}:{column}", code, message))

    def decode(self, text: bytes | str) -> str:
        """The text, if it is small enough and UTF-8; raises BoardError."""
        raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        if len(raw) > MAX_BYTES:
            self.say("PH-B002", f"{len(raw)} bytes; a board file has at most {MAX_BYTES}", None)
            raise board_error(self.name, self.problems)
        try:
            return raw.decode("utf-8-sig")
        except UnicodeDecodeError as exc:
            before = raw[: exc.start]
            line, column = before.count(b"\n") + 1, exc.start - before.rfind(b"\n")
            problem = Problem(f"{self.name}:{line}:{column}", "PH-B003", f"byte 0x{raw[exc.start]:02x} is not UTF-8")
            raise board_error(self.name, [problem]) from exc

    def take(self, event: Any) -> None:
        """Consume one parser event."""
        if isinstance(event, yaml.ScalarEvent):
            self._check_node(event)
            self._scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._check_node(event)
            self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._stack.pop()
        elif isinstance(event, yaml.AliasEvent):
            self.say("PH-B004", f"alias '*{event.anchor!s:.40}': write the value out", event.start_mark)
            self._place(None, event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._document(event)

    def _document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            self.say("PH-B011", "a second document starts here; one file describes one board", event.start_mark)
            raise _Stop
        if event.tags:
            self.say("PH-B005", "%TAG directives are not allowed", event.start_mark)

    def _check_node(self, event: Any) -> None:
        """Limits and refusals that hold for every node."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self.say("PH-B008", f"more than {MAX_NODES} values", event.start_mark)
            raise _Stop
        if event.anchor is not None:
            self.say("PH-B004", f"anchor '&{event.anchor!s:.40}' is not allowed", event.start_mark)
        if event.tag is not None:
            self.say("PH-B005", f"tag {event.tag[:60]!r} is not allowed", event.start_mark)
        if len(self.problems) >= 10 * SHOWN:
            raise _Stop

    def _open(self, event: Any) -> None:
        if len(self._stack) >= MAX_DEPTH:
            self.say("PH-B007", f"nested deeper than {MAX_DEPTH} levels", event.start_mark)
            raise _Stop
        node: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        path = self._place(node, event)
        self._stack.append(_Frame(node, path))

    def _scalar(self, event: Any) -> None:
        frame = self._stack[-1] if self._stack else None
        if frame is not None and isinstance(frame.node, dict) and frame.key is None:
            self._key(event, frame)
            return
        value: Any = event.value
        if not event.style:  # plain: None in the Python parser, '' in the C one
            try:
                value = scalar(event.value)
            except ValueError as exc:
                self.say("PH-B009", str(exc), event.start_mark)
        self._place(value, event)

    def _key(self, event: Any, frame: _Frame) -> None:
        """Keys are always text, as written (`1:` and `NO:` are "1" and "NO")."""
        key = event.value
        if not event.style and key in ("", "<<", "~"):
            what = "merge keys are not allowed" if key == "<<" else "a key is missing here"
            self.say("PH-B010", what, event.start_mark)
        elif key in frame.seen:
            first = self.keys.get((*frame.path, key), (0, 0))
            self.say(TWICE, f"key {key[:60]!r} is given twice (first in line {first[0]})", event.start_mark)
        else:
            # the first of two equal maps is the one that is kept, with its places
            self.keys.setdefault((*frame.path, key), (event.start_mark.line + 1, event.start_mark.column + 1))
        frame.seen.add(key)
        frame.key = key

    def _place(self, value: Any, event: Any) -> Path:
        """Put a value where it belongs and remember where it stands; returns its path."""
        mark = (event.start_mark.line + 1, event.start_mark.column + 1)
        if not self._stack:
            self.data = value
            path: Path = ()
        else:
            path = self._attach(value, event)
        self.values.setdefault(path, mark)
        return path

    def _attach(self, value: Any, event: Any) -> Path:
        frame = self._stack[-1]
        if isinstance(frame.node, list):
            frame.node.append(value)
            return (*frame.path, len(frame.node) - 1)
        if frame.key is None:  # a map or list (or alias) stands where a key must be
            self.say("PH-B010", "a key must be plain text", event.start_mark)
            frame.key = ""
            return (*frame.path, "")
        path = (*frame.path, frame.key)
        frame.node.setdefault(frame.key, value)
        frame.key = None
        return path
