"""Parsers of the small files under /proc/PID (proc(5)): bytes in, values out, command names escaped."""

from __future__ import annotations

from typing import NamedTuple

from powerhal.host.tree import printable

TICK_NS = 10_000_000  # USER_HZ is 100
KERNEL_THREAD = 0x0020_0000  # PF_KTHREAD, include/linux/sched.h


class ProcStat(NamedTuple):
    """What is used of /proc/PID/stat; times in ns (whole ticks of 10 ms, rounded down by the kernel)."""

    comm: str
    ppid: int
    kernel: bool
    own_ns: int  # utime + stime
    reaped_ns: int  # cutime + cstime: children waited for, with theirs
    threads: int
    start_ticks: int
    cpu: int  # last CPU of the leading thread


def parse_stat(content: bytes) -> ProcStat:
    """Parse from the last ')', as a name may hold any byte; raises ValueError when it is no stat line."""
    head, paren, tail = content.rpartition(b")")
    words = tail.split()
    if not paren or len(words) < 37:
        raise ValueError("not a /proc/PID/stat line")
    kernel = bool(int(words[6]) & KERNEL_THREAD)
    comm = printable(head.partition(b"(")[2])
    if kernel:
        # a worker's name carries what it does at the moment: 'kworker/0:1-events'
        comm = comm.partition("-")[0].partition("+")[0] if comm.startswith("kworker/") else comm
    return ProcStat(
        comm,
        int(words[1]),
        kernel,
        (int(words[11]) + int(words[12])) * TICK_NS,
        (int(words[13]) + int(words[14])) * TICK_NS,
        int(words[17]),
        int(words[19]),
        int(words[36]),
    )


def parse_uid(content: bytes) -> int:
    """Real uid of /proc/PID/status, -1 when it does not tell."""
    at = content.find(b"\nUid:")
    words = content[at + 5 : at + 80].split() if at >= 0 else []
    return int(words[0]) if words and words[0].isdigit() else -1


def parse_cgroup(content: bytes) -> str:
    """Path in the unified hierarchy, else systemd's, else the cpu controller's; '' when none."""
    paths: dict[str, str] = {}
    for line in content.splitlines():
        hierarchy, _, rest = line.partition(b":")
        controllers, colon, path = rest.partition(b":")
        if not colon:
            continue
        text = printable(path)
        if hierarchy == b"0" and not controllers:
            paths["unified"] = text
        elif controllers == b"name=systemd":
            paths["systemd"] = text
        elif b"cpu" in controllers.split(b","):
            paths["cpu"] = text
    # on a mixed system the unified hierarchy exists but everything sits in its root
    for kind in ("unified", "systemd", "cpu"):
        if paths.get(kind, "/") != "/":
            return paths[kind]
    return "/" if paths else ""


def parse_io(content: bytes) -> tuple[int, int]:
    """Bytes read from and written to storage of /proc/PID/io (written: less what was truncated away)."""
    words = content.split()
    if len(words) < 14 or words[8] != b"read_bytes:" or words[10] != b"write_bytes:":
        raise ValueError("not a /proc/PID/io file")
    return int(words[9]), max(0, int(words[11]) - int(words[13]))
