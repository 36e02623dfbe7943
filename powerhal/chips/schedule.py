"""All chips of one bus that are due together, read in one call."""

from __future__ import annotations

from collections.abc import Sequence

from powerhal.channel import Reading
from powerhal.chips.source import ChipSource
from powerhal.transport import Clock, Plan, Xfer


class BusSchedule:
    """Merges the reads of opened chips on one bus into one batch of transfers.

    A chip that fails leaves the batch, so that it does not spoil the others' reads, and is asked alone until it
    answers again. All rows of a batch carry the same time, the one after the call.
    """

    def __init__(self, sources: Sequence[ChipSource]) -> None:
        self._sources = tuple(sources)
        self._clock: Clock = sources[0].clock
        self._alone: set[int] = set()
        self._merge()

    def _merge(self) -> None:
        """Build the batch of all sources that answer."""
        xfers: list[Xfer] = []
        self._slices: dict[int, slice] = {}
        self._owners: list[int] = []  # transfer -> source
        start = 0
        for number, source in enumerate(self._sources):
            if number not in self._alone:
                end = start + source.layout.row_bytes
                self._slices[number] = slice(start, end)
                self._owners += [number] * len(source.row.xfers)
                xfers += source.row.xfers
                start = end
        self._plan: Plan | None = self._sources[0].bus.plan(xfers) if xfers else None

    def read(self) -> list[Reading]:
        """One reading of each source, in order; never raises for faults that can pass."""
        early = [source.too_early() for source in self._sources]
        if any(early):
            return [e or s.accept(*s.fetch()) for e, s in zip(early, self._sources, strict=True)]
        t_ns, rows = self._batch()
        readings = []
        before = set(self._alone)
        for number, source in enumerate(self._sources):
            if number in rows:
                readings.append(source.accept(t_ns, rows[number]))
                if rows[number] is None:
                    self._alone.add(number)
            else:
                at_ns, raw = source.fetch()
                readings.append(source.accept(at_ns, raw))
                if raw is not None:
                    self._alone.discard(number)
        if self._alone != before:
            self._merge()
        return readings

    def _batch(self) -> tuple[int, dict[int, bytes | None]]:
        """(time after the call, source -> row or None) of the sources in the batch."""
        if self._plan is None:
            return self._clock.now_ns(), {}
        failed = self._plan.run()
        t_ns = self._clock.now_ns()
        data = bytes(self._plan.data)
        rows: dict[int, bytes | None] = {number: data[part] for number, part in self._slices.items()}
        for index in failed:
            number = self._owners[index]
            self._sources[number].failed(self._plan.fault(index))
            rows[number] = None
        return t_ns, rows
