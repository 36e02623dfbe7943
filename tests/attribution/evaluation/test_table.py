from __future__ import annotations

import gzip

import numpy as np
import pytest

from powerhal.attribution.evaluation.table import MAX_PROBLEMS, read_table
from powerhal.errors import FileError
from tests.attribution.evaluation.synthetic import write_table

HEAD = "suite,cores,benchmark,a15_freq_mhz,a15_w,t_ns\n"


def test_reads_plain_and_packed_alike(tmp_path):
    write_table(tmp_path / "a.csv")
    write_table(tmp_path / "a.csv.gz")
    plain, packed = read_table(tmp_path / "a.csv"), read_table(tmp_path / "a.csv.gz")
    assert len(plain) == len(packed) == 10 * 3 * 12
    assert plain.times_ns().dtype == np.int64
    np.testing.assert_array_equal(plain.number("a15_w"), packed.number("a15_w"))


def test_nanosecond_times_keep_every_digit(tmp_path):
    (tmp_path / "t.csv").write_text(HEAD + "cBench,1,x,1000,0.5,1495802366551310109\n")
    assert read_table(tmp_path / "t.csv").times_ns()[0] == 1495802366551310109


def test_empty_is_unknown_not_zero(tmp_path):
    (tmp_path / "t.csv").write_text(HEAD + "cBench,1,x,1000,,5\n")
    table = read_table(tmp_path / "t.csv")
    assert np.isnan(table.number("a15_w")[0])
    assert np.isnan(table.number("not a column")[0])
    assert table.counted(("cores", "a15_w")) == ("cores",)


def test_every_wrong_number_is_named_with_its_line(tmp_path):
    (tmp_path / "t.csv").write_text(HEAD + "cBench,1,x,1000,0.5,1\ncBench,one,x,1000,half,2\n")
    with pytest.raises(FileError) as caught:
        read_table(tmp_path / "t.csv")
    assert sorted(problem.where.rsplit(":", 1)[1] for problem in caught.value.problems) == ["3", "3"]
    assert "'one'" in str(caught.value.problems[0])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("a,b\n1,2\n", "not a table"),
        (HEAD.replace("a15_w", "cores") + "cBench,1,x,1000,1,1\n", "not a table"),
        (HEAD + "cBench,1\n", "wrong length"),
        (HEAD + "cBench,1,x,1000,0.5,\n", "not numbers"),
    ],
)
def test_a_bad_file_is_refused_clearly(tmp_path, text, says):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(FileError, match=says):
        read_table(tmp_path / "t.csv")


def test_what_cannot_be_opened_is_a_file_error(tmp_path):
    (tmp_path / "no.csv.gz").write_bytes(b"this is not gzip")
    (tmp_path / "cut.csv.gz").write_bytes(gzip.compress(HEAD.encode() * 99)[:-9])
    for name in ("absent.csv", "no.csv.gz", "cut.csv.gz"):
        with pytest.raises(FileError, match="cannot be read"):
            read_table(tmp_path / name)


def test_many_mistakes_are_counted_but_not_all_listed(tmp_path):
    (tmp_path / "t.csv").write_text(HEAD + "cBench,x,x,1000,0.5,1\n" * 50)
    with pytest.raises(FileError, match="50 fields") as caught:
        read_table(tmp_path / "t.csv")
    assert len(caught.value.problems) == MAX_PROBLEMS
