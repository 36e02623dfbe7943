"""Processes as a source: what each did since the last scan, with nothing lost and nothing twice.

One scan lists /proc, asks every process's own CPU clock (0.7 us each, no file), and reads `stat` only of
processes that are new or whose clock moved while something was born or ended. Time of children that
ended is settled in `children.py`, time no process shows in `balance.py`. Neither command lines nor
environments are read.
"""

from __future__ import annotations

from collections import ChainMap
from typing import TYPE_CHECKING

from powerhal.channel import ActivitySource, ProcessInfo, Scan, Usage
from powerhal.errors import TransportError
from powerhal.host import cpu as cpu_stat
from powerhal.host.balance import Balance
from powerhal.host.children import Bookings, Window, heir, settle, surplus
from powerhal.host.clusters import WHOLE, groups, present
from powerhal.host.context import HostContext
from powerhal.host.open_files import OpenFiles
from powerhal.host.placement import Placement, shares
from powerhal.host.proc_files import TICK_NS
from powerhal.host.process_counters import GpuClients, StorageCounters, UidTraffic
from powerhal.host.process_table import PROC, Look, ProcessTable
from powerhal.host.record import Record
from powerhal.transport import FileRoot
from powerhal.transport.files import RealRoot

if TYPE_CHECKING:
    from powerhal.host.exit_records import ExitRecords
    from powerhal.host.run_times import RunTimes

EXITED, KERNEL = -1, -2
# /proc is listed at least every so many scans, even while the kernel says that nothing was born
LISTING = 16
# a process that never had children is asked for some only so often, unless it is young (a command just begun
# may be starting them and end soon); `cutime` keeps until then
STAT_PERIOD_NS = 2_000_000_000
YOUNG_NS = 2_000_000_000
# a process that started longer before the last scan than this was there and could not be seen
HIDDEN_BIRTH_NS = 1_000_000_000


def detect(root: FileRoot, context: HostContext) -> list[ActivitySource]:
    """The process source, when /proc lists any process."""
    try:
        listed = any(name.isdigit() for name in root.listdir(PROC))
    except (TransportError, OSError):
        listed = False
    if not listed:
        context.note(f"{PROC} lists no processes: nothing can be attributed to them")
        return []
    exits = run_times = None
    if isinstance(root, RealRoot):
        exits, run_times = _exit_records(context), _run_times(root, context)
    return [Processes(root, context, exits, run_times)]


def _exit_records(context: HostContext) -> ExitRecords | None:
    """The kernel's last words on processes, where they are permitted."""
    from powerhal.host.exit_records import ExitRecords

    try:
        return ExitRecords()
    except TransportError:
        context.note("no exit records (they need CAP_NET_ADMIN): the last moments of processes are estimated")
        return None


def _run_times(root: FileRoot, context: HostContext) -> RunTimes | None:
    """The kernel's count of every slice, where there is more than one place or speed to run at, and it is permitted."""
    clusters = groups(root, context)
    if len(clusters) < 2 and not any(cluster.policies for cluster in clusters):
        return None
    from powerhal.host.run_times import RunTimes

    try:
        return RunTimes(root, present(root))
    except TransportError as error:
        reason = "it needs CAP_BPF" if error.kind == "denied" else error.message
        context.note(f"no count of run time by the kernel ({reason}): where processes ran is sampled at each scan")
        return None


