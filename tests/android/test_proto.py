from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.android.parse import read
from powerhal.android.proto.schema import MESSAGES, fields
from powerhal.android.summary import document
from powerhal.cli import main


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def encode(message: str, values: dict) -> bytes:
    """Wire bytes of a message given by names, written from the format's definition."""
    out = b""
    for number, (name, kind, repeated) in sorted(fields(message).items()):
        if name not in values:
            continue
        for value in values[name] if repeated else [values[name]]:
            if kind == "int":
                out += varint(number << 3) + varint(value)
            elif kind == "double":
                out += varint(number << 3 | 1) + struct.pack("<d", value)
            else:
                body = value.encode() if kind == "str" else encode(kind, value)
                out += varint(number << 3 | 2) + varint(len(body)) + body
    return out


STATS = {
    "report_version": 35, "parcel_version": 186, "start_platform_version": "RP1A", "end_platform_version": "RP1A",
    "uids": [
        {
            "uid": 1010139,
            "packages": [{"name": "com.a", "services": [{"name": "S", "start_count": 2}]}, {"name": "b"}],
            "power_use_item": {"computed_power_mah": 12.25, "should_hide": 0},
            "cpu": {"user_duration_ms": 5, "system_duration_ms": 6},
            "wakelocks": [{"name": "*alarm*", "partial": {"duration_ms": 7, "count": 2, "total_duration_ms": 9}}],
            "states": [{"state": 1, "duration_ms": 44}], "network": {"mobile_rx_bytes": 2**40, "radio_active_ms": 3},
        },
        {"uid": -1},
    ],
    "system": {
        "battery": {"battery_realtime_ms": 9000, "start_clock_time_ms": 1700000000000, "screen_doze_duration_ms": 4},
        "misc": {"screen_on_ms": 5000}, "cpu_frequency": [300000, 600000],
        "power_use_summary": {
            "battery_capacity_mah": 4000.0, "computed_power_mah": 147.5, "min_drained_power_mah": 100.0,
            "max_drained_power_mah": 140.0,
        },
        "power_use_item": [{"name": 7, "uid": 0, "computed_power_mah": 56.9}],
        "kernel_wakelock": [{"name": "k", "total": {"duration_ms": 11, "count": 3}}],
    },
}  # fmt: skip


def dumped() -> bytes:
    return encode("Dump", {"batterystats": STATS})


def test_a_message(tmp_path: Path) -> None:
    path = tmp_path / "stats.pb"
    path.write_bytes(dumped())
    out = document(read(path))
    assert out["source"]["format"] == "proto"
    assert out["source"]["complete"]
    assert out["source"]["versions"]["parcel"] == 186
    assert out["source"]["api"] == 30
    assert out["battery"]["computed_mah"] == 147.5
    assert out["battery"]["drained_mah"] == {"min": 100.0, "max": 140.0}
    assert out["durations_ms"] == {"battery_realtime": 9000, "screen_doze": 4, "screen_on": 5000}
    assert out["devices"] == [{"name": "screen", "label": "7", "mah": 56.9}]
    assert out["wakelocks"] == [{"name": "k", "ms": 11, "count": 3}]
    assert out["totals"]["cpu_frequency"] == [300000, 600000]
    app = out["uids"][0]
    assert (app["uid"], app["user"], app["mah"], app["packages"]) == (1010139, 10, 12.25, ["com.a", "b"])
    assert app["cpu_ms"] == {"user": 5, "system": 6}
    assert app["wakelocks"] == [{"name": "*alarm*", "partial_ms": 7, "partial_count": 2, "partial_total_ms": 9}]
    assert app["process_states"] == {"foreground_service": {"ms": 44}}
    assert app["network"] == {"mobile_rx_bytes": 2**40, "radio_active_ms": 3}
    assert out["uids"][1]["uid"] == -1


@given(st.integers(0, 10_000))
@settings(max_examples=100, deadline=None)
def test_cut_messages(tmp_path_factory, cut: int) -> None:
    data = dumped()
    path = tmp_path_factory.mktemp("p") / "f"
    path.write_bytes(data[: 20 + cut % (len(data) - 20)])
    out = document(read(path))
    assert out["source"]["format"] == "proto"
    assert not out["source"]["complete"]


def test_two_of_one_discharge(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    use = {"uid": 10001, "power_use_item": {"computed_power_mah": 3.5}, "network": {"wifi_rx_bytes": 7}}
    for name, ms in (("a", 9000), ("b", 12000)):
        times = STATS["system"]["battery"] | {"battery_realtime_ms": ms}
        uids = STATS["uids"] + ([use] if name == "b" else [])
        stats = STATS | {"uids": uids, "system": STATS["system"] | {"battery": times}}
        (tmp_path / name).write_bytes(encode("Dump", {"batterystats": stats}))
    assert main(["android", "diff", str(tmp_path / "a"), str(tmp_path / "b"), "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    assert out["mode"] == "between"
    changes = [(c["table"], c["uid"], c["change"]) for c in out["changes"]]
    assert changes == [("uids", 10001, 3.5), ("network", 10001, 7)]


def test_a_field_of_a_later_platform(tmp_path: Path) -> None:
    path = tmp_path / "stats.pb"
    body = encode("BatteryStats", STATS) + varint(99 << 3) + varint(5)
    path.write_bytes(b"\x0a" + varint(len(body)) + body)
    out = document(read(path))
    assert out["source"]["complete"] and out["battery"]["computed_mah"] == 147.5
    at = path.stat().st_size - 3
    assert [(i["field"], i["why"]) for i in out["source"]["issues"]] == [
        ("BatteryStats", f"field 99 (varint) is unknown and not used, once at byte {at}")
    ]


def test_every_type_is_a_message() -> None:
    for name in MESSAGES:
        for _, kind, _ in fields(name).values():
            assert kind in ("int", "double", "str") or kind in MESSAGES


def test_what_is_left_out_is_zero(tmp_path: Path) -> None:
    """ProtoOutputStream writes no single field that is 0: root has no uid, a charge of nothing no number."""
    path = tmp_path / "stats.pb"
    uids = [{"power_use_item": {"computed_power_mah": 4.5}, "cpu": {"user_duration_ms": 9}},
            {"uid": 1000, "power_use_item": {"should_hide": 1}}, {"uid": 1001}]  # fmt: skip
    system = STATS["system"] | {"power_use_item": [{"uid": 5, "screen_power_mah": 1.0}]}
    path.write_bytes(encode("Dump", {"batterystats": STATS | {"uids": uids, "system": system}}))
    out = document(read(path))
    assert {u["uid"]: u["mah"] for u in out["uids"]} == {0: 4.5, 1000: 0.0, 1001: None}
    assert out["devices"][0]["mah"] == 0.0


@pytest.mark.parametrize("times", [1, 2])
def test_line_ends_of_adb_shell_are_undone(tmp_path: Path, times: int) -> None:
    path = tmp_path / "stats.pb"
    data = dumped()
    assert b"\n" in data[1:]
    for _ in range(times):
        data = data.replace(b"\n", b"\r\n")
    path.write_bytes(data)
    out = document(read(path))
    assert out["source"]["complete"]
    assert out["source"]["issue_count"] == times
    path.write_bytes(dumped())
    assert document(read(path))["uids"] == out["uids"]
