"""Rows taken at a glance are the very rows, flags, gaps and counters that judging each one would have given."""

from __future__ import annotations

import random
import tempfile
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal import chips
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.chips.schedule import BusSchedule
from powerhal.chips.source import ChipSource
from powerhal.sampling import Sampler
from powerhal.transport.clock import VirtualClock
from powerhal.transport.files import CopiedRoot
from powerhal.transport.i2c import LinuxI2c
from tests.sampling.fakes import FakeAssembly, FakeSink
from tests.transport.wires import KernelAdapter, WordChip

PERIOD_S = 0.02


class Judging(BusSchedule):
    """Judges every row."""

    def _promise(self, t_ns: int) -> None:
        self._left = 0


def sampled(kinds: list[str], script: list[tuple[int, int, Any]], ticks: int, *, glancing: bool) -> tuple[Any, ...]:
    """What a run writes and counts; `script`: at tick n chip i gets (register, word), 'gone', 'back' or 'reset'."""
    clock, random_state = VirtualClock(start_ns=10**9), random.getstate()
    random.seed(1)
    with tempfile.TemporaryDirectory() as folder:
        types = [chips.load(kind) for kind in kinds]
        power_on = [{r.address: r.wire(r.por or 0) for r in kind.registers} for kind in types]
        for registers in power_on:
            registers.update({0xFE: b"\x54\x49", 0xFF: b"\x22\x60"})  # the INA226 says who it is
        models = {0x40 + i: WordChip(dict(registers)) for i, registers in enumerate(power_on)}
        adapter = KernelAdapter(dict(models))
        bus = LinuxI2c(1, CopiedRoot(folder), adapter, ioctl=adapter.ioctl)
        sources = []
        for i, kind in enumerate(types):
            wired = tuple(ChannelOptions(n, f"r{i}{n}", 0.01) for n in range(1, kind.inputs + 1))
            sources.append(ChipSource(kind, bus, 0x40 + i, SensorOptions(f"s{i}", 1 / PERIOD_S, wired), clock))
            sources[-1].open()
        sink = FakeSink()
        sampler = Sampler(FakeAssembly(clock, sources), sink)
        (beat,) = sampler._rota.beats
        beat._join = BusSchedule if glancing else Judging  # type: ignore[attr-defined]
        beat._use(beat._all)  # type: ignore[attr-defined]
        glances = [0]
        if glancing:
            _count(beat, glances)
        plain, changes = clock._advance, sorted(script, key=lambda c: c[0])

        def advance(t_ns: int) -> None:
            while changes and 10**9 + changes[0][0] * round(PERIOD_S * 1e9) <= t_ns:
                _, i, what = changes.pop(0)
                address = 0x40 + i % len(kinds)
                if what == "gone":
                    adapter.chips.pop(address, None)
                elif what == "back":
                    adapter.chips[address] = models[address]
                elif what == "reset":
                    models[address].registers.update({0: b"\x00\x00"})
                else:
                    models[address].registers[what[0]] = what[1].to_bytes(2, "big")

        assert plain is None
        clock._advance = advance
        sampler.run(ticks * PERIOD_S)
    random.setstate(random_state)
    health = {name: each.to_dict() for name, each in sampler.health.items()}
    return sorted(sink.rows), sink.gaps, sink.faults, health, glances[0]


def _count(beat: Any, glances: list[int]) -> None:
    plain = beat.settle

    def settle() -> None:
        if beat._glancing is not None:
            glances[0] += len(beat._glancing._times)
        plain()

    beat.settle = settle


def rows_differ(kinds: list[str], script: list[tuple[int, int, Any]], ticks: int) -> int:
    """Compares both ways; answers how many batches were taken at a glance."""
    *glanced, glances = sampled(kinds, script, ticks, glancing=True)
    *judged, _ = sampled(kinds, script, ticks, glancing=False)
    assert glanced == judged
    return int(glances)


WORDS = st.one_of(
    st.integers(0, 0xFFFF), st.integers(2950, 2970), st.integers(-3, 3).map(lambda n: n & 0xFFFF), st.just(0x7FFF)
)
CHANGES = st.tuples(
    st.integers(0, 120),
    st.integers(0, 2),
    st.one_of(
        st.tuples(st.sampled_from([1, 2]), WORDS),
        st.tuples(st.sampled_from([1, 2]), WORDS),
        st.sampled_from(["gone", "back", "reset"]),
    ),
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["ti,ina231", "ti,ina226", "ti,ina219"]), min_size=1, max_size=3),
    st.lists(CHANGES, max_size=60),
)
def test_whatever_the_chips_do(kinds: list[str], script: list[tuple[int, int, Any]]) -> None:
    rows_differ(kinds, script, 130)


def test_calm_rows_are_taken_at_a_glance() -> None:
    rng = random.Random(5)
    script: list[tuple[int, int, Any]] = []
    for n in range(200):
        for i in range(2):
            script += [(n, i, (1, 2000 + rng.randrange(9))), (n, i, (2, 2960 + rng.randrange(5)))]
    assert rows_differ(["ti,ina231", "ti,ina226"], script, 200) > 180


def test_a_rail_that_is_off_costs_the_others_nothing() -> None:
    script = [(n, 0, (1, 2000 + n % 7)) for n in range(100)] + [(0, 0, (2, 2960))]
    assert rows_differ(["ti,ina231", "ti,ina231"], script, 100) > 80


def test_a_reset_among_calm_rows_is_found_within_16_and_told_of_all_since() -> None:
    script: list[tuple[int, int, Any]] = [(0, 0, (1, 2000)), (0, 0, (2, 2960)), (50, 0, "reset")]
    rows, gaps, _, health, glances = sampled(["ti,ina226"], script, 100, glancing=True)
    assert glances > 60
    assert health["s0"]["resets"] >= 1
    assert gaps[0][0] == "s0"
    assert gaps[0][3] == "reset"
    assert len(rows) == 101
