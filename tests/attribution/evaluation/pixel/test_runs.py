from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation.pixel.runs import read_runs
from powerhal.errors import FileError
from tests.attribution.evaluation.pixel.synthetic import COLUMNS, blind, make_rows, write


def test_rails_add_up_and_their_sum_may_be_given(tmp_path):
    rows = make_rows(5)
    whole, empty = (read_runs(write(tmp_path / name, r)) for name, r in (("a.csv", rows), ("b.csv", blind(rows))))
    assert set(whole.rails) == set(COLUMNS)
    assert whole.rail_sum_w() == pytest.approx([sum(float(row[r]) for r in COLUMNS) * 1e-6 for row in rows])
    assert empty.rail_sum_w() == pytest.approx(whole.rail_sum_w())
    assert whole.has_rails().all()
    assert not empty.has_rails().any()
    assert np.isnan(empty.rails_w(COLUMNS[:1])).all()


def test_no_rails_at_all_is_unknown_and_not_nothing(tmp_path):
    rows = [{k: v for k, v in row.items() if k not in COLUMNS} for row in make_rows(3)]
    runs = read_runs(write(tmp_path / "a.csv", rows))
    assert np.isnan(runs.rail_sum_w()).all()
    assert not runs.has_rails().any()


def test_err_and_empty_are_unread(tmp_path):
    rows = make_rows(3)
    rows[0]["CPU_MID_FREQ_KHz"], rows[1]["CPU_MID_FREQ_KHz"] = "err", ""
    assert np.isnan(read_runs(write(tmp_path / "a.csv", rows)).number("CPU_MID_FREQ_KHz")[:2]).all()


def test_every_wrong_field_at_once_with_its_place(tmp_path):
    rows = make_rows(4)
    rows[1]["Brightness"], rows[2]["GPU0_FREQ"], rows[3]["C_PL"], rows[3]["ID"] = "bright", "1e3x", "inf", "0"
    path = write(tmp_path / "a.csv", rows)
    with pytest.raises(FileError) as caught:
        read_runs(path)
    header = list(rows[0])
    places = {problem.where for problem in caught.value.problems}
    assert places == {
        f"{path}:3:{header.index('Brightness') + 1}",
        f"{path}:4:{header.index('GPU0_FREQ') + 1}",
        f"{path}:5:{header.index('C_PL') + 1}",
        f"{path}:5:1",
    }


def test_missing_columns_and_short_rows_at_once(tmp_path):
    rows = [{k: v for k, v in row.items() if k not in ("C_PL", "Brightness")} for row in make_rows(2)]
    path = write(tmp_path / "a.csv", rows)
    path.write_text(path.read_text() + "1,2,3\n")
    with pytest.raises(FileError) as caught:
        read_runs(path, ("Nothing",))
    told = " ".join(problem.message for problem in caught.value.problems)
    assert all(word in told for word in ("'C_PL'", "'Brightness'", "'Nothing'", "3 fields"))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00"])
def test_what_is_no_table_says_so(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(FileError):
        read_runs(tmp_path / "a.csv")
    with pytest.raises(FileError):
        read_runs(tmp_path / "absent.csv")


def test_chosen_rows_keep_their_lines(tmp_path):
    runs = read_runs(write(tmp_path / "a.csv", make_rows(5))).where([3, 1])
    assert runs.ids == ("6", "2")
    assert runs.lines == (5, 3)
