from __future__ import annotations

from pathlib import Path

import pytest

from powerhal.board.assembly import assemble
from powerhal.board.buses import MUXES, open_buses
from powerhal.board.load import load, parse
from powerhal.board.schema import MUX_CHIPS
from powerhal.channel import Quality
from powerhal.errors import HardwareError, TransportError
from powerhal.sim.bus import EmulatedBus
from powerhal.sim.world import World
from powerhal.transport import FileRoot, I2cBus, SerialPort
from powerhal.transport.clock import VirtualClock

from .boardtext import GOOD, spoiled
from .kerneltree import PROC, hwmon_ina231, tree


class BenchWorld:
    """Buses and files as a test wants them."""

    def __init__(self, root: FileRoot, buses: dict[str, I2cBus]) -> None:
        self.root = root
        self.clock = VirtualClock(lambda t_ns: None)
        self._buses = buses

    def bus(self, name: str) -> I2cBus:
        return self._buses[name]

    def serial(self, name: str) -> SerialPort:
        return FakePort()


class FakePort:
    """A line on which nobody talks."""

    name = "fake"
    closed = 0

    def read(self, limit: int) -> bytes:
        return b""

    def write(self, data: bytes) -> None:
        """Nobody listens."""

    def close(self) -> None:
        self.closed += 1


def test_the_simulated_phone_is_read_through_real_drivers() -> None:
    board = load("sim-phone")
    assembly = assemble(board, world=World(board, 3))
    assembly.open()
    try:
        readings = {source.name: source.read() for source in assembly.sources}
        assert set(board.sensors) <= set(readings)
        assert not any(reading.quality & Quality.MISSING for reading in readings.values())
        channels = {c.name for source in assembly.sources for c in source.layout.channels}
        for rail in ("battery", "vdd_big", "vdd_io"):
            assert f"{rail}.power" in channels
        for device in assembly.topology.devices:
            for activity in device.activities.values():
                assert any(c == activity or c.startswith(f"{activity}.") for c in channels), activity
        assert len(assembly.activity_sources) == 1
        assert assembly.topology == board.topology()
    finally:
        assembly.close()


def test_a_chip_that_is_not_there_is_an_error_that_names_it() -> None:
    board = load("sim-phone")
    world = World(board, 0)
    world.bus("i2c-4").unplug(0x41)
    assembly = assemble(board, world=world)
    with pytest.raises(TransportError, match="0x41") as caught:
        assembly.open()
    assert caught.value.kind == "absent"
    assembly = assemble(board, world=world)
    world.bus("i2c-4").unplug(0x40)
    with pytest.raises(HardwareError, match=r"2 sensors.*0x40.*0x41"):
        assembly.open()


def test_chips_of_a_copied_tree_come_from_its_drivers(tmp_path: Path) -> None:
    files, links = dict(PROC), {}
    for number, (address, micro_ohms) in enumerate({0x40: 10000, 0x41: 10000, 0x44: 5000}.items()):
        more, linked = hwmon_ina231(number, 0, address, micro_ohms=micro_ohms)
        files |= more
        links |= linked
    assembly = assemble(load("odroid-xu3"), root=tree(tmp_path, files, links))
    assembly.open()
    rails = {c.rail: c.name for s in assembly.sources for c in s.layout.channels if c.quantity == "power"}
    assert rails == {r: f"{r}.power" for r in ("VDD_ARM", "VDD_MEM", "VDD_G3D")}
    by_name = {s.name: s for s in assembly.sources}
    assert by_name["hwmon.ina231@0-0040"].period_s == pytest.approx(0.01)
    assert by_name["hwmon.ina231@0-0040"].read().quality == Quality.OK
    notes = "\n".join(assembly.notes)
    assert "arm (ti,ina231 at i2c-0 0x40) is read as hwmon.ina231@0-0040: a kernel driver owns it" in notes
    assert "kfc (ti,ina231 at i2c-0 0x45) is not read: no driver shows it here" in notes
    assert "shunt of 5 mOhm, the board file with 10 mOhm: currents of VDD_G3D are 2 times the true ones" in notes
    assembly.close()


