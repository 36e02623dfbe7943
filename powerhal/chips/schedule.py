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
        self._parts: list[tuple[int, ChipSource, slice]] = []
        self._owners: list[int] = []  # transfer -> source
        start = 0
        for number, source in enumerate(self._sources):
            if number not in self._alone:
                end = start + source.layout.row_bytes
                self._parts.append((number, source, slice(start, end)))
                self._owners += [number] * len(source.row.xfers)
                xfers += source.row.xfers
                start = end
        self._plan: Plan | None = self._sources[0].bus.plan(xfers) if xfers else None

    def read(self) -> list[Reading]:
        """One reading of each source, in order; never raises for faults that can pass."""
        early = [source.too_early() for source in self._sources]
        if any(early):
            return [e or s.accept(*s.fetch()) for e, s in zip(early, self._sources, strict=True)]
        until_ns = max((s.take_over() for n, s in enumerate(self._sources) if n not in self._alone), default=0)
        if until_ns:
            self._clock.sleep_until(until_ns)
        failed = self._plan.run() if self._plan is not None else ()
        t_ns = self._clock.now_ns()
        data = bytes(self._plan.data) if self._plan is not None else b""
        if not failed and not self._alone:
            readings = [source.accept(t_ns, data[part]) for _, source, part in self._parts]
            self._without({number for number, source, _ in self._parts if source.taken})
            return readings
        return self._with_faults(t_ns, data, failed)

    def _with_faults(self, t_ns: int, data: bytes, failed: Sequence[int]) -> list[Reading]:
        """The readings when some chip fails or failed before; the batch is built anew when that changes."""
        faults = {self._owners[index]: index for index in reversed(failed)}
        rows = {number: data[part] for number, _, part in self._parts if number not in faults}
        alone = set(faults)
        readings = []
        for number, source in enumerate(self._sources):
            if number in rows:
                readings.append(source.accept(t_ns, rows[number]))
            elif number in faults:
                assert self._plan is not None
                source.failed(self._plan.fault(faults[number]))
                readings.append(source.accept(t_ns, None))
            else:
                at_ns, raw = source.fetch()
                readings.append(source.accept(at_ns, raw))
                if raw is None:
                    alone.add(number)
        self._without(alone | {number for number in rows if self._sources[number].taken})
        return readings

    def _without(self, alone: set[int]) -> None:
        """Build the batch anew when others than before have to be asked alone."""
        if alone != self._alone:
            self._alone = alone
            self._merge()
