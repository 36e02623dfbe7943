from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from powerhal.android.parse import read
from powerhal.android.share.export import LONG, long_csv, tables, unit, wide_csv
from powerhal.android.summary import document
from powerhal.cli import main
from tests.android.test_parse import DUMP


def put(tmp_path: Path, text: str = DUMP) -> Path:
    path = tmp_path / "dump.txt"
    path.write_text(text)
    return path


def test_units() -> None:
    assert unit("mobile_rx_bytes") == "B"
    assert unit("tx_3_ms") == unit("ms_4") == unit("power_ma_ms").removeprefix("mA ") == "ms"
    assert unit("drained_mah_min") == unit("cpu", "uid_components") == "mAh"
    assert unit("user", "uid_cpu_ms") == "ms"
    assert unit("user") == "id"
    assert unit("count") == "count"
    assert unit("name") == ""
    assert unit("max_learned_capacity_uah") == "uAh"


def test_every_number_of_the_summary_has_a_row(tmp_path: Path) -> None:
    out = document(read(put(tmp_path)))
    rows = list(csv.reader(io.StringIO("\n".join(long_csv(out)))))
    assert tuple(rows[0]) == LONG
    found = {(r[2], r[4], r[5], r[6]): (r[7], r[8]) for r in rows[1:]}
    assert found["uids", "1010010", "", "mah"] == ("mAh", "1.5")
    assert found["uid_wakelocks", "10010", "*alarm*", "background_partial_total_ms"] == ("ms", "9")
    assert found["uid_network", "1010010", "", "radio_active_ms"] == ("ms", "9")
    assert found["total_battery_time", "", "", "max_learned_capacity_uah"] == ("uAh", "4000000")
    assert found["battery", "", "", "drained_mah_max"] == ("mAh", "440.0")
    assert found["durations", "", "screen_on", "ms"] == ("ms", "5000")
    assert found["uids", "10010", "", "packages"] == ("", "com.a;com.b")
    assert not any(r[8] == "" for r in rows[1:] if r[6] == "mah")  # unknown has no row


def test_one_file_a_table(tmp_path: Path) -> None:
    out = document(read(put(tmp_path, DUMP + DUMP)))
    files = {p.stem: p for p in wide_csv(out, tmp_path / "out")}
    assert files.keys() == set(tables(out))
    rows = list(csv.DictReader(io.StringIO(files["uids"].read_text())))
    assert {r["dump"] for r in rows} == {"0", "1"}
    assert [r["mah [mAh]"] for r in rows if r["uid [id]"] == "10010"] == ["14.7", "14.7"]


def test_no_formula_gets_into_a_spreadsheet(tmp_path: Path) -> None:
    evil = DUMP + '9,0,l,kwl,"=cmd|x",5,1,-1,-1\n'
    text = "\n".join(long_csv(document(read(put(tmp_path, evil)))))
    assert ",=cmd" not in text
    assert "'=cmd|x" in text


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(tmp_path)
    assert main(["android", "export", str(path)]) == 0
    said = capsys.readouterr()
    out = json.loads(said.out)
    assert "pseudonyms" in said.err
    assert "com.a" not in said.out
    assert {u["uid"]: u["mah"] for u in out["uids"]} == {0: 20.9, 10010: 14.7, 1010010: 1.5}
    assert main(["android", "export", "--no-redact", "--format", "csv", str(path)]) == 0
    assert "com.a" in capsys.readouterr().out
    folder = tmp_path / "tables"
    assert main(["android", "export", "--format", "csv", str(path), "-o", f"{folder}/"]) == 0
    assert (folder / "uids.csv").read_text().startswith("dump,window,uid [id]")
    key = tmp_path / "key"
    texts = []
    for _ in range(2):
        assert main(["android", "export", str(path), "--key", str(key), "-o", str(tmp_path / "o.json")]) == 0
        texts.append((tmp_path / "o.json").read_text())
    assert texts[0] == texts[1]
    assert main(["android", "export", str(tmp_path / "none")]) == 3
    assert main(["android", "export", str(path), "-o", str(tmp_path / "no" / "such")]) == 3
