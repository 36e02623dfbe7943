"""The world around a simulated board: its buses, its files, its clock, and the truth."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

from powerhal.errors import HardwareError
from powerhal.sim.bus import EmulatedBus
from powerhal.sim.chips import build
from powerhal.sim.chips.base import EmulatedChip
from powerhal.sim.kernel import SimulatedRoot
from powerhal.sim.phone import BatteryView, Phone
from powerhal.sim.signal import Signal
from powerhal.sim.truth import Truth
from powerhal.sim.workload import Workload
from powerhal.transport import SerialPort
from powerhal.transport.clock import VirtualClock

if TYPE_CHECKING:
    from powerhal.board.schema import BoardDescription, Sensor

START_NS = 3_600_000_000_000  # the phone has been up for an hour
REALTIME_NS = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
SELF_PID = 7777
SHUNT_SPREAD = 0.0025  # 1 sigma of the shunts' resistance
# what the recorder's own looks cost it, in cycles of the large core
READ_CYCLES, CLOCK_CYCLES, TRANSFER_CYCLES, BYTE_CYCLES = 14_000.0, 2_500.0, 30_000.0, 1_500.0


class World:
    """A simulated phone wired as a board file says; the same seed repeats exactly.

    `board` is a description or its text. Sensors may sit on the rails `vdd_little`, `vdd_big`, `vdd_gpu`,
    `vdd_display`, `vdd_io`, `vsys` and `battery`; a gauge without a rail watches the battery. Raises
    HardwareError for another rail and for a chip that has no emulator.
    """

    def __init__(self, board: BoardDescription | str, seed: int = 0, *, self_pid: int = SELF_PID) -> None:
        description = _described(board)
        self.seed = seed
        self.self_pid = self_pid
        self._phone = Phone(seed, START_NS)
        self._workload = Workload(self._phone, seed, self_pid)
        self.clock = VirtualClock(self._advance, start_ns=START_NS, realtime_at_start_ns=REALTIME_NS)
        self.root = SimulatedRoot(self._phone, self._pay_read, self._pay_clock)
        self._buses = {name: EmulatedBus(name, {}, self._pay_transfer) for name in description.buses}
        for name, sensor in description.sensors.items():
            self._buses[sensor.bus].chips[sensor.address] = self._chip(name, sensor)
        for name, extra in description.simulation.chips.items() if description.simulation else ():
            battery: list[Signal | None] = [BatteryView(self._phone)]
            self._buses[extra.bus].chips[extra.address] = self._build(name, extra.chip, battery, [])

    def bus(self, name: str) -> EmulatedBus:
        """The emulated bus of that name in the board file; raises HardwareError."""
        if name not in self._buses:
            raise HardwareError(f"the simulated board has no bus {name!r}")
        return self._buses[name]

    def serial(self, name: str) -> SerialPort:
        """There are no instruments on serial lines here; raises HardwareError."""
        raise HardwareError(f"the simulated phone has no serial line for {name!r}")

    def truth(self, start_ns: int | None = None, end_ns: int | None = None) -> Truth:
        """Joules at the battery between two times of the virtual clock (None: all of it)."""
        return self._phone.book.between(start_ns, end_ns)

    def _advance(self, t_ns: int) -> None:
        phone, workload = self._phone, self._workload
        while phone.time_ns < t_ns:
            workload.before(phone.steps)
            phone.step()

    def _chip(self, name: str, sensor: Sensor) -> EmulatedChip:
        rng = Random(f"{self.seed}/shunts/{name}")
        signals: list[Signal | None] = []
        shunts: list[float] = []
        wired = sensor.wired()
        for number in range(1, max(wired, default=0) + 1):
            channel = wired.get(number)
            signals.append(self._signal(channel.rail, invert=channel.invert) if channel else None)
            nominal = channel.shunt_ohms if channel else None
            shunts.append((nominal or 0.01) * (1 + max(-3.0, min(3.0, rng.gauss(0, 1))) * SHUNT_SPREAD))
        return self._build(name, sensor.chip, signals or [BatteryView(self._phone)], shunts)

    def _build(self, name: str, chip: str, signals: Sequence[Signal | None], shunts: Sequence[float]) -> EmulatedChip:
        try:
            return build(chip, signals, self.clock.now_ns, shunts_ohms=shunts, seed=f"{self.seed}/{name}")
        except LookupError as error:
            raise HardwareError(f"sensor {name}: {error}") from None

    def _signal(self, rail: str, *, invert: bool) -> Signal:
        if rail not in self._phone.history:
            known = ", ".join(self._phone.history)
            raise HardwareError(f"the simulated phone has no rail {rail!r}; it has {known}")
        signal: Signal = BatteryView(self._phone) if rail == "battery" else self._phone.history[rail]
        return _Inverted(signal) if invert else signal

    def _pay_read(self) -> None:
        self._pay(READ_CYCLES)

    def _pay_clock(self) -> None:
        self._pay(CLOCK_CYCLES)

    def _pay_transfer(self, count: int) -> None:
        self._pay(TRANSFER_CYCLES + BYTE_CYCLES * count)

    def _pay(self, cycles: float) -> None:
        recorder = self._phone.processes.get(self.self_pid)
        if recorder is not None:
            self._phone.work(recorder, cycles)


class _Inverted:
    """A shunt wired the other way round."""

    def __init__(self, signal: Signal) -> None:
        self._signal = signal

    def amperes(self, start_ns: int, end_ns: int) -> float:
        return -self._signal.amperes(start_ns, end_ns)

    def volts(self, start_ns: int, end_ns: int) -> float:
        return self._signal.volts(start_ns, end_ns)


def _described(board: BoardDescription | str) -> BoardDescription:
    if not isinstance(board, str):
        return board
    from powerhal.board.load import parse

    return parse(board, "simulated board")


__all__ = ["SELF_PID", "START_NS", "World"]
