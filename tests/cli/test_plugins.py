from __future__ import annotations

import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from powerhal.cli import parser, plugins

BROKEN = """[console_scripts]
other = other:main

[powerhal.commands]
# a comment = not:this
broken = no_such_module_at_all:add [extra]
"""


def test_finds_what_importlib_finds() -> None:
    theirs = {p.name: p.value for p in entry_points(group=plugins.GROUP)}
    assert "bus" in theirs and plugins.commands() == theirs


def test_a_broken_command_is_said_and_breaks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    info = tmp_path / "other-1.0.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_text(BROKEN)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "not there"), str(tmp_path), *sys.path])
    assert plugins.commands()["broken"] == "no_such_module_at_all:add"
    text = parser().format_help()
    assert "'broken' cannot be loaded" in capsys.readouterr().err
    assert "    bus " in text and "    demo " in text
