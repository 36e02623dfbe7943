"""`dumpsys powerstats --proto meter`, `model` and `residency`, and the same sections of an incident report.

PowerStatsServiceMeterProto, ModelProto and ResidencyProto carry no name and share their field numbers, so each part
is told by its own fields; what could be several things (a channel without a subsystem, a reading of four numbers)
goes with its neighbours. Files put one behind another are read, too. The phone logs these readings for about two days
with its wall clock at boot added: times that cannot be ms since boot are ms since 1970 (`source.clock` is `epoch`),
and a log may reach over reboots, where energies begin anew.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from powerhal.android.issues import Issues
from powerhal.android.proto.told import INCIDENT, described
from powerhal.android.proto.wire import BYTES, MOST, Broken, Field, Wire, read_bytes, walk
from powerhal.android.rails.powerstats import (
    Channel,
    EnergyConsumer,
    EnergyConsumerAttribution,
    EnergyConsumerResult,
    EnergyMeasurement,
    PowerEntity,
    PowerStats,
    State,
    StateResidency,
    StateResidencyResult,
    type_name,
)
from powerhal.errors import Problem

EPOCH_MS = 1 << 40  # 35 years: no phone has been up for so long
DESCRIPTION, READING = 1, 2  # fields of each of the three messages
Message = dict[str, Any]


@dataclass(slots=True)
class _Found:
    """Descriptions by id and readings in their order, of each kind."""

    descriptions: dict[str, dict[int, Any]] = field(default_factory=lambda: {name: {} for name in PARTS})
    readings: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in PARTS})
    problems: list[tuple[str, str]] = field(default_factory=list)  # code, message


def _channel(row: Message) -> Channel:
    return Channel(row.get("id", 0), row.get("name", ""), row.get("subsystem", ""))


def _measurement(row: Message) -> EnergyMeasurement:
    return EnergyMeasurement(
        row.get("id", 0), row.get("timestamp_ms"), row.get("duration_ms"), row.get("energy_uws", 0)
    )


def _consumer(row: Message) -> EnergyConsumer:
    return EnergyConsumer(row.get("id", 0), row.get("ordinal", 0), type_name(row.get("type", 0)), row.get("name", ""))


def _result(row: Message) -> EnergyConsumerResult:
    parts = (EnergyConsumerAttribution(p.get("uid", 0), p.get("energy_uws", 0)) for p in row.get("attribution", ()))
    return EnergyConsumerResult(row.get("id", 0), row.get("timestamp_ms"), row.get("energy_uws", 0), tuple(parts))


def _entity(row: Message) -> PowerEntity:
    states = (State(s.get("id", 0), s.get("name", "")) for s in row.get("states", ()))
    return PowerEntity(row.get("id", 0), row.get("name", ""), tuple(states))


def _residency(row: Message) -> StateResidencyResult:
    rows = row.get("state_residency_data", ())
    return StateResidencyResult(row.get("id", 0), tuple(map(_state_residency, rows)))


def _state_residency(row: Message) -> StateResidency:
    count = row.get("total_state_entry_count", 0)
    return StateResidency(
        row.get("id", 0), row.get("total_time_in_state_ms", 0), count, row.get("last_entry_timestamp_ms")
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """One of the three messages: its name here, and how its descriptions and readings are made."""

    command: str
    message: str
    description: tuple[str, Callable[[Message], Any]]
    reading: tuple[str, Callable[[Message], Any]]
    unnamed: Callable[[int], Any]


PARTS: dict[str, _Part] = {
    "channel": _Part("meter", "Meter", ("Channel", _channel), ("EnergyMeasurement", _measurement),
                     lambda i: Channel(i, f"channel {i}", "")),
    "consumer": _Part("model", "Model", ("EnergyConsumer", _consumer), ("EnergyConsumerResult", _result),
                      lambda i: EnergyConsumer(i, 0, "OTHER", f"consumer {i}")),
    "entity": _Part("residency", "Residency", ("PowerEntity", _entity), ("StateResidencyResult", _residency),
                    lambda i: PowerEntity(i, f"entity {i}")),
}  # fmt: skip
KINDS = tuple(PARTS)


def parse_proto(content: bytes, path: str = "-") -> PowerStats:
    """Read any of the three, several of them, or an incident report's sections; what is not taken is an issue."""
    issues, found = Issues(), _Found()
    data, whole = read_bytes(io.BytesIO(content), issues)
    wire = Wire(issues)
    first = next(_quietly(data), None)
    if first is not None and first.number in INCIDENT:
        _incident(wire, data, found)
    else:
        kinds = iter(_kinds(data))
        for part in wire.walk("powerstats", data):
            _put(wire, found, next(kinds, 0), part)
    wire.settle()
    _unnamed(found)
    _fallen(found)
    lost = [f"{issue.field}: {issue.why}" if issue.field else issue.why for issue in issues.kept]
    if issues.total > len(lost):
        lost.append(f"{issues.total - len(lost)} more of these")
    problems = [("PH-N205", why) for why in lost] + found.problems
    readings, names = found.readings, found.descriptions
    commands = [part.command for kind, part in PARTS.items() if names[kind] or readings[kind]]
    source = {"format": "dumpsys powerstats --proto", "path": path, "parts": commands, "clock": _clock(found)}
    return PowerStats(
        source | {"complete": whole and wire.whole},
        tuple(names["channel"].values()),
        tuple(readings["channel"]),
        tuple(names["consumer"].values()),
        tuple(readings["consumer"]),
        tuple(names["entity"].values()),
        tuple(readings["entity"]),
        issues=tuple(Problem(path, code, message, "warn") for code, message in problems),
    )


