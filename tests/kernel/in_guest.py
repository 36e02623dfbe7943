"""Runs inside the rig's kernel: our register path first, then the kernel's drivers on the same chips; prints JSON."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from powerhal import chips
from powerhal.board.assembly import assemble
from powerhal.board.load import parse
from powerhal.channel import Quality
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.chips.schedule import BusSchedule
from powerhal.errors import PowerhalError, TransportError
from powerhal.recording.decode import decode_row, row_quality
from powerhal.transport import Xfer
from powerhal.transport.clock import BootClock
from powerhal.transport.files import RealRoot
from powerhal.transport.i2c import LinuxI2c, open_bus

DEVICES = Path("/sys/bus/i2c/devices")
SHUNT = 0.01
PLACES = {
    0x40: ("ti,ina226", "ina226", 1), 0x44: ("ti,ina219", "ina219", 1), 0x41: ("ti,ina3221", "ina3221", 3),
    0x36: ("maxim,max17048", "max17048", 1), 0x55: ("ti,bq27441", "bq27441", 1),
}  # fmt: skip
BOARD = """
schema: 1
name: rig
title: rig
buses: {{main: {{kind: i2c, device: /dev/i2c-{n}}}}}
sensors:
  cpu: {{chip: "ti,ina226", bus: main, address: 0x40, rail: CPU, shunt: 10 mOhm}}
  three:
    chip: "ti,ina3221"
    bus: main
    address: 0x41
    channels: {{"1": {{rail: A, shunt: 10 mOhm}}, "2": {{rail: B, shunt: 10 mOhm}}, "3": {{rail: C, shunt: 10 mOhm}}}}
  gauge: {{chip: "ti,bq27441", bus: main, address: 0x55, rail: VBAT}}
activity: {{processes: false}}
rails: {{VBAT: {{}}, CPU: {{parent: VBAT}}, A: {{parent: VBAT}}, B: {{parent: VBAT}}, C: {{parent: VBAT}}}}
"""


def bus_number() -> int:
    for entry in Path("/sys/class/i2c-dev").iterdir():
        if "virtio" in (entry / "name").read_text().lower():
            return int(entry.name.rpartition("-")[2])
    raise SystemExit("no virtual bus")


def source(bus: LinuxI2c, address: int) -> Any:
    compatible, name, inputs = PLACES[address]
    wired = tuple(ChannelOptions(i, f"{name}.{i}", SHUNT) for i in range(1, inputs + 1))
    return chips.load(compatible).source(bus, address, SensorOptions(name, 1.0, wired))


def registers(bus: LinuxI2c) -> dict[str, Any]:
    """Every chip through its registers, one by one and in one batch."""
    sources = [source(bus, address) for address in PLACES]
    for each in sources:
        each.open()
    alone = {}
    for each in sources:
        row = each.read()
        alone |= decode_row(each.layout, row.raw)
    time.sleep(1.1)  # the gauges are asked once a second
    batch: dict[str, float] = {}
    for each, row in zip(sources, BusSchedule(sources).read(), strict=True):
        assert not (row.quality | row_quality(each.layout, row.raw)) & (Quality.MISSING | Quality.STALE), row
        batch |= decode_row(each.layout, row.raw)
    return {"alone": alone, "batch": batch, "batched": bus.batched}


def fault(call: Any) -> list[str]:
    try:
        return ["no fault", repr(call())]
    except TransportError as error:
        return [error.kind, str(error)]


def absent(bus: LinuxI2c) -> dict[str, Any]:
    wired = (ChannelOptions(1, "R", SHUNT),)
    ghost = chips.load("ti,ina226").source(bus, 0x4A, SensorOptions("ghost", 1.0, wired))
    wrong = chips.load("ti,ina219").source(bus, 0x40, SensorOptions("wrong", 1.0, wired))
    plan = bus.plan([Xfer(0x40, b"\x02", 2), Xfer(0x4A, b"\x02", 2), Xfer(0x44, b"\x02", 2)])
    failed = list(plan.run())
    return {
        "open": fault(ghost.open),
        "transfer": fault(lambda: bus.transfer(0x4A, b"\x02", 2)),
        "wrong": fault(wrong.open),
        "plan": [failed, bytes(plan.data).hex()],
    }


def bind(n: int) -> None:
    for address, (_, driver, _) in PLACES.items():
        (DEVICES / f"i2c-{n}" / "new_device").write_text(f"{driver} {address:#x}")


def drivers(n: int) -> dict[str, dict[str, int]]:
    """What the kernel's drivers print, as integers."""
    out: dict[str, dict[str, int]] = {}
    for address, (_, name, _) in PLACES.items():
        values: dict[str, int] = {}
        for folder in [*(DEVICES / f"{n}-{address:04x}").glob("hwmon/hwmon*"),
                       *(DEVICES / f"{n}-{address:04x}").glob("power_supply/*")]:  # fmt: skip
            shunt = folder / "shunt_resistor"
            if shunt.exists():
                shunt.write_text(str(int(SHUNT * 1e6)))
            for file in folder.iterdir():
                try:
                    values[file.name] = int(file.read_text())
                except (OSError, ValueError):
                    continue
        out[name] = values
    return out


def board(n: int) -> dict[str, Any]:
    """The whole way from a board file, whoever owns the chips."""
    try:
        assembly = assemble(parse(BOARD.format(n=n)), clock=BootClock())
        assembly.open()
    except PowerhalError as error:
        return {"error": str(error)}
    values: dict[str, float] = {}
    names = []
    for each in assembly.sources:
        row = each.read()
        if any(c.rail for c in each.layout.channels) and not row.quality & Quality.MISSING:
            names.append(each.name)
            values |= decode_row(each.layout, row.raw)
    assembly.close()
    return {"values": values, "notes": assembly.notes, "sources": names}


def main() -> None:
    n = bus_number()
    bus = open_bus(f"/dev/i2c-{n}", RealRoot())
    found: dict[str, Any] = {"registers": registers(bus), "absent": absent(bus), "board_free": board(n)}
    bind(n)
    found["drivers"] = drivers(n)
    found["owners"] = {hex(a): bus.owner(a) for a in (*PLACES, 0x4A)}
    found["owned"] = {hex(a): fault(source(bus, a).open) for a in PLACES}
    found["board_owned"] = board(n)
    bus.close()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
