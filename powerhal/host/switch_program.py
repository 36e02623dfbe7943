"""The two kernel programs that count run time: one at every switch between threads, one at every change of clock.

Written as instructions, since a board has no compiler. Both keep one row per CPU (`CPU`): since when, which process,
at which frequency; and add each finished slice to the count (`KEY` -> `COUNT`) of its process, CPU and frequency. The
kernel asks programs that use its timers to be under a licence compatible with the GPL, so this file is also offered
under GPL-2.0.

Layouts, native byte order:
    CPU    u64 since (ns, CLOCK_MONOTONIC), u32 process, u32 kHz, u64 woke, u64 lost (ns that found no room)
    KEY    u32 process, u32 CPU, u32 kHz, u32 0
    COUNT  u64 ns, u64 wake-ups of an idle CPU
    CONTROL u64: which of the two maps of counts is written to (0 or 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

LICENCE: Final = "Dual MIT/GPL"  # as the kernel's table of compatible licences spells it (include/linux/license.h)
CPU_BYTES, KEY_BYTES, COUNT_BYTES, CONTROL_BYTES = 32, 16, 16, 8
SINCE, PROCESS, KHZ, WOKE, LOST = 0, 8, 12, 16, 24

# registers: R0 results, R1..R5 arguments (lost in calls), R6..R9 kept, R10 the stack's end
R0, R1, R2, R3, R4, R6, R7, R8, R9, R10 = 0, 1, 2, 3, 4, 6, 7, 8, 9, 10
# helpers (include/uapi/linux/bpf.h)
LOOKUP, UPDATE, KTIME, CPU_NUMBER, CURRENT, READ_KERNEL = 1, 2, 5, 8, 14, 113
NO_EXIST = 1
# places on the stack
CPU_AT, CONTROL_AT, KEY_AT, COUNT_AT, NEXT_AT = -4, -8, -32, -48, -56


@dataclass(slots=True)
class Assembler:
    """Collects instructions; jumps go to labels that may be set later."""

    words: list[int] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)
    jumps: dict[int, str] = field(default_factory=dict)

    def put(self, opcode: int, to: int = 0, source: int = 0, offset: int = 0, value: int = 0) -> None:
        """One instruction (instruction-set.rst, "Basic instruction encoding")."""
        self.words.append(opcode | to << 8 | source << 12 | (offset & 0xFFFF) << 16 | (value & 0xFFFFFFFF) << 32)

    def move(self, to: int, source: int) -> None:
        """to = source"""
        self.put(0xBF, to, source)

    def number(self, to: int, value: int) -> None:
        """to = value"""
        self.put(0xB7, to, value=value)

    def add(self, to: int, value: int) -> None:
        """to += value"""
        self.put(0x07, to, value=value)

    def load(self, to: int, source: int, offset: int, size: int = 8) -> None:
        """to = what is at source + offset"""
        self.put({8: 0x79, 4: 0x61}[size], to, source, offset)

    def store(self, to: int, offset: int, source: int, size: int = 8) -> None:
        """what is at to + offset = source"""
        self.put({8: 0x7B, 4: 0x63}[size], to, source, offset)

    def grow(self, to: int, offset: int, source: int) -> None:
        """what is at to + offset += source, whoever else does so too"""
        self.put(0xDB, to, source, offset)

    def exchange(self, to: int, offset: int, source: int) -> None:
        """what is at to + offset and source change places at once"""
        self.put(0xDB, to, source, offset, 0xE1)

    def map(self, to: int, fd: int) -> None:
        """to = the map behind a descriptor"""
        self.put(0x18, to, 1, value=fd)
        self.put(0)

    def call(self, helper: int) -> None:
        """R0 = helper(R1 ... R5)"""
        self.put(0x85, value=helper)

    def jump(self, label: str) -> None:
        """Go there."""
        self.jumps[len(self.words)] = label
        self.put(0x05)

    def jump_if(self, register: int, equal: bool, value: int, label: str) -> None:
        """Go there when the register equals the value, or when it does not."""
        self.jumps[len(self.words)] = label
        self.put(0x15 if equal else 0x55, register, value=value)

    def jump_if_less(self, register: int, than: int, label: str) -> None:
        """Go there when one register is less than another, both signed."""
        self.jumps[len(self.words)] = label
        self.put(0xCD, register, than)

    def label(self, name: str) -> None:
        """Here."""
        self.labels[name] = len(self.words)

    def finish(self) -> list[int]:
        """End with success; the program's words with all jumps set."""
        self.label("end")
        self.number(R0, 0)
        self.put(0x95)
        for at, name in self.jumps.items():
            self.words[at] |= (self.labels[name] - at - 1 & 0xFFFF) << 16
        return self.words


