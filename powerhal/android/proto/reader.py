"""`dumpsys batterystats --proto` and `--usage --proto`: a message to the sums that every form of a dump fills.

The platform's writer leaves out every single field that is 0 (root's uid, a charge of nothing, the first word of an
enum): in a message that is there, an absent one means 0.
"""

from __future__ import annotations

from typing import IO, Any, NamedTuple

from powerhal.android.completeness import Verdict
from powerhal.android.issues import Issues
from powerhal.android.proto.schema import SIPPERS, STATES
from powerhal.android.proto.usage import statistics_of
from powerhal.android.proto.wire import Wire, read_bytes
from powerhal.android.statistics import DeviceUse, Statistics, UidUse

CUT = Verdict(("the message is cut",))
# fields follow one another without an end mark: one that is cut between two of them looks whole
UNSHOWN = Verdict(may_miss=("nothing shows the end of this message: a last part of it may be missing",))


class Sums(NamedTuple):
    """What a message sums up, and whether it is whole."""

    statistics: Statistics
    versions: dict[str, Any]
    verdict: Verdict


def read_proto(stream: IO[bytes], issues: Issues, form: str = "stats") -> Sums:
    """The sums of a message: `form` is `stats` or `usage` (see `told.form_of`)."""
    data, whole = read_bytes(stream, issues)
    wire = Wire(issues)
    read = {"stats": _stats, "usage": _usage}[form]
    found = read(wire, data)
    wire.settle()
    return found if whole and wire.whole else found._replace(verdict=CUT)


def _usage(wire: Wire, data: memoryview) -> Sums:
    usage = wire.message("Usage", data)
    drained = UNSHOWN if "device" in usage else Verdict(("no charge of the device: it used none, or it is cut off",))
    return Sums(statistics_of(usage, wire.issues), {}, drained)


def _stats(wire: Wire, data: memoryview) -> Sums:
    body = wire.message("Dump", data).get("batterystats", {})
    stats = Statistics("l")
    _system(stats, body.get("system", {}))
    for row in body.get("uids", ()):
        if row:
            _uid(stats.uid(row.pop("uid", 0)), row)
    versions = {
        name: body[key]
        for name, key in (
            ("checkin", "report_version"),
            ("parcel", "parcel_version"),
            ("start_build", "start_platform_version"),
            ("end_build", "end_platform_version"),
        )
        if key in body
    }
    return Sums(stats, versions, Verdict() if "system" in body else Verdict(("nothing of the device",)))


def _timer(timer: dict[str, Any], head: str = "") -> dict[str, Any]:
    """A Timer under the summary's names: `duration_ms` is `ms`, `total_duration_ms` is `total_ms`."""
    names = {"duration_ms": "ms"}
    return {head + names.get(k, k.replace("_duration", "")): v for k, v in timer.items()}


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A row with its timers spread out: `total` without a head, the others under their names."""
    out: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            out |= _timer(value, "" if name in ("total", "apportioned") else f"{name}_")
        else:
            out[name.replace("_duration", "")] = value
    return out


def _system(stats: Statistics, system: dict[str, Any]) -> None:
    times, misc = system.pop("battery", {}), system.pop("misc", {})
    for name, value in (times | misc).items():
        if name.endswith("_ms") and "clock" not in name:
            stats.durations_ms[name.removesuffix("_ms").removesuffix("_duration")] = value
    if "start_clock_time_ms" in times:
        stats.totals["battery_time"] = {"start_clock_epoch_ms": times["start_clock_time_ms"]}
    summary = system.pop("power_use_summary", {})
    stats.battery = {k: v for k, v in times.items() if "capacity" in k}
    stats.battery["capacity_mah"] = summary.get("battery_capacity_mah")
    stats.battery["computed_mah"] = summary.get("computed_power_mah")
    low, high = summary.get("min_drained_power_mah"), summary.get("max_drained_power_mah")
    stats.battery["drained_mah"] = {"min": low, "max": high}
    stats.battery["discharge"] = system.pop("battery_discharge", {})
    stats.wakelocks = [_flat(row) for row in system.pop("kernel_wakelock", ())]
    for item in system.pop("power_use_item", ()):
        number = item.get("name", 0)
        name = SIPPERS[number] if 0 <= number < len(SIPPERS) else "unknown"
        more = _power(item)
        if name == "user":
            more["user"] = item.get("uid")
        stats.devices.append(DeviceUse(name, str(number), item.get("computed_power_mah", 0.0), more))
    for name, value in system.items():
        rows = isinstance(value, list) and value and isinstance(value[0], dict)
        stats.totals[name] = [_flat(row) for row in value] if rows else value


def _power(item: dict[str, Any]) -> dict[str, Any]:
    names = {"should_hide": "hidden", "screen_power_mah": "screen_mah", "proportional_smear_mah": "proportional_mah"}
    return {names[k]: v for k, v in item.items() if k in names}


def _uid(use: UidUse, row: dict[str, Any]) -> None:
    power = row.pop("power_use_item", None)
    if power is not None:
        use.mah = power.get("computed_power_mah", 0.0)
    power = power or {}
    use.parts["power"] = _power(power)
    for package in row.pop("packages", ()):
        use.packages.append(package.get("name", ""))
        services = [{"package": package.get("name", "")} | _flat(s) for s in package.get("services", ())]
        if services:
            use.parts.setdefault("services", []).extend(services)
    cpu = row.pop("cpu", {})
    use.parts["cpu_ms"] = {k: cpu[f"{k}_duration_ms"] for k in ("user", "system") if f"{k}_duration_ms" in cpu}
    if "by_frequency" in cpu:
        use.parts["cpu_frequencies"] = [_flat(step) for step in cpu["by_frequency"]]
    for state in row.pop("states", ()):
        number = state.get("state", 0)
        name = STATES[number] if 0 <= number < len(STATES) else str(number)
        use.process_states[name] = {"ms": state.get("duration_ms", 0)}
    for name, value in row.items():
        if isinstance(value, list):
            use.parts[name] = [_flat(entry) for entry in value]
        elif isinstance(value, dict):
            use.parts[name] = _flat(value) if any(isinstance(v, dict) for v in value.values()) else _timer(value)
