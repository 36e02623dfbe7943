"""`dumpsys powerstats --proto`; field numbers from core/proto/android/server/powerstatsservice.proto."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.android.rails.files import read_powerstats
from powerhal.android.rails.powerstats import (
    Channel,
    EnergyConsumer,
    EnergyConsumerAttribution,
    EnergyConsumerResult,
    EnergyMeasurement,
    PowerEntity,
    State,
    StateResidency,
    StateResidencyResult,
)
from powerhal.android.rails.proto import parse_proto
from powerhal.cli import main

from .wire import message, num, text

T = 1_700_000_000_000


def channel(number: int, name: str, subsystem: str = "") -> bytes:
    return message(1, num(1, number), text(2, name), text(3, subsystem) if subsystem else b"")


def reading(number: int, at: int, uws: int, ms: int = 0) -> bytes:
    return message(2, num(1, number), num(2, at), num(3, uws), num(4, ms))


def consumer(number: int, ordinal: int, kind: int, name: str) -> bytes:
    return message(1, num(1, number), num(2, ordinal), num(3, kind), text(4, name))


def result(number: int, at: int, uws: int, *shares: tuple[int, int]) -> bytes:
    parts = [message(4, num(1, uid), num(2, part)) for uid, part in shares]
    return message(2, num(1, number), num(2, at), num(3, uws), *parts)


def entity(number: int, name: str, *states: str) -> bytes:
    return message(1, num(1, number), text(2, name), *(message(3, num(1, k), text(2, s)) for k, s in enumerate(states)))


def residency(number: int, *rows: tuple[int, int, int, int]) -> bytes:
    data = [message(2, num(1, i), num(2, ms), num(3, count), num(4, at)) for i, ms, count, at in rows]
    return message(2, num(1, number), *data)


METER = channel(0, "S2M_VDD_CPUCL2", "CPU(BIG)") + channel(1, "VSYS_PWR_MODEM") + b"".join([
    reading(0, T + 1000, 5_000_000, 1000), reading(1, T + 1000, 10), reading(0, T + 61_000, 65_000_000, 61_000),
])  # fmt: skip
MODEL = consumer(0, 0, 2, "CPUCL0") + consumer(1, 1, 2, "CPUCL1") + consumer(2, 0, 0, "Other") + b"".join([
    result(0, T, 900), result(1, T, 2**40, (10123, 300), (0, 5)), result(2, T, 0),
])  # fmt: skip
RESIDENCY = entity(0, "AOC", "SLEEP", "RUN") + entity(1, "Modem") + b"".join([
    residency(0, (0, 100, 4, T), (1, 1, 0, 0)), residency(0, (0, 300, 5, T + 9)),
])  # fmt: skip


def test_meter() -> None:
    found = parse_proto(METER)
    assert found.channels == (Channel(0, "S2M_VDD_CPUCL2", "CPU(BIG)"), Channel(1, "VSYS_PWR_MODEM", ""))
    assert found.energy_measurements == (
        EnergyMeasurement(0, T + 1000, 1000, 5_000_000), EnergyMeasurement(1, T + 1000, None, 10),
        EnergyMeasurement(0, T + 61_000, 61_000, 65_000_000),
    )  # fmt: skip
    assert found.source == {
        "format": "dumpsys powerstats --proto", "path": "-", "parts": ["meter"], "clock": "epoch", "complete": True,
    }  # fmt: skip
    assert not found.issues and not found.energy_consumers and not found.power_entities


def test_model() -> None:
    found = parse_proto(MODEL)
    assert found.energy_consumers == (
        EnergyConsumer(0, 0, "CPU_CLUSTER", "CPUCL0"), EnergyConsumer(1, 1, "CPU_CLUSTER", "CPUCL1"),
        EnergyConsumer(2, 0, "OTHER", "Other"),
    )  # fmt: skip
    shares = (EnergyConsumerAttribution(10123, 300), EnergyConsumerAttribution(0, 5))
    assert found.energy_consumer_results == (
        EnergyConsumerResult(0, T, 900), EnergyConsumerResult(1, T, 2**40, shares), EnergyConsumerResult(2, T, 0),
    )  # fmt: skip
    assert found.source["parts"] == ["model"] and not found.issues


def test_residency() -> None:
    found = parse_proto(RESIDENCY)
    assert found.power_entities == (
        PowerEntity(0, "AOC", (State(0, "SLEEP"), State(1, "RUN"))),
        PowerEntity(1, "Modem"),
    )
    assert found.state_residency_results == (
        StateResidencyResult(0, (StateResidency(0, 100, 4, T), StateResidency(1, 1, 0, None))),
        StateResidencyResult(0, (StateResidency(0, 300, 5, T + 9),)),
    )
    assert found.source["parts"] == ["residency"] and not found.issues


@pytest.mark.parametrize("data", [METER + MODEL + RESIDENCY, RESIDENCY + MODEL + METER, MODEL + METER + RESIDENCY])
def test_files_put_one_behind_another(data: bytes) -> None:
    found = parse_proto(data)
    assert found.document()["source"]["parts"] == ["meter", "model", "residency"]
    for part in (METER, MODEL, RESIDENCY):
        for key, rows in parse_proto(part).document().items():
            assert key in ("schema", "source") or not rows or found.document()[key] == rows
    assert not found.issues


def test_sections_of_an_incident_report() -> None:
    data = message(3054, METER) + message(3055, MODEL) + message(3056, RESIDENCY)
    whole, parts = parse_proto(data).document(), parse_proto(METER + MODEL + RESIDENCY).document()
    assert whole == parts
    found = parse_proto(data + message(3057, b"x"))
    assert [i.message for i in found.issues] == [
        f"Incident: field 3057 (bytes) is unknown and not used, once at byte {len(data)}"
    ]


def test_times_since_boot_and_none() -> None:
    assert parse_proto(channel(0, "A", "b") + reading(0, 5000, 7)).source["clock"] == "boot"
    found = parse_proto(channel(0, "A", "b") + reading(0, 0, 7))
    assert found.source["clock"] is None and found.energy_measurements[0].timestamp_ms is None


@pytest.mark.parametrize("data, codes", [
    (reading(7, T, 5, 1), ["PH-N205"]),
    (channel(0, "A", "b") + channel(0, "C", "d"), ["PH-N202"]),
    (channel(0, "A", "b") + reading(0, T, 9, 1) + reading(0, T + 1, 3, 1), ["PH-N214"]),
    (channel(0, "A", "b") + message(1, num(1, 1), num(9, 1), text(2, "B")), ["PH-N205"]),
    (channel(0, "A", "b") + num(1, 5), ["PH-N205"]),
    (channel(0, "A", "b") + text(1, b"\xff\xff"), ["PH-N205"]),
    (channel(0, "A", "b") + text(5, b"x"), ["PH-N205"]),
    (channel(0, "A", "b") + reading(0, T, 9, 1)[:-1], ["PH-N205"]),
    (channel(0, "A", "b") + message(2, num(1, 0), text(3, "x"), num(4, 1)), ["PH-N205"]),
])  # fmt: skip
def test_what_is_doubted(data: bytes, codes: list[str]) -> None:
    assert [issue.code for issue in parse_proto(data).issues] == codes


def test_issues_beyond_many_are_counted() -> None:
    odd = b"".join(message(1, num(1, k), num(2, 5), text(3, "x")) for k in range(1500))
    found = parse_proto(channel(0, "A", "b") + odd)
    assert len(found.issues) <= 1001 and found.source["complete"]
    assert found.issues[0].code == "PH-N205"


def test_a_reading_of_something_unnamed_has_a_track(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "m.pb"
    path.write_bytes(channel(0, "A", "b") + reading(7, T, 5, 1))
    assert main(["android", "powerstats", "--csv", "counters", str(path)]) == 0
    out, err = capsys.readouterr()
    assert '"power.channel 7_uws"' in out and "readings of channel 7, which nothing describes" in err


def test_every_cut() -> None:
    whole = parse_proto(METER + MODEL + RESIDENCY).document()
    data = METER + MODEL + RESIDENCY
    for cut in range(1, len(data)):
        found = parse_proto(data[:cut])
        lost = [issue for issue in found.issues if "byte" in issue.message]
        assert found.source["complete"] == (not lost)
        for key, rows in found.document().items():
            if key in ("energy_measurements", "energy_consumer_results", "state_residency_results"):
                assert all(row in whole[key] for row in rows)


@given(st.binary(max_size=80))
@settings(max_examples=300, deadline=None)
def test_anything(data: bytes) -> None:
    json.dumps(parse_proto(channel(0, "A", "b") + data).document())


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "meter.pb"
    again = reading(0, T + 70_000, 1_000_000, 100) + reading(0, T + 80_000, 21_000_000, 200)
    path.write_bytes(METER + again)
    assert main(["android", "powerstats", str(path)]) == 0
    out, err = capsys.readouterr()
    assert "2.00 W" in out  # since it was booted; from the first to the last reading it would be another figure
    assert "PH-N214" in err
    (tmp_path / "m.gz").write_bytes(gzip.compress(METER))
    assert read_powerstats(str(tmp_path / "m.gz")).energy_measurements == parse_proto(METER).energy_measurements

    class Stdin:
        buffer: Any = io.BytesIO(METER)

    monkeypatch.setattr("sys.stdin", Stdin)
    assert read_powerstats("-").channels == parse_proto(METER).channels
    path.write_bytes(METER.replace(b"\n", b"\r\n"))
    assert b"\r\n" in path.read_bytes()
    found = read_powerstats(str(path))
    assert found.channels == parse_proto(METER).channels and len(found.issues) == 1


def test_a_battery_command_names_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for part in (METER, MODEL, RESIDENCY):
        path = tmp_path / "p.pb"
        path.write_bytes(part)
        assert main(["android", "parse", str(path)]) == 3
        assert "the protobuf of `dumpsys powerstats`" in capsys.readouterr().err
