"""From a board description to the Topology that attribution reads."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from powerhal.board.kinds import KINDS
from powerhal.channel import Cluster, Device, Rail, Topology
from powerhal.units import SUFFIX, parse_any, parse_quantity

if TYPE_CHECKING:
    from powerhal.board.schema import BoardDescription, DeviceSpec


def build(board: BoardDescription) -> Topology:
    """Rails, clusters, devices, carbon and battery of a board, in SI, in the file's order."""
    return Topology(
        board=board.name,
        title=board.title,
        rails=tuple(
            Rail(name, rail.parent or "", rail.subsystem, rail.efficiency) for name, rail in board.rails.items()
        ),
        clusters=tuple(
            Cluster(
                name,
                cluster.cpus,
                tuple((opp.frequency_hz, opp.voltage_v) for opp in cluster.opps),
                cluster.capacity,
                cluster.dynamic_power_coefficient_f or 0.0,
            )
            for name, cluster in board.clusters.items()
        ),
        devices=tuple(
            Device(name, d.kind, d.rail, d.cluster or "", dict(d.activities), parameters(d))
            for name, d in board.devices.items()
        ),
        carbon=_given(asdict(board.carbon)),
        battery=_battery(board),
    )


def parameters(device: DeviceSpec) -> dict[str, float]:
    """A device's parameters in SI, names with their unit: {'tail': '0.2 s'} -> {'tail_s': 0.2}.

    Raises ValueError (a foreign unit) or KeyError (an unknown name); the references check says so first.
    """
    kind = KINDS[device.kind]
    out = {}
    for name, value in device.parameters.items():
        if isinstance(value, str) and kind.open:
            number, dimension = parse_any(value)
            out[f"{name}_{SUFFIX[dimension]}"] = number
        elif isinstance(value, str):
            dimension = kind.parameters[name]
            out[f"{name}_{SUFFIX[dimension]}"] = parse_quantity(value, dimension)
        else:
            out[name] = float(value)
    return out


def _battery(board: BoardDescription) -> dict[str, float]:
    battery = board.battery
    if battery is None:
        return {}
    given = _given({key: value for key, value in asdict(battery).items() if key != "rail"})
    if battery.capacity_c and battery.nominal_v and not battery.energy_j:
        given["energy_j"] = battery.capacity_c * battery.nominal_v
    return given


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}
