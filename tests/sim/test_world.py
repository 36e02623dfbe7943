from __future__ import annotations

from pathlib import Path

import pytest

from powerhal import host
from powerhal.board.load import load
from powerhal.channel import Quality
from powerhal.errors import HardwareError, TransportError
from powerhal.host.context import HostContext
from powerhal.sim.world import START_NS, World

TEXT = """
schema: 1
name: bench
title: Bench
simulation: {model: phone}
buses:
  i2c-1: {kind: i2c, device: /dev/i2c-1}
sensors:
  one: {chip: "ti,ina226", bus: i2c-1, address: 0x40, rail: RAIL, shunt: 10 mOhm}
rails:
  RAIL: {}
"""


@pytest.fixture(scope="module")
def world(repo: Path) -> World:
    made = World(load(repo / "boards" / "sim-phone.yaml"), 7)
    made.clock.sleep_until(START_NS + 30_000_000_000)
    return made


def test_board_text_is_enough_and_a_foreign_rail_is_refused() -> None:
    assert World(TEXT.replace("RAIL", "battery"), 1).bus("i2c-1").chips.keys() == {0x40}
    with pytest.raises(HardwareError, match="vdd_big"):
        World(TEXT.replace("RAIL", "VDD_CORE"), 1)


def test_doors_that_are_not_there(world: World) -> None:
    with pytest.raises(HardwareError):
        world.bus("i2c-99")
    with pytest.raises(HardwareError):
        world.serial("probe")
    for path in ("/proc/99999/stat", "/sys/nothing", "/proc/5520/maps"):
        with pytest.raises(TransportError) as caught:
            world.root.read(path)
        assert caught.value.kind == "absent"
        assert not world.root.exists(path)
    with pytest.raises(TransportError):
        world.root.listdir("/proc/99999")
    with pytest.raises(TransportError):
        world.root.readlink("/proc/5520/fd/9")
    with pytest.raises(ProcessLookupError):
        world.root.process_clock_ns(99999)


def test_time_moves_only_by_sleeping(repo: Path) -> None:
    world = World(load(repo / "boards" / "sim-phone.yaml"), 1)
    assert world.clock.now_ns() == START_NS
    world.root.read("/proc/stat")
    assert world.clock.now_ns() == START_NS
    world.clock.sleep_until(START_NS + 1_000_000_000)
    assert world.truth().root_j > 0.1


def test_real_host_sources_read_it(world: World, repo: Path) -> None:
    topology = load(repo / "boards" / "sim-phone.yaml").topology()
    context = HostContext(world.clock, topology.clusters)
    sources = host.detect(world.root, context)
    names = {source.name for source in sources}
    assert {"cpufreq.little", "cpufreq.big", "cpu", "net.wlan0", "net.rmnet_data0", "disk.mmcblk0", "display",
            "gpu", "thermal.cpu-big", "power_supply.battery"} <= names  # fmt: skip
    assert "net.lo" not in names
    for source in sources:
        source.open()
        assert not source.read().quality & Quality.MISSING, source.name


def test_every_activity_of_the_board_file_is_recorded(world: World, repo: Path) -> None:
    topology = load(repo / "boards" / "sim-phone.yaml").topology()
    context = HostContext(world.clock, topology.clusters)
    channels = {c.name for s in host.detect(world.root, context) for c in s.layout.channels}
    for device in topology.devices:
        for activity in device.activities.values():
            assert any(name == activity or name.startswith(activity + ".") for name in channels), activity


def test_proc_stat_is_the_sum_of_its_cpus(world: World) -> None:
    lines = [line.split() for line in world.root.read("/proc/stat").decode().splitlines()]
    total = [int(x) for x in lines[0][1:]]
    cpus = [[int(x) for x in line[1:]] for line in lines if line[0].startswith("cpu") and line[0] != "cpu"]
    assert len(cpus) == 8
    assert total == [sum(column) for column in zip(*cpus, strict=True)]
    uptime = world.clock.now_ns() // 10_000_000
    assert all(sum(row) == uptime for row in cpus)


