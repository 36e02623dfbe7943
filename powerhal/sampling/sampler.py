"""The clocked loop: everything due is done in one wake-up, then one sleep to the next deadline.

Deadlines are absolute and lie on one grid, so rhythms that divide each other wake the processor once.
What was missed is counted and skipped. Rows are stamped by their source, after the read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from powerhal.channel import Quality, Source
from powerhal.sampling.batching import batches
from powerhal.sampling.beat import Member, ScanBeat, SourceBeat
from powerhal.sampling.health import Health
from powerhal.sampling.lanes import Lane, Lanes, Outbox, wire_of, wires_of
from powerhal.sampling.rota import Rota
from powerhal.sampling.sink import Sampled, Sink
from powerhal.sampling.stop import Stop
from powerhal.sampling.timekeeping import Timekeeper
from powerhal.transport.alarm import Alarm, alarms_work
from powerhal.transport.clock import BootClock, VirtualClock

SECOND_NS = 1_000_000_000
HEALTH_NS = 5 * SECOND_NS
LOOK_NS = SECOND_NS // 2
OVERSLEPT_NS = SHORT_NS = SECOND_NS // 4
FOREVER_NS = 1 << 62


class Sampler:
    """Reads an assembly's open sources at their periods into `sink` until told to stop.

    Faults of hardware become flags, counters and fault rows; nothing here raises for them. On the clock of the
    machine, a board of several buses is read by a thread for each of them.
    """

    fewest = 2  # buses; a single one delays nobody but the kernel's files, and a thread would cost more than that

    def __init__(self, assembly: Sampled, sink: Sink, *, stop: Stop | None = None, boot_id: str = "") -> None:
        self.stop = stop or Stop()
        self.started_ns = 0
        self.ended_ns = 0
        self.wakeups = 0
        self._clock = assembly.clock
        self._virtual = isinstance(assembly.clock, VirtualClock)
        self._rings = isinstance(assembly.clock, BootClock) and alarms_work()
        self._sink = sink
        self._boot_id = boot_id
        scans = [ScanBeat(s, self._clock, sink) for s in assembly.activity_sources]
        lanes, rest = self._arrange(assembly.sources)
        self._lanes = Lanes(lanes, sink)
        self._rota = Rota([*rest, *scans], self._clock)

    @property
    def health(self) -> dict[str, Health]:
        """Counters per source name."""
        lanes = [lane.rota.health for lane in self._lanes.lanes]
        return {name: health for each in (*lanes, self._rota.health) for name, health in each.items()}

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
        started = self.started_ns = self._clock.now_ns()
        self._lanes.begin()
        self._rota.begin()
        end = started + round(duration_s * 1e9) if duration_s is not None else FOREVER_NS
        if on_start is not None:
            on_start()
        flush_at = now = self._clock.now_ns()
        look_ns = LOOK_NS if self._lanes.lanes else FOREVER_NS
        health_at, watch_at, flags = started + HEALTH_NS, started, 0
        glance_ns = self._patience_ns(asked=until is not None or on_wake is not None)
        with self._sleeper() as sleep:
            while True:
                due = min(self._rota.due_ns, end, now + look_ns)
                if now >= flush_at or due > flush_at:
                    self._rota.settle()
                    flush_at = self._sink.tick(now, due)
                if self.stop.requested or now >= end or (until is not None and until()):
                    break
                self._lanes.look(now)
                self.wakeups += self._rota.cruise(sleep, min(end, flush_at, health_at, watch_at, now + glance_ns))
                due = min(self._rota.due_ns, end, now + look_ns)
                sleep(due)
                woken = self._clock.now_ns()
                self.wakeups += 1
                if woken >= watch_at or woken - due > OVERSLEPT_NS:
                    watch_at = woken + SECOND_NS
                    flags = self._watch(keeper, woken)
                now = self._rota.serve(woken, flags)
                flags = 0
                if now >= health_at:
                    health_at = now + HEALTH_NS
                    self._report()
                if on_wake is not None:
                    on_wake((woken - started) * 1e-9)
        self._finish()

    def _patience_ns(self, *, asked: bool) -> int:
        """For how long wake-ups may pass without a look at anything but the rows; `asked`: somebody waits to be asked.

        Who waits for a child is told by its signal, if signals end sleeps.
        """
        if not asked:
            return SECOND_NS
        return SHORT_NS if self.stop.heeded and not self._virtual else 0

    @contextmanager
    def _sleeper(self) -> Iterator[Callable[[int], None]]:
        """How to sleep until a time: a simulated world must not be torn by a signal, a real one wakes at each."""
        clock, stop = self._clock, self.stop
        if self._virtual:
            yield clock.sleep_until
        elif self._rings:
            stop.alarm = Alarm(self._rota.pace_ns)
            try:
                yield stop.alarm.sleep_until
            finally:
                self._lanes.abandon()
                alarm, stop.alarm = stop.alarm, None
                alarm.close()
        else:
            yield lambda due_ns: stop.sleep(clock, due_ns)

    def _watch(self, keeper: Timekeeper, now: int) -> int:
        """Look at the clocks; answers the quality of the rows to come."""
        if not keeper.look(now):
            return 0
        self._rota.slept(now)
        return int(Quality.CLOCK)

    def _finish(self) -> None:
        """The last rows: every source once more, the processes last."""
        self._lanes.end(self.started_ns)
        self.wakeups += self._lanes.wakeups
        self._rota.last()
        self.ended_ns = self._clock.now_ns()
        self._report()

    def _report(self) -> None:
        self._rota.settle()
        for name, health in self.health.items():
            self._sink.health(name, health.to_dict())

    def _arrange(self, sources: Sequence[Source]) -> tuple[list[Lane], list[SourceBeat]]:
        """The lanes of a board of several buses, and the beats that the main loop serves."""
        clock, wires = self._clock, wires_of(sources)
        if not self._rings or len(wires) < self.fewest:
            wires = {}
        outboxes = {key: Outbox() for key in wires}
        of_wire: dict[int, list[SourceBeat]] = {}
        rest: list[SourceBeat] = []
        for group, join in batches(sources):
            members = [Member(s, self._sink.add_source(s.name, s.layout, s.period_s)) for s in group]
            key = id(wire_of(group[0]))
            beat = SourceBeat(members, group[0].period_s, clock, outboxes.get(key, self._sink), join)
            (of_wire.setdefault(key, []) if key in outboxes else rest).append(beat)
        return [Lane(wires[key], beats, outboxes[key], clock) for key, beats in of_wire.items()], rest
