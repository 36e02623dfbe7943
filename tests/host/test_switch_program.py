from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powerhal.host import switch_program as programs
from tests.host.bpf_machine import TASKS, Kernel

OFFSET = 24
CPUS = 3


class Board:
    """The programs on emulated CPUs, and a count of its own of what ran where."""

    def __init__(self, entries: int = 1000) -> None:
        self.kernel = Kernel()
        new = self.kernel.new_map
        self.maps = {
            "cpus": new(False, 4, programs.CPU_BYTES, CPUS),
            "control": new(False, 4, programs.CONTROL_BYTES, 1),
            "counts0": new(True, programs.KEY_BYTES, programs.COUNT_BYTES, entries),
            "counts1": new(True, programs.KEY_BYTES, programs.COUNT_BYTES, entries),
        }
        self.switching = programs.on_switch(self.maps, OFFSET)
        self.clocking = programs.on_frequency(self.maps)
        self.running = [0] * CPUS
        self.khz = [0] * CPUS
        self.begun: list[int | None] = [None] * CPUS
        self.truth: dict[tuple[int, int, int], int] = {}
        self.woke: dict[int, int] = {}
        self.waking = [False] * CPUS

    def switch(self, cpu: int, process: int) -> None:
        at = TASKS + process * 0x100
        self.kernel.memory.areas[at] = bytearray(OFFSET) + bytearray(struct.pack("=II", process, 7))
        self._slice(cpu)
        self.kernel.cpu, self.kernel.current = cpu, self.running[cpu]
        self.kernel.run(self.switching, [0, 0xBAD, at])
        self.waking[cpu] = self.running[cpu] == 0
        self.running[cpu] = process

    def clock(self, cpu: int, khz: int, by: int = 0) -> None:
        self._slice(cpu)
        self.kernel.cpu = by
        self.kernel.run(self.clocking, [khz, cpu])
        self.khz[cpu] = khz
        self.waking[cpu] = False

    def _slice(self, cpu: int) -> None:
        begun, self.begun[cpu] = self.begun[cpu], self.kernel.now_ns
        process = self.running[cpu]
        if begun and process:
            key = (process, cpu, self.khz[cpu])
            self.truth[key] = self.truth.get(key, 0) + self.kernel.now_ns - begun
            self.woke[process] = self.woke.get(process, 0) + self.waking[cpu]

    def counted(self, which: int = 0) -> tuple[dict[tuple[int, int, int], int], dict[int, int]]:
        fd = self.maps[f"counts{which}"]
        told, woke = {}, {}
        for key in self.kernel.tables[fd]:
            process, cpu, khz, pad = struct.unpack("=IIII", key)
            ns, wakeups = struct.unpack("=QQ", self.kernel.value(fd, key) or b"")
            assert pad == 0
            told[process, cpu, khz] = ns
            woke[process] = woke.get(process, 0) + wakeups
        return told, woke


EVENTS = st.lists(
    st.tuples(st.integers(1, 10**9), st.integers(0, CPUS - 1), st.integers(0, 4), st.sampled_from([0, 600_000, 10**6])),
    max_size=60,
)


@given(EVENTS)
def test_every_slice_is_counted_once(events: list[tuple[int, int, int, int]]) -> None:
    board = Board()
    for ns, cpu, process, khz in events:
        board.kernel.now_ns += ns
        if khz:
            board.clock(cpu, khz, by=(cpu + 1) % CPUS)
        else:
            board.switch(cpu, process)
    told, woke = board.counted()
    assert told == board.truth
    assert woke == board.woke


def test_the_other_map_is_written_to_when_asked() -> None:
    board = Board()
    for process in (5, 6, 5):
        board.kernel.now_ns += 1000
        board.switch(0, process)
    control = board.maps["control"]
    board.kernel.memory.areas[board.kernel.tables[control][struct.pack("=I", 0)]][:] = struct.pack("=Q", 1)
    board.kernel.now_ns += 500
    board.switch(0, 0)
    assert board.counted(0)[0] == {(5, 0, 0): 1000, (6, 0, 0): 1000}
    assert board.counted(1)[0] == {(5, 0, 0): 500}


def test_a_switch_that_was_not_seen_leaves_the_slice_with_who_ran_last() -> None:
    board = Board()
    board.kernel.now_ns = 1000
    board.switch(0, 5)
    board.running[0] = 6  # the kernel switched, and no program was told
    board.kernel.now_ns = 3000
    board.switch(0, 0)
    assert board.counted()[0] == {(6, 0, 0): 2000}


def test_what_finds_no_room_is_told() -> None:
    board = Board(entries=1)
    for process in (5, 6, 7, 5):
        board.kernel.now_ns += 1000
        board.switch(1, process)
    row = board.kernel.value(board.maps["cpus"], struct.pack("=I", 1)) or b""
    assert struct.unpack_from("=Q", row, programs.LOST)[0] == 2000
    assert board.counted()[0] == {(5, 1, 0): 1000}


def test_an_unknown_cpu_is_left_alone() -> None:
    board = Board()
    board.kernel.cpu = CPUS
    board.kernel.now_ns = 1000
    board.kernel.memory.areas[TASKS] = bytearray(64)
    board.kernel.run(board.switching, [0, 0, TASKS])
    board.kernel.run(board.clocking, [1000, CPUS])
    assert board.counted() == ({}, {})


@pytest.mark.parametrize("offset", [0, 24, 4096])
def test_jumps_stay_inside_and_programs_end(offset: int) -> None:
    maps = {"cpus": 3, "control": 4, "counts0": 5, "counts1": 6}
    for words in (programs.on_switch(maps, offset), programs.on_frequency(maps)):
        assert words[-1] == 0x95
        assert len(words) < 4096  # the verifier's limit for programs without CAP_BPF
        assert all(0 <= word < 1 << 64 for word in words)
