"""The sums of the whole device in the text of `dumpsys batterystats`, as rows; names are those of the check-in records.

Facts re-entered from the platform's `BatteryStats.java` (dumpLocked) at API 21 to 34.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from powerhal.android.history.text import duration_ms
from powerhal.android.human.controller import Controllers
from powerhal.android.human.words import NUM, RATIO, SIZE, D, N, charge_mah, size_bytes
from powerhal.android.statistics import Statistics
from powerhal.android.uids import parse_uid

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
    "Idle mode light time": ("light_doze", "longest_light_doze"),
    "Device full idling": ("deep_idling",),
    "Idle mode full time": ("deep_doze", "longest_deep_doze"),
    "Device idling": ("deep_idling",),
    "Idle mode time": ("deep_doze",),
    "Cellular kernel active time": ("radio_active",),
    "Mobile radio active time": ("radio_active",),
    "Mobile radio active adjusted time": ("radio_active_adjusted",),
    "Mobile radio active unknown time": ("radio_active_unknown",),
    "Mobile radio active": ("radio_active",),
    "Wifi kernel active time": ("wifi_active",),
    "Wifi on": ("wifi_on",),
    "Wifi running": ("wifi_running",),
    "Bluetooth on": ("bluetooth_on",),
    "Bluetooth scan time": ("bluetooth_scan",),
    "Signal scanning time": ("phone_scanning",),
    "Charge time remaining": ("charge_remaining",),
    "Battery time remaining": ("discharge_remaining",),
    "Logging duration for connectivity statistics": (),
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
    "Discharge cycle start level": "start_level_percent",
    "Discharge cycle current level": "current_level_percent",
    "Last discharge cycle start level": "last_start_level_percent",
    "Last discharge cycle end level": "last_end_level_percent",
}
_LEVELS = {"none": "none", "very poor": "none", "unknown": "none", "poor": "poor", "moderate": "moderate",
           "good": "good", "great": "great"}  # fmt: skip
_LEVELS |= {f"level({n})": name for n, name in enumerate(("none", "poor", "moderate", "good", "great"))}
_WIFI = {"off": "off", "scanning": "off_scanning", "no_net": "on_no_networks", "disconn": "on_disconnected",
         "sta": "on_connected_sta", "p2p": "on_connected_p2p", "sta_p2p": "on_connected_sta_p2p",
         "soft_ap": "soft_ap"}  # fmt: skip
_SUPPLICANT = {"disconn": "disconnected", "disabled": "interface_disabled", "4-way-handshake": "four_way_handshake",
               "group-handshake": "group_handshake", "uninit": "uninitialized"}  # fmt: skip
# heading of a list -> (part of the totals, the platform's words -> names of the columns; others keep theirs)
LISTS: dict[str, tuple[str, dict[str, str]]] = {
    "Screen brightnesses": ("screen_brightness", {}),
    "Screen brightness levels": ("display_brightness", {}),
    "Phone signal levels": ("phone_signal_time", _LEVELS),
    "Cellular Rx signal strength (RSRP)": ("phone_signal_time", _LEVELS),
    "Radio types": ("data_connection_time", {}),
    "Cellular Radio Access Technology": ("data_connection_time", {}),
    "Wifi states": ("wifi_state_time", _WIFI),
    "Wifi supplicant states": ("wifi_supplicant_time", _SUPPLICANT),
    "Wifi signal levels": ("wifi_signal_time", _LEVELS),
    "Wifi Rx signal strength (RSSI)": ("wifi_signal_time", _LEVELS),
    "Bluetooth states": ("bluetooth_state_time", {"med": "medium"}),
    "GPS signal quality (Top 4 Average CN0)": ("gnss_signal_time", {}),
    "GNSS signal quality (Top 4 Average CN0)": ("gnss_signal_time", {}),
}
LISTED = re.compile(rf"([A-Za-z0-9_()-]+(?: poor)?)(?: \([^)]*\))?:?\s+({D})\s*{RATIO}\s*(?:[0-9]{{1,18}}x)?")
LABEL = re.compile(rf"(?:^\s*|, )([A-Z][A-Za-z ]+?):\s+({D}.*?)(?=, [A-Z]|$)")
AMOUNT = re.compile(rf"([A-Z][A-Za-z ()]+): ({NUM})(?: mAh)?")
_TRAFFIC = {"Cellular": "mobile", "Mobile": "mobile", "Wifi": "wifi", "Wi-Fi": "wifi", "Bluetooth": "bluetooth"}
_HEADINGS = re.compile(
    r"(?:MULTI-DISPLAY|CONNECTIVITY) POWER SUMMARY (?:START|END)|(?:Cellular|Wifi|GPS|GNSS|Display \d+) Statistics:"
    r"|Device battery use since last full charge|Device is currently (?:un)?plugged.*"
    r"|All (?:kernel|partial) wake locks:|All wakeup reasons:|Per-app mobile ms per packet:|Memory Stats"
    r"|Resource Power Manager Stats(?: for when screen was off)?|TOTAL TIME: .*|Power save mode:.*"
)
NUMBER = re.compile(r"(?<=\s)[0-9]{1,18}(?!\S)", re.ASCII)
_HELD = rf"({D})\({N} times\)(?: max={N})?(?: actual={N})?(?: \(running[^)]*\))?"


def _put(part: str, name: str) -> Callable[[Statistics, re.Match[str]], None]:
    """A row that keeps its first group as a whole number."""

    def put(stats: Statistics, match: re.Match[str]) -> None:
        stats.totals.setdefault(part, {})[name] = int(match[1])

    return put


def _packets(stats: Statistics, match: re.Match[str]) -> None:
    way = {"received": "rx", "sent": "tx"}[match[2]]
    stats.totals.setdefault("network", {})[f"{_TRAFFIC[match[1]]}_{way}_packets"] = int(match[3])


def _bytes(stats: Statistics, match: re.Match[str]) -> None:
    size = size_bytes(match[3])
    if size is not None:
        way = {"received": "rx", "sent": "tx"}[match[2]]
        stats.totals.setdefault("network", {})[f"{_TRAFFIC[match[1]]}_{way}_bytes"] = size


def _both_ways(stats: Statistics, match: re.Match[str]) -> None:
    network, kind = stats.totals.setdefault("network", {}), _TRAFFIC[match[1]]
    for way, size, packets in (("rx", match[2], match[4]), ("tx", match[3], match[5])):
        if (amount := size_bytes(size)) is not None:
            network[f"{kind}_{way}_bytes"] = amount
        if packets:
            network[f"{kind}_{way}_packets"] = int(packets)


def _clock(stats: Statistics, match: re.Match[str]) -> None:
    stats.totals.setdefault("battery_time", {})["start_clock_local"] = match[1]


def held(match: re.Match[str], at: int) -> dict[str, Any]:
    """The groups of `_HELD` from `at` on: `ms`, `count`, and what else was printed."""
    row: dict[str, Any] = {"ms": duration_ms(match[at] or ""), "count": int(match[at + 1] or 0)}
    return row | {name: int(v) for name, v in (("max_ms", match[at + 2]), ("total_ms", match[at + 3])) if v}


def _kernel(stats: Statistics, match: re.Match[str]) -> None:
    stats.wakelocks.append({"name": match[1], **held(match, 2)})


def _reason(stats: Statistics, match: re.Match[str]) -> None:
    stats.totals.setdefault("wakeup_reasons", []).append({"name": match[1], **held(match, 2)})


def _partial(stats: Statistics, match: re.Match[str]) -> None:
    row = {"uid": parse_uid(match[1]), "name": match[2], **held(match, 3)}
    stats.totals.setdefault("partial_wakelocks", []).append(row)


def _manager(stats: Statistics, match: re.Match[str]) -> None:
    row: dict[str, Any] = {"name": match[1], "ms": duration_ms(match[2]), "count": int(match[3])}
    stats.totals.setdefault("resource_power_manager", []).append(row)


def _frequencies(stats: Statistics, match: re.Match[str]) -> None:
    stats.totals["cpu_frequencies"] = {f"frequency_{k}_khz": int(n) for k, n in enumerate(NUMBER.findall(match[1]))}


def _bandwidth(stats: Statistics, match: re.Match[str]) -> None:
    stats.totals.setdefault("memory_bandwidth", []).append({"bandwidth": int(match[1]), "time_us": int(match[2])})


def _per_packet(stats: Statistics, match: re.Match[str]) -> None:
    uid = parse_uid(match[1])
    if uid is not None:
        network = stats.uid(uid).parts.setdefault("network", {})
        network |= {"radio_active_ms": duration_ms(match[3]), "radio_active_count": int(match[4])}


def _started(stats: Statistics, match: re.Match[str]) -> None:
    stats.totals.setdefault("battery_time", {})["start_count"] = int(match[1])


def _gnss(stats: Statistics, match: re.Match[str]) -> None:
    stats.totals.setdefault("gnss", {})["power_mah"] = charge_mah(match[1].replace(",", "."))


ROWS: tuple[tuple[re.Pattern[str], Callable[[Statistics, re.Match[str]], None]], ...] = tuple(
    (re.compile(pattern), put)
    for pattern, put in (
        (rf"Kernel Wake lock (.*?)(?:: {_HELD})? realtime", _kernel),
        (rf"Wakeup reason (.*?)(?:: {_HELD})? realtime", _reason),
        (rf"Wake lock (\S+) (.*?)(?:: {_HELD})? realtime", _partial),
        (rf"System starts: {N}, currently on battery: .*", _started),
        (r"Start clock time: ([\d-]{8,40})\s*", _clock),
        (rf"Connectivity changes: {N}", _put("misc", "connectivity_changes")),
        (rf"Total WiFi Multicast wakelock Count: {N}", _put("wifi_multicast", "count")),
        (rf"(Cellular|Wifi) packets (received|sent): {N}", _packets),
        (rf"(Cellular|Wifi) data (received|sent): {SIZE}", _bytes),
        (
            rf"(Mobile|Wi-Fi|Bluetooth) total received: {SIZE}, sent: {SIZE}"
            rf"(?: \(packets received {N}, sent {N}\))?",
            _both_ways,
        ),
        (rf"(?:GPS|GNSS) Battery Drain: ({NUM}|[0-9]+,[0-9]+) ?mAh", _gnss),
        (rf"CPU freqs:((?: [0-9]{{1,18}}){{1,{1 << 10}}})", _frequencies),
        (rf"CPU scaling:((?:\s+policy[0-9]{{1,3}}:(?: [0-9]{{1,18}}){{1,{1 << 10}}}){{1,64}})", _frequencies),
        (rf"Bandwidth {N} Time {N}", _bandwidth),
        (rf"Uid (\S+): {NUM} \({N} packets over ({D})\) {N}x", _per_packet),
        (rf"(.+): ({D})realtime \({N} times\).*", _manager),
    )
)


class DeviceText:
    """Lines of the whole device; remembers the list that a heading began."""

    def __init__(self, stats: Statistics) -> None:
        self._stats = stats
        self._list: tuple[str, dict[str, str]] | None = None
        self._technology: dict[str, Any] | None = None
        self._times: dict[str, Any] = {}
        self._display: str = ""
        self._controllers = Controllers()

    def feed(self, line: str) -> bool:
        """One line; False when it says nothing that is known."""
        text = line.strip()
        if self._breakdown(text) or self._listed(text):
            return True
        self._list = None
        if display := re.fullmatch(r"Display (\d{1,6}) Statistics:", text):
            self._display = f"display_{int(display[1])}_"
        elif "POWER SUMMARY" in text:
            self._display = ""
        if _HEADINGS.fullmatch(text) or self._controllers.feed(self._stats.totals, text):
            return True
        return self._amount(text) or self._durations(text) or self._row(text)

    def _listed(self, text: str) -> bool:
        heading = text.removesuffix("(no activity)").rstrip()
        if heading.endswith(":") and heading[:-1] in LISTS:
            part, names = LISTS[heading[:-1]]
            self._list, self._technology = (self._display + part, names), None
            return True
        match = LISTED.fullmatch(text) if self._list else None
        if match is None or self._list is None:
            return False
        part, names = self._list
        name = names.get(match[1], match[1].lower().replace("-", "_"))
        self._stats.totals.setdefault(part, {})[f"{name}_ms"] = duration_ms(match[2])
        return True

    def _breakdown(self, text: str) -> bool:
        """`Active Cellular Radio Access Technology Breakdown` (Android 13 on): times per technology and band."""
        if text == "Active Cellular Radio Access Technology Breakdown:":
            self._technology = {}
        elif self._technology is None:
            return False
        elif head := re.fullmatch(r"(NR|LTE|Other):", text):
            self._technology = {"technology": head[1]}
        elif band := re.fullmatch(r"(All|Unknown|Low|Middle|High|Mmwave) frequenc(?:y|ies)(?: \([^)]*\))?:", text):
            self._technology = {"technology": self._technology.get("technology", ""), "band": band[1].lower()}
            self._stats.totals.setdefault("mobile_radio_breakdown", []).append(self._technology)
        elif head := re.fullmatch(r"(Signal Strength|Tx) Time:", text):
            self._times = self._technology.setdefault("tx" if head[1] == "Tx" else "active", {})
        elif match := re.fullmatch(rf"(unknown|poor|moderate|good|great):\s*({D})\s*{RATIO}", text):
            self._times[f"{_LEVELS[match[1]]}_ms"] = duration_ms(match[2])
        elif match := re.fullmatch(rf"Rx Time: ({D})\s*{RATIO}", text):
            self._technology["rx_ms"] = duration_ms(match[1])
        elif text != "(no activity)":
            self._technology = None
            return False
        return True

    def _amount(self, text: str) -> bool:
        amount = AMOUNT.fullmatch(text)
        if not amount:
            return False
        battery, name = self._stats.battery, CHARGES.get(amount[1]) or PERCENTS.get(amount[1])
        if name:
            value = charge_mah(amount[2])
            place = battery if "capacity" in name else battery.setdefault("discharge", {})
            place |= {name: value} if value is not None else {}
        return bool(name)

    def _durations(self, text: str) -> bool:
        known = False
        for label, rest in LABEL.findall(text):
            names = DURATIONS.get(label)
            known = known or names is not None
            for name, duration in zip(names or (), re.findall(D, rest), strict=False):
                if self._display:
                    place = self._stats.totals.setdefault(self._display.rstrip("_"), {})
                    place[f"{name}_ms"] = duration_ms(duration)
                    continue
                if name == "wifi_multicast":
                    self._stats.totals.setdefault(name, {})["ms"] = duration_ms(duration)
                self._stats.durations_ms.setdefault(name, duration_ms(duration))
        if self._display and (doze := re.fullmatch(rf"Screen Doze: ({D})\s*{RATIO}", text)):
            self._stats.totals.setdefault(self._display.rstrip("_"), {})["screen_doze_ms"] = duration_ms(doze[1])
            return True
        return known

    def _row(self, text: str) -> bool:
        for pattern, put in ROWS:
            if match := pattern.fullmatch(text):
                put(self._stats, match)
                return True
        return False
