from __future__ import annotations

import pytest

from powerhal.attribution.fitting.frequency_table import read_frequency_table, tables_in
from powerhal.errors import FileError, UsageError

HEAD = "CPU,Frequency (kHz),CoreMarks (iter/s),Power (mW)\n"


def written(tmp_path, name, body, head=HEAD):
    (tmp_path / name).write_text(head + body)
    return tmp_path / name


def test_clusters_units_and_repeats(tmp_path):
    table = read_frequency_table(
        written(tmp_path, "sm7150ab__mine.csv", "6,600000,1,100\n0,300000,1,20\n0,300000,1,30\n0,200000,1,10\n")
    )
    assert (table.chip, table.family, list(table.curves)) == ("sm7150ab", "sm7150", [0, 6])
    assert table.curves[0].hz.tolist() == [2e8, 3e8]
    assert table.curves[0].watts.tolist() == pytest.approx([0.010, 0.025])


@pytest.mark.parametrize(
    ("name", "family"), [("zuma.csv", "zuma"), ("gs101__a.csv", "gs101"), ("mt6853t.csv", "mt6853")]
)
def test_families(tmp_path, name, family):
    assert read_frequency_table(written(tmp_path, name, "0,1000,1,1\n")).family == family


def test_power_that_is_not_known_is_never_zero(tmp_path):
    table = read_frequency_table(written(tmp_path, "a.csv", "0,1000,1,0\n0,2000,1,\n0,3000,1,-0.7\n0,4000,1,5\n"))
    assert table.unknown == 3
    assert table.curves[0].hz.tolist() == [4e6]


def test_every_mistake_is_named(tmp_path):
    place = written(tmp_path, "a.csv", "0,1000,1,x\n0,2000,1,1\n-1,2000,1,1\n0,0,1,1\n0\n0,1000,1,inf\n")
    with pytest.raises(FileError) as caught:
        read_frequency_table(place)
    assert [p.where.rsplit(":", 1)[1] for p in caught.value.problems] == ["2", "4", "5", "6", "7"]


def test_files_that_are_no_tables(tmp_path):
    with pytest.raises(FileError, match="no column"):
        read_frequency_table(written(tmp_path, "a.csv", "1,2\n", head="a,b\n"))
    with pytest.raises(FileError, match="cannot be read"):
        read_frequency_table(tmp_path / "absent.csv")
    with pytest.raises(FileError):
        read_frequency_table(written(tmp_path, "empty.csv", "", head=""))


def test_files_and_folders(tmp_path):
    one, two = written(tmp_path, "a.csv", ""), written(tmp_path, "b.csv", "")
    assert tables_in([tmp_path, one]) == [one, two]
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError):
        tables_in([tmp_path / "none"])