def test_a_chip_that_a_driver_owns_is_never_forced(tmp_path: Path) -> None:
    files, links = hwmon_ina231(0, 1, 0x40, micro_ohms=10000)
    root = tree(tmp_path, {**PROC, **files}, links)
    buses: dict[str, I2cBus] = {
        "i2c-1": EmulatedBus("i2c-1", {}, owners={0x40: "ina2xx"}),
        "side": EmulatedBus("side", {}, owners={0x41: "ina3221"}),
    }
    assembly = assemble(parse(GOOD), world=BenchWorld(root, buses))
    names = [source.name for source in assembly.sources]
    assert "hwmon.ina231@1-0040" in names
    assert "supply" not in names
    assert any("three" in note and "ina3221 owns it and shows no measurement" in note for note in assembly.notes)


def test_channels_of_a_driver_are_matched_by_their_number(tmp_path: Path) -> None:
    folder = "sys/class/hwmon/hwmon3"
    files: dict[str, str | None] = {**PROC, f"{folder}/name": "ina3221\n", "sys/bus/i2c/devices/1-0041/name": "x\n"}
    for n, label in enumerate(("CPU", "SOC"), 1):
        files |= {
            f"{folder}/in{n}_input": "5000\n", f"{folder}/in{n}_label": f"{label}\n",
            f"{folder}/curr{n}_input": "100\n", f"{folder}/shunt{n}_resistor": "5000\n",
        }  # fmt: skip
    text = spoiled("bus: side", "bus: i2c-1")
    root = tree(tmp_path, files, {f"{folder}/device": "../../../bus/i2c/devices/1-0041"})
    assembly = assemble(parse(text), root=root)
    rails = {c.rail: s.name for s in assembly.sources for c in s.layout.channels if c.quantity == "power"}
    assert rails == {"CORE": "hwmon.ina3221@1-0041.CPU", "IO": "hwmon.ina3221@1-0041.SOC"}


def test_a_gauge_is_found_through_its_power_supply(tmp_path: Path) -> None:
    supply = "sys/class/power_supply/max17048"
    files: dict[str, str | None] = {
        **PROC, f"{supply}/type": "Battery\n", f"{supply}/voltage_now": "3700000\n", f"{supply}/capacity": "60\n",
        "sys/bus/i2c/devices/1-0036/name": "max17048\n",
    }  # fmt: skip
    root = tree(tmp_path, files, {f"{supply}/device": "../../../bus/i2c/devices/1-0036"})
    assembly = assemble(load("rpi4-ina219-max17048"), root=root)
    channels = {c.name for s in assembly.sources for c in s.layout.channels}
    assert {"VBAT.voltage", "VBAT.soc"} <= channels


def test_linux_host_makes_rails_clusters_and_devices_of_what_it_finds(tmp_path: Path) -> None:
    zone, battery = "sys/class/powercap/intel-rapl:0", "sys/class/power_supply/BAT0"
    files: dict[str, str | None] = {
        **PROC,
        f"{zone}/name": "package-0\n", f"{zone}/energy_uj": "5\n", f"{zone}/max_energy_range_uj": "999\n",
        f"{zone}:0/name": "core\n", f"{zone}:0/energy_uj": "5\n", f"{zone}:0/max_energy_range_uj": "999\n",
        f"{battery}/type": "Battery\n", f"{battery}/voltage_now": "12000000\n", f"{battery}/power_now": "9000000\n",
        f"{battery}/status": "Discharging\n",
        "sys/class/hwmon/hwmon0/name": "ucsi_source_psy\n", "sys/class/hwmon/hwmon0/curr1_input": "3000\n",
        "sys/class/hwmon/hwmon1/name": "amdgpu\n", "sys/class/hwmon/hwmon1/power1_average": "7000000\n",
        "sys/block/sda/stat": "1 0 8 0 1 0 8 0 0 5 5\n",
    }  # fmt: skip
    assembly = assemble(load("linux-host"), root=tree(tmp_path, files))
    assembly.open()
    topology = assembly.topology
    assert {r.name: r.parent for r in topology.rails} == {
        "SYSTEM": "", "amdgpu": "SYSTEM", "package-0": "SYSTEM", "package-0-core": "package-0",
    }  # fmt: skip
    channels = {c.name: c for s in assembly.sources for c in s.layout.channels}
    assert channels["SYSTEM.power"].rail == "SYSTEM"
    assert channels["package-0.energy"].rail == "package-0"
    assert not any("ucsi" in s.name for s in assembly.sources)
    devices = {d.name: d for d in topology.devices}
    assert devices["cpu.all"].rail == "package-0"
    assert devices["net.eth0"].kind == "radio"
    assert devices["disk.sda"].kind == "storage"
    assert [c.cpus for c in topology.clusters] == [(0, 1)]
    assembly.close()


