"""The block of one uid in the text of `dumpsys batterystats`: rows of pattern and destination."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from powerhal.android.history.text import duration_ms
from powerhal.android.statistics import UidUse

D = r"(?:[0-9]+(?:ms|d|h|m|s) ?)+"
N = r"([0-9]{1,18})"
BYTES = {"B": 1, "KB": 1 << 10, "MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}
GROUP = re.compile(rf"({D})(full|partial|background partial|window|draw) \({N} times\)(?: max={N})?(?: actual={N})?")
TIMERS = {
    "Audio": "audio",
    "Video": "video",
    "Camera": "camera",
    "Flashlight": "flashlight",
    "Vibrator": "vibrator",
    "Foreground activities": "foreground_activity",
    "Foreground services": "foreground_service",
    "Wifi Running": "wifi_running",
    "Full Wifi Lock": "wifi_full_lock",
    "Wifi Scan (blamed)": "wifi_scan",
    "Wifi Scan (actual)": "wifi_scan_actual",
    "Background Wifi Scan": "wifi_scan_background",
    "Bluetooth Scan (total blamed realtime)": "bluetooth_scan",
    "Bluetooth Scan (total actual realtime)": "bluetooth_scan_actual",
    "Bluetooth Scan (background realtime)": "bluetooth_scan_background",
    "Phone active": "phone_on",
}
STATES = {
    "Top": "top",
    "Fg Service": "foreground_service",
    "Foreground": "foreground",
    "Background": "background",
    "Top Sleeping": "top_sleeping",
    "Heavy Weight": "heavy_weight",
    "Cached": "cached",
}


def size_bytes(text: str) -> float | None:
    """A size as printed (`9.54KB`): rounded by the platform to two digits behind the point; None if it is none."""
    match = re.fullmatch(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)([KMGT]?B)", text, re.ASCII)
    return float(match[1]) * BYTES[match[2]] if match else None


def _traffic(use: UidUse, match: re.Match[str]) -> None:
    kind = "mobile" if match[1] == "Mobile" else "wifi" if match[1] == "Wi-Fi" else "bluetooth"
    network = use.parts.setdefault("network", {})
    network[f"{kind}_rx_bytes"], network[f"{kind}_tx_bytes"] = size_bytes(match[2]), size_bytes(match[3])
    if match[4]:
        network[f"{kind}_rx_packets"], network[f"{kind}_tx_packets"] = int(match[4]), int(match[5])


def _radio(use: UidUse, match: re.Match[str]) -> None:
    network = use.parts.setdefault("network", {})
    network["radio_active_ms"] = duration_ms(match[1])
    network["radio_active_count"] = int(match[2])


def _wakelock(use: UidUse, match: re.Match[str]) -> None:
    row: dict[str, Any] = {"name": match[1]}
    for time, kind, count, longest, actual in GROUP.findall(match[2] or ""):
        name = kind.replace(" ", "_")
        row[f"{name}_ms"], row[f"{name}_count"] = duration_ms(time), int(count)
        row |= {f"{name}_{k}_ms": int(v) for k, v in (("max", longest), ("total", actual)) if v}
    use.parts.setdefault("wakelocks", []).append(row)


def _many(part: str) -> Callable[[UidUse, re.Match[str]], None]:
    def put(use: UidUse, match: re.Match[str]) -> None:
        row = {"sensor" if part == "sensors" else "name": match[1], "ms": duration_ms(match[2] or "")}
        use.parts.setdefault(part, []).append(row | {"count": int(match[3] or 0)})

    return put


def _timer(use: UidUse, match: re.Match[str]) -> None:
    use.parts[TIMERS[match[1]]] = {"ms": duration_ms(match[2]), "count": int(match[3] or 0)}


def _state(use: UidUse, match: re.Match[str]) -> None:
    use.process_states.setdefault(STATES[match[1]], {})["ms"] = duration_ms(match[2])


def _cpu(use: UidUse, match: re.Match[str]) -> None:
    use.parts["cpu_ms"] = {"user": duration_ms(match[1]), "system": duration_ms(match[2])}


def _activity(use: UidUse, match: re.Match[str]) -> None:
    use.parts["user_activity"] = {name: int(n) for n, name in re.findall(r"([0-9]{1,18}) (\w+)", match[1])}


def _package(use: UidUse, match: re.Match[str]) -> None:
    if match[1] not in use.packages:
        use.packages.append(match[1])


def _alarm(use: UidUse, match: re.Match[str]) -> None:
    use.parts.setdefault("alarms", []).append({"name": match[1], "count": int(match[2])})


def _one_of(names: dict[str, str]) -> str:
    return "|".join(map(re.escape, sorted(names, key=len, reverse=True)))


ROWS: tuple[tuple[re.Pattern[str], Callable[[UidUse, re.Match[str]], None]], ...] = tuple(
    (re.compile(pattern), put)
    for pattern, put in (
        (
            r"(Mobile|Wi-Fi|Bluetooth) network: (\S+) received, (\S+) sent"
            r"(?: \(packets ([0-9]{1,18}) received, ([0-9]{1,18}) sent\))?",
            _traffic,
        ),
        (rf"Mobile radio active: ({D})\([^)]*\) {N}x.*", _radio),
        (rf"Wake lock (.*?)(?:: ({D}(?:full|partial|background|window|draw).*))? realtime", _wakelock),
        (rf"Job (.*?): ({D})realtime \({N} times\).*", _many("jobs")),
        (rf"Sync (.*?): ({D})realtime \({N} times\).*", _many("syncs")),
        (rf"Sensor (.*?): ({D})(?:blamed )?realtime.*?\({N} times\).*", _many("sensors")),
        (rf"({_one_of(TIMERS)}): ({D})(?:\([^)]*%\) ?)?(?:realtime )? ?(?:\({N} times\)|{N}x)?.*", _timer),
        (rf"({_one_of(STATES)}) for: ({D})", _state),
        (rf"Total cpu time: u=({D})s=({D})", _cpu),
        (r"User activity: (.*)", _activity),
        (r"Apk (\S+):", _package),
        (r"Wakeup alarm (.*): ([0-9]{1,18}) times", _alarm),
    )
)
PROCESS = re.compile(r"Proc (.*):")
PROCESS_CPU = re.compile(rf"CPU: ({D})usr \+ ({D})krn(?: ; ({D})fg)?")


def read_detail(use: UidUse, line: str, process: str) -> tuple[str, bool]:
    """One line of a uid's block; the name of the process it stands under, and whether it was understood."""
    text = line.strip()
    if match := PROCESS.fullmatch(text):
        return match[1], True
    if (match := PROCESS_CPU.fullmatch(text)) and process:
        row = {"name": process, "user_ms": duration_ms(match[1]), "system_ms": duration_ms(match[2])}
        use.parts.setdefault("processes", []).append(row | {"foreground_ms": duration_ms(match[3] or "")})
        return "", True
    for pattern, put in ROWS:
        if match := pattern.fullmatch(text):
            put(use, match)
            return process, True
    return process, False
