from __future__ import annotations

import re
from pathlib import Path

import pytest

from powerhal.android.parse import read
from powerhal.android.summary import document
from powerhal.android.uids import app_id, isolated, parse_uid, user

OLD = """Battery History (0% used, 3128 used of 256KB, 28 strings using 836):
                    0 (9) RESET:TIME: 2016-03-01-10-00-00
                    0 (1) 100 status=discharging health=good plug=none temp=250 volt=4300 +screen
               +5s0ms (2) 099 -screen

Statistics since last charge:
  System starts: 0, currently on battery: true
  Time on battery: 3h 53m 10s 1ms (99%) realtime, 1h 2m 3s 4ms (26%) uptime
  Screen on: 1h 0m 0s 0ms (25.7%) 12x, Interactive: 59m 0s 0ms (25%)

  Estimated power use (mAh):
    Capacity: 1000, Computed drain: 208, actual drain: 750-760
    Screen: 120 Excluded from smearing
    Uid u0a40: 0.0635 ( wake=0.0100 gps=0.0535 ) Including smearing: 0.0847 ( proportional=0.0212 )
    Uid 1000: 5.5 ( cpu=5.50 ) Excluded from smearing
    Uid u10a40: 2.25
    Cell standby: 30.0 ( radio=30.0 ) Excluded from smearing
    Unaccounted: 542 ( ) Including smearing: 0 ( ) Excluded from smearing
    User 10: 3.21

  All kernel wake locks:
  Kernel Wake lock a: b: 1m 2s 3ms (4 times) realtime
Statistics since last unplugged:
  Time on battery: 1m 0s 0ms (1%) realtime, 30s 0ms (1%) uptime
"""
NEW = """Statistics since last charge:
  Estimated power use (mAh):
    Capacity: 5000, Computed drain: 410, actual drain: 50.0
    Global
      screen: 105 apps: 105 duration: 42m 5s 987ms 
      cpu: 195 [energy consumption] apps: 190
      my custom: 3.5 apps: 0
    UID u0a314: 149 fg: 19.9 cached: 0.00268 ( screen=52.9 (21m 5s 789ms) cpu=26.6 (18m 45s 106ms) cpu:fg=16.7 (4m 7s 589ms) my custom=1.5 ) 
    UID 1000: 51.5 ( cpu=49.9 ) 
    UID u999s1027: 0.000616
    USER 10: 7.5

  1000:
    Foreground activities: 28m 44s 607ms realtime (7 times) (running)
    Total cpu time: u=23s 46ms s=7s 547ms 
    Wake lock AudioMix: 2s 387ms partial (3 times) max=1849 actual=8571, 8s 571ms background partial (3 times) max=1849 realtime
    Mobile network: 9.54KB received, 0B sent (packets 119 received, 0 sent)
  u999s1027:
    (nothing executed)
"""  # noqa: E501, W291


def parsed(tmp_path: Path, text: str) -> dict:
    path = tmp_path / "dump.txt"
    path.write_text(text)
    return document(read(path))


def test_old_power_table(tmp_path: Path) -> None:
    out = parsed(tmp_path, OLD)
    assert out["source"]["format"] == "text"
    assert out["source"]["issue_count"] == 0
    assert out["battery"]["drained_mah"] == {"min": 750, "max": 760}
    assert {u["uid"]: u["mah"] for u in out["uids"]} == {10040: 0.0635, 1000: 5.5, 1010040: 2.25}
    assert next(u for u in out["uids"] if u["uid"] == 10040)["components"] == {"wakelock": 0.01, "gnss": 0.0535}
    assert next(u for u in out["uids"] if u["uid"] == 10040)["smeared_mah"] == 0.0847
    assert {d["name"]: d["mah"] for d in out["devices"]} == {
        "screen": 120, "mobile_radio": 30, "unaccounted": 542, "user": 3.21,
    }  # fmt: skip
    assert out["durations_ms"]["battery_realtime"] == 13990001
    assert out["durations_ms"]["battery_uptime"] == 3723004
    assert out["durations_ms"]["screen_on"] == 3600000
    assert out["wakelocks"] == [{"name": "a: b", "ms": 62003, "count": 4}]
    assert out["history"]["screen_on_ms"] == 5000
    assert out["windows"]["since_unplugged"]["durations_ms"]["battery_realtime"] == 60000


