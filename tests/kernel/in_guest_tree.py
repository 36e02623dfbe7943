"""Runs inside the rig's kernel: chips of a device tree by their drivers, then, drivers unbound, by us; prints JSON."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from powerhal import chips
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.host import iio
from powerhal.host.context import HostContext
from powerhal.recording.decode import decode_row
from powerhal.transport.clock import BootClock
from powerhal.transport.files import RealRoot
from powerhal.transport.i2c import LinuxI2c, open_bus
from tests.kernel.in_guest import DEVICES, bus_number
from tests.kernel.tree_chips import GAUGES, MONITOR, PMBUS, SENSE


def printed(folder: Path) -> dict[str, int]:
    """What a driver prints, as integers."""
    found: dict[str, int] = {}
    for place in [*folder.glob("hwmon/hwmon*"), *folder.glob("power_supply/*")]:
        for file in place.iterdir():
            try:
                found[file.name] = int(file.read_text())
            except (OSError, ValueError):
                continue
    return found


def ours(bus: LinuxI2c, address: int, compatible: str, ohms: float) -> dict[str, float]:
    """The chip by its registers; several of one fixed address sit at others here."""
    kind = replace(chips.load(compatible), addresses=(address, address))
    each = kind.source(bus, address, SensorOptions("s", 0.0, (ChannelOptions(1, "r1", ohms),)), BootClock())
    each.open()
    return decode_row(each.layout, each.read().raw)


def unbind(folder: Path) -> str:
    driver = (folder / "driver").resolve()
    (driver / "unbind").write_text(folder.name)
    return driver.name


def main() -> None:
    n = bus_number()
    bus = open_bus(f"/dev/i2c-{n}", RealRoot())
    time.sleep(0.3)
    found: dict[str, Any] = {
        "owners": {hex(a): bus.owner(a) for a, *_ in (*GAUGES, MONITOR)} | {hex(SENSE): bus.owner(SENSE)}
    }
    for address, compatible, ohms, *_ in (*GAUGES, MONITOR):
        folder = DEVICES / f"{n}-{address:04x}"
        kernel = printed(folder)
        unbind(folder)
        found[compatible] = {"kernel": kernel, "ours": ours(bus, address, compatible, ohms)}
    (DEVICES / f"i2c-{n}" / "new_device").write_text(f"pmbus {PMBUS[0]:#x}")
    kernel = printed(DEVICES / f"{n}-{PMBUS[0]:04x}")
    (DEVICES / f"i2c-{n}" / "delete_device").write_text(f"{PMBUS[0]:#x}")
    found[PMBUS[1]] = {"kernel": kernel, "ours": ours(bus, *PMBUS)}
    sources = iio.detect(RealRoot(), HostContext(BootClock()))
    found["iio"] = {}
    for each in sources:
        each.open()
        found["iio"] |= {each.name: decode_row(each.layout, each.read().raw)}
    bus.close()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
