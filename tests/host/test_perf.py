from __future__ import annotations

import os
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powerhal.channel import Quality
from powerhal.errors import TransportError
from powerhal.host import perf
from powerhal.host.clusters import CpuGroup
from powerhal.host.context import HostContext
from powerhal.transport.clock import BootClock
from powerhal.transport.files import RealRoot
from powerhal.transport.perf import SOFTWARE, Count, CpuEvent
from tests.host.fake_proc import FakeProc
from tests.host.test_hwmon import values

CLUSTER = CpuGroup("big", (4, 5))


class Machine:
    """Events that a test moves: rate of events while asked for, and whether each has a counter."""

    def __init__(self, missing: tuple[int, ...] = (), refused: bool = False) -> None:
        self.missing, self.refused = missing, refused
        self.state: dict[tuple[int, int], list[int]] = {}
        self.open_now = 0

    def opened(self, config: int, cpu: int) -> CpuEvent:
        if self.refused:
            raise TransportError("no", kind="denied")
        if config in self.missing:
            raise TransportError("no", kind="absent")
        machine, key = self, (config, cpu)
        machine.state.setdefault(key, [0, 0, 0])
        machine.open_now += 1

        class Event:
            def read(self) -> Count:
                return Count(*machine.state[key])

            def close(self) -> None:
                machine.open_now -= 1

        return Event()  # type: ignore[return-value]

    def run(self, config: int, cpu: int, events: int, ns: int, counted: float = 1.0) -> None:
        state = self.state[config, cpu]
        state[0] += round(events * counted)
        state[1] += ns
        state[2] += round(ns * counted)


def source(machine: Machine) -> perf.Counters:
    kernel = FakeProc()
    (found,) = perf.sources([CLUSTER], kernel, kernel.context(), machine.opened)
    assert isinstance(found, perf.Counters)
    found.open()
    return found


STEPS = st.lists(
    st.tuples(st.sampled_from([4, 5]), st.integers(0, 10**6), st.sampled_from([1.0, 0.5, 0.25])), max_size=30
)


@given(STEPS)
def test_events_without_a_counter_are_filled_in(steps: list[tuple[int, int, float]]) -> None:
    machine = Machine(missing=(3, 6))
    ours = source(machine)
    truth = 0
    for cpu, events, counted in steps:
        machine.run(1, cpu, 4 * events, 1000, counted)
        truth += 4 * events
        row = ours.read()
        assert row.quality == Quality.OK
        assert int.from_bytes(row.raw[8:16], "little") == pytest.approx(truth, abs=1)
    assert [c.name for c in ours.layout.channels] == ["cpu.big.cycles", "cpu.big.instructions"]
    ours.close()
    ours.close()
    assert machine.open_now == 0


def test_an_event_that_waits_is_flagged_and_made_up_for() -> None:
    machine = Machine(missing=(1, 3, 6))
    ours = source(machine)
    machine.run(0, 4, 500, 1000)
    machine.run(0, 5, 700, 1000, counted=0.0)
    row = ours.read()
    assert row.quality == Quality.STALE
    assert int.from_bytes(row.raw, "little") == 500
    machine.run(0, 5, 700, 1000)
    row = ours.read()
    assert row.quality == Quality.OK
    assert int.from_bytes(row.raw, "little") == 500 + 1400


def test_what_is_not_permitted_or_not_there_is_said() -> None:
    for machine, word in ((Machine(refused=True), "CAP_PERFMON"), (Machine(missing=(0, 1, 3, 6)), "does not count")):
        kernel = FakeProc()
        context = kernel.context()
        assert perf.sources([CLUSTER], kernel, context, machine.opened) == []
        assert any(word in note for note in context.notes)
    kernel = FakeProc()
    context = kernel.context()
    assert perf.detect(kernel, context) == []
    assert any("running machine" in note for note in context.notes)


def test_real_kernel_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(perf, "EVENTS", {"switches": 3})  # PERF_COUNT_SW_CONTEXT_SWITCHES: on every machine
    cluster = CpuGroup("all", tuple(sorted(os.sched_getaffinity(0))))
    context = HostContext(BootClock())
    found = perf.sources([cluster], RealRoot(), context, partial(CpuEvent, SOFTWARE))
    if not found:
        pytest.skip("; ".join(context.notes))
    ours = found[0]
    ours.open()
    before = values(ours)["cpu.all.switches"]
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        for _ in range(200):
            os.read(reading, 1)
        os._exit(0)
    for _ in range(200):
        os.write(writing, b"x")
        os.sched_yield()
    os.waitpid(child, 0)
    assert values(ours)["cpu.all.switches"] > before
    ours.close()
