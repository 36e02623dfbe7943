from __future__ import annotations

from itertools import pairwise
from unittest.mock import Mock

import pytest

from powerhal.channel import Quality
from powerhal.sampling import Sampler, Stop
from powerhal.transport.clock import VirtualClock
from tests.sampling.fakes import SECOND, FakeAssembly, FakeScan, FakeSink, FakeSource, SleepyClock


def sample(sources=(), scans=(), clock=None, duration_s=2.0, **more):
    sink = FakeSink()
    sampler = Sampler(FakeAssembly(clock or sources[0].clock, list(sources), list(scans)), sink)
    sampler.run(duration_s, **more)
    return sampler, sink


def test_deadlines_are_absolute_and_ends_are_covered():
    clock = VirtualClock(start_ns=SECOND)
    _, sink = sample([FakeSource(clock)])
    assert sink.times() == [SECOND + i * SECOND // 10 for i in range(21)]
    assert sink.counters["a"]["samples"] == 21
    assert all(q == 0 for *_, q in sink.rows)


def test_what_is_due_together_is_one_wakeup():
    clock = VirtualClock()
    sources = [FakeSource(clock, "a", 0.1), FakeSource(clock, "b", 0.5), FakeSource(clock, "c", 0.1)]
    sampler, sink = sample(sources, [FakeScan(clock)])
    assert sampler.wakeups == 20
    assert len(sink.scans) == 3
    assert len(sink.times(1)) == 5


def test_a_slow_read_skips_ticks_counts_them_and_never_bursts():
    clock = VirtualClock()
    slow = FakeSource(clock, "slow", 0.1, cost_ns=250_000_000)
    sampler, sink = sample([slow], duration_s=3.0)
    times = sink.times()
    assert min(b - a for a, b in pairwise(times)) >= 250_000_000
    # every tick of the grid was either served or counted as missed (the first and last row are extra)
    assert sampler.health["slow"].missed + len(times) - 2 == int(times[-2] / 1e8)
    assert sampler.health["slow"].late >= len(times) - 2
    assert sum(bool(q & Quality.LATE) for *_, q in sink.rows) == sampler.health["slow"].late


def test_one_fault_never_stops_another():
    clock = VirtualClock()
    dead = FakeSource(clock, "dead", 0.1, lambda n: "absent")
    well = FakeSource(clock, "well", 0.1)
    sampler, sink = sample([dead, well], duration_s=10.0)
    assert len(sink.times(1)) == 101
    assert sink.times(0) == []
    health = sampler.health["dead"]
    assert health.missing >= 100
    assert health.faults["absent"] >= 3
    assert dead.reads < 20, "the breaker must leave a dead source alone"
    assert sink.faults[0][1:3] == ("dead", "absent")


def test_probes_come_after_1_2_4_seconds_and_never_more_than_60_apart():
    clock = VirtualClock()
    dead = FakeSource(clock, "dead", 0.1, lambda n: "absent")
    opened = []
    dead.open = lambda: opened.append(clock.now_ns() / SECOND)
    sample([dead], duration_s=400.0)
    waits = [b - a for a, b in pairwise(opened)]
    assert waits == pytest.approx([2, 4, 8, 16, 32, 60, 60, 60, 60, 60], abs=0.2)


def test_a_source_that_returns_is_reopened_and_its_gap_declared():
    clock = VirtualClock()
    flaky = FakeSource(clock, "flaky", 0.1, lambda n: "timeout" if 5 <= clock.now_ns() / SECOND < 7.5 else "")
    _, sink = sample([flaky], duration_s=20.0)
    assert flaky.opens == 2  # one probe in vain, one that found it again
    name, since, until, _ = sink.gaps[0]
    assert name == "flaky"
    assert (since / SECOND, until / SECOND) == pytest.approx((5.0, 8.2), abs=0.2)
    assert len([t for t in sink.times() if t > until]) >= 110


def test_a_fault_that_passes_is_retried_within_a_quarter_of_the_period():
    clock = VirtualClock()
    source = FakeSource(clock, "a", 0.1, lambda n: "arbitration" if n == 5 else "")
    sampler, sink = sample([source])
    assert len(sink.times()) == 21
    assert sampler.health["a"].faults == {"arbitration": 1}
    assert sampler.health["a"].missing == 0
    assert all(t % (SECOND // 10) < SECOND // 40 for t in sink.times())


def test_a_source_that_raises_is_a_fault_not_a_crash():
    clock = VirtualClock()
    well = FakeSource(clock, "well")
    for error in (OSError(5, "Input/output error"), ZeroDivisionError("a bug")):
        source = FakeSource(clock)
        source.read = Mock(side_effect=error)
        sampler, sink = sample([source, well])
        assert sink.times(0) == []
        assert len(sink.times(1)) == 21
        assert sampler.health["a"].faults["io"] >= 3
        assert str(error) in sink.faults[0][3]


def test_a_failed_scan_is_counted_and_the_next_one_goes_on():
    clock = VirtualClock()
    scan = FakeScan(clock, script=lambda n: n == 2)
    sampler, sink = sample([], [scan], clock=clock, duration_s=3.0)
    assert len(sink.scans) == 3
    assert sampler.health["processes"].faults == {"denied": 1}


def test_suspend_is_a_declared_gap_and_nobodys_missed_tick():
    clock = SleepyClock({3 * SECOND: lambda c: c.suspend(100 * SECOND)})
    source = FakeSource(clock)
    sampler, sink = sample([source], duration_s=110.0)
    assert [(g[0], g[3]) for g in sink.gaps] == [("", "suspended")]
    assert sink.gaps[0][2] - sink.gaps[0][1] == 100 * SECOND
    assert sampler.health["a"].missed == 0
    assert sampler.health["a"].suspended == 1000
    flagged = [t for _, t, _, q in sink.rows if q & Quality.CLOCK]
    assert flagged == [103 * SECOND]


@pytest.mark.parametrize("step", [10**17, -(10**17), 20_000_000])
def test_a_wall_clock_step_is_only_a_side_record(step):
    def jump(clock):
        clock.step_ns = step

    clock = SleepyClock({3 * SECOND: jump})
    _, sink = sample([FakeSource(clock)], duration_s=5.0)
    assert sink.times() == [SECOND + i * SECOND // 10 for i in range(51)]
    assert len(sink.clocks) == 2
    boot, real, _ = sink.clocks[1]
    assert real - boot - (sink.clocks[0][1] - sink.clocks[0][0]) == step


def test_small_wander_of_the_wall_clock_is_not_written():
    clock = SleepyClock({3 * SECOND: lambda c: setattr(c, "step_ns", 5_000_000)})
    _, sink = sample([FakeSource(clock)], duration_s=5.0)
    assert len(sink.clocks) == 1


def test_until_and_stop_and_on_start():
    clock = VirtualClock()
    calls = []
    sink = FakeSink()
    sampler = Sampler(FakeAssembly(clock, [FakeSource(clock)]), sink, stop=Stop())
    sampler.run(None, until=lambda: clock.now_ns() >= SECOND, on_start=lambda: calls.append(len(sink.rows)))
    assert calls == [1], "everything is read once before the command starts"
    assert clock.now_ns() == SECOND
    sampler.stop.request()
    sampler.run(100.0)
    assert clock.now_ns() == SECOND


def test_row_flags_reach_the_counters():
    clock = VirtualClock()
    source = FakeSource(clock)
    source.reads = 0x7FF0
    sampler, _ = sample([source], duration_s=3.0)
    assert sampler.health["a"].saturated == 16


def test_tick_tells_the_sink_when_the_next_wakeup_is():
    clock = VirtualClock()
    _, sink = sample([FakeSource(clock, period_s=10.0)], duration_s=25.0)
    assert sink.ticks == [(0, 10 * SECOND), (10 * SECOND, 20 * SECOND), (20 * SECOND, 25 * SECOND),
                          (25 * SECOND, 25 * SECOND)]  # fmt: skip
