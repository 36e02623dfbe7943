"""From a sensor of the board file to what the chip rooms take: settings in SI, wired inputs."""

from __future__ import annotations

from collections.abc import Collection

from powerhal.board.problems import did_you_mean
from powerhal.board.schema import BoardDescription, MeterSensor, Sensor
from powerhal.chips.inferred import UNKNOWN, BatteryLabel
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.chips.registers import ChipType
from powerhal.units import SUFFIX, USUAL, parse_any


def sensor_options(
    name: str,
    sensor: Sensor | MeterSensor,
    rate_hz: float | None = None,
    *,
    program: bool = True,
    taken: Collection[str] = (),
    battery: BatteryLabel | None = None,
) -> SensorOptions:
    """Options of one chip; raises ValueError for a setting whose unit is not known (lint says so first).

    Channels of a rail that is `taken` by another source are named after the sensor: names are unique in a run.
    `battery`: see `battery_label`.
    """
    inputs = tuple(
        ChannelOptions(
            number,
            wired.rail,
            wired.shunt_ohms or 0.0,
            shunt_tolerance=wired.tolerance,
            gain=-1.0 if wired.invert else 1.0,
            label=(f"{name}{number}" if len(sensor.wired()) > 1 else name) if wired.rail in taken else "",
        )
        for number, wired in sorted(sensor.wired().items())
    )
    config = config_si(sensor) if isinstance(sensor, Sensor) else {}
    return SensorOptions(name, rate_hz or 0.0, inputs, config, program, battery or UNKNOWN)


def battery_label(board: BoardDescription, sensor: Sensor | MeterSensor) -> BatteryLabel:
    """The label of the battery that this sensor watches; unknown when its rail is another than the battery's.

    A nominal voltage that the label does not give is the rail's.
    """
    rails, battery = [wired.rail for wired in sensor.wired().values()], board.battery
    if battery is None or (battery.rail and rails and battery.rail not in rails):
        return UNKNOWN
    nominal_v = battery.nominal_v or next((board.rails[r].nominal_v for r in rails if r in board.rails), None)
    return BatteryLabel(battery.capacity_c or 0.0, battery.energy_j or 0.0, nominal_v or 0.0)


def config_si(sensor: Sensor) -> dict[str, float]:
    """Settings with their unit in the name: {'bus_conversion': '1.1 ms'} -> {'bus_conversion_s': 0.0011}."""
    out: dict[str, float] = {}
    for name, value in sensor.config.items():
        if isinstance(value, str):
            number, dimension = parse_any(value)
            ending = f"_{SUFFIX[dimension]}"
            out[name if name.endswith(ending) else name + ending] = number
        else:
            out[name] = float(value)
    return out


def unknown_setting(chip: ChipType, key: str) -> str:
    """What is wrong with a setting that the chip does not take, in the names that a board file uses."""
    written = dict(_written(name) for name in chip.settings())
    if usual := USUAL.get(written.get(key, "")):
        return f"{key} of {chip.name} has another unit: write it in {' or '.join(usual)}"
    if key in written:
        return f"{key} of {chip.name} is a number without a unit"
    near = did_you_mean(key, list(written))
    return f"{chip.name} has no setting {key!r}; it has {', '.join(written)}{near if 'mean' in near else ''}"


def _written(name: str) -> tuple[str, str]:
    """A setting as the file names it, and the dimension of its quantity ('' for a plain number)."""
    for dimension, ending in SUFFIX.items():
        if name.endswith(f"_{ending}"):
            return name.removesuffix(f"_{ending}"), dimension
    return name, ""
