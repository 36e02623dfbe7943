"""A dump as one JSON document and as lines for a terminal; names and units are in docs/android.md."""

from __future__ import annotations

from typing import Any

from powerhal.android.history.states import History
from powerhal.android.parse import Dump, DumpFile
from powerhal.android.statistics import DeviceUse, Statistics, UidUse
from powerhal.android.uids import app_id, isolated, user

ISSUES_SHOWN = 1000


def document(found: DumpFile) -> dict[str, Any]:
    """The whole summary; dumps beside the main one stand under `others` in the same shape."""
    main = found.main
    out = _dump(found, main)
    rest = [d for d in found.dumps if d is not main]
    out["others"] = [_dump(found, d) for d in rest] + [document(f) for f in found.others]
    return out


def _dump(found: DumpFile, dump: Dump | None) -> dict[str, Any]:
    stats = dump.main if dump else Statistics("l")
    out = {"source": _source(found, dump), **_window(stats, dump)}
    if dump is not None:
        out["history"] = _history(dump.history)
        more = {w: _window(s, None) for w, s in dump.statistics.items() if s is not stats}
        if more:
            out["windows"] = {NAMES[w]: s for w, s in more.items()}
    return out


NAMES = {"l": "since_charged", "u": "since_unplugged", "t": "total", "c": "current"}


def _window(stats: Statistics, dump: Dump | None) -> dict[str, Any]:
    battery = {"capacity_mah": None, "computed_mah": None, "drained_mah": {"min": None, "max": None}} | stats.battery
    if dump is not None:
        battery["levels"] = [list(pair) for pair in dump.history.levels]
        battery["charge"] = [list(pair) for pair in dump.history.charges]
    return {
        "window": NAMES.get(stats.window, stats.window),
        "battery": battery,
        "durations_ms": stats.durations_ms,
        "devices": [_device(d) for d in stats.devices],
        "uids": [_uid(u) for u in sorted(stats.uids.values(), key=lambda u: -(u.mah or 0))],
        "wakelocks": stats.wakelocks,
        "totals": stats.totals,
    }


def _source(found: DumpFile, dump: Dump | None) -> dict[str, Any]:
    return {
        "name": found.name,
        "format": dump.form if dump else "none",
        "container": found.container,
        "member": found.member or None,
        "bugreport": found.bugreport,
        "encoding": found.encoding,
        "line_ends": found.line_ends,
        "api": dump.api if dump else None,
        "api_candidates": list(dump.apis) if dump else [],
        "versions": dump.versions if dump else {},
        "properties": found.properties,
        "first_line": dump.first_line if dump else None,
        "lines": dump.lines if dump else 0,
        "lines_read": dump.lines_read if dump else 0,
        "file_lines": found.lines,
        "skipped_lines": found.skipped,
        "junk_lines": dump.junk if dump else 0,
        "vendor_codes": dict(dump.vendor_codes) if dump else {},
        "complete": dump.complete if dump else False,
        "incomplete_because": list(dump.incomplete) if dump else ["no dump found"],
        "may_miss": list(dump.may_miss) if dump else [],
        "issue_count": found.issues.total,
        "issues": [
            {"line": i.line, "code": i.code, "field": i.field, "why": i.why} for i in found.issues.kept[:ISSUES_SHOWN]
        ],
    }


def _device(device: DeviceUse) -> dict[str, Any]:
    return {"name": device.name, "label": device.label, "mah": device.mah, **device.more}


def _uid(use: UidUse) -> dict[str, Any]:
    parts = dict(use.parts)
    power = parts.pop("power", {})
    return {
        "uid": use.uid,
        "user": user(use.uid),
        "app_id": app_id(use.uid),
        "isolated": isolated(use.uid),
        "packages": use.packages,
        "mah": use.mah,
        **power,
        "components": use.components,
        "component_ms": use.component_ms,
        "cpu_ms": parts.pop("cpu_ms", {}),
        "wakelocks": parts.pop("wakelocks", []),
        "network": parts.pop("network", {}),
        "sensors": parts.pop("sensors", []),
        "process_states": use.process_states,
        **parts,
    }


def _history(history: History) -> dict[str, Any]:
    return {
        "start_ms": history.start_ms,
        "start_local": history.local_start or None,
        "end_ms": history.now_ms,
        "lines": history.lines,
        "events": len(history.items),
        "pool": len(history.pool),
        "levels": [list(pair) for pair in history.levels],
        "volts": [list(pair) for pair in history.volts],
        "charges": [list(pair) for pair in history.charges],
        "final_level": history.levels[-1][1] if history.levels else None,
        "screen_on_ms": history.states_ms.get("screen", 0),
        "states_ms": dict(history.states_ms),
        "resets": history.resets,
        "overflows": history.overflows,
        "next_start": history.next_start,
        "unexplained_tokens": dict(history.unknown),
    }


def portrait(found: DumpFile) -> list[str]:
    """The same in short, for a terminal."""
    out = document(found)
    source, battery = out["source"], out["battery"]
    drained = battery["drained_mah"]
    lines = [
        f"{source['name']}: {source['format']}, API {source['api'] or 'unknown'}, "
        f"{source['lines_read']} of {source['lines']} lines, "
        + (
            "not complete: " + "; ".join(source["incomplete_because"])
            if not source["complete"]
            else "complete as far as it shows"
            if source["may_miss"]
            else "complete"
        ),
        f"battery: capacity {_mah(battery['capacity_mah'])}, computed {_mah(battery['computed_mah'])}, "
        f"drained {_span(drained['min'], drained['max'])}",
    ]
    lines[1:1] = [f"  {lack}" for lack in source["may_miss"]]
    lines += [f"  {d['mah']:10.4g} mAh  {d['name']}" for d in out["devices"] if d["mah"]]
    for row in [u for u in out["uids"] if u["mah"]][:20]:
        what = ", ".join(row["packages"][:3]) + (" ..." if len(row["packages"]) > 3 else "")
        lines.append(f"  {row['mah']:10.4g} mAh  uid {row['uid']}  {what}".rstrip())
    lines += [str(issue) for issue in found.issues.kept[:20]]
    if found.issues.total > 20:
        lines.append(f"... {found.issues.total} issues in all")
    if out["others"]:
        lines.append(f"{len(out['others'])} other dumps in the file (see --json)")
    return [_plain(line) for line in lines]


def _plain(text: str) -> str:
    """Text that a terminal prints and does not obey: names come from whoever wrote the dump."""
    if text.isprintable():
        return text
    raw = text.encode("utf-8", "surrogateescape")
    clean = raw.decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in clean)


def _mah(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g} mAh"


def _span(least: float | None, most: float | None) -> str:
    return _mah(least) if least == most else f"{_mah(least)} to {_mah(most)}"
