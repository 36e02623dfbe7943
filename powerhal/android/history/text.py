"""The battery history in the text form of `dumpsys batterystats`, into the same state machine.

`+1d2h3m4s5ms (n) 087 [hex states] tokens`: time since the start, record size, level, then the same changes
under their long names with the pool's strings in line. Only `Details` and `/proc/stat` lines, which hang
below an item, have another shape. Android 16 can print format 2: the device's own clock without the year
(`01-31 12:04:13.123`) in place of the time since the start and the record size.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from powerhal.android.history.states import Change, History
from powerhal.android.history.tokens import BY_NAME, TEXT_WORDS
from powerhal.android.uids import parse_uid

PART = re.compile(r"([0-9]{1,18})(ms|d|h|m|s)", re.ASCII)
SCALE_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
ITEM = re.compile(r"\s*([+-]?(?:[0-9]+(?:ms|d|h|m|s))+|[+-]?0)\s+(?:\(([0-9]{1,18})\)\s*)?(.*)", re.ASCII)
STAMPED = re.compile(r"\s*([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})\.([0-9]{3}) (.*)", re.ASCII)
LEVEL = re.compile(r"([0-9]{1,3})(?:\s+((?:[0-9a-f]{6,8})(?:,[0-9a-f]+)*)(?=\s|$))?\s*", re.ASCII)
TOKEN = re.compile(r'([+-]?)([A-Za-z_*/][^\s=]*)(?:=((?:[^\s"]*"(?:[^"]|"(?!\s|$))*")|[^\s]*))?')
EVENT = re.compile(r'([^:"]*):"(.*)"', re.DOTALL)
COMMAND = re.compile(r"(?:(RESET):)?(TIME):\s*([\d-]+)|(SHUTDOWN|START|RESET|\*OVERFLOW\*)")
WALL_CLOCK = re.compile(r"[0-9]{4}(?:-[0-9]{2}){5}")
DETAIL = re.compile(
    r"\s*(?:Details:|/proc/stat=|ext=|Stats: |, (?:PlatformIdleStat|SubsystemPowerState) "
    r"|\S+=[0-9]+u\+[0-9]+s|[A-Za-z ]*State|\()"
)
WORKED = re.compile(r"\s*Details: cpu=([0-9]{1,15})u\+([0-9]{1,15})s(?: \((.*)\))?\s*", re.ASCII)
UID_WORKED = re.compile(r"(\w+)=([0-9]{1,15})u\+([0-9]{1,15})s", re.ASCII)
# what format 2 hangs below an item with `-v`: further lines of its power statistics
STATISTIC = re.compile(r"\s{19,}\S")
# charges of energy consumers, times per power bracket (Android 14): free form up to the end
EXTENSION = re.compile(r'(?:^|\s)ext=([^"]*)$')
PROCESS_STATE = re.compile(r"(?:^|\s)procstate: (\S+: \w+)\s*$")
HEADER = re.compile(r"Battery History.*?:\s*$")


LEAP = 2000  # a year that has every day, as long as none is named


def duration_ms(text: str) -> int:
    """Any of Android's durations in ms: `1h 2m 3s 4ms`, `+1d2h3m4s5ms`, `-2m53s434ms`; 0 for nothing at all."""
    total = sum(int(n[:18]) * SCALE_MS[unit] for n, unit in PART.findall(text))
    return -total if text.lstrip().startswith("-") else total


def whole(text: str) -> int | None:
    """A counter of at most 18 digits; None for anything else."""
    text = text.strip()
    return int(text) if len(text) <= 18 and text.isascii() and text.isdigit() else None


def feed_text(history: History, number: int, line: str) -> bool:
    """One line of the history section; False when it is not of it."""
    if stamped := STAMPED.fullmatch(line):
        rest = stamped[7]
        _at_clock(history, number, stamped)
    elif item := ITEM.fullmatch(line):
        rest = item[3]
        history.now_ms = max(duration_ms(item[1]), history.now_ms)
    else:
        if worked := WORKED.fullmatch(line):
            _cpu_times(history, number, worked)
        below = DETAIL.match(line) or (history.clock is not None and STATISTIC.match(line))
        return bool(line.strip()) and bool(below)
    history.lines += 1
    while command := COMMAND.match(rest):
        _command(history, number, command)
        rest = rest[command.end() :].lstrip()
    level = LEVEL.match(rest)
    changes = []
    if level:
        if not history.levels or history.levels[-1][1] != int(level[1]):
            changes.append(Change("", "battery_level", int(level[1])))
        rest = rest[level.end() :]
    for name, free in (("procstate", PROCESS_STATE), ("ext", EXTENSION)):
        if state := free.search(rest):
            changes.append(Change("", name, state[1]))
            rest = rest[: state.start()]
    changes += [_change(history, *m.groups()) for m in TOKEN.finditer(rest)]
    if changes or level:
        history.change(number, changes)
    return True


def _at_clock(history: History, number: int, match: re.Match[str]) -> None:
    """Move on by what the device's clock moved on; the year is that of the last TIME command, or passes with Dec 31."""
    year = re.search(r"TIME:\s*(\d{4})-", match[7])
    month, day, hour, minute, second, ms = (int(part) for part in match.groups()[:6])
    before = history.clock
    named = int(year[1]) if year else before.year if before else LEAP
    try:
        clock = datetime(min(max(named, 1), 9998), month, day, hour, minute, second, ms * 1000)
    except ValueError:
        history.issues.add(number, "history", "time", f"no such time: {match[0].strip()[:18]!r}")
        return
    if before is not None and year is None and before - clock > timedelta(days=183):
        clock = clock.replace(year=named + 1, day=1 if (month, day) == (2, 29) else day)
    if before is not None and clock < before and not year:
        history.issues.add(number, "history", "time", "time runs backwards")
    if before is not None and clock > before and (clock.year - before.year <= 1 or not year):
        history.now_ms += (clock - before) // timedelta(milliseconds=1)
    history.clock = clock


def _cpu_times(history: History, number: int, match: re.Match[str]) -> None:
    """CPU time since the step before, in the shape of the check-in form's `Dcpu`: `user:system/uid:user:system`."""
    parts = [f"{match[1]}:{match[2]}"]
    for name, user_ms, system_ms in UID_WORKED.findall(match[3] or ""):
        uid = parse_uid(name)
        parts += [] if uid is None else [f"{uid}:{user_ms}:{system_ms}"]
    history.change(number, [Change("", "cpu_times", ("", "/".join(parts)))])


def _command(history: History, number: int, match: re.Match[str]) -> None:
    reset, _, stamp, word = match.groups()
    stamp = re.sub(r"\d", lambda digit: str(int(digit[0])), stamp or "")  # printed in the phone's own digits
    if stamp and not history.local_start and WALL_CLOCK.fullmatch(stamp):
        history.local_start = stamp
    epoch = whole(stamp)
    if reset:
        history.mark(number, "RESET", epoch)
    history.mark(number, "TIME" if stamp else word.strip("*"), epoch)


def _change(history: History, sign: str, name: str, value: str | None) -> Change:
    word = BY_NAME.get(name)
    if word is None and name not in TEXT_WORDS:
        history.unknown[name] += 1
    if value is None:
        return Change(sign, name)
    event = EVENT.fullmatch(value)
    if event:
        return Change(sign, name, (parse_uid(event[1]), event[2]))
    if word and word.kind == "number" and value.removeprefix("-").isdecimal():
        return Change(sign, name, int(value[:18]))
    return Change(sign, name, value)
