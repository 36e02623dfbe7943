"""powerhal's own probe: a microcontroller that reads chips and sends their raw registers.

Raw registers keep one decoder and one set of golden bytes; see `frames.py` for the wire. One line feeds one
source per chip, so that a chip that fails does not hide the others. Settings of the chips are the board
file's: the probe's firmware programs them, this side never writes registers.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from powerhal import chips
from powerhal.channel import Layout, Quality, Reading, Source
from powerhal.chips.layout import RowPlan, build_row, expected_config, settings_of
from powerhal.chips.source import check_options
from powerhal.errors import TransportError
from powerhal.meters import MeterChip
from powerhal.meters.frames import ASK, DATA, HELLO, PARTIAL, FrameDecoder, Hello, parse_hello
from powerhal.transport import Clock, SerialPort

BACKLOG = 4096  # rows kept for a source that is not read
HELLO_WAIT_NS = 2_500_000_000  # the probe says hello once a second
SILENT_NS = 1_000_000_000  # no frame for so long: the line is dead
HURRY = 0.98  # read a little faster than the probe sends, so that nothing piles up
_DRIFT = 200e-6  # the probe's crystal against ours, relative
_WRAP_US = 1 << 32


@dataclass(slots=True)
class McuClock:
    """The probe's microseconds on our clock: the line delays frames but never hastens them.

    The smallest difference seen between arrival and the probe's time is the best estimate of the offset; it may
    grow by the crystals' drift. `now_us` unwraps the 32-bit counter.
    """

    offset_ns: int | None = None
    last_us: int = 0
    total_us: int = 0

    def to_ns(self, mcu_us: int, arrival_ns: int) -> int:
        """Our time of an instant of the probe; never later than its arrival."""
        step_us = (mcu_us - self.last_us) % _WRAP_US
        if self.offset_ns is None:
            step_us = 0
        self.last_us = mcu_us
        self.total_us += step_us
        gap_ns = arrival_ns - self.total_us * 1000
        grown_ns = gap_ns if self.offset_ns is None else self.offset_ns + int(step_us * 1000 * _DRIFT)
        self.offset_ns = min(gap_ns, grown_ns)
        return self.total_us * 1000 + self.offset_ns


class Probe:
    """One line with its counters: `lost`, `repeated`, `restarts`, and the decoder's `damaged`, `overflows`."""

    def __init__(self, name: str, port: SerialPort, clock: Clock) -> None:
        self.name, self.port, self.clock = name, port, clock
        self.decoder = FrameDecoder()
        self.hello: Hello | None = None
        self.lost = self.repeated = self.restarts = 0
        self.heard_ns = clock.now_ns()
        self.sources: list[ProbeSource] = []
        self._mcu = McuClock()
        self._seq: int | None = None

    def say_hello(self) -> Hello:
        """Ask who is there; raises TransportError (kind 'absent') when no probe answers."""
        if self.hello is None:
            self.port.write(ASK)
        deadline = self.clock.now_ns() + HELLO_WAIT_NS
        while True:
            hello = self.hello
            if hello is not None:
                return hello
            if self.clock.now_ns() >= deadline:
                damaged = self.decoder.damaged + self.decoder.overflows
                noise = f"; {damaged} damaged frames: is the baud rate right?" if damaged else ""
                raise TransportError(f"{self.name}: no probe says hello on {self.port.name}{noise}", kind="absent")
            self.clock.sleep_until(self.clock.now_ns() + 5_000_000)
            self.pump()

    def pump(self) -> None:
        """Take what is waiting and hand the rows to the sources; raises TransportError when unplugged."""
        while data := self.port.read(65536):
            now = self.clock.now_ns()
            for frame in self.decoder.feed(data):
                self.heard_ns = now
                if frame.kind == HELLO:
                    self._hello(parse_hello(frame.payload))
                if self._in_order(frame.seq) and frame.kind in (DATA, PARTIAL) and self.hello is not None:
                    self._rows(frame.kind, self._mcu.to_ns(frame.mcu_us, now), frame.payload)

    def _hello(self, hello: Hello | None) -> None:
        """Another nonce is another boot: its counters and clock start anew."""
        if hello is None:
            return
        known, self.hello = self.hello, hello
        if known is not None and known.nonce == hello.nonce:
            return
        if known is not None:
            self.restarts += 1
            self._seq = None
            self._mcu = McuClock()
        for source in self.sources:
            source.greeted(hello, again=known is not None)

    def _in_order(self, seq: int) -> bool:
        """Count what is missing before this frame; False for a frame seen already."""
        step = 1 if self._seq is None else (seq - self._seq) % 65536
        if step == 0:
            self.repeated += 1
            return False
        self._seq = seq
        if step < 32768:
            self.lost += step - 1
        return True

    def _rows(self, kind: int, t_ns: int, payload: bytes) -> None:
        assert self.hello is not None
        failed, data = (payload[0], payload[1:]) if kind == PARTIAL and payload else (0, payload)
        if len(data) != sum(nbytes for _, registers in self.hello.chips for _, nbytes in registers):
            self.decoder.damaged += 1
            return
        for source in self.sources:
            source.take(t_ns, failed, data)


