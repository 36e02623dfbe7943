from __future__ import annotations

import pytest

from powerhal.attribution.evaluation.pixel.lots import by_lot, halves, labelled
from powerhal.attribution.evaluation.pixel.runs import read_runs
from powerhal.errors import NotEnoughData
from tests.attribution.evaluation.pixel.synthetic import COLUMNS, make_rows, write


@pytest.fixture
def runs(tmp_path):
    return read_runs(write(tmp_path / "a.csv", make_rows(40)))


def names(runs, chosen):
    return {name for name, taken in zip(runs.ids, chosen, strict=True) if taken}


def test_the_draw_depends_on_seed_and_names_only(runs):
    turned = runs.where(range(len(runs) - 1, -1, -1))
    first = names(runs, labelled(runs, 10, seed=1))
    assert len(first) == 10
    assert names(turned, labelled(turned, 10, seed=1)) == first
    assert names(runs, labelled(runs, 10, seed=2)) != first
    assert names(runs, labelled(runs, 20, seed=1)) > first


def test_only_runs_with_rails_are_drawn(tmp_path):
    rows = make_rows(20)
    for row in rows[:15]:
        row[COLUMNS[3]] = ""
    runs = read_runs(write(tmp_path / "a.csv", rows))
    assert names(runs, labelled(runs, 5, seed=3)) == {row["ID"] for row in rows[15:]}
    with pytest.raises(NotEnoughData, match="5 of 20 runs have rails, 6"):
        labelled(runs, 6, seed=3)


def test_too_few_are_refused(runs):
    with pytest.raises(NotEnoughData, match="at least 3"):
        labelled(runs, 2, seed=0)


def test_halves_are_disjoint_and_whole(runs):
    one, other = halves(runs, seed=4)
    assert len(one) == len(other) == 20
    assert set(one.ids) | set(other.ids) == set(runs.ids)
    assert halves(runs, seed=4)[0].ids == one.ids
    assert halves(runs, seed=5)[0].ids != one.ids


def test_lots_are_fair():
    first = [int(by_lot([str(k) for k in range(10)], "labelled", seed)[0]) for seed in range(400)]
    assert all(20 < first.count(k) < 65 for k in range(10))
