"""Check-in records into `Statistics`: one table says which record goes where; units go into the names."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from powerhal.android.checkin.lines import Record
from powerhal.android.checkin.records import Field
from powerhal.android.checkin.values import number
from powerhal.android.statistics import DEVICE_NAMES, DeviceUse, Statistics

# unit on the line -> (suffix of the name in the summary, factor)
SUFFIXES: dict[str, tuple[str, float]] = {
    "ms": ("_ms", 1), "us": ("_ms", 1e-3), "B": ("_bytes", 1), "mAh": ("_mah", 1), "uAh": ("_uah", 1),
    "%": ("_percent", 1), "kHz": ("_khz", 1), "epoch_ms": ("_epoch_ms", 1), "mA-ms": ("_ma_ms", 1),
    "id": ("", 1), "n": ("", 1), "packets": ("", 1), "0/1": ("", 1), "": ("", 1),
}  # fmt: skip

# code -> part of a uid's row; `many`: the code may have several lines per uid
PER_UID: dict[str, tuple[str, bool]] = {
    "nt": ("network", False), "wfl": ("wifi", False), "mcd": ("modem_controller", False),
    "wfcd": ("wifi_controller", False), "ble": ("bluetooth_controller", False), "wmc": ("wifi_multicast", False),
    "blem": ("bluetooth_scan", False), "ua": ("user_activity", False), "awl": ("partial_wakelocks", False),
    "wl": ("wakelocks", True), "sy": ("syncs", True), "jb": ("jobs", True), "jbc": ("job_stops", True),
    "jbd": ("deferred_jobs", False), "fla": ("flashlight", False), "cam": ("camera", False),
    "vid": ("video", False), "aud": ("audio", False), "vib": ("vibrator", False),
    "fg": ("foreground_activity", False), "fgs": ("foreground_service", False), "sr": ("sensors", True),
    "ctf": ("cpu_frequencies", True), "pr": ("processes", True), "wua": ("alarms", True), "apk": ("services", True),
}  # fmt: skip
# code -> part of the device's totals
TOTALS: dict[str, tuple[str, bool]] = {
    "gn": ("network", False), "m": ("misc", False), "bt": ("battery_time", False), "gwfl": ("wifi", False),
    "gmcd": ("modem_controller", False), "gwfcd": ("wifi_controller", False), "gble": ("bluetooth_controller", False),
    "br": ("screen_brightness", False), "sgt": ("phone_signal_time", False), "sgc": ("phone_signal_count", False),
    "sst": ("phone_signal_scanning", False), "dct": ("data_connection_time", False),
    "dcc": ("data_connection_count", False), "wst": ("wifi_state_time", False), "wsc": ("wifi_state_count", False),
    "wsst": ("wifi_supplicant_time", False), "wssc": ("wifi_supplicant_count", False),
    "wsgt": ("wifi_signal_time", False), "wsgc": ("wifi_signal_count", False), "bst": ("bluetooth_state_time", False),
    "bsc": ("bluetooth_state_count", False), "wmct": ("wifi_multicast", False), "wr": ("wakeup_reasons", True),
    "rpm": ("resource_power_manager", True), "gcf": ("cpu_frequencies", False), "dc": ("discharge", False),
    "dsd": ("discharge_steps", True), "csd": ("charge_steps", True), "dtr": ("discharge_remaining", False),
    "ctr": ("charge_remaining", False), "lv": ("level", False),
}  # fmt: skip
DURATION_CODES = ("bt", "m", "gwfl")


def figures(record: Record) -> dict[str, Any]:
    """The columns of a record under summary names; what is malformed is left out, letters are dropped."""
    out: dict[str, Any] = {}
    for column, value in zip(record.layout.fields, record.values, strict=True):
        name, factor = _heading(column)
        if factor is None:
            out[name] = value
        elif factor and (amount := number(value)) is not None:
            out[name] = amount if factor == 1 else _scaled(amount, factor)
    return out


@lru_cache(maxsize=4096)
def _heading(column: Field) -> tuple[str, float | None]:
    """The summary's name of a column and the factor of its unit; None for texts, 0 for letters, which are dropped."""
    if column.kind in ("str", "name"):
        return column.name, None
    if column.kind == "letter":
        return column.name, 0
    suffix, factor = SUFFIXES[column.unit]
    return _joined(column.name, suffix), factor


def _joined(name: str, suffix: str) -> str:
    """`full.time` + `_ms` is `full_ms`; `full.count` is `full_count`."""
    name = name.replace(".time", "").replace(".", "_")
    return suffix[1:] if name == "time" and suffix else name + suffix