def battery(name: str, milliwatts: int) -> dict[str, str | None]:
    folder = f"sys/class/power_supply/{name}"
    return {
        f"{folder}/type": "Battery\n", f"{folder}/voltage_now": "12000000\n", f"{folder}/status": "Discharging\n",
        f"{folder}/power_now": f"{milliwatts}000\n",
    }  # fmt: skip


def test_two_batteries_are_two_rails(tmp_path: Path) -> None:
    root = tree(tmp_path, {**PROC, **battery("BAT0", 3000), **battery("BAT1", 4000)})
    assembly = assemble(load("linux-host"), root=root)
    assert {r.name: r.parent for r in assembly.topology.rails} == {"SYSTEM": "", "BAT0": "SYSTEM", "BAT1": "SYSTEM"}
    names = [c.name for s in assembly.sources for c in s.layout.channels]
    assert {"BAT0.power", "BAT1.power"} <= set(names)
    assert len(set(names)) == len(names)


def test_two_views_of_one_rail_have_names_of_their_own(tmp_path: Path) -> None:
    zone = "sys/class/powercap/intel-rapl:1"
    files: dict[str, str | None] = {
        **PROC, **battery("BAT0", 3000), f"{zone}/name": "psys\n", f"{zone}/energy_uj": "5\n",
        f"{zone}/max_energy_range_uj": "99\n", "sys/class/power_supply/BAT0/energy_now": "20000000\n",
    }  # fmt: skip
    assembly = assemble(load("linux-host"), root=tree(tmp_path, files))
    channels = [c for s in assembly.sources for c in s.layout.channels if c.quantity == "energy"]
    assert [(c.name, c.rail) for c in channels] == [("SYSTEM.energy", "SYSTEM"), ("powercap.psys.energy", "SYSTEM")]


def test_a_gauge_beside_a_shunt_monitor_keeps_its_own_names(tmp_path: Path) -> None:
    gauge = '\n  gauge: {chip: "maxim,max17048", bus: i2c-1, address: 0x36, rail: VIN}\nrails:'
    buses: dict[str, I2cBus] = {name: EmulatedBus(name, {}) for name in ("i2c-1", "side")}
    world = BenchWorld(tree(tmp_path, PROC), buses)
    assembly = assemble(parse(GOOD.replace("\nrails:", gauge)), world=world)
    channels = {c.name: c for s in assembly.sources for c in s.layout.channels}
    assert channels["VIN.voltage"].quality_class == "measured"
    assert channels["gauge.voltage"].rail == "VIN"


@pytest.mark.parametrize(
    ("battery", "given", "note"),
    [
        ("{capacity: 3000 mAh, nominal: 3.7 V, rail: VIN}", True, ""),
        ("{capacity: 3000 mAh}", True, ""),
        ("{nominal: 3.7 V}", False, "does not give the capacity of its battery"),
        ("{capacity: 3000 mAh, rail: CORE}", False, "does not give the capacity of its battery"),
    ],
)
def test_power_is_inferred_from_a_gauge_when_the_board_gives_its_battery(
    tmp_path: Path, battery: str, given: bool, note: str
) -> None:
    gauge = '\n  gauge: {chip: "maxim,max17048", bus: i2c-1, address: 0x36, rail: VIN}\nrails:'
    given_before = "{capacity: 3000 mAh, nominal: 3.85 V, rail: VIN}"
    text = spoiled(given_before, battery).replace("\nrails:", gauge)
    buses: dict[str, I2cBus] = {name: EmulatedBus(name, {}) for name in ("i2c-1", "side")}
    assembly = assemble(parse(text), world=BenchWorld(tree(tmp_path, PROC), buses))
    channels = {c.name: c for s in assembly.sources for c in s.layout.channels}
    assert channels["VIN.power"].quality_class == "measured"
    assert ("gauge.power" in channels) == given
    if given:
        assert channels["gauge.power"].quality_class == "inferred"
        assert channels["gauge.power"].offset > 0
    notes = [n for n in assembly.notes if "inferred" in n]
    assert len(notes) == (0 if given else 1)
    assert all(note in n and "gauge (maxim,max17048)" in n for n in notes)


