"""What processes did besides computing: storage bytes, network bytes of their user, GPU time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from powerhal.errors import TransportError
from powerhal.host import tree
from powerhal.host.open_files import OpenFiles
from powerhal.host.proc_files import parse_io
from powerhal.host.record import Record
from powerhal.transport import FileRoot

QTAGUID = "/proc/net/xt_qtaguid/stats"
DRM = "/sys/class/drm"
IO_PERIOD_NS = 1_000_000_000
MOST_FDS = 256  # descriptors looked at when searching a process for GPU clients

Key = tuple[int, int]
Amounts = Mapping[str, float]
NOTHING: Amounts = {}


class StorageCounters:
    """/proc/PID/io of processes that ran: needs the same user or CAP_SYS_PTRACE.

    The counters keep, so the file is read at most once in `IO_PERIOD_NS` per process (its first scan
    included); what a process moved in its very last second may be missed.
    """

    def __init__(self, files: OpenFiles) -> None:
        self._files = files
        self._before: dict[Key, tuple[int, int]] = {}
        self._refused: set[Key] = set()

    @property
    def refused(self) -> int:
        """Processes whose file may not be read."""
        return len(self._refused)

    def baseline(self, record: Record) -> None:
        """Remember what a process had done before the run."""
        content = self._content(record)
        if content is not None:
            self._before[record.key] = content

    def since(self, record: Record, t_ns: int) -> Amounts:
        """Bytes read and written since the last look (a process born in the run starts from 0)."""
        if t_ns < record.io_due_ns:
            return NOTHING
        record.io_due_ns = t_ns + IO_PERIOD_NS
        now = self._content(record)
        if now is None:
            return NOTHING
        read, written = self._before.get(record.key, (0, 0))
        self._before[record.key] = now
        amounts = {"disk.read_bytes": float(now[0] - read), "disk.write_bytes": float(now[1] - written)}
        return {name: amount for name, amount in amounts.items() if amount > 0}

    def forget(self, record: Record) -> None:
        """The process is gone."""
        self._before.pop(record.key, None)
        self._refused.discard(record.key)

    def _content(self, record: Record) -> tuple[int, int] | None:
        if record.info.kernel or record.key in self._refused:
            return None
        try:
            return parse_io(self._files.read(f"/proc/{record.info.pid}/io"))
        except (TransportError, OSError) as error:
            if getattr(error, "kind", "") == "denied" or isinstance(error, PermissionError):
                self._refused.add(record.key)
        except ValueError:
            pass
        return None


class UidTraffic:
    """Bytes per uid from xt_qtaguid (Android up to 9), given to the uid's processes."""

    def __init__(self, root: FileRoot) -> None:
        self._root = root
        self.offered = root.exists(QTAGUID)
        self._before = self._read() if self.offered else {}

    def since(self, worked_ns: Mapping[Key, int], live: Iterable[Record]) -> dict[Key, float]:
        """Bytes per process: a uid's bytes by CPU time in this scan, else all to its oldest process."""
        if not self.offered:
            return {}
        now = self._read()
        moved = {uid: n - self._before.get(uid, 0) for uid, n in now.items()}
        self._before.update(now)
        moved = {uid: n for uid, n in moved.items() if n > 0}
        if not moved:
            return {}
        members: dict[int, list[Record]] = {}
        for record in live:
            if record.info.uid in moved:
                members.setdefault(record.info.uid, []).append(record)
        shares: dict[Key, float] = {}
        for uid, records in members.items():
            work = {r.key: worked_ns.get(r.key, 0) for r in records}
            whole = sum(work.values())
            if not whole:
                oldest = min(records, key=lambda r: (r.info.start_ticks, r.info.pid))
                work, whole = {oldest.key: 1}, 1
            for key, ns in work.items():
                if ns:
                    shares[key] = moved[uid] * ns / whole
        return shares

    def _read(self) -> dict[int, int]:
        try:
            return traffic(self._root.read(QTAGUID))
        except (TransportError, OSError):
            return {}


