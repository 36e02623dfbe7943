"""Check-in records of Android 8 and later as the older records that Battery Historian reads, column by column.

Nothing is guessed: a value without an old column is dropped and counted by name, a record that lacks a needed
column or holds one that is not readable is dropped whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite

from powerhal.android.checkin.lines import Record
from powerhal.android.checkin.values import Value, number, show
from powerhal.android.share.columns import (
    COLUMNS,
    CONTROLLERS,
    KNOWN_APP_IDS,
    LEAST,
    NOT_TRACKED,
    ONCE,
    POWER_ITEMS,
    STEP_WORDS,
    WHOLE,
    app_id_there,
    columns,
)
from powerhal.android.statistics import component_at

LIMITS = {"i": 2**31 - 1, "l": 2**63 - 1, "r": 2**63 - 1}
LEARNED = frozenset(["uid", *CONTROLLERS])
EXCEPTION = "Exception occurred while dumping"  # anywhere in the section it means that the dump failed
FLOAT32_MAX = 3.4e38
QUOTABLE = frozenset(["kwl", "wr", "sy", "jb", "pr"])  # names that may hold commas
DEVICE_SECTION = 33  # from this API on a device's charge includes what its apps used of it


@dataclass(slots=True)
class Losses:
    """What did not fit: records and columns that were dropped, values that were changed; each by kind."""

    records: Counter[str] = field(default_factory=Counter)
    columns: Counter[str] = field(default_factory=Counter)
    changes: Counter[str] = field(default_factory=Counter)


def clean(text: str, losses: Losses, *, commas: bool) -> str:
    """A text that the old reader's CSV rules give back as one column.

    Double quotes become single ones, what does not print becomes `?`, a comma becomes `_` as the platform itself
    writes it where names stand unquoted.
    """
    out = "".join(c if c.isprintable() else "?" for c in text).replace('"', "'")
    out = out if commas else out.replace(",", "_")
    while "-----" in out:  # would look like the head of a section
        out = out.replace("-----", "--")
    out = out.replace(EXCEPTION, EXCEPTION.replace(" ", "_"))
    losses.changes["names with characters that the old form cannot hold"] += out != text
    return out


@dataclass(slots=True)
class RecordWriter:
    """The records of one dump in the old form; `version` is the dump's own where that is old already."""

    api: int
    version: int
    losses: Losses
    _seen: set[str] = field(default_factory=set)
    _packages: dict[str, int] = field(default_factory=dict)
    _tx: dict[tuple[str, int], int] = field(default_factory=dict)
    _owners: dict[str, int] = field(default_factory=dict)
    _place: int = 0
    battery_ms: int | None = None  # time on battery, once its record has been written

    def learn(self, records: Iterable[Record]) -> None:
        """Look over the records of `LEARNED` first: who owns which package, how many transmit levels there are."""
        for record in records:
            if record.code == "uid" and record.window == "i":
                app, package = record.number("app_id"), record.get("package")
                if app is not None and isinstance(package, str) and _in_range(int(app)) and _in_range(record.uid):
                    self._packages.setdefault(clean(package, Losses(), commas=False), app_id_there(int(app)))
            elif record.code in CONTROLLERS:
                key = (record.code, app_id_there(record.uid))
                levels = sum(name.startswith("tx_") for name, _ in record.items())
                self._tx[key] = max(self._tx.get(key, 0), levels)
        self._owners = dict(self._packages)

    def unnamed(self, records: Iterable[Record]) -> list[str]:
        """`uid` lines for app ids without a package, which the old reader would warn about."""
        used = {app_id_there(r.uid) for r in records if r.window in "il" and r.code in COLUMNS and _in_range(r.uid)}
        new = sorted(used - set(self._packages.values()) - KNOWN_APP_IDS)
        self.losses.changes["uid lines added for uids without a package"] += len(new)
        return [f"9,0,i,uid,{app},uid{app}" for app in new]

    def write(self, record: Record) -> str | None:
        """The line in the old form; None when the record is dropped (and counted)."""
        code = record.code
        if record.window not in ("i", "l"):
            self.losses.records[f"window {record.window}"] += 1
            return None
        if not columns(code, self.version) or not record.layout.known or not _in_range(record.uid):
            self.losses.records[code] += 1
            return None
        if code in ONCE:
            if code in self._seen:
                self.losses.records[f"{code} (repeated)"] += 1
                return None
            self._seen.add(code)
        texts = self._by_meaning(record)
        if texts is None:
            return None
        return ",".join([f"9,{record.uid},{record.window},{code}", *texts])

    def _by_meaning(self, record: Record) -> list[str] | None:
        found = {f.name: (f.kind, v) for f, v in zip(record.layout.fields, record.values, strict=True)}
        out: list[str] = []
        used: set[str] = set()
        for column in columns(record.code, self.version):
            names = [n for n in found if n.startswith(column.parts[0] + "_")] if column.rest else list(column.parts)
            here = [n for n in names if n in found]
            if not here and column.rest:
                return self._refuse(record, "without transmit times")
            if not here and column.parts[0].endswith(".total"):
                out.append(str(NOT_TRACKED))
                continue
            if not here:
                if record.code in WHOLE or not out:
                    return self._refuse(record, "too short")
                break
            used.update(here)
            values = [self._value(record, n, *found[n], column.kind) for n in here]
            if any(v is None for v in values):
                return self._refuse(record, "not readable")
            texts = [v for v in values if v is not None]
            if not column.rest and len(texts) > 1:
                texts = [str(total)] if abs(total := sum(map(int, texts))) <= LIMITS["l"] else []
            if not texts:
                return self._refuse(record, "not readable")
            out += texts
        if len(out) < LEAST.get(record.code, 1):
            return self._refuse(record, "too short")
        self._count_unused(record, used)
        return self._special(record, out)

    def _count_unused(self, record: Record, used: set[str]) -> None:
        merged = {part: c.parts[0] for c in columns(record.code, self.version) for part in c.parts[1:]}
        lost = set()
        for name, value in record.items():
            if name not in used:
                stem, _, last = name.rpartition("_")
                lost.add(stem if last.isdecimal() else name.partition(".")[0])
            elif name in merged and value != 0:
                self.losses.changes[f"{record.code}.{name} counted under {merged[name]}"] += 1
        self.losses.columns.update(f"{record.code}.{name}" for name in lost)

    def _refuse(self, record: Record, why: str) -> list[str] | None:
        self.losses.records[f"{record.code} ({why})"] += 1
        return None

    def _value(self, record: Record, name: str, printed: str, value: Value, kind: str) -> str | None:
        """One column as text of the old type; None when it is not of it."""
        if kind == "s":
            return self._text(record, name, value) if isinstance(value, str) else None
        if value is None and record.code == "bt":
            return "0"  # the start count's N/A, which the old reader takes for 0 as well
        amount = number(value)
        if amount is None:
            return None
        if kind == "f":
            return show(value, printed) if isfinite(amount) and abs(amount) <= FLOAT32_MAX else None
        if kind == "r" and isinstance(amount, float):
            self.losses.changes[f"{record.code}.{name} rounded to whole mAh"] += amount != round(amount)
            amount = round(amount)
        fits = isinstance(amount, int) and -LIMITS[kind] - 1 <= amount <= LIMITS[kind]
        return str(amount) if fits else None

    def _text(self, record: Record, name: str, value: str) -> str:
        commas = name == "name" and record.code in QUOTABLE
        text = clean(value, self.losses, commas=commas)
        return f'"{text}"' if record.code == "wr" or "," in text else text

    def _special(self, record: Record, texts: list[str]) -> list[str] | None:
        special = SPECIAL.get(record.code)
        return special(self, record, texts) if special else texts

    def _power_item(self, record: Record, texts: list[str]) -> list[str] | None:
        """Only the labels of 2017; the three that Android 13 prints as `???` are known by their place."""
        label = texts[0]
        if label != "uid":
            self._place += 1
            newer = component_at(self._place - 1, self.api) or label
            if label not in POWER_ITEMS or (label == "???" and self.api >= DEVICE_SECTION):
                self.losses.records[f"pwi {newer if label == '???' else label}"] += 1
                return None
            if self.api >= DEVICE_SECTION:
                self.losses.changes["pwi devices whose charge includes what apps used of them"] += 1
        return texts

    def _controller(self, record: Record, texts: list[str]) -> list[str]:
        """Users of one app are added up there, which needs the same number of transmit levels."""
        missing = self._tx.get((record.code, app_id_there(record.uid)), 0) + 3 - len(texts)
        return texts + ["0"] * missing

    def _misc(self, record: Record, texts: list[str]) -> list[str] | None:
        """The screen cannot be on longer than the battery was in use: the old reader takes that as an error."""
        if self.battery_ms is None:
            return self._refuse(record, "without a bt record before it")
        if float(texts[0]) > self.battery_ms:
            self.losses.changes["m.screen_on cut to the time on battery"] += 1
            texts[0] = str(self.battery_ms)
        return texts

    def _battery(self, record: Record, texts: list[str]) -> list[str]:
        self.battery_ms = int(texts[1]) if len(texts) > 1 else 0
        return texts

    def _step(self, record: Record, texts: list[str]) -> list[str] | None:
        for name, text in zip(("screen", "power_save", "idle"), texts[2:], strict=False):
            if text not in STEP_WORDS[name]:
                return self._refuse(record, f"{name} {text[:8]}")
        return texts

    def _service(self, record: Record, texts: list[str]) -> list[str]:
        """One package of two apps is an error there, so the second gets its app id behind its name."""
        app = app_id_there(record.uid)
        if len(texts) > 1 and self._owners.setdefault(texts[1], app) != app:
            self.losses.changes["apk packages of several uids, told apart by @uid"] += 1
            return [texts[0], f"{texts[1]}@{app}", *texts[2:]]
        return texts


def _in_range(uid: int) -> bool:
    return -(2**31) <= uid < 2**31


SPECIAL = {
    "pwi": RecordWriter._power_item,
    **dict.fromkeys(CONTROLLERS, RecordWriter._controller),
    "bt": RecordWriter._battery,
    "m": RecordWriter._misc,
    "dsd": RecordWriter._step,
    "csd": RecordWriter._step,
    "apk": RecordWriter._service,
}
