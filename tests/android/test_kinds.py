from __future__ import annotations

import gzip
import io
import json
import sqlite3
import zipfile
from pathlib import Path
from typing import Any

import pytest

from powerhal.android.kinds import KINDS, kind_of
from powerhal.android.parse import read
from powerhal.cli import main
from powerhal.recording.schema import APPLICATION_ID

DUMP = "9,0,i,vers,36,214,A,A\n9,0,l,bt,0,1,1,1,1,1,1,1,4000,4000000,4000000,0\n"
PROFILE = '<?xml version="1.0"?>\n<device name="Android"><item name="battery.capacity">4000</item></device>\n'
STATS = "PowerStatsService dumpsys: available Channels\nChannelId: 1, ChannelName: A, ChannelSubsystem: b\n"
TRACE = bytes.fromhex("0a1fc2021c0a1a0804120e53334d5f5644445f435055434c311a0363707520ff07")


def database(path: Path, kind: int) -> Path:
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA application_id={kind}")
        db.execute("CREATE TABLE t (x)")
    return path


#: contents -> (words of the message, words of the hint)
OTHERS: dict[str, tuple[bytes, str, str]] = {
    "profile": (PROFILE.encode(), "a power profile", "powerhal android profile "),
    "packed profile": (gzip.compress(PROFILE.encode()), "a power profile", "powerhal android profile "),
    "powerstats": (STATS.encode(), "dumpsys powerstats", "powerhal android powerstats "),
    "meter": (b"t=12\nCH3(T=11)[S2M], 761330\n", "power meter", "powerhal android powerstats "),
    "rails": (b"CH0[S2M]:CPU(BIG)\nCH1[S3M]:CPU(MID)\n", "the list of a power meter's rails", "powerstats FOLDER"),
    "trace": (TRACE, "a Perfetto trace", "powerhal android powerstats "),
    "trace as text": (b"packet {\n  power_rails {\n", "trace in text form", "powerhal android powerstats "),
    "ours": (b'{\n "source": {\n  "format": "checkin"', "JSON that", "the dump that it was made from"),
    "ledger": (b'{"schema": 1, "rows": []}', "JSON document", "the dump that it was made from"),
    "table": (b"dump,window,table,row,uid,item,quantity,unit,value\n", "CSV that", "the dump"),
    "historian": (b"<!DOCTYPE html>\n<html><title>Battery Historian</title>", "page of Battery Historian", "bugreport"),
    "page": (b"<!doctype html>\n<html>", "an HTML page", "the dump"),
    "adb": (b"* daemon started successfully\nerror: no devices/emulators found\n", "an answer of adb", "adb devices"),
    "denied": (b"Permission Denial: can't dump BatteryStats from pid=1", "refusal", "adb shell dumpsys"),
    "picture": (b"\x89PNG\r\n\x1a\n....", "a picture", "adb bugreport"),
    "tar": (b"a" * 257 + b"ustar", "a tar archive", "unpack"),
}
NOT_DUMPS = {
    "one line": b"9,\n", "lines": b"9,hello\n9,1,2\n9,x,l,bt\n9,h\n9,hsp,a\n9,h,x,y\n",
    "vendor's alone": b"9,0,l,zz,1\n", "prose": b"nothing here\n", "noise": bytes(range(1, 256)) * 3,
    "prose on batteries": b"Battery History is a fine book\n",
}  # fmt: skip
CUT_DUMPS = {
    "version": "9,0,i,vers,36,214,A", "record": DUMP[:60], "history": "9,h,0:RESET:TIME:1700000000000\n",
    "moment": "9,h,10,+S,Bl=90\n", "pool": '9,hsp,0,1000,"x"\n', "no version": DUMP.splitlines()[1] + "\n",
    "text": "Battery History (0% used, 0 used of 256KB, 0 strings using 0):\n",
    "sums": "Statistics since last charge:\n",
    "daily": "Daily stats:\n",
}  # fmt: skip


