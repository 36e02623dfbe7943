from __future__ import annotations

import csv
import io
import json

import pytest

from powerhal.errors import UsageError
from powerhal.report import export

from .fakes import HOSTILE, document, recording


def test_samples_csv_reads_back() -> None:
    out = io.StringIO()
    count = export.write(export.samples(recording(seconds=2)), "csv", out)
    rows = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert len(rows) == count == 3 * 200
    assert rows[0].keys() == {"t_s", "channel", "value", "unit", "rail", "quality"}
    assert {r["quality"] for r in rows} == {"OK"}


def test_formula_and_control_bytes_are_defused_in_csv() -> None:
    rows = [{"name": "=1+1", "x": None}, {"name": HOSTILE, "x": 1.5}]
    out = io.StringIO()
    export.write(rows, "csv", out)
    back = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert back[0] == {"name": "'=1+1", "x": ""}
    assert "\x1b" not in out.getvalue()


def test_json_forms_keep_full_precision() -> None:
    rows = list(export.usages(recording()))
    one, many = io.StringIO(), io.StringIO()
    export.write(iter(rows), "json", one)
    export.write(iter(rows), "jsonl", many)
    assert json.loads(one.getvalue())["rows"] == rows == [json.loads(line) for line in many.getvalue().splitlines()]


def test_ledger_rows_are_flat() -> None:
    rows = list(export.ledger_rows(document()))
    assert rows[0]["name"] == "cpu"
    assert all(not isinstance(v, dict | list) for r in rows for v in r.values())


def test_unknown_form() -> None:
    with pytest.raises(UsageError, match="csv"):
        export.write([], "xlsx", io.StringIO())
