from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.android.checkin.blocks import BlockReader
from powerhal.android.checkin.lines import Reader
from powerhal.android.history.lines import emit_history, is_history, read_history
from powerhal.android.history.states import History
from powerhal.android.history.text import duration_ms, feed_text
from powerhal.android.issues import Issues

LINE = st.text(st.characters(blacklist_characters="\n\r", blacklist_categories=("Cs",)), max_size=40)


def history(*lines: str) -> History:
    out = History(Issues())
    for number, line in enumerate(lines, 1):
        out.feed(read_history(number, line, out.issues))
    out.close()
    return out


@given(LINE, st.sampled_from(["9,h,", "9,hsp,", "9,h,5,", "9,h,0:", '9,hsp,1,2,"']))
@settings(max_examples=500, deadline=None)
def test_every_history_line_is_printed_again(text: str, head: str) -> None:
    line = head + text
    assert is_history(line)
    item = read_history(1, line, Issues())
    assert emit_history(item) == line
    assert BlockReader(Reader(Issues())).read(1, [line]).history() == [item]


@pytest.mark.parametrize(
    "line",
    [
        "9,h,0:RESET:TIME:1422620451417", "9,h,0:*OVERFLOW*", "9,h,5", "9,h,1,,Bl=99", "9,h,100,-di,",
        "9,h,0,Dcpu=112830:66390/1000:32930:19830/0:9850:23180", "9,h,0,Dpst=1,2,3,4,5,6,Empty,a=b,",
        "9,h,0,XB,0,1,little core, 0-3", "9,h,0,+S,XE,GPU=12,DISPLAY=3", "9,h,0,XC,10001,5,6",
        r'9,hsp,3,10222,"Say \"hi\", \\o/"', "9,hsp,17,1010054,unquoted/x", "9,h,-5,+S", "9,h,007,+S",
    ],
)  # fmt: skip
def test_known_forms(line: str) -> None:
    assert emit_history(read_history(1, line, Issues())) == line


def test_times_states_and_resets() -> None:
    found = history(
        "9,h,0:RESET:TIME:1000000", "9,h,0,Bl=100,+S,+r", "9,h,500,-S", "9,h,100,+S", "9,h,400:SHUTDOWN",
        "9,h,1000:START", "9,h,0:TIME:1002500", "9,h,10,+S,Bl=99", "9,h,20,-S",
    )  # fmt: skip
    assert found.start_ms == 1000000
    assert found.now_ms == 2030
    assert found.states_ms["screen"] == 500 + 400 + 20
    assert found.levels == [(0, 100), (2010, 99)]
    assert [m.command for m in found.marks] == ["RESET", "TIME", "SHUTDOWN", "START", "TIME"]


def test_after_overflow_states_are_not_trusted() -> None:
    found = history("9,h,0,+S", "9,h,100:*OVERFLOW*", "9,h,100,-S", "9,h,0,+S", "9,h,900,-S,Bl=50")
    assert found.states_ms["screen"] == 100
    assert found.overflows == 1
    assert found.levels == [(1100, 50)]


def test_unknown_tokens_are_kept_and_counted() -> None:
    found = history("9,h,0,ap_temp=31,+S,Ev99=1")
    assert dict(found.unknown) == {"ap_temp": 1, "Ev99": 1}
    assert [c.name for c in found.items[0].changes] == ["ap_temp", "screen", "Ev99"]


def test_pool_strings_stand_in_events() -> None:
    found = history('9,hsp,3,10007,"a,\\"b"', "9,h,0,+Etp=3,+w=3", "9,h,5,wr=9")
    assert found.items[0].changes[0].value == (10007, 'a,"b')
    assert found.items[1].changes[0].value == 9


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1h 2m 3s 4ms ", 3723004),
        ("+1d2h3m4s5ms", 93784005),
        ("+1m01s587ms", 61587),
        ("0", 0),
        ("-2m53s434ms", -173434),
    ],
)
def test_durations(text: str, ms: int) -> None:
    assert duration_ms(text) == ms


def test_text_and_checkin_forms_agree() -> None:
    text = History(Issues())
    for n, line in enumerate((
        '          0 (9) RESET:TIME: 2026-01-31-12-04-13',
        '          0 (2) 100 status=discharging volt=4350 +running +screen top=u0a7:"my app"',
        '     +500ms (2) 100 -screen',
        '   +1s000ms (2) 099 c0100020 volt=4340 wake_reason=0:"57:a b"',
    ), 1):  # fmt: skip
        assert feed_text(text, n, line)
    text.close()
    checkin = history(
        '9,hsp,0,10007,"my app"', '9,hsp,1,0,"57:a b"', "9,h,0:RESET:TIME:1", "9,h,0,Bl=100,Bs=d,Bv=4350,+r,+S,Etp=0",
        "9,h,500,-S", "9,h,500,Bl=99,Bv=4340,wr=1",
    )  # fmt: skip
    assert text.levels == checkin.levels
    assert text.volts == checkin.volts
    assert text.states_ms == checkin.states_ms
    assert not text.unknown
    changes = {(c.sign, c.name, c.value) for i in text.items for c in i.changes}
    assert changes == {(c.sign, c.name, c.value) for i in checkin.items for c in i.changes}


def test_real_snippets_hold_no_unexplained_token(shared: Path) -> None:
    files = sorted((shared / "data/android/history").glob("*.txt"))
    assert files
    for file in files:
        found = History(Issues())
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if is_history(line):
                item = read_history(number, line, found.issues)
                assert emit_history(item) == line
                found.feed(item)
        assert not found.unknown, file.name
        assert not found.issues.total, file.name
