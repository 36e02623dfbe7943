"""Power rails, energy breakdowns, residencies and battery counters of a Perfetto trace.

Needs the extra `perfetto` for its generated protobuf classes (no network, no trace processor binary). Readings get
the times and track names that Perfetto's trace processor gives them: rails at their own `timestamp_ms`, else at
the packet's time; descriptors hold for a whole (machine, session), wherever they stand; rows sorted by time.
Packet clocks other than BOOTTIME, and those of other machines, are converted by the trace's clock snapshots.
"""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from powerhal.android.rails.clocks import Clocks
from powerhal.android.rails.names import track_name
from powerhal.android.rails.powerstats import (
    Channel,
    Counter,
    EnergyConsumer,
    EnergyConsumerAttribution,
    EnergyConsumerResult,
    EnergyMeasurement,
    PowerEntity,
    PowerStats,
    State,
    StateResidency,
    StateResidencyResult,
)
from powerhal.errors import FileError, MissingExtra, Problem

INFLATED = 1 << 28  # bytes that one compressed packet may become
NS = 1_000_000  # in a ms
_TEXT = re.compile(rb"\s*(?:#[^\n]*\n\s*)*packet\s*[:{]")

RailKey = tuple[int, int, int]  # machine, session, index


@dataclass(slots=True)
class _Trace:
    """What the packets say, before names and ids are joined."""

    clocks: Clocks = field(default_factory=Clocks)
    rails: dict[RailKey, tuple[str, str]] = field(default_factory=dict)
    energies: list[tuple[int, int | None, RailKey, int]] = field(default_factory=list)  # ts, ms, rail, uws
    consumers: dict[tuple[int, int], Any] = field(default_factory=dict)
    consumed: list[tuple[int, tuple[int, int], Any]] = field(default_factory=list)
    states: dict[tuple[int, int, int], tuple[str, str]] = field(default_factory=dict)
    residencies: list[tuple[int, int, Any]] = field(default_factory=list)
    battery: list[tuple[int, Any]] = field(default_factory=list)
    issues: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def parse_trace(content: bytes, path: str = "-") -> PowerStats:
    """Everything about power in a trace, binary or in protobuf's text form.

    Raises FileError for what is no trace, MissingExtra without perfetto.
    """
    packets = _packets(content, path)
    trace = _Trace()
    for packet in packets:  # snapshots first: a packet may be older than the snapshot that places it
        trace.clocks.learn(packet)
    for packet in packets:
        _take(trace, packet)
    return _joined(trace, path)


def _messages() -> Any:
    try:
        from perfetto.protos.perfetto.trace import perfetto_trace_pb2
    except ImportError as error:
        raise MissingExtra("perfetto", "the Python package perfetto") from error
    return perfetto_trace_pb2


def _packets(content: bytes, path: str) -> list[Any]:
    """Packets in file order, compressed ones opened; raises FileError when there are none."""
    packets = list(_opened(_parsed(content, path), path))
    if not packets:
        raise FileError(f"{path}: no Perfetto trace: it has no packets", code="PH-N220")
    return packets


