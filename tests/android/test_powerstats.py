"""Rails in the words of the Power Stats HAL: dumpsys text, the vendor's tables, ODPM files, recordings, the command."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.android.rails.files import read_powerstats
from powerhal.android.rails.odpm import read_odpm
from powerhal.android.rails.powerstats import (
    Channel,
    EnergyConsumer,
    EnergyConsumerResult,
    EnergyMeasurement,
    PowerEntity,
    PowerStats,
    State,
    StateResidency,
    StateResidencyResult,
    type_name,
)
from powerhal.android.rails.recording import consumer_type
from powerhal.android.rails.text import parse_text
from powerhal.channel import Device
from powerhal.cli import main
from powerhal.errors import FileError, UsageError

VENDOR = """
============= PowerStats HAL 2.0 state residencies ==============
            Entity                State         Total time     Total entries   Last entry tstamp
      AoC Core 5G                   ON          12345 ms                 7               99 ms
      AoC Core 5G                SLEEP              0 ms                 0                0 ms
             WLAN                AWAKE             11 ms (            -3)               2 (     1)        5 ms (     0)
========== End of PowerStats HAL 2.0 state residencies ==========

============= PowerStats HAL 2.0 energy consumers ==============
CPUCL0       :     123456.78 mWs
       10234 -         12.50 mWs
       10190 -          0.01 mWs
GPU          :          0.00 mWs
========== End of PowerStats HAL 2.0 energy consumers ==========

============= PowerStats HAL 2.0 energy meter ==============
Elapsed time: 5 ms
                           Channel    Cumulative Energy (      Delta   )
            [S2S_VDD_G3D]:GPU (x)         999.01 mWs (          1.00)
                     [VSYS_PWR]:          -2.50 mWs (          0.00)
