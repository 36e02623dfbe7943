"""Whole files as phones and people make them: bugreports cut anywhere, in archives, with several texts or sections."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.android.parse import read
from powerhal.android.summary import document
from powerhal.errors import PowerhalError
from tests.android.test_human import NEW
from tests.android.test_parse import DUMP

HEAD = """========================================================
== dumpstate: 2024-05-06 07:08:09
========================================================
Build fingerprint: 'a/b/c:14/D/1:user/release-keys'
------ SYSTEM PROPERTIES (getprop) ------
[ro.build.version.sdk]: [34]
------ 0.010s was the duration of 'SYSTEM PROPERTIES' ------
"""
CHECKIN = """------ CHECKIN BATTERYSTATS (/system/bin/dumpsys -T 30000 batterystats -c) ------
{}------ 0.412s was the duration of 'CHECKIN BATTERYSTATS' ------
"""
SERVICE = """-------------------------------------------------------------------------------
DUMP OF SERVICE batterystats:
{}
--------- 0.119s was the duration of dumpsys batterystats, ending at: 2024-05-06 07:08:10
-------------------------------------------------------------------------------
DUMP OF SERVICE batteryproperties:
ac: 500000
"""
REPORT = HEAD + CHECKIN.format(DUMP) + SERVICE.format(NEW)


def archive(members: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return out.getvalue()


def test_both_sections_of_a_bugreport(tmp_path: Path) -> None:
    path = tmp_path / "bugreport.txt"
    path.write_text(REPORT)
    out = document(read(path))
    assert (out["source"]["format"], out["source"]["api"], out["source"]["complete"]) == ("checkin", 34, True)
    [text] = out["others"]
    assert (text["source"]["format"], text["source"]["api"], text["source"]["complete"]) == ("text", 34, True)
    assert out["source"]["issue_count"] == 0


def test_a_bugreport_cut_at_any_byte(tmp_path: Path) -> None:
    path = tmp_path / "bugreport.txt"
    data, whole = REPORT.encode(), REPORT.index("------ 0.412s")
    for cut in range(1, len(data), 3):
        path.write_bytes(data[:cut])
        found = read(path)
        out = document(found)
        if cut <= whole:
            assert not out["source"]["complete"], data[cut - 40 : cut]
        texts = [d for d in found.dumps if d.form == "text"]
        if cut < REPORT.index("--------- 0.119s"):
            assert not any(d.complete for d in texts) or data[cut - 1 : cut] == b"\n", data[cut - 40 : cut]


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        lambda data: archive({"main_entry.txt": "bugreport-a.txt", "bugreport-a.txt": data, "FS/data/b.txt": DUMP}),
        lambda data: data.decode().encode("utf-16"),
        lambda data: data.replace(b"\n", b"\r\n"),
    ],
)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_archives_cut_anywhere(
    tmp_path_factory: pytest.TempPathFactory, pack: Callable[[bytes], bytes], data: st.DataObject
) -> None:
    packed = pack((HEAD + CHECKIN.format(DUMP)).encode())
    cut = data.draw(st.integers(1, len(packed) - 200))
    path = tmp_path_factory.mktemp("cut") / "file"
    path.write_bytes(packed[:cut])
    try:
        out = document(read(path))
    except PowerhalError:
        return
    assert not out["source"]["complete"]


def test_a_zip_without_an_entry_file(tmp_path: Path) -> None:
    """The board's text begins like a bugreport and holds no dump: it is not one more document."""
    path = tmp_path / "bugreport.zip"
    path.write_bytes(archive({"dumpstate_board.txt": HEAD * 99, "bugreport.txt": REPORT, "FS/batterystats.txt": DUMP}))
    out = document(read(path))
    assert out["source"]["member"] == "bugreport.txt"
    assert [other["source"]["format"] for other in out["others"]] == ["text"]


def test_two_sections_are_two_dumps(tmp_path: Path) -> None:
    path = tmp_path / "bugreport.txt"
    path.write_text(HEAD + CHECKIN.format(DUMP) + CHECKIN.format(DUMP.replace("14.7", "15.7")))
    out = document(read(path))
    assert [d["uids"][1]["mah"] for d in (out, *out["others"])] == [14.7, 15.7]


@pytest.mark.parametrize(
    ("text", "form", "why"),
    [
        (DUMP[: DUMP.index("9,0,i,uid")] + "NEXT: 77\n", "checkin", "no statistics"),
        ("Battery History (1% used):\n    +1s000ms (2) 099 +screen\n  NEXT: 77\n", "text", "no statistics"),
        ("Daily stats:\n  Current start time: 2024-01-01-00-00-00\n", "text", "no statistics"),
        (NEW[NEW.index("  Estimated") : NEW.index("\n  1000:")], "text", "no blocks of uids after the power table"),
    ],
)
def test_parts_of_a_dump_say_what_is_missing(tmp_path: Path, text: str, form: str, why: str) -> None:
    """--history, --daily and --usage alone."""
    path = tmp_path / "part.txt"
    path.write_text(text)
    source = document(read(path))["source"]
    assert source["format"] == form
    assert why in source["incomplete_because"]
    assert source["lines_read"] >= source["lines"] - 1
