"""Busy and idle time per cluster from the per-CPU lines of /proc/stat (proc(5))."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from powerhal.channel import Channel, Source
from powerhal.host import tree
from powerhal.host.clusters import CpuGroup, groups
from powerhal.host.context import HostContext
from powerhal.host.cpufreq import TICK_S
from powerhal.host.rows import Column, Parse, RowSource, column
from powerhal.transport import FileRoot

STAT = "/proc/stat"


class CpuTicks(NamedTuple):
    """Ticks of 10 ms since boot of one CPU: running processes, the kernel's own, and doing nothing."""

    processes: int  # user + nice + system (guest is inside user)
    interrupts: int  # irq + softirq + steal
    idle: int  # idle + iowait


def per_cpu(content: bytes) -> dict[int, CpuTicks]:
    """CPU number -> ticks of the `cpuN` lines; CPUs that are off have none."""
    cpus: dict[int, CpuTicks] = {}
    for line in content.partition(b"\nintr")[0].splitlines():  # `intr` alone may have thousands of numbers
        if not line.startswith(b"cpu"):
            break  # the cpu lines come first
        words = line.split()
        number = words[0][3:]
        if number.isdigit() and len(words) >= 5:
            t = [*map(int, words[1:9]), *[0] * (9 - len(words))]
            cpus[int(number)] = CpuTicks(t[0] + t[1] + t[2], t[5] + t[6] + t[7], t[3] + t[4])
    return cpus


def forks(content: bytes) -> int | None:
    """Processes and threads created since boot (line `processes`), None when not told."""
    at = content.find(b"\nprocesses ")
    return tree.to_int(content[at + 11 :].split(b"\n", 1)[0]) if at >= 0 else None


def detect(root: FileRoot, context: HostContext) -> list[Source]:
    """One source `cpu` with busy and idle time of every cluster."""
    clusters = groups(root, context)
    content = tree.text(root, STAT)
    if content is None or not per_cpu(content.encode()):
        context.note(f"{STAT} cannot be read: busy and idle time of the CPUs is unknown")
        return []
    columns: list[Column] = []
    for cluster in clusters:
        columns += [_counter(cluster.name, "busy"), _counter(cluster.name, "idle")]
    period_s = context.period_s("cpu")
    return [RowSource("cpu", period_s, root, context.clock, [STAT], columns=columns, parse=_parser(clusters))]


def _parser(clusters: Sequence[CpuGroup]) -> Parse:
    last: dict[int, CpuTicks] = {}

    def parse(contents: Sequence[bytes]) -> list[int | None]:
        # a CPU that is switched off loses its line: its counters stand still, they do not vanish
        last.update(per_cpu(contents[0]))
        row: list[int | None] = []
        for cluster in clusters:
            ticks = [last[c] for c in cluster.cpus if c in last]
            row.append(sum(t.processes + t.interrupts for t in ticks))
            row.append(sum(t.idle for t in ticks))
        return row if last else [None]

    return parse


def _counter(cluster: str, what: str) -> Column:
    name = f"cpu.{cluster}.{what}"
    return column(Channel(name, "time", "s", counter=True, activity=name, quality_class="accumulated"), TICK_S)