def _scaled(amount: float, factor: float) -> float:
    return amount * factor if amount % round(1 / factor) else int(amount) // round(1 / factor)


class Gatherer:
    """Fills `Statistics` per window from records in the order of the dump."""

    def __init__(self) -> None:
        self.windows: dict[str, Statistics] = {}
        self.packages: dict[int, list[str]] = {}
        self.about: Statistics = Statistics("i")

    def feed(self, record: Record) -> None:
        """One record; an unknown code or a malformed column leaves nothing behind."""
        code = record.code
        if record.window == "i":
            self._feed_about(record)
            return
        stats = self.windows.get(record.window)
        if stats is None:
            stats = self.windows[record.window] = Statistics(record.window)
        if code in PER_UID:
            _put(stats.uid(record.uid).parts, PER_UID[code], figures(record))
        elif code in TOTALS:
            _put(stats.totals, TOTALS[code], figures(record))
            self._feed_total(stats, record)
        elif code == "kwl":
            stats.wakelocks.append(figures(record))
        elif code in SPECIAL:
            SPECIAL[code](self, stats, record)

    def _feed_about(self, record: Record) -> None:
        if record.code == "uid":
            app, package = record.number("app_id"), record.get("package")
            if app is not None and isinstance(package, str):
                self.packages.setdefault(int(app), []).append(package)
        elif record.code in TOTALS:
            _put(self.about.totals, TOTALS[record.code], figures(record))

    def _feed_total(self, stats: Statistics, record: Record) -> None:
        if record.code in DURATION_CODES:
            for name, value in figures(record).items():
                if name.endswith("_ms") and not name.endswith("_epoch_ms"):
                    stats.durations_ms.setdefault(name.removesuffix("_ms"), value)

    def power_summary(self, stats: Statistics, record: Record) -> None:
        """`pws`: capacity, computed and drained charge."""
        low, high = record.number("min_drained"), record.number("max_drained")
        stats.battery["capacity_mah"] = record.number("capacity")
        stats.battery["computed_mah"] = record.number("computed")
        stats.battery["drained_mah"] = {"min": low, "max": high}

    def power_item(self, stats: Statistics, record: Record) -> None:
        """`pwi`: the label decides whether it is a device or a uid (the uid column of a device line is stale)."""
        label = record.get("label")
        if not isinstance(label, str):
            return
        mah, more = record.number("power"), _power_details(record)
        if label == "uid":
            use = stats.uid(record.uid)
            use.mah = None if mah is None else float(mah)
            use.parts["power"] = more
            return
        if label == "user":
            more["user"] = record.uid
        stats.devices.append(
            DeviceUse(DEVICE_NAMES.get(label, label), label, None if mah is None else float(mah), more)
        )

    def process_states(self, stats: Statistics, record: Record) -> None:
        """`st`: time in each process state."""
        use = stats.uid(record.uid)
        for name, value in figures(record).items():
            use.process_states[name.removesuffix("_ms")] = {"ms": value}

    def cpu(self, stats: Statistics, record: Record) -> None:
        """`cpu`: user and system time."""
        found = {n.removesuffix("_ms"): v for n, v in figures(record).items()}
        stats.uid(record.uid).parts["cpu_ms"] = {n: found[n] for n in ("user", "system") if n in found}

    def finish(self) -> None:
        """Join what needs the whole dump: packages of each uid by app id, durations, discharge."""
        for stats in self.windows.values():
            for use in stats.uids.values():
                use.packages = list(self.packages.get(use.uid % 100_000, ())) if use.uid >= 0 else []
            for part in ("discharge", "level"):
                if part in stats.totals:
                    stats.battery[part] = stats.totals[part]
            if "capacity_mah" not in stats.battery:
                capacity = stats.totals.get("battery_time", {}).get("estimated_capacity_mah")
                stats.battery.update({"capacity_mah": capacity} if capacity else {})
            stats.totals.update(self.about.totals)


def _power_details(record: Record) -> dict[str, Any]:
    return {k: v for k, v in figures(record).items() if k not in ("label", "power_mah")}


def _put(parts: dict[str, Any], where: tuple[str, bool], found: dict[str, Any]) -> None:
    name, many = where
    if many:
        parts.setdefault(name, []).append(found)
    else:
        parts[name] = found


SPECIAL = {
    "pws": Gatherer.power_summary,
    "pwi": Gatherer.power_item,
    "st": Gatherer.process_states,
    "cpu": Gatherer.cpu,
}


def gather(records: Iterable[Record]) -> dict[str, Statistics]:
    """The statistics of every window of a dump, by window letter."""
    gatherer = Gatherer()
    for record in records:
        gatherer.feed(record)
    gatherer.finish()
    return gatherer.windows