def _incident(wire: Wire, data: memoryview, found: _Found) -> None:
    """Sections of an incident report: their numbers tell what they are."""
    for section in wire.walk("Incident", data):
        if section.number not in INCIDENT or isinstance(section.value, int) or section.wire != BYTES:
            wire.unknown("Incident", section)
            continue
        kind = 1 << INCIDENT.index(section.number)
        message = PARTS[KINDS[INCIDENT.index(section.number)]].message
        for part in wire.walk(message, section.value, section.start, cut=section.missing > 0):
            _put(wire, found, kind, part)


def _put(wire: Wire, found: _Found, mask: int, part: Field) -> None:
    """One description or reading of the kind whose bit is set."""
    if not mask or part.number not in (DESCRIPTION, READING) or isinstance(part.value, int) or part.wire != BYTES:
        wire.unknown("powerstats", part)
        return
    kind = KINDS[mask.bit_length() - 1]
    message, make = PARTS[kind].description if part.number == DESCRIPTION else PARTS[kind].reading
    row = make(wire.message(message, part.value, part.start, cut=part.missing > 0))
    if part.missing:
        return  # its numbers may be anything
    if part.number == READING:
        found.readings[kind].append(row)
        return
    before = found.descriptions[kind].get(row.id)
    if before is not None and before != row:
        found.problems.append(("PH-N202", f"{kind} {row.id} was {before.name!r} before; the later one is kept"))
    found.descriptions[kind][row.id] = row


def _quietly(data: memoryview) -> Iterator[Field]:
    """The fields of the file as far as they can be walked; what is wrong is noted on another walk."""
    try:
        yield from walk(data)
    except Broken:
        return


def _kinds(data: memoryview) -> bytearray:
    """For each field the bit of the kind that it is of, 0 where it is of none."""
    masks = bytearray(_mask(part) for part in islice(_quietly(data), MOST))
    for order in (range(len(masks)), reversed(range(len(masks)))):
        near = 0
        for k in order:
            if masks[k] in (1, 2, 4):
                near = masks[k]
            elif masks[k] & near:
                masks[k] = near
    return bytearray(mask & -mask for mask in masks)


def _mask(part: Field) -> int:
    """A bit for each kind that a field may be of."""
    if isinstance(part.value, int) or part.wire != BYTES:
        return 0
    if part.number == DESCRIPTION:
        return sum(1 << KINDS.index(kind) for kind in described(part.value))
    inside = {(f.number, f.wire) for f in _quietly(part.value)}
    if (2, BYTES) in inside:
        return 1 << KINDS.index("entity")
    if (4, BYTES) in inside:
        return 1 << KINDS.index("consumer")
    numbers = {number for number, _ in inside}
    return 1 if 4 in numbers else 0b011 if numbers & {2, 3} else 0b111


def _unnamed(found: _Found) -> None:
    """A reading of something that nothing describes keeps its number as a name."""
    for kind, rows in found.readings.items():
        known = found.descriptions[kind]
        for number in sorted({row.id for row in rows} - known.keys()):
            known[number] = PARTS[kind].unnamed(number)
            found.problems.append(("PH-N205", f"readings of {kind} {number}, which nothing describes"))


def _fallen(found: _Found) -> None:
    """Energies only grow while a phone is up."""
    for kind in ("channel", "consumer"):
        before: dict[int, int] = {}
        fallen: dict[int, int] = {}
        for row in found.readings[kind]:
            fallen[row.id] = fallen.get(row.id, 0) + (row.energy_uws < before.get(row.id, 0))
            before[row.id] = row.energy_uws
        times = max(fallen.values(), default=0)
        if times:
            which = sum(1 for count in fallen.values() if count)
            found.problems.append(("PH-N214", f"the energy of {which} {kind}s fell {times} times: booted in between"))


def _clock(found: _Found) -> str | None:
    """What the times count from; None when there are none."""
    times = list(_times(found))
    return ("epoch" if max(times) >= EPOCH_MS else "boot") if times else None


def _times(found: _Found) -> Iterator[int]:
    rows: Iterable[Any] = [*found.readings["channel"], *found.readings["consumer"]]
    yield from (row.timestamp_ms for row in rows if row.timestamp_ms is not None)
    for result in found.readings["entity"]:
        entries = (state.last_entry_timestamp_ms for state in result.state_residency_data)
        yield from (at for at in entries if at is not None)
