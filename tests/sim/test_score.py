from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from powerhal.channel import ProcessInfo
from powerhal.sim.score import families, mark
from powerhal.sim.truth import Truth


@dataclass
class Row:
    name: str
    kind: str
    energy_j: float
    low_j: float = 0.0
    high_j: float = 100.0
    device: str | None = None
    info: ProcessInfo | None = None
    own: bool = False
    members: tuple[str, ...] = ()


@dataclass
class Ledger:
    rows: tuple[Row, ...]
    merged: list[tuple[str, int]] = field(default_factory=list)

    def merge(self, name: str, rows: list[Any]) -> Row:
        self.merged.append((name, len(rows)))
        return replace(rows[0], name=name, energy_j=sum(row.energy_j for row in rows))


def info(pid: int, comm: str) -> ProcessInfo:
    return ProcessInfo(pid, 1, 1, 0, comm)


TRUTH = Truth(
    start_ns=0,
    end_ns=1,
    root_j=100.0,
    idle_j=20.0,
    devices={"cpu": 50.0, "display": 30.0},
    static={"cpu": 5.0},
    processes={10: {"cpu": 30.0}, -1010: {"cpu": 12.0}, -2: {"cpu": 3.0}},
    children={500: 10, 501: 10},
    names={10: "app", -1010: "app (children)", -2: "kernel", 500: "kid", 501: "kid"},
)
ROWS = (
    Row("cpu", "device", 49.0),
    Row("display", "device", 31.0),
    Row("idle", "idle", 19.0),
    Row("unattributed", "unattributed", 1.0),
    Row("app", "process", 31.0, info=info(10, "app")),
    Row("kid", "process", 2.0, info=info(500, "kid")),
    Row("kid", "process", 3.0, info=info(501, "kid")),
    Row("app (children)", "process", 6.0, info=info(-1010, "app (children)")),
    Row("stranger", "process", 0.5, info=info(99, "stranger")),
    Row("cpu (rest)", "rest", 7.0, device="cpu"),
    Row("display (rest)", "rest", 31.0, device="display"),
)


def test_children_of_one_parent_become_one_row_and_nothing_is_lost() -> None:
    ledger = Ledger(ROWS)
    rows = families(ledger, TRUTH)
    assert ledger.merged == [("app (children)", 3)]
    assert sum(row.energy_j for row in rows) == pytest.approx(sum(row.energy_j for row in ROWS))
    assert [row.info.pid for row in rows if row.name == "app (children)"] == [-1010]


def test_each_row_gets_the_truth_that_is_its_own() -> None:
    marked = {row.name: row for row in mark(Ledger(families(Ledger(ROWS), TRUTH)), TRUTH)}
    truths = {name: row.truth_j for name, row in marked.items()}
    assert truths == {
        "cpu": 50.0, "display": 30.0, "idle": 20.0, "unattributed": None, "app": 30.0, "app (children)": 12.0,
        "stranger": None, "cpu (rest)": 8.0, "display (rest)": 30.0,
    }  # fmt: skip
    assert marked["cpu"].error == pytest.approx(-0.02)
    assert marked["unattributed"].error is None and marked["unattributed"].inside is None


def test_the_kernels_own_work_is_a_row_or_in_the_rest() -> None:
    rows = (*ROWS, Row("kernel", "process", 3.0, info=info(-2, "kernel")))
    marked = {row.name: row.truth_j for row in mark(Ledger(families(Ledger(rows), TRUTH)), TRUTH)}
    assert marked["kernel"] == 3.0
    assert marked["cpu (rest)"] == 5.0


def test_inside_means_inside_the_interval() -> None:
    row = Row("idle", "idle", 19.0, low_j=18.0, high_j=19.9)
    assert mark(Ledger((row,)), TRUTH)[0].inside is False
    assert mark(Ledger((replace(row, high_j=20.0),)), TRUTH)[0].inside is True


def test_a_group_of_devices_has_the_sum_as_its_truth() -> None:
    row = Row("cpu + display", "group", 80.0, members=("cpu", "display"))
    assert mark(Ledger((row,)), TRUTH)[0].truth_j == 80.0
