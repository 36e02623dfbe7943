"""A board in words, for people (`boards show`) and as a document in SI units for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, fields
from typing import Any

from powerhal.board.lint import measured_rails
from powerhal.board.plain import to_plain
from powerhal.board.schema import BoardDescription, BoardFile, ClusterSpec, Sensor
from powerhal.units import format_quantity

SECONDS_PER_YEAR = 31557600.0


def document(board: BoardDescription) -> dict[str, Any]:
    """Everything the file says, in SI units, with the topology that attribution sees; JSON values."""
    return {
        "schema": 1,
        "path": board.path,
        "sha256": board.sha256,
        "simulated": board.simulated,
        "board": {item.name: to_plain(getattr(board, item.name)) for item in fields(BoardFile)},
        "topology": asdict(board.topology()),
    }


def portrait(board: BoardDescription) -> Iterator[str]:
    """Lines of plain text: what it is, the rail tree with its sensors, buses, clusters, devices."""
    yield f"{board.name}: {board.title}"
    yield f"  file      {board.path}  sha256 {board.sha256[:12]}"
    if board.match.device_tree:
        yield f"  matches   device tree {', '.join(board.match.device_tree)}"
    if board.simulated:
        yield "  simulated: nothing of this is hardware"
    yield from _section("rails", _rail_tree(board))
    yield from _section("sensors", (_sensor(name, sensor) for name, sensor in board.sensors.items()))
    yield from _section("meters", (f"{name}\t{m.protocol} at {m.port}" for name, m in board.meters.items()))
    yield from _section("buses", _buses(board))
    yield from _section("kernel", _kernel(board))
    yield from _section("clusters", (_cluster(name, c) for name, c in board.clusters.items()))
    yield from _section("devices", _devices(board))
    yield from _section("battery", _battery(board))
    yield from _section("carbon", _carbon(board))


def _section(title: str, lines: Iterator[str]) -> Iterator[str]:
    """A heading and its lines; what stands before a tab is a column."""
    listed = [line.partition("\t") for line in lines]
    width = max((len(first) for first, tab, _ in listed if tab), default=0)
    if listed:
        yield ""
        yield title
        yield from (f"  {first:<{width}}  {rest}" if tab else f"  {first}" for first, tab, rest in listed)


def _rail_tree(board: BoardDescription) -> Iterator[str]:
    measured = measured_rails(board)
    children: dict[str | None, list[str]] = {}
    for name, spec in board.rails.items():
        children.setdefault(spec.parent, []).append(name)

    def branch(name: str, lead: str, first: str) -> Iterator[str]:
        spec = board.rails[name]
        seen = f"measured by {', '.join(measured[name])}" if name in measured else "not measured"
        parts = [spec.subsystem, format_quantity(spec.nominal_v, "V") if spec.nominal_v else ""]
        parts += [f"{spec.efficiency * 100:.3g} % efficient" if spec.efficiency < 1 else "", seen]
        yield f"{first}{name}  ({', '.join(part for part in parts if part)})"
        below = children.get(name, [])
        for child in below:
            last = child == below[-1]
            yield from branch(child, lead + ("   " if last else "│  "), lead + ("└─ " if last else "├─ "))

    for root in children.get(None, []):
        yield from branch(root, "", "")


def _sensor(name: str, sensor: Sensor) -> str:
    wired = [
        f"{f'{number}: ' if sensor.channels else ''}{channel.rail}"
        + (f" through {format_quantity(channel.shunt_ohms, 'Ohm')}" if channel.shunt_ohms else "")
        for number, channel in sensor.wired().items()
    ]
    rate = f" at {format_quantity(sensor.rate_hz, 'Hz')}" if sensor.rate_hz else ""
    return f"{name}\t{sensor.chip} on {sensor.bus} 0x{sensor.address:02x}{rate}: {', '.join(wired)}"


def _buses(board: BoardDescription) -> Iterator[str]:
    for name, bus in board.buses.items():
        if bus.kind == "mux":
            yield f"{name}\tchannel {bus.channel} of {bus.chip} at 0x{bus.address or 0:02x} on {bus.parent}"
        else:
            yield f"{name}\t{bus.device} at {format_quantity(bus.speed_hz, 'Hz')}"


def _kernel(board: BoardDescription) -> Iterator[str]:
    if board.kernel.auto:
        yield "every measurement that this kernel offers"
    for pattern, rail in board.kernel.rails.items():
        yield f"{pattern} measures {rail}"


def _cluster(name: str, cluster: ClusterSpec) -> str:
    hertz = [opp.frequency_hz for opp in cluster.opps]
    volts = [opp.voltage_v for opp in cluster.opps if opp.voltage_v is not None]
    span = f", {format_quantity(hertz[0], 'Hz')} to {format_quantity(hertz[-1], 'Hz')}" if hertz else ""
    swing = f", {format_quantity(min(volts), 'V')} to {format_quantity(max(volts), 'V')}" if volts else ""
    cpus = ", ".join(str(cpu) for cpu in cluster.cpus)
    return f"{name}\t{cluster.core or 'CPU'} {cpus}{span}{swing}"


def _devices(board: BoardDescription) -> Iterator[str]:
    for name, device in board.devices.items():
        why = [device.cluster or "", *(f"{role} = {activity}" for role, activity in device.activities.items())]
        explained = ", ".join(part for part in why if part)
        yield f"{name}\t{device.kind} on {device.rail}" + (f": {explained}" if explained else "")


def _battery(board: BoardDescription) -> Iterator[str]:
    battery = board.battery
    if battery is not None:
        known = [
            f"{battery.capacity_c / 3.6:.4g} mAh" if battery.capacity_c else "",
            format_quantity(battery.nominal_v, "V") if battery.nominal_v else "",
            f"feeds {battery.rail}" if battery.rail else "",
        ]
        yield ", ".join(part for part in known if part)


def _carbon(board: BoardDescription) -> Iterator[str]:
    carbon = board.carbon
    rows = {
        "zone": carbon.zone,
        "supply": carbon.supply,
        "embodied": f"{carbon.embodied_kg:g} kg" if carbon.embodied_kg is not None else None,
        "lifetime": f"{carbon.lifetime_s / SECONDS_PER_YEAR:.3g} years" if carbon.lifetime_s else None,
        "cell": _percent(carbon.cell_efficiency),
        "charger": _percent(carbon.charger_efficiency),
        "adapter": _percent(carbon.adapter_efficiency),
    }
    yield from (f"{name}\t{text}" for name, text in rows.items() if text)


def _percent(ratio: float | None) -> str | None:
    return None if ratio is None else f"{ratio * 100:.3g} % efficient"
