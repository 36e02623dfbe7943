"""Records whose name has a line end in it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powerhal import kernels
from powerhal.android import containers, parse
from powerhal.android.checkin.emit import emitted
from powerhal.android.checkin.joins import MOST, Joins, unfinished
from powerhal.android.issues import Issues
from powerhal.android.parse import read
from powerhal.android.share.source import read_bugreport
from powerhal.kernels import choice
from tests.android.test_parse import DUMP, put

WAKE = "5,f,1,0,2,7,6,p,2,0,3,8,4,bp,3,0,4,9,1,w,4,0,5,10"
TORN = [
    ('9,0,l,kwl,"a', 'b",5,1,0,2'),
    ('9,0,l,kwl,"say "hi"', ', you",5,1,0,2'),
    ('9,0,l,wr,"a', "", 'b",5,1'),
    ('9,10010,l,jb,"a/.b,5', ',1",7,1,-1,-1'),
    ('9,10010,l,sy,"', '",7,1,-1,-1'),
    ('9,10010,l,jbc,"x', 'y",0,0,0,0,0,0,0,0,0,0,0,0,0,0'),
    ("9,10010,l,wl,x", f"y,{WAKE}"),
    ("9,10010,l,wl,x, 5", f"y,{WAKE}"),
    ("9,0,l,kwl,old", "name,5,1"),
    ("9,10010,l,pr,com.a", "b,1,2,3,4"),
]
WHOLE = [
    '9,0,l,kwl,"a",5,1,0,2', '9,0,l,kwl,"",5,1,0,2', "9,0,l,kwl,a,5,1", f"9,10010,l,wl,a,{WAKE}", "9,1,l,wl,a,5,f,1",
    "9,1,l,sy,a,b/c,-5,1", '9,1,l,jb,"a,"b"",5,1,-1,-1', "9,1,l,wua,*walarm*:x,5", "9,0,l,br,1,2", "9,h,0,+S", "x",
    "9,0,i,vers,36,212,A,A", '9,0,l,wr,"a",5,1', "9,0,i,pr,a",
]  # fmt: skip


def names(text: str, tmp_path: Path) -> tuple[list[str], list[str]]:
    found = read(put(tmp_path, text))
    assert found.main is not None
    return [str(r.get("name")) for r in found.main.records if r.get("name") is not None], list(
        map(str, found.issues.kept)
    )


@pytest.mark.parametrize("pieces", TORN, ids=lambda pieces: pieces[0])
def test_a_torn_record_is_put_together(tmp_path: Path, pieces: tuple[str, ...]) -> None:
    text = DUMP + "\n".join(pieces) + "\n9,0,l,br,1,2,3,4,5\n"
    found = read(put(tmp_path, text))
    assert found.main is not None
    assert not found.issues.total, list(map(str, found.issues.kept))
    record = found.main.records[-2]
    assert record.line == DUMP.count("\n") + 1
    assert "\n" in record.get("name")
    assert (found.main.lines, found.main.lines_read) == (DUMP.count("\n") + 2,) * 2
    assert "".join(emitted(put(tmp_path, text))) == text


@pytest.mark.parametrize("line", WHOLE)
def test_whole_records_are_not_held(line: str) -> None:
    assert not unfinished(line)


def test_line_ends_come_out_as_they_were(tmp_path: Path) -> None:
    text = (DUMP + "\n".join(TORN[0]) + "\n").replace("\n", "\r\n")
    assert "".join(emitted(put(tmp_path, text))) == text
    torn = DUMP + TORN[0][0] + "\n"
    assert "".join(emitted(put(tmp_path, torn[:-1]))) == torn[:-1]


@pytest.mark.parametrize(
    "after",
    ["9,0,l,br,1,2,3,4,5\n", "b\n" * (MOST + 4) + '",5,1,0,2\n', "b\nc\n9,0,l,br,1,2,3,4,5\n", "x" * 40_000 + "\ny\n"],
)
def test_what_does_not_fit_is_an_issue(tmp_path: Path, after: str) -> None:
    found = read(put(tmp_path, DUMP + '9,0,l,kwl,"a\n' + after))
    said = [issue for issue in found.issues.kept if issue.code == "kwl"]
    assert len(said) == (not after.startswith("9,"))
    assert all("not put together" in issue.why and issue.line == DUMP.count("\n") + 1 for issue in said)
    assert found.issues.counts["junk"] == len(said)


def test_torn_between_two_pieces_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the reading of the file stops for a moment."""
    text = DUMP + "".join("\n".join(pieces) + "\n" for pieces in TORN)
    want = names(text, tmp_path)
    assert sum("\n" in name for name in want[0]) == len(TORN)
    for size in (*range(1, 60), 600, len(DUMP) + len(TORN[0][0]) + 1):
        monkeypatch.setattr(parse, "Lines", partial(containers.Lines, chunk=size))
        assert names(text, tmp_path) == want, size


def test_a_line_that_begins_like_one_of_check_in_is_no_rest_of_a_name(tmp_path: Path, monkeypatch) -> None:
    """Wherever a piece of the file ends, and whether a line that is none of check-in stands in the same piece."""
    text = DUMP + 'junk\n9,0,l,kwl,"a\nb\n9,b",5,1,0,2\n9,0,l,kwl,"a\n9,b",5,1,0,2\n9,0,l,br,1,2,3,4,5\n'
    want = names(text, tmp_path)
    assert not any("\n" in name for name in want[0])
    for size in (*range(1, 60), len(DUMP) + 6):
        monkeypatch.setattr(parse, "Lines", partial(containers.Lines, chunk=size))
        assert names(text, tmp_path) == want, size


def test_only_the_last_line_is_cut_by_the_end_of_the_file(tmp_path: Path) -> None:
    lines = DUMP.count("\n")
    found = read(put(tmp_path, DUMP + '9,0,l,kwl,"a\n9,0,l,wr,"b",5'))
    assert [issue.line for issue in found.issues.kept if "last line" in issue.why] == [lines + 2]
    joined = read(put(tmp_path, DUMP + '9,0,l,wr,"a\nb",5'))
    assert [issue.line for issue in joined.issues.kept if "last line" in issue.why] == [lines + 1]


def test_the_ways_to_read_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = DUMP + "".join("\n".join(pieces) + "\n" for pieces in TORN) + '9,0,l,kwl,"a\nb\n9,0,l,br,1,2,3,4,5\n'
    want = names(text, tmp_path)
    try:
        compiled = kernels.load("numba")
    except ImportError as fault:
        pytest.skip(f"no compiled kernels here: {fault}")
    monkeypatch.setattr(choice.CHOICE, "worth", lambda work_s: compiled)
    assert names(text, tmp_path) == want


def test_what_is_shared_has_no_line_ends_in_names(tmp_path: Path) -> None:
    dump = read_bugreport(put(tmp_path, DUMP + "\n".join(TORN[0]) + "\n"), Issues()).dump()
    assert [r.get("name") for r in dump if getattr(r, "code", "") == "kwl"] == ["a_b"]


@given(st.lists(st.sampled_from([*WHOLE, *(piece for pieces in TORN for piece in pieces)])), st.sampled_from("\n\r"))
def test_nothing_is_lost_or_moved(lines: list[str], end: str) -> None:
    joins = Joins(Issues())
    out = [piece for n, line in enumerate(lines) for piece in joins.feed(n, line, end)] + list(joins.end())
    assert "".join(text + stop for _, text, stop in out) == "".join(line + end for line in lines)
    assert [n for n, _, _ in out] == sorted({n for n, _, _ in out})
