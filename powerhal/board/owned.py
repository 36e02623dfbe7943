"""Chips of the board file that a kernel driver owns: read through its node, never forced."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from powerhal.board.schema import Sensor, SensorChannel
from powerhal.channel import Source
from powerhal.host import hwmon, iio, power_supply, tree
from powerhal.host.context import HostContext
from powerhal.transport import FileRoot

_INDEX = re.compile(r"\D*(\d+)_")


@dataclass(frozen=True, slots=True)
class Node:
    """What a driver offers for one chip: source name without feature, FEATURE -> channel number from 1."""

    kind: str
    name: str
    features: Mapping[str, int]
    shunts: Mapping[int, float]
    device: object


def find(root: FileRoot, bus: int, address: int) -> Node | None:
    """The node of the chip at a 7-bit address of adapter `bus`; None when no driver shows one."""
    chip = hwmon.at_i2c(root, bus, address)
    if chip is not None:
        features = {
            feature: number
            for feature, attributes in hwmon.features(root, chip).items()
            if (number := _number(attributes.get("curr") or attributes.get("power") or attributes.get("in", "")))
        }
        shunts = {int(index): ohms for index, ohms in chip.shunt_ohms.items()}
        return Node("hwmon", chip.name, features, shunts, chip)
    device = iio.at_i2c(root, bus, address)
    if device is not None:
        numbers = {feature: n for n, feature in enumerate(iio.features(root, device), 1)}
        return Node("iio", device.name, numbers, {}, device)
    for supply in tree.names(root, power_supply.SUPPLIES):
        if tree.link_name(root, f"{power_supply.SUPPLIES}/{supply}/device") == f"{bus}-{address:04x}":
            name = f"power_supply.{tree.safe_name(supply)}"
            return Node("power_supply", name, {"": 1}, {}, supply)
    return None


def _number(attribute: str) -> int:
    match = _INDEX.match(attribute)
    return int(match[1]) if match else 0


def names(node: Node, sensor: Sensor) -> tuple[dict[str, str], dict[str, float]]:
    """Rails and rates of the node's sources, as a host context wants them."""
    wired = sensor.wired()
    rails: dict[str, str] = {}
    for feature, number in node.features.items():
        key = node.name if len(node.features) == 1 else f"{node.name}.{feature}"
        channel = wired.get(number) or (wired[1] if len(node.features) == 1 and 1 in wired else None)
        if channel is not None:
            rails[key] = channel.rail
    rates = dict.fromkeys([node.name, *rails], sensor.rate_hz) if sensor.rate_hz else {}
    return rails, {name: hz for name, hz in rates.items() if hz}


def sources(root: FileRoot, context: HostContext, node: Node) -> list[Source]:
    """The node's sources that have a rail in `context.rails`; empty when nothing can be read."""
    found: list[Source] = []
    if isinstance(node.device, hwmon.Chip):
        found += hwmon.sources(root, context, node.device)
    elif isinstance(node.device, iio.Device):
        found += iio.sources(root, context, node.device)
    elif isinstance(node.device, str):
        supply = power_supply.source(root, context, node.device)
        found += [supply] if supply is not None else []
    return [source for source in found if any(channel.rail for channel in source.layout.channels)]


def doubts(name: str, node: Node, wired: Mapping[int, SensorChannel]) -> list[str]:
    """Where the driver's shunt is not the board's: its currents are off by that factor."""
    found = []
    for number, channel in wired.items():
        kernel_ohms = node.shunts.get(number)
        if kernel_ohms and channel.shunt_ohms and abs(kernel_ohms / channel.shunt_ohms - 1.0) > 0.01:
            factor = channel.shunt_ohms / kernel_ohms
            found.append(
                f"{name}: the kernel driver counts with a shunt of {kernel_ohms * 1e3:g} mOhm, the board file with "
                f"{channel.shunt_ohms * 1e3:g} mOhm: currents of {channel.rail} are {factor:.3g} times the true ones"
            )
    return found
