from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from powerhal.channel import Quality, Reading
from powerhal.sampling.beat import Member, SourceBeat
from powerhal.transport.clock import VirtualClock
from tests.sampling.fakes import SECOND, FakeSink, FakeSource


class FakeBatch:
    """Reads all its sources in one go, and remembers which they were."""

    made: list[list[str]]

    def __init__(self, sources: Sequence[FakeSource], made: list[list[str]]):
        self.sources = sources
        made.append([s.name for s in sources])

    def read(self) -> list[Reading]:
        return [s.read() for s in self.sources]


def beat_of(sources, clock):
    sink, made = FakeSink(), []
    members = [Member(s, i) for i, s in enumerate(sources)]
    beat = SourceBeat(members, 0.1, clock, sink, lambda group: FakeBatch(group, made))
    return beat, sink, made


def turn(beat, clock, ticks):
    for _ in range(ticks):
        beat.serve(0)
        beat.advance(clock.now_ns())
        clock.sleep_until(beat.due_ns)


def test_a_dead_chip_leaves_the_batch_and_comes_back_to_it():
    clock = VirtualClock()
    dead = FakeSource(clock, "dead", script=lambda n: "absent" if clock.now_ns() < 2 * SECOND else "")
    well = FakeSource(clock, "well")
    beat, sink, made = beat_of([dead, well], clock)
    turn(beat, clock, 60)
    assert made[0] == made[-1] == ["dead", "well"]
    assert len(sink.times(1)) == 60
    assert sink.times(0)[0] >= 2 * SECOND
    assert sink.gaps[0][0] == "dead"


def test_a_stuck_bus_is_one_fault_and_nothing_is_sent_but_probes():
    clock = VirtualClock()

    def stuck(n):
        return "timeout" if clock.now_ns() < 3 * SECOND else ""

    one, two = FakeSource(clock, "one", script=stuck), FakeSource(clock, "two", script=stuck)
    beat, sink, _ = beat_of([one, two], clock)
    turn(beat, clock, 60)
    assert [f[2] for f in sink.faults].count("bus") == 1
    assert two.reads < 5 + len(sink.times(1)), "a stuck wire must be left alone"
    assert {g[0] for g in sink.gaps} == {"one", "two"}
    assert beat.healths()["two"].missing >= 25
    assert sink.times(1)[-1] > 5 * SECOND


def test_a_slow_failure_opens_the_breaker_at_once():
    clock = VirtualClock()
    source = FakeSource(clock, "slow", script=lambda n: "timeout", cost_ns=SECOND)
    beat = SourceBeat([Member(source, 0)], 0.1, clock, FakeSink())
    turn(beat, clock, 5)
    assert source.reads == 1


def test_missing_rows_are_flagged_zeros():
    clock = VirtualClock()
    source = FakeSource(clock, "a", script=lambda n: "denied")
    sink = FakeSink()
    beat = SourceBeat([Member(source, 0)], 0.1, clock, sink)
    beat.serve(0)
    assert sink.rows == [(0, 0, b"\0\0", int(Quality.MISSING))]
    assert source.reads == 1, "what is denied is not retried"


def test_a_lost_state_makes_the_rows_since_the_last_check_doubtful():
    clock = VirtualClock()
    source = FakeSource(clock)
    plain = source.read

    def read():
        reading = plain()
        source.doubtful_rows = source.reads
        return replace(reading, quality=Quality.RESET) if source.reads == 5 else reading

    source.read = read
    sink = FakeSink()
    beat = SourceBeat([Member(source, 0)], 0.1, clock, sink)
    turn(beat, clock, 6)
    assert sink.gaps == [("a", 0, 3 * SECOND // 10, "reset")]
