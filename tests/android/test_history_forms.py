"""History lines composed from the print statements of `BatteryStats.java` (HistoryPrinter), API 21 to Android 16."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal import kernels
from powerhal.android.checkin.blocks import BlockReader
from powerhal.android.checkin.columns import ColumnReader
from powerhal.android.checkin.lines import Reader
from powerhal.android.history.lines import emit_history, read_history
from powerhal.android.history.states import History
from powerhal.android.history.text import HEADER, feed_text
from powerhal.android.issues import Issues
from powerhal.android.parse import read
from powerhal.android.summary import document
from powerhal.cli import main
from tests.android.historian import complaints


def text_history(*lines: str) -> History:
    out = History(Issues())
    for number, line in enumerate(lines, 1):
        assert feed_text(out, number, line), line
    out.close()
    return out


FORMAT_2 = (
    "  12-31 23:59:58.000 RESET:TIME: 2025-12-31-23-59-58",
    '  12-31 23:59:58.500 100 status=discharging plug=dock volt=4350 +running +screen top=u0a7:"my app"',
    "  01-01 00:00:00.250 099 -screen device_idle=light procstate: u0a7: fgs",
    "  01-01 00:00:01.250 098 c0100020 -running",
    "                 Stats: screen #0 duration=1000 power=12",
    "                    uid 10007: 5 6 7",
    "                 Details: cpu=5u+6s (u0a7=3u+2s)",
    "                          /proc/stat=1 usr, 2 sys, 0 io, 0 irq, 0 sirq, 3 idle (50.0% of 60ms), "
    "SubsystemPowerState Empty",
)


def test_format_2_has_the_clock_in_place_of_the_time_since_the_start() -> None:
    """FORMAT_VERSION 2: MM-dd HH:mm:ss.SSS; the year turns without a word."""
    found = text_history(*FORMAT_2)
    assert found.local_start == "2025-12-31-23-59-58"
    assert found.levels == [(500, 100), (2250, 99), (3250, 98)]
    assert found.states_ms["screen"] == 1750
    assert found.states_ms["running"] == 2750
    assert not found.unknown
    assert not found.issues.total
    names = {(c.name, c.value) for item in found.items for c in item.changes if isinstance(c.value, str)}
    assert {("plug", "dock"), ("procstate", "u0a7: fgs"), ("device_idle", "light")} <= names
    assert HEADER.match("Battery History [Format: 2] (1% used, 12KB used of 4096KB, 10 strings using 1KB):")


def test_format_2_in_a_whole_dump(tmp_path: Path) -> None:
    path = tmp_path / "dump.txt"
    path.write_text(
        "Battery History [Format: 2] (1% used):\n" + "\n".join(FORMAT_2) + "\n\nStatistics since last charge:\n"
    )
    out = document(read(path))
    assert out["history"]["end_ms"] == 3250
    assert out["history"]["screen_on_ms"] == 1750
    assert not out["history"]["unexplained_tokens"]
    assert out["source"]["issue_count"] == 0
    assert out["source"]["lines_read"] == out["source"]["lines"]


def test_a_clock_that_was_set_back_stops_time_once() -> None:
    found = text_history(
        "  03-01 10:00:00.000 TIME: 2024-03-01-10-00-00", "  03-01 10:00:05.000 090", "  03-01 09:00:00.000 089",
        "  03-01 09:00:01.000 088",
    )  # fmt: skip
    assert found.now_ms == 6000
    assert [issue.why for issue in found.issues.kept] == ["time runs backwards"]


def test_a_clock_set_from_1970_does_not_make_the_history_decades_long() -> None:
    found = text_history(
        "  01-01 00:00:10.000 RESET:TIME: 1970-01-01-00-00-10", "  01-01 00:00:12.000 090 +screen",
        "  05-06 10:00:00.000 TIME: 2025-05-06-10-00-00", "  05-06 10:00:01.000 089 -screen",
    )  # fmt: skip
    assert found.now_ms == 3000


def test_days_that_do_not_exist_are_issues() -> None:
    found = text_history("  13-41 10:00:00.000 090 +screen", "  02-30 25:00:00.000 089")
    assert found.now_ms == 0
    assert found.issues.total == 2


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_no_text_upsets_format_2(text: str) -> None:
    found = History(Issues())
    feed_text(found, 1, "  02-29 10:00:00.000 " + text.replace("\n", ""))
    feed_text(found, 2, "  01-01 10:00:00.000 " + text.replace("\n", ""))


def test_digits_of_the_phones_language() -> None:
    """DateFormat.format prints TIME in the phone's own digits, up to API 34."""
    found = text_history("            0 (9) RESET:TIME: ٢٠٢٦-٠١-٣١-١٢-٠٤-١٣", "     +1s000ms (2) 099")
    assert found.local_start == "2026-01-31-12-04-13"
    assert not found.unknown


