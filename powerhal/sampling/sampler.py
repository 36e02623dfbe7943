"""The clocked loop: everything due is done in one wake-up, then one sleep to the next deadline.

Deadlines are absolute and lie on one grid, so rhythms that divide each other wake the processor once.
What was missed is counted and skipped. Rows are stamped by their source, after the read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from powerhal.channel import Quality, Source
from powerhal.sampling.batching import batches
from powerhal.sampling.beat import Beat, Member, ScanBeat, SourceBeat
from powerhal.sampling.health import Health
from powerhal.sampling.sink import Sampled, Sink
from powerhal.sampling.stop import Stop
from powerhal.sampling.timekeeping import Timekeeper
from powerhal.transport.clock import VirtualClock

SECOND_NS = 1_000_000_000
HEALTH_NS = 5 * SECOND_NS
OVERSLEPT_NS = SECOND_NS // 4


class Sampler:
    """Reads an assembly's open sources at their periods into `sink` until told to stop.

    Faults of hardware become flags, counters and fault rows; nothing here raises for them.
    """

    def __init__(self, assembly: Sampled, sink: Sink, *, stop: Stop | None = None, boot_id: str = "") -> None:
        self.stop = stop or Stop()
        self.started_ns = 0
        self.ended_ns = 0
        self.wakeups = 0
        self._clock = assembly.clock
        self._sink = sink
        self._boot_id = boot_id
        self._virtual = isinstance(assembly.clock, VirtualClock)
        self._sources: list[SourceBeat] = list(self._source_beats(assembly.sources))
        scans = [ScanBeat(s, self._clock, sink) for s in assembly.activity_sources]
        self._beats: list[Beat] = [*self._sources, *scans]

    @property
    def health(self) -> dict[str, Health]:
        """Counters per source name."""
        return {name: health for beat in self._beats for name, health in beat.healths().items()}

    def run(
        self,
        duration_s: float | None = None,
        until: Callable[[], bool] | None = None,
        on_start: Callable[[], None] | None = None,
        on_wake: Callable[[float], None] | None = None,
    ) -> None:
        """Sample for `duration_s` of the clock, or until `until()` or `stop.requested` is true.

        Everything is read once at the start, before `on_start()`, and once more at the end, so that
        counters cover the whole run. `on_wake(seconds so far)` is called after each wake-up.
        """
        keeper = Timekeeper(self._clock, self._sink, self._boot_id)
        now = self.started_ns = self._clock.now_ns()
        for beat in self._beats:
            beat.due_ns = now
            beat.serve(0)
            beat.due_ns = now
            beat.advance(now)
        end = now + round(duration_s * 1e9) if duration_s is not None else None
        if on_start is not None:
            on_start()
        health_at, watch_at, flags = now + HEALTH_NS, now, 0
        while True:
            now = self._clock.now_ns()
            due = min((b.due_ns for b in self._beats), default=now + SECOND_NS)
            if end is not None:
                due = min(due, end)
            self._sink.tick(now, due)
            if self._over(end, now, until):
                break
            self._sleep(due)
            now = self._clock.now_ns()
            self.wakeups += 1
            if now >= watch_at or now - due > OVERSLEPT_NS:
                watch_at = now + SECOND_NS
                flags = self._watch(keeper, now)
            self._serve(now, flags)
            flags = 0
            if now >= health_at:
                health_at = now + HEALTH_NS
                self._report()
            if on_wake is not None:
                on_wake((now - self.started_ns) * 1e-9)
        self._finish()

    def _over(self, end: int | None, now: int, until: Callable[[], bool] | None) -> bool:
        return self.stop.requested or (end is not None and now >= end) or (until is not None and until())

    def _sleep(self, due_ns: int) -> None:
        if self._virtual:
            self._clock.sleep_until(due_ns)  # a simulated world must not be torn by a signal
        else:
            self.stop.sleep(self._clock, due_ns)

    def _watch(self, keeper: Timekeeper, now: int) -> int:
        """Look at the clocks; after a suspend the skipped ticks are nobody's fault."""
        slept = keeper.look(now)
        if not slept:
            return 0
        for beat in self._beats:
            if now - beat.due_ns >= beat.period_ns:
                skipped = (now - beat.due_ns) // beat.period_ns
                beat.due_ns += skipped * beat.period_ns
                for health in beat.healths().values():
                    health.suspended += skipped
        return int(Quality.CLOCK)

    def _serve(self, now: int, flags: int) -> None:
        for beat in self._beats:
            if beat.due_ns <= now:
                beat.serve(flags)
                skipped = beat.advance(self._clock.now_ns())
                if skipped:
                    for health in beat.healths().values():
                        health.missed += skipped

    def _finish(self) -> None:
        """The last rows: every source once more, the processes last."""
        now = self._clock.now_ns()
        for beat in self._beats:
            beat.last(now)
        self.ended_ns = self._clock.now_ns()
        self._report()

    def _report(self) -> None:
        for name, health in self.health.items():
            self._sink.health(name, health.to_dict())

    def _source_beats(self, sources: Sequence[Source]) -> Iterable[SourceBeat]:
        for group, join in batches(sources):
            members = [Member(s, self._sink.add_source(s.name, s.layout, s.period_s)) for s in group]
            yield SourceBeat(members, group[0].period_s, self._clock, self._sink, join)
