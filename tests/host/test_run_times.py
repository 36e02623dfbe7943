from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.channel import Cluster
from powerhal.errors import TransportError
from powerhal.host import run_times
from powerhal.host.clusters import CpuGroup
from powerhal.host.context import HostContext
from powerhal.host.placement import Placement
from powerhal.host.processes import Processes
from powerhal.host.run_times import Ran, RunTimes
from powerhal.transport.clock import BootClock
from powerhal.transport.files import RealRoot
from tests.host.fake_proc import FakeProc
from tests.host.test_btf import Types
from tests.host.test_switch_program import CPUS, OFFSET, Board

ME = 77


class EmulatedMap:
    """A BpfMap on the emulated board."""

    def __init__(self, board: Board, name: str) -> None:
        self.kernel, self.fd = board.kernel, board.maps[name]

    def read(self, key: bytes) -> bytes | None:
        return self.kernel.value(self.fd, key)

    def write(self, key: bytes, value: bytes) -> None:
        self.kernel.memory.areas[self.kernel.tables[self.fd][key]][:] = value

    def drain(self) -> Iterator[tuple[bytes, bytes]]:
        for key in list(self.kernel.tables[self.fd]):
            value = self.kernel.value(self.fd, key)
            assert value is not None
            self.kernel.remove(self.fd, key)
            yield key, value

    def close(self) -> None: ...


class Emulated(RunTimes):
    """RunTimes over the emulated board; nothing of the real kernel is asked."""

    def __init__(self, board: Board) -> None:
        self.board = board
        types = Types()
        types.structure("task_struct", [("tgid", 8 * OFFSET)])
        root = FakeProc()
        root.files[run_times.BTF] = types.build()
        super().__init__(root, range(CPUS))

    def _attach(self, root: object, tgid_offset: int) -> None:
        assert tgid_offset == OFFSET
        self._maps = {name: EmulatedMap(self.board, name) for name in self.board.maps}  # type: ignore[misc]

    def _prove(self) -> None: ...


STEPS = st.lists(
    st.tuples(
        st.integers(1, 10**9),
        st.integers(0, CPUS - 1),
        st.integers(0, 4),
        st.sampled_from(["switch", "switch", "clock", "look"]),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(STEPS)
def test_looks_add_up_to_what_ran(steps: list[tuple[int, int, int, str]]) -> None:
    board = Board()
    ours = Emulated(board)
    told: dict[tuple[int, int, int], int] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_times.time, "monotonic_ns", lambda: board.kernel.now_ns)
        for ns, cpu, process, what in [*steps, (1, 0, 0, "look")]:
            board.kernel.now_ns += ns
            if what == "switch":
                board.switch(cpu, process)
            elif what == "clock":
                board.clock(cpu, 100_000 * (process + 1))
            else:
                for pid, ran in ours.since().items():
                    for (on, khz), slice_ns in ran.slices_ns.items():
                        assert slice_ns > 0
                        told[pid, on, khz] = told.get((pid, on, khz), 0) + slice_ns
        for cpu in range(CPUS):
            board._slice(cpu)  # the truth takes in what still runs, as a look does
    assert told == {key: ns for key, ns in board.truth.items() if ns}


def test_time_told_of_a_slice_that_was_another_processes_is_forgotten() -> None:
    board = Board()
    ours = Emulated(board)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_times.time, "monotonic_ns", lambda: board.kernel.now_ns)
        board.kernel.now_ns = 1000
        board.switch(0, 5)
        board.kernel.now_ns = 2000
        assert ours.since()[5].slices_ns == {(0, 0): 1000}
        board.running[0] = 6  # a switch that no program saw
        board.kernel.now_ns = 3000
        board.switch(0, 0)
        assert ours.since()[6].slices_ns == {(0, 0): 2000}
        ours.since()
        board.switch(0, 5)
        board.kernel.now_ns = 3400
        board.switch(0, 0)
        assert ours.since()[5].slices_ns == {(0, 0): 400}


def test_lost_time_is_told() -> None:
    board = Board(entries=1)
    ours = Emulated(board)
    for process in (5, 6, 7):
        board.kernel.now_ns += 1000
        board.switch(1, process)
    ours.since()
    assert ours.lost_ns == 1000


