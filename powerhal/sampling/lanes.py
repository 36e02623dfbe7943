"""A thread for each wire, so that a bus call that hangs delays nothing but its own bus.

What a lane takes flows one way: into a queue that the main loop empties into the sink, in order of time. The
lane never waits for anybody; the main loop never waits for a lane, it sees that one is overdue and says so.
"""

from __future__ import annotations

import threading
import time
from array import array
from collections import deque
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any

from powerhal.channel import Quality
from powerhal.sampling.beat import SourceBeat
from powerhal.sampling.rota import Rota
from powerhal.sampling.sink import Sink
from powerhal.sampling.timekeeping import Sleeps
from powerhal.transport import Clock
from powerhal.transport.alarm import Alarm

HAND_OVER_NS = 500_000_000
HUNG_NS = 1_000_000_000  # overdue by so long: the bus hangs
BEGIN_S = 2.0  # so long is waited for the first rows of all wires
HANGS = "bus hangs"
END_S = 0.4  # and so long for the last ones: a signal must end the run within half a second

Item = tuple[int, str, tuple[Any, ...]]
"""(time in ns, method of the sink, its arguments)."""


class Outbox:
    """A `RowSink` that queues what it is told; `deque` needs no lock for one writer and one reader."""

    def __init__(self) -> None:
        self.items: deque[Item] = deque()

    def reading(self, source: int, t_ns: int, raw: bytes, quality: int = 0) -> None:
        """One row."""
        self.items.append((t_ns, "reading", (source, t_ns, raw, quality)))

    def block(self, source: int, times: array[int], raw: bytes, quality: int = 0) -> None:
        """Rows end to end."""
        self.items.append((times[0], "block", (source, times, raw, quality)))

    def fault(self, t_ns: int, source: str, kind: str, text: str) -> None:
        """Something went wrong."""
        self.items.append((t_ns, "fault", (t_ns, source, kind, text)))

    def gap(self, source: str, t0_ns: int, t1_ns: int, reason: str) -> None:
        """Time without measurement."""
        self.items.append((t1_ns, "gap", (source, t0_ns, t1_ns, reason)))

    def empty(self) -> list[Item]:
        """What is there now, taken out."""
        return [self.items.popleft() for _ in range(len(self.items))]


