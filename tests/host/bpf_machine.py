"""A small machine that runs BPF programs: instruction-set.rst read again, for programs on emulated tracepoints."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

MASK = (1 << 64) - 1
STACK, MAPS, CONTEXT, TASKS = 0x1000_0000, 0x2000_0000, 0x3000_0000, 0x4000_0000


@dataclass
class Memory:
    """Byte ranges at addresses."""

    areas: dict[int, bytearray] = field(default_factory=dict)

    def find(self, at: int, size: int) -> tuple[bytearray, int]:
        for base, area in self.areas.items():
            if base <= at and at + size <= base + len(area):
                return area, at - base
        raise MemoryError(hex(at))

    def get(self, at: int, size: int) -> int:
        area, place = self.find(at, size)
        return int.from_bytes(area[place : place + size], "little")

    def set(self, at: int, size: int, value: int) -> None:
        area, place = self.find(at, size)
        area[place : place + size] = (value & MASK).to_bytes(8, "little")[:size]


class Kernel:
    """Maps by descriptor, a clock, CPUs that run tasks (task address -> process)."""

    def __init__(self) -> None:
        self.memory = Memory({STACK - 512: bytearray(512)})
        self.tables: dict[int, dict[bytes, int]] = {}
        self.shapes: dict[int, tuple[bool, int, int, int]] = {}
        self.now_ns = 0
        self.cpu = 0
        self.current = 0
        self._next_area = MAPS
        self._next_fd = 3

    def new_map(self, hashed: bool, key_bytes: int, value_bytes: int, entries: int) -> int:
        fd = self._next_fd
        self._next_fd += 1
        self.tables[fd] = {}
        self.shapes[fd] = (hashed, key_bytes, value_bytes, entries)
        if not hashed:
            for i in range(entries):
                self.insert(fd, struct.pack("=I", i), bytes(value_bytes))
        return fd

    def insert(self, fd: int, key: bytes, value: bytes) -> None:
        self.tables[fd][key] = self._next_area
        self.memory.areas[self._next_area] = bytearray(value)
        self._next_area += 0x1000

    def value(self, fd: int, key: bytes) -> bytes | None:
        at = self.tables[fd].get(key)
        return None if at is None else bytes(self.memory.areas[at])

    def remove(self, fd: int, key: bytes) -> None:
        del self.memory.areas[self.tables[fd].pop(key)]

    def bytes_at(self, at: int, size: int) -> bytes:
        area, place = self.memory.find(at, size)
        return bytes(area[place : place + size])

    def run(self, words: list[int], arguments: list[int]) -> None:
        """Execute until exit; the context holds `arguments` as u64."""
        self.memory.areas[CONTEXT] = bytearray(struct.pack(f"={len(arguments)}Q", *arguments))
        r = [0] * 11
        r[1], r[10] = CONTEXT, STACK
        at = steps = 0
        while True:
            steps += 1
            assert steps < 10_000, "does not end"
            word = words[at]
            opcode, to, source = word & 0xFF, word >> 8 & 15, word >> 12 & 15
            offset = struct.unpack("=h", struct.pack("=H", word >> 16 & 0xFFFF))[0]
            value = struct.unpack("=i", struct.pack("=I", word >> 32))[0]
            at += 1
            match opcode:
                case 0xBF:
                    r[to] = r[source]
                case 0xB7:
                    r[to] = value & MASK
                case 0x07:
                    r[to] = (r[to] + value) & MASK
                case 0x1F:
                    r[to] = (r[to] - r[source]) & MASK
                case 0x77:
                    r[to] >>= value
                case 0x79 | 0x61:
                    r[to] = self.memory.get((r[source] + offset) & MASK, 8 if opcode == 0x79 else 4)
                case 0x7B | 0x63:
                    self.memory.set((r[to] + offset) & MASK, 8 if opcode == 0x7B else 4, r[source])
                case 0xDB:
                    place = (r[to] + offset) & MASK
                    before = self.memory.get(place, 8)
                    if value == 0xE1:
                        self.memory.set(place, 8, r[source])
                        r[source] = before
                    else:
                        assert value == 0
                        self.memory.set(place, 8, before + r[source])
                case 0x18:
                    assert source == 1
                    r[to] = value
                    at += 1
                case 0x05:
                    at += offset
                case 0x15 | 0x55:
                    at += offset if (r[to] == value & MASK) == (opcode == 0x15) else 0
                case 0xCD:
                    at += offset if _signed(r[to]) < _signed(r[source]) else 0
                case 0x85:
                    r[0] = self.helpers()[value](*r[1:6]) & MASK
                    r[1:6] = [0xDEAD] * 5  # a call spoils its arguments
                case 0x95:
                    assert r[0] == 0
                    return
                case _:
                    raise AssertionError(f"opcode {opcode:#x}")

    def helpers(self) -> dict[int, Callable[..., int]]:
        return {
            1: lambda fd, key, *_: self.tables[fd].get(self.bytes_at(key, self.shapes[fd][1]), 0),
            2: self._update,
            5: lambda *_: self.now_ns,
            8: lambda *_: self.cpu,
            14: lambda *_: self.current << 32 | self.current,
            113: self._read_kernel,
        }

    def _update(self, fd: int, key: int, value: int, flags: int, *_: int) -> int:
        assert flags == 1
        _, key_bytes, value_bytes, entries = self.shapes[fd]
        name = self.bytes_at(key, key_bytes)
        if name in self.tables[fd] or len(self.tables[fd]) >= entries:
            return -7
        self.insert(fd, name, self.bytes_at(value, value_bytes))
        return 0

    def _read_kernel(self, to: int, size: int, source: int, *_: int) -> int:
        for i, byte in enumerate(self.bytes_at(source, size)):
            self.memory.set(to + i, 1, byte)
        return 0


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
