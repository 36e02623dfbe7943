"""The codes of everything that can be wrong with a board file, one row each, and how they are collected."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

from powerhal.errors import Problem

#: code -> what it means (`powerhal explain`, docs/board-files.md).
CODES: Final[dict[str, str]] = {
    "PH-B001": "the text is not YAML",
    "PH-B002": "the file is larger than a board file may be (256 KiB)",
    "PH-B003": "the file is not UTF-8 text",
    "PH-B004": "anchors and aliases are not allowed",
    "PH-B005": "tags and directives are not allowed",
    "PH-B006": "a key is given twice",
    "PH-B007": "nested too deeply",
    "PH-B008": "too many values",
    "PH-B009": "a number that no board needs (not finite, or beyond 64 bits)",
    "PH-B010": "a key that is not plain text, or a merge key",
    "PH-B011": "more than one document, or none",
    "PH-B012": "unknown key",
    "PH-B013": "missing key",
    "PH-B014": "a value of the wrong kind",
    "PH-B015": "a value outside its range or list",
    "PH-B016": "a path that a board file may not name",
    "PH-B021": "unknown chip",
    "PH-B022": "unknown rail",
    "PH-B023": "unknown bus",
    "PH-B024": "unknown CPU cluster",
    "PH-B025": "unknown role, parameter or setting",
    "PH-B026": "rails or buses form a circle",
    "PH-B027": "there is not exactly one root rail",
    "PH-B028": "unknown meter protocol",
    "PH-B031": "a quantity without a unit, or with a foreign one",
    "PH-B041": "shunt not plausible",
    "PH-B042": "two chips at one address",
    "PH-B043": "a channel that the chip does not have",
    "PH-B044": "the sensor saturates below what the rail allows",
    "PH-B045": "asked to read faster than the chip converts",
    "PH-B046": "the bus cannot carry what is asked of it",
    "PH-B047": "a rail that nothing measures",
    "PH-B048": "a device without an activity that explains it",
    "PH-B049": "two measurements of one rail",
    "PH-B050": "two chips that cannot be told apart or that clash at one address",
    "PH-B051": "an address that the I2C specification reserves",
    "PH-B052": "a setting that the chip does not take",
    "PH-B053": "a CPU in two clusters",
    "PH-B054": "an operating point that physics does not explain",
    "PH-B055": "an address that the chip does not have",
    "PH-B056": "an activity or kernel source that powerhal does not record",
    "PH-B057": "a carbon zone without a known grid intensity",
}

SHOWN = 100  # mistakes listed before the rest is only counted


def did_you_mean(word: str, known: Iterable[str], *, what: str = "") -> str:
    """'; did you mean 'x'?' for the nearest of `known`, else a list of what is allowed, else ''."""
    names = list(known)
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]!r}?"
    if names and len(names) <= 12:
        return f"; {what or 'known'}: {', '.join(sorted(names))}"
    return ""


def by_place(problem: Problem) -> tuple[str, int, int, str]:
    """Sort key: file, line, column, code."""
    parts = problem.where.rsplit(":", 2)
    if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():
        return parts[0], int(parts[1]), int(parts[2]), problem.code
    return problem.where, 0, 0, problem.code


def count_text(problems: Iterable[Problem]) -> str:
    """'2 errors, 1 warning'."""
    listed = list(problems)
    errors = sum(p.severity == "error" for p in listed)
    warnings = len(listed) - errors
    return f"{errors} error{'s' * (errors != 1)}, {warnings} warning{'s' * (warnings != 1)}"
