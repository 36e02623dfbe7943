"""What Battery Historian's parsers accept, written down once more and apart from the code under test.

By position and by its own state machine; facts from google/battery-historian (d2356ba4): checkinparse, parseutils,
bugreportutils. `complaints` gives the errors and warnings that it would give.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

CUT = 1_124_280_000_000  # ms: a TIME before 2005-08-17 begins no summary
F8, F5 = "f" * 8, "f" * 5
# code: types by position (f float32, i int32, l int64, s text), columns at least; None: as many as there are types
RECORDS: dict[str, tuple[str, int | None]] = {
    "uid": ("is", 2),
    "bt": ("fffff" + "l" + "ff" + "lll", 1), "gn": (F8 + "ll", 1), "m": ("f" * 15 + "lilill", 2),
    "br": (F5, None), "sgt": (F5, None), "sgc": (F5, None), "wsgt": (F5, None), "wsgc": (F5, None), "sst": ("f", 1),
    "dct": ("f" * 17, None), "dcc": ("f" * 17, None), "wst": (F8, None), "wsc": (F8, None), "wsst": ("f" * 13, None),
    "wssc": ("f" * 13, None), "gwfl": ("f" * 6, 1), "lv": ("ff", 1), "dc": ("ffffll", 1), "kwl": ("sffll", 1),
    "wr": ("sff", 1), "pws": ("ffff", 1), "nt": ("f" * 10 + "llii" + "l" * 8, 1), "wfl": ("f" * 7 + "ill", 3),
    "blem": ("liilli", 1), "ua": ("ffff", 1), "sy": ("sffli", 1), "jb": ("sffli", 1), "fla": ("ff", 1),
    "cam": ("ff", 1), "vid": ("ff", 1), "aud": ("ff", 1), "vib": ("ff", 1), "fg": ("ff", 1), "sr": ("iffill", 1),
    "st": ("lllflf", None), "cpu": ("fff", 1), "pr": ("s" + "f" * 6, 1), "wua": ("si", 1), "apk": ("fssfff", 2),
    "bst": ("ffff", None), "bsc": ("ffff", None), "dsd": ("ffsss", 1), "csd": ("ffsss", 1),
    "dtr": ("l", 1), "ctr": ("l", 1), "pwi": ("sf", 2),
    "wl": ("s" + "fsflll" * 3, None),
}  # fmt: skip
CONTROLLER = ("gmcd", "gwfcd", "gble", "mcd", "wfcd", "ble")
ONCE = {"bt", "gn", "m", "br", "sst", "lv", "dc", "pws", "dtr", "ctr", "sgt", "sgc", "dct", "dcc", "wst", "wsc",
        "wsst", "wssc", "wsgt", "wsgc", "bst", "bsc"}  # fmt: skip
ITEMS = {"idle", "cell", "phone", "wifi", "blue", "scrn", "uid", "user", "unacc", "over", "???", "flashlight"}
BOOLS = {"g", "s", "S", "BP", "Pcl", "Pr", "Psc", "bles", "W", "Wl", "Ws", "Wm", "Wr", "Ww", "lp", "ps", "a", "ca", "v",
         "fl", "ch"}  # fmt: skip
TIMED = {"Epr", "Efg", "Etp", "Esy", "Ewl", "Ejb", "Elw", "Etw", "Eal"}
POOLED = {"Epi", "Epu", "Eaa", "Eai", "Est", "wr", "Esw"}
FREE = {"Pcn", "di", "Dcpu", "Ewa", "Esm", "Eac", "Eur", "Euf"}
INTS = {"Bt", "Bv", "Bl", "Sb", "Bcc"}
VALUES = {
    "Bs": "? c n d f", "Bh": "? g h d v f c", "Bp": "n a u w", "Pss": "0 1 2 3 4", "Wss": "0 1 2 3 4",
    "Pst": "in out em off",
    "Wsp": "inv dsc dis inact scan auth ascing asced 4-way group compl dorm uninit",
}  # fmt: skip


def section(report: str) -> list[str]:
    """The check-in section, as it cuts it out."""
    out: list[str] = []
    inside = False
    for line in (raw.strip() for raw in report.split("\n")):
        if match := re.search(r"------\s+(.*)\s+-----", line):
            if inside:
                break
            inside = "CHECKIN BATTERYSTATS" in match[1]
        elif inside:
            out.append(line)
    return out


def complaints(report: str) -> list[str]:
    """Everything it would print above its page."""
    out = []
    for pattern in (r"==\sdumpstate:\s\d+-\d+-\d+\s\d+:\d+:\d+", r"Build\s+fingerprint:\s+'\S+'",
                    r"\[ro.build.version.sdk\]:\s+\[\d+\]"):  # fmt: skip
        if not re.search(pattern, report):
            out.append(f"no {pattern}")
    lines = section(report)
    if "Exception occurred while dumping" in "\n".join(lines):
        out.append("exception")
    return [*out, *_records(lines), *_history(lines)]


def _records(lines: list[str]) -> Iterator[str]:
    rows = [row for row in csv.reader(io.StringIO("\n".join(lines))) if len(row) >= 4 and row[2] in ("i", "l")]
    if len(rows) != sum(line.split(",")[2] in ("i", "l") for line in lines if not line.startswith("9,h")):
        yield "a record was swallowed by a quote"
    seen: set[str] = set()
    apps: dict[str, int] = {}
    owners: dict[str, int] = {}
    levels: dict[tuple[str, int], int] = {}
    realtime = 0.0
    for _, uid, _, code, *columns in rows:
        app = int(uid) % 100_000 if int(uid) >= 0 else -(-int(uid) % 100_000)
        if code == "vers":
            if not 11 <= int(columns[0]) <= 21 or code in seen:
                yield "version"
            seen.add(code)
            continue
        if code in ONCE and code in seen:
            yield f"{code} again"
        seen.add(code)
        yield from _columns(code, columns)
        if code == "bt":
            realtime = float(columns[1]) if len(columns) > 1 else 0
        elif code == "m" and float(columns[0]) > realtime:
            yield "negative screen off time"
        elif code == "uid":
            apps.setdefault(columns[1], int(columns[0]) % 100_000)
        elif code == "pwi" and columns[0] not in ITEMS:
            yield f"unknown item {columns[0]}"
        elif code == "apk" and owners.setdefault(columns[1], app) != app:
            yield "duplicate package names"
        elif (
            code in CONTROLLER
            and not code.startswith("g")
            and levels.setdefault((code, app), len(columns)) != len(columns)
        ):
            yield "different number of transmit levels"
    if "vers" not in seen:
        yield "no version"


def _columns(code: str, columns: list[str]) -> Iterator[str]:
    if code in CONTROLLER:
        if len(columns) < 4 or not all(_fits(text, "l") for text in columns):
            yield f"{code} {columns}"
        return
    if code not in RECORDS:
        yield f"unknown category {code}"
        return
    types, least = RECORDS[code]
    if len(columns) > len(types) or len(columns) < (len(types) if least is None else least):
        yield f"{code} has {len(columns)} columns"
    for text, kind in zip(columns, types, strict=False):
        if not _fits("0" if (code, text) == ("bt", "N/A") else text, kind):
            yield f"{code} {text!r}"


def _fits(text: str, kind: str) -> bool:
    if kind == "s":
        return True
    if kind == "f":
        return re.fullmatch(r"-?\d+(\.\d+)?(E-?\d+)?", text) is not None and abs(float(text)) < 3.5e38
    bits = 31 if kind == "i" else 63
    return re.fullmatch(r"-?\d+", text) is not None and -(2**bits) <= int(text) < 2**bits


class _State:
    def __init__(self) -> None:
        self.on: set[str] = set()
        self.ended: set[str] = set()
        self.spans: set[tuple[str, str]] = set()
        self.held = False
        self.reason = False


def _history(lines: list[str]) -> Iterator[str]:
    pool: dict[str, str] = {}
    state = _State()
    begun = False
    now = start = 0
    active = True
    for line in lines:
        if match := re.match(r'9,hsp,(\d+),-?\d+,("?.+)$', line):
            if begun:
                yield "a pool line after the history"
            pool[match[1]] = match[2].strip('"')
        elif line.startswith("9,h,"):
            begun = True
            head, *tokens = line[4:].split(",")
            if not re.fullmatch(r"\d+(:(START|SHUTDOWN|\*OVERFLOW\*|(RESET:)?TIME:\d+))?", head):
                yield f"head {head}"
            if ":*OVERFLOW*" in head:
                return
            epoch = int(head.rsplit(":", 1)[1]) if ":TIME:" in head else None
            if ":START" in head or (":RESET" in head and start > 0):  # a reset without a start clears nothing
                state, active = _State(), True
            if epoch is None:
                now = 0 if ":START" in head else now + int(head.partition(":")[0])
                start = 0 if ":START" in head else start
            else:
                set_now = start < CUT < epoch
                now, start = epoch, epoch if ":RESET" in head or set_now else start
            for status in (token[3:] for token in tokens if token.startswith("Bs=")):
                if status in ("c", "d", "n") and active == (status == "c"):
                    start, active = now, not active
            yield from _tokens(tokens, state, pool)


def _tokens(tokens: list[str], state: _State, pool: dict[str, str]) -> Iterator[str]:
    numbers_left = 0
    for token in tokens:
        if numbers_left:
            numbers_left -= 1
            if not token.isdigit():
                yield f"Dpst {token}"
            continue
        match = re.fullmatch(r"([+-]?)(\w+)(?:=(\S+))?", token)
        if not match:
            yield f"token {token!r}"
            continue
        sign, key, value = match[1], match[2], match[3] or ""
        if key == "Dpst":
            numbers_left = 5
        yield from _change(sign, key, value, state, pool)
    if numbers_left:
        yield "Dpst is short"


def _change(sign: str, key: str, value: str, state: _State, pool: dict[str, str]) -> Iterator[str]:
    if key in TIMED | POOLED and value not in pool:
        yield f"{key} is not in the pool"
    elif key in BOOLS or key == "r":
        yield from _bool(sign, key, state)
    elif key in TIMED:
        yield from _timed(sign, key, value, state, pool)
    elif key == "w":
        if sign != "-" and (state.held or value not in pool):
            yield "two holders"
        state.held = sign != "-"
    elif key == "Esw":
        if state.reason:
            yield "two reasons"
        state.reason = True
    elif key == "Ecn":
        if pool.get(value) not in ("CONNECTED", "DISCONNECTED", "SUSPENDED"):
            yield f"Ecn {pool.get(value)}"
    elif key in INTS:
        if not re.fullmatch(r"-?\d+", value):
            yield f"{key} {value}"
    elif key in VALUES:
        if value not in VALUES[key].split():
            yield f"{key} {value}"
    elif key not in FREE | POOLED | {"Dpst"}:
        yield f"unknown key {key}"


def _bool(sign: str, key: str, state: _State) -> Iterator[str]:
    if (
        not sign
        or (sign == "-" and key not in state.on and key in state.ended)
        or (sign + key == "+r" and key in state.on)
    ):
        yield f"{sign}{key} twice"
    if key == "S" and len([k for k, _ in state.spans if k == "Etp"]) > 1:
        yield "too many apps on top"
    if sign == "-":
        state.ended.add(key)
        state.on.discard(key)
        state.reason = state.reason and key != "S"
    else:
        state.on.add(key)


def _timed(sign: str, key: str, value: str, state: _State, pool: dict[str, str]) -> Iterator[str]:
    if sign == "+" and (key, value) in state.spans:
        yield f"{key} begins twice"
    if sign == "-" and (key, value) not in state.spans and f"{key}{pool[value]}" in state.ended:
        yield f"{key} ends twice"
    if sign == "-":
        state.spans.discard((key, value))
        state.ended.add(f"{key}{pool[value]}")
    else:
        state.spans.add((key, value))