def test_linux_host_without_any_sensor_still_sees_activity(tmp_path: Path) -> None:
    assembly = assemble(load("linux-host"), root=tree(tmp_path, PROC))
    assembly.open()
    assert not any(c.rail for s in assembly.sources for c in s.layout.channels)
    assert any("hwmon" in note for note in assembly.notes)
    assert {"cpu", "net.eth0"} <= {s.name for s in assembly.sources}
    assembly.close()


METER = """meters:
  probe:
    protocol: "powerhal,probe"
    port: /dev/ttyACM0
    rate: 100 Hz
    sensors: {usb: {chip: "ti,ina226", address: 0x40, rail: IO, shunt: 20 mOhm}}
"""


def test_meters_read_their_line_and_close_it(tmp_path: Path) -> None:
    root = tree(tmp_path, PROC)
    buses: dict[str, I2cBus] = {name: EmulatedBus(name, {}) for name in ("i2c-1", "side")}
    port = FakePort()
    assembly = assemble(parse(GOOD + METER), world=BenchWorld(root, buses), lines={"probe": port})
    source = next(s for s in assembly.sources if s.name == "usb")
    # `three` measures IO as well and comes first: the names of the rail are its own
    assert [c.name for c in source.layout.channels] == ["usb.voltage", "usb.current", "usb.power"]
    assert {c.rail for c in source.layout.channels} == {"IO"}
    assembly.close()
    assert port.closed
    copied = assemble(parse(GOOD + METER), root=root)
    assert any("there is no line here" in note for note in copied.notes)


def test_unknown_meter_protocols_are_named() -> None:
    from powerhal.errors import BoardError

    with pytest.raises(BoardError) as caught:
        parse(GOOD + METER.replace("powerhal,probe", "powerhal,prob"))
    assert "did you mean 'powerhal,probe'" in str(caught.value.problems[0])


def test_an_adapter_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    text = GOOD.replace("/dev/i2c-1", "/dev/i2c-999")
    with pytest.raises(TransportError, match="i2c-999"):
        open_buses(parse(text))


def test_buses_open_after_what_they_sit_on() -> None:
    text = spoiled("  i2c-1: {kind: i2c, device: /dev/i2c-1, speed: 400 kHz}\n", "").replace(
        "sensors:", "  i2c-1: {kind: i2c, device: /dev/i2c-1, speed: 400 kHz}\nsensors:", 1
    )
    order: list[str] = []

    class Noting(BenchWorld):
        def bus(self, name: str) -> I2cBus:
            order.append(name)
            return EmulatedBus(name, {})

    open_buses(parse(text), Noting(load_root(), {}))
    assert order == ["i2c-1", "side"]


def test_a_multiplexer_with_a_driver_is_left_to_it() -> None:
    from powerhal.board.buses import _refuse_owned

    with pytest.raises(TransportError, match="belongs to the kernel driver pca954x") as caught:
        _refuse_owned(EmulatedBus("/dev/i2c-1", {}, owners={0x70: "pca954x"}), 0x70, "side")
    assert caught.value.kind == "busy"
    assert "kind: i2c" in caught.value.hint


def load_root() -> FileRoot:
    from powerhal.transport.files import RealRoot

    return RealRoot()


def test_every_multiplexer_of_the_schema_can_be_switched() -> None:
    assert set(MUXES) == set(MUX_CHIPS)
    assert MUXES["nxp,pca9548"](3) == 0x08
    assert MUXES["nxp,pca9544"](3) == 0x07
    assert MUXES["nxp,pca9547"](5) == 0x0D


@pytest.mark.parametrize("invert", [False, True])
def test_a_reversed_shunt_is_turned_round(invert: bool) -> None:
    from powerhal.board.settings import sensor_options

    board = parse(spoiled("shunt: 10 mOhm}", f"shunt: 10 mOhm, invert: {str(invert).lower()}}}"))
    options = sensor_options("supply", board.sensors["supply"], 10.0)
    assert options.channels[0].gain == (-1.0 if invert else 1.0)
    assert options.rate_hz == 10.0


def test_settings_are_converted_to_si() -> None:
    from powerhal.board.settings import config_si

    board = parse(spoiled("shunt: 10 mOhm}", "shunt: 10 mOhm, config: {averages: 16, bus_conversion: 588 us}}"))
    assert config_si(board.sensors["supply"]) == {"averages": 16.0, "bus_conversion_s": pytest.approx(588e-6)}
