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
from powerhal.android.human.uid import read_detail
from powerhal.android.issues import Issues
from powerhal.android.statistics import DEVICE_NAMES, DeviceUse, Statistics
from powerhal.android.uids import parse_uid

D = r"(?:[0-9]+(?:ms|d|h|m|s) ?)+"
N = r"([0-9]{1,18})"
NUM = r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?(?:E-?[0-9]{1,2})?"
# label -> names of its first, second, ... duration
DURATIONS: dict[str, tuple[str, ...]] = {
    "Time on battery": ("battery_realtime", "battery_uptime"),
    "Time on battery screen off": ("screen_off_realtime", "screen_off_uptime"),
    "Time on battery screen doze": ("screen_doze",),
    "Total run time": ("total_realtime", "total_uptime"),
    "Screen on": ("screen_on",),
    "Interactive": ("interactive",),
    "Phone calls": ("phone_on",),
    "Active phone call": ("phone_on",),
    "Power save mode enabled": ("power_save",),
    "Low power mode enabled": ("power_save",),
    "Total full wakelock time": ("full_wakelock",),
    "Total partial wakelock time": ("partial_wakelock",),
    "Total WiFi Multicast wakelock time": ("wifi_multicast",),
    "Device light idling": ("light_idling",),
    "Idle mode light time": ("light_doze",),
    "Device full idling": ("deep_idling",),
    "Idle mode full time": ("deep_doze",),
    "Device idling": ("deep_idling",),
    "Idle mode time": ("deep_doze",),
    "Cellular kernel active time": ("radio_active",),
    "Mobile radio active time": ("radio_active",),
    "Mobile radio active": ("radio_active",),
    "Wifi kernel active time": ("wifi_active",),
    "Wifi on": ("wifi_on",),
    "Wifi running": ("wifi_running",),
    "Bluetooth on": ("bluetooth_on",),
    "Charge time remaining": ("charge_remaining",),
    "Battery time remaining": ("discharge_remaining",),
}
CHARGES: dict[str, str] = {
    "Estimated battery capacity": "estimated_capacity_mah",
    "Last learned battery capacity": "last_learned_capacity_mah",
    "Min learned battery capacity": "min_learned_capacity_mah",
    "Max learned battery capacity": "max_learned_capacity_mah",
    "Discharge": "total_mah",
    "Screen off discharge": "total_screen_off_mah",
    "Screen doze discharge": "total_screen_doze_mah",
    "Screen on discharge": "total_screen_on_mah",
    "Device light doze discharge": "total_light_doze_mah",
    "Device deep doze discharge": "total_deep_doze_mah",
}
PERCENTS: dict[str, str] = {
    "Amount discharged (lower bound)": "low_percent",
    "Amount discharged (upper bound)": "high_percent",
    "Amount discharged while screen on": "screen_on_percent",
    "Amount discharged while screen off": "screen_off_percent",
    "Amount discharged while screen doze": "screen_doze_percent",
}
LABEL = re.compile(rf"(?:^\s*|, )([A-Z][A-Za-z ]+?):\s+({D}.*?)(?=, [A-Z]|$)")
AMOUNT = re.compile(rf"^\s*([A-Z][A-Za-z ()]+): ({NUM})(?: mAh)?\s*$")
WINDOW = re.compile(r"Statistics since (last charge|last unplugged)[^:]*:")
SUMMARY = re.compile(rf"\s*Capacity: ({NUM}), Computed drain: ({NUM}), actual drain: ({NUM})(?:-({NUM}))?")
GLOBAL = re.compile(
    rf"\s*(.+?): ({NUM})(?: \[([^\]]*)\])? apps: ({NUM})(?: \[[^\]]*\])?(?: duration: ({D}))?\s*(?:fg: .*)?"
)
NEW_UID = re.compile(rf"\s*(?:UID (\S+)|USER (-?[0-9]{{1,9}})): ({NUM})\s*(.*?)\s*(?:\((.*)\))?\s*")
STATE = re.compile(rf"([a-z][a-z _]*): ({NUM})")
PIECE = re.compile(rf"([^=()]+?)=({NUM})(?: \(({D})\))?(?:\s|$)")
OLD_LINE = re.compile(rf"\s*(?:Uid (\S+)|User (-?[0-9]{{1,9}})|([A-Z?][^:]*)): ({NUM})\s*(?:\((.*?)\))?\s*(.*)")
SMEARED = re.compile(rf"Including smearing: ({NUM})(?: \((.*?)\))?")
KERNEL = re.compile(rf"  Kernel Wake lock (.*?)(?:: ({D})\({N} times\)(?: max={N})?)? realtime")
REASON = re.compile(rf"  Wakeup reason (.*?)(?:: ({D})\({N} times\))? realtime")
UID_HEAD = re.compile(r"  (u[0-9]+[a-z]+[0-9]+|-?[0-9]+):")
MAX_TEXT_LINE = 1 << 13  # the patterns backtrack; no line of a real dump is half as long
SECTIONS = ("Per-PID Stats:", "Discharge step durations:", "Charge step durations:", "Daily stats:")
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
        self.ended = False  # a per-uid block was seen after the power table: nothing important is missing
        self._stats = Statistics("l")
        self._uid: int | None = None
        self._process = ""
        self._step = ""

    def feed(self, number: int, line: str) -> bool:
        """One line; False when it means nothing to this reader."""
        if len(line) > MAX_TEXT_LINE:
            self.issues.add(number, "text", "", f"longer than {MAX_TEXT_LINE} characters: skipped")
            return False
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
            self._stats = self.windows.setdefault(match[1].split()[-1][0].replace("c", "l"), Statistics("l"))
            self._stats.window = "u" if "unplugged" in match[1] else "l"
            self.mode, self._uid = self._statistics, None
        elif line.startswith(SECTIONS):
            self._step = line.partition(" step")[0].lower() if " step" in line else ""
            self.mode = self._read_step if self._step else self._elsewhere
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

    def _elsewhere(self, number: int, line: str) -> bool:
        return True

    def _read_step(self, number: int, line: str) -> bool:
        if match := STEP.fullmatch(line.rstrip()):
            self.steps.setdefault(self._step, []).append(
                {"duration_ms": duration_ms(match[1]), "level_percent": int(match[2]), "conditions": match[3] or ""}
            )
        return True

    def _statistics(self, number: int, line: str) -> bool:
        if head := UID_HEAD.fullmatch(line.rstrip()):
            self._uid, self.ended = parse_uid(head[1]), True
            return True
        if self._uid is not None and line.startswith("   "):
            self._process, known = read_detail(self._stats.uid(self._uid), line, self._process)
            return known
        self._uid = None
        if line.startswith("  Estimated power use"):
            self.mode = self._power
            return True
        return not line.strip() or self._listed(line) or self._sum(line)

    def _listed(self, line: str) -> bool:
        """Kernel wake locks and wake-up reasons."""
        if match := KERNEL.fullmatch(line):
            row: dict[str, Any] = {"name": match[1], "ms": duration_ms(match[2] or ""), "count": int(match[3] or 0)}
            if match[4]:
                row["max_ms"] = int(match[4])
            self._stats.wakelocks.append(row)
        elif match := REASON.fullmatch(line):
            reasons = self._stats.totals.setdefault("wakeup_reasons", [])
            reasons.append({"name": match[1], "ms": duration_ms(match[2] or ""), "count": int(match[3] or 0)})
        else:
            return False
        return True

    def _sum(self, line: str) -> bool:
        """Durations, charges and percentages of the whole device."""
        amount = AMOUNT.match(line)
        if amount and amount[1] in CHARGES:
            name = CHARGES[amount[1]]
            place = self._stats.battery if "capacity" in name else self._stats.battery.setdefault("discharge", {})
            place[name] = float(amount[2])
            return True
        if amount and amount[1] in PERCENTS:
            self._stats.battery.setdefault("discharge", {})[PERCENTS[amount[1]]] = float(amount[2])
            return True
        known = False
        for label, rest in LABEL.findall(line):
            for name, text in zip(DURATIONS.get(label, ()), re.findall(D, rest), strict=False):
                self._stats.durations_ms.setdefault(name, duration_ms(text))
                known = True
        return known

    def _power(self, number: int, line: str) -> bool:
        """The power table: ended by an empty line."""
        text = line.strip()
        if not text:
            self.mode = self._statistics
            return True
        if text == "Global" or text.startswith("("):
            return True
        if summary := SUMMARY.match(line):
            capacity, computed, low, high = summary.groups()
            self._stats.battery["capacity_mah"] = float(capacity)
            self._stats.battery["computed_mah"] = float(computed)
            self._stats.battery["drained_mah"] = {"min": float(low), "max": float(high or low)}
            return True
        if text.startswith(("UID ", "USER ")):
            known = self._new_uid(line)
        elif "apps:" in text:
            known = self._device(line)
        else:
            known = self._old(line)
        if not known:
            self.issues.add(number, "power", "", f"not understood: {text[:60]!r}")
        return known

    def _device(self, line: str) -> bool:
        match = GLOBAL.fullmatch(line)
        if not match:
            return False
        name, mah, source, apps, duration = match.groups()
        more: dict[str, Any] = {"apps_mah": float(apps)}
        if source:
            more["model"] = source
        if duration:
            more["ms"] = duration_ms(duration)
        self._stats.devices.append(DeviceUse(name, name, float(mah), more))
        return True

    def _new_uid(self, line: str) -> bool:
        match = NEW_UID.fullmatch(line)
        uid = parse_uid(match[1]) if match and match[1] else None
        if not match or (uid is None and match[1]):
            return False
        if uid is None:
            self._stats.devices.append(DeviceUse("user", "USER", float(match[3]), {"user": int(match[2])}))
            return True
        use = self._stats.uid(uid)
        use.mah = float(match[3])
        for state, mah in STATE.findall(match[4]):
            use.process_states.setdefault(state, {})["mah"] = float(mah)
        for name, mah, duration in PIECE.findall(match[5] or ""):
            component, _, state = name.strip().partition(":")
            if state:
                parts = use.process_states.setdefault(state, {}).setdefault("components", {})
                parts[component] = float(mah)
                continue
            use.components[component] = float(mah)
            if duration:
                use.component_ms[component] = duration_ms(duration)
        return True

    def _old(self, line: str) -> bool:
        match = OLD_LINE.fullmatch(line)
        if not match:
            return False
        uid_text, user, label, mah, pieces, rest = match.groups()
        found = {DEVICE_NAMES.get(n.strip(), n.strip()): float(v) for n, v, _ in PIECE.findall(pieces or "")}
        more: dict[str, Any] = {}
        if smeared := SMEARED.search(rest):
            more["smeared_mah"] = float(smeared[1])
            more |= {f"{n.strip()}_mah": float(v) for n, v, _ in PIECE.findall(smeared[2] or "")}
        if "Excluded from smearing" in rest:
            more["hidden"] = 1
        if uid_text is not None:
            uid = parse_uid(uid_text)
            if uid is None:
                return False
            use = self._stats.uid(uid)
            use.mah, use.components = float(mah), found
            if more:
                use.parts["power"] = more
            return True
        if found:
            more["components"] = found
        if user is not None:
            more["user"] = int(user)
        name = "user" if user is not None else DEVICE_NAMES.get(label, label.lower())
        self._stats.devices.append(DeviceUse(name, label or "User", float(mah), more))
        return True
