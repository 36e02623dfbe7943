"""Any board's recording seen through the Power Stats HAL: rails as channels, devices as energy consumers.

Energies count from the start of the recording, as the HAL's count from boot; rows lost in holes are not made up:
`duration_ms` is the time that was measured. A rail that takes energy back (a charging battery) may fall.
"""

from __future__ import annotations

from collections import Counter as Count
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

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
)
from powerhal.channel import Device, Quality, Topology
from powerhal.errors import NotEnoughData, Problem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from powerhal.recording import Recording

HOLE = 2.5  # periods without a row after which nothing is integrated
_BAD = int(Quality.MISSING | Quality.STALE)

#: Kind of a device -> EnergyConsumerType; a radio is told by the words in its name and activities.
TYPES = {"cpu": "CPU_CLUSTER", "display": "DISPLAY", "camera": "CAMERA", "gnss": "GNSS"}
RADIOS = (
    ("BLUETOOTH", ("bluetooth", "bt", "hci")),
    ("WIFI", ("wifi", "wlan", "wl")),
    ("MOBILE_RADIO", ("modem", "cellular", "mobile", "wwan", "rmnet", "lte", "ccmni")),
    ("GNSS", ("gnss", "gps")),
)


def read_recording(path: str, *, period_ms: int = 1000, attribute: bool = True) -> PowerStats:
    """A `.phr` file as Power Stats: a reading of every rail each `period_ms` and at the end.

    attribute: also share the energy between devices and uids (`powerhal attribute`); where the data cannot tell,
    that is an issue and the results stay empty. Raises RecordingError when the file cannot be read.
    """
    from powerhal.recording import Recording

    with Recording.open(path) as recording:
        topology = recording.topology
        channels = tuple(_channels(recording, topology))
        measurements = sorted(
            (m for c in channels for m in _measurements(recording, c, period_ms)),
            key=lambda m: (m.timestamp_ms or 0, m.id),
        )
        entities, residencies = _residencies(recording)
        consumers, results, issues = _consumers(recording, topology, attribute)
        source = {"format": "recording", "path": path, "board": topology.board, "duration_s": recording.duration_s}
        issues = [*recording.problems, *issues]
    return PowerStats(
        source, channels, tuple(measurements), consumers, results, entities, residencies, issues=tuple(issues)
    )


def consumer_type(device: Device) -> str:
    """EnergyConsumerType of one of our devices."""
    if device.kind != "radio":
        return TYPES.get(device.kind, "OTHER")
    words = " ".join((device.name, *device.activities.values())).lower().replace("-", " ").replace("_", " ")
    parts = words.replace(".", " ").split()
    for name, known in RADIOS:
        if any(part.rstrip("0123456789") in known for part in parts):
            return name
    return "OTHER"


def _channels(recording: Recording, topology: Topology) -> Iterator[Channel]:
    """Rails with power or energy, in the order of the board file, then those it does not name."""
    subsystems = {rail.name: rail.subsystem for rail in topology.rails}
    measured = [c.rail or c.name.rpartition(".")[0] for c in recording.channels.values() if _is_meter(c)]
    order = [name for name in subsystems if name in measured]
    order += [name for name in dict.fromkeys(measured) if name not in subsystems]
    for number, rail in enumerate(order):
        feeds = ", ".join(d.name for d in topology.devices if d.rail == rail)
        yield Channel(number, rail, subsystems.get(rail) or feeds)


def _is_meter(channel: Any) -> bool:
    return channel.quantity in ("power", "energy") and not channel.activity


