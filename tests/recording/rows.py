"""Layouts, rows and files that the recording tests share."""

from __future__ import annotations

import struct
from pathlib import Path

from powerhal.channel import (
    Channel,
    Cluster,
    Device,
    Field,
    Flag,
    Layout,
    ProcessInfo,
    Quality,
    Rail,
    Scan,
    Topology,
    Usage,
)
from powerhal.recording.writer import RecordingWriter

LAYOUT = Layout(
    8,
    (
        Field("bus", 0, 2, scale=1.25e-3, unit="V"),
        Field("current", 2, 2, signed=True, scale=1e-3, unit="A"),
        Field("status", 4, 2, shift=1, bits=3),
        Field("energy", 6, 2, order="little", scale=0.5, unit="J"),
    ),
    (
        Channel("cpu.voltage", "voltage", "V", field="bus", rail="cpu"),
        Channel("cpu.current", "current", "A", field="current", rail="cpu"),
        Channel("cpu.power", "power", "W", product=("bus", "current"), rail="cpu"),
        Channel("cpu.energy", "energy", "J", field="energy", rail="cpu", counter=True, wrap_bits=16, lsb=0.5),
    ),
    (Flag("status", Quality.SATURATED, values=(5,)), Flag("status", Quality.STALE, when_zero=True)),
)
TOPOLOGY = Topology(
    "test-board",
    "Test board",
    (Rail("input"), Rail("cpu", "input", "cpu", 0.9)),
    (Cluster("big", (0, 1), ((1e9, 0.8), (2e9, None)), 1.0, 1e-10),),
    (Device("cpu", "cpu", "cpu", "big", {"busy": "cpu.big.busy"}, {"tail_s": 0.1}),),
    {"zone": "JP"},
    {"capacity_j": 50_000.0},
)
SECOND = 1_000_000_000


def row(bus: int = 0, current: int = 0, status: int = 1, energy: int = 0) -> bytes:
    return struct.pack(">HhH", bus, current, status << 1) + struct.pack("<H", energy)


def scan(t_ns: int, amount: float, *, new: bool = False) -> Scan:
    info = (ProcessInfo(42, 7, 1, 1000, "work"),) if new else ()
    return Scan(t_ns, info, (Usage(42, 7, "cpu.big.time", amount),))


def write(path: Path, rows: int = 30, *, close: bool = True) -> RecordingWriter:
    """A small run: `rows` rows 0.1 s apart, flushed every second, a process, a mark, a fault."""
    writer = RecordingWriter(
        str(path),
        topology=TOPOLOGY,
        board_text="board: test\n",
        meta={"started": {"boot_ns": 10 * SECOND, "real_ns": 5}, "self_pid": 9},
    )
    source = writer.add_source("ina", LAYOUT, 0.1)
    writer.scan(scan(10 * SECOND, 0.0, new=True))
    for i in range(rows):
        t_ns = 10 * SECOND + i * SECOND // 10
        writer.reading(source, t_ns, row(4000 + i, -5 + i, 1, i))
        if i % 10 == 9:
            writer.scan(scan(t_ns, 0.25))
            writer.flush()
    writer.mark(11 * SECOND, "half")
    writer.fault(11 * SECOND, "ina", "timeout", "no answer")
    writer.health("ina", {"samples": rows})
    if close:
        writer.set_meta("ended", {"boot_ns": 10 * SECOND + rows * SECOND // 10, "real_ns": 6})
        writer.close()
    else:
        writer.flush()
    return writer
