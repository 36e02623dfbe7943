"""`dumpsys batterystats --usage --proto`; field numbers from core/proto/android/os/batteryusagestats.proto."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from powerhal.android.parse import read
from powerhal.android.summary import document
from powerhal.cli import main

from .wire import double, message, num, text

START = 1_700_000_000_000


def use(component: int, deci_coulombs: int, ms: int = 0) -> bytes:
    """PowerComponentUsage: 1 component, 2 power_deci_coulombs, 3 duration_millis."""
    return num(1, component) + num(2, deci_coulombs) + num(3, ms)


def piece(component: int, deci_coulombs: int, ms: int, state: int) -> bytes:
    """PowerComponentUsageSlice: 1 power_component, 2 process_state."""
    return message(3, message(1, use(component, deci_coulombs, ms)), num(2, state))


def consumed(total: int, *uses: bytes, slices: bytes = b"") -> bytes:
    """BatteryConsumerData: 1 total_consumed_power_deci_coulombs, 2 power_components, 3 slices."""
    return num(1, total) + b"".join(message(2, u) for u in uses) + slices


def uid(number: int, data: bytes, foreground: int = 0, background: int = 0) -> bytes:
    """UidBatteryConsumer: 1 uid, 2 battery_consumer_data, 3 and 4 times in front and behind."""
    return message(5, num(1, number), message(2, data) if data else b"", num(3, foreground), num(4, background))


def head(ms: int = 3_600_000, discharge_ms: int = 3_500_000) -> bytes:
    return num(1, START) + num(2, START + ms) + num(3, ms) + num(6, 7) + num(7, discharge_ms)


SLICES = piece(1, 180, 3, 1) + piece(1, 90, 0, 4)
APPS = [
    uid(1010123, consumed(720, use(1, 360, 77), use(0, 360), slices=SLICES), 1000, 20),
    uid(0, consumed(36, use(1, 36))),  # root: its uid is 0, so it is not written
    uid(1000, b"", 0, 5),  # less than half a deci-coulomb
]
DEVICE = message(4, consumed(7200, use(0, 3600, 1_000_000), use(1, 1800), use(17, -72), use(1000, 36), use(18, 1)))
MODELS = message(8, num(1, 1), num(2, 2)) + message(8, num(2, 1))
WHOLE = head() + DEVICE + MODELS + b"".join(APPS)


def told(data: bytes, folder: Path) -> dict[str, Any]:
    path = folder / "usage.pb"
    path.write_bytes(data)
    return document(read(path))


def test_android_13(tmp_path: Path) -> None:
    out = told(WHOLE, tmp_path)
    assert out["source"]["format"] == "proto" and out["source"]["complete"] and not out["source"]["issues"]
    assert out["battery"]["computed_mah"] == 200.0 and out["battery"]["capacity_mah"] is None
    assert out["battery"]["discharge"] == {"session_percent": 7}
    assert out["durations_ms"] == {"session": 3_600_000, "battery_realtime": 3_500_000}
    assert out["totals"]["battery_time"]["start_clock_epoch_ms"] == START
    assert [(d["name"], d["label"], d["mah"]) for d in out["devices"]] == [
        ("screen", "0", 100.0), ("cpu", "1", 50.0), ("reattributed", "17", -2.0), ("custom_1000", "1000", 1.0),
        ("component_18", "18", 1 / 36),
    ]  # fmt: skip
    assert [d.get("model") for d in out["devices"][:3]] == ["power profile", "measured energy", None]
    assert out["devices"][0]["ms"] == 1_000_000 and "ms" not in out["devices"][1]
    app, root, system = out["uids"]
    assert (app["uid"], app["user"], app["app_id"], app["mah"]) == (1010123, 10, 10123, 20.0)
    assert app["components"] == {"cpu": 10.0, "screen": 10.0} and app["component_ms"] == {"cpu": 77}
    assert app["process_states"] == {
        "fg": {"ms": 1000, "mah": 5.0, "components": {"cpu": 5.0}, "component_ms": {"cpu": 3}}, "bg": {"ms": 20},
        "cached": {"mah": 2.5, "components": {"cpu": 2.5}},
    }  # fmt: skip
    assert (root["uid"], root["mah"], system["mah"]) == (0, 1.0, 0.0)
    assert system["process_states"] == {"bg": {"ms": 5}} and system["components"] == {}


def test_android_12(tmp_path: Path) -> None:
    """Fields 1 to 6 only, no slices."""
    data = num(1, START) + num(2, START + 9) + num(3, 9) + num(6, 3) + DEVICE + uid(10001, consumed(72, use(11, 72)))
    out = told(data, tmp_path)
    assert out["source"]["complete"] and "battery_realtime" not in out["durations_ms"]
    assert out["uids"][0]["components"] == {"wifi": 2.0} and out["uids"][0]["process_states"] == {}


def test_parts_by_state_are_neither_added_nor_lost(tmp_path: Path) -> None:
    """Android 15 on: a component comes again for each state of power and screen, its sum first."""
    slices = piece(1, 180, 30, 1) + piece(1, 100, 10, 1)
    device = message(4, consumed(360, use(1, 360, 9), use(1, 200, 4), use(1, 160), slices=slices))
    out = told(head() + device + uid(10001, consumed(360, use(1, 360), use(1, 200), slices=slices)), tmp_path)
    cpu, app = out["devices"][0], out["uids"][0]
    assert len(out["devices"]) == 1 and (cpu["mah"], cpu["ms"]) == (10.0, 9)
    assert cpu["parts"] == [
        {"mah": 200 / 36, "ms": 4}, {"mah": 160 / 36}, {"process_state": "fg", "mah": 100 / 36, "ms": 10},
    ]  # fmt: skip
    assert cpu["process_states"] == {"fg": {"mah": 5.0, "ms": 30}}
    assert app["components"] == {"cpu": 10.0} and app["process_states"]["fg"]["mah"] == 5.0
    assert [p["mah"] for p in app["component_parts"]] == [200 / 36, 100 / 36]


def test_rows_of_a_component_without_a_sum_add_up(tmp_path: Path) -> None:
    """Where the platform keeps no sum over the states, the consumer's total says that the rows are parts."""
    uses = [use(1, 200, 4), use(1, 160, 3), use(11, 72)]
    out = told(head() + message(4, consumed(432, *uses)) + uid(10001, consumed(431, *uses)), tmp_path)
    cpu, app = out["devices"][0], out["uids"][0]
    assert (cpu["mah"], cpu["ms"]) == (10.0, 7) and app["components"] == {"cpu": 10.0, "wifi": 2.0}
    assert cpu["parts"] == [{"mah": 200 / 36, "ms": 4}, {"mah": 160 / 36, "ms": 3}]
    assert app["component_ms"] == {"cpu": 7} and "parts" not in out["devices"][1]
    assert [(p["component"], p["ms"]) for p in app["component_parts"]] == [("cpu", 4), ("cpu", 3)]


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    odd = message(4, consumed(36, use(1, 36), slices=piece(2, 36, 0, 9)) + text(7, "x"))
    data = head() + odd + num(8, 3) + double(9, 1.0) + uid(10001, num(1, 36)) + uid(10001, num(1, 72))
    out = told(data, tmp_path)
    whys = sorted(f"{i['field']}: {i['why']}" for i in out["source"]["issues"])
    assert len(whys) == 4
    assert "Consumed: field 7 (bytes) is unknown and not used, once at byte" in whys[0]
    assert "Usage.models: is no ComponentModel but varint" in whys[2]
    assert "Usage: field 9 (fixed64) is unknown" in whys[3] or "Usage: field 9 (fixed64) is unknown" in whys[2]
    assert any("uid 10001 stands again with 2 mAh" in why for why in whys)
    assert out["uids"][0]["mah"] == 1.0
    assert out["devices"][1] == {
        "name": "bluetooth", "label": "bluetooth", "mah": None, "process_states": {"9": {"mah": 1.0}},
    }  # fmt: skip


