"""Processes and threads of the simulated phone: what the kernel counts, and what nobody sees."""

from __future__ import annotations

from collections.abc import Sequence

DEVICE_COUNT = 8


class Thread:
    """One thread: work waiting (large-core cycles), where it runs, what it used (ns)."""

    __slots__ = (
        "backlog",
        "cluster",
        "cpu",
        "moved_step",
        "name",
        "pinned",
        "process",
        "run_ns",
        "seen_step",
        "tid",
        "util",
    )

    def __init__(self, process: Process, tid: int, name: str, cluster: int, cpu: int, *, pinned: bool) -> None:
        self.process = process
        self.tid = tid
        self.name = name
        self.cluster = cluster  # 0 little, 1 big
        self.cpu = cpu
        self.pinned = pinned
        self.backlog = 0.0
        self.util = 0.0
        self.run_ns = 0
        self.moved_step = -1000
        self.seen_step = 0


class Process:
    """One process: identity, counters of the kernel, hidden switching activity (`kappa`, about 1).

    `cells` are the indices of its energy cells in the truth, one per device.
    """

    __slots__ = (
        "alive", "cells", "cgroup", "children_ns", "comm", "exit_ns", "gpu_ns", "kappa", "kappa_now", "kernel",
        "pid", "ppid", "read_bytes", "run_ns", "start_ns", "system_share", "threads", "uid", "write_bytes",
    )  # fmt: skip

    def __init__(
        self, pid: int, ppid: int, uid: int, comm: str, start_ns: int, *, kernel: bool = False, kappa: float = 1.0
    ) -> None:
        self.pid = pid
        self.ppid = ppid
        self.uid = uid
        self.comm = comm
        self.start_ns = start_ns
        self.kernel = kernel
        self.kappa = kappa
        self.kappa_now = kappa
        self.cgroup = _cgroup(uid, pid, kernel=kernel)
        self.threads: list[Thread] = []
        self.run_ns = 0
        self.children_ns = 0
        self.read_bytes = 0
        self.write_bytes = 0
        self.gpu_ns = 0
        self.system_share = 1.0 if kernel else 0.2
        self.alive = True
        self.exit_ns = 0
        self.cells: list[int] = []

    def spawn(self, names: Sequence[str], cluster: int = 0, *, pinned: bool = False) -> Process:
        """Give it threads with these names; the first is the main thread. Returns itself."""
        for i, name in enumerate(names):
            cpu = (self.pid + i) % 4 + 4 * cluster
            self.threads.append(Thread(self, self.pid + i, name, cluster, cpu, pinned=pinned))
        return self


def _cgroup(uid: int, pid: int, *, kernel: bool) -> str:
    if kernel or uid < 1000:
        return "/"
    return f"/uid_{uid}/pid_{pid}"
