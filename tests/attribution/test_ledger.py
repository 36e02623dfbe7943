from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from powerhal.attribution import attribute
from powerhal.attribution.uncertainty import half_width
from tests.attribution import synthetic

VIEWS = ("process", "comm", "pid", "uid", "cgroup", "device")


@pytest.fixture(scope="module")
def ledger():
    run = synthetic.build(seed=11)
    run.self_pid = run.processes[1].pid
    return attribute(run)


@pytest.mark.parametrize("by", VIEWS)
def test_every_view_adds_up_to_the_total(ledger, by):
    rows = ledger.view(by)
    assert sum(r.energy_j for r in rows) == pytest.approx(ledger.total.energy_j, rel=1e-9)
    told = ledger.to_dict(by)
    assert [r["name"] for r in told["rows"]] == [r.name for r in rows]


def test_the_recorder_is_never_merged_with_a_namesake(ledger):
    people = ledger.of_kind("process")
    twins = tuple(replace(r, info=replace(r.info, comm="python")) if r.info else r for r in ledger.rows)
    rows = [r for r in replace(ledger, rows=twins).view("process") if r.kind == "process"]
    assert {(r.name, r.own) for r in rows} == {("python", True), ("python", False)}
    assert sum(r.energy_j for r in rows) == pytest.approx(sum(r.energy_j for r in people), rel=1e-12)


def test_who_runs_at_the_high_frequency_within_a_scan_pays_for_it() -> None:
    """The sampled rung cannot see it; the kernel's count of run time can."""
    errors = {}
    for counted in (False, True):
        run = synthetic.build(seed=41, seconds=60, apart=True, counted=counted)
        rows = {r["name"]: r for r in attribute(run).to_dict()["rows"] if r["kind"] == "process"}
        errors[counted] = max(
            abs(rows[name]["devices"].get("cpu", 0.0) - run.truth[f"{name} cpu"]) / run.truth[f"{name} cpu"]
            for name in ("alpha", "beta")
        )
    assert errors[True] < 0.05
    assert errors[False] > 5 * errors[True]


@pytest.mark.parametrize("by", ["uid", "cgroup", "process"])
def test_the_interval_of_a_group_is_that_of_the_sum(ledger, by):
    """Two processes of one user: what they trade with each other is not in doubt for the user."""
    people = ledger.of_kind("process")
    one = tuple(
        replace(r, info=replace(r.info, comm="app", uid=7, cgroup="/app")) if r.info else r for r in ledger.rows
    )
    rows = [replace(r, own=False) for r in one]
    group = next(r for r in replace(ledger, rows=tuple(rows)).view(by) if r.kind == "process")
    assert group.energy_j == pytest.approx(sum(r.energy_j for r in people))
    loads = np.sum([r.loadings for r in people], axis=0)
    half = half_width(loads, sum(r.alone_j2 for r in people), ledger.doubts, ledger.t90)
    assert group.half_j == pytest.approx(half)
    assert group.half_j < sum(r.half_j for r in people)
