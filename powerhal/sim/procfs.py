"""The simulated /proc: CPU times, processes and their threads, network counters (formats: proc(5))."""

from __future__ import annotations

import errno
from collections.abc import Callable

from powerhal.errors import TransportError
from powerhal.sim.phone import Phone
from powerhal.sim.processes import Process, Thread

Text = Callable[[], str]
TICK_NS = 10_000_000
KERNEL_FLAGS, USER_FLAGS = 0x208040, 0x400140
GPU_FD = 30  # of processes that draw


def system_files(phone: Phone) -> dict[str, Text]:
    """Files of the whole system."""
    return {
        "/proc/stat": lambda: _stat(phone),
        "/proc/net/dev": lambda: _net_dev(phone),
        "/proc/net/xt_qtaguid/stats": lambda: _qtaguid(phone),
        "/proc/uptime": lambda: f"{phone.time_ns / 1e9:.2f} 0.00\n",
    }


def _stat(phone: Phone) -> str:
    lines = []
    uptime = phone.time_ns // TICK_NS
    sums = [0] * 4
    for cluster in (phone.little, phone.big):
        for at, cpu in enumerate(cluster.design.cpus):
            system = cluster.system_ns[at] // TICK_NS
            user = cluster.busy_ns[at] // TICK_NS - system
            soft = phone.softirq_ns // TICK_NS if cpu == 0 else 0
            idle = uptime - user - system - soft
            for i, ticks in enumerate((user, system, idle, soft)):
                sums[i] += ticks
            lines.append(f"cpu{cpu} {user} 0 {system} {idle} 0 0 {soft} 0 0 0")
    total = f"cpu  {sums[0]} 0 {sums[1]} {sums[2]} 0 0 {sums[3]} 0 0 0"
    return "\n".join([total, *lines, f"processes {4000 + phone.forks}", "procs_running 1", ""])


def _net_dev(phone: Phone) -> str:
    lines = [
        "Inter-|   Receive                                                |  Transmit",
        " face |bytes    packets errs drop fifo frame compressed multicast"
        "|bytes    packets errs drop fifo colls carrier compressed",
        "    lo:       0       0    0    0    0     0          0         0        0       0    0    0    0     0"
        "       0          0",
    ]
    for radio in (phone.wifi, phone.modem):
        lines.append(
            f"{radio.design.interface:>6}: {radio.received} {radio.packets_in} 0 0 0 0 0 0"
            f" {radio.sent} {radio.packets_out} 0 0 0 0 0 0"
        )
    return "\n".join(lines) + "\n"


def _qtaguid(phone: Phone) -> str:
    lines = [
        "idx iface acct_tag_hex uid_tag_int cnt_set rx_bytes rx_packets tx_bytes tx_packets rx_tcp_bytes"
        " rx_tcp_packets rx_udp_bytes rx_udp_packets rx_other_bytes rx_other_packets tx_tcp_bytes tx_tcp_packets"
        " tx_udp_bytes tx_udp_packets tx_other_bytes tx_other_packets"
    ]
    index = 2
    for radio in (phone.wifi, phone.modem):
        for uid, (rx, rxp, tx, txp) in sorted(radio.by_uid.items()):
            lines.append(
                f"{index} {radio.design.interface} 0x0 {uid} 0 {rx} {rxp} {tx} {txp}"
                f" {rx} {rxp} 0 0 0 0 {tx} {txp} 0 0 0 0"
            )
            index += 1
    return "\n".join(lines) + "\n"


def process_file(phone: Phone, path: str) -> Text | None:
    """Writer of /proc/PID/..., None when there is no such file."""
    parts = path.split("/")[2:]
    if len(parts) < 2 or not parts[0].isdigit():
        return None
    process = phone.processes.get(int(parts[0]))
    if process is None:
        return None
    make = _ONE.get(parts[1]) if len(parts) == 2 else None
    if make is not None:
        return _alive(process, path, make)
    if parts[1] == "task" and len(parts) == 4 and parts[3] == "stat":
        threads = [t for t in process.threads if str(t.tid) == parts[2]]
        return _alive(process, path, lambda p: _thread_stat(p, threads[0])) if threads else None
    if parts[1:] == ["fdinfo", str(GPU_FD)] and process.gpu_ns:
        return _alive(process, path, _fdinfo)
    return None


