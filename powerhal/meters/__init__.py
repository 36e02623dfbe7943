"""Instruments on serial lines: one file a protocol, one table here, resolved on use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from powerhal.channel import Source
from powerhal.chips.options import SensorOptions
from powerhal.errors import BoardError
from powerhal.transport import Clock, SerialPort

METERS: dict[str, str] = {
    "powerhal,probe": "probe:sources",
}
"""Protocol name in the board file -> `module:FUNCTION` in this package."""


@dataclass(frozen=True, slots=True)
class MeterChip:
    """A chip whose registers an instrument sends: device-tree `compatible`, address on its bus, options."""

    compatible: str
    address: int
    options: SensorOptions


Factory = Callable[[str, SerialPort, Mapping[str, MeterChip], Clock], list[Source]]


def load(protocol: str) -> Factory:
    """The function that makes the sources of a meter: (name, port, chips by name, clock) -> sources.

    Raises BoardError for a protocol we do not know.
    """
    if protocol not in METERS:
        raise BoardError(f"no meter protocol {protocol!r} is known", hint=f"known: {', '.join(METERS)}")
    module, _, name = METERS[protocol].partition(":")
    factory: Factory = getattr(import_module(f"powerhal.meters.{module}"), name)
    return factory
