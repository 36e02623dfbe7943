"""Spans of states, people and enums from a history, and their seconds in windows."""

from __future__ import annotations

import numpy as np
import pytest

from powerhal.android.drain.activities import Grid, joined, timeline
from powerhal.android.history.lines import read_history
from powerhal.android.history.states import History
from powerhal.android.history.text import feed_text
from powerhal.android.issues import Issues


def history(*lines: str) -> History:
    issues = Issues()
    out = History(issues)
    for number, line in enumerate(lines):
        out.feed(read_history(number + 1, line, issues))
    out.close()
    return out


POOL = ('9,hsp,1,10001,"com.a"', '9,hsp,2,10002,"com.b"', '9,hsp,3,10002,"com.b/.Job"')


def test_states_people_and_enums() -> None:
    line = timeline(history(
        *POOL, "9,h,0:RESET:TIME:1700000000000", "9,h,0,Bl=90,+S,Sb=3,+Etp=1,Pss=2", "9,h,1000,+Etp=2,Sb=0",
        "9,h,2000,-S,-Etp=2,+Ejb=3", "9,h,500,-Ejb=3,+r", "9,h,500",
    ))  # fmt: skip
    assert line.end_ms == 4000
    assert line.states["screen"] == [(0, 3000)]
    assert line.states["running"] == [(3500, 4000)]
    assert line.people["top"] == [(0, 1000, 10001, "com.a"), (1000, 3000, 10002, "com.b")]
    assert line.people["job"] == [(3000, 3500, 10002, "com.b/.Job")]
    assert line.enums["brightness"] == [(0, 1000, "light"), (1000, 4000, "dark")]
    assert line.known == [(0, 4000)]


def test_overflow_shutdown_and_reset_forget() -> None:
    line = timeline(history(
        "9,h,0:RESET:TIME:1700000000000", "9,h,0,+S", "9,h,1000:*OVERFLOW*", "9,h,1000,+S", "9,h,1000:START",
        "9,h,0,+S", "9,h,1000:SHUTDOWN", "9,h,1000:START", "9,h,500,+S", "9,h,500",
    ))  # fmt: skip
    assert line.states["screen"] == [(0, 1000), (3000, 4000), (5500, 6000)]
    assert line.known == [(0, 1000), (3000, 4000), (5000, 6000)]
    assert line.unknown() == [(1000, 3000), (4000, 5000)]


def test_the_text_form_says_the_same() -> None:
    text = History(Issues())
    for number, row in enumerate((
        "                    0 (14) RESET:TIME: 2026-01-31-12-04-13",
        '                    0 (2) 090 +screen brightness=light top=u0a1:"com.a"',
        '                  +1s000ms (2) 090 -top=u0a1:"com.a" +top=u0a2:"com.b"',
        '                  +3s000ms (2) 089 -screen -top=u0a2:"com.b"',
    )):  # fmt: skip
        assert feed_text(text, number + 1, row)
    text.close()
    line = timeline(text)
    assert line.states["screen"] == [(0, 3000)]
    assert line.people["top"] == [(0, 1000, 10001, "com.a"), (1000, 3000, 10002, "com.b")]
    assert line.enums["brightness"] == [(0, 3000, "light")]


def test_seconds_in_windows() -> None:
    line = timeline(history(
        *POOL, "9,h,0:RESET:TIME:1700000000000", "9,h,0,+S,Sb=4,+Etp=1", "9,h,4000,-S,-Etp=1,+Ejb=3", "9,h,2000,+r",
        "9,h,4000,-r,-Ejb=3",
    ))  # fmt: skip
    grid = Grid(line, np.array([0, 3000, 10_000]))
    assert grid.per_window(grid.on("screen")) == pytest.approx([3.0, 1.0])
    assert grid.per_window(grid.on("screen") * grid.scale("brightness", {"bright": 0.9})) == pytest.approx([2.7, 0.9])
    assert grid.per_window(grid.on("running") & ~grid.on("screen")) == pytest.approx([0.0, 4.0])
    uid, window, spent = grid.by_uid("top", grid.on("screen"))
    assert sorted(zip(uid.tolist(), window.tolist(), spent.tolist(), strict=True)) == [(10001, 0, 3.0), (10001, 1, 1.0)]
    assert grid.crowd([(0, 5000), (4000, 10_000)]).max() == 2


def test_samples_of_cpu_time() -> None:
    line = timeline(history(
        "9,h,0:RESET:TIME:1700000000000", "9,h,60000,Bl=90", "9,h,0,Dcpu=100:50/1000:30:20/10001:5:5",
        "9,h,60000,Bl=89", "9,h,0,Dcpu=rubbish", "9,h,0,Dcpu=7:8",
    ))  # fmt: skip
    assert [(w.time_ms, w.user_ms, w.system_ms, w.uids) for w in line.worked] == [
        (60_000, 100, 50, ((1000, 50), (10001, 10))),
        (120_000, 7, 8, ()),
    ]


def test_joined() -> None:
    assert joined([(5, 7), (0, 2), (2, 3), (6, 9), (4, 4)]) == [(0, 3), (5, 9)]


def test_the_text_form_samples_cpu_time_too() -> None:
    text = History(Issues())
    for number, row in enumerate((
        "                    0 (14) RESET:TIME: 2026-01-31-12-04-13",
        "                  +3s000ms (2) 089 charge=5376",
        "                 Details: cpu=1281170u+1269860s (u0a12=100u+50s, 1000=7u+8s)",
        "                          /proc/stat=1332060 usr, 1240950 sys, 14340 io, 242240 irq, 41040 sirq, 12703 idle",
        "                  +4s000ms (2) 088",
        "                 Details: cpu=5u+6s",
    )):  # fmt: skip
        assert feed_text(text, number + 1, row)
    text.close()
    assert [(w.time_ms, w.user_ms, w.system_ms, w.uids) for w in timeline(text).worked] == [
        (3000, 1_281_170, 1_269_860, ((10_012, 150), (1000, 15))),
        (4000, 5, 6, ()),
    ]
