"""GPU, display, radios and storage: queues that are served, states with ramps and tails."""

from __future__ import annotations

from collections import deque
from math import exp

from powerhal.sim.design import STEP_NS, STEP_S, GpuDesign, RadioDesign
from powerhal.sim.parts import Parts
from powerhal.sim.processes import Process

Spent = list[tuple[Process | None, float]]  # (who caused it, joules at the rail); None: nobody


class Gpu:
    """One queue of cycles per process, served together; its governor looks every 40 ms."""

    def __init__(self, design: GpuDesign) -> None:
        self.design = design
        self.level = 0
        self.queue: dict[Process, float] = {}
        self.busy_ns = [0] * len(design.opps)
        self.volts = design.opps[0][1]  # of this step
        self._busy = self._looked = 0

    def run(self, step: int) -> Spent:
        """Serve one step; returns (process, joules)."""
        spent: Spent = []
        hz, self.volts = self.design.opps[self.level]
        wanted = sum(self.queue.values())
        if wanted > 0.0:
            share = min(1.0, hz * STEP_S / wanted)
            unit_j = self.design.farads * self.volts * self.volts
            for process, cycles in list(self.queue.items()):
                done = cycles * share
                if share >= 1.0:
                    del self.queue[process]
                else:
                    self.queue[process] = cycles - done
                used_ns = int(done / hz * 1e9)
                process.gpu_ns += used_ns
                self.busy_ns[self.level] += used_ns
                self._busy += used_ns
                spent.append((process, unit_j * done * process.kappa_now))
        if step - self._looked >= 4:
            self._govern(self._busy / ((step - self._looked) * STEP_NS))
            self._busy, self._looked = 0, step
        return spent

    def _govern(self, load: float) -> None:
        top = len(self.design.opps) - 1
        if load > 0.85:
            self.level = min(top, self.level + (2 if load > 0.97 else 1))
        elif load < 0.55 and self.level:
            self.level -= 1

    def leakage_w(self, celsius: float, per_kelvin: float, volts_power: float) -> float:
        """Static watts at the present voltage and die temperature."""
        relative: float = (self.volts / 0.8) ** volts_power
        return self.design.leak_w * relative * exp(per_kelvin * (celsius - 40.0))


class Display:
    """A panel: on or off, brightness 0..1 (what the user set), content 0..1 (what nobody records)."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.on = False
        self.brightness = 0.4
        self.content = 0.4

    def dynamic_w(self) -> float:
        """Watts above the panel's off state."""
        if not self.on:
            return 0.0
        p = self._parts
        bright: float = self.brightness**p.display_gamma
        return p.display_on_w + bright * (p.display_bright_w + p.display_content_w * self.content)


class Radio:
    """A radio that sleeps, ramps up, moves bytes and lingers; the tail is owed by who used it last."""

    def __init__(self, design: RadioDesign) -> None:
        self.design = design
        self.queue: deque[list[float]] = deque()
        self._owners: deque[tuple[Process | None, bool]] = deque()
        self.received = self.sent = self.packets_in = self.packets_out = 0
        self.by_uid: dict[int, list[int]] = {}  # uid -> rx bytes, rx packets, tx bytes, tx packets
        self._ramp_s = 0.0
        self._tail_s = 0.0
        self._awake = False
        self._last: list[tuple[Process | None, float]] = []

    def request(self, process: Process | None, size: float, *, send: bool) -> None:
        """Queue bytes for a process (None: the network's own chatter)."""
        if size >= 1.0:
            self.queue.append([float(int(size))])
            self._owners.append((process, send))

    def run(self) -> Spent:
        """One step; returns who caused how many joules above the sleeping radio."""
        if not self.queue:
            return self._linger()
        if not self._awake:
            if self._ramp_s < self.design.ramp_s:
                self._ramp_s += STEP_S
                return [(self._owners[0][0], self.design.ramp_w * STEP_S)]
            self._awake = True
        return self._move()

    def _move(self) -> Spent:
        design = self.design
        left_s = STEP_S
        moved: list[tuple[Process | None, float, float]] = []
        while self.queue and left_s > 1e-9:
            process, send = self._owners[0]
            rate = design.send_rate if send else design.receive_rate
            size = min(self.queue[0][0], float(int(rate * left_s)) or 1.0)
            left_s -= size / rate
            self._count(process, int(size), send=send)
            moved.append((process, size, size * (design.send_j if send else design.receive_j)))
            self.queue[0][0] -= size
            if self.queue[0][0] < 1.0:
                self.queue.popleft()
                self._owners.popleft()
        total = sum(size for _, size, _ in moved)
        self._last = [(process, size / total) for process, size, _ in moved]
        self._tail_s = 0.0
        awake_j = design.active_w * STEP_S
        return [(process, joules + awake_j * size / total) for process, size, joules in moved]

    def _count(self, process: Process | None, size: int, *, send: bool) -> None:
        packets = size // 1400 + 1
        if send:
            self.sent += size
            self.packets_out += packets
        else:
            self.received += size
            self.packets_in += packets
        row = self.by_uid.setdefault(process.uid if process else 0, [0, 0, 0, 0])
        at = 2 if send else 0
        row[at] += size
        row[at + 1] += packets

    def _linger(self) -> Spent:
        if not self._awake:
            return []
        self._tail_s += STEP_S
        passed = 0.0
        for seconds, watts in self.design.tails:
            passed += seconds
            if self._tail_s <= passed:
                return [(process, watts * STEP_S * share) for process, share in self._last]
        self._awake = False
        self._ramp_s = 0.0
        return []


class Storage:
    """Flash behind a queue; writes wait in memory for a while, as a kernel's page cache does."""

    def __init__(self, parts: Parts, read_rate: float, write_rate: float) -> None:
        self._parts = parts
        self._rates = (read_rate, write_rate)
        self._queue: deque[list[float]] = deque()
        self._owners: deque[tuple[Process, bool]] = deque()
        self._dirty: deque[tuple[int, Process, float]] = deque()
        self.read_sectors = self.write_sectors = self.reads = self.writes = 0
        self.busy_ns = 0

    def read(self, process: Process, size: float) -> None:
        """A process reads bytes now."""
        process.read_bytes += int(size)
        self._queue.append([size])
        self._owners.append((process, False))

    def write(self, process: Process, size: float, due_step: int) -> None:
        """A process writes bytes that reach the flash at `due_step`."""
        process.write_bytes += int(size)
        self._dirty.append((due_step, process, size))

    def run(self, step: int) -> Spent:
        """One step; returns (process, joules)."""
        while self._dirty and self._dirty[0][0] <= step:
            _, process, size = self._dirty.popleft()
            self._queue.append([size])
            self._owners.append((process, True))
        if not self._queue:
            return []
        parts = self._parts
        left_s = STEP_S
        spent: Spent = []
        while self._queue and left_s > 1e-9:
            process, write = self._owners[0]
            rate = self._rates[1 if write else 0]
            size = min(self._queue[0][0], rate * left_s)
            seconds = size / rate
            left_s -= seconds
            if write:
                self.write_sectors += int(size / 512 + 0.5)
                self.writes += 1
                joules = seconds * parts.storage_write_w + size * parts.storage_write_j
            else:
                self.read_sectors += int(size / 512 + 0.5)
                self.reads += 1
                joules = seconds * parts.storage_read_w + size * parts.storage_read_j
            spent.append((process, joules))
            self._queue[0][0] -= size
            if self._queue[0][0] < 1.0:
                self._queue.popleft()
                self._owners.popleft()
        self.busy_ns += int((STEP_S - left_s) * 1e9)
        return spent
