"""From a recording to the regression: windows, measured energy per rail, activity columns per device.

`Design` is plain arrays. Rows are windows (spans between process scans), targets are joules of each
measured rail, columns are activity * seconds, so a coefficient is watts per unit of activity. What
was not watched is stated (`missing_s`), and what is not known is marked, never taken for 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.attribution.features import (
    FEATURES,
    RAMP_OF_TAIL,
    TAIL_STAGED_S,
    Feature,
    Moving,
    Payer,
    Slices,
    columns_of,
    custom_features,
)
from powerhal.attribution.meter import RailEnergy, choices, increments, measure
from powerhal.attribution.processes import Usage
from powerhal.attribution.sensed import Sensed, smeared, wide
from powerhal.attribution.windows import (
    after,
    bursts,
    count_in,
    counter_growth,
    edges_from_scans,
    gauge_mean,
    overlap_s,
)
from powerhal.channel import Channel, Cluster, Device, Topology
from powerhal.errors import NotEnoughData

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Column:
    """One regressor: its name (`device: feature`), device, static or dynamic, unit of its coefficient, who pays,
    the coefficient's usual mean and standard deviation where there is one, and where it weighs busy seconds by
    their frequency, (Hz, weight) of each."""

    name: str
    device: str
    feature: str
    static: bool
    unit: str
    payer: Payer
    usual: tuple[float, float] | None = None
    pace: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Design:
    """Windows (n), measured rails (r) and activity columns (p) of one recording.

    edges (n+1,) int64 ns; seconds (n,); energy (n, r) J over the watched part and covered_s (n, r);
    noise_j2 (n, r): variance of energy from steps and noise of the sensor (not its gain);
    blur_j2 (n+1, r): variance of what an unsharp edge moves from one side to the other;
    bound (n, r): a saturated sample makes the energy a lower bound;
    x (n, p): activity * seconds; known (n, p): False where the activity was not recorded;
    rails: what each measured rail is (channel, accuracy, parent); columns: what x holds;
    shown: by rail with a slow sensor, x and energy (n, p + r) as it shows them, averaged scan by scan;
    swing (n, r): see `swings`; clocks: per clocked device, its frequencies; counts: per device, busy seconds or
    bytes (n,) by its own count; notes: what was left out and why.
    """

    topology: Topology
    edges: Ints
    seconds: Floats
    rails: tuple[RailEnergy, ...]
    energy: Floats
    covered_s: Floats
    noise_j2: Floats
    blur_j2: Floats
    bound: Bools
    columns: tuple[Column, ...]
    x: Floats
    known: Bools
    clocks: Mapping[str, Slices] = field(default_factory=dict)
    counts: Mapping[str, Floats] = field(default_factory=dict)
    celsius: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    swing: Floats | None = None
    shown: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names, unique, in the order of x."""
        return tuple(c.name for c in self.columns)

    def coarse(self, window_s: float) -> tuple[Design, Ints]:
        """The same run in accounting windows of about `window_s`, and which window each of mine fell into.

        Sensors average and scans jitter by a few hundredths of a second; energy and activity of a longer
        window agree in time where those of one scan do not. Amounts add up, so nothing is lost: a second
        at two frequencies still holds both.
        """
        kept = edges_from_scans(self.edges, int(self.edges[0]), int(self.edges[-1]), window_s)
        if kept[-1] != self.edges[-1]:
            kept = np.append(kept[:-1] if kept.size > 2 else kept, self.edges[-1])
        first = np.searchsorted(self.edges, kept[:-1])
        window = (np.searchsorted(first, np.arange(self.seconds.size), side="right") - 1).astype(np.int64)

        def total(values: Floats) -> Floats:
            out: Floats = np.add.reduceat(values, first, axis=0)
            return out

        together = Design(
            self.topology, kept, total(self.seconds), self.rails, total(self.energy), total(self.covered_s),
            total(self.noise_j2), self.blur_j2[np.append(first, self.seconds.size)],
            np.logical_or.reduceat(self.bound, first, axis=0), self.columns, total(self.x),
            np.logical_and.reduceat(self.known, first, axis=0), {}, {k: total(v) for k, v in self.counts.items()},
            self.celsius, self.notes, _swing(self.energy, self.seconds, first),
            {
                r.rail: total(smeared(self.edges, np.column_stack((self.x, self.energy)), w))
                for r in self.rails if (w := wide(r.sensed)) > 0.0
            },
        )  # fmt: skip
        return together, window

    def swings(self) -> Floats:
        """Mean square of each rail's power over its squared mean in each window (n, r), 1 where nothing tells."""
        return np.ones_like(self.energy) if self.swing is None else self.swing

    @property
    def rail_names(self) -> tuple[str, ...]:
        """Measured rails, in the order of energy's columns."""
        return tuple(r.rail for r in self.rails)

    @classmethod
    def from_recording(
        cls, recording: Any, *, window_s: float | None = None, sensed: Mapping[str, Sensed] | None = None
    ) -> Design:
        """Windows, energies and columns of `recording` (powerhal.recording.Recording or its like).

        `sensed`: by rail, what is known of slow sensors (see `slow.sensed`).
        Raises NotEnoughData when there is no power sensor, nothing was watched, or fewer than two windows.
        """
        rails = tuple(replace(r, sensed=(sensed or {}).get(r.rail)) for r in choices(recording))
        if not rails:
            raise NotEnoughData(
                "this recording has no power measurement: no rail has a power, voltage-and-current, "
                "energy or charge channel; nothing can be attributed",
                hint="record on a board with a power sensor (powerhal boards list), or attach a meter",
            )
        scans = np.asarray(recording.scan_times_ns(), dtype=np.int64)
        edges = edges_from_scans(scans, recording.start_ns, recording.end_ns, window_s)
        if edges.size < 3:
            raise NotEnoughData(
                f"this recording has {max(0, edges.size - 1)} windows of activity; attribution needs more",
                hint="record for at least 20 s",
            )
        watched = [measure(recording, rail, edges) for rail in rails]
        covered = np.column_stack([w.covered_s for w in watched])
        first, last = watched_span(covered, np.diff(edges) / 1e9)
        if first < last and (first > 0 or last < edges.size - 1):
            edges = edges[first : last + 1]
            watched = [measure(recording, rail, edges) for rail in rails]
            covered = np.column_stack([w.covered_s for w in watched])
        if edges.size < 3 or not (covered > 0).any():
            raise NotEnoughData(
                "every window is a gap: no power sample of this recording is usable",
                hint="powerhal info RUN shows what each source answered",
            )
        inputs = _Recorded(recording, edges)
        columns, x, known = _columns(recording.topology, inputs)
        return cls(
            recording.topology, edges, inputs.seconds, rails,
            np.column_stack([w.energy_j for w in watched]), covered,
            np.column_stack([w.noise_j2 for w in watched]),
            np.column_stack([w.blur_j2 for w in watched]),
            np.column_stack([w.bound for w in watched]),
            columns, x, known, inputs.clocks, inputs.counts(), inputs.temperatures, tuple(inputs.notes),
        )  # fmt: skip


