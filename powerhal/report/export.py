"""Rows for other programs: samples, process usage and the ledger as csv, json or jsonl."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TextIO

from powerhal.errors import UsageError
from powerhal.recording import Recording

Row = dict[str, Any]

SCHEMA = 1


def samples(recording: Recording) -> Iterator[Row]:
    """One row a sample: t_s since the start, channel, value in SI, unit, rail, quality names ('OK' when good)."""
    from powerhal.channel import Quality

    names = {0: "OK"}
    for name, channel in recording.channels.items():
        series = recording.series(name)
        for t_ns, value, flags in zip(
            series.t_ns.tolist(), series.value.tolist(), series.quality.tolist(), strict=True
        ):
            if flags not in names:
                names[flags] = "|".join(q.name or "" for q in Quality if q and q in Quality(flags))
            yield {
                "t_s": (t_ns - recording.start_ns) / 1e9,
                "channel": name,
                "value": value,
                "unit": channel.unit,
                "rail": channel.rail,
                "quality": names[flags],
            }


def usages(recording: Recording) -> Iterator[Row]:
    """One row per process, activity and scan: t_s, pid, name, uid, activity, amount (s, B or count)."""
    table = recording.usages()
    people, activities = recording.processes, recording.activities
    for t_ns, process, activity, amount in zip(
        table.t_ns.tolist(), table.process.tolist(), table.activity.tolist(), table.amount.tolist(), strict=True
    ):
        who = people[process]
        yield {
            "t_s": (t_ns - recording.start_ns) / 1e9,
            "pid": who.pid,
            "name": who.comm,
            "uid": who.uid,
            "activity": activities[activity],
            "amount": amount,
        }


def ledger_rows(document: Row) -> Iterator[Row]:
    """The rows of `Ledger.to_dict()` without their nested parts."""
    for row in document["rows"]:
        yield {k: v for k, v in row.items() if not isinstance(v, dict | list)}


def _csv(rows: Iterable[Row], out: TextIO) -> int:
    writer, count = None, 0
    for row in rows:
        count += 1
        if writer is None:
            writer = csv.DictWriter(out, list(row), lineterminator="\n", extrasaction="ignore")
            writer.writeheader()
        writer.writerow({k: _cell(v) for k, v in row.items()})
    return count


def _cell(value: Any) -> Any:
    """A spreadsheet must not take a process name for a formula; unknown is an empty cell."""
    if isinstance(value, str):
        text = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in value)
        return "'" + text if text[:1] in ("=", "+", "-", "@") else text
    return "" if value is None else value


def _json(rows: Iterable[Row], out: TextIO) -> int:
    found = list(rows)
    json.dump({"schema": SCHEMA, "rows": found}, out, ensure_ascii=False)
    out.write("\n")
    return len(found)


def _jsonl(rows: Iterable[Row], out: TextIO) -> int:
    count = 0
    for row in rows:
        count += 1
        out.write(json.dumps(row, ensure_ascii=False) + "\n")
    return count


FORMATS: dict[str, Callable[[Iterable[Row], TextIO], int]] = {"csv": _csv, "json": _json, "jsonl": _jsonl}


def write(rows: Iterable[Row], form: str, out: TextIO) -> int:
    """Write rows in a form of `FORMATS`; returns how many. Raises UsageError for an unknown form."""
    if form not in FORMATS:
        raise UsageError(f"unknown form {form!r}; known: {', '.join(FORMATS)}")
    return FORMATS[form](rows, out)
