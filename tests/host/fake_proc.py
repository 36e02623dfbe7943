"""A kernel's process table that a test drives: fork, run, exit, wait, with the kernel's own book-keeping."""

from __future__ import annotations

from dataclasses import dataclass, field

from powerhal.errors import TransportError
from powerhal.host.context import HostContext
from tests.host.trees import StillClock

TICK = 10_000_000


@dataclass
class Proc:
    pid: int
    ppid: int
    comm: str
    start_ns: int
    own_ns: int = 0
    reaped_ns: int = 0
    cpu: int = 0
    uid: int = 1000
    flags: int = 0
    zombie: bool = False
    ignores_children: bool = False
    io: tuple[int, int] | None = None
    truth_ns: int = 0
    threads: dict[int, tuple[int, int]] = field(default_factory=dict)  # tid -> (ns, cpu)


class FakeProc:
    """A FileRoot with processes; `truth` keeps what every process really did, by comm."""

    def __init__(self, n_cpus: int = 2, clocks: bool = True) -> None:
        self.clock = StillClock()
        self.clocks = clocks
        self.n_cpus = n_cpus
        self.files: dict[str, bytes] = {}
        self.procs: dict[int, Proc] = {}
        self.truth: dict[str, int] = {}
        self.busy_ns = [0] * n_cpus
        self.irq_ns = [0] * n_cpus
        self.forks = 100
        self.next_pid = 300
        self.reads: list[str] = []
        self.on_read = None  # called with the path before each read: lets a test end a process in mid-scan
        self.add(1, 0, "init")
        self.add(2, 0, "kthreadd", flags=0x200000)

    def add(self, pid: int, ppid: int, comm: str, **given) -> Proc:
        self.procs[pid] = proc = Proc(pid, ppid, comm, self.clock.t_ns, **given)
        return proc

    def fork(self, ppid: int, comm: str, pid: int = 0, **given) -> Proc:
        self.forks += 1
        if not pid:
            self.next_pid += 1
            pid = self.next_pid
        return self.add(pid, ppid, comm, **given)

    def run(self, pid: int, ns: int) -> None:
        proc = self.procs[pid]
        proc.own_ns += ns
        self.busy_ns[proc.cpu % self.n_cpus] += ns
        self.truth[proc.comm] = self.truth.get(proc.comm, 0) + ns

    def exit(self, pid: int) -> None:
        """The process ends; its parent is told, or its time is lost when the parent does not care."""
        proc = self.procs[pid]
        proc.zombie = True
        for child in self.procs.values():
            if child.ppid == pid:
                child.ppid = 1
        if self.procs[proc.ppid].ignores_children:
            del self.procs[pid]
        for child in [c for c in self.procs.values() if c.zombie and c.ppid == 1 and c.pid != pid]:
            self.wait(child.pid)

    def wait(self, pid: int) -> None:
        """The parent waits for a zombie: costs it a little CPU time, as wait4 does."""
        proc = self.procs.pop(pid)
        parent = self.procs[proc.ppid]
        parent.reaped_ns += proc.own_ns + proc.reaped_ns
        self.run(parent.pid, 1000)

    def end(self, pid: int) -> None:
        self.exit(pid)
        if pid in self.procs:
            self.wait(pid)

    def context(self, **given) -> HostContext:
        return HostContext(self.clock, **given)

    # FileRoot

    def read(self, path: str) -> bytes:
        self.reads.append(path)
        if self.on_read:
            self.on_read(path)
        if path in self.files:
            return self.files[path]
        parts = path.split("/")
        if path == "/proc/stat":
            return self._totals()
        if len(parts) > 3 and parts[1] == "proc" and parts[2].isdigit() and int(parts[2]) in self.procs:
            content = self._file(self.procs[int(parts[2])], "/".join(parts[3:]))
            if content is not None:
                return content
        raise TransportError(f"{path}: no such file", kind="absent")

    def _totals(self) -> bytes:
        lines = [
            f"cpu{i} {ns // TICK} 0 0 {(self.clock.t_ns - ns) // TICK} 0 {irq // TICK} 0 0 0 0\n"
            for i, (ns, irq) in enumerate(zip(self.busy_ns, self.irq_ns, strict=True))
        ]
        return ("cpu  0\n" + "".join(lines) + f"ctxt 1\nprocesses {self.forks}\n").encode()

    def _file(self, proc: Proc, name: str) -> bytes | None:
        if name == "stat":
            return self._stat(proc.pid, proc.comm, proc, proc.own_ns, proc.cpu)
        if name == "status":
            return f"Name:\t{proc.comm}\nUid:\t{proc.uid}\t0\t0\t0\n".encode()
        if name == "cgroup":
            return f"0::/user/{proc.uid}\n".encode()
        if name == "io" and proc.io is None:
            raise TransportError("io: refused", kind="denied")
        if name == "io" and proc.io is not None:
            read, written = proc.io
            return (
                f"rchar: 1\nwchar: 2\nsyscr: 3\nsyscw: 4\nread_bytes: {read}\n"
                f"write_bytes: {written}\ncancelled_write_bytes: 0\n"
            ).encode()
        if name.startswith("task/") and name.endswith("/stat") and int(name.split("/")[1]) in proc.threads:
            ns, cpu = proc.threads[int(name.split("/")[1])]
            return self._stat(int(name.split("/")[1]), proc.comm, proc, ns, cpu)
        return None

    def _stat(self, pid: int, comm: str, proc: Proc, own_ns: int, cpu: int) -> bytes:
        ticks, reaped = own_ns // TICK, proc.reaped_ns // TICK
        state = "Z" if proc.zombie else "S"
        fields = [state, proc.ppid, 0, 0, 0, -1, proc.flags, 0, 0, 0, 0, ticks, 0, reaped, 0, 20, 0]
        fields += [max(1, len(proc.threads)), 0, proc.start_ns // TICK, *[0] * 16, cpu, 0, 0, 0, 0, 0]
        return f"{pid} ({comm}) ".encode("utf-8", "surrogateescape") + " ".join(map(str, fields)).encode() + b"\n"

    def listdir(self, path: str) -> list[str]:
        if path == "/proc":
            return sorted([*(str(pid) for pid in self.procs), "stat", "uptime"])
        parts = path.split("/")
        if len(parts) == 4 and parts[3] == "task" and int(parts[2]) in self.procs:
            return sorted(str(tid) for tid in self.procs[int(parts[2])].threads)
        names = {f[len(path) + 1 :].split("/")[0] for f in self.files if f.startswith(path + "/")}
        if not names:
            raise TransportError(f"{path}: no such folder", kind="absent")
        return sorted(names)

    def exists(self, path: str) -> bool:
        return path in self.files or any(f.startswith(path + "/") for f in self.files)

    def readlink(self, path: str) -> str:
        content = self.files.get(path, b"")
        if not content.startswith(b"-> "):
            raise TransportError(f"{path}: not a link", kind="absent")
        return content[3:].decode()

    def opener(self, path: str):
        return FakeReader(self, path)

    def process_clock_ns(self, pid: int) -> int | None:
        if not self.clocks:
            return None
        if pid not in self.procs:
            raise ProcessLookupError(pid)
        return self.procs[pid].own_ns


class FakeReader:
    def __init__(self, root: FakeProc, path: str) -> None:
        self.root, self.path = root, path

    def read(self) -> bytes:
        return self.root.read(self.path)

    def close(self) -> None:
        pass
