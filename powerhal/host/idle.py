"""Time in each idle state per cluster: `cpu.CLUSTER.idle@STATE`, s (Documentation/admin-guide/pm/cpuidle.rst)."""

from __future__ import annotations

from collections.abc import Sequence

from powerhal.channel import Channel, Source
from powerhal.host import tree
from powerhal.host.clusters import groups
from powerhal.host.context import HostContext
from powerhal.host.rows import Column, Parse, RowSource, column
from powerhal.transport import FileRoot

CPUS = "/sys/devices/system/cpu"


def detect(root: FileRoot, context: HostContext) -> list[Source]:
    """A source per cluster whose CPUs have cpuidle states."""
    found: list[Source] = []
    for group in groups(root, context):
        states: dict[str, list[str]] = {}
        for cpu in group.cpus:
            folder = f"{CPUS}/cpu{cpu}/cpuidle"
            for state in tree.names(root, folder):
                name = tree.text(root, f"{folder}/{state}/name")
                if state.startswith("state") and name and root.exists(f"{folder}/{state}/time"):
                    states.setdefault(tree.safe_name(name), []).append(f"{folder}/{state}/time")
        if states:
            name = f"idle.{group.name}"
            columns = [_time(group.name, state) for state in states]
            paths = [path for files in states.values() for path in files]
            parse = _sums([len(files) for files in states.values()])
            period_s = context.period_s("idle", name)
            found.append(RowSource(name, period_s, root, context.clock, paths, columns=columns, parse=parse))
    if not found:
        context.note("no cpuidle in this kernel: time in idle states is unknown")
    return found


def _sums(sizes: Sequence[int]) -> Parse:
    def parse(contents: Sequence[bytes]) -> list[int | None]:
        row: list[int | None] = []
        at = 0
        for size in sizes:
            values = [tree.to_int(content) for content in contents[at : at + size]]
            known = [v for v in values if v is not None]
            row.append(sum(known) if len(known) == size else None)
            at += size
        return row

    return parse


def _time(cluster: str, state: str) -> Column:
    name = f"cpu.{cluster}.idle@{state}"
    channel = Channel(name, "time", "s", counter=True, activity=name, quality_class="accumulated")
    return column(channel, 1e-6)
