"""A dump of Android 8 to 16 as a bugreport that Battery Historian (2017) loads.

That program takes whole bugreports only and check-in versions 11 to 21. The report written here holds the least
that it needs (header, three properties, the check-in section); what it says comes from the dump, what the dump
does not say stays unknown. A dump of Android 5 to 7 keeps its version and only gets the report around it.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

from powerhal.android.checkin.lines import Record
from powerhal.android.history.lines import HistoryLine
from powerhal.android.output import replaced
from powerhal.android.share.clock import Times, true_times
from powerhal.android.share.columns import VERSION
from powerhal.android.share.history import HistoryWriter, unsound
from powerhal.android.share.records import LEARNED, Losses, RecordWriter
from powerhal.android.share.source import Bugreport, CheckinLine, CheckinLines, Part

RULE = "=" * 56
OLDEST_SDK = 21  # of what the old reader supports; it needs a level, so an unknown one is said to be this
UNKNOWN_TIME = "1970-01-01 00:00:00"
TOGETHER = 4096  # lines of a piece
FIRST = ("bt",)  # what the other records are held against
STAMP = "%Y-%m-%d %H:%M:%S"
# API level -> release, for the fingerprint of a dump that came without one
RELEASES = {
    21: "5.0", 22: "5.1", 23: "6.0", 24: "7.0", 25: "7.1", 26: "8.0", 27: "8.1", 28: "9", 29: "10", 30: "11",
    31: "12", 32: "12", 33: "13", 34: "14", 35: "15", 36: "16",
}  # fmt: skip

Redaction = Callable[[Part], Iterable[CheckinLine]]


@dataclass(slots=True)
class Downgraded:
    """The report in UTF-8, piece by piece, the versions before and after, and what was lost on the way."""

    version: int
    before: int | None
    losses: Losses = field(default_factory=Losses)
    notes: list[str] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The whole report."""
        return b"".join(self.pieces).decode()

    def add(self, lines: Iterable[str]) -> None:
        """More lines."""
        taken = iter(lines)
        while batch := list(islice(taken, TOGETHER)):
            self.pieces.append("\n".join([*batch, ""]).encode("utf-8", "replace"))

    def summary(self) -> Iterator[str]:
        """What was dropped or changed, for people: one line each."""
        before = "an unknown version" if self.before is None else f"check-in version {self.before}"
        yield f"{before} written as version {self.version}"
        yield from self.notes
        yield from _listed("records dropped", self.losses.records)
        yield from _listed("values without an old column", self.losses.columns)
        yield from _listed("values changed", self.losses.changes)


def _listed(what: str, counts: dict[str, int]) -> Iterator[str]:
    found = {kind: n for kind, n in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])) if n}
    if found:
        yield f"{sum(found.values())} {what}: " + ", ".join(f"{kind} ({n})" for kind, n in found.items())


def downgrade(report: Bugreport, *, dump: int | None = None, redact: Redaction = iter) -> Downgraded:
    """The chosen dump (`dump` counts from 1; None: the one with most records) as an older bugreport.

    `redact` changes typed lines before they are written; then the report says UTC in place of the phone's zone. It
    may walk through them several times. Raises NotEnoughData when the file holds no check-in lines, FileError for a
    file of another kind, UsageError for a dump that is not there.
    """
    chosen = report.dump(dump)
    before = chosen.version.number("checkin") if chosen.version else None
    out = Downgraded(VERSION if before is None else min(int(before), VERSION), None if before is None else int(before))
    times = true_times(line for line in chosen.history() if isinstance(line, HistoryLine) and not unsound(line))
    out.add(_head(report, chosen, times.end_ms, out, utc=redact is not iter))
    section = "CHECKIN BATTERYSTATS"
    out.add([f"------ {section} (dumpsys batterystats -c) ------", _version(chosen, out.version)])
    _history(out, chosen, times, redact)
    _records(out, chosen, redact)
    out.add([f"------ 0.000s was the duration of '{section}' ------"])
    if len(report.dumps) > 1:
        out.notes.append(f"one of {len(report.dumps)} dumps in the file (another one: --dump N)")
    if report.others:
        out.notes.append(f"{report.others} more bugreports in the archive were left out")
    return out


def _version(chosen: CheckinLines, version: int) -> str:
    builds = [str(chosen.version.get(name)) for name in ("start_build", "end_build")] if chosen.version else []
    parcel = (chosen.version.number("parcel") if chosen.version else None) or 0
    plain = [re.sub(r"[^\w.-]", "_", build, flags=re.ASCII) or "unknown" for build in builds] or ["unknown"] * 2
    return f"9,0,i,vers,{version},{int(parcel)},{plain[0]},{plain[1]}"


def _history(out: Downgraded, chosen: CheckinLines, times: Times, redact: Redaction) -> None:
    """The pool, then the history: which strings are needed is known at its end."""
    writer = HistoryWriter(out.losses)
    lines = (line for line in redact(chosen.part(history=True)) if not isinstance(line, Record))
    before, out.pieces = out.pieces, []
    out.add(writer.write(lines, times))
    history, out.pieces = out.pieces, before
    out.add(writer.pool())
    out.pieces += history


