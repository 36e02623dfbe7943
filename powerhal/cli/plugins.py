"""Commands of other packages, found by the entry-point group `powerhal.commands`.

importlib.metadata would answer the same question, but importing it costs more than all of `powerhal --help` may on a
small board. The file that it reads is a page of `[group]` and `name = module:attribute` lines (entry points
specification of the Python packaging guide).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

GROUP = "powerhal.commands"


def commands() -> dict[str, str]:
    """Name -> 'module:attribute' of every installed command of the group; the first on the path wins."""
    found: dict[str, str] = {}
    for text in _entry_point_files():
        for name, target in _entries(text, GROUP):
            found.setdefault(name, target)
    return found


def load(target: str) -> Any:
    """The object that 'module:attribute' names; raises ImportError or AttributeError when it is not there."""
    module, _, attribute = target.partition(":")
    return getattr(import_module(module), attribute)


def _entry_point_files() -> Iterator[str]:
    for folder in sys.path:
        try:
            names = [n for n in os.listdir(folder or ".") if n.endswith((".dist-info", ".egg-info"))]
        except OSError:  # a zip, or a folder that is not there
            continue
        for name in sorted(names):
            try:
                with open(os.path.join(folder, name, "entry_points.txt"), encoding="utf-8") as file:
                    yield file.read()
            except OSError:
                continue


def _entries(text: str, group: str) -> Iterator[tuple[str, str]]:
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            section = line.strip("[]").strip()
        elif section == group and "=" in line and not line.startswith(("#", ";")):
            name, _, target = line.partition("=")
            yield name.strip(), target.split("[")[0].strip()