def _alive(process: Process, path: str, make: Callable[[Process], str]) -> Text:
    def text() -> str:
        if not process.alive:
            raise TransportError(f"{path}: the process has gone", kind="absent", errno=errno.ESRCH)
        return make(process)

    return text


def folder(phone: Phone, path: str) -> list[str]:
    """Names in /proc/PID, its task, fd and fdinfo folders; empty when there is no such folder."""
    parts = path.split("/")[2:]
    process = phone.processes.get(int(parts[0])) if parts[0].isdigit() else None
    if process is None:
        return []
    if len(parts) == 1:
        return ["cgroup", "fd", "fdinfo", "io", "stat", "status", "task"]
    if parts[1:] == ["task"]:
        return [str(thread.tid) for thread in process.threads]
    if len(parts) == 3 and parts[1] == "task" and any(str(t.tid) == parts[2] for t in process.threads):
        return ["stat"]
    if parts[1:] in (["fd"], ["fdinfo"]):
        return ["0", "1", "2", *([str(GPU_FD)] if process.gpu_ns else [])]
    return []


def link(phone: Phone, path: str) -> str:
    """Target of /proc/PID/fd/N, '' when there is none."""
    parts = path.split("/")[2:]
    if len(parts) != 3 or parts[1] != "fd" or parts[2] not in folder(phone, path.rpartition("/")[0]):
        return ""
    return "/dev/dri/renderD128" if parts[2] == str(GPU_FD) else "/dev/null"


def _process_stat(process: Process) -> str:
    busiest = max(process.threads, key=lambda thread: thread.util)
    return _stat_line(process, process.pid, process.comm, process.run_ns, busiest.cpu)


def _thread_stat(process: Process, thread: Thread) -> str:
    return _stat_line(process, thread.tid, thread.name[:15], thread.run_ns, thread.cpu)


def _stat_line(process: Process, number: int, comm: str, run_ns: int, cpu: int) -> str:
    system = int(run_ns * process.system_share) // TICK_NS
    user = run_ns // TICK_NS - system
    child_system = int(process.children_ns * 0.2) // TICK_NS
    child_user = process.children_ns // TICK_NS - child_system
    flags = KERNEL_FLAGS if process.kernel else USER_FLAGS
    state = "R" if any(thread.backlog for thread in process.threads) else "S"
    head = f"{number} ({comm[:15]}) {state} {process.ppid} {process.pid} 0 0 -1 {flags} 0 0 0 0"
    times = f"{user} {system} {child_user} {child_system} 20 0 {len(process.threads)} 0"
    start = f"{process.start_ns // TICK_NS} 0 0 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0"
    return f"{head} {times} {start} 17 {cpu} 0 0 0 0 0 0 0 0 0 0 0 0 0\n"


def _status(process: Process) -> str:
    uid = process.uid
    return (
        f"Name:\t{process.comm[:15]}\nState:\tS (sleeping)\nTgid:\t{process.pid}\nPid:\t{process.pid}\n"
        f"PPid:\t{process.ppid}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t{uid}\t{uid}\t{uid}\t{uid}\n"
        f"Threads:\t{len(process.threads)}\n"
    )


def _io(process: Process) -> str:
    return (
        f"rchar: {process.read_bytes}\nwchar: {process.write_bytes}\nsyscr: 0\nsyscw: 0\n"
        f"read_bytes: {process.read_bytes}\nwrite_bytes: {process.write_bytes}\ncancelled_write_bytes: 0\n"
    )


def _fdinfo(process: Process) -> str:
    return (
        f"pos:\t0\nflags:\t02400002\nmnt_id:\t23\ndrm-driver:\tmsm\ndrm-client-id:\t{process.pid}\n"
        f"drm-engine-gpu:\t{process.gpu_ns} ns\n"
    )


_ONE: dict[str, Callable[[Process], str]] = {
    "stat": _process_stat,
    "status": _status,
    "io": _io,
    "cgroup": lambda process: f"0::{process.cgroup}\n",
}
