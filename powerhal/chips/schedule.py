"""All chips of one bus that are due together, read in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from powerhal.chips.source import ChipSource
from powerhal.transport import Clock, I2cBus, Plan, Xfer

_Waiting = dict[str, tuple[int, bytes | None]]


@dataclass(slots=True)
class _Group:
    """Sources of one period with their merged plan: for each its bytes' slice and its transfers."""

    sources: list[ChipSource]
    plan: Plan
    slices: dict[str, slice]
    owners: list[ChipSource]  # transfer index -> source
    waiting: _Waiting


class BusSchedule:
    """Merges the reads of chips on one bus; sources ask it when it is attached to them.

    The first source of a group that is read in a period runs the group's batch; the others find their bytes
    waiting, taken at the same instant. A chip that fails leaves the batch and reads alone until it answers.
    Open the sources first: their transfers are known then.
    """

    def __init__(self, bus: I2cBus, sources: Sequence[ChipSource], clock: Clock) -> None:
        self.bus = bus
        self._clock = clock
        self._alone: set[str] = set()
        self._groups: dict[str, _Group] = {}
        self._build_all(sources)
        for source in sources:
            source.schedule = self

    def _build_all(self, sources: Sequence[ChipSource]) -> None:
        for period in {s.period_s for s in sources}:
            self._build([s for s in sources if s.period_s == period])

    def _build(self, sources: list[ChipSource], waiting: _Waiting | None = None) -> None:
        """Merge one group, keeping the rows that nobody has taken yet."""
        merged = [s for s in sources if s.name not in self._alone]
        xfers: list[Xfer] = []
        owners: list[ChipSource] = []
        slices: dict[str, slice] = {}
        start = 0
        for source in merged:
            width = source.layout.row_bytes
            slices[source.name] = slice(start, start + width)
            start += width
            xfers += source.row.xfers
            owners += [source] * len(source.row.xfers)
        group = _Group(sources, self.bus.plan(xfers), slices, owners, waiting or {})
        for source in sources:
            self._groups[source.name] = group

    def fetch(self, source: ChipSource) -> tuple[int, bytes | None]:
        """(time after the read, row or None) of `source`, from the batch when one is fresh."""
        group = self._groups[source.name]
        if source.name in self._alone:
            return self._fetch_alone(group, source)
        found = group.waiting.pop(source.name, None)
        if found is not None and self._clock.now_ns() - found[0] <= 0.5e9 * source.period_s:
            return found
        return self._run(group, source)

    def _fetch_alone(self, group: _Group, source: ChipSource) -> tuple[int, bytes | None]:
        found = source.fetch()
        if found[1] is not None:
            self._alone.discard(source.name)
            self._build(group.sources, group.waiting)
        return found

    def _run(self, group: _Group, source: ChipSource) -> tuple[int, bytes | None]:
        failed = group.plan.run()
        t_ns = self._clock.now_ns()
        data = bytes(group.plan.data)
        group.waiting = {name: (t_ns, data[part]) for name, part in group.slices.items()}
        for index in failed:
            owner = group.owners[index]
            owner.failed(group.plan.fault(index))
            group.waiting[owner.name] = (t_ns, None)
            self._alone.add(owner.name)
        if failed:
            self._build(group.sources, group.waiting)
        return group.waiting.pop(source.name)