def _swing(energy: Floats, seconds: Floats, first: Ints) -> Floats:
    """How much losses that grow with the square of a load exceed those of its mean, window by window; 1 or more."""
    square = np.add.reduceat(energy**2 / seconds[:, None], first, axis=0)
    mean = np.add.reduceat(energy, first, axis=0) ** 2 / np.add.reduceat(seconds, first)[:, None]
    out: Floats = np.divide(square, mean, out=np.ones_like(square), where=mean > 0)
    return np.clip(out, 1.0, MOST_SWING)


def watched_span(covered_s: Floats, seconds: Floats) -> tuple[int, int]:
    """First window and one past the last in which every rail was watched to the end; (0, 0) when there is none.

    Before the first whole conversion and after the last, there is nothing to account for.
    """
    whole = np.flatnonzero((covered_s >= WHOLE * seconds[:, None]).all(axis=1))
    return (int(whole[0]), int(whole[-1]) + 1) if whole.size else (0, 0)


def _columns(topology: Topology, inputs: _Recorded) -> tuple[tuple[Column, ...], Floats, Bools]:
    """All columns of all devices; columns that never move are left out with a note."""
    columns: list[Column] = []
    values: list[Floats] = []
    known: list[Bools] = []
    for device in topology.devices:
        features = columns_of(device.kind) or custom_features(device.activities)
        before = len(columns)
        for feature in features:
            inputs.ask(device)
            built = feature.build(inputs)
            if built is None:
                continue
            paces = inputs.paces(feature)
            for k, column in enumerate(np.atleast_2d(built)):
                label = f"{feature.name}{inputs.hertz(k)}" if built.ndim == 2 else feature.name
                if not np.any(column[inputs.fine] > 0):
                    continue
                name = f"{device.name}: {label}"
                what = (name, device.name, label, feature.static, feature.unit, feature.payer, feature.usual)
                columns.append(Column(*what, paces[k] if paces else ()))
                values.append(np.where(inputs.fine & np.isfinite(column), column, 0.0))
                known.append(inputs.fine & np.isfinite(column))
        if len(columns) == before:
            inputs.notes.append(f"{device.name}: no activity of it was recorded or it was never active")
    if not any(c.static and np.ptp(v / inputs.seconds) == 0.0 for c, v in zip(columns, values, strict=True)):
        columns.append(_base(inputs))
        values.append(inputs.seconds.copy())
        known.append(np.ones(inputs.seconds.size, dtype=np.bool_))
    return tuple(columns), np.column_stack(values), np.column_stack(known)


