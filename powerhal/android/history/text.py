"""The battery history in the text form of `dumpsys batterystats`, into the same state machine.

`+1d2h3m4s5ms (n) 087 [hex states] tokens`: time since the start, record size, level, then the same changes
under their long names with the pool's strings in line. Only `Details` and `/proc/stat` lines, which hang
below an item, have another shape.
"""

from __future__ import annotations

import re

from powerhal.android.history.states import Change, History
from powerhal.android.history.tokens import BY_NAME, TEXT_WORDS
from powerhal.android.uids import parse_uid

PART = re.compile(r"([0-9]{1,18})(ms|d|h|m|s)", re.ASCII)
SCALE_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
ITEM = re.compile(r"\s*([+-]?(?:[0-9]+(?:ms|d|h|m|s))+|[+-]?0)\s+(?:\(([0-9]{1,18})\)\s*)?(.*)", re.ASCII)
LEVEL = re.compile(r"([0-9]{1,3})(?:\s+((?:[0-9a-f]{6,8})(?:,[0-9a-f]+)*)(?=\s|$))?\s*", re.ASCII)
TOKEN = re.compile(r'([+-]?)([A-Za-z_*/][^\s=]*)(?:=((?:[^\s"]*"(?:[^"]|"(?!\s|$))*")|[^\s]*))?')
EVENT = re.compile(r'([^:"]*):"(.*)"', re.DOTALL)
COMMAND = re.compile(r"(?:(RESET):)?(TIME):\s*([0-9-]+)|(SHUTDOWN|START|RESET|\*OVERFLOW\*)")
WALL_CLOCK = re.compile(r"[0-9]{4}(?:-[0-9]{2}){5}")
DETAIL = re.compile(r"\s*(?:Details:|/proc/stat=|ext=|\S+=[0-9]+u\+[0-9]+s|[A-Za-z ]*State|\()")
WORKED = re.compile(r"\s*Details: cpu=([0-9]{1,15})u\+([0-9]{1,15})s(?: \((.*)\))?\s*", re.ASCII)
UID_WORKED = re.compile(r"(\w+)=([0-9]{1,15})u\+([0-9]{1,15})s", re.ASCII)
HEADER = re.compile(r"Battery History.*?:\s*$")


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
    item = ITEM.fullmatch(line)
    if item is None:
        if worked := WORKED.fullmatch(line):
            _cpu_times(history, number, worked)
        return bool(line.strip()) and DETAIL.match(line) is not None
    history.lines += 1
    history.now_ms = max(duration_ms(item[1]), history.now_ms)
    rest = item[3]
    while command := COMMAND.match(rest):
        _command(history, number, command)
        rest = rest[command.end() :].lstrip()
    level = LEVEL.match(rest)
    changes = []
    if level:
        if not history.levels or history.levels[-1][1] != int(level[1]):
            changes.append(Change("", "battery_level", int(level[1])))
        rest = rest[level.end() :]
    changes += [_change(history, *m.groups()) for m in TOKEN.finditer(rest)]
    if changes or level:
        history.change(number, changes)
    return True


def _cpu_times(history: History, number: int, match: re.Match[str]) -> None:
    """CPU time since the step before, in the shape of the check-in form's `Dcpu`: `user:system/uid:user:system`."""
    parts = [f"{match[1]}:{match[2]}"]
    for name, user_ms, system_ms in UID_WORKED.findall(match[3] or ""):
        uid = parse_uid(name)
        parts += [] if uid is None else [f"{uid}:{user_ms}:{system_ms}"]
    history.change(number, [Change("", "cpu_times", ("", "/".join(parts)))])


def _command(history: History, number: int, match: re.Match[str]) -> None:
    reset, _, stamp, word = match.groups()
    if stamp and not history.local_start and WALL_CLOCK.fullmatch(stamp):
        history.local_start = stamp
    epoch = whole(stamp or "")
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