def _records(out: Downgraded, chosen: CheckinLines, redact: Redaction) -> None:
    """Everything else in the dump's order, but what tells how long the battery was in use comes first."""

    def records(codes: Container[str] | None = None) -> Iterator[Record]:
        part = chosen.part(history=False, codes=codes)
        return (line for line in redact(part) if isinstance(line, Record) and line.code != "vers")

    writer = RecordWriter(chosen.api, out.version, out.losses)
    writer.learn(records(LEARNED))
    out.add(writer.unnamed(chosen.typed()))
    out.add(line for record in records(FIRST) if (line := writer.write(record)))
    out.add(line for record in records() if record.code not in FIRST and (line := writer.write(record)))
    if not any(True for _ in records(("pws",))) and (capacity := _capacity(records(FIRST))):
        out.add([f"9,0,l,pws,{capacity}"])  # the old reader asks for a capacity; the rest stays unknown


def _capacity(records: Iterable[Record]) -> int | None:
    """The estimated capacity in mAh that the battery record gives, when there is one."""
    found = [r.number("estimated_capacity") for r in records if r.window == "l"]
    return int(found[0]) if found and found[0] else None


def _head(report: Bugreport, chosen: CheckinLines, end: int | None, out: Downgraded, *, utc: bool) -> list[str]:
    sdk = report.properties.get("ro.build.version.sdk", "")
    level = int(sdk) if re.fullmatch(r"[0-9]{1,4}", sdk, re.ASCII) else chosen.api
    taken, zone = _when(report, end, utc=utc)
    build = str(chosen.version.get("start_build")) if chosen.version else "unknown"
    build = re.sub(r"[^\w.-]", "_", build, flags=re.ASCII) or "unknown"
    fingerprint = report.fingerprint
    if not fingerprint:
        release = RELEASES.get(level, "unknown")
        fingerprint = f"unknown/unknown/unknown:{release}/{build}/unknown:unknown/unknown"
        out.notes.append("the dump names no device: its fingerprint says unknown")
    if taken == UNKNOWN_TIME:
        out.notes.append("the dump tells no time: its header says 1970")
    if level < OLDEST_SDK:
        out.notes.append(f"API level unknown: its header says {OLDEST_SDK}, the oldest that is read")
        level = OLDEST_SDK
    model = "".join(c for c in report.properties.get("ro.product.model", "") if c.isprintable() and c not in "[]")
    properties = {"persist.sys.timezone": zone, "ro.build.version.sdk": str(level), "ro.product.model": model}
    return [
        RULE, f"== dumpstate: {taken}", RULE, "", f"Build: {build}", f"Build fingerprint: '{fingerprint}'", "",
        "------ SYSTEM PROPERTIES (getprop) ------",
        *(f"[{name}]: [{value}]" for name, value in properties.items() if value),
        "------ 0.000s was the duration of 'SYSTEM PROPERTIES' ------", "",
    ]  # fmt: skip


def _when(report: Bugreport, end: int | None, *, utc: bool) -> tuple[str, str]:
    """When the report was taken and in which zone: from its header, else the end of the history (epoch ms) in UTC."""
    zone = report.properties.get("persist.sys.timezone", "")
    place = _zone(zone)
    if report.taken:
        try:
            local = datetime.strptime(report.taken, STAMP).replace(tzinfo=place or UTC)
        except ValueError:
            return UNKNOWN_TIME, "UTC"
        if place and not utc:
            return report.taken, zone
        return local.astimezone(UTC).strftime(STAMP), "UTC"
    if end is None:
        return UNKNOWN_TIME, "UTC"
    here = zone if place and not utc else "UTC"
    return datetime.fromtimestamp(end / 1000, place if here == zone and place else UTC).strftime(STAMP), here


def _zone(name: str) -> ZoneInfo | None:
    if not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+){0,2}", name, re.ASCII):
        return None
    try:
        return ZoneInfo(name)
    except (LookupError, OSError, ValueError):
        return None


def write_report(out: Downgraded, path: str | Path, *, private: bool) -> None:
    """Write the text, or a zip of it when the name ends in .zip, in place of what stands there.

    `private` (not redacted) leaves the file to its owner alone. Raises OSError when it cannot be written.
    """
    with replaced(path, mode=0o600 if private else 0o644) as stream:
        if Path(path).suffix.lower() == ".zip":
            _write_zip(stream, Path(path).stem, out.pieces)
        else:
            stream.writelines(out.pieces)


def _write_zip(stream: IO[bytes], stem: str, pieces: Iterable[bytes]) -> None:
    inner = stem if stem.startswith("bugreport") else f"bugreport-{stem}"
    members = {"version.txt": [b"2.0"], "main_entry.txt": [f"{inner}.txt".encode()], f"{inner}.txt": pieces}
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            with archive.open(info, "w", force_zip64=True) as member:
                member.writelines(content)
