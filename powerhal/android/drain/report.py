"""From a dump to the page about it: curve, lanes, ledger, completeness; names are pseudonyms unless asked not to be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import powerhal
from powerhal.android.drain.activities import Span, Timeline, joined, timeline
from powerhal.android.drain.attribute import attribute, best_dump, uid_name
from powerhal.android.drain.compare import document
from powerhal.android.parse import Dump, DumpFile
from powerhal.android.profile.values import PowerProfile
from powerhal.android.share.redact import Pseudonyms
from powerhal.errors import NotEnoughData
from powerhal.report.dump_page import Lane, Story, render, spoken_time

Naming = Callable[[int, Sequence[str]], str]

ISSUES_SHOWN = 12
#: lanes under the curve: name, states that make it
LANES = (
    ("screen", ("screen",)), ("doze display", ("screen_doze",)), ("CPU running", ("running",)),
    ("wake lock", ("wake_lock",)), ("mobile radio", ("mobile_radio",)), ("Wi-Fi radio", ("wifi_radio",)),
    ("Wi-Fi scan", ("wifi_scan",)), ("Bluetooth scan", ("ble_scan",)), ("GPS", ("gps",)), ("audio", ("audio",)),
    ("video", ("video",)), ("camera", ("camera",)), ("flashlight", ("flashlight",)),
    ("call", ("phone_in_call",)), ("power save", ("power_save", "low_power")),
)  # fmt: skip


def pseudonyms(key: bytes | None = None) -> Naming:
    """Names of uids with apps' packages as keyed pseudonyms (`redact.Pseudonyms`); without a key, one nobody keeps.

    What is on every phone keeps its name, as do uids and users.
    """
    words = Pseudonyms(key) if key else Pseudonyms.fresh()

    def name(uid: int, packages: Sequence[str]) -> str:
        return uid_name(uid, [words.package(package) for package in packages])

    return name


def report(
    found: DumpFile, profile: PowerProfile | None = None, *, redact: bool = True, key: bytes | None = None
) -> tuple[str, str | None]:
    """The page as text, and why nothing was attributed (None when something was).

    redact: packages as pseudonyms (under `key`, else one that is thrown away), no file name, no text of issues.
    Raises NotEnoughData when the file holds no dump.
    """
    dump = best_dump(found)
    naming = pseudonyms(key) if redact else uid_name
    refused = None
    try:
        attributed = attribute(dump, profile)
        line = attributed.line
        out = document(attributed, dump.main, naming)
        _name_coefficients(out, dump, naming)
    except NotEnoughData as refusal:
        line, refused = timeline(dump.history), refusal.message
        out = {"refused": refused, "printed": _printed(dump, naming)}
    return render(_story(found, dump, line, naming, redact=redact), out), refused


def _printed(dump: Dump, naming: Naming) -> list[tuple[str, str, float]]:
    """What Android printed where there is nothing of ours to stand beside it: kind, name, mAh."""
    stats = dump.main
    devices = [("device", d.name, d.mah) for d in stats.devices if d.mah]
    uids = [("uid", naming(u.uid, u.packages), u.mah) for u in stats.uids.values() if u.mah]
    return sorted([*devices, *uids], key=lambda row: (row[0], -row[2]))


def _name_coefficients(out: dict[str, Any], dump: Dump, naming: Naming) -> None:
    """Columns of single apps are named by uid in the model: here they get the page's names."""
    for row in out["model"].get("coefficients", ()):
        head, mark, uid = row["name"].rpartition(", uid ")
        if mark and uid.isdigit():
            use = dump.main.uids.get(int(uid))
            prior = out["priors"].get(row["name"], "—")
            row["name"] = f"{head}, {naming(int(uid), use.packages if use else ())}"
            out["priors"][row["name"]] = prior


def _story(found: DumpFile, dump: Dump, line: Timeline, naming: Naming, *, redact: bool) -> Story:
    history = dump.history
    name = "Battery dump" if redact else (Path(found.name).name or "Battery dump")
    return Story(
        title=name,
        lead=" · ".join(_lead(found, dump)),
        duration_s=line.end_ms / 1e3,
        level=_held([(t / 1e3, float(v)) for t, v in history.levels], line.end_ms / 1e3),
        charge=[(t / 1e3, float(v)) for t, v in history.charges],
        plugged=_seconds(line.plugged()),
        lanes=_lanes(dump, line, naming),
        facts=_facts(found, dump, redact=redact),
        warnings=_warnings(dump),
    )