def traffic(content: bytes) -> dict[int, int]:
    """uid -> bytes both ways of xt_qtaguid: rows without a tag (they hold the tagged ones too), not `lo`."""
    table: dict[int, int] = {}
    for line in content.splitlines()[1:]:
        words = line.split()
        if len(words) < 8 or words[1] == b"lo" or words[2] != b"0x0" or not words[3].isdigit():
            continue
        rx, tx = tree.to_int(words[5]), tree.to_int(words[7])
        if rx is not None and tx is not None:
            table[int(words[3])] = table.get(int(words[3]), 0) + rx + tx
    return table


@dataclass(slots=True)
class _Clients:
    fds: tuple[str, ...]
    look_again: int
    busy_ns: int = 0
    looked: int = 1
    seen: bool = field(default=False)


class GpuClients:
    """GPU time per process from fdinfo (Documentation/gpu/drm-usage-stats.rst), where there is a DRM GPU."""

    def __init__(self, root: FileRoot) -> None:
        self._root = root
        self.offered = any(name.startswith("renderD") for name in tree.names(root, DRM))
        self._clients: dict[Key, _Clients] = {}

    def since(self, record: Record, scan: int, *, old: bool = False) -> float:
        """Seconds of GPU time since the last call, 0 for a process without a GPU client.

        Descriptors are searched at first sight and after 2, 4, 8, ... further scans in which it ran.
        `old`: the process is from before the run, so its first total is only remembered.
        """
        if not self.offered or record.info.kernel:
            return 0.0
        known = self._clients.get(record.key)
        if known is None or scan >= known.look_again:
            looked = known.looked * 2 if known else 1
            found = _Clients(self._search(record.info.pid), scan + looked, looked=looked)
            if known:
                found.busy_ns, found.seen = known.busy_ns, known.seen
            known = self._clients[record.key] = found
        if not known.fds:
            return 0.0
        busy_ns = self._busy_ns(record.info.pid, known.fds)
        before_ns = busy_ns if old and not known.seen else known.busy_ns
        known.busy_ns, known.seen = busy_ns, True
        return max(0, busy_ns - before_ns) * 1e-9  # a client that closed takes its total with it

    def forget(self, record: Record) -> None:
        """The process is gone."""
        self._clients.pop(record.key, None)

    def _search(self, pid: int) -> tuple[str, ...]:
        found = []
        for fd in tree.names(self._root, f"/proc/{pid}/fd")[:MOST_FDS]:
            try:
                target = self._root.readlink(f"/proc/{pid}/fd/{fd}")
            except (TransportError, OSError):
                continue
            if target.startswith("/dev/dri/"):
                found.append(fd)
        return tuple(found)

    def _busy_ns(self, pid: int, fds: Iterable[str]) -> int:
        clients: dict[bytes, int] = {}
        for fd in fds:
            try:
                client, busy_ns = engines(self._root.read(f"/proc/{pid}/fdinfo/{fd}"))
            except (TransportError, OSError):
                continue
            clients[client or fd.encode()] = busy_ns  # two descriptors of one client count once
        return sum(clients.values())


def engines(content: bytes) -> tuple[bytes, int]:
    """(client id with its device, ns over all engines) of a DRM fdinfo file."""
    client, device, busy_ns = b"", b"", 0
    for line in content.splitlines():
        key, _, value = line.partition(b":")
        words = value.split()
        if key == b"drm-client-id" and words:
            client = words[0]
        elif key == b"drm-pdev" and words:
            device = words[0]
        elif key.startswith(b"drm-engine-") and not key.startswith(b"drm-engine-capacity-"):
            busy_ns += (tree.to_int(words[0]) or 0) if len(words) == 2 and words[1] == b"ns" else 0
    return (client + b"@" + device if client else b""), busy_ns
