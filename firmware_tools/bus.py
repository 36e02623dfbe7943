"""`powerhal bus dump BOARD`: every register of every chip of a board, with its named fields in SI.

Only reads (reading the status register of an INA226 or INA3221 clears its ready and alert bits); chips
that a kernel driver owns are left alone and said so. The file replays as an emulated
board (`powerhal.transport.replay`), so that a field report becomes a test.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from powerhal.errors import TransportError

if TYPE_CHECKING:
    from powerhal.board.schema import BoardDescription, Sensor
    from powerhal.chips.registers import ChipType
    from powerhal.transport import I2cBus

SCHEMA = 1
SIMULATED_NS = 2_000_000_000  # age of a simulated board when it is dumped: every chip has converted


def add(commands: Any) -> None:
    """Register `bus`."""
    p = commands.add_parser("bus", help="look at the chips of a board, register by register", description=__doc__)
    tools = p.add_subparsers(title="tools", metavar="TOOL", required=True)
    d = tools.add_parser("dump", help="all registers with their fields; the file replays as an emulated board")
    d.add_argument("board", help="a board's name or file (see `powerhal boards list`)")
    d.add_argument("-o", "--output", help="write the dump to this file (JSON)")
    d.add_argument("--json", action="store_true", help="print the dump as JSON")
    d.add_argument("--seed", type=int, default=0, help="of a simulated board (default: 0)")
    d.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Dump; the status is 4 when a chip of the board did not answer."""
    from powerhal.board.buses import close_all, open_buses
    from powerhal.board.load import load

    board = load(args.board)
    world = _world(board, args.seed)
    buses = open_buses(board, world)
    try:
        content = dump(board, buses)
    finally:
        close_all(buses)
    if args.output:
        with open(args.output, "w", encoding="utf-8") as file:
            file.write(json.dumps(content, indent=1) + "\n")
    if args.json:
        json.dump(content, sys.stdout, indent=1)
        print()
    elif not args.output:
        print("\n".join(lines(content)))
    silent = list(_faults(content))
    for text in silent:
        print(f"powerhal: {text}", file=sys.stderr)
    if args.output:
        print(f"{args.output}: {_count(content)} registers", file=sys.stderr)
    return TransportError.exit_code if silent else 0


def _world(board: BoardDescription, seed: int) -> Any:
    if board.simulation is None:
        return None
    from powerhal.sim.world import World

    world = World(board, seed)
    world.clock.sleep_until(world.clock.now_ns() + SIMULATED_NS)
    return world


def dump(board: BoardDescription, buses: Mapping[str, I2cBus]) -> dict[str, Any]:
    """The content of a dump file: see `powerhal.transport.replay`."""
    out: dict[str, dict[str, Any]] = {name: {} for name in buses}
    for name, sensor in board.sensors.items():
        out[sensor.bus][f"0x{sensor.address:02x}"] = chip_entry(name, sensor, buses[sensor.bus])
    return {"schema": SCHEMA, "board": board.name, "buses": out}


def chip_entry(name: str, sensor: Sensor, bus: I2cBus) -> dict[str, Any]:
    """One chip: its registers, or who owns it, or why it did not answer."""
    from powerhal import chips
    from powerhal.chips.identify import identify

    chip = chips.load(sensor.chip)
    entry: dict[str, Any] = {"sensor": name, "chip": sensor.chip, "autoincrement": chip.autoincrement, "registers": {}}
    owner = bus.owner(sensor.address)
    if owner:
        return {**entry, "owner": owner}
    try:
        entry["identity"] = "proved" if identify(chip, bus, sensor.address).proved else "plausible, cannot be proved"
    except TransportError as error:
        entry["fault"] = str(error)
        entry["identity"] = "not confirmed"
    raw, faults = _read_all(chip, bus, sensor.address)
    if not raw:
        return {**entry, "fault": next(iter(faults.values()))}
    if faults:
        entry["fault"] = "; ".join(dict.fromkeys(faults.values()))
    return {**entry, "registers": _describe(chip, sensor, raw)}


def _read_all(chip: ChipType, bus: I2cBus, address: int) -> tuple[dict[int, bytes], dict[int, str]]:
    from powerhal.chips.identify import read_register

    raw: dict[int, bytes] = {}
    faults: dict[int, str] = {}
    for register in chip.registers:
        try:
            raw[register.address] = read_register(bus, address, register)
        except TransportError as error:
            faults[register.address] = str(error)
    return raw, faults


def _describe(chip: ChipType, sensor: Sensor, raw: Mapping[int, bytes]) -> dict[str, Any]:
    """Pointer -> name, wire bytes, fields as [value, unit] (value None: the board does not say the shunt)."""
    from powerhal.chips.decode import named_values
    from powerhal.chips.given import registers
    from powerhal.chips.layout import settings_of

    values = {r.name: r.integer(raw[r.address]) if r.address in raw else 0 for r in chip.config_registers()}
    settings = settings_of(chip, values)
    shunts = {number: wired.shunt_ohms for number, wired in sensor.wired().items()}
    out = {}
    for register, data in registers(chip, raw):
        config = {**settings, "r_shunt_ohm": shunts.get(register.channel or 1)}
        units = {b.name: b.unit for b in register.bits}
        fields = {name: [value, units[name]] for name, _, value in named_values(register, data, config)}
        out[f"0x{register.address:02x}"] = {"name": register.name, "raw": data.hex(), "fields": fields}
    return out


def lines(content: Mapping[str, Any]) -> Iterator[str]:
    """A dump as people read it."""
    for bus, chips in content["buses"].items():
        for address, entry in chips.items():
            yield f"{bus} {address}  {entry['sensor']}  {entry['chip']}  {entry.get('identity', '')}".rstrip()
            if entry.get("owner"):
                yield f"  not touched: the kernel driver {entry['owner']} owns it"
            for pointer, register in entry["registers"].items():
                shown = ", ".join(f"{name} {_shown(*pair)}" for name, pair in register["fields"].items())
                yield f"  {pointer}  {register['raw']:<10} {register['name']:<13} {shown}".rstrip()


def _shown(value: Any, unit: str) -> str:
    from powerhal.units import format_quantity

    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return format_quantity(value, unit, 6) if unit in ("V", "A", "W", "s", "Ah") else f"{value:g} {unit}".rstrip()


def _faults(content: Mapping[str, Any]) -> Iterator[str]:
    for chips in content["buses"].values():
        for entry in chips.values():
            if "fault" in entry:
                yield f"{entry['sensor']}: {entry['fault']}"


def _count(content: Mapping[str, Any]) -> int:
    return sum(len(entry["registers"]) for chips in content["buses"].values() for entry in chips.values())