def test_process_files_agree(world: World) -> None:
    pids = [int(name) for name in world.root.listdir("/proc") if name.isdigit()]
    assert len(pids) >= 10
    for pid in pids:
        stat = world.root.read(f"/proc/{pid}/stat").decode()
        fields = stat[stat.rindex(")") + 2 :].split()
        ticks = int(fields[11]) + int(fields[12])
        assert len(fields) == 50
        clock = world.root.process_clock_ns(pid)
        assert clock is not None and abs(ticks - clock // 10_000_000) <= 1
        assert int(fields[19]) * 10_000_000 <= world.clock.now_ns()
        assert 0 <= int(fields[36]) <= 7
        assert "\nUid:\t" in world.root.read(f"/proc/{pid}/status").decode()
        tids = world.root.listdir(f"/proc/{pid}/task")
        assert len(tids) == int(fields[17])
        for tid in tids:
            assert world.root.read(f"/proc/{pid}/task/{tid}/stat").decode().startswith(f"{tid} (")


def test_readers_of_an_exited_child_say_so(repo: Path) -> None:
    world = World(load(repo / "boards" / "sim-phone.yaml"), 3)
    known = {int(n) for n in world.root.listdir("/proc") if n.isdigit()}
    reader = None
    for tick in range(1, 20_000):
        world.clock.sleep_until(START_NS + tick * 10_000_000)
        fresh = {int(n) for n in world.root.listdir("/proc") if n.isdigit()} - known
        if fresh and reader is None:
            reader = world.root.opener(f"/proc/{fresh.pop()}/stat")
            assert b"(dex2oat)" in reader.read()
        elif reader is not None and not fresh:
            break
    assert reader is not None
    with pytest.raises(TransportError):
        while True:
            tick += 1
            world.clock.sleep_until(START_NS + tick * 10_000_000)
            reader.read()


def test_network_counters_by_uid_are_the_interface_counters(world: World) -> None:
    lines = world.root.read("/proc/net/xt_qtaguid/stats").decode().splitlines()[1:]
    by_interface: dict[str, int] = {}
    for line in lines:
        words = line.split()
        by_interface[words[1]] = by_interface.get(words[1], 0) + int(words[5]) + int(words[7])
    for line in world.root.read("/proc/net/dev").decode().splitlines()[3:]:
        name, _, rest = line.partition(":")
        words = rest.split()
        assert by_interface.get(name.strip(), 0) == int(words[0]) + int(words[8])


def test_looking_costs_the_recorder(repo: Path) -> None:
    def cost(reads: int) -> float:
        world = World(load(repo / "boards" / "sim-phone.yaml"), 1)
        bus = world.bus("i2c-4")
        for tick in range(1, 30):
            world.clock.sleep_until(START_NS + tick * 100_000_000)
            for _ in range(reads):
                world.root.read("/proc/stat")
                bus.transfer(0x40, b"\x02", 2)
        return world.truth().process_j(world.self_pid)

    assert cost(20) > 2 * cost(1) > 0


def test_sensors_see_the_rails(repo: Path) -> None:
    """A minute of INA226 readings gives the battery's joules within its tolerances and its gaps."""
    world = World(load(repo / "boards" / "sim-phone.yaml"), 11)
    bus = world.bus("i2c-4")
    bus.transfer(0x40, b"\x00\x46\xdf")  # 64 averages of 588 + 588 us
    joules = 0.0
    for tick in range(1, 601):
        world.clock.sleep_until(START_NS + tick * 100_000_000)
        shunt = int.from_bytes(bus.transfer(0x40, b"\x01", 2), "big", signed=True) * 2.5e-6
        volts = int.from_bytes(bus.transfer(0x40, b"\x02", 2), "big") * 1.25e-3
        joules += shunt / 0.01 * volts * 0.1
    assert joules == pytest.approx(world.truth(START_NS, START_NS + 60_000_000_000).root_j, rel=0.03)


def test_inverted_wiring_reads_negative() -> None:
    text = TEXT.replace("rail: RAIL,", "rail: RAIL, invert: true,").replace("RAIL", "battery")
    world = World(text, 1)
    world.clock.sleep_until(START_NS + 500_000_000)
    raw = world.bus("i2c-1").transfer(0x40, b"\x01", 2)
    assert int.from_bytes(raw, "big", signed=True) < 0
