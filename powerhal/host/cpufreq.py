"""Time at each frequency and the frequency now, a source per cluster.

`cpu.CLUSTER.time@HZ` counts seconds (Documentation/cpu-freq/cpufreq-stats.rst: 10 ms units, whole
numbers); `cpu.CLUSTER.frequency` is what the governor last asked for, in Hz.
"""

from __future__ import annotations

from collections.abc import Sequence

from powerhal.channel import Channel, Source
from powerhal.host import tree
from powerhal.host.clusters import POLICIES, CpuGroup, groups
from powerhal.host.context import HostContext
from powerhal.host.rows import Column, Parse, RowSource, column
from powerhal.transport import FileRoot

TICK_S = 0.01  # USER_HZ is 100 on every architecture of Linux but Alpha


def detect(root: FileRoot, context: HostContext) -> list[Source]:
    """A source per cluster that has a cpufreq policy."""
    found: list[Source] = [source(root, context, group) for group in groups(root, context) if group.policies]
    if not found:
        context.note("no CPU frequency scaling in this kernel: time at each frequency is unknown")
    return found


def source(root: FileRoot, context: HostContext, group: CpuGroup) -> RowSource:
    """One cluster's `time_in_state` (summed over its policies) and current frequency."""
    name = f"cpufreq.{group.name}"
    stats = [f"{POLICIES}/{p}/stats/time_in_state" for p in group.policies]
    tables = [states(root.read(path)) if root.exists(path) else {} for path in stats]
    khz = sorted({f for table in tables for f in table})
    columns = [_time(group.name, f * 1000) for f in khz]
    columns.append(_frequency(group.name))
    if not khz:
        context.note(f"{name}: no time_in_state, only the frequency at each reading")
        stats = []
    paths = [*stats, *(f"{POLICIES}/{p}/scaling_cur_freq" for p in group.policies)]
    return RowSource(
        name,
        context.period_s("cpufreq", name),
        root,
        context.clock,
        paths,
        columns=columns,
        parse=_parser(khz, len(stats)),
    )


def states(content: bytes) -> dict[int, int]:
    """kHz -> ticks of one `time_in_state` file; lines that are not two numbers are skipped."""
    table: dict[int, int] = {}
    for line in content.splitlines():
        words = line.split()
        if len(words) == 2 and words[0].isdigit() and words[1].isdigit():
            table[int(words[0])] = int(words[1])
    return table


def _parser(khz: Sequence[int], n_stats: int) -> Parse:
    def parse(contents: Sequence[bytes]) -> list[int | None]:
        tables = [states(content) for content in contents[:n_stats]]
        row: list[int | None] = [
            sum(table.get(f, 0) for table in tables) if any(f in table for table in tables) else None for f in khz
        ]
        now = [tree.to_int(content) for content in contents[n_stats:]]
        known = [f for f in now if f is not None]
        row.append(sum(known) // len(known) if known else None)
        return row

    return parse


def _time(cluster: str, hz: int) -> Column:
    name = f"cpu.{cluster}.time@{hz}"
    return column(Channel(name, "time", "s", counter=True, activity=name, quality_class="accumulated"), TICK_S)


def _frequency(cluster: str) -> Column:
    name = f"cpu.{cluster}.frequency"
    return column(Channel(name, "frequency", "Hz", activity=name, quality_class="gauge"), 1000.0)
