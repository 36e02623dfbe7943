"""The probe over a real pseudo-terminal against a firmware that was written from the format alone."""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
import time
from collections.abc import Iterator

import pytest

from powerhal import meters
from powerhal.channel import Quality
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.errors import BoardError, TransportError
from powerhal.meters import MeterChip
from powerhal.meters.probe import McuClock, Probe, ProbeSource, sources
from powerhal.recording.decode import decode_row
from powerhal.transport.clock import BootClock, VirtualClock
from powerhal.transport.serial import open_port
from tests.meters.firmware import Firmware

REGISTERS = {0x40: {0x01: b"\x0f\xa0", 0x02: b"\x0f\xa0"}, 0x41: {0x02: b"\x13\xd8", 0x01: b"\x07\xd0"}}
CHIPS = {
    "cpu": MeterChip("ti,ina226", 0x40, SensorOptions("cpu", channels=(ChannelOptions(1, "CPU", 0.01),))),
    "io": MeterChip("ti,ina3221", 0x41, SensorOptions("io", channels=(ChannelOptions(1, "IO", 0.005),))),
}


class Wire:
    """A line in memory: what the firmware sends waits until it is read."""

    name = "wire"

    def __init__(self) -> None:
        self.waiting, self.sent, self.closed, self.gone = b"", b"", 0, False

    def read(self, limit: int) -> bytes:
        if self.gone:
            raise TransportError("gone", kind="absent")
        data, self.waiting = self.waiting[:limit], self.waiting[limit:]
        return data

    def write(self, data: bytes) -> None:
        self.sent += data

    def close(self) -> None:
        self.closed += 1


def linked(**firmware: int) -> tuple[Wire, Firmware, VirtualClock, Probe, list[ProbeSource]]:
    wire, board, clock = Wire(), Firmware(REGISTERS, **firmware), VirtualClock(start_ns=1_000_000_000)
    made = sources("probe", wire, CHIPS, clock)
    wire.waiting = board.hello()
    for source in made:
        source.open()
    probes = [s for s in made if isinstance(s, ProbeSource)]
    return wire, board, clock, probes[0]._probe, probes


def test_registers_become_channels() -> None:
    wire, board, _, _, (cpu, io) = linked()
    wire.waiting = board.data()
    values = decode_row(cpu.layout, cpu.read().raw) | decode_row(io.layout, io.read().raw)
    assert values["CPU.voltage"] == pytest.approx(5.0)
    assert values["CPU.current"] == pytest.approx(1.0)
    assert values["IO.voltage"] == pytest.approx(5.08)
    assert values["IO.power"] == pytest.approx(10.16)
    assert cpu.period_s == pytest.approx(0.98e-3)


def test_every_frame_once_and_in_order() -> None:
    wire, board, clock, probe, (cpu, io) = linked()
    times = []
    for step in range(50):
        board.chips[0x40][0x02] = step.to_bytes(2, "big")
        wire.waiting += board.data()
        clock.sleep_until(clock.now_ns() + 1_000_000)
        times.append(cpu.read())
    assert [int.from_bytes(r.raw[:2], "big") for r in times] == list(range(50))
    gaps = [b.t_ns - a.t_ns for a, b in itertools.pairwise(times)]
    assert gaps == [pytest.approx(1_000_000, abs=1000)] * 49, "the probe's clock, across its wrap"
    assert cpu.read().quality & Quality.STALE
    assert [io.read().quality & Quality.STALE for _ in range(51)] == [0] * 50 + [Quality.STALE]
    assert (probe.lost, probe.repeated, probe.decoder.damaged) == (0, 0, 0)


def test_lost_frames_are_counted_and_a_damaged_one_costs_only_itself() -> None:
    wire, board, _, probe, (cpu, _) = linked()
    frames = [board.data() for _ in range(10)]
    frames[3] = frames[3][:5] + bytes([frames[3][5] ^ 0x40]) + frames[3][6:]
    del frames[7]
    wire.waiting = b"".join(frames) + frames[-1]
    rows = [cpu.read() for _ in range(8)]
    assert not any(r.quality & Quality.STALE for r in rows)
    assert (probe.lost, probe.decoder.damaged, probe.repeated) == (2, 1, 1)


def test_reboot_of_the_probe_is_a_reset_and_not_a_loss() -> None:
    wire, board, clock, probe, (cpu, _) = linked()
    wire.waiting = board.data() * 1
    first = cpu.read()
    clock.sleep_until(clock.now_ns() + 300_000_000)
    wire.waiting = board.reboot(0xBEEF) + board.data()
    second = cpu.read()
    assert second.quality & Quality.RESET
    assert (probe.restarts, probe.lost) == (1, 0)
    assert second.t_ns - first.t_ns == pytest.approx(300_000_000, abs=1_000_000)
    wire.waiting = board.data()
    assert not cpu.read().quality & Quality.RESET