def _measurements(recording: Recording, rail: Channel, period_ms: int) -> Iterator[EnergyMeasurement]:
    """Readings of one rail: its energy counter where it has one, else trapezoids of its power."""
    import numpy as np

    t_ns, energy_j, covered_s = _accumulated(recording, rail.name)
    if not t_ns.size:
        return
    period_ns = period_ms * 1_000_000
    looks = np.arange(t_ns[0] - t_ns[0] % period_ns + period_ns, t_ns[-1], period_ns)
    at = np.unique(np.append(np.searchsorted(t_ns, looks, side="right") - 1, t_ns.size - 1))
    for i in at:
        duration_ms, uws = round(float(covered_s[i]) * 1e3), round(float(energy_j[i]) * 1e6)
        yield EnergyMeasurement(rail.id, int(t_ns[i]) // 1_000_000, duration_ms, uws)


def _accumulated(recording: Recording, rail: str) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """(times in ns, joules since the start, seconds measured since the start) of a rail."""
    import numpy as np

    from powerhal.recording.counters import counter_increments

    own = [c for c in recording.channels.values() if _is_meter(c) and (c.rail or c.name.rpartition(".")[0]) == rail]
    channel = next((c for c in own if c.quantity == "energy"), own[0])
    series = recording.series(channel.name)
    good = ((series.quality & _BAD) == 0) & np.isfinite(series.value)
    series = type(series)(series.t_ns[good], series.value[good], series.quality[good], series.period_s, 0.0)
    if series.t_ns.size == 0:
        return series.t_ns, series.value, series.value
    seconds = np.diff(series.t_ns) * 1e-9
    if channel.quantity == "energy" and channel.counter:
        step = counter_increments(series, channel).amount
        there = np.isfinite(step)
    else:
        step = 0.5 * (series.value[1:] + series.value[:-1]) * seconds
        there = seconds <= HOLE * recording.period_s(channel.name)
    joules = np.concatenate(([0.0], np.cumsum(np.where(there, step, 0.0))))
    return series.t_ns, joules, np.concatenate(([0.0], np.cumsum(np.where(there, seconds, 0.0))))


def _residencies(recording: Recording) -> tuple[tuple[PowerEntity, ...], tuple[StateResidencyResult, ...]]:
    """Counters `ENTITY@STATE` in seconds (CPU frequencies, idle states) as power entities; entries are not known."""
    found: dict[str, list[tuple[str, float]]] = {}
    for channel in recording.channels.values():
        entity, at, state = channel.name.partition("@")
        if at and channel.quantity == "time" and channel.counter:
            last = None
            for _, value, quality in recording.rows(channel.name):
                last = last if quality & _BAD else value
            if last is not None:
                found.setdefault(entity.removesuffix(".time"), []).append((state, last))
    entities, results = [], []
    for number, (entity, states) in enumerate(found.items()):
        entities.append(PowerEntity(number, entity, tuple(State(i, s) for i, (s, _) in enumerate(states))))
        rows = tuple(StateResidency(i, round(seconds * 1e3)) for i, (_, seconds) in enumerate(states))
        results.append(StateResidencyResult(number, rows))
    return tuple(entities), tuple(results)


def _consumers(
    recording: Recording, topology: Topology, attribute: bool
) -> tuple[tuple[EnergyConsumer, ...], tuple[EnergyConsumerResult, ...], list[Problem]]:
    """The board's devices, and what attribution says they and the uids used."""
    names = {d.name: consumer_type(d) for d in topology.devices}
    ledger, issues = None, []
    if attribute:
        from powerhal.attribution import attribute as share

        try:
            ledger = share(recording)
        except (NotEnoughData, LookupError) as error:
            issues.append(Problem(recording.path, "PH-N230", f"no energy of consumers: {error}", "warn"))
    rows = [] if ledger is None else list(ledger.of_kind("device", "group"))
    names |= {row.name: "OTHER" for row in rows if row.name not in names}
    ordinals: Count[str] = Count()
    consumers = []
    for number, (name, kind) in enumerate(names.items()):
        consumers.append(EnergyConsumer(number, ordinals[kind], kind, name))
        ordinals[kind] += 1
    if ledger is None:
        return tuple(consumers), (), issues
    ids = {c.name: c.id for c in consumers}
    end_ms = ledger.total.end_ns // 1_000_000
    results = [_result(ids[row.name], end_ms, row, ledger) for row in rows]
    return tuple(consumers), tuple(sorted(results, key=lambda r: r.id)), issues


def _result(number: int, end_ms: int, row: Any, ledger: Any) -> EnergyConsumerResult:
    """A device's energy beyond its idle part, shared between uids; shares are rounded down, so never exceed it."""
    shares: dict[int, float] = {}
    for process in ledger.of_kind("process"):
        joules = process.devices.get(row.name, 0.0)
        if joules > 0 and process.info is not None:
            shares[process.info.uid] = shares.get(process.info.uid, 0.0) + joules
    total = max(0, round(row.energy_j * 1e6))
    parts = ((uid, int(joules * 1e6)) for uid, joules in sorted(shares.items()))
    attribution = tuple(EnergyConsumerAttribution(uid, uws) for uid, uws in parts if uws > 0)
    return EnergyConsumerResult(number, end_ms, total, attribution)
