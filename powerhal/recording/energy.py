"""Joules of a rail without numpy: for the summary after a recording, in the recording process itself."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from powerhal.channel import Channel, Quality
from powerhal.recording.reader import Recording

BAD = int(Quality.MISSING | Quality.STALE)
KEPT = 1_000_000  # readings whose 99th percentile can still be told


@dataclass(frozen=True, slots=True)
class RailEnergy:
    """Energy of a rail over a run, the time it covers, the time that is missing, mean and 99th percentile power."""

    rail: str
    energy_j: float
    covered_s: float
    missing_s: float
    p99_w: float | None = None

    @property
    def mean_w(self) -> float | None:
        """Watts while it was measured; None when nothing was."""
        return self.energy_j / self.covered_s if self.covered_s > 0 else None


def root_energy(recording: Recording) -> RailEnergy | None:
    """Energy of the board's root rail; None when nothing measured it."""
    try:
        root = recording.topology.root().name
    except (LookupError, ValueError):
        return None
    return rail_energy(recording, root)


def rail_energy(recording: Recording, rail: str) -> RailEnergy | None:
    """Energy of one rail: trapezoids of its power over true times, else its energy counter's steps.

    Nothing is integrated across a hole (more than 2.5 periods): that time is stated. None without a channel
    or without two readings.
    """
    own = [c for c in recording.channels.values() if c.rail == rail]
    for quantity, integrate in (("power", _power), ("energy", _counter)):
        channel = next((c for c in own if c.quantity == quantity), None)
        if channel is not None:
            return integrate(recording, channel)
    return None


def _power(recording: Recording, channel: Channel) -> RailEnergy | None:
    limit_s = 2.5 * recording.period_s(channel.name)
    seen = array("d")  # for the percentile, bounded: this runs on small machines
    energy_j = covered_s = 0.0
    for (t0_ns, before_w), (t1_ns, watts) in pairwise(_good(recording, channel)):
        dt_s = (t1_ns - t0_ns) * 1e-9
        if dt_s <= limit_s:
            energy_j += 0.5 * (before_w + watts) * dt_s
            covered_s += dt_s
        if len(seen) < KEPT:
            seen.append(watts)
    if not seen:
        return None
    p99_w = sorted(seen)[int(0.99 * (len(seen) - 1))] if len(seen) < KEPT else None
    return RailEnergy(channel.rail, energy_j, covered_s, recording.duration_s - covered_s, p99_w)


def _counter(recording: Recording, channel: Channel) -> RailEnergy | None:
    energy_j = covered_s = 0.0
    steps, span = 0, channel.wrap_span or (2.0**channel.wrap_bits * channel.lsb if channel.wrap_bits else 0.0)
    for (t0_ns, low), (t1_ns, high) in pairwise(_good(recording, channel)):
        steps += 1
        step = high - low
        if step < 0 and step + span < span / 2:
            step += span
        if step >= 0:
            energy_j += step
            covered_s += (t1_ns - t0_ns) * 1e-9
    return RailEnergy(channel.rail, energy_j, covered_s, recording.duration_s - covered_s) if steps else None


def _good(recording: Recording, channel: Channel) -> Iterator[tuple[int, float]]:
    """(ns, SI) of the rows that count."""
    return ((t_ns, value) for t_ns, value, quality in recording.rows(channel.name) if not quality & BAD)
