"""What no process clock explains: interrupts, stolen time, and processes that left no trace.

/proc/stat counts all time of every CPU, but most kernels take it by sampling at each timer tick, so over
one scan it is off by several ticks while the process clocks are exact. The difference is therefore
carried, and is given out only when it is larger than sampling can explain (three standard deviations of
a tick counter); a shortfall of that size is dropped, because ticks miss work that hides between them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from powerhal.host.clusters import CpuGroup
from powerhal.host.cpu import CpuTicks
from powerhal.host.proc_files import TICK_NS

SIGMAS = 3.0


@dataclass(frozen=True, slots=True)
class Rest:
    """ns per cluster: the kernel's own time, and time of processes that no scan and no parent showed."""

    kernel_ns: dict[str, int]
    exited_ns: dict[str, int]


class Balance:
    """Carries the difference between /proc/stat and what was booked, from scan to scan."""

    def __init__(self, clusters: Sequence[CpuGroup]) -> None:
        self._clusters = {cpu: group.name for group in clusters for cpu in group.cpus}
        self._before: dict[int, CpuTicks] = {}
        self._carry: dict[str, int] = {group.name: 0 for group in clusters}
        self._interrupts: dict[str, int] = {}
        self._variance_ns2 = 0.0

    def start(self, now: Mapping[int, CpuTicks]) -> None:
        """Remember the counters; what was before does not count."""
        self._before = dict(now)

    def advance(self, now: Mapping[int, CpuTicks]) -> None:
        """A new scan: add what the counters of /proc/stat gained since the last one."""
        self._interrupts = dict.fromkeys(self._carry, 0)
        for cpu, ticks in now.items():
            before, cluster = self._before.get(cpu), self._clusters.get(cpu)
            if before is None or cluster is None:
                continue
            # counters of a CPU that comes back from being off may fall (idle is re-estimated)
            busy = max(0, ticks.processes - before.processes)
            kernel = max(0, ticks.interrupts - before.interrupts)
            idle = max(0, ticks.idle - before.idle)
            self._carry[cluster] += (busy + kernel) * TICK_NS
            self._interrupts[cluster] += kernel * TICK_NS
            self._variance_ns2 += _variance_ns2(busy + kernel, idle)
        self._before.update(now)

    def book(self, cluster: str, ns: int) -> None:
        """Time of that cluster that somebody is charged for."""
        self._carry[cluster] = self._carry.get(cluster, 0) - ns

    def unexplained(self, fallback: str) -> dict[str, int]:
        """Weights of the clusters for time of unknown place: busy ns that nobody is booked for yet."""
        return {name: ns for name, ns in self._carry.items() if ns > 0} or {fallback: 1}

    def rest(self) -> Rest:
        """What is left after all bookings of the scan."""
        kernel_ns = self._give(self._interrupts)
        return Rest(kernel_ns, self._significant())

    def _give(self, wanted: Mapping[str, int]) -> dict[str, int]:
        """Take interrupt time out of the carry. On kernels that charge it to the process it hit, the
        clocks hold it already and nothing is left to give."""
        left = max(0, sum(self._carry.values()))
        given: dict[str, int] = {}
        for cluster, ns in wanted.items():
            share = min(ns, left)
            if share > 0:
                given[cluster] = share
                self._carry[cluster] -= share
                left -= share
        return given

    def _significant(self) -> dict[str, int]:
        carry = sum(self._carry.values())
        # two counters per CPU are shown in whole ticks
        floor_ns2 = 2.0 * max(1, len(self._before)) * TICK_NS**2
        if abs(carry) <= SIGMAS * math.sqrt(self._variance_ns2 + floor_ns2):
            return {}
        self._variance_ns2 = 0.0
        surplus = {cluster: ns for cluster, ns in self._carry.items() if ns > 0}
        self._carry = dict.fromkeys(self._carry, 0)
        if carry < 0:
            return {}
        scale = carry / sum(surplus.values())
        return {cluster: int(ns * scale) for cluster, ns in surplus.items()}


def _variance_ns2(busy: int, idle: int) -> float:
    """Variance of a tick counter that saw `busy` of `busy + idle` ticks, each busy by chance."""
    total = busy + idle
    return busy * idle / total * TICK_NS**2 if total else 0.0
