"""Reading through the compiled kernels gives what reading line by line gives: records, history, issues, sums."""

from __future__ import annotations

import random
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal import kernels
from powerhal.android import containers, parse
from powerhal.android.checkin.blocks import BlockReader
from powerhal.android.checkin.columns import ColumnReader
from powerhal.android.checkin.lines import Reader, emit
from powerhal.android.dump import Dump
from powerhal.android.history.states import History
from powerhal.android.issues import Issues
from powerhal.android.parse import read
from powerhal.kernels import choice
from tests.android.strategies import checkin_lines

TOKENS = [
    "+S", "-S", "+r", "-r", "+w=7", "-w", "Bl=99", "+Etp=7", "-Etp=7", "Pss=3", "+di", "-di", "Bv=4012", "Bl=x", "xx=1",
    "", "+Bl=5", "Bl=99999999999999999999", "Wsp=compl",
]  # fmt: skip
SPECIAL = ["9,h,0,Dcpu=1:2", "9,h,5:SHUTDOWN", "9,h,1:START", "9,h,1:*OVERFLOW*", "9,h,-5,+S", '9,hsp,7,10011,"y"']


@pytest.fixture(scope="module")
def compiled():
    try:
        return kernels.load("numba")
    except ImportError as fault:
        pytest.skip(f"no compiled kernels here: {fault}")


def story(seed: int, count: int) -> list[str]:
    rng = random.Random(seed)
    lines = ['9,hsp,7,10010,"x"', "9,h,0:RESET:TIME:1700000000000"]
    for _ in range(count):
        lines.append(",".join([f"9,h,{rng.randrange(60_000)}", *rng.choices(TOKENS, k=rng.randrange(5))]))
        if rng.random() < 0.05:
            lines.append(rng.choice(SPECIAL))
    return lines


@given(st.lists(checkin_lines(), min_size=1, max_size=30))
@settings(max_examples=100, deadline=None)
def test_records(compiled, made) -> None:
    lines = [line for _, line in made if ",vers," not in line] or ["9,0,l,br,1,2,3,4,5"]
    one, many = Reader(Issues(), 34), Reader(Issues(), 34)
    singly = [one.read(n, line) for n, line in enumerate(lines, 1)]
    text = "".join(f"{line}\n" for line in lines).encode()
    block = ColumnReader(compiled, BlockReader(many)).read(1, text)
    assert block is not None
    assert [repr(r) for r in block.records()] == [repr(r) for r in singly]
    assert [emit(record) for record in block.records()] == lines
    assert sorted(map(str, one.issues.kept)) == sorted(map(str, many.issues.kept))


@pytest.mark.parametrize("seed", range(5))
def test_history_and_its_sums(compiled, seed) -> None:
    lines = story(seed, 300)
    found = []
    for reader in (None, compiled):
        issues = Issues()
        blocks = BlockReader(Reader(issues, 34))
        dump = Dump("checkin", 1, History(issues))
        if reader is None:
            dump.add(blocks.read(1, lines))
        else:
            block = ColumnReader(reader, blocks).read(1, "".join(f"{line}\n" for line in lines).encode())
            assert block is not None
            assert len(block.moments) > 200
            dump.add(block)
        dump.close()
        h = dump.history
        found.append(
            (list(h.items), h.marks, h.levels, h.volts, dict(h.states_ms), dict(h.unknown), h.lines, h.now_ms, h.pool)
        )
        assert type(h.now_ms) is int
    assert found[0] == found[1]


def test_a_whole_file_is_read_alike_in_both_ways(compiled, tmp_path: Path, monkeypatch) -> None:
    rng = random.Random(1)
    records = [
        f"9,{rng.randrange(10_000, 10_100)},l,st,{','.join(str(rng.randrange(9_999)) for _ in range(7))}"
        for _ in range(900)
    ]
    head = ["junk", "9,0,i,vers,36,214,A,A", *story(3, 400), *records, '9,0,l,kwl,"a,b",1,2,3,4', "9,0,l,zz,1"]
    path = tmp_path / "dump.txt"
    path.write_bytes("\r\n".join([*head, *head[1:], "9,0,l,br,1"]).encode())
    plain = read(path)
    monkeypatch.setattr(choice.CHOICE, "worth", lambda work_s: compiled)
    quick = read(path)
    for one, two in zip(plain.dumps, quick.dumps, strict=True):
        assert repr(list(one.records)) == repr(list(two.records))
        assert repr(one.statistics) == repr(two.statistics)
        assert repr(list(one.history.items)) == repr(list(two.history.items))
        assert (one.lines, one.lines_read, one.complete, one.api) == (two.lines, two.lines_read, two.complete, two.api)
        assert one.vendor_codes == two.vendor_codes
    assert plain.issues.kept == quick.issues.kept
    assert (plain.lines, plain.line_ends) == (quick.lines, quick.line_ends)
    assert len(plain.dumps) == 2


def test_a_dump_without_a_version_has_none_of_the_one_before(compiled, tmp_path: Path, monkeypatch) -> None:
    """A second section of a bugreport: without a version line it is read in the newest form."""
    path = tmp_path / "bugreport.txt"
    section = "------ CHECKIN BATTERYSTATS ------\n{}------ 0.4s was the duration of 'CHECKIN BATTERYSTATS' ------\n"
    line = "9,10285,l,mcd,107050,816301,0,13144,8575,61443,22134,41419\n"
    path.write_text(section.format("9,0,i,vers,32,177,A,A\n" + line) + section.format(line))
    plain = read(path)
    monkeypatch.setattr(choice.CHOICE, "worth", lambda work_s: compiled)
    monkeypatch.setattr(parse, "Lines", partial(containers.Lines, chunk=1))  # a piece of the file begins with the line
    monkeypatch.setattr(parse, "LISTED", 1)
    quick = read(path)
    assert len(plain.dumps) == 2
    assert [repr(list(dump.records)) for dump in quick.dumps] == [repr(list(dump.records)) for dump in plain.dumps]
    rails = [any("rail" in field.name for field in list(dump.records)[-1].layout.fields) for dump in quick.dumps]
    assert rails == [False, True]  # API 29 on, and the newest form where no version is known


def test_small_files_do_not_load_the_kernels(tmp_path: Path, monkeypatch) -> None:
    asked = []
    monkeypatch.setattr(choice.CHOICE, "worth", asked.append)
    path = tmp_path / "dump.txt"
    path.write_text("9,0,i,vers,36,214,A,A\n9,0,l,br,1,2,3,4,5\n")
    assert read(path).dumps[0].lines_read == 2
    assert asked
    assert max(asked) < choice.LOADING_S