def _held(points: list[tuple[float, float]], end: float) -> list[tuple[float, float]]:
    """With the last value held to the end: a level stays until it changes."""
    return [*points, (end, points[-1][1])] if points else points


def _seconds(spans: Sequence[Span]) -> list[tuple[float, float]]:
    return [(a / 1e3, b / 1e3) for a, b in spans]


def _lanes(dump: Dump, line: Timeline, naming: Naming) -> list[Lane]:
    out = [Lane("charging", _seconds(line.plugged()))]
    for name, states in LANES:
        out.append(Lane(name, _seconds(joined([s for state in states for s in line.states.get(state, ())]))))
        if name == "screen":
            out.append(_in_front(dump, line, naming))
    doze = [(a, b) for a, b, value in line.enums.get("device_idle", ()) if value in ("light", "full")]
    out.append(Lane("device idle (doze)", _seconds(joined([*doze, *line.states.get("device_idle", ())]))))
    work = [(a, b) for kind in ("job", "sync") for a, b, _, _ in line.people.get(kind, ())]
    out.append(Lane("jobs and syncs", _seconds(joined(work))))
    unknown = Lane("states unknown", _seconds(line.unknown()))
    return [lane for lane in (*out, unknown) if lane.spans]


def _in_front(dump: Dump, line: Timeline, naming: Naming) -> Lane:
    rows = line.people.get("top", [])
    names: dict[str, int] = {}
    labels = []
    for _, _, uid, text in rows:
        use = dump.main.uids.get(uid)
        shown = naming(uid, use.packages if use and use.packages else (text,))
        labels.append(names.setdefault(shown, len(names)))
    return Lane("app in front", [(a / 1e3, b / 1e3) for a, b, _, _ in rows], labels, list(names))


def _lead(found: DumpFile, dump: Dump) -> list[str]:
    forms = {"checkin": "check-in dump", "text": "text dump", "proto": "protobuf dump"}
    out = [forms.get(dump.form, dump.form) + (" of a bugreport" if found.bugreport else "")]
    out += [f"Android API {dump.api}"] if dump.api else []
    period = dump.main.durations_ms.get("battery_realtime")
    out += [f"{spoken_time(float(period) / 1e3)} on battery since the last charge"] if period else []
    return out


def _warnings(dump: Dump) -> list[str]:
    out = []
    if not dump.complete:
        out.append("This dump is not complete: " + "; ".join(dump.incomplete) + ".")
    start, end = dump.versions.get("start_build"), dump.versions.get("end_build")
    if start and end and start != end:
        out.append("The system was updated inside the period: its counters are of two builds.")
    return out


def _facts(found: DumpFile, dump: Dump, *, redact: bool) -> dict[str, str]:
    history = dump.history
    versions = dump.versions
    out = {
        "file": "left out" if redact else Path(found.name).name,
        "lines": f"{dump.lines_read} of {dump.lines} of the dump understood, {found.lines} in the file",
        "complete": _complete(dump),
        "versions": ", ".join(f"{k} {v}" for k, v in versions.items() if k in ("checkin", "parcel")) or "—",
        "history": f"{len(history.items)} items, {history.resets} resets, {history.overflows} overflows, "
        f"{sum(history.unknown.values())} unexplained tokens",
        "issues": _issues(found, redact=redact),
        "names": "pseudonyms of what is not on every phone (--no-redact keeps names)" if redact else "as in the dump",
        "report by": f"powerhal {powerhal.__version__}",
    }
    if dump.vendor_codes:
        out["vendor records"] = f"{sum(dump.vendor_codes.values())} lines of {len(dump.vendor_codes)} codes, not used"
    return out


def _complete(dump: Dump) -> str:
    if dump.incomplete:
        return "no: " + "; ".join(dump.incomplete)
    return "; ".join(("as far as it shows", *dump.may_miss)) if dump.may_miss else "yes"


def _issues(found: DumpFile, *, redact: bool) -> str:
    if not found.issues.total:
        return "none"
    rows = found.issues.kept[:ISSUES_SHOWN]
    shown = "; ".join(f"line {i.line} {i.code}" + ("" if redact else f" {i.field} {i.why}") for i in rows)
    more = f"; {found.issues.total - len(rows)} more" if found.issues.total > len(rows) else ""
    return f"{found.issues.total}: {shown}{more}"