@pytest.mark.parametrize("command", ["parse", "attribute", "report", "export", "redact", "emit"])
@pytest.mark.parametrize("name", OTHERS)
def test_a_file_of_another_kind(name: str, command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content, what, do = OTHERS[name]
    path = tmp_path / "file"
    path.write_bytes(content)
    more = ["-o", str(tmp_path / "out")] if command == "report" else []
    assert main(["android", command, str(path), *more]) == 3
    out, err = capsys.readouterr()
    assert not out
    assert err.count("PH-F004") == 1 and len(err.splitlines()) == 2
    assert what in err.splitlines()[0] and do in err.splitlines()[1]
    assert list(tmp_path.iterdir()) == [path]


def test_every_row_is_told(tmp_path: Path) -> None:
    samples = [content for content, _, _ in OTHERS.values()]
    samples += [database(tmp_path / "a", APPLICATION_ID).read_bytes(), database(tmp_path / "b", 7).read_bytes()]
    samples += [DUMP.encode(), b"\x0a\x10\x08\x24\x10\xd6\x01", b"\x03\x00\x08\x00", b"%PDF-1.7", b"\x7fELF", b"BZh9"]
    samples += [b"\x08\x24\x10\xd6\x01\x1a\x01A", b"\x08\x80\xc0\x8f\xcb\xbc1\x10\x81\xc0\x8f\xcb\xbc1\x18\x01"]
    samples += [b"\x0a\x05\x08\x01\x12\x01A"]
    samples += [b"Current Battery Service state:\n", b"--------- beginning of main\n"]
    told = {kind.name for raw in samples if (kind := kind_of(raw))}
    assert told == {kind.name for kind in KINDS}


@pytest.mark.parametrize("content", NOT_DUMPS.values(), ids=NOT_DUMPS)
def test_no_dump_in_it(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert not read(path).dumps
    for command in ("parse", "attribute", "report", "export", "redact"):
        assert main(["android", command, str(path)]) == 5
        out, err = capsys.readouterr()
        assert not out and "no battery-stats dump in it" in err and "adb shell dumpsys batterystats -c" in err
    assert main(["android", "diff", str(path), str(path)]) == 5
    assert main(["android", "parse", "--json", str(path)]) == 5
    assert json.loads(capsys.readouterr().out)["source"]["format"] == "none"


@pytest.mark.parametrize("content", [b"", b"\n \r\n", b"\xef\xbb\xbf", b"\0\0\0"])
def test_an_empty_file(content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert main(["android", "parse", str(path)]) == 5
    assert "the file is empty" in capsys.readouterr().err


@pytest.mark.parametrize("content", CUT_DUMPS.values(), ids=CUT_DUMPS)
def test_a_cut_dump_is_a_dump(content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "file"
    path.write_text(content)
    assert len(read(path).dumps) == 1
    assert main(["android", "parse", str(path)]) == 0
    out = capsys.readouterr().out
    assert "not complete" in out and "unknown to unknown" not in out


def test_a_dump_among_junk_is_found(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("9,\nerror: x\n9,9,9\n" + DUMP)
    assert len(read(path).dumps) == 1


@pytest.mark.parametrize("command", [["profile"], ["powerstats"], ["recompute", "--profile", "good.xml"]])
def test_the_other_way_round(command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str],
                             monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    Path("good.xml").write_text(PROFILE)
    Path("dump").write_text(DUMP)
    Path("stats").write_text(STATS)
    database(Path("run"), APPLICATION_ID)
    reads = {"profile": "good.xml", "powerstats": "stats", "recompute": "dump"}[command[0]]
    others = {"dump": "a battery-stats dump", "good.xml": "a power profile", "stats": "`dumpsys powerstats`"}
    for name, what in others.items():
        if name != reads:
            assert main(["android", command[0], name, *command[1:]]) == 3
            err = capsys.readouterr().err
            assert what in err and "PH-F004" in err and "powerhal android" in err.splitlines()[-1]
    if command[0] != "powerstats":
        assert main(["android", command[0], "run", *command[1:]]) == 3
        assert "powerhal recording" in capsys.readouterr().err


def test_a_profile_is_asked_for_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dump = tmp_path / "dump"
    dump.write_text(DUMP)
    for command in ("attribute", "recompute"):
        assert main(["android", command, str(dump), "--profile", str(dump)]) == 3
        assert "this is a battery-stats dump or bugreport, not a power profile" in capsys.readouterr().err


def test_a_packed_profile_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.xml.gz"
    path.write_bytes(gzip.compress(PROFILE.encode()))
    assert main(["android", "profile", str(path)]) == 0
    assert "4000 mAh" in capsys.readouterr().out
    path.write_bytes(b"\x1f\x8b\x09\x00garbage")
    assert main(["android", "profile", str(path)]) == 3
    assert "damaged gzip" in capsys.readouterr().err


def test_a_folder_and_a_zip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["android", "parse", str(tmp_path)]) == 3
    assert "powerhal android powerstats" in capsys.readouterr().err
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("a.bin", "x")
    assert main(["android", "parse", str(tmp_path / "z.zip")]) == 3
    assert "z.zip: no battery-stats dump" in capsys.readouterr().err


def test_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer: Any = io.BytesIO(PROFILE.encode())

    monkeypatch.setattr("sys.stdin", Stdin)
    assert main(["android", "parse", "-"]) == 3
    err = capsys.readouterr().err
    assert "standard input: this is a power profile" in err and "powerhal android profile FILE" in err
