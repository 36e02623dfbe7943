from __future__ import annotations

import numpy as np

from powerhal.attribution.evaluation.pixel.activities import filler, read
from powerhal.attribution.evaluation.pixel.components import COMPONENTS, PARTS, TOTAL_PART
from powerhal.attribution.evaluation.pixel.runs import BATTERY_UA, RAIL_SUM, read_runs
from tests.attribution.evaluation.pixel.synthetic import COLUMNS, GROUPS, make_rows, write


def test_the_groups_of_rails():
    assert {part.name: sorted(part.rails) for part in COMPONENTS} == {k: sorted(v) for k, v in GROUPS.items()}


def test_columns_are_finite_never_negative_and_have_names_of_their_own(tmp_path):
    rows = make_rows(60)
    rows[0]["DIFF_SOC_TEMP"] = "-3000"
    did = read(read_runs(write(tmp_path / "a.csv", rows)))
    full = filler(did)(did)
    for part in (*PARTS, TOTAL_PART):
        x = part.matrix(full)
        assert np.isfinite(x).all()
        assert (x >= 0).all(), part.name
        names = [name for name, _ in part.columns]
        assert len(set(names)) == len(names) == x.shape[1]
        assert part.guess.shares.sum() == 1.0 or abs(part.guess.shares.sum() - 1) < 1e-12


def test_no_column_knows_a_rail_or_the_battery_current(tmp_path):
    rows = make_rows(60)
    changed = [{**row, **dict.fromkeys((*COLUMNS, BATTERY_UA), "1"), RAIL_SUM: "7"} for row in rows]
    tables = []
    for name, some in (("a.csv", rows), ("b.csv", changed)):
        did = read(read_runs(write(tmp_path / name, some)))
        full = filler(did)(did)
        tables.append([part.matrix(full) for part in (*PARTS, TOTAL_PART)])
    assert all(np.array_equal(a, b) for a, b in zip(*tables, strict=True))
