"""The table `Estimated power use (mAh)`: one line per consumer (to Android 11), or devices and uids with components.

Android 16 prints a uid's components on a line of their own, and both again per state (`(on battery, screen on)`):
those are parts of the sums before them and stand under `power_states`.
"""

from __future__ import annotations

import re
from typing import Any

from powerhal.android.history.text import duration_ms
from powerhal.android.human.words import NUM, D, charge_mah
from powerhal.android.statistics import DEVICE_NAMES, DeviceUse, Statistics, UidUse
from powerhal.android.uids import parse_uid

INDENT = "    "  # a line with less is not of the table any more
SUMMARY = re.compile(rf"Capacity: ({NUM}), Computed drain: ({NUM}), actual drain: ({NUM})(?:-({NUM}))?")
GLOBAL = re.compile(
    rf"(.+?)(?:\((fg|bg|fgs|cached)\))?: ({NUM})(?: \[([^\]]*)\])? apps: ({NUM})(?: \[[^\]]*\])?(?: duration: ({D}))?"
)
UID = re.compile(rf"(?:UID (\S+)|USER (-?[0-9]{{1,9}})): ({NUM})\s*(.*?)\s*(?:\((.*)\))?")
STATE = re.compile(rf"([a-z][a-z _]*): ({NUM})")
STATES = re.compile(r"\(([a-z][a-z ,/-]{0,60})\)\s*(.*)")
PIECE = re.compile(rf"([^=()]+?)=({NUM})(?: \(({D})\))?(?:\s|$)")
PIECES = re.compile(rf"(?:[^=()]+=(?:{NUM})(?: \((?:{D})\))?(?:\s|$))+")
OLD = re.compile(rf"(?:Uid (\S+)|User (-?[0-9]{{1,9}})|([A-Z?][^:]*)): ({NUM})\s*(?:\((.*?)\))?\s*(.*)")
SMEARED = re.compile(rf"Including smearing: ({NUM})(?: \((.*?)\))?")


class PowerTable:
    """One table, line by line."""

    def __init__(self, stats: Statistics) -> None:
        self._stats = stats
        self._devices: dict[str, DeviceUse] = {}
        self._uid: UidUse | None = None
        self._state = ""

    def holds(self, line: str) -> bool:
        """Whether a line still belongs to the table (blank lines do: Android 16 has them between uids)."""
        return not line.strip() or line.startswith(INDENT)

    def feed(self, line: str) -> bool:
        """One line; False when it says nothing that is known."""
        text = line.strip()
        if text == "Global":
            self._uid, self._state = None, ""
        elif match := SUMMARY.match(text):
            self._summary(*match.groups())
        elif text:
            return self._line(text)
        return True

    def _line(self, text: str) -> bool:
        if text.startswith(("UID ", "USER ")):
            return self._consumer(text)
        if match := STATES.fullmatch(text):
            return self._in_state(match[1], match[2])
        if self._uid is not None and PIECES.fullmatch(text):
            self._components(self._uid, text)
            return True
        return self._device(text) if "apps:" in text else self._old(text)

    def _summary(self, capacity: str, computed: str, low: str, high: str | None) -> None:
        self._stats.battery["capacity_mah"] = charge_mah(capacity)
        self._stats.battery["computed_mah"] = charge_mah(computed)
        self._stats.battery["drained_mah"] = {"min": charge_mah(low), "max": charge_mah(high or low)}

    def _in_state(self, state: str, rest: str) -> bool:
        """The head of a state: devices follow on lines of their own, the components of a uid behind it."""
        self._state = state
        if self._uid is None:
            return not rest
        if not PIECES.fullmatch(rest):
            return False
        place = self._uid.parts.setdefault("power_states", {}).setdefault(state, {"components": {}})
        for name, mah, duration in PIECE.findall(rest):
            place["components"][name.strip()] = charge_mah(mah)
            if duration:
                place.setdefault("component_ms", {})[name.strip()] = duration_ms(duration)
        return True

    def _device(self, text: str) -> bool:
        match = GLOBAL.fullmatch(text)
        if not match:
            return False
        name, process_state, mah, source, apps, duration = match.groups()
        more: dict[str, Any] = {"apps_mah": charge_mah(apps)}
        if source:
            more["model"] = source
        if duration:
            more["ms"] = duration_ms(duration)
        known = self._devices.get(name)
        part, state = ("process_states", process_state) if process_state else ("power_states", self._state)
        if state and known is not None:
            known.more.setdefault(part, {})[state] = {"mah": charge_mah(mah), **more}
            return True
        if state:
            more = {part: {state: {"mah": charge_mah(mah), **more}}}
        self._devices[name] = use = DeviceUse(name, name, None if state else charge_mah(mah), more)
        self._stats.devices.append(use)
        return True

    def _consumer(self, text: str) -> bool:
        match = UID.fullmatch(text)
        uid = parse_uid(match[1]) if match and match[1] else None
        if not match or (uid is None and match[1]):
            return False
        self._state = ""
        if uid is None:
            self._uid = None
            self._stats.devices.append(DeviceUse("user", "USER", charge_mah(match[3]), {"user": int(match[2])}))
            return True
        self._uid = use = self._stats.uid(uid)
        use.mah = charge_mah(match[3])
        for state, mah in STATE.findall(match[4]):
            use.process_states.setdefault(state, {})["mah"] = charge_mah(mah)
        self._components(use, match[5] or "")
        return True

    def _components(self, use: UidUse, pieces: str) -> None:
        for name, text, duration in PIECE.findall(pieces):
            component, _, state = name.strip().partition(":")
            mah = charge_mah(text)
            if mah is None:
                continue
            if state:
                parts = use.process_states.setdefault(state, {}).setdefault("components", {})
                parts[component] = mah
                continue
            use.components[component] = mah
            if duration:
                use.component_ms[component] = duration_ms(duration)

    def _old(self, text: str) -> bool:
        match = OLD.fullmatch(text)
        if not match:
            return False
        uid_text, user, label, mah, pieces, rest = match.groups()
        found = {
            DEVICE_NAMES.get(n.strip(), n.strip()): value
            for n, v, _ in PIECE.findall(pieces or "")
            if (value := charge_mah(v)) is not None
        }
        more: dict[str, Any] = {}
        if smeared := SMEARED.search(rest):
            more["smeared_mah"] = charge_mah(smeared[1])
            more |= {f"{n.strip()}_mah": charge_mah(v) for n, v, _ in PIECE.findall(smeared[2] or "")}
        if "Excluded from smearing" in rest:
            more["hidden"] = 1
        if uid_text is not None:
            uid = parse_uid(uid_text)
            if uid is None:
                return False
            use = self._stats.uid(uid)
            use.mah, use.components = charge_mah(mah), found
            if more:
                use.parts["power"] = more
            return True
        if found:
            more["components"] = found
        if user is not None:
            more["user"] = int(user)
        name = "user" if user is not None else DEVICE_NAMES.get(label, label.lower())
        self._stats.devices.append(DeviceUse(name, label or "User", charge_mah(mah), more))
        return True
