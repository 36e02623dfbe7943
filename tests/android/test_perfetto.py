"""Perfetto traces: the rows that trace processor's own tests expect, and each rule by itself."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib

import pytest

from powerhal.android.rails.files import read_powerstats
from powerhal.android.rails.perfetto import parse_trace
from powerhal.android.rails.powerstats import EnergyMeasurement
from powerhal.cli import main
from powerhal.errors import FileError, MissingExtra

pb = pytest.importorskip("perfetto.protos.perfetto.trace.perfetto_trace_pb2", reason="the extra perfetto is absent")


def rows(text: str) -> list[tuple[str, int, float]]:
    return [(c.name, c.ts, c.value) for c in parse_trace(text.encode()).counters]


def rail(index: int, name: str, session: int = 0, machine: int = 0) -> str:
    tail = f"session_uuid: {session}" if session else ""
    head = f"machine_id: {machine}" if machine else ""
    return (
        f"packet {{ {head} power_rails {{ rail_descriptor "
        f'{{ index: {index} rail_name: "{name}" subsys_name: "s" sampling_rate: 9 }} {tail} }} }}\n'
    )


def energy(uws: int, ts: int, ms: int | None = None, session: int = 0, more: str = "", index: int = 0) -> str:
    own = "" if ms is None else f"timestamp_ms: {ms}"
    tail = f"session_uuid: {session}" if session else ""
    data = f"energy_data {{ index: {index} {own} energy: {uws} }}"
    return f"packet {{ timestamp: {ts} {more} power_rails {{ {data} {tail} }} }}\n"


@pytest.mark.parametrize("form", ["pb", "textproto", "gz"])
def test_expected_rows(shared, tmp_path, capsys, form):
    folder = shared / "data" / "android" / "perfetto"
    for expected in sorted(folder.glob("*.expected.csv")):
        name = expected.name.removesuffix(".expected.csv")
        file = folder / f"{name}.{'pb' if form == 'gz' else form}"
        if form == "gz":
            packed = tmp_path / f"{name}.gz"
            packed.write_bytes(gzip.compress(file.read_bytes()))
            file = packed
        what = "means" if "AVG" in expected.read_text().splitlines()[0] else "counters"
        assert main(["android", "powerstats", str(file), "--csv", what]) == 0
        assert capsys.readouterr().out == expected.read_text()


def test_energy_breakdown(shared):
    found = read_powerstats(str(shared / "data" / "android" / "perfetto" / "energy_breakdown.pb"))
    assert [(c.id, c.ordinal, c.type, c.name) for c in found.energy_consumers] == [
        (0, 0, "CPU_CLUSTER", "CPUCL0"), (1, 1, "CPU_CLUSTER", "CPUCL1"), (2, 2, "CPU_CLUSTER", "CPUCL2"),
        (3, 0, "OTHER", "GPU"), (4, 0, "MOBILE_RADIO", "MODEM"), (5, 0, "GNSS", "GPS"), (6, 0, "DISPLAY", "display"),
    ]  # fmt: skip
    (result,) = found.energy_consumer_results
    assert (result.id, result.timestamp_ms, result.energy_uws) == (0, 1030255, 98567522)
    assert [(c.name, c.ts, c.value) for c in found.counters] == [("CPUCL0", 1030255882785, 98567522.0)]


def test_breakdown_by_uid():
    found = parse_trace(b"""
        packet { android_energy_estimation_breakdown { energy_consumer_descriptor { energy_consumers {
          energy_consumer_id: 3 ordinal: 0 type: "OTHER" name: "GPU" } } } }
        packet { timestamp: 5000000 android_energy_estimation_breakdown { energy_consumer_id: 3 energy_uws: 900
          per_uid_breakdown { uid: 10234 energy_uws: 500 } per_uid_breakdown { uid: 10190 energy_uws: 300 }
          per_uid_breakdown { energy_uws: 1 } } }
        packet { timestamp: 6000000 android_energy_estimation_breakdown { energy_consumer_id: 9 energy_uws: 1 } }
    """)
    (result,) = found.energy_consumer_results
    assert [(a.uid, a.energy_uws) for a in result.attribution] == [(10234, 500), (10190, 300)]
    assert {(c.name, c.uid, c.value) for c in found.counters} == {
        ("GPU", None, 900),
        ("GPU", 10234, 500),
        ("GPU", 10190, 300),
    }
    assert [p.code for p in found.issues] == ["PH-N222"]


def test_descriptors_may_come_later_and_unknown_rails_are_counted():
    text = energy(5, 7, ms=1) + energy(6, 8, index=4) + rail(0, "A")
    assert rows(text) == [("power.A_uws", 1_000_000, 5.0)]
    (issue,) = parse_trace(text.encode()).issues
    assert "1 rail energies without a descriptor" in issue.message


def test_one_rail_name_in_two_sessions_is_two_channels():
    text = rail(0, "A", 100) + rail(0, "A", 200) + energy(1, 1, 1, 100) + energy(2, 2, 2, 200) + energy(3, 3, 3, 100)
    found = parse_trace(text.encode())
    assert [(c.id, c.name) for c in found.channels] == [(0, "A"), (1, "A")]
    assert [(m.id, m.energy_uws) for m in found.energy_measurements] == [(0, 1), (1, 2), (0, 3)]


def test_rows_are_sorted_by_time_and_untimed_ones_have_the_packets():
    text = rail(0, "A") + energy(9, 5_000_001) + energy(1, 6_000_000, 3)
    assert rows(text) == [("power.A_uws", 3_000_000, 1.0), ("power.A_uws", 5_000_001, 9.0)]
    assert parse_trace(text.encode()).energy_measurements == (
        EnergyMeasurement(0, 3, None, 1), EnergyMeasurement(0, 5, None, 9),
    )  # fmt: skip


def test_large_energies_keep_every_digit():
    found = parse_trace((rail(0, "A") + energy((1 << 63) + 1, 1, 1)).encode())
    assert found.energy_measurements[0].energy_uws == (1 << 63) + 1


SNAPSHOT = """packet {{ trusted_packet_sequence_id: 2 clock_snapshot {{ {primary}
  clocks {{ clock_id: 6 timestamp: {boot} }} clocks {{ clock_id: 3 timestamp: {mono} }}
  clocks {{ clock_id: 64 timestamp: {own} unit_multiplier_ns: 1000 }} }} }}