class Lane:
    """The beats of one wire and the thread that serves them; `name` is the wire's."""

    def __init__(self, name: str, beats: Sequence[SourceBeat], outbox: Outbox, clock: Clock) -> None:
        self.name = name
        self.outbox = outbox
        self.rota = Rota(beats, clock)
        self.wakeups = 0
        self.error: BaseException | None = None
        self.begun = threading.Event()
        self._beats = beats
        self._clock = clock
        self._alarm = Alarm(self.rota.pace_ns)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"powerhal-{name}", daemon=True)

    def start(self) -> None:
        """Begin: every source is read once."""
        self._thread.start()

    def overdue_ns(self, now_ns: int) -> int:
        """How long ago a beat should have been served and was not; negative when none is late."""
        return max(now_ns - beat.served_ns - beat.period_ns for beat in self._beats)

    @property
    def served_ns(self) -> int:
        """When the wire was last tried."""
        return max(beat.served_ns for beat in self._beats)

    def end(self) -> None:
        """Ask for the last rows and the end; does not wait."""
        self._ending.set()
        self._alarm.ring()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False when the wire still hangs (the thread ends with the process, and writes nothing)."""
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            return False
        self._alarm.close()
        return True

    def _run(self) -> None:
        try:
            self._sample()
        except BaseException as error:
            self.error = error
        finally:
            self.begun.set()

    def _sample(self) -> None:
        rota, clock, sleep, sleeps = self.rota, self._clock, self._alarm.sleep_until, Sleeps(self._clock)
        rota.begin()
        rota.settle()
        self.begun.set()
        hand_over_ns = clock.now_ns() + HAND_OVER_NS
        while not self._ending.is_set():
            self.wakeups += rota.cruise(sleep, hand_over_ns)
            sleep(rota.due_ns)
            if self._ending.is_set():
                break
            now_ns = clock.now_ns()
            self.wakeups += 1
            flags = 0
            if now_ns >= hand_over_ns or now_ns - rota.due_ns > HUNG_NS // 4:
                hand_over_ns = now_ns + HAND_OVER_NS
                rota.settle()
                if sleeps.look():
                    rota.slept(now_ns)
                    flags = int(Quality.CLOCK)
            since_ns = rota.begun_ns or now_ns
            done_ns = rota.serve(now_ns, flags)
            if done_ns - since_ns > HUNG_NS:
                self._hung(since_ns, done_ns)
        rota.last()

    def _hung(self, since_ns: int, until_ns: int) -> None:
        """The wire gave nothing for so long, to none of its sources."""
        for name, health in self.rota.health.items():
            health.count_fault("bus")
            self.outbox.gap(name, since_ns, until_ns, HANGS)


class Lanes:
    """All lanes of a run, as the main loop sees them."""

    def __init__(self, lanes: Sequence[Lane], sink: Sink) -> None:
        self.lanes = tuple(lanes)
        self._sink = sink
        self._seen_ns = dict.fromkeys(lanes, -1)  # when each was last served, as of the last look
        self._said: set[Lane] = set()  # of which it was said that they hang

    def begin(self) -> None:
        """Start them and wait, not for ever, until each has read its sources once."""
        for lane in self.lanes:
            lane.start()
        for lane in self.lanes:
            lane.begun.wait(BEGIN_S)

    def look(self, now_ns: int) -> None:
        """Take over what they have, and say which of them hang; raises what a lane raised."""
        for lane in self.lanes:
            if lane.error is not None:
                raise lane.error
            served_ns, seen_ns = lane.served_ns, self._seen_ns[lane]
            self._seen_ns[lane] = served_ns
            if served_ns != seen_ns:
                self._said.discard(lane)
            elif lane.overdue_ns(now_ns) > HUNG_NS:  # at two looks: one may be the first after a suspend
                self._hangs(lane, now_ns)
        self._empty()

    def end(self, started_ns: int) -> None:
        """The last rows of those that answer; what hangs is a gap up to now."""
        until_s = time.monotonic() + END_S
        self.abandon()
        for lane in self.lanes:
            if not lane.join(max(0.0, until_s - time.monotonic())):
                now_ns = lane.rota.now_ns()
                self._hangs(lane, now_ns)
                for name, health in lane.rota.health.items():
                    health.count_fault("bus")
                    self._sink.gap(name, max(started_ns, lane.served_ns), now_ns, HANGS)
        self._empty()

    def abandon(self) -> None:
        """Tell all to end, and wait for none."""
        for lane in self.lanes:
            lane.end()

    @property
    def wakeups(self) -> int:
        """Of all lanes."""
        return sum(lane.wakeups for lane in self.lanes)

    def _hangs(self, lane: Lane, now_ns: int) -> None:
        if lane not in self._said:
            self._said.add(lane)
            text = f"{lane.name} does not answer and does not fail: the call hangs"
            self._sink.fault(now_ns, lane.name, "bus", text)

    def _empty(self) -> None:
        if not self.lanes:
            return
        items = [item for lane in self.lanes for item in lane.outbox.empty()]
        for _, method, arguments in sorted(items, key=itemgetter(0)):
            getattr(self._sink, method)(*arguments)


def wire_of(source: object) -> object | None:
    """The adapter that a source's calls go through, multiplexers looked through; None for what has no bus."""
    bus: object | None = getattr(source, "bus", None)
    while (parent := getattr(bus, "parent", None)) is not None:
        bus = parent
    return bus


def wires_of(sources: Iterable[object]) -> dict[int, str]:
    """The names of the different adapters of these sources, by identity."""
    found = (wire_of(source) for source in sources)
    return {id(wire): str(getattr(wire, "name", "bus")) for wire in found if wire is not None}
