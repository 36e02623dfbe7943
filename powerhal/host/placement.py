"""Where a process ran since the last scan: its CPU time split over clusters, and over frequencies where they are told.

Rung two of the ladder: the kernel counts every slice (`run_times.py`); its shares divide the process's own clock.
Rung three: field 39 of /proc/PID/task/TID/stat tells where a thread ran last, its utime + stime how much it did.
With one cluster nothing is read. A thread that moved between clusters within one scan counts for the last one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from powerhal.errors import TransportError
from powerhal.host.clusters import WHOLE, CpuGroup
from powerhal.host.proc_files import parse_stat
from powerhal.host.record import Record
from powerhal.transport import FileRoot

if TYPE_CHECKING:
    from powerhal.host.run_times import Ran, RunTimes


class Placement:
    """Splits a process's time over the clusters; exactly where the kernel's own count is given."""

    def __init__(self, root: FileRoot, clusters: Sequence[CpuGroup], exact: RunTimes | None = None) -> None:
        self._root = root
        self._exact = exact
        self._ran: Mapping[int, Ran] = {}
        self._of_cpu = {cpu: group.name for group in clusters for cpu in group.cpus}
        self.default = clusters[0].name if clusters else WHOLE
        names = [group.name for group in clusters] or [WHOLE]
        self.activity = {name: f"cpu.{name}.time" for name in names}
        self.several = len(clusters) > 1
        self.asks_threads = self.several and exact is None

    def look(self) -> None:
        """Take in what ran since the last look; nothing to do on rung three."""
        if self._exact is not None:
            self._ran = self._exact.since()

    def wakeups(self, pid: int) -> int:
        """How often the process woke an idle CPU since the last look; 0 where that is not counted."""
        ran = self._ran.get(pid)
        return ran.wakeups if ran is not None else 0

    def cluster(self, cpu: int) -> str:
        """Cluster of a CPU; the first one where the CPU is unknown."""
        return self._of_cpu.get(cpu, self.default)

    def split(self, record: Record, delta_ns: int) -> dict[str, int]:
        """`delta_ns` of the process by cluster; the parts add up to it."""
        if not self.several:
            return {self.default: delta_ns}
        ran = self._ran.get(record.info.pid)
        if ran is not None and ran.slices_ns:
            weights: dict[str, int] = {}
            for (cpu, _), ns in ran.slices_ns.items():
                name = self.cluster(cpu)
                weights[name] = weights.get(name, 0) + ns
            return shares(weights, delta_ns)
        if record.threads < 2:
            return {self.cluster(record.cpu): delta_ns}
        return shares(self._threads(record) or {self.cluster(record.cpu): 1}, delta_ns)

    def at_frequencies(self, pid: int, delta_ns: int) -> dict[str, int]:
        """`delta_ns` of the process by activity `run.CLUSTER@HZ`; empty where no frequency is told."""
        ran = self._ran.get(pid)
        if ran is None or not any(khz for _, khz in ran.slices_ns):
            return {}
        weights: dict[str, int] = {}
        for (cpu, khz), ns in ran.slices_ns.items():
            name = f"run.{self.cluster(cpu)}@{khz * 1000}"
            weights[name] = weights.get(name, 0) + ns
        return shares(weights, delta_ns)

    def _threads(self, record: Record) -> dict[str, int]:
        """Cluster -> ns that the live threads did since this was last asked, in whole ticks."""
        before = record.thread_ns
        now: dict[str, int] = {}
        weights: dict[str, int] = {}
        folder = f"/proc/{record.info.pid}/task"
        try:
            threads = self._root.listdir(folder)
        except (TransportError, OSError):
            return {}
        for tid in threads:
            try:
                stat = parse_stat(self._root.read(f"{folder}/{tid}/stat"))
            except (TransportError, OSError, ValueError):
                continue  # the thread ended
            now[tid] = stat.own_ns
            # at the first look, a thread's whole life is the best guess of its share
            did_ns = stat.own_ns - (before or {}).get(tid, 0)
            if did_ns > 0:
                cluster = self.cluster(stat.cpu)
                weights[cluster] = weights.get(cluster, 0) + did_ns
        record.thread_ns = now
        return weights


def shares(weights: Mapping[str, int], total_ns: int) -> dict[str, int]:
    """`total_ns` in proportion to `weights` (not all zero); whole ns that add up."""
    whole = sum(weights.values())
    parts = {name: total_ns * weight // whole for name, weight in weights.items()}
    first = next(iter(parts))
    parts[first] += total_ns - sum(parts.values())
    return parts
