"""A dump as tables: one row a device, uid, wake lock, job, ... with the unit of each column in its header.

The rows are those of the JSON summary (docs/android.md). CSV is either one long table (one value a row) or a
folder with one file a table.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Tables = dict[str, list[Row]]

UNITS = {
    "_epoch_ms": "ms since 1970", "_ma_ms": "mA ms", "_ms": "ms", "_mah": "mAh", "_uah": "uAh", "_bytes": "B",
    "_percent": "%", "_khz": "kHz", "_packets": "packets", "_mv": "mV",
}  # fmt: skip
WHOLE = {"ms": "ms", "mah": "mAh", "uid": "id", "user": "id", "app_id": "id", "sensor": "id", "screen_mah": "mAh",
         "mah_step": "mAh"}  # fmt: skip
TEXTS = frozenset(
    [
        "name",
        "label",
        "packages",
        "package",
        "service",
        "window",
        "isolated",
        "hidden",
        "state",
        "screen",
        "power_save",
        "idle",
        "component",
        "model",
        "process_state",
    ]
)
LONG = ("dump", "window", "table", "row", "uid", "item", "quantity", "unit", "value")
SERIES = {"levels": ("level_percent",), "volts": ("volt_mv",), "charges": ("charge_mah",)}
INDEX = re.compile(r"_[0-9]+$")


INSIDE = {"_mah_": "mAh", "_components_": "mAh", "_component_ms_": "ms"}  # `drained_mah_min`, `fg_components_cpu`
# tables whose columns are named by what was used; the table tells the unit
BY_TABLE = {"uid_components": "mAh", "uid_component_ms": "ms", "uid_cpu_ms": "ms"}


def unit(quantity: str, table: str = "") -> str:
    """The unit of a column by its name and table; a count when they say nothing else; empty for a text."""
    if table in BY_TABLE and quantity != "uid":
        return BY_TABLE[table]
    if quantity in TEXTS:
        return ""
    stem = INDEX.sub("", quantity)
    inside = next((u for mark, u in INSIDE.items() if mark in f"{quantity}_"), "")
    return WHOLE.get(stem) or next((u for end, u in UNITS.items() if stem.endswith(end)), inside or "count")


def tables(document: Row) -> Tables:
    """Tables of one dump by name; every row holds plain values only."""
    out: Tables = {}
    out["battery"] = [_flat({k: v for k, v in document["battery"].items() if not isinstance(v, list)})]
    out["durations"] = [{"name": name, "ms": ms} for name, ms in document["durations_ms"].items()]
    out["devices"] = [_flat(row) for row in document["devices"]]
    out["device_parts"] = [
        {"name": row["name"], **part} for row in document["devices"] for part in row.get("parts", ())
    ]
    out["wakelocks"] = [_flat(row) for row in document["wakelocks"]]
    for name, part in document["totals"].items():
        rows = part if isinstance(part, list) else [part]
        out[f"total_{name}"] = [_flat(row) if isinstance(row, dict) else {"value": row} for row in rows]
    out["uids"] = []
    for use in document["uids"]:
        _uid(use, out)
    for name, columns in SERIES.items():
        pairs = document.get("history", {}).get(name, [])
        out[f"history_{name}"] = [{"time_ms": t, columns[0]: v} for t, v in pairs]
    states = document.get("history", {}).get("states_ms", {})
    out["history_states"] = [{"name": name, "ms": ms} for name, ms in states.items()]
    return {name: rows for name, rows in out.items() if any(rows)}


def _uid(use: Row, out: Tables) -> None:
    """Plain values of a uid in `uids`, each of its lists and groups in a table of its own."""
    plain: Row = {}
    for name, part in use.items():
        if name == "packages":
            plain[name] = ";".join(part)
        elif isinstance(part, list):
            rows = [{"uid": use["uid"], **_flat(row)} for row in part]
            out.setdefault(f"uid_{name}", []).extend(rows)
        elif isinstance(part, dict) and part:
            out.setdefault(f"uid_{name}", []).append({"uid": use["uid"], **_flat(part)})
        elif not isinstance(part, dict):
            plain[name] = part
    out["uids"].append(plain)


def _flat(row: Row, head: str = "") -> Row:
    """Groups inside a row become columns `group_name`, lists `name_0`, `name_1`, ..."""
    out: Row = {}
    for name, value in row.items():
        if isinstance(value, dict):
            out |= _flat(value, f"{head}{name}_")
        elif isinstance(value, list):
            out |= {f"{head}{name}_{k}": v for k, v in enumerate(value) if not isinstance(v, dict | list)}
        else:
            out[head + name] = value
    return out


def documents(document: Row) -> Iterator[tuple[str, str, Row]]:
    """(number of the dump, window, document) of everything in a file: dumps and their further windows."""
    for number, dump in enumerate(_dumps(document)):
        yield str(number), dump["window"], dump
        for name, window in dump.get("windows", {}).items():
            yield str(number), name, window


def _dumps(document: Row) -> Iterator[Row]:
    yield document
    for other in document.get("others", []):
        yield from _dumps(other)


def long_csv(document: Row) -> Iterator[str]:
    """Lines of the long table: `dump,window,table,row,uid,item,quantity,unit,value`; absent values have no row."""
    yield _csv_line(LONG)
    for number, window, dump in documents(document):
        for table, rows in tables(dump).items():
            for at, row in enumerate(rows):
                item = row.get("name", row.get("label", ""))
                for quantity, value in row.items():
                    if value is not None and quantity not in ("uid", "name"):
                        head = (number, window, table, at, row.get("uid", ""), item)
                        yield _csv_line((*head, quantity, unit(quantity, table), value))


def wide_csv(document: Row, folder: Path) -> list[Path]:
    """One file a table into a folder, columns headed `name [unit]`; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    collected: Tables = {}
    for number, window, dump in documents(document):
        for table, rows in tables(dump).items():
            collected.setdefault(table, []).extend({"dump": number, "window": window, **row} for row in rows)
    written = []
    for table, rows in collected.items():
        columns = list(dict.fromkeys(name for row in rows for name in row))
        heads = [f"{c} [{u}]" if (u := unit(c, table)) and c != "dump" else c for c in columns]
        path = folder / f"{re.sub('[^a-z0-9_]', '_', table)}.csv"
        lines = [_csv_line(heads), *(_csv_line([row.get(c) for c in columns]) for row in rows)]
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", errors="replace")
        written.append(path)
    return written


def _csv_line(values: Any) -> str:
    """One line; a text that a spreadsheet would take for a formula gets an apostrophe, None is empty."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([_cell(v) for v in values])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        shown = "".join(c if c.isprintable() else "?" for c in value)
        return f"'{shown}" if shown[:1] in tuple("=+-@") and not re.fullmatch(r"-?[0-9.]+", shown) else shown
    return value
