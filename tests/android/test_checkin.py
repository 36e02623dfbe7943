from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.android.checkin.blocks import BlockReader
from powerhal.android.checkin.lines import ABSENT, Reader, emit
from powerhal.android.checkin.values import Malformed, show
from powerhal.android.issues import Issues
from tests.android.strategies import checkin_lines


def read(line: str, api: int = 0):
    reader = Reader(Issues(), api)
    record = reader.read(1, line)
    assert record is not None
    return record, reader.issues


@given(checkin_lines())
@settings(max_examples=400, deadline=None)
def test_every_line_is_printed_again_byte_for_byte(made: tuple[int, str]) -> None:
    api, line = made
    record, _ = read(line, api)
    assert emit(record) == line


@given(checkin_lines(), st.data())
@settings(max_examples=400, deadline=None)
def test_a_changed_field_changes_its_own_column_only(made: tuple[int, str], data: st.DataObject) -> None:
    api, line = made
    record, _ = read(line, api)
    numbers = [k for k, f in enumerate(record.layout.fields) if f.kind in ("int", "mah", "double", "count")]
    if not numbers:
        return
    at = data.draw(st.sampled_from(numbers))
    other = record.layout.fields[at].name
    changed = record.replace({other: 424242})
    texts = [show(v, f.kind) for v, f in zip(record.values, record.layout.fields, strict=True)]
    want = list(texts)
    want[at] = "424242"
    if record.layout.quoted:
        want[0] = f'"{want[0]}"'
    assert emit(changed) == ",".join([*line.split(",")[:4], *want])
    assert [repr(a) == repr(b) for a, b in zip(record.values, changed.values, strict=True)].count(False) <= 1


@given(st.lists(checkin_lines(), max_size=30))
@settings(max_examples=150, deadline=None)
def test_blocks_read_what_the_reader_reads(made: list[tuple[int, str]]) -> None:
    lines = [line for _, line in made if ",vers," not in line]
    one, many = Reader(Issues(), 34), Reader(Issues(), 34)
    singly = [one.read(n, line) for n, line in enumerate(lines, 1)]
    together = BlockReader(many).read(1, lines).records()
    assert [repr(r) for r in together] == [repr(r) for r in singly]
    assert sorted(map(str, one.issues.kept)) == sorted(map(str, many.issues.kept))


@pytest.mark.parametrize("value", ["007", "+5", "-0", "1_0", " 5", "", "x", "٣", "1e5", "--1"])
@pytest.mark.parametrize("column", [0, 3])
def test_blocks_and_reader_agree_on_odd_numbers(value: str, column: int) -> None:
    texts = ["1", "2", "3", "4", "5"]
    texts[column] = value
    lines = ["9,0,l,br,1,0,3,4,5", "9,0,l,br," + ",".join(texts)]
    single = [Reader(Issues(), 34).read(n, line) for n, line in enumerate(lines, 1)]
    assert BlockReader(Reader(Issues(), 34)).read(1, lines).records() == single
    assert isinstance(single[1].values[column], Malformed)
    assert emit(single[1]) == lines[1]


def test_absent_zero_and_malformed_are_three_things() -> None:
    record, issues = read("9,0,l,bt,0,1,x,3,4,5,6,7", 21)
    assert record.get("start_count") == 0
    assert record.get("battery_uptime") == Malformed("x", "not a whole number")
    assert record.get("screen_doze") is ABSENT
    assert record.number("battery_uptime") is None
    assert record.number("screen_doze") is None
    assert [(i.line, i.code, i.field) for i in issues.kept] == [(1, "bt", "battery_uptime")]


def test_not_available_is_not_zero() -> None:
    assert read("9,0,l,bt,N/A,1,2,3,4,5,6,7")[0].get("start_count") is None


