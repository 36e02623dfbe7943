"""Hardware counters of the CPUs, where perf events are permitted: what programs did beyond being busy.

One source per cluster with the sum over its CPUs. The kernel lets events share too few counters in turn; what an
event missed meanwhile is filled in by the rate it had while it counted (perf_event_open(2), "read_format").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from powerhal.channel import Channel, Quality, Source
from powerhal.errors import TransportError
from powerhal.host.clusters import CpuGroup, groups
from powerhal.host.context import HostContext
from powerhal.host.rows import RowSource, column
from powerhal.transport import FileRoot
from powerhal.transport.files import RealRoot
from powerhal.transport.perf import HARDWARE, Count, CpuEvent

# channel -> config of the kernel's generic events (enum perf_hw_id)
Opened = Callable[[int, int], CpuEvent]
EVENTS: dict[str, int] = {"cycles": 0, "instructions": 1, "cache_misses": 3, "bus_cycles": 6}


def detect(root: FileRoot, context: HostContext) -> list[Source]:
    """A source `perf.CLUSTER` per cluster with the events that all of its CPUs have."""
    if not isinstance(root, RealRoot):
        context.note("hardware counters are of the running machine only: there are none in this tree")
        return []
    return sources(groups(root, context), root, context, partial(CpuEvent, HARDWARE))


def sources(
    clusters: Sequence[CpuGroup],
    root: FileRoot,
    context: HostContext,
    opened: Opened,
) -> list[Source]:
    """The sources of these clusters; `opened(config, cpu)` starts an event."""
    found: list[Source] = []
    for cluster in clusters:
        offered = {name: config for name, config in EVENTS.items() if _offers(opened, config, cluster, context)}
        if offered:
            found.append(Counters(cluster, offered, root, context, opened))
    return found


def _offers(opened: Opened, config: int, cluster: CpuGroup, context: HostContext) -> bool:
    try:
        for cpu in cluster.cpus:
            opened(config, cpu).close()
    except TransportError as error:
        if error.kind == "denied":
            context.note(f"no hardware counters of cluster {cluster.name}: they need CAP_PERFMON")
        else:
            context.note(f"cluster {cluster.name} does not count all of {', '.join(EVENTS)}")
        return False
    return True


@dataclass(slots=True)
class _Total:
    """One event of one CPU, added up without the gaps in which others used its counter."""

    event: CpuEvent
    before: Count
    total: float = 0.0

    def advance(self) -> bool:
        """Take in what was counted by now; False when others had the counter all the time since the last look."""
        now = self.event.read()
        ran_ns = now.running_ns - self.before.running_ns
        due_ns = now.enabled_ns - self.before.enabled_ns
        if ran_ns > 0:
            self.total += (now.events - self.before.events) * (due_ns / ran_ns)
            self.before = now
        return ran_ns > 0 or due_ns <= 0


class Counters(RowSource):
    """The events of one cluster as counters `cpu.CLUSTER.EVENT`."""

    def __init__(
        self,
        cluster: CpuGroup,
        events: dict[str, int],
        root: FileRoot,
        context: HostContext,
        opened: Opened,
    ) -> None:
        names = [f"cpu.{cluster.name}.{event}" for event in events]
        columns = [
            column(Channel(n, "count", "", counter=True, activity=n, quality_class="accumulated"), 1.0) for n in names
        ]
        period_s, clock = context.period_s("perf"), context.clock
        super().__init__(f"perf.{cluster.name}", period_s, root, clock, [f"perf events {names}"], columns=columns)
        self._cluster, self._events, self._opened = cluster, events, opened
        self._totals: list[list[_Total]] = []
        self._behind = False

    def close(self) -> None:
        """Stop counting; `read` begins anew from 0."""
        totals, self._totals = self._totals, []
        for each in (total for of_event in totals for total in of_event):
            each.event.close()

    def quality(self) -> Quality:
        """STALE while an event waits for a counter; its next look spans the time."""
        return Quality.STALE if self._behind else Quality.OK

    def _values(self) -> list[int]:
        if not self._totals:
            for config in self._events.values():
                events = [self._opened(config, cpu) for cpu in self._cluster.cpus]
                self._totals.append([_Total(event, event.read()) for event in events])
        seen = [[total.advance() for total in of_event] for of_event in self._totals]
        self._behind = not all(map(all, seen))
        return [round(sum(total.total for total in of_event)) for of_event in self._totals]