class Told:
    """Run times that a test writes."""

    def __init__(self, ran: dict[int, Ran]) -> None:
        self.ran = ran

    def since(self) -> dict[int, Ran]:
        return self.ran

    def close(self) -> None: ...


LITTLE, BIG = CpuGroup("little", (0,)), CpuGroup("big", (1, 2))


def test_a_process_is_placed_by_its_slices_and_by_its_own_clock() -> None:
    kernel = FakeProc(n_cpus=3)
    worker = kernel.fork(1, "worker")
    ran = Ran({(0, 600_000): 100, (1, 2_000_000): 200, (2, 1_000_000): 100}, wakeups=3)
    context = kernel.context()
    context.clusters = (Cluster("little", (0,)), Cluster("big", (1, 2)))
    source = Processes(kernel, context, None, Told({worker.pid: ran}))  # type: ignore[arg-type]
    source.open()
    kernel.run(worker.pid, 40_000_000)
    kernel.clock.t_ns += 100_000_000
    used = {u.activity: u.amount for u in source.scan().usages if u.pid == worker.pid}
    assert used == pytest.approx(
        {
            "cpu.little.time": 0.01,
            "cpu.big.time": 0.03,
            "run.little@600000000": 0.01,
            "run.big@2000000000": 0.02,
            "run.big@1000000000": 0.01,
            "wakeups": 3.0,
        }
    )
    assert not any("/task/" in path for path in kernel.reads)  # no thread is asked where it ran


def test_without_a_clock_speed_only_places_are_told() -> None:
    placement = Placement(FakeProc(), [LITTLE, BIG], Told({9: Ran({(1, 0): 5})}))  # type: ignore[arg-type]
    placement.look()
    assert placement.at_frequencies(9, 100) == {}
    assert placement.at_frequencies(10, 100) == {}
    assert placement.wakeups(10) == 0


@pytest.fixture
def real() -> Iterator[RunTimes]:
    try:
        ours = RunTimes(RealRoot(), range(os.cpu_count() or 1))
    except TransportError as error:
        pytest.skip(str(error))
    yield ours
    ours.close()


def test_real_kernel_knows_where_a_pinned_process_ran(real: RunTimes) -> None:
    cpu = min(os.sched_getaffinity(0))
    code = f"import os, time\nos.sched_setaffinity(0, [{cpu}])\nwhile time.process_time() < 0.4: pass"
    real.since()
    process = subprocess.Popen([sys.executable, "-S", "-c", code])
    by_cpu: dict[int, int] = {}
    while process.poll() is None:
        time.sleep(0.05)
        ran = real.since().get(process.pid, Ran())
        for (on, _), ns in ran.slices_ns.items():
            by_cpu[on] = by_cpu.get(on, 0) + ns
    for (on, _), ns in real.since().get(process.pid, Ran()).slices_ns.items():
        by_cpu[on] = by_cpu.get(on, 0) + ns
    # start-up may have run elsewhere; what is counted is wall time on the CPU, so it cannot be less than the clock
    assert by_cpu[cpu] >= 0.8 * 0.4e9
    assert by_cpu[cpu] >= 0.8 * sum(by_cpu.values())


def test_refusal_is_an_error_with_its_kind() -> None:
    class Bare(FakeProc):
        def read(self, path: str) -> bytes:
            if path == run_times.BTF:
                raise TransportError(f"{path}: no such file", kind="absent")
            return super().read(path)

    with pytest.raises(TransportError) as caught:
        RunTimes(Bare(), [0])
    assert caught.value.kind == "absent"
    root = FakeProc()
    root.files[run_times.BTF] = struct.pack("=I", 5)
    with pytest.raises(TransportError, match="type information"):
        RunTimes(root, [0])


def test_the_source_says_which_rung(real: RunTimes) -> None:
    context = HostContext(
        BootClock(), clusters=(Cluster("a", (0,)), Cluster("b", tuple(range(1, os.cpu_count() or 1))))
    )
    if (os.cpu_count() or 1) < 2:
        pytest.skip("one CPU")
    from powerhal.host.processes import detect

    (source,) = detect(RealRoot(), context)
    try:
        assert isinstance(source, Processes)
        assert not any("count of run time" in note for note in context.notes)
        source.open()
        source.scan()
    finally:
        source.close()
