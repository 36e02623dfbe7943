"""An eight-register sweep over a null ioctl: prebuilt transfers against smbus2's own calls.

"Null ioctl": a function that does nothing stands where the ioctl is, the same on both sides, so what is
compared is the CPU around the system call. The rows with a real one use FIOCLEX on /dev/null.
`peer`: eight `SMBus.read_word_data`, or one `SMBus.i2c_rdwr` with sixteen messages built anew.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import termios
from collections.abc import Callable
from dataclasses import replace

import smbus2
from smbus2 import smbus2 as peer

from benchmarks.table import Row, cpu_s, print_table
from powerhal.chips import load
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.chips.schedule import BusSchedule
from powerhal.transport import Xfer
from powerhal.transport.clock import VirtualClock
from powerhal.transport.files import CopiedRoot
from powerhal.transport.i2c import Ioctl, LinuxI2c
from powerhal.transport.replay import ReplayBus, ReplayChip

REGISTERS = 8
CALLS = 3000
CLOCKS, BUS_HZ = 48, 400e3  # a 16-bit register: pointer, repeated start, two bytes, nine clocks each


class NullAdapter:
    """/dev/null where an adapter would be."""

    def __init__(self) -> None:
        self.fd: int | None = os.open(os.devnull, os.O_RDWR)

    def close(self) -> None:
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None


def null(messages: int) -> Ioctl:
    """Says that so many messages were done, at once."""
    return lambda fd, request, data: messages


def real(messages: int) -> Ioctl:
    """The same after one system call that does nothing (it answers 0)."""
    return lambda fd, request, data: fcntl.ioctl(fd, termios.FIOCLEX, data) or messages


def run() -> list[Row]:
    """Sweeps of eight registers, batched and one by one; and a batch of four chips read and judged."""
    adapter = NullAdapter()
    try:
        with tempfile.TemporaryDirectory() as folder:
            root = CopiedRoot(folder)
            return [*_rows(adapter, root, null, "null ioctl", True), *_rows(adapter, root, real, "real ioctl", False)]
    finally:
        adapter.close()


def _rows(adapter: NullAdapter, root: CopiedRoot, ioctl: Callable[[int], Ioctl], what: str, gated: bool) -> list[Row]:
    batched = LinuxI2c(0, root, adapter, ioctl=ioctl(2 * REGISTERS))
    single = LinuxI2c(0, root, adapter, ioctl=ioctl(2))
    single.batched = False
    xfers = [Xfer(0x40 + i // 2, bytes((1 + i % 2,)), 2) for i in range(REGISTERS)]
    batch_plan, single_plan = batched.plan(xfers), single.plan(xfers)
    schedule = _schedule(batched)
    bus = smbus2.SMBus()
    bus.fd, bus.address, bus.force_last = adapter.fd, 0x40, False
    kept, peer.ioctl = peer.ioctl, ioctl(0)
    try:
        cost = cpu_s(
            {
                "batched": lambda: (batch_plan.run(), batch_plan.data),
                "single": lambda: (single_plan.run(), single_plan.data),
                "words": lambda: [bus.read_word_data(0x40, r) for r in range(REGISTERS)],
                "built anew": lambda: _rdwr(bus),
                "judged": schedule.read,
            },
            repeat=CALLS,
        )
    finally:
        peer.ioctl = kept
        bus.fd = None
    words, bus_s = cost["words"], REGISTERS * CLOCKS / BUS_HZ
    batch_bar, single_bar = (20.0, 5.0) if gated else (None, None)
    rows = [
        Row(f"8 registers, one batch, {what}", "s", cost["batched"], "8 x read_word_data", words, batch_bar),
        Row(f"8 registers, 8 calls, {what}", "s", cost["single"], "8 x read_word_data", words, single_bar),
        Row(f"8 registers, one batch, {what}", "s", cost["batched"], "i2c_rdwr", cost["built anew"]),
        Row(f"4 chips read and judged, {what}", "s", cost["judged"], "8 x read_word_data", words),
    ]
    if not gated:
        tick = Row("a tick of 4 INA231 at 400 kHz, bus and CPU", "s", bus_s + cost["judged"])
        rows.append(replace(tick, limit="bus alone", limit_figure=bus_s, at_most=1 / 0.95))
    return rows


def _rdwr(bus: smbus2.SMBus) -> list[bytes]:
    messages = []
    for i in range(REGISTERS):
        messages += [smbus2.i2c_msg.write(0x40 + i // 2, (1 + i % 2,)), smbus2.i2c_msg.read(0x40 + i // 2, 2)]
    bus.i2c_rdwr(*messages)
    return [bytes(m) for m in messages[1::2]]


def _schedule(bus: LinuxI2c) -> BusSchedule:
    """Four INA231 proved on a replay, which also answers the looks at their settings; rows over the null ioctl."""
    chip = load("ti,ina231")
    registers = {r.address: r.wire(r.por or 0) for r in chip.registers}
    registers[0x02] = b"\x03\x20"
    replay = ReplayBus("replay", {0x40 + i: ReplayChip(dict(registers)) for i in range(4)})
    clock = VirtualClock()
    sources = []
    for i in range(4):
        options = SensorOptions(f"s{i}", 100.0, (ChannelOptions(1, f"r{i}", 0.01),))
        source = chip.source(replay, 0x40 + i, options, clock)
        source.open()
        sources.append(source)
    schedule = BusSchedule(sources)
    schedule._plan = bus.plan([xfer for source in sources for xfer in source.row.xfers])
    return schedule


if __name__ == "__main__":
    print_table("sampling", run())
