"""The simulated phone: one step of 10 ms after another, and where each joule went."""

from __future__ import annotations

from random import Random

from powerhal.sim import design as d
from powerhal.sim.cpu import CpuCluster, place
from powerhal.sim.parts import Parts, draw
from powerhal.sim.peripherals import Display, Gpu, Radio, Storage
from powerhal.sim.power import Battery, Heat, SupplyTree
from powerhal.sim.processes import Process, Thread
from powerhal.sim.signal import History
from powerhal.sim.truth import TruthBook

LITTLE, BIG, GPU, DISPLAY, WIFI, MODEM, STORAGE, BASE = range(8)
HEAT_STEPS = 5
SOFTIRQ_NS = 3_000  # per packet, on the first small core
KERNEL_PID = -2  # what the kernel does for nobody in particular


class Phone:
    """State of the phone at `time_ns`; the workload puts in work, `step` lets 10 ms pass.

    Every joule of a step is booked at the battery: device (dynamic), device (static), converters
    (no load), and the dynamic part also to the process that caused it.
    """

    def __init__(self, seed: int, start_ns: int) -> None:
        self.parts: Parts = draw(seed)
        self.start_ns = start_ns
        self.time_ns = start_ns
        self.steps = 0
        self._rng = Random(f"{seed}/physics")
        self.little = CpuCluster(self.parts.little, 0)
        self.big = CpuCluster(self.parts.big, 1)
        self.gpu = Gpu(self.parts.gpu)
        self.display = Display(self.parts)
        self.wifi = Radio(self.parts.wifi)
        self.modem = Radio(self.parts.modem)
        self.storage = Storage(self.parts, d.STORAGE_READ_RATE, d.STORAGE_WRITE_RATE)
        self.tree = SupplyTree(self.parts)
        self.battery = Battery(self.parts)
        self.heat = Heat(self.parts)
        self.book = TruthBook(start_ns)
        self.history = {name: History(start_ns, d.STEP_NS) for name in d.RAILS}
        self.processes: dict[int, Process] = {}
        self.forks = 0
        self.softirq_ns = 0
        self._runnable: dict[Thread, None] = {}
        self._kernel_cells = self.book.open(KERNEL_PID, "kernel")
        self._packets = 0
        self._heat_j = [0.0, 0.0, 0.0, 0.0]
        self._flicker_w = 0.0

    # -- what the workload may do ------------------------------------------------------------------

    def add(self, process: Process, cells: list[int] | None = None) -> Process:
        """A process appears; its energy goes to `cells` (None: cells of its own)."""
        self.processes[process.pid] = process
        self.forks += len(process.threads)
        process.cells = self.book.open(process.pid, process.comm) if cells is None else cells
        return process

    def exit(self, process: Process) -> None:
        """A process ends and its parent collects its CPU time."""
        process.alive = False
        process.exit_ns = self.time_ns
        for thread in process.threads:
            self._runnable.pop(thread, None)
        del self.processes[process.pid]
        parent = self.processes.get(process.ppid)
        if parent is not None:
            parent.children_ns += process.run_ns + process.children_ns

    def work(self, process: Process, cycles: float, thread: int = 0) -> None:
        """Give a thread something to compute, in cycles of the large core."""
        target = process.threads[thread]
        target.backlog += cycles
        self._runnable[target] = None

    # -- the passing of time -----------------------------------------------------------------------

    def step(self) -> None:
        """Let 10 ms pass."""
        step = self.steps
        parts, heat = self.parts, self.heat
        spent = self._compute(step)
        dynamic = [0.0] * 8
        for device, rows in enumerate(spent):
            dynamic[device] = sum(joules for _, joules in rows)
        dynamic[DISPLAY] = self.display.dynamic_w() * d.STEP_S
        leak = parts.leak_per_kelvin, parts.leak_volts_power
        self._flicker_w += 0.05 * (self._rng.gauss(0.0, 0.02) - self._flicker_w)
        static_w = [
            self.little.leakage_w(heat.die_c[0], *leak),
            self.big.leakage_w(heat.die_c[1], *leak),
            self.gpu.leakage_w(heat.die_c[2], *leak),
            parts.display_off_w,
            parts.wifi.idle_w,
            parts.modem.idle_w,
            parts.storage_idle_w,
            parts.base_w * (1.0 + self._flicker_w),
        ]
        device_w = [s + e / d.STEP_S for s, e in zip(static_w, dynamic, strict=True)]
        supply = self.tree.solve(device_w)
        self._book(spent, dynamic, static_w, supply.factor)
        cells = self.book.cells
        cells[self.book.converters] += supply.quiescent_w * d.STEP_S
        cells[self.book.root] += supply.battery_w * d.STEP_S
        self._measure(supply.rail_w)
        self._warm(device_w, supply.battery_w)
        self.steps = step + 1
        self.time_ns += d.STEP_NS
        self.book.step(self.steps)

    def _compute(self, step: int) -> list[list[tuple[Process | None, float]]]:
        """Run everything that has work; per device, who caused how many joules at the rail."""
        lists: tuple[list[Thread], list[Thread]] = ([], [])
        little_top = self.little.top_rate
        for thread in self._runnable:
            place(thread, little_top, step)
            lists[thread.cluster].append(thread)
        if step & 1:
            lists[0].reverse()
            lists[1].reverse()
        self.little.begin()
        self.big.begin()
        little: list[tuple[Process | None, float]] = list(self.little.run(lists[0], step))
        big: list[tuple[Process | None, float]] = list(self.big.run(lists[1], step))
        for threads in lists:
            for thread in threads:
                if not thread.backlog:
                    del self._runnable[thread]
        little.extend(self._softirq())
        return [
            little, big, self.gpu.run(step), [], self.wifi.run(), self.modem.run(), self.storage.run(step), [],
        ]  # fmt: skip

    def _softirq(self) -> list[tuple[Process | None, float]]:
        """Packets cost the kernel a little time that belongs to no process."""
        packets = self.wifi.packets_in + self.wifi.packets_out + self.modem.packets_in + self.modem.packets_out
        fresh, self._packets = packets - self._packets, packets
        if not fresh:
            return []
        used_ns = fresh * SOFTIRQ_NS
        self.softirq_ns += used_ns
        cluster = self.little
        joules = cluster.design.farads * cluster.volts**2 * cluster.hz * used_ns / 1e9
        return [(None, joules)]

    def _book(
        self,
        spent: list[list[tuple[Process | None, float]]],
        dynamic: list[float],
        static_w: list[float],
        factor: list[float],
    ) -> None:
        cells = self.book.cells
        for device in range(8):
            ratio = factor[device]
            cells[device] += dynamic[device] * ratio
            cells[8 + device] += static_w[device] * ratio * d.STEP_S
            for process, joules in spent[device]:
                if process is not None:
                    cells[process.cells[device]] += joules * ratio
                elif device == LITTLE:
                    cells[self._kernel_cells[device]] += joules * ratio

    def _measure(self, rail_w: list[float]) -> None:
        little, big, history = self.little, self.big, self.history
        self.battery.step(rail_w[-1])
        battery_v = self.battery.volts
        little.amperes = rail_w[0] / little.volts
        big.amperes = rail_w[1] / big.volts
        gpu_v = self.gpu.volts
        history["vdd_little"].append(little.amperes, little.volts)
        history["vdd_big"].append(big.amperes, big.volts)
        history["vdd_gpu"].append(rail_w[2] / gpu_v, gpu_v)
        history["vdd_display"].append(rail_w[3] / 4.6, 4.6)
        history["vdd_io"].append(rail_w[4] / 3.3, 3.3)
        history["vsys"].append(rail_w[5] / battery_v, battery_v)
        history["battery"].append(self.battery.amperes, battery_v)

    def _warm(self, device_w: list[float], total_w: float) -> None:
        sums = self._heat_j
        for i in range(3):
            sums[i] += device_w[i]
        sums[3] += total_w
        if self.steps % HEAT_STEPS == HEAT_STEPS - 1:
            n = float(HEAT_STEPS)
            self.heat.step((sums[0] / n, sums[1] / n, sums[2] / n), sums[3] / n, n * d.STEP_S)
            self._heat_j = [0.0, 0.0, 0.0, 0.0]


class BatteryView:
    """The phone's cell as a fuel gauge sees it; implements powerhal.sim.signal.BatterySignal."""

    capacity_ah = d.BATTERY_AH

    def __init__(self, phone: Phone) -> None:
        self._phone = phone

    def amperes(self, start_ns: int, end_ns: int) -> float:
        """Mean discharge current in A."""
        return self._phone.history["battery"].amperes(start_ns, end_ns)

    def volts(self, start_ns: int, end_ns: int) -> float:
        """Mean terminal voltage in V."""
        return self._phone.history["battery"].volts(start_ns, end_ns)

    def charge_fraction(self, t_ns: int) -> float:
        """State of charge now, 0..1."""
        return self._phone.battery.fraction

    def celsius(self, t_ns: int) -> float:
        """Cell temperature now, degC."""
        return self._phone.heat.skin_c - 1.0
