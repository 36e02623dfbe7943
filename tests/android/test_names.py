"""Every name and unit of the table in docs/android.md stands in the document that `parse --json` gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from powerhal.android.checkin.records import SPECS, VERSIONS, Field, Row, rows
from powerhal.android.names import place, summary_name
from powerhal.android.parse import read
from powerhal.android.summary import document

ABOUT = ("vers", "uid", "dsd", "csd", "dtr", "ctr")
PER_UID = 10010
CASES = [(code, at) for code in SPECS for at in range(len(rows(code))) if code not in ("vers",)]


def value_of(column: Field, number: int) -> str:
    if column.kind == "letter":
        return column.unit
    texts = {"str": "s", "name": '"n"', "count": "7", "double": f"{number}.5", "any": str(number)}
    return texts.get(column.kind, str(number))


def line(code: str, row: Row) -> tuple[str, list[tuple[Field, int]]]:
    columns = [*row.fields, *([Field(f"{row.rest.name}_0", row.rest.unit, row.rest.kind)] if row.rest else [])]
    numbered = [(column, 1000 * (k + 1)) for k, column in enumerate(columns)]
    texts = [value_of(column, number) for column, number in numbered]
    if code == "pwi":
        texts[0] = "uid"
    window = "i" if code in ABOUT else "l"
    head = f"9,{PER_UID if place(code).startswith(('uids', 'devices')) and window == 'l' else 0},{window},{code}"
    return ",".join([head, *texts]), numbered


def at(out: dict[str, Any], code: str) -> Any:
    where = place(code)
    if where == "devices[], uids[]":
        where = "uids[]"
    for word in where.split("."):
        name = word.removesuffix("[]")
        out = out[name]
        if word.endswith("[]") and isinstance(out, list):
            out = next((row for row in out if row.get("uid") == PER_UID), out[-1])
    return out


@pytest.mark.parametrize(("code", "index"), CASES)
def test_every_column_is_where_the_table_says(tmp_path: Path, code: str, index: int) -> None:
    row = rows(code)[index]
    text, numbered = line(code, row)
    version = max((v for v in VERSIONS if min(v.apis) <= row.since), key=lambda v: min(v.apis))
    path = tmp_path / "dump.txt"
    packages = f"9,0,i,uid,{PER_UID},com.a\n"
    path.write_text(f"9,0,i,vers,{version.checkin},{version.parcel},A,A\n{packages}9,{PER_UID},l,fg,1,1\n{text}\n")
    out = document(read(path))
    assert out["source"]["issue_count"] == 0, (text, out["source"]["issues"])
    if code == "uid":
        assert out["uids"][0]["packages"] == ["com.a"]
        return
    if code in ("dsd", "csd", "dtr", "ctr"):
        found = out["totals"][place(code).partition(".")[2].removesuffix("[]")]
        found = found[-1] if isinstance(found, list) else found
    else:
        found = at(out, code)
    for column, number in numbered:
        if column.kind in ("letter", "str", "name") or code in ("st", "pws", "pwi", "cpu"):
            continue
        name, unit = summary_name(column)
        expected = number / 1000 if column.unit == "us" else 7 if column.kind == "count" else number
        expected += 0.5 if column.kind == "double" else 0
        assert found[name] == expected, (text, name)
        assert unit in name or unit in ("count", "id", "number", "0/1", "packets") or name == "ms" or {
            "B": "bytes", "%": "percent", "mAh": "mah", "uAh": "uah", "kHz": "khz", "mA-ms": "ma_ms",
        }.get(unit, unit) in name, (name, unit)  # fmt: skip


def test_the_special_records(tmp_path: Path) -> None:
    path = tmp_path / "dump.txt"
    path.write_text(
        "9,0,i,vers,36,212,A,B\n9,0,l,pws,4000,147,400,440\n9,10010,l,pwi,uid,14.7,0,1.47,0.734\n"
        '9,10010,l,st,1,2,3,4,5,6,7\n9,10010,l,cpu,100,50,0\n9,0,l,kwl,"k",5,6,7,8\n'
    )
    out = document(read(path))
    assert out["source"]["versions"] == {"checkin": 36, "parcel": 212, "start_build": "A", "end_build": "B"}
    battery = out["battery"]
    assert (battery["capacity_mah"], battery["computed_mah"], battery["drained_mah"]) == (
        4000, 147, {"min": 400, "max": 440},
    )  # fmt: skip
    [app] = out["uids"]
    assert (app["mah"], app["hidden"], app["screen_mah"], app["proportional_mah"]) == (14.7, 0, 1.47, 0.734)
    assert app["process_states"]["heavy_weight"] == {"ms": 6}
    assert app["cpu_ms"] == {"user": 100, "system": 50}
    assert out["wakelocks"] == [{"name": "k", "ms": 5, "count": 6, "current_ms": 7, "max_ms": 8}]
