"""`dumpsys powerstats` and the dump of the vendor's Power Stats HAL, read from text.

Grammar of the first: com.android.server.powerstats.ProtoStreamUtils (`PowerEntityId: n, PowerEntityName: x` and
so on). The vendor's (Pixel, `dumpsys android.hardware.power.stats.IPowerStats/default`) has three tables
between `==== PowerStats HAL 2.0 ...` lines, energies in mW*s with two decimals; it prints no ids, so they are
the order of first appearance. Lines of neither kind are skipped: both may stand inside a bugreport.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

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

_ENTITY = re.compile(r"\s*PowerEntityId: (-?\d+), PowerEntityName: (.*)")
_STATE = re.compile(r"\s*StateId: (-?\d+), StateName: (.*)")
_CHANNEL = re.compile(r"\s*ChannelId: (-?\d+), ChannelName: (.*?)(?:, ChannelSubsystem: (.*))?")
_CONSUMER = re.compile(r"\s*EnergyConsumerId: (-?\d+), Ordinal: (-?\d+), Type: (-?\d+|[A-Z_]+), Name: (.*)")
_ROW_START = re.compile(r"\s*(PowerEntityId|StateId|ChannelId|EnergyConsumerId): ")
_TABLE = re.compile(r"=+ PowerStats HAL [\d.]+ (state residencies|energy consumers|energy meter|rail energy data) =+")
_TABLE_END = re.compile(r"=+ End of PowerStats HAL .*")
_DELTA = re.compile(r"\(\s*-?\d+(?:\.\d+)?\)")  # since the last dump: `delta` form only
_GAP = re.compile(r"\s{2,}")
_MWS = re.compile(r"(-?)(\d+)\.(\d\d) mWs")
_MS = re.compile(r"(\d+) ms")
_NUMBER = re.compile(r"\d+")
_LONGEST = 4096  # characters of a line that is looked at
MOST_NAMES = 1000  # that the vendor's tables may bring; a phone has some 100


_Row = TypeVar("_Row", Channel, EnergyConsumer, PowerEntity)


@dataclass(slots=True)
class _Found:
    """What was read so far; entities by id with their states, names of the vendor's tables to ids."""

    path: str
    channels: dict[int, Channel] = field(default_factory=dict)
    consumers: dict[int, EnergyConsumer] = field(default_factory=dict)
    entities: dict[int, PowerEntity] = field(default_factory=dict)
    measurements: list[EnergyMeasurement] = field(default_factory=list)
    consumed: list[EnergyConsumerResult] = field(default_factory=list)
    residency: dict[int, list[StateResidency]] = field(default_factory=dict)
    issues: list[Problem] = field(default_factory=list)
    entity: int | None = None  # whose states follow
    made: int = 0  # names that stood only in the vendor's tables

    def room(self) -> bool:
        """Whether one more new name is taken: tables are searched by name, so a hostile one must end."""
        self.made += 1
        return self.made <= MOST_NAMES

    def issue(self, number: int, code: str, message: str) -> None:
        """Note a line that could not be taken."""
        self.issues.append(Problem(f"{self.path}:{number}", code, message, "warn"))


def parse_text(lines: Iterable[str], path: str = "-") -> PowerStats:
    """Read either dump, or both, from lines; what cannot be read is an issue with its line number."""
    found = _Found(path)
    table, number = "", 0
    for number, raw in enumerate(lines, 1):
        line = raw.rstrip("\r\n")[:_LONGEST]
        opening = _TABLE.fullmatch(line.strip())
        if opening:
            table = opening[1]
        elif _TABLE_END.fullmatch(line.strip()):
            table = ""
        elif table:
            _TABLES[table](found, line)
        elif _ROW_START.match(line):
            _row(found, number, line)
    if found.made > MOST_NAMES:
        found.issue(number, "PH-N204", f"the tables have more than {MOST_NAMES} new names; the others are left out")
    return PowerStats(
        {"format": "dumpsys powerstats", "path": path},
        tuple(found.channels.values()),
        tuple(found.measurements),
        tuple(found.consumers.values()),
        tuple(found.consumed),
        tuple(found.entities.values()),
        tuple(StateResidencyResult(i, tuple(rows)) for i, rows in found.residency.items()),
        issues=tuple(found.issues),
    )


def _row(found: _Found, number: int, line: str) -> None:
    """One line of the system server's listing."""
    if entity := _ENTITY.fullmatch(line):
        found.entity = _put(found, number, found.entities, PowerEntity(int(entity[1]), entity[2]))
    elif state := _STATE.fullmatch(line):
        _state(found, number, State(int(state[1]), state[2]))
    elif channel := _CHANNEL.fullmatch(line):
        _put(found, number, found.channels, Channel(int(channel[1]), channel[2], channel[3] or ""))
    elif consumer := _CONSUMER.fullmatch(line):
        kind = consumer[3] if not consumer[3].lstrip("-").isdigit() else type_name(int(consumer[3]))
        row = EnergyConsumer(int(consumer[1]), int(consumer[2]), kind, consumer[4])
        _put(found, number, found.consumers, row)
    else:
        found.issue(number, "PH-N201", f"not understood: {line.strip()[:80]!r}")