def on_switch(maps: Mapping[str, int], tgid_offset: int) -> list[int]:
    """Words of the program for raw tracepoint sched_switch(preempt, previous, next).

    `maps`: descriptors of `cpus`, `control`, `counts0`, `counts1`. `tgid_offset`: of `tgid` in `task_struct`.
    """
    a = Assembler()
    a.move(R6, R1)
    a.call(CPU_NUMBER)
    a.store(R10, CPU_AT, R0, 4)
    _find_cpu(a, maps)
    a.load(R1, R6, 16)  # next
    a.move(R3, R1)
    a.add(R3, tgid_offset)
    a.number(R1, 0)
    a.store(R10, NEXT_AT, R1)
    a.move(R1, R10)
    a.add(R1, NEXT_AT)
    a.number(R2, 4)
    a.call(READ_KERNEL)
    # who ran is asked again: a switch that no program saw must not leave a slice with the one before
    a.call(CURRENT)
    a.put(0x77, R0, value=32)  # R0 >>= 32: the process, not the thread
    a.store(R8, PROCESS, R0, 4)
    _finish_slice(a, maps)
    a.load(R2, R8, PROCESS, 4)
    a.number(R3, 0)
    a.jump_if(R2, False, 0, "was busy")
    a.number(R3, 1)
    a.label("was busy")
    a.store(R8, WOKE, R3)
    a.load(R2, R10, NEXT_AT, 4)
    a.store(R8, PROCESS, R2, 4)
    return a.finish()


def on_frequency(maps: Mapping[str, int]) -> list[int]:
    """Words of the program for raw tracepoint cpu_frequency(kHz, CPU); `maps` as for `on_switch`."""
    a = Assembler()
    a.move(R6, R1)
    a.load(R2, R6, 8)
    a.store(R10, CPU_AT, R2, 4)
    _find_cpu(a, maps)
    _finish_slice(a, maps)
    a.number(R3, 0)
    a.store(R8, WOKE, R3)
    a.load(R2, R6, 0)
    a.store(R8, KHZ, R2, 4)
    return a.finish()


def _find_cpu(a: Assembler, maps: Mapping[str, int]) -> None:
    """R8 = the row of the CPU whose number is on the stack."""
    a.map(R1, maps["cpus"])
    a.move(R2, R10)
    a.add(R2, CPU_AT)
    a.call(LOOKUP)
    a.jump_if(R0, True, 0, "end")
    a.move(R8, R0)


def _finish_slice(a: Assembler, maps: Mapping[str, int]) -> None:
    """Count what ran on the CPU of R8 until now; R7 = now. Idle time and what began before us count nothing.

    The start is exchanged for now in one step: whoever of two programs comes first counts the slice.
    """
    a.call(KTIME)
    a.move(R7, R0)
    a.move(R9, R7)
    a.exchange(R8, SINCE, R9)
    a.jump_if(R9, True, 0, "counted")
    a.load(R2, R8, PROCESS, 4)
    a.jump_if(R2, True, 0, "counted")
    a.jump_if_less(R7, R9, "counted")
    a.put(0x1F, R7, R9)  # R7 -= R9: the slice
    a.store(R10, KEY_AT, R2, 4)
    a.load(R2, R10, CPU_AT, 4)
    a.store(R10, KEY_AT + 4, R2, 4)
    a.load(R2, R8, KHZ, 4)
    a.store(R10, KEY_AT + 8, R2, 4)
    a.number(R2, 0)
    a.store(R10, KEY_AT + 12, R2, 4)
    _choose_counts(a, maps)
    a.move(R9, R1)  # the map
    a.move(R2, R10)
    a.add(R2, KEY_AT)
    a.call(LOOKUP)
    a.load(R3, R8, WOKE)
    a.jump_if(R0, True, 0, "new")
    a.grow(R0, 0, R7)
    a.grow(R0, 8, R3)
    a.jump("counted")
    a.label("new")
    a.store(R10, COUNT_AT, R7)
    a.store(R10, COUNT_AT + 8, R3)
    a.move(R1, R9)
    a.move(R2, R10)
    a.add(R2, KEY_AT)
    a.move(R3, R10)
    a.add(R3, COUNT_AT)
    a.number(R4, NO_EXIST)
    a.call(UPDATE)
    a.jump_if(R0, True, 0, "counted")
    a.grow(R8, LOST, R7)
    a.label("counted")


def _choose_counts(a: Assembler, maps: Mapping[str, int]) -> None:
    """R1 = the map of counts that is written to now."""
    a.number(R2, 0)
    a.store(R10, CONTROL_AT, R2, 4)
    a.map(R1, maps["control"])
    a.move(R2, R10)
    a.add(R2, CONTROL_AT)
    a.call(LOOKUP)
    a.jump_if(R0, True, 0, "end")
    a.load(R3, R0, 0)
    a.jump_if(R3, True, 0, "first")
    a.map(R1, maps["counts1"])
    a.jump("chosen")
    a.label("first")
    a.map(R1, maps["counts0"])
    a.label("chosen")