def test_new_power_table(tmp_path: Path) -> None:
    out = parsed(tmp_path, NEW)
    assert out["source"]["complete"]
    assert out["battery"]["drained_mah"] == {"min": 50, "max": 50}
    assert [d["name"] for d in out["devices"]] == ["screen", "cpu", "my custom", "user"]
    assert out["devices"][0]["ms"] == 2525987
    app = out["uids"][0]
    assert (app["uid"], app["mah"]) == (10314, 149)
    assert app["components"] == {"screen": 52.9, "cpu": 26.6, "my custom": 1.5}
    assert app["process_states"]["fg"] == {"mah": 19.9, "components": {"cpu": 16.7}}
    system = out["uids"][1]
    assert system["cpu_ms"] == {"user": 23046, "system": 7547}
    assert system["wakelocks"][0]["background_partial_ms"] == 8571
    assert system["network"]["mobile_rx_bytes"] == pytest.approx(9.54 * 1024)
    assert {u["uid"]: u["mah"] for u in out["uids"]}[99901027] == 0.000616


def test_a_text_that_ends_between_two_uids_is_not_complete(tmp_path: Path) -> None:
    """Uids are printed in ascending order, so the last one that drew charge must have its block."""
    cut = parsed(tmp_path, NEW[: NEW.index("  u999s1027:\n")])["source"]
    assert cut["incomplete_because"] == ["blocks of the last uids are missing"]
    cut = parsed(tmp_path, NEW[: NEW.index("\n  1000:\n") + 1])["source"]
    assert cut["incomplete_because"] == ["no blocks of uids after the power table"]


def test_lines_that_make_no_sense_are_issues(tmp_path: Path) -> None:
    out = parsed(tmp_path, NEW.replace("    UID 1000: 51.5", "    UID what: ever"))
    assert [i["code"] for i in out["source"]["issues"]] == ["power"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1000", 1000), ("u0a12", 10012), ("u10a33", 1010033), ("u999a318", 99910318), ("u0i7", 99007),
        ("u0ai3", 90003), ("u999s1027", 99901027), ("-1", -1), ("u0", None), ("x", None), ("1e3", None),
    ],
)  # fmt: skip
def test_uids(text: str, number: int | None) -> None:
    assert parse_uid(text) == number


def test_parts_of_a_uid() -> None:
    assert (user(1010033), app_id(1010033), isolated(1099007)) == (10, 10033, True)
    assert (user(-1), app_id(-1)) == (0, -1)


def test_real_dumps(shared: Path) -> None:
    """Every printed uid, device and total of real dumps, against a plain search of the text."""
    for file in sorted((shared / "data/android/human").glob("*.txt")):
        text = file.read_bytes().decode("utf-8", "surrogateescape").replace("\r\n", "\n")
        out = document(read(file))
        assert out["source"]["issue_count"] == 0
        assert out["source"]["complete"]
        assert out["source"]["line_ends"] == "crlf"
        assert not out["history"]["unexplained_tokens"]
        printed = dict(re.findall(r"^    UID (\S+): ([0-9.]+)", text, re.MULTILINE))
        got = {u["uid"]: u["mah"] for u in out["uids"] if u["mah"] is not None}
        assert got == {parse_uid(uid): pytest.approx(float(mah), rel=1e-9) for uid, mah in printed.items()}
        devices = re.findall(r"^      (\w+): ([0-9.]+) apps:", text, re.MULTILINE)
        assert [(d["name"], d["mah"]) for d in out["devices"]] == [(n, float(v)) for n, v in devices]
        events = re.findall(r"^ +(?:\+[0-9a-z]+|0) \(", text.split("Per-PID")[0], re.MULTILINE)
        assert out["history"]["lines"] == len(events)
