"""The text of `dumpsys batterystats`, old and new, into a `Statistics` and a `History`.

Sections follow each other: history, per-pid, steps, daily, statistics. The power table has two shapes: one
line per consumer (to Android 11) or `Global` and `UID` lines with components (from Android 12).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from powerhal.android.history.states import History
from powerhal.android.history.text import HEADER, duration_ms, feed_text, whole
from powerhal.android.human.device import DeviceText
from powerhal.android.human.power import PowerTable
from powerhal.android.human.uid import UidText
from powerhal.android.issues import Issues
from powerhal.android.statistics import Statistics
from powerhal.android.uids import parse_uid

WINDOW = re.compile(r"Statistics since (last charge|last unplugged)[^:]*:")
POWER = re.compile(r"  Estimated power use \(mAh\):\s*")
UID_HEAD = re.compile(r"  (u[0-9]+[a-z]+[0-9]+|-?[0-9]+):")
MAX_TEXT_LINE = 1 << 13  # the patterns backtrack; no line of a real dump is half as long
SECTIONS = (
    "Per-PID Stats:", "Discharge step durations:", "Charge step durations:", "Daily stats:", "Old battery History:",
)  # fmt: skip
# what a step says of its conditions -> the column and the word of the check-in records `dsd` and `csd`
CONDITIONS = {
    "screen-off": ("screen", "s-"), "screen-on": ("screen", "s+"), "screen-doze": ("screen", "sd"),
    "screen-doze-suspend": ("screen", "sds"), "screen-?": ("screen", "?"), "power-save-on": ("power_save", "p+"),
    "power-save-off": ("power_save", "p-"), "device-idle-on": ("idle", "i+"), "device-idle-off": ("idle", "i-"),
}  # fmt: skip
# what the service prints after the statistics, from Android 9 on
TAIL = re.compile(
    r"Per process state tracking available:|Total cpu time reads:|Batching Duration|Batched cpu time reads"
    r"|All UID cpu time reads|UIDs removed since|Currently mapped isolated uids:|BatteryStats constants:"
    r"|Per UID |On-battery (?:energy consumer|measured energy) stats|CPU wakeup stats:"
)
ISOLATED = re.compile(r"  ([0-9]{1,9})->([0-9]{1,9})(?: \(ref count = [0-9]{1,9}\))?")
STEP = re.compile(r"  #[0-9]+: (\S+) to ([0-9]{1,18})\s*(?:\((.*)\))?")


class TextReader:
    """One text dump, line by line; `done` lines were understood."""

    def __init__(self, issues: Issues) -> None:
        self.issues = issues
        self.history = History(issues)
        self.windows: dict[str, Statistics] = {}
        self.steps: dict[str, list[dict[str, Any]]] = {}
        self.mode: Callable[[int, str], bool] | None = None
        self.done = 0
        self.blocks: list[int] = []  # uids with a block, in the order of the text
        self.tailed = False  # what the service prints behind the statistics was seen
        self._begin(Statistics("l"))
        self._power = PowerTable(self._stats)
        self._step = ""

    def _begin(self, stats: Statistics) -> None:
        self._stats, self._device = stats, DeviceText(stats)
        self._uid: UidText | None = None

    @property
    def main(self) -> Statistics:
        """The sums since the last charge, or the ones that are read now."""
        return self.windows.get("l") or self._stats

    def feed(self, number: int, line: str) -> bool:
        """One line; False when it means nothing to this reader."""
        if len(line) > MAX_TEXT_LINE:
            self.issues.add(number, "text", "", f"longer than {MAX_TEXT_LINE} characters: skipped")
            return False
        if self.mode is None and POWER.match(line):  # `--usage`: the table alone
            self.windows["l"] = self._stats
            self._begin_power()
            self.done += 1
            return True
        known = self._heading(line) or (self.mode is not None and self.mode(number, line))
        self.done += known
        return known

    def _heading(self, line: str) -> bool:
        """A line without indentation starts a section."""
        if line[:1] in ("", " ", "\t"):
            return False
        if HEADER.match(line):
            self.mode = self._history
        elif match := WINDOW.match(line):
            self._begin(self.windows.setdefault("u" if "unplugged" in match[1] else "l", Statistics("l")))
            self._stats.window = "u" if "unplugged" in match[1] else "l"
            self.mode = self._statistics
        elif line.startswith(SECTIONS):
            self._step = line.partition(" step")[0].lower() if " step" in line else ""
            self.mode = self._read_step if self._step else self._elsewhere
        elif TAIL.match(line):
            self.tailed = True
            self.mode = self._isolated if "isolated" in line else self._elsewhere
        else:
            return False
        return True

    def _history(self, number: int, line: str) -> bool:
        if line.startswith("  NEXT: "):
            self.history.next_start = whole(line[8:])
            return True
        if feed_text(self.history, number, line):
            return True
        if line.strip():
            self.issues.add(number, "history", "", f"not understood: {line.strip()[:60]!r}")
        return not line.strip()

    def _isolated(self, number: int, line: str) -> bool:
        """Which app an isolated uid works for."""
        if match := ISOLATED.fullmatch(line.rstrip()):
            self._stats.totals.setdefault("isolated_uids", {})[match[1]] = int(match[2])
        return True

    def _elsewhere(self, number: int, line: str) -> bool:
        return True

    def _read_step(self, number: int, line: str) -> bool:
        if match := STEP.fullmatch(line.rstrip()):
            words = [word.strip() for word in (match[3] or "").split(",")]
            row = {"duration_ms": duration_ms(match[1]), "level_percent": int(match[2]), "conditions": match[3] or ""}
            self.steps.setdefault(self._step, []).append(row | dict(CONDITIONS[w] for w in words if w in CONDITIONS))
        return True

    def _statistics(self, number: int, line: str) -> bool:
        if head := UID_HEAD.fullmatch(line.rstrip()):
            uid = parse_uid(head[1])
            self._uid = None if uid is None else UidText(self._stats.uid(uid))
            if uid is not None and self._stats.window == "l":
                self.blocks.append(uid)
            return True
        if self._uid is not None and line.startswith("   "):
            return self._uid.feed(line)
        self._uid = None
        if POWER.match(line):
            self._begin_power()
            return True
        return not line.strip() or self._device.feed(line)

    def _begin_power(self) -> None:
        self._power, self.mode, self._uid = PowerTable(self._stats), self._table, None

    def _table(self, number: int, line: str) -> bool:
        """The power table: ended by a line that stands further left."""
        if not self._power.holds(line):
            self.mode = self._statistics
            return self._statistics(number, line)
        known = self._power.feed(line)
        if not known:
            self.issues.add(number, "power", "", f"not understood: {line.strip()[:60]!r}")
        return known
