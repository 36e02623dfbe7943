"""What a board says about one chip: rails, shunts, rate, settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from powerhal.chips.inferred import UNKNOWN, BatteryLabel


@dataclass(frozen=True, slots=True)
class ChannelOptions:
    """One input of a chip: `index` from 1, its rail and shunt.

    `label` names its channels in place of the rail, where the rail's own name is taken by another source.
    `gain` and `offset_a` come from a calibration: amperes = raw amperes * gain + offset_a.
    `shunt_tolerance` is relative and adds to the accuracy of current and power.
    """

    index: int = 1
    rail: str = ""
    shunt_ohms: float = 0.0
    shunt_tolerance: float = 0.0
    gain: float = 1.0
    offset_a: float = 0.0
    label: str = ""


@dataclass(frozen=True, slots=True)
class SensorOptions:
    """A chip of a board: source name, rate in Hz (0: the chip's default), inputs, settings.

    `config` maps a setting of the chip (`averages`, `bus_conversion_s`, ...; `ChipType.settings()`) to its
    value in SI. It is written when the source opens, unless `program` is false; an empty one means
    that the chip is never written to. `battery` is the label of the battery that a gauge watches.
    """

    name: str
    rate_hz: float = 0.0
    channels: tuple[ChannelOptions, ...] = (ChannelOptions(),)
    config: Mapping[str, float] = field(default_factory=dict)
    program: bool = True
    battery: BatteryLabel = UNKNOWN
