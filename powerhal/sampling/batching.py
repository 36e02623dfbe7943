"""Which sources are read together: chips of one bus and one period in one batch, the rest one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from powerhal.channel import Source
from powerhal.sampling.sink import Batch

if TYPE_CHECKING:
    from powerhal.chips.source import ChipSource

Join = Callable[[Sequence[Source]], Batch]


def batches(sources: Sequence[Source]) -> list[tuple[list[Source], Join | None]]:
    """Groups of sources with the function that makes a batch of them (None: read one by one).

    Open sources that name the same `bus` object and period form one group; each other source stands
    alone, so that one fault never touches another.
    """
    groups: dict[tuple[int, float], list[Source]] = {}
    for source in sources:
        bus = getattr(source, "bus", None)
        groups.setdefault((id(source if bus is None else bus), source.period_s), []).append(source)
    return [(group, _join if hasattr(group[0], "bus") else None) for group in groups.values()]


def _join(sources: Sequence[Source]) -> Batch:
    from powerhal.chips.schedule import BusSchedule

    return BusSchedule(cast("Sequence[ChipSource]", sources))
