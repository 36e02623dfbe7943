from __future__ import annotations

import io
import json
import zipfile
from operator import itemgetter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from powerhal.android.history.tokens import WORDS
from powerhal.android.issues import Issues
from powerhal.android.parse import read
from powerhal.android.share.downgrade import downgrade
from powerhal.android.share.lines import printed
from powerhal.android.share.source import read_bugreport
from powerhal.android.summary import document
from powerhal.cli import main
from tests.android.historian import complaints, section
from tests.android.strategies import checkin_lines

DUMP = """9,0,i,vers,36,212,UP1A.1,UP1A.1
9,hsp,0,10010,"com.a"
9,hsp,1,10011,"com.b"
9,hsp,2,0,"200:qcom,smd"
9,hsp,3,0,"CONNECTING"
9,hsp,4,1000,"say \\"hi\\""
9,h,0:RESET:TIME:1700000000000
9,h,0,Bl=100,Bs=d,Bv=4300,+r,+S,+w=0,Gss=good,Sd,+Sd
9,h,1000,+w=1,+Etp=0,+Etp=1,wr=2,Ecn=3,+Ewl=9
9,h,1000,-S,+S,+S,w,Dpst=1,2,3,4,5,6,Empty,Empty,current=12
9,h,1000,-w,-r,-r,Ewl=4
9,h,0,Dcpu=1:2/10010:3:4
9,h,0,XB,0,0,x
9,0,i,uid,10010,com.a
9,0,l,bt,N/A,9000,8000,9500,8500,1700000000000,4000,3000,4000,3900000,4000000,10
9,0,l,m,5000,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19
9,0,l,dct,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23
9,0,l,gmcd,10,20,72.2,0.0,1,2,3,4,5
9,0,l,pws,4000,147,400,440
9,0,l,pwi,scrn,56.9,1,0,0
9,0,l,pwi,cpu,6.9,1,0,0
9,0,l,pwi,uid,20.9,1,2.09,1.05
9,10010,l,pwi,uid,14.7,0,1.47,0.734
9,1010010,l,pwi,uid,1.50,0,0,0
9,10010,l,st,1,2,3,4,5,6,7
9,10010,l,ctf,A,2,3,4,5,6
9,10010,l,wl,a_b,5,f,1,0,2,7,6,p,2,0,3,8,4,bp,3,0,4,9,1,w,4,0,5,10
9,99012,l,pr,"x,y",1,2,3,4,5,6
9,10010,l,apk,1,com.a,com.a.S,1,2,3
9,1000,l,apk,2,com.a,com.a.S,1,2,3
9,0,l,kwl,"a ""quoted"" name",1,2,3,4
9,0,l,zz,1
9,0,u,m,1
"""


def put(tmp_path: Path, text: str, name: str = "in.txt") -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


def made(tmp_path: Path, text: str) -> tuple[str, dict[str, int]]:
    out = downgrade(read_bugreport(put(tmp_path, text), Issues()))
    losses = {**out.losses.records, **out.losses.columns, **out.losses.changes}
    return out.text, losses


def test_by_meaning(tmp_path: Path) -> None:
    text, losses = made(tmp_path, DUMP)
    assert complaints(text) == []
    lines = section(text)
    assert "9,0,i,vers,21,212,UP1A.1,UP1A.1" in lines
    assert "9,10010,l,st,1,2,5,3,10,7" in lines  # heavy weight is background; the order is the old one
    assert "9,0,l,dct,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,140" in lines
    assert "9,0,l,gmcd,10,20,72,1,2,3,4,5" in lines
    assert "9,10010,l,wl,a_b,5,f,1,0,2,7,6,p,2,0,3,8,1,w,4,0,5,10" in lines
    assert '9,99012,l,pr,"x,y",1,2,3,4,5,6' in lines
    assert "9,1010010,l,pwi,uid,1.50" in lines  # users stay apart
    assert "9,0,i,uid,99012,uid99012" in lines
    assert "9,1000,l,apk,2,com.a@1000,com.a.S,1,2,3" in lines
    for kind in ("ctf", "zz", "window u", "pwi cpu", "wl.background_partial", "bt.screen_doze", "h.Gss", "h.XB"):
        assert losses[kind] >= 1, kind
    assert losses["st.heavy_weight counted under background"] == 1
    assert losses["gmcd.power rounded to whole mAh"] == 1


def test_history_keeps_what_is_new(tmp_path: Path) -> None:
    lines = [line for line in section(made(tmp_path, DUMP)[0]) if line.startswith("9,h,")]
    assert lines == [
        "9,h,0:TIME:1700000000000",
        "9,h,0:RESET:TIME:1700000000000",
        "9,h,0,Bl=100,Bs=d,Bv=4300,+r,+S,+w=0",
        "9,h,1000,-w,+w=1,+Etp=0,+Etp=1,wr=2",
        "9,h,1000,-Etp=0,-S,+Etp=0,-Etp=0,+S,+Etp=0,Dpst=1,2,3,4,5,6",
        "9,h,1000,-w,-r,Ewl=4",
        "9,h,0,Dcpu=1:2/10010:3:4",
    ]


