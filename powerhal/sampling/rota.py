"""The beats that one thread serves: whose turn it is, and when the next one is due."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from powerhal.sampling.beat import Beat
from powerhal.sampling.health import Health
from powerhal.transport import Clock

IDLE_NS = 1_000_000_000  # a rota without beats wakes up so often


class Rota:
    """Beats of one clock; `due_ns` is the nearest deadline, `pace_ns` the shortest period.

    At most wake-ups only the beat of the shortest period is due: the others are not even looked at then.
    """

    def __init__(self, beats: Sequence[Beat], clock: Clock) -> None:
        self.beats = tuple(beats)
        self.pace_ns = min((beat.period_ns for beat in beats), default=IDLE_NS)
        self.now_ns = clock.now_ns
        self._quick = min(beats, key=lambda beat: beat.period_ns, default=None)
        self._others = [beat for beat in beats if beat is not self._quick]
        self._others_ns = self.due_ns = 0

    def begin(self) -> int:
        """Serve every beat once and set its first deadline; answers when that began, in ns."""
        now_ns = self.now_ns()
        for beat in self.beats:
            beat.due_ns = now_ns
            beat.serve(0)
            beat.due_ns = now_ns
            beat.advance(now_ns)
        self.recount()
        return now_ns

    def serve(self, now_ns: int, flags: int) -> int:
        """Serve what is due at `now_ns`, rows getting the quality `flags`; answers when it was done, in ns."""
        quick = self._quick
        if now_ns < self._others_ns and quick is not None:
            if quick.due_ns > now_ns:
                return now_ns
            done_ns = self._turn(quick, flags)
            self.due_ns = min(quick.due_ns, self._others_ns)
            return done_ns
        for beat in self.beats:
            if beat.due_ns <= now_ns:
                self._turn(beat, flags)
        self.recount()
        return self.now_ns()

    def cruise(self, sleep: Callable[[int], None], until_ns: int) -> int:
        """Sleep and serve as long as only the quickest beat is due and all its rows go on as before.

        Ends before the deadline that is not before `until_ns`, where another beat is due, when a sleep is cut short,
        a tick was missed, or a row needs more than a glance: `serve` does what is left. Answers how often it woke up.
        """
        quick, now_ns = self._quick, self.now_ns
        glance = quick.glimpse() if quick is not None else None
        if quick is None or glance is None:
            return 0
        until_ns = min(until_ns, self._others_ns)
        due_ns, period_ns, late_ns, wakeups = quick.due_ns, quick.period_ns, quick.period_ns // 2, 0
        while due_ns < until_ns:
            sleep(due_ns)
            wakeups += 1
            woken_ns = now_ns()
            if woken_ns < due_ns:
                break
            t_ns = glance(due_ns + late_ns)
            if t_ns < 0:
                quick.begun_ns = woken_ns
                break
            due_ns += period_ns
            if t_ns >= due_ns:
                quick.due_ns, quick.served_ns = due_ns - period_ns, woken_ns
                self._skip(quick, t_ns)
                due_ns = quick.due_ns
                break
            quick.served_ns = woken_ns
        quick.due_ns = due_ns
        self.due_ns = min(due_ns, self._others_ns)
        return wakeups

    def _turn(self, beat: Beat, flags: int) -> int:
        beat.serve(flags)
        now_ns = self.now_ns()
        self._skip(beat, now_ns)
        return now_ns

    def _skip(self, beat: Beat, now_ns: int) -> None:
        """Set the deadline after `now_ns`; what lies between was missed."""
        skipped = beat.advance(now_ns)
        if skipped:
            for health in beat.healths().values():
                health.missed += skipped

    def recount(self) -> None:
        """Find the nearest deadline anew."""
        idle_ns = self.now_ns() + IDLE_NS
        self._others_ns = min((beat.due_ns for beat in self._others), default=1 << 62)
        self.due_ns = min(self._others_ns, self._quick.due_ns if self._quick else idle_ns)

    def settle(self) -> None:
        """Have all beats hand over what they took."""
        for beat in self.beats:
            beat.settle()

    def slept(self, now_ns: int) -> None:
        """The machine was suspended until `now_ns`: the ticks that it slept through are nobody's fault."""
        for beat in self.beats:
            if now_ns - beat.due_ns >= beat.period_ns:
                skipped = (now_ns - beat.due_ns) // beat.period_ns
                beat.due_ns += skipped * beat.period_ns
                for health in beat.healths().values():
                    health.suspended += skipped
        self.recount()

    def last(self) -> None:
        """Every beat once more, in order."""
        now_ns = self.now_ns()
        for beat in self.beats:
            beat.last(now_ns)
        self.settle()

    @property
    def begun_ns(self) -> int:
        """When the reading began that the next `serve` goes on with, 0 when there is none."""
        return self._quick.begun_ns if self._quick is not None else 0

    @property
    def health(self) -> dict[str, Health]:
        """Counters per source name."""
        return {name: health for beat in self.beats for name, health in beat.healths().items()}