def _parsed(content: bytes, path: str) -> Any:
    messages = _messages()  # first, so that its absence is said as such
    from google.protobuf import text_format
    from google.protobuf.message import DecodeError

    trace = messages.Trace()
    try:
        if _TEXT.match(content):
            text_format.Parse(content, trace)
        else:
            trace.ParseFromString(content)
    except (DecodeError, text_format.ParseError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: no Perfetto trace, or a damaged one ({error})", code="PH-N220") from error
    return trace


def _opened(trace: Any, path: str) -> Iterator[Any]:
    """The packets of a trace; those inside compressed ones in their place."""
    for packet in trace.packet:
        if not packet.HasField("compressed_packets"):
            yield packet
            continue
        inflate = zlib.decompressobj()
        try:
            content = inflate.decompress(packet.compressed_packets, INFLATED)
        except zlib.error as error:
            raise FileError(f"{path}: a compressed packet is damaged ({error})", code="PH-N221") from error
        if inflate.unconsumed_tail:
            raise FileError(f"{path}: a compressed packet of more than {INFLATED >> 20} MiB", code="PH-N221")
        yield from _parsed(content, path).packet


def _take(trace: _Trace, packet: Any) -> None:
    """Sort one packet's power data into the trace."""
    machine = packet.machine_id
    if packet.HasField("power_rails"):
        _take_rails(trace, packet, machine)
    if packet.HasField("android_energy_estimation_breakdown"):
        breakdown = packet.android_energy_estimation_breakdown
        for consumer in breakdown.energy_consumer_descriptor.energy_consumers:
            trace.consumers[machine, consumer.energy_consumer_id] = consumer
        if breakdown.HasField("energy_consumer_id") and breakdown.HasField("energy_uws"):
            key = (machine, breakdown.energy_consumer_id)
            trace.consumed.append((trace.clocks.trace_ns(packet), key, breakdown))
    if packet.HasField("entity_state_residency"):
        for state in packet.entity_state_residency.power_entity_state:
            trace.states[machine, state.entity_index, state.state_index] = (state.entity_name, state.state_name)
        if packet.entity_state_residency.residency:
            trace.residencies.append((trace.clocks.trace_ns(packet), machine, packet.entity_state_residency))
    if packet.HasField("battery"):
        trace.battery.append((trace.clocks.trace_ns(packet), packet.battery))


def _take_rails(trace: _Trace, packet: Any, machine: int) -> None:
    rails = packet.power_rails
    for rail in rails.rail_descriptor:
        trace.rails[machine, rails.session_uuid, rail.index] = (rail.rail_name, rail.subsys_name)
    for data in rails.energy_data:
        own = data.timestamp_ms if data.HasField("timestamp_ms") else None
        ts = trace.clocks.trace_ns(packet) if own is None else trace.clocks.of_boot(own * NS, machine)
        trace.energies.append((ts, own, (machine, rails.session_uuid, data.index), data.energy))


def _joined(trace: _Trace, path: str) -> PowerStats:
    channels = {key: Channel(i, *trace.rails[key]) for i, key in enumerate(sorted(trace.rails))}
    ids = _rail_ids(channels)
    measurements, counters = [], []
    for ts, own, key, uws in sorted(trace.energies, key=lambda row: row[0]):
        if key not in channels:
            trace.issues["rail energies without a descriptor"] += 1
            continue
        t_ms = own if own is not None else ts // NS
        measurements.append(EnergyMeasurement(ids[key], t_ms, None, uws))
        counters.append(Counter(track_name(channels[key].name), ts, float(uws)))
    consumer_ids = {key: i for i, key in enumerate(sorted(trace.consumers))}
    if len({machine for machine, _ in trace.consumers}) <= 1:
        consumer_ids = {key: key[1] for key in trace.consumers}
    results = list(_consumed(trace, consumer_ids, counters))
    entities, residencies = _residencies(trace, counters)
    _battery(trace, counters)
    counters.sort(key=lambda c: (c.name, c.ts))
    return PowerStats(
        {"format": "perfetto", "path": path},
        tuple(Channel(ids[key], c.name, c.subsystem) for key, c in sorted(channels.items())),
        tuple(measurements),
        tuple(EnergyConsumer(consumer_ids[k], c.ordinal, c.type, c.name) for k, c in sorted(trace.consumers.items())),
        tuple(results),
        entities,
        residencies,
        tuple(counters),
        tuple(Problem(path, "PH-N222", f"{n} {what}", "warn") for what, n in sorted(trace.issues.items())),
    )


def _rail_ids(channels: dict[RailKey, Channel]) -> dict[RailKey, int]:
    """The trace's own indices where one machine and session is in it, else counted from 0."""
    if len({key[:2] for key in channels}) <= 1:
        return {key: key[2] for key in channels}
    return {key: channel.id for key, channel in channels.items()}


def _consumed(
    trace: _Trace, ids: dict[tuple[int, int], int], counters: list[Counter]
) -> Iterator[EnergyConsumerResult]:
    for ts, key, breakdown in sorted(trace.consumed, key=lambda row: row[0]):
        if key not in ids:
            trace.issues["consumer energies without a descriptor"] += 1
            continue
        name = trace.consumers[key].name
        shares = [s for s in breakdown.per_uid_breakdown if s.HasField("uid") and s.HasField("energy_uws")]
        counters.append(Counter(name, ts, float(breakdown.energy_uws)))
        counters += [Counter(name, ts, float(s.energy_uws), s.uid) for s in shares]
        attribution = tuple(EnergyConsumerAttribution(s.uid, s.energy_uws) for s in shares)
        yield EnergyConsumerResult(ids[key], ts // NS, breakdown.energy_uws, attribution)


def _residencies(
    trace: _Trace, counters: list[Counter]
) -> tuple[tuple[PowerEntity, ...], tuple[StateResidencyResult, ...]]:
    """Entities with their states, and each look's residencies."""
    keys = sorted({key[:2] for key in trace.states})
    ids = {k: k[1] if len({m for m, _ in keys}) <= 1 else i for i, k in enumerate(keys)}
    entities = []
    for key in keys:
        own = sorted((state, names) for (m, e, state), names in trace.states.items() if (m, e) == key)
        entities.append(PowerEntity(ids[key], own[0][1][0], tuple(State(state, names[1]) for state, names in own)))
    results = []
    for ts, machine, look in sorted(trace.residencies, key=lambda row: row[0]):
        data: dict[int, list[StateResidency]] = {}
        for r in look.residency:
            names = trace.states.get((machine, r.entity_index, r.state_index))
            if names is None:
                trace.issues["residencies without a descriptor"] += 1
                continue
            counters.append(Counter(f"Entity residency: {names[0]} is {names[1]}", ts, float(r.total_time_in_state_ms)))
            count = r.total_state_entry_count if r.HasField("total_state_entry_count") else None
            last = r.last_entry_timestamp_ms if r.HasField("last_entry_timestamp_ms") else None
            row = StateResidency(r.state_index, r.total_time_in_state_ms, count, last)
            data.setdefault(ids[machine, r.entity_index], []).append(row)
        results += [StateResidencyResult(i, tuple(rows)) for i, rows in data.items()]
    return tuple(entities), tuple(results)


#: Field of BatteryCounters -> end of the track's name; the sign of the currents is the vendor's.
_BATTERY = (
    ("charge_counter_uah", "charge_uah"),
    ("capacity_percent", "capacity_pct"),
    ("current_ua", "current_ua"),
    ("current_avg_ua", "current.avg_ua"),
    ("voltage_uv", "voltage_uv"),
)


def _battery(trace: _Trace, counters: list[Counter]) -> None:
    for ts, battery in trace.battery:
        prefix = f"batt.{battery.name}." if battery.name else "batt."
        for name, track in _BATTERY:
            if battery.HasField(name):
                counters.append(Counter(f"{prefix}{track}", ts, float(getattr(battery, name))))
