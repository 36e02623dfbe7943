"""Text that is not YAML, in the words of somebody who made a typing mistake: where it began, and what to write."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Place = tuple[int, int]  # line and column, from 0
Told = tuple[Place, str]
_GLUED = re.compile(r"""(?:[\w.+-]+|"[^"]*"):\S""")
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")  # as YAML 1.1 counts lines
_TABBED = re.compile(r" *\t")


@dataclass(frozen=True, slots=True)
class Broken:
    """Where the parser gave up: the lines, its words, where it was (`at`) and where what it read began (`since`)."""

    lines: list[str]
    words: str
    at: Place
    since: Place

    def line(self, number: int) -> str:
        """A line; '' behind the end."""
        return self.lines[number] if number < len(self.lines) else ""

    def text(self, place: Place) -> str:
        """The rest of the line at a place."""
        return self.line(place[0])[place[1] :]

    def indentation(self, line: int) -> int:
        """How many spaces a line begins with."""
        text = self.line(line)
        return len(text) - len(text.lstrip(" "))


def told(source: str, fault: Any) -> list[Told]:
    """Places (line and column from 0) and sentences of what a parser's error (its marks, its words) comes from."""
    mark = fault.problem_mark or fault.context_mark
    began = fault.context_mark or mark
    if mark is None:
        return []
    words = ", ".join(" ".join(part.split())[:200] for part in (fault.context, fault.problem) if part)
    broken = Broken(_BREAK.split(source), words, (mark.line, mark.column), (began.line, began.column))
    for cause in _CAUSES:
        if found := cause(broken):
            return found
    return [(broken.at, f"not YAML: {words or 'unreadable'}")]


def _tabs(broken: Broken) -> list[Told]:
    """Every line that is indented by a tab, when the parser stumbled over one."""
    seen = [
        ((number, match.end() - 1), "a tab: YAML is indented by spaces")
        for number, line in enumerate(broken.lines)
        if (match := _TABBED.match(line)) and line.strip() and not line.lstrip().startswith("#")
    ]
    return seen if any(place[0] in (broken.at[0], broken.at[0] - 1) for place, _ in seen) else []


def _no_colon(broken: Broken) -> list[Told]:
    if "expected ':'" not in broken.words:
        return []
    text = broken.text(broken.since).partition("#")[0].strip()
    if _GLUED.match(text):
        key = text.partition(":")[0]
        return [(broken.since, f"a space is missing after '{key}:'")]
    return [(broken.since, f"{text[:40]!r} is no `key: value`; is a ':' missing after it?")]


def _open_quote(broken: Broken) -> list[Told]:
    if "quoted scalar" in broken.words and "end of stream" in broken.words:
        return [(broken.since, "the quotation mark that opens here is never closed")]
    if "expected" not in broken.words:
        return []
    before = "\n".join([*broken.lines[: broken.at[0]], broken.line(broken.at[0])[: broken.at[1]]]).rstrip()
    if not before or before[-1] not in "\"'" or "\n" not in before[before.rfind(before[-1], 0, len(before) - 1) :]:
        return []
    opened = before.rfind(before[-1], 0, len(before) - 1)
    if opened < 0:
        return []
    line = before.count("\n", 0, opened)
    column = opened - (before.rfind("\n", 0, opened) + 1)
    return [((line, column), f"the text in quotes that begins here goes on to line {broken.at[0] + 1}: close it")]


def _open_bracket(broken: Broken) -> list[Told]:
    if "flow" not in broken.words or "expected" not in broken.words:
        return []
    opening = broken.text(broken.since)[:1]
    if opening not in ("{", "["):
        return []
    closing = "}" if opening == "{" else "]"
    if broken.at[0] != broken.since[0]:
        return [(broken.since, f"the '{opening}' that opens here is never closed: '{closing}' is missing")]
    return [(broken.at, f"',' or '{closing}' is missing before {broken.text(broken.at).strip()[:30]!r}")]


def _indentation(broken: Broken) -> list[Told]:
    """A line that starts neither where its block does nor where an outer one does."""
    if "block" not in broken.words or "expected" not in broken.words:
        return []
    line, column = broken.at
    if column != broken.indentation(line) or not broken.text(broken.at):
        return []
    what = broken.text(broken.at).partition("#")[0].strip()[:40]
    if column == broken.since[1]:
        began = broken.since[0] + 1
        return [(broken.at, f"{what!r} does not go on with what began in line {began}: '- ' or `key: value`?")]
    above = max((k for k in range(line) if broken.line(k).partition("#")[0].strip()), default=0)
    return [
        (
            broken.at,
            f"{what!r} is indented by {column} spaces, line {above + 1} above it by {broken.indentation(above)}: "
            "lines of one block are indented alike",
        )
    ]


def _second_colon(broken: Broken) -> list[Told]:
    if "mapping values are not allowed" not in broken.words:
        return []
    line, column = broken.at
    before = broken.line(line)[:column]
    if ":" in before:
        return [(broken.at, "a second ': ' in one line: put the text in quotes, or a map in {...}")]
    return [
        (
            (line, broken.indentation(line)),
            f"{before.strip()[:40]!r} is indented deeper than the line above, which already has a value",
        )
    ]


def _odd_start(broken: Broken) -> list[Told]:
    start = broken.text(broken.at)[:1]
    if "cannot start any token" not in broken.words or not start.strip():
        return []
    return [(broken.at, f"a text cannot begin with {start!r}: put it in quotes")]


_CAUSES: tuple[Callable[[Broken], list[Told]], ...] = (
    _tabs, _open_quote, _no_colon, _open_bracket, _second_colon, _odd_start, _indentation,
)  # fmt: skip