@pytest.mark.parametrize(
    ("line", "name", "tail"),
    [
        ('9,0,l,kwl,"a,b",1,2,3,4', "a,b", (1, 2, 3, 4)),
        ('9,0,l,kwl,"a"b",1,2,3,4', 'a"b', (1, 2, 3, 4)),
        ('9,0,l,kwl,"",1,2,-1,-1', "", (1, 2, -1, -1)),
        ('9,0,l,kwl,"a,b,c",1,2', "a,b,c", (1, 2)),
        ("9,0,l,kwl,a,b,7,8", "a,b", (7, 8)),
        ("9,0,l,kwl,,7,8", "", (7, 8)),
        ('9,0,l,wr,"Abort:x,y",7,8', "Abort:x,y", (7, 8)),
        ("9,10001,l,sy,x/y,5/z,7,8", "x/y,5/z", (7, 8)),
    ],
)
def test_names_with_commas_and_quotes(line: str, name: str, tail: tuple[int, ...]) -> None:
    record, issues = read(line, 24)
    assert record.values == (name, *tail)
    assert emit(record) == line
    assert not issues.total
    assert BlockReader(Reader(Issues(), 24)).read(1, [line]).records() == [record]


def test_wake_lock_groups_in_any_number() -> None:
    record, _ = read("9,10001,l,wl,n,5,p,2,0,9,8,3,w,1", 30)
    assert record.get("partial.time") == 5
    assert record.get("partial.total") == 8
    assert record.get("window.count") == 1
    assert emit(record) == "9,10001,l,wl,n,5,p,2,0,9,8,3,w,1"


def test_same_code_other_order() -> None:
    """Process states of API 24 and 28 have other columns in other places."""
    assert read("9,10001,l,st,1,2,3,4,5,6")[0].get("top_sleeping") == 3
    assert read("9,10001,l,st,1,2,3,4,5,6,7")[0].get("top_sleeping") == 5


def test_the_version_breaks_ties_of_width() -> None:
    old, new = read("9,0,l,gble,1,2,3,4", 23)[0], read("9,0,l,gble,1,2,3,4", 26)[0]
    assert (old.get("power"), new.get("power")) == (4, 3)
    assert old.layout.fields[2].name == "tx"


def test_vendor_codes_and_columns_are_kept() -> None:
    record, _ = read("9,0,l,samsung,1,x,3")
    assert not record.layout.known
    assert record.values == (1, "x", 3)
    assert emit(record) == "9,0,l,samsung,1,x,3"
    more, _ = read("9,0,l,br,1,2,3,4,5,6,seven")
    assert more.values[-2:] == (6, "seven")
    assert emit(more) == "9,0,l,br,1,2,3,4,5,6,seven"


def test_vendor_parcel_bits() -> None:
    reader = Reader(Issues())
    reader.read(1, "9,0,i,vers,36,1048791,A,B")
    assert reader.api == 36
    reader.read(1, "9,0,i,vers,35,1310906,A,B")
    assert reader.api == 30


def test_digits_are_kept_where_the_number_alone_would_lose_them() -> None:
    record, _ = read("9,10001,l,pwi,uid,0.00000000,1,100.0,12.3", 34)
    assert record.get("power") == Decimal("0E-8")
    assert record.get("screen") == Decimal("100.0")
    assert record.get("proportional") == 12.3
    assert emit(record).endswith("uid,0.00000000,1,100.0,12.3")


def test_big_counters_stay_whole() -> None:
    assert read("9,0,l,gn," + ",".join([str(2**63 - 1)] * 10))[0].get("mobile_rx") == 2**63 - 1


def test_lines_that_are_none() -> None:
    for line in ("9,", "9,x,l,m,1", "9,1,z,m,1", "garbage", ""):
        reader = Reader(Issues())
        assert reader.read(3, line) is None
        assert reader.issues.kept[0].line == 3


def test_wake_lock_with_groups_of_another_version() -> None:
    """Without the group of background locks, but with total durations: as previews of Android 8 printed it."""
    line = "9,10010,l,wl,tag,1,f,0,0,0,5,60,p,2,0,3,8,7,w,0,0,0,9"
    record = Reader(Issues(), api=36).read(1, line)
    assert record is not None
    assert (record.get("name"), record.get("partial.time"), record.get("window.total")) == ("tag", 60, 9)
    assert emit(record) == line
