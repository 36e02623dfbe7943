"""Two CPU clusters: threads that run, a governor that follows them, watts that come out."""

from __future__ import annotations

from math import exp

from powerhal.sim.design import STEP_NS, STEP_S, CpuDesign
from powerhal.sim.processes import Process, Thread

UTIL_RATE = 0.15  # per step: what a thread did is half forgotten after 43 ms
UP, DOWN = 2, 4  # steps that the governor waits before it changes the frequency


class CpuCluster:
    """Cores that share a clock and a rail. One `run` is one step of 10 ms.

    A thread's energy is its own cycles: kappa * C * V^2 * f * seconds, plus its share of the cluster's
    common clock tree while any core runs.
    """

    def __init__(self, design: CpuDesign, index: int) -> None:
        self.design = design
        self.index = index
        self.level = 0
        self.hz, self.volts = design.opps[0]  # of this step
        self.ticks = [0] * len(design.opps)  # time in state, in steps of 10 ms
        self.busy_ns = [0] * len(design.cpus)
        self.system_ns = [0] * len(design.cpus)
        self.amperes = 0.0
        self.top_rate = design.opps[-1][0] * design.work_per_cycle
        self._util = 0.0
        self._changed = 0

    def begin(self) -> None:
        """Set this step's frequency and voltage (load line included) and count the time in state."""
        design = self.design
        self.hz, nominal_v = design.opps[self.level]
        self.volts = nominal_v - self.amperes * design.load_line_ohms
        self.ticks[self.level] += 1

    def run(self, threads: list[Thread], step: int) -> list[tuple[Process, float]]:
        """Let threads run for one step; returns (process, joules at the rail)."""
        design = self.design
        hz = self.hz
        rate = hz * design.work_per_cycle
        room = [STEP_NS] * len(self.busy_ns)
        base = design.cpus[0]
        unit_j = design.farads * self.volts * self.volts * hz
        ran: list[tuple[Process, int]] = []
        busy = waiting = 0
        for thread in threads:
            need = min(STEP_NS, int(thread.backlog / rate * 1e9) + 1)
            cpu = thread.cpu - base
            if not 0 <= cpu < len(room) or room[cpu] < need:
                best = max(range(len(room)), key=room.__getitem__)
                if not 0 <= cpu < len(room) or room[best] > room[cpu]:
                    cpu = best
                    thread.cpu = base + best
            used = min(need, room[cpu])
            room[cpu] -= used
            busy += used
            done = rate * used / 1e9
            thread.backlog -= done
            if thread.backlog < 1.0:
                thread.backlog = 0.0
            else:
                waiting = 1
            process = thread.process
            thread.run_ns += used
            thread.util += UTIL_RATE * (done / STEP_S - thread.util)
            process.run_ns += used
            self.busy_ns[cpu] += used
            self.system_ns[cpu] += int(used * process.system_share)
            ran.append((process, used))
        shared_j = 0.0
        if busy:  # the common clock tree runs as long as the busiest core, paid by time run
            active_s = (STEP_NS - min(room)) / 1e9
            shared_j = design.shared_farads * self.volts * self.volts * hz * active_s / busy
        spent = [(process, (unit_j * process.kappa_now / 1e9 + shared_j) * used) for process, used in ran]
        self._govern(1.0 if waiting else (STEP_NS - min(room)) / STEP_NS, step)
        return spent

    def _govern(self, load: float, step: int) -> None:
        """Follow the busiest core: up fast, down slowly, a quarter above what was used."""
        opps = self.design.opps
        used = load * opps[self.level][0] / opps[-1][0]
        self._util = max(used, 0.9 * self._util)
        target = 1.25 * self._util * opps[-1][0]
        level = next((i for i, (hz, _) in enumerate(opps) if hz >= target), len(opps) - 1)
        if level != self.level and step - self._changed >= (UP if level > self.level else DOWN):
            self.level = level
            self._changed = step

    def leakage_w(self, celsius: float, per_kelvin: float, volts_power: float) -> float:
        """Static watts at the present voltage and die temperature."""
        relative: float = (self.volts / 0.8) ** volts_power
        kelvin = celsius - 40.0
        return self.design.leak_w * relative * exp(per_kelvin * kelvin)


def place(thread: Thread, little_top: float, step: int) -> None:
    """Move a thread up when a small core is too slow for it, down when it no longer needs a large one."""
    asleep = step - thread.seen_step - 1
    thread.seen_step = step
    if asleep > 0:
        thread.util *= (1.0 - UTIL_RATE) ** min(asleep, 60)
    if thread.pinned or step - thread.moved_step < 12:
        return
    late = thread.backlog > little_top * 0.02
    if thread.cluster == 0 and (thread.util > 0.75 * little_top or late):
        thread.cluster, thread.cpu = 1, 4 + thread.tid % 4
        thread.moved_step = step
    elif thread.cluster == 1 and thread.util < 0.3 * little_top and not late:
        thread.cluster, thread.cpu = 0, thread.tid % 4
        thread.moved_step = step
