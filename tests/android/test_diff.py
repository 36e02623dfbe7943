from __future__ import annotations

import json
from pathlib import Path

import pytest

from powerhal.android.parse import read
from powerhal.android.share.diff import Side, diff
from powerhal.cli import main
from powerhal.errors import NotEnoughData, UsageError

HEAD = "[ro.product.model]: [A]\n9,0,i,vers,36,212,B1,B1\n9,0,i,uid,10010,com.a\n9,0,i,uid,10011,com.b\n"
FIRST = (
    HEAD
    + """9,0,l,bt,0,3600000,8000,9500,8500,1700000000000,4000,3000,4000,3900000,4000000,10
9,0,l,gcf,300000,600000
9,0,l,pwi,scrn,56.9,1,0,0
9,10010,l,pwi,uid,14.7,0,1.47,0.734
9,10010,l,cpu,100,50,0
9,1010010,l,cpu,7,0,0
9,0,l,kwl,"w",100,1,-1,-1
9,10010,l,wl,tag,0,f,0,0,0,0,60,p,2,0,3,8,0,w,0,0,0,0
9,10010,l,nt,1,2,3,4,5,6,7,8,9000,10,11,12,13,14,15,16,17,18,19,20,21,22
"""
)
SECOND = (
    HEAD
    + """9,0,l,bt,0,7200000,8000,9500,8500,1700000000500,4000,3000,4000,3900000,4000000,10
9,0,l,gcf,300000,600000
9,0,l,pwi,scrn,60.1,1,0,0
9,10010,l,pwi,uid,14.6,0,1.47,0.734
9,10010,l,cpu,150,40,0
9,1010010,l,cpu,8,0,0
9,10011,l,cpu,5,5,0
9,0,l,kwl,"w",300,1,-1,-1
9,10010,l,wl,tag,0,f,0,0,0,0,90,p,2,0,3,8,0,w,0,0,0,0
9,10010,l,nt,1,2,3,1004,5,6,7,8,9000,10,11,12,13,14,15,16,17,18,19,20,21,22
"""
)


def side(tmp_path: Path, text: str, name: str) -> Side:
    path = tmp_path / name
    path.write_text(text)
    found = read(path)
    assert found.main is not None
    return Side(name, found.main.main, found.main.api, str(found.main.versions["start_build"]), found.properties)


def found(
    tmp_path: Path, first: str, second: str, **how: bool
) -> tuple[dict[tuple[str, int | None, str], float | None], list[str]]:
    out = diff(side(tmp_path, first, "a"), side(tmp_path, second, "b"), **how)
    return {(c.key.table, c.key.uid, c.key.item): c.change for c in out.changes}, out.notes


def test_between_two_dumps_of_one_discharge(tmp_path: Path) -> None:
    changes, notes = found(tmp_path, FIRST, SECOND)
    assert changes["devices", None, "screen"] == pytest.approx(3.2)
    assert changes["uids", 10010, ""] == pytest.approx(-0.1)  # an estimate may sink
    assert changes["cpu", 10010, "user"] == 50
    assert changes["cpu", 1010010, "user"] == 1  # another user's, never added
    assert changes["cpu", 10011, "user"] == 5  # not printed before: zero
    assert changes["cpu", 10010, "system"] is None  # it went back: no difference
    assert changes["kernel wakelocks", None, "w"] == 200
    assert changes["wakelocks", 10010, "tag partial_ms"] == 30
    assert changes["network", 10010, "wifi_tx_bytes"] == 1000
    assert ("network", 10010, "wifi_rx_bytes") not in changes  # nothing changed
    assert any("1 counters went back" in note for note in notes)


def test_what_the_print_leaves_open(tmp_path: Path) -> None:
    out = diff(side(tmp_path, FIRST, "a"), side(tmp_path, SECOND, "b"))
    screen = next(c for c in out.changes if c.key.item == "screen")
    assert screen.within == pytest.approx(0.1)  # two halves of the last digit


