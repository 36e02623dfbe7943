"""Readings as rows of named tracks, in the order and with the names of Perfetto's trace processor."""

from __future__ import annotations

from collections.abc import Iterator

from powerhal.android.rails.names import track_name
from powerhal.android.rails.powerstats import Counter, PowerStats

NS = 1_000_000


def tracks(found: PowerStats) -> list[Counter]:
    """Counters by name, then time; sources without tracks of their own get those of their rails (ms become ns)."""
    rows = [c for c in found.counters if c.uid is None]
    if not rows:
        names = {c.id: track_name(c.name) for c in found.channels}
        rows = [
            Counter(names[m.id], m.timestamp_ms * NS, float(m.energy_uws))
            for m in found.energy_measurements
            if m.timestamp_ms is not None
        ]
    return sorted(rows, key=lambda c: (c.name, c.ts))


def track_rows(found: PowerStats) -> Iterator[tuple[str, int, float]]:
    """(name, ts in ns, value) of every reading."""
    return ((c.name, c.ts, c.value) for c in tracks(found))


def mean_rows(found: PowerStats) -> Iterator[tuple[str, float, int]]:
    """(name, mean value, readings) of every track."""
    values: dict[str, list[float]] = {}
    for row in tracks(found):
        values.setdefault(row.name, []).append(row.value)
    return ((name, sum(v) / len(v), len(v)) for name, v in values.items())
