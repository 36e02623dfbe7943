"""`dumpsys batterystats --proto --history`: what it says is what the same history says as check-in lines."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest

from powerhal.android.drain.attribute import attribute
from powerhal.android.issues import Issues
from powerhal.android.parse import DumpFile, read
from powerhal.android.profile.reader import parse_profile
from powerhal.android.proto.history import checkin_lines
from powerhal.android.summary import document
from powerhal.cli import main
from powerhal.errors import NotEnoughData

from .historian import complaints, section
from .story import Story
from .wire import history, message, num, text

KEYS = [(0, 1000, '*job*/"x"\\y'), (1, 10123, "com.a,b"), (2, 0, "")]
LINES = [
    "9,h,0:RESET:TIME:1700000000000", "9,h,0,Bl=90,Bs=d,Bh=g,Bp=n,Bt=250,Bv=4000,Bcc=3600,+r,+S,+Etp=1",
    "9,h,60000,Bl=89,Bcc=3560,-S", "9,h,1000,+w=0", "9,h,0,Dcpu=100:20/10123:5:6", "9,h,0,Dpst=1,2,3,4,5,6,text",
    "9,h,90000,-w,Bl=88,Bv=3990,wr=2", "NEXT: 5000",
]  # fmt: skip
PROFILE = b'<device name="Android"><item name="battery.capacity">4000</item></device>'


def as_text(lines: list[str], keys: list[tuple[int, int, str]]) -> str:
    """The same as `-c --history` prints it."""
    slash = "\\"
    pool = [f'9,hsp,{i},{u},"{t.replace(slash, slash * 2).replace(chr(34), slash + chr(34))}"' for i, u, t in keys]
    return "\n".join(["9,0,i,vers,35,208,TQ1A.230105,TQ1A.230105", *pool, *lines, ""])


def parsed(data: bytes, folder: Path, name: str = "history.pb") -> DumpFile:
    (folder / name).write_bytes(data)
    return read(folder / name)


def test_the_same_as_lines(tmp_path: Path) -> None:
    out = document(parsed(history(LINES, KEYS), tmp_path))
    lines = document(parsed(as_text(LINES, KEYS).encode(), tmp_path, "lines.txt"))
    assert out["history"] == lines["history"]
    assert (out["source"]["format"], out["source"]["api"], out["source"]["versions"]["start_build"]) == (
        "proto", 33, "TQ1A.230105",
    )  # fmt: skip
    assert (out["source"]["lines"], out["source"]["lines_read"]) == (11, 11) and not out["source"]["issue_count"]
    assert out["source"]["complete"] and "nothing shows the end" in out["source"]["may_miss"][0]
    told = out["history"]
    assert told["levels"] == [[0, 90], [60000, 89], [151000, 88]] and told["start_ms"] == 1700000000000
    assert told["states_ms"] == {"screen": 60000, "wake_lock": 90000, "running": 151000}
    assert told["next_start"] == 5000 and not told["unexplained_tokens"] and told["pool"] == 3


def test_emitted_are_its_lines(tmp_path: Path) -> None:
    path, out = tmp_path / "history.pb.gz", tmp_path / "out.txt"
    path.write_bytes(gzip.compress(history(LINES, KEYS)))
    assert main(["android", "emit", str(path), "-o", str(out)]) == 0
    assert out.read_text() == as_text(LINES[:-1], KEYS)


def test_pool_and_events(tmp_path: Path) -> None:
    dump = parsed(history(LINES, KEYS), tmp_path).main
    assert dump is not None
    said = [change for item in dump.history.items for change in item.changes]
    assert ("+", "top", (10123, "com.a,b")) in said and ("+", "wake_lock", (1000, '*job*/"x"\\y')) in said
    assert ("", "wake_reason", (0, "")) in said


@pytest.mark.parametrize("pack", [gzip.compress, lambda d: d.replace(b"\n", b"\r\n")])
def test_packed_and_sent_through_adb(pack, tmp_path: Path) -> None:
    lines = [*LINES, "9,h,1,+S,-g", "9,h,10,+S", "9,h,5,+S,1"]
    data = history(lines, KEYS)
    assert b"\n" in data
    assert document(parsed(pack(data), tmp_path))["history"] == document(parsed(data, tmp_path, "b"))["history"]


def test_every_cut(tmp_path: Path) -> None:
    data, before = history(LINES, KEYS), 0
    for cut in range(30, len(data)):
        found = parsed(data[:cut], tmp_path)
        out = document(found)
        assert out["source"]["format"] == "proto"
        assert out["source"]["complete"] == (not found.issues.total)
        if not out["source"]["complete"]:
            assert "byte" in out["source"]["issues"][0]["why"]
            assert out["source"]["incomplete_because"] == ["the message is cut"]
        assert set(map(tuple, out["history"]["levels"])) <= {(0, 90), (60000, 89), (151000, 88)}
        assert out["history"]["lines"] >= before
        before = out["history"]["lines"]


def test_what_is_not_of_the_message_is_said(tmp_path: Path) -> None:
    data = history(LINES[:2], KEYS) + num(6, 5) + text(9, "later") + message(5, text(1, "x")) + text(6, "9,h,5,?zz")
    out = document(parsed(data, tmp_path))
    whys = [f"{issue['field']}: {issue['why']}" for issue in out["source"]["issues"]]
    assert len(whys) == 3 and out["history"]["lines"] == 7
    assert any("History.csv_lines: is no str but varint" in why for why in whys)
    assert any("History: field 9 (bytes) is unknown" in why for why in whys)
    assert any("HistoryKey.index: is no int" in why for why in whys)
    assert out["history"]["unexplained_tokens"] == {"?zz": 1}


def test_texts_that_would_break_a_line() -> None:
    issues = Issues()
    data = num(1, 36) + num(2, 215) + text(3, "A,B\nC") + message(5, num(1, 4), text(3, 'a\nb"')) + text(6, b"9,h,\xff")
    lines, whole = checkin_lines(memoryview(data), issues)
    assert lines == b'9,0,i,vers,36,215,A_B_C,\n9,hsp,4,0,"a b\\""\n9,h,\xff\n' and whole
    assert [issue.field for issue in issues.kept] == ["HistoryKey.tag"]


def test_a_long_one_is_read_like_lines(tmp_path: Path) -> None:
    rng = random.Random(5)
    lines = ["9,h,0:RESET:TIME:1700000000000"]
    for k in range(20000):
        change = rng.choice(["+S", "-S", "+w=1", "-w", f"Bl={99 - k // 300}", f"Bv={rng.randrange(3500, 4300)}"])
        lines.append(f"9,h,{rng.randrange(5000)},{change}")
    out = document(parsed(history(lines, KEYS), tmp_path))["history"]
    assert out == document(parsed(as_text(lines, KEYS).encode(), tmp_path, "t"))["history"]
    assert out["lines"] == 20004


def story(hours: float = 5.0) -> tuple[list[str], list[tuple[int, int, str]]]:
    rows = Story(2000, hours, "charge").text().splitlines()
    keys = [line.split(",", 4) for line in rows if line.startswith("9,hsp,")]
    return [r for r in rows if r.startswith("9,h,")], [(int(k[2]), int(k[3]), k[4].strip('"')) for k in keys]


def test_attribution(tmp_path: Path) -> None:
    lines, keys = story()
    profile = parse_profile(PROFILE, "p")
    ledgers = []
    for data in (history(lines, keys), as_text(lines, keys).encode()):
        dump = parsed(data, tmp_path).main
        assert dump is not None
        ledgers.append(attribute(dump, profile).ledger)
    assert [(r.name, r.energy_j) for r in ledgers[0].rows] == [(r.name, r.energy_j) for r in ledgers[1].rows]
    assert ledgers[0].total.energy_j > 0


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines, keys = story(1.0)
    path, profile = tmp_path / "h.pb", tmp_path / "p.xml"
    path.write_bytes(history(lines, keys))
    profile.write_bytes(PROFILE)
    assert main(["android", "attribute", str(path), "--profile", str(profile), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total"]["energy_j"] > 0
    assert main(["android", "report", str(path), "-o", str(tmp_path / "h.html"), "--profile", str(profile)]) == 0
    assert "protobuf dump" in (tmp_path / "h.html").read_text() and not capsys.readouterr().err
    assert main(["android", "redact", str(path)]) == 0
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 1 + len(keys) + len(lines) and not any("com.example" in line for line in out)
    assert main(["android", "downgrade", str(path), str(tmp_path / "old.txt"), "--no-redact"]) == 0
    report = (tmp_path / "old.txt").read_text()
    assert complaints(report) == []
    assert "9,0,i,vers,21," in report and sum(line.startswith("9,h,") for line in section(report)) >= len(lines) // 2
    capsys.readouterr()
    assert main(["android", "diff", str(path), str(path)]) == 5
    assert "no statistics in it" in capsys.readouterr().err


def test_sums_have_no_lines_to_redact(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.pb"
    path.write_bytes(message(1, num(1, 35), num(2, 208), text(3, "A")))
    for command in (["redact"], ["downgrade"]):
        more = [str(tmp_path / "o.txt")] if command == ["downgrade"] else []
        assert main(["android", *command, str(path), *more]) == 5
        assert "protobuf forms of sums" in capsys.readouterr().err


def test_attribution_without_drain(tmp_path: Path) -> None:
    dump = parsed(history(LINES, KEYS), tmp_path).main
    assert dump is not None
    with pytest.raises(NotEnoughData):
        attribute(dump)
