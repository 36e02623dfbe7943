"""One look at the rails: volts, amperes and watts now, for `read` and `watch`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isnan

from powerhal.channel import Quality, Source
from powerhal.recording.decode import decode_row, row_quality
from powerhal.sampling.sink import Sampled

ELECTRICAL = ("voltage", "current", "power", "energy", "charge", "ratio", "temperature")


@dataclass(slots=True)
class RailReading:
    """What a rail shows now, in SI, + = consumed by the load; None is unknown, never 0.

    `more` holds its other quantities (energy and charge counters, state of charge); `doubts` the names of
    quality flags; `sources` who said so.
    """

    rail: str
    t_ns: int = 0
    voltage_v: float | None = None
    current_a: float | None = None
    power_w: float | None = None
    more: dict[str, float] = field(default_factory=dict)
    doubts: set[str] = field(default_factory=set)
    sources: list[str] = field(default_factory=list)


class Snapshots:
    """Reads an assembly's open sources again and again; energy counters become watts from the second look on."""

    def __init__(self, assembly: Sampled, rails: Sequence[str] = ()) -> None:
        self._sources = [s for s in assembly.sources if _measures(s, rails)]
        self._wanted = set(rails)
        self._counted: dict[str, tuple[int, float]] = {}
        self.counters_only = any(_only_counts(s) for s in self._sources)

    def take(self) -> list[RailReading]:
        """One reading per rail, in the order of the sources; a rail that did not answer has only unknowns."""
        rails: dict[str, RailReading] = {}
        for source in self._sources:
            self._read(source, rails)
        for reading in rails.values():
            if reading.power_w is None and reading.voltage_v is not None and reading.current_a is not None:
                reading.power_w = reading.voltage_v * reading.current_a
        return list(rails.values())

    def _read(self, source: Source, rails: dict[str, RailReading]) -> None:
        row = source.read()
        missing = bool(row.quality & Quality.MISSING)
        values = {} if missing else decode_row(source.layout, row.raw)
        quality = row.quality if missing else row.quality | row_quality(source.layout, row.raw)
        for channel in source.layout.channels:
            if not channel.rail or channel.quantity not in ELECTRICAL:
                continue
            if self._wanted and channel.rail not in self._wanted:
                continue
            reading = rails.setdefault(channel.rail, RailReading(channel.rail, row.t_ns))
            if source.name not in reading.sources:
                reading.sources.append(source.name)
            reading.doubts |= {flag.name or "" for flag in Quality if flag and quality & flag}
            value = values.get(channel.name)
            if value is None or isnan(value):
                continue
            _put(reading, channel.quantity, value)
            if channel.quantity == "energy" and channel.counter:
                self._rate(reading, channel.name, row.t_ns, value)

    def _rate(self, reading: RailReading, name: str, t_ns: int, energy_j: float) -> None:
        """Mean watts since the last look; a counter that fell says nothing this time."""
        before = self._counted.get(name)
        self._counted[name] = (t_ns, energy_j)
        if before is not None and t_ns > before[0] and energy_j >= before[1] and reading.power_w is None:
            reading.power_w = (energy_j - before[1]) / ((t_ns - before[0]) * 1e-9)


def _put(reading: RailReading, quantity: str, value: float) -> None:
    if quantity == "voltage" and reading.voltage_v is None:
        reading.voltage_v = value
    elif quantity == "current" and reading.current_a is None:
        reading.current_a = value
    elif quantity == "power" and reading.power_w is None:
        reading.power_w = value
    elif quantity not in ("voltage", "current", "power"):
        reading.more.setdefault({"ratio": "soc"}.get(quantity, quantity), value)


def _measures(source: Source, rails: Sequence[str]) -> bool:
    return any(c.rail and c.quantity in ELECTRICAL and (not rails or c.rail in rails) for c in source.layout.channels)


def _only_counts(source: Source) -> bool:
    quantities = {c.quantity for c in source.layout.channels if c.rail}
    return "energy" in quantities and not quantities & {"power", "current"}
