from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from powerhal.board import apart, door
from powerhal.board.load import load
from powerhal.board.plain import from_plain, to_plain
from powerhal.board.schema import BoardFile
from powerhal.errors import BoardError

from .boardtext import GOOD, spoiled

REPO = Path(__file__).resolve().parents[2]
BOARDS = sorted((REPO / "boards").glob("*.yaml"))


@pytest.fixture
def forks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process that has not loaded the libraries (this one has)."""
    monkeypatch.delitem(sys.modules, "pydantic")
    monkeypatch.setattr(apart.threading, "active_count", lambda: 1)


@pytest.mark.usefixtures("forks")
@pytest.mark.parametrize("path", BOARDS, ids=lambda p: p.stem)
def test_the_child_answers_what_the_door_does(path: Path) -> None:
    text = path.read_bytes()
    there = apart.describe(text, str(path))
    here = door.describe(text, str(path))
    assert there == here
    assert there.topology() == here.topology()
    assert there.document == here.document


@pytest.mark.usefixtures("forks")
def test_mistakes_cross_the_pipe_whole() -> None:
    text = spoiled("rate: 10 Hz", "rate: 10").replace("zone: JP", "zne: JP")
    with pytest.raises(BoardError) as there:
        apart.describe(text, "b.yaml")
    with pytest.raises(BoardError) as here:
        door.describe(text, "b.yaml")
    for name in ("message", "problems", "code", "hint"):
        assert getattr(there.value, name) == getattr(here.value, name)


@pytest.mark.usefixtures("forks")
def test_a_large_answer_does_not_block_the_pipe() -> None:
    rails = "".join(f"  R{n}: {{parent: VIN, measured: false}}\n" for n in range(3000))
    assert len(apart.describe(GOOD.replace("rails:\n", f"rails:\n{rails}"), "b.yaml").rails) == 3003


@pytest.mark.usefixtures("forks")
def test_a_fault_of_ours_is_seen_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(text: object, name: str) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(door, "describe", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        apart.describe(GOOD, "b.yaml")


@pytest.mark.usefixtures("forks")
def test_a_check_without_end_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(text: object, name: str) -> None:
        while True:
            pass

    monkeypatch.setattr(door, "describe", endless)
    monkeypatch.setattr(apart, "CPU_SECONDS", 1)
    with pytest.raises(BoardError, match="was stopped"):
        apart.describe(GOOD, "b.yaml")


def test_plain_values_come_back_as_they_were() -> None:
    for path in BOARDS:
        board = load(path)
        file = BoardFile(**{name: getattr(board, name) for name in (f.name for f in fields(BoardFile))})
        assert from_plain(BoardFile, to_plain(file)) == file


def test_a_recorder_loads_neither_yaml_nor_pydantic() -> None:
    code = (
        "import sys; from powerhal.board.load import load; from powerhal.board.assembly import assemble\n"
        "b = load('linux-host'); a = assemble(b); a.close()\n"
        "heavy = {'yaml', 'pydantic', 'pydantic_core', 'numpy', 'numba', 'rich'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy or not b.rails else 0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPO)
