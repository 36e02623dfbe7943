"""Every name of the JSON summary with its unit, made from the tables that the readers use (docs/android.md)."""

from __future__ import annotations

from collections.abc import Iterator

from powerhal.android.checkin.records import SPECS, Field, rows
from powerhal.android.checkin.statistics import PER_UID, SUFFIXES, TOTALS, _joined
from powerhal.android.statistics import COMPONENTS

ELSEWHERE = {
    "vers": "source.versions", "uid": "uids[].packages", "pws": "battery", "pwi": "devices[], uids[]",
    "kwl": "wakelocks[]", "st": "uids[].process_states", "cpu": "uids[].cpu_ms",
}  # fmt: skip


def place(code: str) -> str:
    """Where in the document the columns of a record stand."""
    for table, head in ((PER_UID, "uids[]."), (TOTALS, "totals.")):
        if code in table:
            name, many = table[code]
            return f"{head}{name}{'[]' if many else ''}"
    return ELSEWHERE[code]


def summary_name(column: Field) -> tuple[str, str]:
    """A column's name in the summary and its unit there."""
    if column.kind in ("str", "name"):
        return column.name, "text"
    suffix, _ = SUFFIXES[column.unit]
    unit = (
        "ms"
        if column.unit == "us"
        else {"n": "count", "packets": "packets", "": "number"}.get(column.unit, column.unit)
    )
    return _joined(column.name, suffix), unit


def table() -> Iterator[str]:
    """Markdown rows: code, place, column, unit on the line, first API level, name and unit in the summary."""
    yield "| code | place in the JSON | column | unit on the line | from API | name there | unit there |"
    yield "|---|---|---|---|---|---|---|"
    for code in SPECS:
        seen: set[tuple[str, str]] = set()
        for row in rows(code):
            for column in (*row.fields, *((row.rest,) if row.rest else ())):
                if column.kind == "letter" or (column.name, column.unit) in seen:
                    continue
                seen.add((column.name, column.unit))
                more = "_0, _1, ..." if column is row.rest else ""
                name, unit = summary_name(column)
                printed = "text" if column.kind in ("str", "name") else column.unit or "number"
                yield (
                    f"| `{code}` | `{place(code)}` | {column.name}{more} | {printed} | {row.since} "
                    f"| `{name}`{more and ' per index'} | {unit} |"
                )


def components() -> str:
    """The names of devices and components, as a sentence."""
    return ", ".join(f"`{name}`" for name in COMPONENTS)
