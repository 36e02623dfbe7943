"""The block of one uid in the text of `dumpsys batterystats`: rows of pattern and destination.

Names are those of the check-in records; facts re-entered from the platform's `BatteryStats.java` (dumpLocked)
at API 21 to 34.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from powerhal.android.history.text import duration_ms
from powerhal.android.human.controller import Controllers
from powerhal.android.human.words import RATIO, SIZE, D, N, size_bytes
from powerhal.android.statistics import UidUse

GROUP = re.compile(rf"({D})(full|partial|background partial|window|draw) \({N} times\)(?: max={N})?(?: actual={N})?")
# label -> (part of the uid, name of the time, name of the count)
TIMERS: dict[str, tuple[str, str, str]] = {
    "Audio": ("audio", "ms", "count"),
    "Video": ("video", "ms", "count"),
    "Camera": ("camera", "ms", "count"),
    "Flashlight": ("flashlight", "ms", "count"),
    "Vibrator": ("vibrator", "ms", "count"),
    "Foreground activities": ("foreground_activity", "ms", "count"),
    "Foreground services": ("foreground_service", "ms", "count"),
    "Wifi Running": ("wifi", "running_ms", ""),
    "Full Wifi Lock": ("wifi", "full_lock_ms", ""),
    "Wifi Scan": ("wifi", "scan_ms", "scan_count"),
    "Wifi Scan (blamed)": ("wifi", "scan_ms", "scan_count"),
    "Wifi Scan (actual)": ("wifi", "scan_actual_ms", ""),
    "Background Wifi Scan": ("wifi", "background_scan_actual_ms", "background_scan_count"),
    "Bluetooth Scan (total blamed realtime)": ("bluetooth_scan", "ms", "count"),
    "Bluetooth Scan (total actual realtime)": ("bluetooth_scan", "actual_ms", "count"),
    "Bluetooth Scan (background realtime)": ("bluetooth_scan", "background_actual_ms", "background_count"),
    "Phone active": ("phone_on", "ms", "count"),
}
STATES = {
    "Top": "top",
    "Fg Service": "foreground_service",
    "Foreground": "foreground",
    "Background": "background",
    "Top Sleeping": "top_sleeping",
    "Heavy Weight": "heavy_weight",
    "Cached": "cached",
    "Active": "active_or_above",
    "Running": "running_or_above",
}
# process state -> its letters in the check-in record `ctf`
LETTERS = {"Top": "T", "Fg Service": "FS", "Foreground": "F", "Background": "B", "Top Sleeping": "TS",
           "Heavy Weight": "HW", "Cached": "C"}  # fmt: skip
WOKEN = {"full": "full_ms", "blamed partial": "blamed_partial_ms", "partial": "blamed_partial_ms",
         "actual partial": "partial_ms", "actual background partial": "background_partial_ms", "window": "window_ms",
         "draw": "draw_ms"}  # fmt: skip
ACTIVITIES = {"faceDown": "face_down", "deviceState": "device_state"}
GPS = -10000  # the handle that check-in lines give it


def _traffic(use: UidUse, match: re.Match[str]) -> None:
    kind = "mobile" if match[1] == "Mobile" else "wifi" if match[1] == "Wi-Fi" else "bluetooth"
    network = use.parts.setdefault("network", {})
    for way, text, packets in (("rx", match[2], match[4]), ("tx", match[3], match[5])):
        if (size := size_bytes(text)) is not None:
            network[f"{kind}_{way}_bytes"] = size
        if packets:
            network[f"{kind}_{way}_packets"] = int(packets)


def _radio(use: UidUse, match: re.Match[str]) -> None:
    network = use.parts.setdefault("network", {})
    network["radio_active_ms"] = duration_ms(match[1])
    network["radio_active_count"] = int(match[2])


def _wakeups(use: UidUse, match: re.Match[str]) -> None:
    name = "wifi_wakeups" if match[1] == "WiFi" else "mobile_wakeups"
    use.parts.setdefault("network", {})[name] = int(match[2])


def _wakelock(use: UidUse, match: re.Match[str]) -> None:
    row: dict[str, Any] = {"name": match[1]}
    for time, kind, count, longest, actual in GROUP.findall(match[2] or ""):
        name = kind.replace(" ", "_")
        row[f"{name}_ms"], row[f"{name}_count"] = duration_ms(time), int(count)
        row |= {f"{name}_{k}_ms": int(v) for k, v in (("max", longest), ("total", actual)) if v}
    use.parts.setdefault("wakelocks", []).append(row)


def _woken(use: UidUse, match: re.Match[str]) -> None:
    place = use.parts.setdefault("partial_wakelocks", {})
    for time, kind in re.findall(rf"({D})([a-z ]+?)(?=,|$)", match[1]):
        if kind in WOKEN:
            place[WOKEN[kind]] = duration_ms(time)


def _multicast(use: UidUse, match: re.Match[str]) -> None:
    use.parts["wifi_multicast"] = {"ms": duration_ms(match[2]), "count": int(match[1])}


def _many(part: str) -> Callable[[UidUse, re.Match[str]], None]:
    """Syncs and jobs: name, time, count, and what of it was in the background."""

    def put(use: UidUse, match: re.Match[str]) -> None:
        row: dict[str, Any] = {"name": match[1], "ms": duration_ms(match[2] or ""), "count": int(match[3] or 0)}
        if match[4]:
            row |= {"background_time_ms": duration_ms(match[4]), "background_count": int(match[5])}
        use.parts.setdefault(part, []).append(row)

    return put


def _sensor(use: UidUse, match: re.Match[str]) -> None:
    handle, blamed, actual, count, background, times = match.groups()
    row: dict[str, Any] = {"sensor": GPS if handle == "GPS" else int(handle)}
    row |= {"ms": duration_ms(blamed or actual or ""), "count": int(count or 0)}
    if actual:
        row["actual_ms"] = duration_ms(actual)
    if background:
        row |= {"background_actual_ms": duration_ms(background), "background_count": int(times)}
    use.parts.setdefault("sensors", []).append(row)


def _timer(use: UidUse, match: re.Match[str]) -> None:
    part, time, count = TIMERS[match[1]]
    place = use.parts.setdefault(part, {})
    place[time] = duration_ms(match[2])
    if count and (times := match[3] or match[4]):
        place[count] = int(times)
    if match[1] == "Bluetooth Scan (total actual realtime)":
        place.setdefault("ms", place[time])  # the blamed time is left out where it is the same


def _unoptimized(use: UidUse, match: re.Match[str]) -> None:
    head = "background_" if match[1] else ""
    place = use.parts.setdefault("bluetooth_scan", {})
    place |= {f"{head}unoptimized_ms": duration_ms(match[2]), f"{head}unoptimized_max_ms": duration_ms(match[3])}


def _results(use: UidUse, match: re.Match[str]) -> None:
    place = use.parts.setdefault("bluetooth_scan", {})
    place |= {"results": int(match[1]), "background_results": int(match[2])}


def _state(use: UidUse, match: re.Match[str]) -> None:
    if match[1] in ("Active", "Running") and "foreground" in use.process_states:
        # the three states of Android 5 and 6 include the ones before them
        use.process_states["foreground_or_above"] = use.process_states.pop("foreground")
    use.process_states.setdefault(STATES[match[1]], {})["ms"] = duration_ms(match[2])


def _cpu(use: UidUse, match: re.Match[str]) -> None:
    use.parts["cpu_ms"] = {"user": duration_ms(match[1]), "system": duration_ms(match[2])}


def _frequencies(use: UidUse, match: re.Match[str]) -> None:
    """As the record `ctf`: n times at each frequency, then n with the screen off."""
    text = match.string
    state = next((LETTERS[name] for name in LETTERS if f" at state {name}:" in text), "A")
    times = [int(n) for n in match[1].split()]
    rows = use.parts.setdefault("cpu_frequencies", [])
    row = next((r for r in rows if r["state"] == state), None)
    if row is None:
        rows.append(row := {"state": state, "frequencies": len(times)})
    first = row["frequencies"] if "creen-off" in text else 0
    row |= {f"time_{first + k}_ms": n for k, n in enumerate(times)}


def _activity(use: UidUse, match: re.Match[str]) -> None:
    use.parts["user_activity"] = {
        ACTIVITIES.get(name, name): int(n) for n, name in re.findall(r"([0-9]{1,18}) (\w+)", match[1])
    }


def _completions(use: UidUse, match: re.Match[str]) -> None:
    row: dict[str, Any] = {"name": match[1]}
    for reason, count in re.findall(r" ([a-z_]{2,40})(?::[0-9]{1,9})?\(([0-9]{1,18})x\)", match[2]):
        row[reason] = int(count)
    use.parts.setdefault("job_stops", []).append(row)


def _deferred(use: UidUse, match: re.Match[str]) -> None:
    place = {"deferred_events": int(match[1]), "deferred_jobs": int(match[2]), "total_latency_ms": int(match[3])}
    fresh = re.findall(r"<[0-9]{1,20}ms=([0-9]{1,18})", match[4])
    use.parts["deferred_jobs"] = place | {f"fresh_{k}": int(n) for k, n in enumerate(fresh)}


def _package(use: UidUse, match: re.Match[str]) -> None:
    if match[1] not in use.packages:
        use.packages.append(match[1])


def _alarm(use: UidUse, match: re.Match[str]) -> None:
    use.parts.setdefault("alarms", []).append({"name": match[1], "count": int(match[2])})


def _alarms(use: UidUse, match: re.Match[str]) -> None:
    """Android 5: one count for a package, without tags."""
    package = use.packages[-1] if use.packages else ""
    use.parts.setdefault("alarms", []).append({"name": package, "count": int(match[1])})


def _service(use: UidUse, match: re.Match[str]) -> None:
    package = use.packages[-1] if use.packages else ""
    use.parts.setdefault("services", []).append({"package": package, "service": match[1]})


def _last(use: UidUse, part: str) -> dict[str, Any]:
    """The row that a following line belongs to; one of its own where there is none."""
    rows = use.parts.setdefault(part, [])
    if not rows:
        rows.append({})
    row: dict[str, Any] = rows[-1]
    return row


def _created(use: UidUse, match: re.Match[str]) -> None:
    _last(use, "services")["start_time_ms"] = duration_ms(match[1])


def _launched(use: UidUse, match: re.Match[str]) -> None:
    row = _last(use, "services")
    row |= {"starts": int(match[1]), "launches": int(match[2])}


def _started(use: UidUse, match: re.Match[str]) -> None:
    row = _last(use, "processes")
    for count, what in re.findall(r"([0-9]{1,18}) (?:proc )?(starts|crashes|anrs)", match[0]):
        row[what] = int(count)


def _process(use: UidUse, match: re.Match[str]) -> None:
    use.parts.setdefault("processes", []).append({"name": match[1]})


def _process_cpu(use: UidUse, match: re.Match[str]) -> None:
    row = _last(use, "processes")
    row |= {"user_ms": duration_ms(match[1]), "system_ms": duration_ms(match[2])}
    row["foreground_ms"] = duration_ms(match[3] or "")


def _nothing(use: UidUse, match: re.Match[str]) -> None:
    """Says in other words what stands in other lines."""


def _one_of(names: dict[str, Any]) -> str:
    return "|".join(map(re.escape, sorted(names, key=len, reverse=True)))


_USED = rf"(?:({D})realtime \({N} times\)(?:, ({D})background \({N} times\))?|\(not used\)).*"
_TIMES = rf"((?: [0-9]{{1,18}}){{1,{1 << 10}}})"
ROWS: tuple[tuple[re.Pattern[str], Callable[[UidUse, re.Match[str]], None]], ...] = tuple(
    (re.compile(pattern), put)
    for pattern, put in (
        (
            rf"(Mobile|Wi-Fi|Bluetooth) network: {SIZE} received, {SIZE} sent"
            rf"(?: \(packets {N} received, {N} sent\))?",
            _traffic,
        ),
        (rf"Mobile radio active: ({D}){RATIO} {N}x.*", _radio),
        (rf"(Mobile radio|WiFi) AP wakeups: {N}", _wakeups),
        (rf"Wake lock (.*?)(?:: ({D}(?:full|partial|background|window|draw).*))? realtime", _wakelock),
        (r"TOTAL wake: (.*) realtime", _woken),
        (rf"WiFi Multicast Wakelock count = {N} time = ({D})", _multicast),
        (rf"Job Completions (.*?):((?: [^\s()]+\({N}x\))*)", _completions),
        (rf"Jobs deferred on launch times={N}, count={N}, totalLatencyMs={N},?(.*)", _deferred),
        (rf"Job (.*): {_USED}", _many("jobs")),
        (rf"Sync (.*): {_USED}", _many("syncs")),
        (
            rf"Sensor (GPS|-?[0-9]{{1,9}}): (?:(?:({D})blamed realtime, )?({D})realtime \({N} times\)"
            rf"(?:, ({D})background \({N} times\))?|\(not used\)).*",
            _sensor,
        ),
        (rf"({_one_of(TIMERS)}): ({D})(?:{RATIO} ?)?(?:realtime )? ?(?:\({N} times\)|{N}x)?.*", _timer),
        (rf"Unoptimized Bluetooth Scan \((background )?realtime\): ({D})\s*\(max ({D})\).*", _unoptimized),
        (rf"Bluetooth Scan Results: {N} \({N} in background\)", _results),
        (rf"({_one_of(STATES)}) for: ({D})", _state),
        (rf"Total running: {D}|\(nothing executed\)|\* Killed for .*", _nothing),
        (rf"Total cpu time: u=({D})s=({D})(?:p=.*)?", _cpu),
        (
            r"(?:Total (?:screen-off )?cpu time per freq|(?:Cpu|Screen-off cpu) times per freq at state [A-Z][\w ]*)"
            rf":{_TIMES}",
            _frequencies,
        ),
        (r"User activity: (.*)", _activity),
        (r"Apk (\S+):", _package),
        (rf"Wakeup alarm (.*): {N} times", _alarm),
        (rf"{N} wakeup alarms", _alarms),
        (r"Service (.+):", _service),
        (rf"Created for: ({D})uptime", _created),
        (rf"Starts: {N}, launches: {N}", _launched),
        (r"Proc (.*):", _process),
        (rf"CPU: ({D})usr \+ ({D})krn(?: ; ({D})fg)?", _process_cpu),
        (r"(?:[0-9]{1,18} (?:proc starts|starts|crashes|anrs)(?:, |$))+", _started),
    )
)


class UidText:
    """The lines of one uid."""

    def __init__(self, use: UidUse) -> None:
        self._use = use
        self._controllers = Controllers()

    def feed(self, line: str) -> bool:
        """One line; False when it says nothing that is known."""
        text = line.strip()
        if self._controllers.feed(self._use.parts, text):
            return True
        for pattern, put in ROWS:
            if match := pattern.fullmatch(text):
                put(self._use, match)
                return True
        return False
