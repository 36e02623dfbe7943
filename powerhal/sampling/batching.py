"""Which sources are read together: chips of one bus and one period in one batch, the rest one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from powerhal.channel import Source
from powerhal.sampling.sink import Batch

Join = Callable[[Sequence[Source]], Batch]


def batches(sources: Sequence[Source]) -> list[tuple[list[Source], Join | None]]:
    """Groups of sources with the function that makes a batch of them (None: read one by one).

    Sources that name the same `bus` object and period form one group; each other source stands alone,
    so that one fault never touches another.
    """
    groups: dict[tuple[int, float], list[Source]] = {}
    for source in sources:
        bus: Any = getattr(source, "bus", None)
        key = (id(bus), source.period_s) if bus is not None else (id(source), source.period_s)
        groups.setdefault(key, []).append(source)
    return [(group, _join if len(group) > 1 else None) for group in groups.values()]


def _join(sources: Sequence[Source]) -> Batch:
    from powerhal.chips.source import BusSchedule

    batch: Batch = BusSchedule(sources)
    return batch