def _put(found: _Found, number: int, rows: dict[int, _Row], row: _Row) -> int:
    """Keep a row under its id; a repeated listing is fine, another meaning of the same id is an issue."""
    before = rows.get(row.id)
    if before is not None and before != row and not isinstance(row, PowerEntity):
        found.issue(number, "PH-N202", f"id {row.id} was {before.name!r} before; the later one is kept")
    if isinstance(before, PowerEntity) and isinstance(row, PowerEntity) and before.name == row.name:
        return row.id
    rows[row.id] = row
    return row.id


def _state(found: _Found, number: int, state: State) -> None:
    if found.entity is None:
        found.issue(number, "PH-N203", f"state {state.name!r} stands under no power entity")
        return
    entity = found.entities[found.entity]
    if state not in entity.states:
        found.entities[found.entity] = replace(entity, states=(*entity.states, state))


def _meter_line(found: _Found, line: str) -> None:
    columns = _columns(line)
    energy = _MWS.fullmatch(columns[-1])
    if len(columns) == 2 and energy:
        name, _, subsystem = columns[0].removeprefix("[").partition("]:")
        channel = next((c for c in found.channels.values() if (c.name, c.subsystem) == (name, subsystem)), None)
        if channel is None:
            if not found.room():
                return
            channel = Channel(max(found.channels, default=-1) + 1, name, subsystem)
            found.channels[channel.id] = channel
        found.measurements.append(EnergyMeasurement(channel.id, None, None, _uws(energy)))


def _consumed_line(found: _Found, line: str) -> None:
    who, _, rest = line.partition(" : ")
    uid, _, share = (part.strip() for part in line.partition(" - "))
    if (energy := _MWS.fullmatch(rest.strip())) and who.strip():
        consumer = _consumer(found, who.strip())
        if consumer is not None:
            found.consumed.append(EnergyConsumerResult(consumer.id, None, _uws(energy)))
    elif found.consumed and _NUMBER.fullmatch(uid) and (energy := _MWS.fullmatch(share)):
        last, part = found.consumed[-1], EnergyConsumerAttribution(int(uid), _uws(energy))
        found.consumed[-1] = replace(last, attribution=(*last.attribution, part))


def _consumer(found: _Found, name: str) -> EnergyConsumer | None:
    """The consumer of that name; the table does not tell the type of a new one: OTHER, counted in order."""
    consumer = next((c for c in found.consumers.values() if c.name == name), None)
    if consumer is None and found.room():
        ordinal = sum(c.type == "OTHER" for c in found.consumers.values())
        consumer = EnergyConsumer(max(found.consumers, default=-1) + 1, ordinal, "OTHER", name)
        found.consumers[consumer.id] = consumer
    return consumer


def _residency_line(found: _Found, line: str) -> None:
    columns = _columns(line)
    if len(columns) != 5:
        return
    name, state_name, *numbers = columns
    spent, entries, last = (_MS.fullmatch(numbers[0]), _NUMBER.fullmatch(numbers[1]), _MS.fullmatch(numbers[2]))
    if spent and entries and last:
        entity = next((e for e in found.entities.values() if e.name == name), None)
        if entity is None:
            entity = PowerEntity(max(found.entities, default=-1) + 1, name)
        state = next((s for s in entity.states if s.name == state_name), None)
        if state is None:
            if not found.room():
                return
            state = State(max((s.id for s in entity.states), default=-1) + 1, state_name)
            entity = replace(entity, states=(*entity.states, state))
        found.entities[entity.id] = entity
        row = StateResidency(state.id, int(spent[1]), int(entries[0]), int(last[1]))
        found.residency.setdefault(entity.id, []).append(row)


def _columns(line: str) -> list[str]:
    """Columns of the vendor's tables: at least two spaces apart, the differences of `delta` left out."""
    return [c.strip() for c in _GAP.split(_DELTA.sub("", line).strip())]


def _uws(energy: re.Match[str]) -> int:
    """Hundredths of a mW*s are 10 uW*s."""
    return (-1 if energy[1] else 1) * (int(energy[2]) * 1000 + int(energy[3]) * 10)


_TABLES = {
    "state residencies": _residency_line,
    "energy consumers": _consumed_line,
    "energy meter": _meter_line,
    "rail energy data": _meter_line,
}
