from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation.identifiability import (
    Designs,
    Said,
    activities_of,
    drawn,
    identifiability,
    learned_from,
    reported,
)
from powerhal.attribution.evaluation.table import read_table
from tests.attribution.evaluation.synthetic import write_table

COUNTED = ("CPU_CYCLES", "INST_RETIRED", "L1D_CACHE_ACCESS", "L2D_CACHE_ACCESS", "BRANCH_MISPRED")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    place = tmp_path_factory.mktemp("xu3") / "t.csv"
    write_table(place, seed=3, rows=40, programs={"cBench": 10})
    return read_table(place)


def test_groups_cover_and_confidence_does_not(table):
    found = identifiability(table, COUNTED, runs=25)
    assert found["runs"] == 25
    assert found["rows_covered_percent"] >= 87.0
    assert found["runs_percent"] >= 87.0
    assert found["confident"]["rows_covered_percent"] < 75.0
    assert found["groups_per_run"] >= 1.0
    assert found["rows"] > 1.0


def test_nothing_that_a_rail_measured_is_used(table):
    blind = table.replaced({name: np.full(len(table), np.nan) for name in ("a15_w", "a15_v", "a15_i")})
    assert identifiability(blind, COUNTED, runs=3) == identifiability(table, COUNTED, runs=3)


def test_a_twin_is_never_reported_alone(table):
    designs = activities_of(table, COUNTED)
    x = np.column_stack((designs.x, designs.x[:, 2]))
    truth = np.full(x.shape[1], 0.2)
    noise = 1.0 + 0.02 * np.random.default_rng(1).standard_normal(len(x))
    learned = learned_from(x, x @ truth * noise, designs.program)
    pair = {"x2", f"x{x.shape[1] - 1}"}
    assert any(pair <= set(group.names) for group in learned.groups)
    rows = list(reported(learned, x, truth, 10))
    assert sum(row.true_w for row in rows) == pytest.approx(x.mean(axis=0) @ truth)


def test_what_can_be_told_apart_is_said_alone_and_right():
    random = np.random.default_rng(0)
    designs = Designs(random.uniform(0.0, 2.0, (600, 3)), np.repeat(np.arange(10), 60))
    truth = np.array([0.1, 0.2, 0.3])
    z = designs.x @ truth * (1.0 + 0.02 * random.standard_normal(600))
    rows = list(reported(learned_from(designs.x, z, designs.program), designs.x, truth, 10))
    assert len(rows) == 3
    assert all(row.half_w < 0.1 * row.claimed_w for row in rows)


def test_draws_differ_and_are_positive(table):
    designs = activities_of(table, COUNTED)
    x, truth = drawn(designs, np.random.default_rng(1))
    assert x.shape[1] == truth.size > designs.x.shape[1]
    assert np.all(x >= 0)
    assert np.all(truth > 0)


def test_without_events_there_is_nothing_to_tell_apart(table):
    assert identifiability(table, ("CPU_CYCLES",)) is None
    assert Said(1.0, 0.1, 1.05).inside
    assert not Said(1.0, 0.1, 1.2).inside