def _base(inputs: _Recorded) -> Column:
    """The constant draw that every board has, on the root rail, where the board names no base device."""
    constant = next(f for f in FEATURES if f.kind == "base")
    return Column("base: constant", "base", constant.name, True, constant.unit, constant.payer)


WHOLE = 0.999  # of a window
MOST_SWING = 20.0  # beyond it a window holds noise about nothing
BYTES = ("rx_bytes", "tx_bytes", "read_bytes", "write_bytes", "bytes")


class _Recorded:
    """`features.Inputs` over a recording: resolves roles to channels and remembers what is unknown."""

    def __init__(self, recording: Any, edges: Ints) -> None:
        self.recording = recording
        self.edges = edges
        self.seconds: Floats = np.diff(edges) / 1e9
        self.clusters: dict[str, Cluster] = {c.name: c for c in recording.topology.clusters}
        self.clocks: dict[str, Slices] = {}
        self.temperatures: dict[str, float] = {}
        self.notes: list[str] = []
        self.device: Device = Device("", "", "")
        self.fine: Bools = np.ones(self.seconds.size, dtype=np.bool_)
        self._usage: Usage | None = None
        self._cache: dict[str, tuple[Floats, Bools]] = {}
        self._period = {c.name: s.period_s for s in recording.sources for c in s.layout.channels}

    def ask(self, device: Device) -> None:
        """Start a column of this device: nothing unknown yet."""
        self.device = device
        self.fine = np.ones(self.seconds.size, dtype=np.bool_)

    # -- features.Inputs -----------------------------------------------------------------------

    def amount(self, role: str) -> Floats | None:
        name = self._channel(role)
        return None if name is None else self._amount(name)

    def slices(self) -> Slices | None:
        device = self.device
        if device.name not in self.clocks:
            found = self._time_at(device.cluster or device.name) or self._gauge_clock()
            if found is None:
                return None
            self.clocks[device.name] = found
        slices = self.clocks[device.name]
        self.fine &= slices.known
        return slices

    def running(self) -> Slices | None:
        slices = self.slices()
        if self.device.kind != "cpu":
            return slices
        found = self._processes().speeds(self.device.cluster)
        if not found:
            return slices
        if slices is None:
            slices = Slices(np.zeros(0), None, np.zeros((self.seconds.size, 0)), np.ones(self.seconds.size, np.bool_))
        hz = np.union1d(slices.hz, np.array(sorted(found)))
        seconds = np.column_stack([found.get(f, np.zeros(self.seconds.size)) for f in hz.tolist()])
        total = seconds.sum(axis=1)
        share = np.zeros_like(seconds)
        share[:, np.searchsorted(hz, slices.hz)] = slices.share
        np.divide(seconds, total[:, None], out=share, where=total[:, None] > 0)
        return Slices(hz, volts_at(self.clusters.get(self.device.cluster), hz), share, slices.known)

    def busy(self) -> Floats | None:
        if self.device.kind != "cpu":
            return self.amount("busy")
        name = f"cpu.{self.device.cluster}.busy"
        return self._amount(name) if name in self.recording.channels else None

    def awake(self) -> Floats | None:
        return self._processes().awake(f"cpu.{self.device.cluster}.time", self.seconds)

    def celsius(self) -> Floats | None:
        name = self._channel("temperature")
        if name is None:
            return None
        mean, known = self._mean(name)
        self.fine &= known
        self.temperatures[self.device.name] = float(np.mean(mean[known])) if known.any() else float("nan")
        return mean

    def moving(self) -> Moving | None:
        names = [n for n in (self._channel(r) for r in ("rx_bytes", "tx_bytes", "bytes")) if n]
        if not names:
            return None
        series = [self.recording.series(n) for n in names]
        size = min(len(s.t_ns) for s in series)
        if size < 2:
            return None
        times = np.asarray(series[0].t_ns, dtype=np.int64)[:size]
        total = np.sum([np.asarray(s.value, dtype=np.float64)[:size] for s in series], axis=0)
        tail_s = self.device.parameters.get("tail_s", 0.0)
        starts, _ = bursts(times, total, tail_s)
        thirds = 3 if tail_s >= TAIL_STAGED_S else 1
        fine_starts, fine_ends = bursts(times, total, 0.0)
        stages = [
            overlap_s(*after(fine_starts, fine_ends, tail_s * k / thirds, tail_s * (k + 1) / thirds), self.edges)
            for k in range(thirds)
        ]
        moving_s = overlap_s(fine_starts, fine_ends, self.edges)
        ramp_s = self.device.parameters.get("ramp_s", RAMP_OF_TAIL * tail_s)
        wakes = count_in(starts, self.edges)
        if ramp_s > 0:
            wakes = overlap_s(starts - round(ramp_s * 1e9), starts, self.edges) / ramp_s
        return Moving(moving_s + stages[0], tuple(stages[1:]), wakes)

    def counts(self) -> dict[str, Floats]:
        """Per device, its own count of what processes are charged by: busy seconds, or bytes moved."""
        out = {}
        for device in self.recording.topology.devices:
            self.ask(device)
            found = [self.busy()] if device.kind in ("cpu", "gpu") else [self.amount(r) for r in BYTES]
            known = [f for f in found if f is not None]
            if known:
                out[device.name] = np.sum(known, axis=0)
        return out

    # -- reading -------------------------------------------------------------------------------

    def hertz(self, k: int) -> str:
        """Name of the k-th frequency of the device's clock."""
        slices = self.running()
        assert slices is not None  # only a column made from it asks
        return f"{slices.hz[k] / 1e6:g}MHz"

    def paces(self, feature: Feature) -> list[tuple[tuple[float, float], ...]]:
        """(Hz, weight) of a busy second at each frequency, for each column of the feature; empty: it has no pace."""
        slices = self.running() if feature.pace is not None else None
        weights = feature.pace(slices) if feature.pace is not None and slices is not None else None
        if slices is None or weights is None:
            return []
        return [tuple(zip(slices.hz.tolist(), w, strict=True)) for w in np.atleast_2d(weights).tolist()]

    def _processes(self) -> Usage:
        if self._usage is None:
            self._usage = Usage.from_recording(self.recording, self.edges)
        return self._usage

    def _channel(self, role: str) -> str | None:
        """The recorded channel of a role: named outright, or a channel below a named prefix."""
        channels = self.recording.channels
        given = self.device.activities.get(role)
        if given is not None:
            for name in (given, f"{given}.{role}"):
                if name in channels:
                    return name
        for prefix in self.device.activities.values():
            if prefix not in channels and f"{prefix}.{role}" in channels:
                return f"{prefix}.{role}"
        own = f"cpu.{self.device.cluster}.{role}"
        return own if self.device.kind == "cpu" and own in channels else None

    def _amount(self, name: str) -> Floats:
        """Growth of a counter, or mean * seconds of a gauge, in each window."""
        channel: Channel = self.recording.channels[name]
        value, known = self._growth(name) if channel.counter else self._mean(name)
        self.fine &= known
        return value if channel.counter else value * self.seconds

    def _growth(self, name: str) -> tuple[Floats, Bools]:
        if name not in self._cache:
            self._cache[name] = counter_growth(increments(self.recording, name), self.edges)
        return self._cache[name]

    def _mean(self, name: str) -> tuple[Floats, Bools]:
        if name not in self._cache:
            series = self.recording.series(name)
            self._cache[name] = gauge_mean(
                np.asarray(series.t_ns, dtype=np.int64),
                np.asarray(series.value, dtype=np.float64),
                self.edges,
                self._period.get(name, 0.0),
            )
        return self._cache[name]

    def _time_at(self, clock: str) -> Slices | None:
        """Share of each window at each frequency, from counters `cpu.CLOCK.time@HZ` or `CLOCK.time@HZ`."""
        found: dict[float, tuple[Floats, Bools]] = {}
        for prefix in (f"cpu.{clock}.time@", f"{clock}.time@"):
            for name in self.recording.channels:
                if name.startswith(prefix):
                    found[float(name[len(prefix) :])] = self._growth(name)
        if not found:
            return None
        hz = np.array(sorted(found))
        times = np.column_stack([found[f][0] for f in hz.tolist()])
        known = np.logical_and.reduce([found[f][1] for f in hz.tolist()])
        total = times.sum(axis=1)
        share = np.divide(times, total[:, None], out=np.zeros_like(times), where=total[:, None] > 0)
        return Slices(hz, volts_at(self.clusters.get(clock), hz), share, known)

    def _gauge_clock(self) -> Slices | None:
        """One frequency a window, from a frequency gauge, as shares of the two nearest frequencies seen."""
        device = self.device
        name = self._channel("frequency") or f"cpu.{device.cluster}.frequency"
        if name not in self.recording.channels:
            return None
        mean, known = self._mean(name)
        hz = np.unique(np.asarray(self.recording.series(name).value, dtype=np.float64))
        hz = hz[np.isfinite(hz)]
        if hz.size == 0:
            return None
        above = np.clip(np.searchsorted(hz, mean), 1 if hz.size > 1 else 0, hz.size - 1)
        below = np.maximum(above - 1, 0)
        gap = np.where(above > below, hz[above] - hz[below], 1.0)
        part = np.clip((mean - hz[below]) / gap, 0.0, 1.0)
        share = np.zeros((mean.size, hz.size))
        rows = np.arange(mean.size)
        share[rows, below] += 1.0 - part
        share[rows, above] += part
        return Slices(hz, volts_at(self.clusters.get(device.cluster or device.name), hz), share, known)


def volts_at(cluster: Cluster | None, hz: Floats) -> Floats | None:
    """Volts at each frequency by the cluster's table, straight lines in between; None where unknown."""
    points = sorted((f, v) for f, v in (cluster.opps if cluster else ()) if v is not None)
    if not points:
        return None
    known_hz, known_v = np.array(points).T
    out: Floats = np.interp(hz, known_hz, known_v)
    return out