class ProbeSource:
    """One chip behind a probe; see `powerhal.channel.Source`."""

    def __init__(self, probe: Probe, name: str, chip: MeterChip) -> None:
        self.name = name
        self._probe, self._chip = probe, chip
        probe.sources.append(self)
        kind = chips.load(chip.compatible)
        check_options(kind, chip.address, chip.options)
        settings = settings_of(kind, expected_config(kind, chip.options.config))
        # no ready bit and no status registers: the probe decides what a new conversion is
        unseen = frozenset(flag.bits for flag in kind.flags)
        self._row: RowPlan = build_row(
            kind, chip.address, chip.options, settings, period_s=float("inf"), latched=unseen
        )
        self.period_s = 1.0 / (chip.options.rate_hz or kind.default_hz)
        self.last_fault = self.last_kind = ""
        self._parts: list[slice] = []
        self._bit = 0
        self._queue: deque[Reading] = deque(maxlen=BACKLOG)
        self._last: Reading | None = None
        self._restarted = False
        self.dropped = 0

    @property
    def layout(self) -> Layout:
        """How a row decodes."""
        return self._row.layout

    def open(self) -> None:
        """Hear the probe's hello and find our registers in it; raises TransportError."""
        hello = self._probe.say_hello()
        self._find(hello)
        self.period_s = HURRY * hello.period_us * 1e-6 if hello.period_us else self.period_s

    def _find(self, hello: Hello) -> None:
        places: dict[int, slice] = {}
        at = 0
        for number, (address, registers) in enumerate(hello.chips):
            for pointer, nbytes in registers:
                if address == self._chip.address:
                    self._bit = 1 << number
                    places[pointer] = slice(at, at + nbytes)
                at += nbytes
        wanted = [(xfer.write[0], xfer.read) for xfer in self._row.xfers]
        missing = [p for p, n in wanted if p not in places or places[p].stop - places[p].start != n]
        if missing:
            listed = ", ".join(f"0x{p:02x}" for p in missing)
            raise TransportError(
                f"{self.name}: the probe does not send register {listed} of 0x{self._chip.address:02x}", kind="absent"
            )
        self._parts = [places[pointer] for pointer, _ in wanted]

    def greeted(self, hello: Hello, *, again: bool) -> None:
        """The probe said who it is; `again`: after a reboot, which the next row tells."""
        self._restarted = again
        try:
            self._find(hello)
        except TransportError as error:
            self._failed(error)
            self._parts = []

    def take(self, t_ns: int, failed: int, data: bytes) -> None:
        """Queue our part of a data frame."""
        quality = Quality.UNVERIFIED
        if self._restarted:
            quality |= Quality.RESET
            self._restarted = False
        if failed & self._bit or not self._parts:
            quality |= Quality.MISSING
            raw = bytes(self.layout.row_bytes)
            if self._parts:
                self._failed(TransportError(f"{self.name}: the chip does not answer the probe", kind="absent"))
        else:
            raw = b"".join(data[part] for part in self._parts)
        if len(self._queue) == BACKLOG:
            self.dropped += 1
        self._queue.append(Reading(t_ns, raw, quality))

    def read(self) -> Reading:
        """The oldest row not yet read; the last one again as STALE between frames, MISSING when the line is dead."""
        if not self._queue:
            try:
                self._probe.pump()
            except TransportError as error:
                return self._nothing(error)
        if self._queue:
            self._last = self._queue.popleft()
            return self._last
        now = self._probe.clock.now_ns()
        if self._last is None or now - self._probe.heard_ns > SILENT_NS:
            return self._nothing(TransportError(f"{self.name}: the probe is silent", kind="timeout"))
        return Reading(now, self._last.raw, self._last.quality | Quality.STALE)

    def _failed(self, fault: TransportError) -> None:
        self.last_fault, self.last_kind = str(fault), fault.kind

    def _nothing(self, fault: TransportError) -> Reading:
        self._failed(fault)
        return Reading(self._probe.clock.now_ns(), bytes(self.layout.row_bytes), Quality.MISSING)

    def close(self) -> None:
        """Leave the probe; the last one closes the line."""
        if self in self._probe.sources:
            self._probe.sources.remove(self)
        if not self._probe.sources:
            self._probe.port.close()


def sources(name: str, port: SerialPort, chips_of: Mapping[str, MeterChip], clock: Clock) -> list[Source]:
    """One source per chip, named after the chip; raises BoardError for what a chip cannot do."""
    probe = Probe(name, port, clock)
    return [ProbeSource(probe, chip_name, chip) for chip_name, chip in chips_of.items()]
