"""What a recording has of each device: roles resolved to channels, counters cut into windows, unknowns marked.

It answers `features.Inputs`; `design.py` asks it column by column.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.attribution.observed.features import RAMP_OF_TAIL, TAIL_STAGED_S, Feature, Moving, Slices
from powerhal.attribution.observed.meter import increments
from powerhal.attribution.observed.processes import Usage
from powerhal.attribution.observed.windows import after, bursts, count_in, counter_growth, gauge_mean, overlap_s
from powerhal.channel import Channel, Cluster, Device

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

BYTES = ("rx_bytes", "tx_bytes", "read_bytes", "write_bytes", "bytes")


class Recorded:
    """`features.Inputs` over a recording: resolves roles to channels and remembers what is unknown."""

    def __init__(self, recording: Any, edges: Ints) -> None:
        self.recording = recording
        self.edges = edges
        self.seconds: Floats = np.diff(edges) / 1e9
        self.clusters: dict[str, Cluster] = {c.name: c for c in recording.topology.clusters}
        self.clocks: dict[str, Slices] = {}
        self._running: dict[str, Slices] = {}  # by cluster
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
        """Growth of the counter, or mean * seconds of the gauge, that has this role, per window (n,)."""
        name = self._channel(role)
        return None if name is None else self._amount(name)

    def slices(self) -> Slices | None:
        """The clock's time at each frequency: counters where there are any, else its gauge."""
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
        """The same of the time in which processes ran; put together once per cluster."""
        slices, cluster = self.slices(), self.device.cluster
        if self.device.kind != "cpu" or not self._processes().knows_speeds(cluster):
            return slices
        if cluster not in self._running:
            self._running[cluster] = self._told(cluster, slices)
        return self._running[cluster]

    def _told(self, cluster: str, slices: Slices | None) -> Slices:
        """The time in which processes ran, by the kernel's count; where nothing ran, the clock's own shares."""
        found = self._processes().speeds(cluster)
        if slices is None:
            slices = Slices(np.zeros(0), None, np.zeros((self.seconds.size, 0)), np.ones(self.seconds.size, np.bool_))
        hz = np.union1d(slices.hz, np.array(sorted(found)))
        seconds = np.column_stack([found.get(f, np.zeros(self.seconds.size)) for f in hz.tolist()])
        total = seconds.sum(axis=1)
        share = np.zeros_like(seconds)
        share[:, np.searchsorted(hz, slices.hz)] = slices.share
        np.divide(seconds, total[:, None], out=share, where=total[:, None] > 0)
        return Slices(hz, volts_at(self.clusters.get(cluster), hz), share, slices.known)

    def busy(self) -> Floats | None:
        """Busy seconds (n,), summed over the cores."""
        if self.device.kind != "cpu":
            return self.amount("busy")
        name = f"cpu.{self.device.cluster}.busy"
        return self._amount(name) if name in self.recording.channels else None

    def awake(self) -> Floats | None:
        """Seconds (n,) in which at least one process ran, as far as processes tell."""
        return self._processes().awake(f"cpu.{self.device.cluster}.time", self.seconds)

    def celsius(self) -> Floats | None:
        """Mean temperature (n,) in degC."""
        name = self._channel("temperature")
        if name is None:
            return None
        mean, known = self._mean(name)
        self.fine &= known
        self.temperatures[self.device.name] = float(np.mean(mean[known])) if known.any() else float("nan")
        return mean

    def moving(self) -> Moving | None:
        """When its byte counters moved, the stages of the tail after that, and wake-ups."""
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