@pytest.mark.parametrize(
    "line",
    [
        "            0 (15) RESET:TIME: 2016-03-01-10-00-00",
        '    +1m02s003ms (2) 055 wake_reason=0:"289:qcom,smd-rpm:200 wcd"',
        '    +1m02s003ms (3) 055 +wake_lock=1000:"*alarm*" wifi_signal_strength=4 wifi_suppl=4-way-handshake',
        "    +1m02s003ms (3) 055 +cellular_high_tx_power gps_signal_quality=good modemRailChargemAh=12.25",
        '    +1m02s003ms (1) 054 -top=u10a33:"a" +est_capacity=3000:"" phone_state=emergency data_conn=emngcy',
        "    +1m02s003ms (5) 054 ext=energy:DISPLAY=12 GPU=3",
        "                 ext=cpu-bracket:0:0-3(300000)",
        "                 ext=cpu:u0a7: 5, 6",
        "    +1m02s003ms (5) 054 ext=cpu:u0a7: 5, 6",
        "                          /proc/stat=1 usr, 2 sys, 0 io, 0 irq, 0 sirq, 3 idle, PlatformIdleStat Empty",
        ", SubsystemPowerState subsystem_0 name=a states: x",
    ],
)
def test_text_lines_of_every_level_are_explained(line: str) -> None:
    assert not text_history(line).unknown


IN_LINE = '9,h,5,+S,+w=u0a12:"a, ""b""",wr=0:"57,x",-S'


def test_tags_in_line_when_the_pool_is_full() -> None:
    """HISTORY_TAG_POOL_OVERFLOW, Android 15 on: uid and text stand in the check-in line, quotes doubled."""
    line = read_history(1, IN_LINE, Issues())
    assert emit_history(line) == IN_LINE
    found = History(Issues())
    found.feed(line)
    assert [(c.name, c.value) for c in found.items[0].changes] == [
        ("screen", None), ("wake_lock", (10012, 'a, "b"')), ("wake_reason", (0, "57,x")), ("screen", None),
    ]  # fmt: skip
    assert not found.unknown
    assert found.items[0].changes[1].sign == "+"


@given(
    st.lists(
        st.sampled_from([IN_LINE, "9,h,1,+S", '9,h,2,"a', '9,h,3,x"y",z', '9,h,4,+w=1:"', '9,h,5,"a,b"c']), min_size=1
    )
)
@settings(max_examples=100, deadline=None)
def test_all_ways_of_reading_agree_on_quotes(lines: list[str]) -> None:
    singly = [read_history(n, line, Issues()) for n, line in enumerate(lines, 1)]
    assert list(map(emit_history, singly)) == lines
    assert BlockReader(Reader(Issues())).read(1, lines).history() == singly
    try:
        table = kernels.load("numba")
    except ImportError:
        return
    block = ColumnReader(table, BlockReader(Reader(Issues(), 36))).read(1, "".join(f"{x}\n" for x in lines).encode())
    assert block is None or block.history() == singly


FULL_POOL = '''9,0,i,vers,36,215,A,A
9,h,0:RESET:TIME:1700000000000
9,h,5,-r,+S,+w=u0a12:"com.secret.app, ""x""",wr=0:"57,secretreason",+Etp=u0a13:"com.secret.top"
9,0,l,bt,0,9000,8000,9500,8500,1700000000000,4000,3000,4000,3900000,4000000,10
9,0,l,pws,4000,147,400,440
'''


def test_tags_in_line_are_redacted_and_go_into_the_pool_of_the_old_form(tmp_path: Path) -> None:
    path, hidden, older = tmp_path / "in.txt", tmp_path / "out.txt", tmp_path / "bugreport.txt"
    path.write_text(FULL_POOL)
    assert main(["android", "redact", str(path), "-o", str(hidden)]) == 0
    assert "secret" not in hidden.read_text()
    assert re.search(r'\+w=u0a12:"app\.x\w+, ""tag\.x\w+"""', hidden.read_text())
    assert main(["android", "downgrade", "--no-redact", str(path), str(older)]) == 0
    text = older.read_text()
    assert complaints(text) == []
    assert "9,h,5,+S,+w=0,wr=1,+Etp=2" in text  # nothing ran before: the old reader objects to `-r`
    assert '9,hsp,2,10013,"com.secret.top"' in text