def test_same_numbers_when_read_again(tmp_path: Path) -> None:
    text, _ = made(tmp_path, DUMP)
    before = document(read(put(tmp_path, DUMP)))
    after = document(read(put(tmp_path, text, "out.txt")))
    assert {u["uid"]: u["mah"] for u in after["uids"] if u["mah"]} == {
        u["uid"]: u["mah"] for u in before["uids"] if u["mah"]
    }
    assert after["battery"]["capacity_mah"] == 4000
    assert after["durations_ms"]["screen_on"] == before["durations_ms"]["screen_on"]
    assert after["history"]["screen_on_ms"] == before["history"]["screen_on_ms"]
    assert after["source"]["issue_count"] == 0


def test_late_clock(tmp_path: Path) -> None:
    text, _ = made(tmp_path, "9,0,i,vers,36,212,A,A\n9,h,0:RESET:TIME:100\n9,h,9000,+S\n9,h,0:TIME:5000\n")
    times = [int(line.rsplit(":", 1)[1]) for line in section(text) if ":TIME:" in line]
    assert min(times) >= 0
    assert times[-1] - times[0] == 9000


@pytest.mark.parametrize(
    ("version", "line"),
    [
        ("11,114", "9,10010,l,st,1,2,3"), ("14,130", "9,0,l,gble,1,2,3,4"),
        ("12,116", "9,0,l,m,5000,0,1,2,3,4,5,6,7,8,9,0,11,12,13,14,15"),
        ("18,147", "9,10010,l,wl,x,1,f,2,3,p,4,5,w,6"), ("19,150", "9,10010,l,wl,x,1,f,2,3,4,5,p,6,7,8,9,w,1,2,3"),
    ],
)  # fmt: skip
def test_an_old_dump_keeps_its_version(tmp_path: Path, version: str, line: str) -> None:
    bt = "9,0,l,bt,0,9000,8000,9500,8500,1700000000000,4000,3000"
    text, _ = made(tmp_path, f"9,0,i,vers,{version},A,A\n{bt}\n{line}\n")
    assert line in section(text)
    assert f"9,0,i,vers,{version},A,A" in section(text)


def token(key: str) -> st.SearchStrategy[str]:
    word = WORDS[key]
    sign = st.sampled_from(["+", "-", ""])
    number = st.integers(0, 7).map(lambda n: f"={n}")
    value = st.sampled_from([""] + [f"={short}" for short, _ in word.values] + ["=zz"])
    tail = {"event": number, "number": number, "enum": value}.get(word.kind, st.just(""))
    if key == "w":
        tail = st.one_of(number, st.just(""))
    return st.builds(lambda s, t: f"{s}{key}{t}", sign, tail)


TOKENS = st.sampled_from([k for k, w in WORDS.items() if w.kind != "detail"]).flatmap(token)
HEADS = st.one_of(
    st.integers(0, 10**7).map(str), st.sampled_from(["0:START", "5:SHUTDOWN", "0:TIME:1700000000000"]),
    st.integers(1_200_000_000_000, 1_800_000_000_000).map(lambda t: f"0:RESET:TIME:{t}"),
    st.builds(lambda reset, t: f"3:{reset}TIME:{t}", st.sampled_from(["", "RESET:"]), st.integers(0, 10**8)),
)  # fmt: skip
HISTORY = st.lists(
    st.builds(lambda h, t: ",".join([f"9,h,{h}", *([] if ":" in h else t)]), HEADS, st.lists(TOKENS, max_size=4)),
    max_size=25,
)
POOL = "\n".join(f'9,hsp,{k},{10000 + k},"{t}"' for k, t in enumerate(["a", "b", "a", "CONNECTED", 'x\\"', "e,f"]))
FIRST = f"9,0,i,vers,36,212,A,A\n{POOL}\n9,h,0:RESET:TIME:"


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(st.sampled_from([0, 500, 1_700_000_000_000]), HISTORY, st.lists(checkin_lines().map(itemgetter(1)), max_size=4))
def test_nothing_to_complain_of(tmp_path: Path, first: int, history: list[str], records: list[str]) -> None:
    text, _ = made(tmp_path, FIRST + "\n".join([str(first), *history, *records]) + "\n")
    assert complaints(text) == []