def test_every_cut(tmp_path: Path) -> None:
    known = {1010123: 20.0, 0: 1.0, 1000: 0.0}
    for cut in range(20, len(WHOLE)):
        out = told(WHOLE[:cut], tmp_path)
        assert out["source"]["format"] == "proto"
        if out["source"]["complete"]:
            assert "a last part of it may be missing" in out["source"]["may_miss"][0]
            assert all(known[u["uid"]] == u["mah"] for u in out["uids"])
        else:
            assert out["source"]["incomplete_because"]
            cut_inside = out["source"]["incomplete_because"] == ["the message is cut"]
            assert cut_inside == any("at byte" in i["why"] for i in out["source"]["issues"])


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = tmp_path / "a.pb", tmp_path / "b.pb"
    a.write_bytes(WHOLE)
    grown = [uid(1010123, consumed(1440, use(1, 1440))), *APPS[1:]]
    b.write_bytes(head(7_200_000, 7_000_000) + DEVICE + b"".join(grown))
    assert main(["android", "diff", str(a), str(b), "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    assert out["mode"] == "between"
    assert [(c["table"], c["uid"], c["change"]) for c in out["changes"]] == [("uids", 1010123, 20.0)]
    assert out["changes"][0]["within"] == pytest.approx(1 / 36)
    assert main(["android", "attribute", str(a)]) == 5
    assert "no battery history" in capsys.readouterr().err
    assert main(["android", "report", str(a), "-o", str(tmp_path / "u.html")]) == 0
    assert "no battery history" in capsys.readouterr().err
    assert main(["android", "downgrade", str(a), str(tmp_path / "o.txt")]) == 5
    assert "protobuf forms of sums" in capsys.readouterr().err
    assert main(["android", "parse", str(a)]) == 0
    assert "20 mAh  uid 1010123" in capsys.readouterr().out


def test_tables_keep_names_and_units(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.pb"
    again = message(4, consumed(360, use(1, 360), use(1, 200, 4)))
    path.write_bytes(head() + again + MODELS + b"".join(APPS))
    assert main(["android", "export", str(path), "--format", "csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    found = {(r["table"], r["item"], r["quantity"]): (r["unit"], r["value"]) for r in rows}
    assert found["battery", "", "mah_step"] == ("mAh", str(1 / 36))
    assert found["devices", "cpu", "model"] == ("", "measured energy")
    assert found["device_parts", "cpu", "ms"] == ("ms", "4")
    assert found["uid_process_states", "", "fg_component_ms_cpu"] == ("ms", "3")
