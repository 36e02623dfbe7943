from __future__ import annotations

import gzip
import io
import json
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.android import containers
from powerhal.android.checkin.emit import emitted
from powerhal.android.containers import Input, Lines
from powerhal.android.issues import Issues
from powerhal.android.parse import DumpFile, read
from powerhal.android.summary import document, portrait
from powerhal.cli import main
from powerhal.errors import FileError

DUMP = """9,0,i,vers,36,212,A,A
9,hsp,0,10010,"tag"
9,h,0:RESET:TIME:1700000000000
9,h,0,Bl=100,Bv=4300,Bcc=4000,+S
9,h,1000,-S,Bl=99
9,0,i,uid,10010,com.a
9,0,i,uid,10010,com.b
9,0,l,bt,0,9000,8000,9500,8500,1700000000000,4000,3000,4000,3900000,4000000,10
9,0,l,m,5000,0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19
9,0,l,pws,4000,147,400,440
9,0,l,pwi,scrn,56.9,1,0,0
9,0,l,pwi,uid,20.9,1,2.09,1.05
9,10010,l,pwi,uid,14.7,0,1.47,0.734
9,1010010,l,pwi,uid,1.50,0,0,0
9,10010,l,cpu,100,50,0
9,10010,l,wl,*alarm*,5,f,1,0,2,7,6,p,2,0,3,8,4,bp,3,0,4,9,1,w,4,0,5,10
9,1010010,l,nt,1,2,3,4,5,6,7,8,9000,10,11,12,13,14,15,16,17,18,19,20,21,22
"""


def put(tmp_path: Path, data: str | bytes, name: str = "dump.txt") -> Path:
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def check(found: DumpFile) -> None:
    out = document(found)
    assert out["source"]["api"] == 34
    assert out["source"]["complete"], out["source"]["incomplete_because"]
    assert {u["uid"]: u["mah"] for u in out["uids"]} == {0: 20.9, 10010: 14.7, 1010010: 1.5}
    assert out["history"]["screen_on_ms"] == 1000


def test_the_document(tmp_path: Path) -> None:
    found = read(put(tmp_path, DUMP))
    check(found)
    out = json.loads(json.dumps(document(found)))
    assert out["battery"]["capacity_mah"] == 4000
    assert out["battery"]["computed_mah"] == 147
    assert out["battery"]["drained_mah"] == {"min": 400, "max": 440}
    assert out["battery"]["levels"] == [[0, 100], [1000, 99]]
    assert out["durations_ms"]["battery_realtime"] == 9000
    assert out["durations_ms"]["screen_on"] == 5000
    screen = {"name": "screen", "label": "scrn", "mah": 56.9}
    assert out["devices"] == [screen | {"hidden": 1, "screen_mah": 0.0, "proportional_mah": 0.0}]
    rows = {u["uid"]: u for u in out["uids"]}
    assert rows[10010]["packages"] == ["com.a", "com.b"]
    assert rows[10010]["cpu_ms"] == {"user": 100, "system": 50}
    assert rows[10010]["wakelocks"][0]["partial_ms"] == 6
    assert (rows[1010010]["user"], rows[1010010]["app_id"]) == (10, 10010)
    assert rows[1010010]["network"]["radio_active_ms"] == 9
    assert any("API 34" in line for line in portrait(found))


@pytest.mark.parametrize(
    "pack",
    [
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r\r\n").encode(),
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
        lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
        lambda text: text.encode("utf-16-le"),
        lambda text: gzip.compress(text.encode()),
        lambda text: b"* daemon started\n$ adb shell\n" + text.encode(),
    ],
    ids=["crlf", "crcrlf", "bom", "utf16le", "utf16be", "utf16-bare", "gzip", "shell"],
)
def test_containers_and_encodings(tmp_path: Path, pack) -> None:
    found = read(put(tmp_path, pack(DUMP)))
    check(found)
    assert not found.issues.total


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def test_bugreport_zip(tmp_path: Path) -> None:
    report = b"== dumpstate: 2024\n------ CHECKIN BATTERYSTATS (x) ------\n" + DUMP.encode()
    report += (
        b"------ 0.4s was the duration of 'CHECKIN BATTERYSTATS' ------\n------ CHECKIN NETSTATS (y) ------\n9,1,2\n"
    )
    members = {"../../main_entry.txt": b"bugreport-x.txt\n", "bugreport-x.txt": report, "FS/proc/version": b"9,9"}
    found = read(put(tmp_path, zipped(members), "b.zip"))
    check(found)
    assert found.bugreport
    assert document(found)["source"]["issue_count"] == 0