def test_two_periods_are_rates(tmp_path: Path) -> None:
    later = SECOND.replace("1700000000500", "1800000000000")
    out = diff(side(tmp_path, FIRST, "a"), side(tmp_path, later, "b"))
    assert out.mode == "rates"
    assert (out.hours_a, out.hours_b) == (1, 2)
    rates = {(c.key.table, c.key.uid, c.key.item): c.change for c in out.changes}
    assert rates["cpu", 10010, "user"] == pytest.approx(75 - 100)
    assert rates["devices", None, "screen"] == pytest.approx(60.1 / 2 - 56.9)
    assert found(tmp_path, FIRST, SECOND, rates=True)[0]["cpu", 10010, "user"] == pytest.approx(-25)


def test_sorted_by_change(tmp_path: Path) -> None:
    out = diff(side(tmp_path, FIRST, "a"), side(tmp_path, SECOND, "b"))
    tables = [c.key.table for c in out.changes]
    assert tables == sorted(tables, key=["devices", "uids", "wakelocks", "kernel wakelocks", "network", "cpu"].index)
    cpu = [abs(c.change or 0) for c in out.changes if c.key.table == "cpu"]
    assert cpu == sorted(cpu, reverse=True)


def test_packages_and_equal_names_stay_apart(tmp_path: Path) -> None:
    moved = SECOND.replace("uid,10010,com.a", "uid,10010,com.z")
    out = diff(side(tmp_path, FIRST, "a"), side(tmp_path, moved, "b"))
    rows = [c for c in out.changes if c.key.uid == 10010 and c.key.item == "user"]
    assert {(c.key.packages, c.a, c.b) for c in rows} >= {(("com.z",), None, 150.0)}
    assert any("1 uids have other packages" in note for note in out.notes)
    twice = FIRST + '9,0,l,kwl,"w",5,1,-1,-1\n'
    assert ("kernel wakelocks", None, "w #2") in found(tmp_path, twice, SECOND, rates=True)[0]


def test_refusals(tmp_path: Path) -> None:
    a = side(tmp_path, FIRST, "a")
    for other in (
        SECOND.replace("[A]", "[Z]"),
        SECOND.replace("300000,600000", "1,2"),
        SECOND.replace("vers,36,212", "vers,35,208"),
    ):  # fmt: skip
        with pytest.raises(UsageError, match="not of one phone") as error:
            diff(a, side(tmp_path, other, "b"))
        assert "--anyway" in error.value.hint
        assert diff(a, side(tmp_path, other, "b"), anyway=True).mode == "rates"
    with pytest.raises(UsageError, match="before"):
        diff(side(tmp_path, SECOND, "b"), a)
    with pytest.raises(NotEnoughData):
        diff(a, side(tmp_path, "9,0,i,vers,36,212,B1,B1\n", "empty"))
    no_time = "\n".join(line for line in SECOND.split("\n") if ",bt," not in line)
    with pytest.raises(NotEnoughData, match="no time on battery"):
        diff(a, side(tmp_path, no_time, "b"))
    updated = diff(a, side(tmp_path, SECOND.replace("B1,B1", "B2,B2"), "b"))
    assert any("updated" in note for note in updated.notes)


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    side(tmp_path, FIRST, "a")
    side(tmp_path, SECOND, "b")
    names = [str(tmp_path / "a"), str(tmp_path / "b")]
    assert main(["android", "diff", *names]) == 0
    text = capsys.readouterr().out
    assert "one discharge, 1.00 h and 2.00 h on battery" in text
    assert "reset ms  uid 10010 com.a system" in text
    assert main(["android", "diff", *names, "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    assert out["mode"] == "between"
    assert {c["user"] for c in out["changes"]} == {None, 0, 10}
    assert main(["android", "diff", *names[::-1]]) == 2
    capsys.readouterr()
    assert main(["android", "diff", names[0], names[0], "--rates"]) == 0
    assert capsys.readouterr().out.endswith("change of the rates per hour\nnothing differs\n")
