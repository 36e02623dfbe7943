"""What the process scan remembers of one live process."""

from __future__ import annotations

from dataclasses import dataclass, field

from powerhal.channel import ProcessInfo
from powerhal.host.proc_files import ProcStat

CHILDREN = -1000  # pid of a parent's children row: CHILDREN - parent's pid


@dataclass(slots=True)
class Record:
    """One process: identity, clock, and the books of its children's time (all times in ns).

    `reaped_ns` is what the kernel last showed (cutime + cstime); `accounted_ns` is how much of it is
    booked somewhere, either before the run, or to the children themselves while they lived, or to this
    process's children row. `doubtful_ns` is the part of `accounted_ns` that came from children which
    vanished after `reaped_ns` was read, so that it may show up only next time.
    """

    info: ProcessInfo
    clock_ns: int
    cpu: int
    threads: int
    reaped_ns: int
    accounted_ns: int
    key: tuple[int, int] = field(init=False)  # (pid, start_ticks)
    rate: float = 0.0  # CPU seconds per second over the last scan
    doubtful_ns: int = 0
    per_birth_ns: float | None = None  # time of its children never seen per unseen birth, None: not known
    parent: bool = False  # has, or had, children
    read_ns: int = -(1 << 62)  # when `stat` was last read for its children's sake
    io_due_ns: int = 0  # when `io` may be read again
    fresh: bool = True  # its name may still be the one before exec
    renames: int = 0
    told: bool = False  # an exit record told all of its time
    children_named: bool = False
    thread_ns: dict[str, int] | None = None

    def __post_init__(self) -> None:
        self.key = (self.info.pid, self.info.start_ticks)

    @property
    def total_ns(self) -> int:
        """All time that a parent's `cutime` will hold of this process, as far as it is booked."""
        return self.clock_ns + self.accounted_ns

    def children_info(self) -> ProcessInfo:
        """The row that its unseen children are booked to."""
        own = self.info
        return ProcessInfo(
            CHILDREN - own.pid,
            own.start_ticks,
            own.pid,
            own.uid,
            f"{own.comm} (children)",
            own.cgroup,
            own.kernel,
        )


def make_info(pid: int, stat: ProcStat, uid: int, cgroup: str) -> ProcessInfo:
    """ProcessInfo of a parsed stat line."""
    return ProcessInfo(pid, stat.start_ticks, stat.ppid, uid, stat.comm, cgroup, stat.kernel)