def test_reference_dumps(tmp_path: Path, shared: Path) -> None:
    folder = shared / "data" / "android" / "checkin"
    files = [p for p in folder.iterdir() if p.suffix in (".txt", ".zip", ".gz")]
    assert len(files) > 10
    for path in files:
        out = downgrade(read_bugreport(path, Issues()))
        if out.version == 21:  # the older ones are checked by hand above
            assert complaints(out.text) == [], path.name


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(tmp_path, DUMP)
    out = tmp_path / "out.zip"
    assert main(["android", "downgrade", str(path), str(out)]) == 0
    said = capsys.readouterr().err
    assert "check-in version 36 written as version 21" in said
    assert "records dropped" in said
    assert "pseudonyms" in said
    with zipfile.ZipFile(io.BytesIO(out.read_bytes())) as archive:
        text = archive.read(archive.read("main_entry.txt").decode()).decode()
    assert "com.a" not in text
    assert complaints(text) == []
    plain = tmp_path / "out.txt"
    assert main(["android", "downgrade", "--no-redact", str(path), str(plain)]) == 0
    assert "com.a" in plain.read_text()
    assert plain.stat().st_mode & 0o077 == 0
    assert main(["android", "downgrade", str(path), str(tmp_path / "x.doc")]) == 2
    assert main(["android", "downgrade", str(put(tmp_path, "nothing\n", "e.txt")), str(plain)]) == 5
    assert main(["android", "downgrade", "--dump", "7", str(path), str(plain)]) == 2


def test_header_of_a_bugreport(tmp_path: Path) -> None:
    head = (
        "== dumpstate: 2024-03-05 10:20:30\nBuild fingerprint: 'google/husky/husky:14/UQ1A/1:user/release-keys'\n"
        "------ SYSTEM PROPERTIES (getprop) ------\n[persist.sys.timezone]: [Europe/Paris]\n"
        "[ro.build.version.sdk]: [34]\n[ro.serialno]: [SECRET]\n------ CHECKIN BATTERYSTATS (x) ------\n"
    )
    end = "------ 0.1s was the duration of 'CHECKIN BATTERYSTATS' ------\n"
    report = read_bugreport(put(tmp_path, head + DUMP + end + head + "9,0,i,vers,36,212,A,A\n"), Issues())
    assert len(report.dumps) == 2
    plain = downgrade(report)
    assert "== dumpstate: 2024-03-05 10:20:30" in plain.text
    assert "Europe/Paris" in plain.text
    assert "SECRET" not in plain.text
    assert any("2 dumps" in note for note in plain.notes)
    shared = downgrade(report, redact=lambda lines: lines)
    assert "== dumpstate: 2024-03-05 09:20:30" in shared.text
    assert "Paris" not in shared.text
    assert json.dumps(complaints(shared.text)) == "[]"


@pytest.mark.parametrize("epoch", [0, 1, 100, 86_400_000, 1_124_280_000_000, 1_700_000_000_000])
def test_a_reset_clears_whatever_the_clock_says(epoch: int, tmp_path: Path) -> None:
    """A clock that was never set counts from 1970; a RESET at 0 ms is no start for the old reader."""
    body = "9,h,5,+fl\n9,h,5,-fl\n9,h,5,+S,Esw=0\n"
    head = '9,0,i,vers,36,212,A,A\n9,hsp,0,0,"x"\n'
    text, _ = made(tmp_path, head + f"9,h,0:RESET:TIME:{epoch}\n{body}" * 3 + "9,h,0,-fl\n")
    assert complaints(text) == []
    assert text.count("+fl") == 3 and text.count("Esw=0") == 3
    assert all(int(line.rsplit(":", 1)[1]) > 0 for line in section(text) if ":TIME:" in line)


def test_a_long_dump_is_not_kept_as_objects(tmp_path: Path) -> None:
    import tracemalloc

    lines = "".join(f"9,h,{k % 97},+w={k % 5},Bl={k % 100},{'+' if k % 2 else '-'}S\n" for k in range(60_000))
    records = "".join(f"9,{10000 + k},l,cpu,{k},{k * 7},0\n" for k in range(20_000))
    path = put(tmp_path, DUMP.replace("9,0,i,uid", lines + "9,0,i,uid", 1) + records)
    tracemalloc.start()
    out = downgrade(read_bugreport(path, Issues()))
    assert len(out.text) > 10**6
    del out
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 6 * path.stat().st_size  # the report as one text included; the objects of all lines are 30 times


def test_nothing_is_lost_between_stretches(tmp_path: Path) -> None:
    """Lines are kept in stretches of one sort: order and number stay, however history and records alternate."""
    rows = ["9,0,i,vers,36,212,A,A"]
    for k in range(9000):
        rows.append(f"9,h,1,Bl={k % 100}" if k % 7 and k // 400 % 2 else f"9,{k},l,cpu,1,2,0")
    report = read_bugreport(put(tmp_path, "\n".join([*rows, ""])), Issues())
    assert list(printed(report.dump())) == rows
    assert report.dump().records == sum(",l," in row for row in rows) + 1