========== End of PowerStats HAL 2.0 energy meter ==========
"""


def test_the_platforms_listing(shared):
    path = shared / "data" / "android" / "powerstats" / "dumpsys_powerstats.txt"
    found = read_powerstats(str(path))
    text = path.read_text().splitlines()
    assert found.issues == ()
    # every line again from what was read
    again = ["PowerStatsService dumpsys: available PowerEntities"]
    for entity in found.power_entities:
        again.append(f"PowerEntityId: {entity.id}, PowerEntityName: {entity.name}")
        again += [f"  StateId: {s.id}, StateName: {s.name}" for s in entity.states]
    again.append("PowerStatsService dumpsys: available Channels")
    again += [f"ChannelId: {c.id}, ChannelName: {c.name}, ChannelSubsystem: {c.subsystem}" for c in found.channels]
    again.append("PowerStatsService dumpsys: available EnergyConsumers")
    numbers = {"CPU_CLUSTER": 2, "DISPLAY": 3}
    again += [
        f"EnergyConsumerId: {c.id}, Ordinal: {c.ordinal}, Type: {numbers[c.type]}, Name: {c.name}"
        for c in found.energy_consumers
    ]
    assert again == text
    assert found.power_entities[1] == PowerEntity(1, "WLAN, 5G", (State(0, "AWAKE"),))


def test_the_vendors_tables():
    found = parse_text(VENDOR.splitlines())
    assert found.power_entities == (
        PowerEntity(0, "AoC Core 5G", (State(0, "ON"), State(1, "SLEEP"))),
        PowerEntity(1, "WLAN", (State(0, "AWAKE"),)),
    )
    assert found.state_residency_results == (
        StateResidencyResult(0, (StateResidency(0, 12345, 7, 99), StateResidency(1, 0, 0, 0))),
        StateResidencyResult(1, (StateResidency(0, 11, 2, 5),)),
    )
    assert found.channels == (Channel(0, "S2S_VDD_G3D", "GPU (x)"), Channel(1, "VSYS_PWR", ""))
    assert [m.energy_uws for m in found.energy_measurements] == [999_010, -2_500]
    first, second = found.energy_consumer_results
    assert first.energy_uws == 123_456_780 and second.energy_uws == 0
    assert [(a.uid, a.energy_uws) for a in first.attribution] == [(10234, 12_500), (10190, 10)]


def test_both_dumps_in_one_text_share_their_names():
    listing = (
        "junk\r\nPowerEntityId: 9, PowerEntityName: WLAN\r\n  StateId: 4, StateName: AWAKE\r\n"
        "ChannelId: 5, ChannelName: S2S_VDD_G3D, ChannelSubsystem: GPU (x)\r\n"
        "EnergyConsumerId: 3, Ordinal: 0, Type: 99, Name: GPU\r\nChannelId: x\r\n"
    )
    found = parse_text((listing + VENDOR).splitlines(), "d.txt")
    assert found.energy_measurements[0].id == 5 and found.energy_consumer_results[1].id == 3
    assert StateResidencyResult(9, (StateResidency(4, 11, 2, 5),)) in found.state_residency_results
    assert found.energy_consumers[0].type == "99"
    assert [p.where for p in found.issues] == ["d.txt:6"]


def test_states_without_an_entity_and_ids_with_two_meanings_are_said():
    found = parse_text(
        ["  StateId: 0, StateName: X", "ChannelId: 0, ChannelName: A, ChannelSubsystem: s",
         "ChannelId: 0, ChannelName: B, ChannelSubsystem: s", "ChannelId: 1, ChannelName: C"]
    )  # fmt: skip
    assert [p.code for p in found.issues] == ["PH-N203", "PH-N202"]
    assert found.channels == (Channel(0, "B", "s"), Channel(1, "C", ""))


def test_interface_methods():
    found = PowerStats(
        {}, (Channel(0, "a", "s"), Channel(1, "b", "s")),
        (EnergyMeasurement(0, 1, 1, 5), EnergyMeasurement(0, 2, 2, 7)),
        (EnergyConsumer(4, 0, "WIFI", "w"),), (EnergyConsumerResult(4, 9, 3),),
        (PowerEntity(2, "e"),), (StateResidencyResult(2, ()),),
    )  # fmt: skip
    assert found.read_energy_meter() == [EnergyMeasurement(0, 2, 2, 7)]
    assert found.read_energy_meter([1]) == []
    assert found.get_energy_consumed([4])[0].energy_uws == 3
    assert found.get_state_residency() == [StateResidencyResult(2, ())]
    for ask in (found.read_energy_meter, found.get_energy_consumed, found.get_state_residency):
        with pytest.raises(UsageError):
            ask([77])
    assert type_name(7) == "CAMERA" and type_name(12) == "12"


# -- ODPM files ----------------------------------------------------------------------------------------------------


def test_every_reading_of_the_shared_files(shared):
    folder = shared / "data" / "android" / "powerstats"
    found = read_odpm(str(folder))
    assert found.source["devices"] == [{"name": "s2mpg10-odpm", "sampling_rate_hz": 1000.0, "channels": list(range(7))}]
    rails = [f"CH{c.id}[{c.name}]:{c.subsystem}" for c in found.channels]
    assert rails == (folder / "iio_enabled_rails").read_text().splitlines()
    names = {c.id: c.name for c in found.channels}
    printed = [line for file in sorted(folder.glob("iio_energy_value_*")) for line in file.read_text().splitlines()[1:]]
    assert [f"CH{m.id}(T={m.duration_ms})[{names[m.id]}], {m.energy_uws}" for m in found.energy_measurements] == printed
    assert {m.timestamp_ms for m in found.energy_measurements} == {358356, 362424, 365817, 368198}
    assert found.issues == ()


def device(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def test_a_copied_sys_with_two_meters_and_one_rail_name(tmp_path):
    for number, energy in ((0, 5), (1, 7)):
        real = tmp_path / f"sys/devices/platform/m{number}/iio:device{number}"
        device(real, name=f"odpm-{number}\n", enabled_rails="CH0[R]:S\n", sampling_rate="31.25\n",
               energy_value=f"t=9\nCH0(T=8)[R], {energy}\n")  # fmt: skip
        link = tmp_path / f"sys/bus/iio/devices/iio:device{number}"
        link.parent.mkdir(parents=True, exist_ok=True)
        target = (
            f"../../../devices/platform/m{number}/iio:device{number}"
            if number
            else f"/sys/devices/platform/m0/{real.name}"
        )
        link.symlink_to(target)
    found = read_odpm(str(tmp_path))
    assert found.channels == (Channel(0, "R", "S"), Channel(1, "R", "S"))
    assert [(m.id, m.energy_uws) for m in found.energy_measurements] == [(0, 5), (1, 7)]
    assert [d["name"] for d in found.source["devices"]] == ["odpm-0", "odpm-1"]


def test_older_forms_start_and_stop(tmp_path):
    device(
        tmp_path, energy_value="1500\nCH3[A], 10\nB, 20\n", measurement_start="CH3[A], 500\n",
        measurement_stop="BUCK9(OLD), 100, 400, 77\n", enabled_rails="CH3[A]:CPU(BIG)\nBUCK2M(B):DDR\n",
    )  # fmt: skip
    found = read_odpm(str(tmp_path))
    assert found.channels == (Channel(0, "A", "CPU(BIG)"), Channel(1, "B", "DDR"), Channel(2, "OLD", ""))
    assert found.energy_measurements == (
        EnergyMeasurement(2, 400, 300, 77), EnergyMeasurement(0, 1500, 1000, 10), EnergyMeasurement(1, 1500, None, 20),
    )  # fmt: skip


def test_several_looks_in_one_file_and_doubtful_values(tmp_path):
    file = tmp_path / "energy.txt"
    file.write_text(
        "t=1\r\nCH0(T=1)[A], 10\r\nCH1(T=1)[Z], 0\r\nrubbish\r\nt=2\r\nCH0(T=2)[A], 9\r\n"
        "CH1(T=2)[Z], 0\r\nCH2(T=2)[U], 18446744073709551615\r\n"
    )
    found = read_powerstats(str(file))
    assert [(m.timestamp_ms, m.id, m.energy_uws) for m in found.energy_measurements] == [
        (1, 0, 10), (1, 1, 0), (2, 0, 9), (2, 1, 0),
    ]  # fmt: skip
    assert {p.code for p in found.issues} == {"PH-N211", "PH-N212", "PH-N213", "PH-N214"}
    assert f"{file}:4" in {p.where for p in found.issues}


def test_natural_order_of_files_and_no_way_out_of_the_folder(tmp_path):
    for number in (10, 2):
        (tmp_path / f"x_energy_value_{number}").write_text(f"t=5\nCH0(T=5)[A], {number}\n")
    (tmp_path / "sys/bus/iio/devices").mkdir(parents=True)
    (tmp_path / "sys/bus/iio/devices/iio:device0").symlink_to("/etc")
    found = read_odpm(str(tmp_path))
    assert [m.energy_uws for m in found.energy_measurements] == [2, 10]
    with pytest.raises(FileError, match="no energy_value"):
        read_odpm(str(tmp_path / "sys"))
    with pytest.raises(FileError, match="No such file"):
        read_odpm(str(tmp_path / "absent"))


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="CHT=()[], 0123456789:\nABmWs-Idx", max_size=300))
def test_any_text_is_read(text):
    found = parse_text(text.splitlines())
    assert len(found.issues) <= len(text.splitlines())


def test_control_characters_around_a_uid():
    found = parse_text(VENDOR.replace("       10234 -", "\x1f      10234 -").splitlines())
    assert found.energy_consumer_results[0].attribution[0].uid == 10234


def test_a_table_without_end_is_cut():
    head = "============= PowerStats HAL 2.0 energy meter =============="
    found = parse_text([head, *(f"   [N{i}]:S        1.00 mWs" for i in range(1500))], "d")
    assert len(found.channels) == 1000 and [p.code for p in found.issues] == ["PH-N204"]


def test_long_lines_of_blanks_cost_nothing():
    lines = ["============= PowerStats HAL 2.0 state residencies ==============", " " * 200_000, "a" + "  b" * 100_000]
    lines += ["============= PowerStats HAL 2.0 energy meter ==============", "(" * 100_000]
    assert parse_text(lines).channels == ()


# -- recordings ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    file = tmp_path_factory.mktemp("phr") / "run.phr"
    assert main(["-q", "record", "--board", "sim-phone", "--for", "20s", "--seed", "3", "-o", str(file)]) == 0
    return file


def test_any_recording_offers_the_same_view(recording, capsys):
    from powerhal.recording import Recording
    from powerhal.recording.energy import rail_energy

    assert main(["android", "powerstats", str(recording), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    with Recording.open(str(recording)) as run:
        rails = {r.name for r in run.topology.rails}
        for channel in found["channels"]:
            own = [m for m in found["energy_measurements"] if m["id"] == channel["id"]]
            known = rail_energy(run, channel["name"])
            assert known and own[-1]["energy_uws"] * 1e-6 == pytest.approx(known.energy_j, rel=0.02)
            assert [m["timestamp_ms"] for m in own] == sorted(m["timestamp_ms"] for m in own)
            assert own[-1]["duration_ms"] == pytest.approx(known.covered_s * 1e3, rel=0.02)
    assert {c["name"] for c in found["channels"]} <= rails
    assert {(c["type"], c["name"]) for c in found["energy_consumers"]} >= {
        ("CPU_CLUSTER", "cpu-little"), ("CPU_CLUSTER", "cpu-big"), ("DISPLAY", "display"), ("WIFI", "wifi"),
        ("MOBILE_RADIO", "modem"),
    }  # fmt: skip
    for result in found["energy_consumer_results"]:
        assert sum(a["energy_uws"] for a in result["attribution"]) <= result["energy_uws"]
    by_type: dict[str, list[int]] = {}
    for consumer in found["energy_consumers"]:
        by_type.setdefault(consumer["type"], []).append(consumer["ordinal"])
    assert all(ordinals == list(range(len(ordinals))) for ordinals in by_type.values())
    residency = {e["id"]: e for e in found["power_entities"]}
    for result in found["state_residency_results"]:
        assert {d["id"] for d in result["state_residency_data"]} == {s["id"] for s in residency[result["id"]]["states"]}


def test_its_consumers_add_up_to_what_was_measured(recording):
    found = read_powerstats(str(recording))
    root = next(c for c in found.channels if c.name == "battery")
    measured = found.read_energy_meter([root.id])[0].energy_uws
    assert 0 < sum(r.energy_uws for r in found.energy_consumer_results) <= measured * 1.05
    assert read_powerstats(str(recording), attribute=False).energy_consumer_results == ()


@pytest.mark.parametrize(
    ("kind", "name", "activities", "wanted"),
    [
        ("cpu", "big", {}, "CPU_CLUSTER"), ("display", "d", {}, "DISPLAY"), ("gpu", "gpu", {}, "OTHER"),
        ("radio", "radio", {"bytes": "net.wlan0"}, "WIFI"), ("radio", "bt", {}, "BLUETOOTH"),
        ("radio", "r", {"bytes": "net.rmnet_data0"}, "MOBILE_RADIO"), ("radio", "lan", {"bytes": "net.eth0"}, "OTHER"),
        ("storage", "s", {}, "OTHER"),
    ],
)  # fmt: skip
def test_types_of_devices(kind, name, activities, wanted):
    assert consumer_type(Device(name, kind, "r", activities=activities)) == wanted


# -- the command ---------------------------------------------------------------------------------------------------


def test_csv_rows_of_rails_without_tracks(shared, capsys):
    folder = shared / "data" / "android" / "powerstats"
    assert main(["android", "powerstats", str(folder), "--csv", "counters"]) == 0
    rows = list(csv.reader(capsys.readouterr().out.splitlines()))
    assert rows[0] == ["name", "ts", "value"] and len(rows) == 29
    assert ["power.rails.gpu", "358356000000", "34334785.000000"] in rows
    assert rows[1:] == sorted(rows[1:], key=lambda r: (r[0], int(r[1])))


def test_what_is_none_of_them_is_refused(tmp_path, capsys):
    empty, junk = tmp_path / "empty", tmp_path / "junk.gz"
    empty.write_text(" \n")
    junk.write_bytes(b"\x1f\x8b\x08not gzip")
    for file in (empty, junk, tmp_path / "absent"):
        assert main(["android", "powerstats", str(file)]) == 3
    assert "damaged gzip" in capsys.readouterr().err


def test_text_for_people(shared, capsys):
    folder = shared / "data" / "android" / "powerstats"
    assert main(["android", "powerstats", str(folder)]) == 0
    out = capsys.readouterr().out
    assert "S2S_VDD_G3D" in out and "39.3 J" in out and "506 mW" in out
    assert main(["android", "powerstats", str(folder / "dumpsys_powerstats.txt")]) == 0
    assert "CPU_CLUSTER/0" in capsys.readouterr().out


def test_a_zipped_bugreport(tmp_path: Path) -> None:
    """PowerStatsService.dump inside a bugreport; a zip without it, and one that is damaged, say so."""
    path, channel = tmp_path / "bugreport.zip", "ChannelId: 0, ChannelName: S2M_VDD_CPUCL2, ChannelSubsystem: CPU(BIG)"
    head = "== dumpstate: 2024-05-06 07:08:09\nDUMP OF SERVICE powerstats:\n"
    for text in (f"{head}PowerStatsService dumpsys: available Channels\n{channel}\n", head + "x" * 9999):
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr("bugreport-a.txt", text)
            made.writestr("main_entry.txt", "bugreport-a.txt")
        if channel in text:
            assert [(c.name, c.subsystem) for c in read_powerstats(str(path)).channels] == [
                ("S2M_VDD_CPUCL2", "CPU(BIG)")
            ]
    with pytest.raises(FileError, match="no `dumpsys powerstats`"):
        read_powerstats(str(path))
    data = bytearray(path.read_bytes())
    data[60:80] = bytes(20)
    path.write_bytes(data)
    with pytest.raises(FileError):
        read_powerstats(str(path))