def test_a_chip_that_does_not_answer_the_probe_is_missing_alone() -> None:
    wire, board, _, _, (cpu, io) = linked()
    wire.waiting = board.partial(0b10)
    assert not cpu.read().quality & Quality.MISSING
    assert io.read().quality & Quality.MISSING
    assert "does not answer" in io.last_fault


def test_silence_and_unplugging() -> None:
    wire, board, clock, _, (cpu, _) = linked()
    assert cpu.read().quality & Quality.MISSING, "nothing was ever sent"
    wire.waiting = board.data()
    cpu.read()
    assert cpu.read().quality & Quality.STALE
    clock.sleep_until(clock.now_ns() + 2_000_000_000)
    assert cpu.read().quality & Quality.MISSING
    wire.gone = True
    assert cpu.read().quality & Quality.MISSING
    assert "gone" in cpu.last_fault


def test_a_frame_of_another_length_is_damage() -> None:
    wire, board, _, probe, (cpu, _) = linked()
    wire.waiting = board.frame(2, b"\0" * 5)
    assert cpu.read().quality & Quality.MISSING
    assert probe.decoder.damaged == 1


def test_no_hello_is_an_error_that_mentions_noise() -> None:
    wire, clock = Wire(), VirtualClock()
    (source, _) = sources("probe", wire, CHIPS, clock)
    wire.waiting = b"\x55\xaa\0" * 20
    with pytest.raises(TransportError, match="20 damaged"):
        source.open()
    assert wire.sent == b"?"
    assert clock.now_ns() < 3_000_000_000


def test_a_probe_without_our_registers_is_an_error() -> None:
    wire = Wire()
    wire.waiting = Firmware({0x40: {0x02: b"\0\0"}}).hello()
    (source, _) = sources("probe", wire, CHIPS, VirtualClock())
    with pytest.raises(TransportError, match="0x01 of 0x40"):
        source.open()


def test_the_line_is_closed_by_the_last_source() -> None:
    wire, _, _, _, (cpu, io) = linked()
    cpu.close()
    assert not wire.closed
    io.close()
    assert wire.closed


def test_unread_rows_are_bounded_and_counted() -> None:
    wire, board, _, _, (cpu, io) = linked()
    wire.waiting = b"".join(board.data() for _ in range(4200))
    cpu.read()
    assert len(io._queue) == 4096
    assert io.dropped == 4200 - 4096


def test_protocols_are_a_table() -> None:
    assert meters.load("powerhal,probe") is sources
    with pytest.raises(BoardError, match="nothing"):
        meters.load("nothing")


def test_mcu_clock_follows_drift_and_ignores_delays() -> None:
    """A crystal 50 ppm fast, frames delayed by up to 8 ms: times stay within 0.5 ms, 1 hour, one wrap."""
    clock, worst = McuClock(), 0.0
    for step in range(36_000):
        true_ns = step * 100_000_000
        mcu_us = int(true_ns / 1000 * (1 + 50e-6)) % 2**32
        delay = 0 if step % 10 == 0 else (step * 7919) % 8_000_000
        worst = max(worst, abs(clock.to_ns(mcu_us, true_ns + delay) - true_ns))
    assert worst < 500_000


@pytest.fixture
def pty_line() -> Iterator[tuple[int, str]]:
    device, line = os.openpty()
    path = os.ttyname(line)
    os.close(line)
    yield device, path
    with contextlib.suppress(OSError):
        os.close(device)


def test_over_a_real_line(pty_line: tuple[int, str]) -> None:
    """Firmware in a thread answers '?' and streams 500 rows in awkward pieces with noise between them."""
    device, path = pty_line
    board, rows = Firmware(REGISTERS, period_us=500), 500

    def firmware() -> None:
        while os.read(device, 1) != b"?":
            pass
        stream = b"\xff\x13noise\x00" + board.hello()
        for step in range(rows):
            board.chips[0x40][0x02] = step.to_bytes(2, "big")
            stream += board.data()
        for at in range(0, len(stream), 97):
            os.write(device, stream[at : at + 97])

    port = open_port(path, allow_pty=True)
    (cpu, io) = sources("probe", port, CHIPS, BootClock())
    thread = threading.Thread(target=firmware, daemon=True)
    thread.start()
    cpu.open()
    io.open()
    got: list[int] = []
    deadline = time.monotonic() + 20
    while len(got) < rows and time.monotonic() < deadline:
        row = cpu.read()
        if not row.quality & (Quality.STALE | Quality.MISSING):
            got.append(int.from_bytes(row.raw[:2], "big"))
    thread.join(5)
    assert got == list(range(rows))
    cpu.close()
    io.close()