"""


@pytest.mark.parametrize(
    ("clock", "raw", "sequence", "wanted"),
    [(6, 5, 2, 5), (3, 1_500, 2, 100_500), (64, 12, 2, 102_000), (64, 12, 3, 12), (0, 5, 2, 5)],
)
def test_packet_clocks_are_converted_by_snapshots(clock, raw, sequence, wanted):
    snapshot = SNAPSHOT.format(primary="", boot=100_000, mono=1_000, own=10)
    named = f"timestamp_clock_id: {clock}" if clock else ""
    text = rail(0, "A") + energy(1, raw, more=f"{named} trusted_packet_sequence_id: {sequence}") + snapshot
    assert rows(text) == [("power.A_uws", wanted, 1.0)]


def test_another_primary_clock_moves_the_rails_own_time():
    snapshot = SNAPSHOT.format(
        primary="primary_trace_clock: BUILTIN_CLOCK_MONOTONIC", boot=5_000_000, mono=1_000_000, own=1
    )
    assert rows(rail(0, "A") + energy(1, 9, ms=7) + snapshot) == [("power.A_uws", 3_000_000, 1.0)]


def test_two_machines_are_two_rails_and_their_clocks_are_joined():
    sync = """packet { machine_id: 1 remote_clock_sync { synced_clocks {
      client_clocks { clocks { clock_id: 6 timestamp: 10000 } }
      host_clocks { clocks { clock_id: 6 timestamp: 1000000 } } } } }
    """
    text = rail(0, "A") + energy(100, 1_000_000) + sync + rail(0, "A", machine=1)
    text += energy(200, 2_000_000, more="machine_id: 1 timestamp_clock_id: 6")
    text += energy(400, 1, ms=4, more="machine_id: 1 timestamp_clock_id: 6")
    assert sorted(r[1:] for r in rows(text)) == [(1_000_000, 100.0), (2_990_000, 200.0), (4_990_000, 400.0)]
    assert len(parse_trace(text.encode()).channels) == 2


def test_residencies():
    text = """
      packet { timestamp: 1 entity_state_residency {
        power_entity_state { entity_index: 0 state_index: 0 entity_name: "Bluetooth" state_name: "Idle" }
        power_entity_state { entity_index: 0 state_index: 1 entity_name: "Bluetooth" state_name: "Active" }
        residency { entity_index: 0 state_index: 0 total_time_in_state_ms: 1000 total_state_entry_count: 5 }
        residency { entity_index: 0 state_index: 1 total_time_in_state_ms: 2000 }
        residency { entity_index: 7 state_index: 1 total_time_in_state_ms: 9 } } }
      packet { timestamp: 2 entity_state_residency {
        residency { entity_index: 0 state_index: 0 total_time_in_state_ms: 3000 } } }
    """
    assert rows(text) == [
        ("Entity residency: Bluetooth is Active", 1, 2000.0),
        ("Entity residency: Bluetooth is Idle", 1, 1000.0),
        ("Entity residency: Bluetooth is Idle", 2, 3000.0),
    ]
    found = parse_trace(text.encode())
    assert [s.name for s in found.power_entities[0].states] == ["Idle", "Active"]
    assert found.get_state_residency()[0].state_residency_data[0].total_time_in_state_ms == 3000
    first = found.state_residency_results[0].state_residency_data
    assert (first[0].total_state_entry_count, first[1].total_state_entry_count) == (5, None)


def test_battery_counters():
    values = "charge_counter_uah: 5 capacity_percent: 44.5 current_ua: -7 voltage_uv: 4000"
    text = f"packet {{ timestamp: 4 battery {{ {values} }} }}"
    assert {(n, v) for n, _, v in rows(text)} == {
        ("batt.charge_uah", 5.0), ("batt.capacity_pct", 44.5), ("batt.current_ua", -7.0), ("batt.voltage_uv", 4000.0),
    }  # fmt: skip


def test_compressed_packets_are_opened_and_bombs_are_not():
    inner, outer = pb.Trace(), pb.Trace()
    packet = inner.packet.add()
    packet.power_rails.rail_descriptor.add(index=0, rail_name="A")
    packet.power_rails.energy_data.add(index=0, timestamp_ms=3, energy=8)
    outer.packet.add().compressed_packets = zlib.compress(inner.SerializeToString())
    (row,) = parse_trace(outer.SerializeToString()).counters
    assert (row.name, row.ts, row.value) == ("power.A_uws", 3_000_000, 8.0)
    for content in (b"broken", zlib.compress(b"\x0a\x00" * (1 << 27) + b"x", 1)):
        bad = pb.Trace()
        bad.packet.add().compressed_packets = content
        with pytest.raises(FileError, match="compressed packet"):
            parse_trace(bad.SerializeToString())


@pytest.mark.parametrize("content", [b"hello world\n", b"\x0a\xff\xff\xff\xff\x0f", b"", b"packet { nonsense: 1 }"])
def test_what_is_no_trace_is_refused(content):
    with pytest.raises(FileError, match="no Perfetto trace"):
        parse_trace(content, "x")


def test_every_cut_of_a_trace_is_read_or_refused(shared):
    content = (shared / "data" / "android" / "perfetto" / "power_rails_wellknown.pb").read_bytes()
    for end in range(len(content)):
        try:
            parse_trace(content[:end])
        except FileError:
            continue


def test_the_missing_extra_says_what_to_install(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "perfetto.protos.perfetto.trace", None)
    file = tmp_path / "t.pb"
    file.write_bytes(pb.Trace(packet=[pb.TracePacket(timestamp=1)]).SerializeToString())
    with pytest.raises(MissingExtra):
        parse_trace(file.read_bytes())
    assert main(["android", "powerstats", str(file)]) == 6
    assert "pip install 'powerhal[perfetto]'" in capsys.readouterr().err


def test_the_classes_are_imported_only_for_a_trace():
    modules = "powerhal.android.rails.perfetto, powerhal.android.rails.files"
    code = f"import {modules}, sys; sys.exit('google.protobuf' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
