"""The vocabulary of Android's Power Stats HAL: what every source of rails says, whoever measured it.

Names, nesting and units are those of the AIDL interface (hardware/interfaces/power/stats/aidl) in snake case:
energy in uW*s (= uJ) as integers that only grow, times in ms of CLOCK_BOOTTIME. None means that the source does
not say; it is never printed as 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from enum import IntEnum
from typing import Any, TypeVar

from powerhal.errors import Problem, UsageError


class EnergyConsumerType(IntEnum):
    """What an energy consumer is (EnergyConsumerType.aidl); vendors may print numbers above these."""

    OTHER = 0
    BLUETOOTH = 1
    CPU_CLUSTER = 2
    DISPLAY = 3
    GNSS = 4
    MOBILE_RADIO = 5
    WIFI = 6
    CAMERA = 7


@dataclass(frozen=True, slots=True)
class Channel:
    """One rail of the energy meter: `name` is the rail, `subsystem` what it feeds."""

    id: int
    name: str
    subsystem: str


@dataclass(frozen=True, slots=True)
class EnergyMeasurement:
    """Accumulated energy of channel `id`: at `timestamp_ms`, collected over `duration_ms`, in uW*s."""

    id: int
    timestamp_ms: int | None
    duration_ms: int | None
    energy_uws: int


@dataclass(frozen=True, slots=True)
class EnergyConsumer:
    """A device with an energy model: `ordinal` counts from 0 within a `type` (a name of EnergyConsumerType)."""

    id: int
    ordinal: int
    type: str
    name: str


@dataclass(frozen=True, slots=True)
class EnergyConsumerAttribution:
    """The part of a consumer's energy that app `uid` caused, in uW*s."""

    uid: int
    energy_uws: int


@dataclass(frozen=True, slots=True)
class EnergyConsumerResult:
    """Energy of consumer `id` since boot at `timestamp_ms`, in uW*s; the attributions sum to at most that."""

    id: int
    timestamp_ms: int | None
    energy_uws: int
    attribution: tuple[EnergyConsumerAttribution, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """One state of a power entity."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class PowerEntity:
    """Something with power states: a subsystem, a core, a radio."""

    id: int
    name: str
    states: tuple[State, ...] = ()


@dataclass(frozen=True, slots=True)
class StateResidency:
    """Time in state `id` and entries into it since boot, and when it was entered last."""

    id: int
    total_time_in_state_ms: int
    total_state_entry_count: int | None = None
    last_entry_timestamp_ms: int | None = None


@dataclass(frozen=True, slots=True)
class StateResidencyResult:
    """Residencies of power entity `id` at one look."""

    id: int
    state_residency_data: tuple[StateResidency, ...]


@dataclass(frozen=True, slots=True)
class Counter:
    """A value of a named track at `ts` ns of trace time, named and valued as Perfetto's trace processor does.

    `uid` tells whose part of the track's consumer it is, None: all of it.
    """

    name: str
    ts: int
    value: float
    uid: int | None = None


@dataclass(frozen=True, slots=True)
class PowerStats:
    """Everything a source of rails says; results are in order of time, several looks one after another.

    `source`: where it is from (`format`, `path`, what else is known). `counters`: the same readings with ns
    and track names, for sources that have them. `issues`: what could not be read, each with its line.
    """

    source: dict[str, Any] = field(default_factory=dict)
    channels: tuple[Channel, ...] = ()
    energy_measurements: tuple[EnergyMeasurement, ...] = ()
    energy_consumers: tuple[EnergyConsumer, ...] = ()
    energy_consumer_results: tuple[EnergyConsumerResult, ...] = ()
    power_entities: tuple[PowerEntity, ...] = ()
    state_residency_results: tuple[StateResidencyResult, ...] = ()
    counters: tuple[Counter, ...] = ()
    issues: tuple[Problem, ...] = ()

    def get_energy_meter_info(self) -> tuple[Channel, ...]:
        """IPowerStats.getEnergyMeterInfo."""
        return self.channels

    def get_energy_consumer_info(self) -> tuple[EnergyConsumer, ...]:
        """IPowerStats.getEnergyConsumerInfo."""
        return self.energy_consumers

    def get_power_entity_info(self) -> tuple[PowerEntity, ...]:
        """IPowerStats.getPowerEntityInfo."""
        return self.power_entities

    def read_energy_meter(self, channel_ids: Sequence[int] = ()) -> list[EnergyMeasurement]:
        """IPowerStats.readEnergyMeter: the latest reading of each channel; no ids means all.

        Raises UsageError for an unknown id. A known channel that was never read is left out.
        """
        wanted = _known(channel_ids, (c.id for c in self.channels), "channel")
        return [m for i in wanted for m in [_last(self.energy_measurements, i)] if m is not None]

    def get_energy_consumed(self, consumer_ids: Sequence[int] = ()) -> list[EnergyConsumerResult]:
        """IPowerStats.getEnergyConsumed: the latest result of each consumer; raises UsageError like the others."""
        wanted = _known(consumer_ids, (c.id for c in self.energy_consumers), "energy consumer")
        return [r for i in wanted for r in [_last(self.energy_consumer_results, i)] if r is not None]

    def get_state_residency(self, entity_ids: Sequence[int] = ()) -> list[StateResidencyResult]:
        """IPowerStats.getStateResidency: the latest of each entity; raises UsageError like the others."""
        wanted = _known(entity_ids, (e.id for e in self.power_entities), "power entity")
        return [r for i in wanted for r in [_last(self.state_residency_results, i)] if r is not None]

    def document(self) -> dict[str, Any]:
        """The JSON of `powerhal android powerstats --json` (docs/android.md)."""
        return {
            "schema": 1,
            "source": self.source
            | {
                "issues": [
                    {"where": i.where, "code": i.code, "message": i.message, "severity": i.severity}
                    for i in self.issues
                ]
            },
            "channels": [asdict(c) for c in self.channels],
            "energy_measurements": [asdict(m) for m in self.energy_measurements],
            "energy_consumers": [asdict(c) for c in self.energy_consumers],
            "energy_consumer_results": [asdict(r) for r in self.energy_consumer_results],
            "power_entities": [asdict(e) for e in self.power_entities],
            "state_residency_results": [asdict(r) for r in self.state_residency_results],
            "counters": [asdict(c) for c in self.counters],
        }


Row = TypeVar("Row", EnergyMeasurement, EnergyConsumerResult, StateResidencyResult)


def type_name(number: int) -> str:
    """Name of an EnergyConsumerType; a number that the interface does not know stays a number."""
    return EnergyConsumerType(number).name if number in set(EnergyConsumerType) else str(number)


def _known(asked: Sequence[int], there: Iterable[int], what: str) -> list[int]:
    known = list(there)
    unknown = [i for i in asked if i not in known]
    if unknown:
        raise UsageError(f"no {what} has id {', '.join(map(str, unknown))}", hint="an empty list asks for all")
    return list(asked) or known


def _last(rows: Sequence[Row], wanted: int) -> Row | None:
    return next((row for row in reversed(rows) if row.id == wanted), None)
