"""One look at the rails: volts, amperes and watts now, for `read` and `watch`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isnan

from powerhal.channel import Channel, Quality, Source
from powerhal.recording.decode import decode_row, row_quality
from powerhal.sampling.sink import Sampled

ELECTRICAL = ("voltage", "current", "power", "energy", "charge", "ratio", "temperature")
ENOUGH_STEPS = 8  # of an inferred counter before its growth is called a power


@dataclass(slots=True)
class RailReading:
    """What a rail shows now, in SI, + = consumed by the load; None is unknown, never 0.

    `more` holds its other quantities (energy and charge counters, state of charge); `doubts` the names of
    quality flags; `sources` who said so. `inferred` names quantities that nobody measured; an inferred power is within
    `power_limit_w` of the true one.
    """

    rail: str
    t_ns: int = 0
    voltage_v: float | None = None
    current_a: float | None = None
    power_w: float | None = None
    more: dict[str, float] = field(default_factory=dict)
    doubts: set[str] = field(default_factory=set)
    sources: list[str] = field(default_factory=list)
    inferred: set[str] = field(default_factory=set)
    power_limit_w: float | None = None


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
            _multiply(reading)
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
            guessed = channel.quality_class == "inferred"
            _put(reading, channel, value)
            if channel.quantity == "energy" and channel.counter:
                (self._slope if guessed else self._rate)(reading, channel, row.t_ns, value)

    def _rate(self, reading: RailReading, channel: Channel, t_ns: int, energy_j: float) -> None:
        """Mean watts since the last look; a counter that fell says nothing this time."""
        before = self._counted.get(channel.name)
        self._counted[channel.name] = (t_ns, energy_j)
        if before is not None and t_ns > before[0] and energy_j >= before[1]:
            _put_power(reading, channel, (energy_j - before[1]) / ((t_ns - before[0]) * 1e-9), 0.0)

    def _slope(self, reading: RailReading, channel: Channel, t_ns: int, energy_j: float) -> None:
        """Mean watts since the first look, once the coarse steps of an inferred counter are small beside its growth."""
        start_ns, start_j = self._counted.setdefault(channel.name, (t_ns, energy_j))
        if energy_j < start_j - channel.lsb:  # the battery is charged: begin again
            self._counted[channel.name] = (t_ns, energy_j)
        elif energy_j - start_j >= ENOUGH_STEPS * channel.lsb > 0.0:
            seconds = (t_ns - start_ns) * 1e-9
            _put_power(reading, channel, (energy_j - start_j) / seconds, channel.lsb / seconds)


def _multiply(reading: RailReading) -> None:
    """Volts times measured amperes where no power was measured."""
    if reading.voltage_v is None or reading.current_a is None or "current" in reading.inferred:
        return
    if reading.power_w is None or "power" in reading.inferred:
        reading.inferred.discard("power")
        reading.power_w, reading.power_limit_w = reading.voltage_v * reading.current_a, None


def _put(reading: RailReading, channel: Channel, value: float) -> None:
    """The first source that says a quantity is believed, one that measures it before one that infers it."""
    quantity = channel.quantity
    if quantity == "power":
        _put_power(reading, channel, value, channel.offset)
    elif quantity == "voltage" and reading.voltage_v is None:
        reading.voltage_v = value
    elif quantity == "current" and _better(reading, channel, known=reading.current_a is not None):
        reading.current_a = value
    elif quantity not in ("voltage", "current"):
        name = {"ratio": "soc"}.get(quantity, quantity)
        if _better(reading, channel, known=name in reading.more):
            reading.more[name] = value


def _put_power(reading: RailReading, channel: Channel, power_w: float, offset_w: float) -> None:
    """Watts, with the limits of their error when they are inferred."""
    if _better(reading, channel, known=reading.power_w is not None, quantity="power"):
        reading.power_w = power_w
        guessed = channel.quality_class == "inferred"
        reading.power_limit_w = abs(power_w) * channel.accuracy + offset_w if guessed else None


def _better(reading: RailReading, channel: Channel, *, known: bool, quantity: str = "") -> bool:
    """Whether this channel's value is to be shown, and whether that is an inferred one from now on."""
    name, guessed = quantity or channel.quantity, channel.quality_class == "inferred"
    if known and (guessed or name not in reading.inferred):
        return False
    (reading.inferred.add if guessed else reading.inferred.discard)(name)
    return True


def _measures(source: Source, rails: Sequence[str]) -> bool:
    return any(c.rail and c.quantity in ELECTRICAL and (not rails or c.rail in rails) for c in source.layout.channels)


def _only_counts(source: Source) -> bool:
    quantities = {c.quantity for c in source.layout.channels if c.rail and c.quality_class != "inferred"}
    return "energy" in quantities and not quantities & {"power", "current"}