def test_two_bugreports_in_a_zip_are_two(tmp_path: Path) -> None:
    found = read(
        put(tmp_path, zipped({"a.txt": DUMP.encode(), "b.txt": DUMP.encode() + b"9,0,l,br,1,2,3,4,5\n"}), "b.zip")
    )
    assert len(found.others) == 1
    check(found)
    check(found.others[0])


def test_zip_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "RATIO_FREE", 1 << 16)
    bomb = zipped({"bugreport-a.txt": b"9,0,l,br,0,0,0,0,0\n" * 100_000})
    with pytest.raises(FileError):
        read(put(tmp_path, bomb, "b.zip"))


def test_gzip_bomb_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "RATIO_FREE", 1 << 16)
    found = read(put(tmp_path, gzip.compress(DUMP.encode() + b"9,0,l,br,0,0,0,0,0\n" * 400_000), "b.gz"))
    assert found.lines < 300_000
    assert any("stopped after" in i.why for i in found.issues.kept)
    assert not found.main.complete


def test_hostile_line_is_skipped_and_the_rest_read(tmp_path: Path) -> None:
    head, tail = DUMP.split("9,0,l,pws", 1)
    found = read(put(tmp_path, head + "9,0,l,m," + "1," * 1_500_000 + "\n9,0,l,pws" + tail))
    check(found)
    assert found.skipped == 1
    assert found.issues.kept[0].line == head.count("\n") + 1


@pytest.mark.parametrize("chunk", [1, 64, 1 << 18, 1 << 21])
def test_a_line_that_is_too_long_is_skipped_wherever_it_stands(tmp_path: Path, monkeypatch, chunk: int) -> None:
    """Not only where it ends in another piece of the file than it begins in."""
    monkeypatch.setattr(containers, "MAX_LINE", 100)
    source = Input("", "plain", io.BytesIO(b"".join(b"%s\n" % (b"x" * n) for n in (101, 3, 100, 101, 300, 99))))
    lines = Lines(source, issues := Issues(), chunk=chunk)
    assert [(number, len(line)) for number, line in lines] == [(2, 3), (3, 100), (6, 99)]
    assert (lines.count, lines.skipped) == (6, 3)
    assert [issue.line for issue in issues.kept] == [1, 4, 5]


def test_hostile_columns_and_codes(tmp_path: Path) -> None:
    wide = "".join(f"9,0,l,dct{',1' * (5000 + k)}\n" for k in range(20))
    odd = "".join(f"9,0,l,v{k},1\n" for k in range(3000))
    found = read(put(tmp_path, DUMP + wide + odd))
    check(found)
    assert len(found.main.vendor_codes) == 1001
    assert found.issues.counts["line"] == 20


def test_hostile_text_line_is_quick(tmp_path: Path) -> None:
    found = read(put(tmp_path, "Statistics since last charge:\n  " + "A: 1 " * 100_000 + "\n"))
    assert found.issues.counts["text"] == 1


def test_endless_line(tmp_path: Path) -> None:
    found = read(put(tmp_path, "9," * 3_000_000))
    assert found.skipped == 1
    assert not found.dumps


@pytest.mark.parametrize("data", [b"PK\x03\x04garbage", zipped({"a.txt": b"nothing"}), zipped({})[:10] + b"PK\x03\x04"])
def test_broken_archives(tmp_path: Path, data: bytes) -> None:
    try:
        found = read(put(tmp_path, data, "b.zip"))
    except FileError:
        return
    assert not found.dumps


