"""The live processes: who is new, who is gone, whose clock moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import compress
from operator import ne
from typing import cast

from powerhal.errors import TransportError
from powerhal.host.open_files import OpenFiles
from powerhal.host.proc_files import TICK_NS, ProcStat, parse_cgroup, parse_stat, parse_uid
from powerhal.host.record import Record, make_info
from powerhal.transport import FileRoot

PROC = "/proc"
LOADAVG = "/proc/loadavg"
MOST_PROBES = 256  # new pids to ask one by one; more than that, and the listing is cheaper
MOST_RENAMES = 8  # a process that renames itself all the time keeps its last name


@dataclass(slots=True)
class Look:
    """One pass over the listing and the clocks."""

    born: list[str]  # names in /proc of pids not known yet
    gone: list[Record]
    moved: list[tuple[Record, int]]  # with the clock's new value, ns


class ProcessTable:
    """Live processes by pid; reads /proc/PID files and process clocks through a FileRoot."""

    def __init__(self, root: FileRoot, files: OpenFiles) -> None:
        self._root = root
        self._files = files
        self._by_name: dict[str, Record] = {}
        self._refused: set[str] = set()
        self._names: list[str] = []
        self._last_pid = -1
        self._records: list[Record] = []  # the values of `live`
        self._before_ns: list[int] = []  # their clocks at the last look
        self._read_clocks: Callable[[], list[int]] = list  # their clocks
        self.live: dict[int, Record] = {}
        self.touched: dict[int, Record] = {}  # whose `stat` was read since `look`
        self.reapers: set[int] = {1}
        self.clock_ns: Callable[[int], int] = self._ticks_ns  # until `trust_clocks`
        self.by_ticks = False

    @property
    def refused(self) -> int:
        """Processes that are listed but may not be read."""
        return len(self._refused)

    def look(self, *, births: bool = True, listing: bool = True) -> Look:
        """Who is there now; the gone are taken out of `live`. Raises TransportError without /proc.

        `births` False: the kernel has forked nothing since the last look. `listing` False: /proc need not be
        listed if there is a cheaper way to find the newborn (those that ended are found by their clocks).
        """
        born: list[str] | None = []
        gone: list[Record] = []
        if births:
            born = self._recent()
        if listing or born is None:
            born, gone = self._listing()
        self.touched = {pid: record for pid, record in self.touched.items() if record.doubtful_ns}
        for record in gone:
            self._remove(record)
        now_ns, lost = self._clocks()
        # a thousand comparisons without a line of Python
        moved = list(compress(zip(self._records, now_ns, strict=True), map(ne, now_ns, self._before_ns)))
        self._before_ns = now_ns
        return Look(sorted(born, key=int), gone + lost, moved)

    def _listing(self) -> tuple[list[str], list[Record]]:
        """Names of unknown processes, and the known ones that are not listed any more."""
        names = self._root.listdir(PROC)
        if names == self._names:
            return [], []
        self._names = names
        known, listed = self._by_name, set(names)
        self._refused &= listed
        born = [name for name in listed - known.keys() - self._refused if name.isdigit()]
        return born, [known[name] for name in known.keys() - listed]

    def _recent(self) -> list[str] | None:
        """Names of the processes born since the last look; None when only the listing can tell.

        The kernel gives pids in ascending order, and /proc/loadavg ends with the last one it gave (proc(5)):
        asking the few in between for their clock is a hundred times cheaper than listing a thousand.
        """
        before, self._last_pid = self._last_pid, self._newest_pid()
        if before < 0 or not 0 <= self._last_pid - before <= MOST_PROBES:
            return None
        born = []
        for pid in range(before + 1, self._last_pid + 1):
            if pid not in self.live:
                with suppress(ProcessLookupError):  # a thread, or gone already
                    self.clock_ns(pid)
                    born.append(str(pid))
        return born

    def _newest_pid(self) -> int:
        if self.by_ticks:
            return -1
        try:
            words = self._root.read(LOADAVG).split()
        except (TransportError, OSError):
            return -1
        return int(words[-1]) if words and words[-1].isdigit() else -1

    def _clocks(self) -> tuple[list[int], list[Record]]:
        """The clocks of all live processes in the order of `_records`, and those that ended meanwhile."""
        if not self._records:
            self._line_up()
        now_ns = self._read_clocks()
        if -1 not in now_ns:
            return now_ns, []
        lost = [record for record, ns in zip(self._records, now_ns, strict=True) if ns < 0]
        for record in lost:
            self._remove(record)
        self._line_up()
        return [ns for ns in now_ns if ns >= 0], lost

    def _line_up(self) -> None:
        """Put the live processes in the order in which their clocks are read."""
        self._records = list(self.live.values())
        self._before_ns = [record.clock_ns for record in self._records]
        self._read_clocks = self._plan()

    def _plan(self) -> Callable[[], list[int]]:
        """One call for all clocks, -1 for a process that is gone: the root's own where it has one."""
        batch: Callable[[list[int]], Callable[[], list[int]]] | None
        batch = None if self.by_ticks else getattr(self._root, "process_clocks", None)
        pids = list(self.live)
        return batch(pids) if batch else lambda: [self._clock_or_gone(pid) for pid in pids]

    def _clock_or_gone(self, pid: int) -> int:
        try:
            return self.clock_ns(pid)
        except ProcessLookupError:
            return -1

    def adopt(self, name: str, *, newborn: bool = True) -> Record | None:
        """Take in a process; None when it ended meanwhile.

        One that is `newborn` has its parent's owner and cgroup, as fork gives them, until it is `refresh`ed
        for the first time: most of them end before, and reading both costs twice as much as the rest.
        """
        pid = int(name)
        try:
            stat = parse_stat(self._root.read(f"{PROC}/{pid}/stat"))
            clock_ns = self.clock_ns(pid)
        except (TransportError, OSError, ValueError) as error:
            if getattr(error, "kind", "") == "denied":  # hidepid=1 lists what may not be read
                self._refused.add(name)
            return None
        parent = self.live.get(stat.ppid)
        if parent is not None:
            parent.parent = True
        inherited = parent if newborn else None
        uid, cgroup = (inherited.info.uid, inherited.info.cgroup) if inherited else self._owner(pid)
        record = Record(
            info=make_info(pid, stat, uid, cgroup),
            clock_ns=clock_ns,
            cpu=stat.cpu,
            threads=stat.threads,
            reaped_ns=stat.reaped_ns,
            accounted_ns=0,
            parent=stat.reaped_ns > 0,
        )
        self._by_name[name] = record
        self._records = []
        self.live[pid] = self.touched[pid] = record
        return record

    def refresh(self, record: Record) -> str:
        """Read `stat` again: 'same', 'renamed' (name, owner or parent differ), 'gone' or 'reused'.

        A pid that belongs to another process by now (start time) is 'reused': the old one is removed.
        """
        pid = record.info.pid
        try:
            stat = parse_stat(self._files.read(f"{PROC}/{pid}/stat"))
        except (TransportError, OSError, ValueError):
            self._remove(record)
            return "gone"
        if stat.start_ticks != record.info.start_ticks:
            self._remove(record)
            return "reused"
        record.cpu, record.threads, record.reaped_ns = stat.cpu, stat.threads, stat.reaped_ns
        record.parent = record.parent or stat.reaped_ns > 0
        self.touched[pid] = record
        return "renamed" if self._rename(record, stat) else "same"

    def _rename(self, record: Record, stat: ProcStat) -> bool:
        before = record.info
        if stat.ppid != before.ppid:
            self.reapers.add(stat.ppid)
            record.info = replace(record.info, ppid=stat.ppid)
        uid, cgroup = (self._owner(before.pid)) if record.fresh else (before.uid, before.cgroup)
        record.fresh = False
        comm = before.comm if before.kernel or record.renames >= MOST_RENAMES else stat.comm
        if (comm, uid, cgroup) == (before.comm, before.uid, before.cgroup):
            return False
        record.renames += comm != before.comm
        record.info = replace(record.info, comm=comm, uid=uid, cgroup=cgroup)
        return True

    def vanished(self, suspects: Iterable[Record]) -> list[Record]:
        """Those of `suspects` that are gone by now; they are taken out of `live`."""
        found = []
        for record in suspects:
            try:
                self.clock_ns(record.info.pid)
            except ProcessLookupError:
                found.append(record)
        for record in found:
            self._remove(record)
        return found

    def trust_clocks(self) -> str:
        """Compare the clocks with `stat` ticks once; where they are not the same thing, use ticks.

        Answers why ('' when the clocks are good). The clock may be refused (sandboxes), missing (copied
        trees) or count another process (a /proc of another pid namespace).
        """
        good = bad = 0
        names = [name for name in self._root.listdir(PROC) if name.isdigit()]
        for name in names:
            try:
                before_ns = parse_stat(self._root.read(f"{PROC}/{name}/stat")).own_ns
            except (TransportError, OSError, ValueError):
                continue
            try:
                clock_ns = self._root.process_clock_ns(int(name))
            except ProcessLookupError:
                bad += 1
                continue
            if clock_ns is None:
                bad = len(names) + 1
                break
            # kernels that count user and system time exactly differ a little from the clock
            agrees = abs(clock_ns - before_ns) <= 10 * TICK_NS + before_ns // 5
            good, bad = good + agrees, bad + (not agrees)
        if bad <= good:
            self.clock_ns = cast(Callable[[int], int], self._root.process_clock_ns)  # never None, as was seen
            return ""
        self.by_ticks = True
        self.clock_ns = self._ticks_ns
        return "no CPU clock per process here: CPU time in steps of 10 ms from /proc/PID/stat"

    def _ticks_ns(self, pid: int) -> int:
        try:
            return parse_stat(self._files.read(f"{PROC}/{pid}/stat")).own_ns
        except (TransportError, OSError, ValueError):
            raise ProcessLookupError(pid) from None

    def _owner(self, pid: int) -> tuple[int, str]:
        uid, cgroup = -1, ""
        try:
            uid = parse_uid(self._root.read(f"{PROC}/{pid}/status"))
            cgroup = parse_cgroup(self._root.read(f"{PROC}/{pid}/cgroup"))
        except (TransportError, OSError):
            pass  # unknown owner is -1, a kernel without cgroups has none
        return uid, cgroup

    def _remove(self, record: Record) -> None:
        pid = record.info.pid
        if self.live.get(pid) is record:
            del self.live[pid]
            self._records = []
            self.touched.pop(pid, None)
            del self._by_name[str(pid)]
            self._files.drop(f"{PROC}/{pid}/stat")
            self._files.drop(f"{PROC}/{pid}/io")
