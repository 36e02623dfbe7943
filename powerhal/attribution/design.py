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

from powerhal.attribution.observed.features import FEATURES, Column, Slices, columns_of, custom_features
from powerhal.attribution.observed.meter import RailEnergy, choices, measure
from powerhal.attribution.observed.recorded import Recorded
from powerhal.attribution.observed.sensed import Sensed, smeared, wide
from powerhal.attribution.observed.windows import edges_from_scans
from powerhal.channel import Topology
from powerhal.errors import NotEnoughData

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


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
        inputs = Recorded(recording, edges)
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


def _columns(topology: Topology, inputs: Recorded) -> tuple[tuple[Column, ...], Floats, Bools]:
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


def _base(inputs: Recorded) -> Column:
    """The constant draw that every board has, on the root rail, where the board names no base device."""
    constant = next(f for f in FEATURES if f.kind == "base")
    return Column("base: constant", "base", constant.name, True, constant.unit, constant.payer)


WHOLE = 0.999  # of a window
MOST_SWING = 20.0  # beyond it a window holds noise about nothing
