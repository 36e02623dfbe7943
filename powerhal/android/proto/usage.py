"""`dumpsys batterystats --usage --proto` (Android 12 on): charges of the device's components and of uids.

BatteryUsageStatsAtomsProto counts deci-coulombs, so every charge is a whole multiple of 1/36 mAh and what used less
than half of that is 0. A component comes again for its parts by state of power and screen (Android 15 on), which the
format does not name. Its first row is the sum of the others where the platform keeps one (PowerComponents.java), else
the rows add up; the consumer's own total tells which. Components that a vendor added have numbers from 1000 on and no
names here.
"""

from __future__ import annotations

from typing import Any

from powerhal.android.issues import Issues
from powerhal.android.proto.schema import POWER_MODELS, USAGE_STATES
from powerhal.android.statistics import COMPONENTS, DeviceUse, Statistics

DC_PER_MAH = 36  # deci-coulombs: 3.6 C are 1 mAh
CUSTOM = 1000  # the first component that is a vendor's own


def statistics_of(usage: dict[str, Any], issues: Issues) -> Statistics:
    """The decoded message under the summary's names."""
    stats = Statistics("l")
    device = usage.get("device")
    stats.battery = {"discharge": {}, "mah_step": 1 / DC_PER_MAH}
    if device is not None:
        stats.battery["computed_mah"] = _mah(device.get("total_dc", 0))
    if "session_discharge_percent" in usage:
        stats.battery["discharge"]["session_percent"] = usage["session_discharge_percent"]
    for name, key in (("session", "session_duration_ms"), ("battery_realtime", "discharge_duration_ms")):
        if key in usage:
            stats.durations_ms[name] = usage[key]
    clocks = {"start_clock_epoch_ms": "session_start_ms", "end_clock_epoch_ms": "session_end_ms"}
    stats.totals["battery_time"] = {name: usage[key] for name, key in clocks.items() if key in usage}
    models = {_component(row): _word(POWER_MODELS, row.get("power_model", 0)) for row in usage.get("models", ())}
    if models:
        stats.totals["power_models"] = [{"component": name, "model": word} for name, word in models.items()]
    _devices(stats, device or {}, models)
    for row in usage.get("uids", ()):
        _uid(stats, row, issues)
    return stats


def _mah(deci_coulombs: int) -> float:
    return deci_coulombs / DC_PER_MAH


def _component(use: dict[str, Any]) -> str:
    number = use.get("component", 0)
    if 0 <= number < len(COMPONENTS):
        return COMPONENTS[number]
    return f"custom_{number}" if number >= CUSTOM else f"component_{number}"


def _word(words: tuple[str, ...], number: int) -> str:
    return words[number] if 0 <= number < len(words) else str(number)


def _figures(use: dict[str, Any]) -> dict[str, Any]:
    """Charge, and time where the message has one."""
    more = {"ms": use["duration_ms"]} if "duration_ms" in use else {}
    return {"mah": _mah(use.get("power_dc", 0)), **more}


def _slices(consumed: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """(component, process state, figures) of every slice."""
    found = [(row.get("use", {}), row.get("process_state", 0)) for row in consumed.get("slices", ())]
    return [(_component(use), _word(USAGE_STATES, state), _figures(use)) for use, state in found]


def _components(consumed: dict[str, Any]) -> dict[str, tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Of each component its sum and its parts, which are not there when it comes once."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for use in consumed.get("components", ()):
        rows.setdefault(_component(use), []).append(use)
    apart = _apart(consumed.get("total_dc", 0), list(rows.values()))
    out = {}
    for name, uses in rows.items():
        whole = _figures(uses[0])
        if apart and len(uses) > 1:
            times = [use["duration_ms"] for use in uses if "duration_ms" in use]
            whole = {"mah": _mah(sum(use.get("power_dc", 0) for use in uses))} | ({"ms": sum(times)} if times else {})
        out[name] = (whole, [_figures(use) for use in uses[0 if apart else 1 :]] if len(uses) > 1 else [])
    return out


def _apart(total_dc: int, rows: list[list[dict[str, Any]]]) -> bool:
    """Whether rows of one component add up, so that none of them is the sum of the others."""
    firsts: int = sum(uses[0].get("power_dc", 0) for uses in rows)
    everything: int = sum(use.get("power_dc", 0) for uses in rows for use in uses)
    count = sum(map(len, rows))  # each is rounded to half a deci-coulomb
    return abs(total_dc - firsts) > count / 2 and abs(total_dc - everything) <= count / 2


def _devices(stats: Statistics, consumed: dict[str, Any], models: dict[str, str]) -> None:
    rows: dict[str, DeviceUse] = {}
    labels = {_component(use): str(use.get("component", 0)) for use in consumed.get("components", ())}
    for name, (figures, parts) in _components(consumed).items():
        more = {k: v for k, v in figures.items() if k != "mah"} | ({"model": models[name]} if name in models else {})
        rows[name] = DeviceUse(name, labels[name], figures["mah"], more | ({"parts": parts} if parts else {}))
    for name, state, figures in _slices(consumed):
        row = rows.setdefault(name, DeviceUse(name, name, None))
        states = row.more.setdefault("process_states", {})
        if state in states:
            row.more.setdefault("parts", []).append({"process_state": state, **figures})
        else:
            states[state] = figures
    stats.devices = list(rows.values())


def _uid(stats: Statistics, row: dict[str, Any], issues: Issues) -> None:
    consumed = row.get("consumed", {})
    mah = _mah(consumed.get("total_dc", 0))
    number = row.get("uid", 0)
    if number in stats.uids:
        issues.add(0, "proto", "UidConsumed", f"uid {number} stands again with {mah:g} mAh: not added")
        return
    use = stats.uid(number)
    use.mah = mah
    parts: list[dict[str, Any]] = []
    for name, (figures, more) in _components(consumed).items():
        use.components[name] = figures["mah"]
        if "ms" in figures:
            use.component_ms[name] = figures["ms"]
        parts += [{"component": name, **part} for part in more]
    for state, key in (("fg", "foreground_ms"), ("bg", "background_ms")):
        if key in row:
            use.process_states.setdefault(state, {})["ms"] = row[key]
    for name, state, figures in _slices(consumed):
        place = use.process_states.setdefault(state, {})
        charges = place.setdefault("components", {})
        if name in charges:
            parts.append({"component": name, "process_state": state, **figures})
            continue
        charges[name] = figures["mah"]
        place["mah"] = place.get("mah", 0.0) + figures["mah"]
        if "ms" in figures:
            place.setdefault("component_ms", {})[name] = figures["ms"]
    if parts:
        use.parts["component_parts"] = parts
