"""What is read at one rhythm: a single source, chips of one bus in a batch, or a process scan.

A beat keeps its deadline, tells faults from data, retries within a quarter of its period, and leaves a
source that does not answer alone for a while. It never raises for what hardware does.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import cast

from powerhal.channel import ActivitySource, Quality, Reading, Source
from powerhal.errors import PowerhalError
from powerhal.sampling.health import Breaker, Health, RowFlags, fault_kind, kind_of
from powerhal.sampling.sink import Batch, GlancingBatch, RowSink, Sink
from powerhal.transport import Clock

TRIES = {"denied": 1, "refused": 1, "suspended": 1, "timeout": 2}  # times in all; 3 for the others
BUS_KINDS = {"timeout", "busy"}  # when two devices fail together with these, the wire is to blame
SLOW_NS = 50_000_000
RECENT = 64  # rows whose times are kept, to say which ones a lost state makes doubtful
# plain integers: arithmetic on IntFlag costs a microsecond each, at every row
_MISSING, _LATE, _RESET = int(Quality.MISSING), int(Quality.LATE), int(Quality.RESET)
_EXPECTED = (PowerhalError, OSError)


class Beat:
    """A deadline and a period, in ns of the clock; `missed` ticks are skipped, never caught up."""

    def __init__(self, name: str, period_s: float) -> None:
        self.name = name
        self.period_ns = max(1, round(period_s * 1e9))
        self.due_ns = 0
        self.served_ns = -1
        self.begun_ns = 0  # when reading for this turn began, if it has

    def advance(self, now_ns: int) -> int:
        """Set the next deadline after `now_ns`, on the same grid; answers the ticks that were skipped."""
        self.due_ns += self.period_ns
        if self.due_ns > now_ns:
            return 0
        skipped = (now_ns - self.due_ns) // self.period_ns + 1
        self.due_ns += skipped * self.period_ns
        return skipped

    def serve(self, flags: int) -> None:
        """Take what is due; `flags` are quality bits that all its rows get."""
        raise NotImplementedError

    def settle(self) -> None:
        """Hand over what was taken and not yet handed over."""

    def glimpse(self) -> Callable[[int], int] | None:
        """A short way to serve, while there is one."""
        return None

    def last(self, now_ns: int) -> None:
        """Take the last row of the run, unless one was taken at this very moment."""
        if now_ns > self.served_ns:
            self.due_ns = now_ns
            self.serve(0)

    def healths(self) -> dict[str, Health]:
        """Health per source name."""
        raise NotImplementedError


class Member:
    """One source within a beat: its number in the sink, its counters, its breaker."""

    __slots__ = ("breaker", "flags", "health", "number", "sick", "source", "times")

    def __init__(self, source: Source, number: int) -> None:
        self.source = source
        self.number = number
        self.health = Health()
        self.breaker = Breaker()
        self.flags = RowFlags(source.layout)
        self.sick = False  # its last row was missing
        self.times: deque[int] = deque(maxlen=RECENT)  # of the last rows, ns

    def count(self, rows: bytes, quality: int) -> None:
        """Count rows that lie end to end, all of this quality, with the flags that each carries itself."""
        for bits, times in self.flags.tally(rows, self.source.layout.row_bytes).items():
            self.health.count(quality | bits, times)


class SourceBeat(Beat):
    """Sources of one period that are read in one go; `join` builds the batch for those that work."""

    def __init__(
        self,
        members: Sequence[Member],
        period_s: float,
        clock: Clock,
        sink: RowSink,
        join: Callable[[Sequence[Source]], Batch] | None = None,
    ) -> None:
        super().__init__(members[0].source.name, period_s)
        self._all = tuple(members)
        self._clock = clock
        self._sink = sink
        self._join = join
        self._bus = Breaker()
        self._now_ns = clock.now_ns
        self._late_ns = self.period_ns // 2
        self._use(self._all)

    def healths(self) -> dict[str, Health]:
        """Health of every member, working or not; complete after `settle`."""
        return {m.source.name: m.health for m in self._all}

    def glimpse(self) -> Callable[[int], int] | None:
        """A function that does all of `serve` when all goes on as before, as `GlancingBatch.glance`; None without."""
        return self._glance

    def serve(self, flags: int) -> None:
        """Read the working members together, then probe those whose time has come."""
        self.served_ns, self.begun_ns = self.begun_ns or self._now_ns(), 0
        if self._glance is not None and not flags and self._glance(self.due_ns + self._late_ns) >= 0:
            return
        self.settle()
        if self._bus.open:
            self._probe_bus(flags)
            return
        if self._active:
            self._serve_active(flags)
        if len(self._active) < len(self._all):
            self._probe(flags)

    def settle(self) -> None:
        """Hand over the rows that needed no more than a glance."""
        if self._glancing is None:
            return
        times, columns = self._glancing.take()
        if not times:
            return
        for member, (rows, quality) in zip(self._active, columns, strict=True):
            self._sink.block(member.number, times, rows, quality)
            member.count(rows, quality)
            member.times.extend(times)

    def _use(self, members: Sequence[Member]) -> None:
        self._active = tuple(members)
        self._batch = self._join([m.source for m in members]) if self._join and members else None
        self._glancing = cast("GlancingBatch", self._batch) if hasattr(self._batch, "glance") else None
        self._at_a_glance()

    def _at_a_glance(self) -> None:
        """While every member works, the batch may say at a glance that all is well."""
        well = self._glancing is not None and len(self._active) == len(self._all) and not self._bus.open
        self._glance = self._glancing.glance if self._glancing is not None and well else None

    def _serve_active(self, flags: int) -> None:
        started_ns = self.served_ns
        readings = self._read_all()
        if any(int(r.quality) & _MISSING for r in readings):
            self._serve_faulty(readings, flags, started_ns)
            return
        late = self._late(readings[-1].t_ns)
        for member, reading in zip(self._active, readings, strict=True):
            self._keep(member, reading, flags | late)

    def _read_all(self) -> Sequence[Reading]:
        if self._batch is None:
            return [self._read(m) for m in self._active]
        try:
            return self._batch.read()
        except Exception as error:  # as in _read
            for member in self._active:
                _blame(member.source, error)
            return [self._nothing(m) for m in self._active]

    def _read(self, member: Member) -> Reading:
        try:
            return member.source.read()
        except Exception as error:  # even a bug in one driver must not stop the others
            _blame(member.source, error)
            return self._nothing(member)

    def _nothing(self, member: Member) -> Reading:
        return Reading(self._clock.now_ns(), bytes(member.source.layout.row_bytes), Quality.MISSING)

    def _serve_faulty(self, readings: Sequence[Reading], flags: int, started_ns: int) -> None:
        """Some did not answer: retry them one by one unless the whole wire failed."""
        failed = [m for m, r in zip(self._active, readings, strict=True) if r.quality & _MISSING]
        kinds = {fault_kind(m.source) for m in failed}
        wire = len(failed) == len(self._active) >= 2 and kinds <= BUS_KINDS
        dropped = []
        for member, first in zip(self._active, readings, strict=True):
            missing = first.quality & _MISSING
            if missing and first.quality & _RESET:
                self._doubt(member)  # a driver took the chip: rows before that are doubtful too
            reading = self._retry(member, started_ns) if missing and not wire else first
            if reading.quality & _MISSING:
                self._missing(member, reading, started_ns, spare=wire)
                if member.breaker.open:
                    dropped.append(member)
            else:
                self._keep(member, reading, flags | self._late(reading.t_ns))
        if wire:
            if self._bus.failed(self._clock.now_ns(), slow=self._slow(started_ns)):
                text = f"no device on this bus answers: {failed[0].source.last_fault}"
                self._sink.fault(self._clock.now_ns(), self.name, "bus", text)
            self._at_a_glance()
        else:
            self._bus.worked()
        if dropped:
            self._use([m for m in self._active if m not in dropped])

    def _retry(self, member: Member, started_ns: int) -> Reading:
        """Up to three tries in all within a quarter of the period, a little apart (jitter)."""
        reading = self._nothing(member)
        if member.sick:
            return reading  # it failed last time as well: one try a tick is enough
        limit_ns = started_ns + self.period_ns // 4
        for _ in range(TRIES.get(fault_kind(member.source), 3) - 1):
            self._count_fault(member)
            pause_ns = int(random.random() * self.period_ns / 64)
            if self._clock.now_ns() + pause_ns >= limit_ns:
                break
            self._clock.sleep_until(self._clock.now_ns() + pause_ns)
            reading = self._read(member)
            if not reading.quality & _MISSING:
                break
        return reading

    def _keep(self, member: Member, reading: Reading, flags: int) -> None:
        quality = int(reading.quality) | flags
        self._sink.reading(member.number, reading.t_ns, reading.raw, quality)
        health = member.health
        health.count(quality | member.flags.of(reading.raw))
        if quality & _LATE:
            health.late += 1
        if quality & _RESET:
            self._doubt(member)
        member.times.append(reading.t_ns)
        member.sick = False
        if member.breaker.failures:
            member.breaker.worked()
        if self._bus.failures:
            self._bus.worked()

    def _doubt(self, member: Member) -> None:
        """The chip lost its state some time since it was last checked: say from when on rows are doubtful."""
        rows = min(getattr(member.source, "doubtful_rows", 1) - 1, len(member.times))
        if rows > 0:
            self._sink.gap(member.source.name, member.times[-rows], member.times[-1], "reset")

    def _missing(self, member: Member, reading: Reading, started_ns: int, *, spare: bool = False) -> None:
        """Write a row without a reading; `spare` the breaker when the wire is to blame."""
        health = member.health
        health.count(_MISSING)
        health.missing += 1
        member.sick = True
        kind = self._count_fault(member)
        self._sink.reading(member.number, reading.t_ns, bytes(member.source.layout.row_bytes), _MISSING)
        self._sink.fault(reading.t_ns, member.source.name, kind, member.source.last_fault)
        if not spare:
            member.breaker.failed(reading.t_ns, slow=self._slow(started_ns))

    def _count_fault(self, member: Member) -> str:
        kind = fault_kind(member.source)
        member.health.count_fault(kind)
        return kind

    def _slow(self, started_ns: int) -> bool:
        """Whether failing took so long that it makes others late."""
        return self._clock.now_ns() - started_ns > max(self.period_ns, SLOW_NS)

    def _late(self, t_ns: int) -> int:
        return _LATE if t_ns - self.due_ns > self._late_ns else 0

    def _probe(self, flags: int) -> None:
        """Try the members that were left alone, when their wait is over."""
        revived = False
        for member in self._all:
            if not member.breaker.open:
                continue
            now_ns = self._clock.now_ns()
            if now_ns < member.breaker.probe_ns:
                member.health.missing += 1
                continue
            reading = self._reopen(member)
            if reading.quality & _MISSING:
                self._missing(member, reading, now_ns)
                continue
            self._sink.gap(member.source.name, member.breaker.since_ns, now_ns, "no answer")
            self._keep(member, reading, flags)
            revived = True
        if revived:
            self._use([m for m in self._all if not m.breaker.open])

    def _probe_bus(self, flags: int) -> None:
        """While a wire is stuck nothing is sent but one probe now and then."""
        now_ns = self._clock.now_ns()
        if now_ns < self._bus.probe_ns:
            for member in self._all:
                member.health.missing += 1
            return
        first = self._active[0] if self._active else self._all[0]
        reading = self._reopen(first)
        if reading.quality & _MISSING:
            self._missing(first, reading, now_ns, spare=True)
            self._bus.failed(now_ns)
            return
        for member in self._all:
            self._sink.gap(member.source.name, self._bus.since_ns, now_ns, "bus did not answer")
        self._bus.worked()
        self._at_a_glance()
        self._keep(first, reading, flags)

    def _reopen(self, member: Member) -> Reading:
        """As at the start: check what is there before its first row counts again."""
        try:
            member.source.open()
        except Exception as error:  # as in _read
            _blame(member.source, error)
            return self._nothing(member)
        return self._read(member)


class ScanBeat(Beat):
    """One look at all processes."""

    def __init__(self, source: ActivitySource, clock: Clock, sink: Sink) -> None:
        super().__init__(source.name, source.period_s)
        self.health = Health()
        self._source = source
        self._clock = clock
        self._sink = sink

    def healths(self) -> dict[str, Health]:
        """Health of the scan."""
        return {self._source.name: self.health}

    def serve(self, flags: int) -> None:
        """Scan; a failed scan is counted, and the next one covers its time (amounts are differences)."""
        self.served_ns = self._clock.now_ns()
        try:
            scan = self._source.scan()
        except Exception as error:  # as in SourceBeat._read
            kind = kind_of(error)
            self.health.count(_MISSING)
            self.health.missing += 1
            self.health.count_fault(kind)
            self._sink.fault(self._clock.now_ns(), self.name, kind, _words(error))
            return
        self._sink.scan(scan)
        self.health.count(flags)
        if scan.t_ns - self.due_ns > self.period_ns // 2:
            self.health.late += 1


def _blame(source: Source, error: Exception) -> None:
    """Remember what `source` raised in place of answering."""
    source.last_fault = f"{kind_of(error)}: {_words(error)}"
    if hasattr(source, "last_kind"):
        source.last_kind = kind_of(error)


def _words(error: Exception) -> str:
    """What happened; a bug is named as what it is."""
    return str(error) if isinstance(error, _EXPECTED) else f"fault in the driver: {type(error).__name__}: {error}"