def test_cut_gzip_says_so(tmp_path: Path) -> None:
    data = gzip.compress(DUMP.encode() * 50)
    found = read(put(tmp_path, data[: len(data) // 2], "b.gz"))
    assert any("inflated" in i.why for i in found.issues.kept)
    assert not document(found)["source"]["complete"]


def test_a_cut_gzip_is_read_up_to_the_cut(tmp_path: Path) -> None:
    """Text of less than one chunk, too: what was inflated before the damage is not thrown away."""
    body = "".join(f"9,0,l,kwl,{number}wl{number * 7919 % 1000},5,1\n" for number in range(400))
    packed = gzip.compress(DUMP.encode() + body.encode())
    path = tmp_path / "dump.gz"
    path.write_bytes(packed[: len(packed) * 9 // 10])
    found = read(path)
    assert found.lines > 300
    assert "cannot be inflated further" in [str(issue) for issue in found.issues.kept][-2:][0]
    assert not found.dumps[0].complete


def test_a_zip_with_a_wrong_checksum_is_read_and_says_so(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("bugreport.txt", DUMP)
    path = tmp_path / "dump.zip"
    path.write_bytes(buffer.getvalue().replace(b"9,0,i,vers,36", b"9,0,i,vers,35", 1))
    found = read(path)
    assert found.dumps[0].lines == len(DUMP.splitlines())
    assert not found.dumps[0].complete
    assert any("checksum" in issue.why for issue in found.issues.kept)


def test_a_member_that_cannot_be_opened_does_not_hide_the_others(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", DUMP)
        archive.writestr("b.txt", DUMP)
    path = tmp_path / "dump.zip"
    path.write_bytes(
        buffer.getvalue().replace(b"PK\x03\x04", b"PK\x03\x05", 2).replace(b"PK\x03\x05", b"PK\x03\x04", 1)
    )
    found = read(path)
    assert found.dumps[0].evident
    assert ["b.txt" in str(issue) and "cannot be read" in issue.why for issue in found.issues.kept] == [True]


def test_protobuf_in_a_cut_gzip(tmp_path: Path) -> None:
    name = bytes(range(65, 91)) * 40
    system = b"\x0a\x04\x08\x24\x10\x01"  # the head of a message, whose rest is cut
    packed = gzip.compress(system + name, mtime=0)
    path = tmp_path / "dump.proto.gz"
    path.write_bytes(packed[:-12])
    found = read(path)
    assert found.dumps[0].form == "proto"
    assert not found.dumps[0].complete


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="No such file") as caught:
        read(tmp_path / "absent")
    assert caught.value.hint


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(DUMP.encode()))))
    check(read("-"))


def test_junk_inside_is_one_issue_for_each_run(tmp_path: Path) -> None:
    junk = "Exception occurred while dumping:\njava.lang.X\n\tat y\n"
    found = read(put(tmp_path, DUMP.replace("9,0,l,pws", junk + "9,0,l,pws")))
    check(found)
    assert [i.code for i in found.issues.kept] == ["junk"]
    assert found.dumps[0].junk == 3


def test_cut_anywhere_never_raises_and_is_not_complete(tmp_path: Path) -> None:
    for cut in range(1, len(DUMP) - 60, 7):
        found = read(put(tmp_path, DUMP[:cut]))
        assert not document(found)["source"]["complete"], cut


def test_last_line_cut(tmp_path: Path) -> None:
    found = read(put(tmp_path, DUMP[:-8]))
    assert not found.main.complete
    assert 1010010 in found.main.main.uids
    assert "network" not in found.main.main.uids[1010010].parts


def test_several_dumps_stay_apart(tmp_path: Path) -> None:
    found = read(put(tmp_path, DUMP + DUMP.replace("14.7", "15.7")))
    assert [d.statistics["l"].uids[10010].mah for d in found.dumps] == [14.7, 15.7]
    assert len(document(found)["others"]) == 1


def test_each_of_several_dumps_has_its_own_version(tmp_path: Path) -> None:
    path = tmp_path / "two.txt"
    path.write_text("9,0,i,vers,19,150,A,A\n9,0,l,lv,1,2\n9,0,i,vers,36,212,B,B\n9,0,l,lv,1,2\n")
    first, second = read(path).dumps
    assert (first.api, first.versions["checkin"]) == (25, 19)
    assert (second.api, second.versions["checkin"]) == (34, 36)


def test_since_unplugged_is_a_window_of_its_own(tmp_path: Path) -> None:
    found = read(put(tmp_path, DUMP + DUMP.split("9,0,l,bt")[1].join(["9,0,u,bt", ""]).replace(",l,", ",u,")))
    out = document(found)
    assert out["window"] == "since_charged"
    assert out["windows"]["since_unplugged"]["battery"]["computed_mah"] == 147


def test_vendor_codes_and_malformed_are_counted(tmp_path: Path) -> None:
    found = read(put(tmp_path, DUMP + "9,0,l,zz,1\n9,0,l,br,1,2,x,4,5\n"))
    out = document(found)["source"]
    assert out["vendor_codes"] == {"zz": 1}
    assert out["lines_read"] == out["lines"] - 1
    assert out["issues"] == [{"line": 19, "code": "br", "field": "medium", "why": "not a whole number: 'x'"}]


@given(st.binary(max_size=300), st.integers(0, len(DUMP)))
@settings(max_examples=150, deadline=None)
def test_any_bytes_anywhere(tmp_path_factory: pytest.TempPathFactory, data: bytes, at: int) -> None:
    path = tmp_path_factory.mktemp("any") / "f"
    text = DUMP.encode()
    path.write_bytes(text[:at] + data + text[at:])
    try:
        json.dumps(document(read(path)), allow_nan=False)
    except FileError:
        assert (text[:at] + data)[:2] in (b"PK", b"\x1f\x8b")


def test_emitted_lines_are_the_file(tmp_path: Path) -> None:
    for text in (DUMP, DUMP.replace("\n", "\r\n"), DUMP.rstrip("\n")):
        path = put(tmp_path, text)
        assert "".join(emitted(path)) == text


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(tmp_path, DUMP)
    assert main(["android", "parse", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["source"]["format"] == "checkin"
    assert main(["android", "parse", str(path)]) == 0
    assert "147 mAh" in capsys.readouterr().out
    target = tmp_path / "again"
    assert main(["android", "emit", str(path), "-o", str(target)]) == 0
    assert target.read_text() == DUMP
    assert main(["android", "parse", str(put(tmp_path, "nothing here\n", "n"))]) == 5


def test_names_cannot_reach_the_terminal_raw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(tmp_path, DUMP.encode().replace(b"com.a", b"com.\x1b[31m\xff"))
    assert main(["android", "parse", str(path)]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "com.\\x1b[31m\\xff" in out
    assert main(["android", "parse", str(path), "--json"]) == 0
    assert capsys.readouterr().out.isascii()


def test_reference_dumps_parse_to_their_truth(shared: Path) -> None:
    folder = shared / "data/android/checkin"
    truths = sorted(folder.glob("*.truth.json"))
    assert truths
    for truth_file in truths:
        stem = truth_file.name.removesuffix(".truth.json")
        file = next(p for p in folder.glob(f"{stem}.*") if p != truth_file)
        truth, found = json.loads(truth_file.read_text()), read(file)
        out = document(found)
        assert out["source"]["api"] == truth["api"], stem
        assert out["source"]["complete"], stem
        assert out["source"]["lines_read"] == out["source"]["lines"], stem
        assert out["source"]["issue_count"] == 0, stem
        mah = {str(u["uid"]): u["mah"] for u in out["uids"]}
        for uid, printed in truth["power"]["uids"].items():
            assert mah[uid] == pytest.approx(float(printed), rel=1e-9), (stem, uid)
        devices = {d["label"]: d["mah"] for d in out["devices"]}
        for label, exact in truth["power"]["components"].items():
            assert devices[label] == pytest.approx(exact, rel=5.1e-3), (stem, label)
        for key in {"start_ms", "levels", "volts", "screen_on_ms", "end_ms", "final_level"} & truth["history"].keys():
            assert out["history"][key] == truth["history"][key], (stem, key)
        records = [[r.uid, r.window, r.code] for r in found.main.records]
        assert records == [r[:3] for r in truth["records"]], stem


def test_reference_checkin_files_are_emitted_again(shared: Path) -> None:
    for folder in ("checkin", "history"):
        for file in sorted((shared / "data/android" / folder).glob("[!b]*.txt")):
            assert "".join(emitted(file)).encode() == file.read_bytes(), file.name
