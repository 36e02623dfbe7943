"""Runs inside the rig's kernel: every emulated chip by its registers, then by the kernel's driver; prints JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from powerhal import chips
from powerhal.channel import Quality
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.chips.source import ChipSource
from powerhal.errors import PowerhalError
from powerhal.recording.decode import decode_row, row_quality
from powerhal.transport.clock import BootClock
from powerhal.transport.files import RealRoot
from powerhal.transport.i2c import LinuxI2c, open_bus
from tests.kernel.emulated_chips import MONITORS, SHUNTS, VARIANTS
from tests.kernel.in_guest import bus_number

DEVICES = Path("/sys/bus/i2c/devices")
CONTROL = 0x08


def command(bus: LinuxI2c, what: int, which: int) -> None:
    bus.transfer(CONTROL, bytes((what, which)))


def source(bus: LinuxI2c, address: int, compatible: str, rate: float = 0.0) -> ChipSource:
    kind = chips.load(compatible)
    wired = tuple(ChannelOptions(i, f"r{i}", SHUNTS.get(compatible, 0.01)) for i in range(1, kind.inputs + 1))
    options = SensorOptions("s", rate, wired)
    return kind.source(bus, address, options, BootClock())


def ours(bus: LinuxI2c, address: int, compatible: str) -> dict[str, Any]:
    """What our driver makes of the chip."""
    each = source(bus, address, compatible)
    try:
        each.open()
    except PowerhalError as error:
        return {"error": str(error)}
    row = each.read()
    return {**decode_row(each.layout, row.raw), "quality": int(row.quality | row_quality(each.layout, row.raw))}


class Driver:
    """A kernel driver on one address."""

    def __init__(self, n: int, address: int, name: str, shunt: float) -> None:
        self.adapter, self.address = DEVICES / f"i2c-{n}", address
        self.folder = DEVICES / f"{n}-{address:04x}"
        (self.adapter / "new_device").write_text(f"{name} {address:#x}")
        for knob in self.folder.glob("hwmon/hwmon*/shunt*_resistor"):
            knob.write_text(str(round(shunt * 1e6)))

    def values(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for folder in [*self.folder.glob("hwmon/hwmon*"), *self.folder.glob("power_supply/*")]:
            for file in folder.iterdir():
                try:
                    found[file.name] = int(file.read_text())
                except (OSError, ValueError):
                    continue
        return found

    def leave(self) -> None:
        (self.adapter / "delete_device").write_text(f"{self.address:#x}")


def everything(bus: LinuxI2c, n: int) -> dict[str, Any]:
    """Each chip, free and then owned."""
    found: dict[str, Any] = {}
    for address, compatible, _ in MONITORS:
        found[compatible] = {"ours": ours(bus, address, compatible)}
    drivers = {c: Driver(n, a, name, SHUNTS.get(c, 0.01)) for a, c, name in MONITORS}
    time.sleep(0.3)  # the drivers configured the chips: a round of conversions
    for compatible, driver in drivers.items():
        found[compatible]["kernel"] = driver.values()
    for i, (address, compatible, name) in enumerate(VARIANTS):
        command(bus, 1, i)
        if compatible == "cellwise,cw2015":
            bus.transfer(address, b"\x0a\x00")
            time.sleep(0.3)
        found[compatible] = {"ours": ours(bus, address, compatible)}
        try:
            driver = Driver(n, address, name, SHUNTS.get(compatible, 0.01))
            if compatible == "cellwise,cw2015":
                time.sleep(1.0)
            found[compatible]["kernel"] = driver.values()
            driver.leave()
        except OSError as error:
            found[compatible]["kernel"] = {"error": str(error)}
    return found


def live(bus: LinuxI2c, n: int) -> list[list[float]]:
    """A supply that moves while we sample: what it gives, our chip, the kernel's chip on the same rail."""
    mine = source(bus, 0x4C, "ti,ina226", 100.0)
    mine.open()
    driver = Driver(n, 0x4D, "ina226", 0.01)
    rows = []
    for tenths in (3, 17, 0, 42, 5, 81, 29, 1):
        command(bus, 2, tenths)
        time.sleep(0.1)
        row = mine.read()
        values = decode_row(mine.layout, row.raw)
        rows.append([tenths / 10, values["r1.current"], driver.values()["curr1_input"] / 1000, values["r1.power"]])
    driver.leave()
    return rows


def look(each: ChipSource) -> list[Any]:
    row = each.read()
    value = decode_row(each.layout, row.raw).get("r1.current", 0.0)
    return [int(row.quality), value, each.last_kind if row.quality & Quality.MISSING else ""]


def unplug(bus: LinuxI2c) -> dict[str, Any]:
    """A wire comes loose; a chip loses its supply; both while others go on."""
    mine, other = source(bus, 0x4C, "ti,ina226", 100.0), source(bus, 0x4E, "ti,ina226", 100.0)
    command(bus, 2, 15)
    mine.open()
    other.open()
    time.sleep(0.05)
    found: dict[str, Any] = {"before": look(mine)}
    command(bus, 3, 0x4C)
    found["pulled"], found["neighbour"] = look(mine), look(other)
    command(bus, 4, 0x4C)
    time.sleep(0.05)
    found["back"] = look(mine)
    bus.transfer(0x4E, b"\x00\x45\x27")  # somebody averages; then the supply dips
    averaged = source(bus, 0x4E, "ti,ina226", 10.0)
    averaged.open()
    command(bus, 5, 0x4E)
    time.sleep(0.05)
    found["dip"] = [look(averaged)[0] for _ in range(18)]
    return found


def taken(bus: LinuxI2c, n: int) -> dict[str, Any]:
    """A driver takes the chip away in the middle of our run."""
    mine = source(bus, 0x4C, "ti,ina226", 100.0)
    mine.open()
    rows = [look(mine) for _ in range(3)]
    driver = Driver(n, 0x4C, "ina226", 0.01)
    config = bus.transfer(0x4C, b"\x00", 2).hex()
    calibration = bus.transfer(0x4C, b"\x05", 2).hex()
    time.sleep(0.05)
    owned = [look(mine) for _ in range(20)]
    after = [bus.transfer(0x4C, b"\x00", 2).hex(), bus.transfer(0x4C, b"\x05", 2).hex()]
    driver.leave()
    time.sleep(0.05)
    return {
        "free": rows,
        "owned": owned,
        "registers": [[config, calibration], after],
        "given_back": [look(mine) for _ in range(3)],
    }


def main() -> None:
    n = bus_number()
    bus = open_bus(f"/dev/i2c-{n}", RealRoot())
    found = {"chips": everything(bus, n), "live": live(bus, n), "unplug": unplug(bus), "taken": taken(bus, n)}
    bus.close()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