class Processes:
    """The ActivitySource of all processes that /proc shows.

    Usages: `cpu.CLUSTER.time` (s), `disk.read_bytes`, `disk.write_bytes`, `net.bytes` (B), `gpu.busy` (s); where the
    kernel counts every slice also `run.CLUSTER@HZ` (s, the same time by frequency) and `wakeups`.
    Amounts are since the scan before; the first scan's since `open()`. A ProcessInfo is given again under
    the same key (pid, start_ticks) when the process took another name, as after exec.
    """

    name = "processes"

    def __init__(
        self,
        root: FileRoot,
        context: HostContext,
        exits: ExitRecords | None = None,
        run_times: RunTimes | None = None,
    ) -> None:
        self.period_s = context.period_s("processes")
        self._exits = exits
        self._run_times = run_times
        self._ended: dict[int, int] = {}  # pid -> ns told by exit records
        self.last_fault = ""
        self._root = root
        self._context = context
        self._files = OpenFiles(root)
        self._table = ProcessTable(root, self._files)
        clusters = groups(root, context)
        self._placement = Placement(root, clusters, run_times)
        self._balance = Balance(clusters)
        self._first_cluster = clusters[0].name if clusters else WHOLE
        self._storage = StorageCounters(self._files)
        self._gpu = GpuClients(root)
        self._traffic = UidTraffic(root)
        self._forks: int | None = None
        self._scans = 0
        self._t_ns = 0
        self._special: dict[int, ProcessInfo] = {}
        self._new: list[ProcessInfo] = []
        self._ran: list[Record] = []  # in the last scan
        self._opened = False

    def open(self) -> None:
        """Take in every process as it is now; raises TransportError when /proc cannot be listed."""
        ticks, self._forks = self._totals()
        reason = self._table.trust_clocks()
        if reason:
            self._context.note(reason)
        for name in self._table.look().born:
            record = self._table.adopt(name, newborn=False)
            if record is not None:
                record.accounted_ns = record.reaped_ns
                record.fresh = False
                self._storage.baseline(record)
                self._gpu.since(record, 0, old=True)
                self._new.append(record.info)
        self._balance.start(ticks)
        self._placement.look()
        self._t_ns = self._context.clock.now_ns()
        exited = self._coverage()
        self._special = {
            EXITED: ProcessInfo(EXITED, 0, 0, -1, exited),
            KERNEL: ProcessInfo(KERNEL, 0, 0, -1, "kernel", kernel=True),
        }
        self._new += self._special.values()
        self._opened = True

    def scan(self) -> Scan:
        """Everything since the last scan; raises TransportError when /proc cannot be listed any more."""
        if not self._opened:
            self.open()
        self._scans += 1
        ticks, forks = self._totals()  # before the listing: what is born in between is counted next time
        births = forks is None or forks != self._forks
        look = self._table.look(births=births, listing=forks is None or self._scans % LISTING == 0)
        t_ns = self._context.clock.now_ns()
        window_ns, self._t_ns = max(1, t_ns - self._t_ns), t_ns
        self._placement.look()
        self._balance.advance(ticks)
        work = _Work(self._balance, self._placement)
        born = self._adopt(look.born, t_ns, window_ns, work)
        unseen = window_ns * 1e-9
        if forks is not None and self._forks is not None:
            unseen = max(0, forks - self._forks - len(born))
        self._forks = forks
        late, reused = self._advance(look, unseen > 0, window_ns, work)
        self._adopt(reused, t_ns, window_ns, work)
        late += self._late(look.gone)
        self._last_words([*look.gone, *late], work)
        bookings = settle(
            self._table.live,
            self._table.touched,
            look.gone,
            late,
            reapers=self._table.reapers,
            window=Window(t_ns - window_ns, window_ns, unseen),
        )
        self._pay(bookings, work)
        self._counters(work)
        self._rest(work)
        for record in (*look.gone, *late):
            self._storage.forget(record)
            self._gpu.forget(record)
        new, self._new = tuple(self._new), []
        return Scan(t_ns, new, tuple(work.usages))

    def close(self) -> None:
        """Close the files; may be called twice."""
        self._files.close()
        for each in (self._exits, self._run_times):
            if each is not None:
                each.close()

    def _adopt(self, names: list[str], t_ns: int, window_ns: int, work: _Work) -> list[Record]:
        """Take in new processes and book what they did since their birth."""
        born = []
        for name in names:
            record = self._table.adopt(name)
            if record is None:
                continue  # its time will be in its parent's books
            born.append(record)
            self._new.append(record.info)
            start_ns = record.info.start_ticks * TICK_NS
            if start_ns < t_ns - window_ns - HIDDEN_BIRTH_NS:
                record.accounted_ns = record.reaped_ns
                self._storage.baseline(record)
                self._gpu.since(record, self._scans, old=True)
                continue
            record.rate = record.clock_ns / max(TICK_NS, t_ns - start_ns)
            work.ran_for(record, record.clock_ns)
        return born

    def _advance(self, look: Look, unseen: bool, window_ns: int, work: _Work) -> tuple[list[Record], list[str]]:
        """Book what the clocks gained, after reading `stat` where it may tell something new.

        `unseen`: something was born and perhaps waited for that no scan saw. Known parents are asked at
        once, others now and then: `cutime` keeps, so nothing is lost, only told later.
        Answers the processes that were gone after their clock was read, and the pids that belong to
        another process by now.
        """
        lost: list[Record] = []
        reused: list[str] = []
        always = self._placement.asks_threads
        relatives = self._relatives(look.gone)
        moved = {record.key[0] for record, _ in look.moved}
        reading = [
            (r, ns, always or r.key[0] in relatives or ns < r.clock_ns or self._may_tell(r, unseen))
            for r, ns in look.moved
        ]
        reading += [(r, r.clock_ns, True) for pid, r in relatives.items() if pid not in moved]
        for record, now_ns, read in reading:
            outcome = self._table.refresh(record) if read else "same"
            if outcome == "gone":
                lost.append(record)
                continue
            if outcome == "reused":
                look.gone.append(record)
                reused.append(str(record.info.pid))
                continue
            if outcome == "renamed":
                self._announce(record)
            delta_ns = now_ns - record.clock_ns
            if delta_ns > 0:
                record.clock_ns = now_ns
                record.rate = delta_ns / window_ns
                work.ran_for(record, delta_ns)
        for record in self._ran:
            if record.key[0] not in moved:
                record.rate = 0.0
        self._ran = work.ran
        return lost, reused

    def _may_tell(self, record: Record, unseen: bool) -> bool:
        """Whether its `stat` is due."""
        t_ns = self._t_ns
        young = t_ns - record.key[1] * TICK_NS < YOUNG_NS
        if record.fresh or (unseen and (record.parent or young)) or t_ns - record.read_ns >= STAT_PERIOD_NS:
            record.read_ns = t_ns
            return True
        return False

    def _announce(self, record: Record) -> None:
        """Give a renamed process's rows again."""
        self._new.append(record.info)
        if record.children_named:
            self._new.append(record.children_info())

    def _relatives(self, gone: list[Record]) -> dict[int, Record]:
        """Heirs of the gone (they may hold their time now) and their children (they have a new parent)."""
        if not gone:
            return {}
        live = self._table.live
        graves = {record.info.pid: record for record in gone}
        found = {pid: record for pid, record in live.items() if record.info.ppid in graves}
        for record in gone:
            parent = heir(record, live, graves)
            if parent is not None:
                found[parent.info.pid] = parent
        return found

    def _late(self, gone: list[Record]) -> list[Record]:
        """Processes that ended between their clock's reading and their parent's `stat`."""
        live = self._table.live
        found: list[Record] = []
        parents = {record.info.pid for record in surplus(live, self._table.touched, gone)}
        while parents:
            suspects = [r for r in live.values() if r.info.ppid in parents or r.info.ppid not in live]
            vanished = self._table.vanished(r for r in suspects if r.info.ppid)
            found += vanished
            parents = {record.info.pid for record in vanished}
        return found

    def _last_words(self, ended: list[Record], work: _Work) -> None:
        """Book what exit records tell of the processes that ended."""
        if self._exits is None:
            return
        live = self._table.live
        graves = {record.info.pid: record for record in ended}
        self._ended.update(self._exits.drain(ChainMap(live, graves)))
        if self._exits.lost:
            self.last_fault = f"{self._exits.lost} times the kernel dropped exit records: some tails are estimated"
        for record in ended:
            tail_ns = self._ended.get(record.info.pid, 0) - record.clock_ns
            if tail_ns >= 0:
                record.clock_ns += tail_ns
                record.told = True
                work.place(record, tail_ns)
        # a zombie's record comes before it vanishes
        self._ended = {pid: ns for pid, ns in self._ended.items() if pid in live}

    def _pay(self, bookings: Bookings, work: _Work) -> None:
        """Turn settled children's time into usages."""
        for record, ns in bookings.tails:
            work.place(record, ns)
        for record, ns in bookings.children:
            info = record.children_info()
            if not record.children_named:
                record.children_named = True
                self._new.append(info)
            weights = self._balance.unexplained(self._placement.cluster(record.cpu))
            for cluster, part_ns in shares(weights, ns).items():
                work.put((info.pid, info.start_ticks), cluster, part_ns)

    def _counters(self, work: _Work) -> None:
        """Storage, GPU and network of the processes that ran."""
        live, t_ns, gpu = self._table.live, self._t_ns, self._gpu.offered
        for record in work.ran:
            pid, start = record.key
            if t_ns >= record.io_due_ns and pid in live:
                for activity, amount in self._storage.since(record, t_ns).items():
                    work.usages.append(Usage(pid, start, activity, amount))
            if gpu and pid in live:
                busy_s = self._gpu.since(record, self._scans)
                if busy_s > 0:
                    work.usages.append(Usage(pid, start, "gpu.busy", busy_s))
        if self._traffic.offered:
            worked = {r.key: int(r.rate * 1e9) for r in work.ran}
            for (pid, start), n in self._traffic.since(worked, live.values()).items():
                work.usages.append(Usage(pid, start, "net.bytes", n))

    def _rest(self, work: _Work) -> None:
        rest = self._balance.rest()
        for pid, by_cluster in ((KERNEL, rest.kernel_ns), (EXITED, rest.exited_ns)):
            for cluster, ns in by_cluster.items():
                work.usages.append(Usage(pid, 0, f"cpu.{cluster}.time", ns * 1e-9))

    def _totals(self) -> tuple[dict[int, cpu_stat.CpuTicks], int | None]:
        try:
            content = self._files.read(cpu_stat.STAT)
            return cpu_stat.per_cpu(content), cpu_stat.forks(content)
        except (TransportError, OSError, ValueError) as error:
            self.last_fault = str(error)
            self._context.note(f"{cpu_stat.STAT} cannot be read: time of unseen processes is not accounted for")
            return {}, None

    def _coverage(self) -> str:
        """Say what part of the system's processes is visible; answers the name of the row for the rest."""
        live = self._table.live
        if self._table.refused or 1 not in live:
            self._context.note("coverage: own processes (/proc is mounted with hidepid); the rest is one row")
            return "unseen processes"
        if not any(record.info.kernel for record in live.values()):
            self._context.note("coverage: this container's processes; the rest of the machine is one row")
            return "unseen processes"
        return "exited"


class _Work:
    """The usages of one scan."""

    def __init__(self, balance: Balance, placement: Placement) -> None:
        self.usages: list[Usage] = []
        self.ran: list[Record] = []
        self._balance = balance
        self._placement = placement

    def ran_for(self, record: Record, ns: int) -> None:
        """CPU time of a process by its own clock since the last scan."""
        self.ran.append(record)
        self.place(record, ns)
        wakeups = self._placement.wakeups(record.info.pid)
        if wakeups:
            self.usages.append(Usage(*record.key, "wakeups", float(wakeups)))

    def place(self, record: Record, ns: int) -> None:
        """CPU time of a process, on the clusters and at the frequencies that it ran at."""
        for cluster, part_ns in self._placement.split(record, ns).items():
            self.put(record.key, cluster, part_ns)
        for activity, part_ns in self._placement.at_frequencies(record.info.pid, ns).items():
            self.usages.append(Usage(*record.key, activity, part_ns * 1e-9))

    def put(self, key: tuple[int, int], cluster: str, ns: int) -> None:
        """CPU time of a row."""
        if ns > 0:
            self._balance.book(cluster, ns)
            self.usages.append(Usage(*key, self._placement.activity[cluster], ns * 1e-9))
