"""What really happened, in joules at the battery: kept by the physics, never by a recording."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from powerhal.sim.design import DEVICES, STEP_NS

SNAPSHOT_STEPS = 10


@dataclass(frozen=True, slots=True)
class Truth:
    """Joules at the battery between two times (ns); docs/simulation.md has the definitions.

    idle_j + sum(device_j) = root_j, and a device's processes plus its rest are the device.
    `processes` maps pid -> device -> J; the children of a process that it waited for are together under
    -pid - 1000 (`children` says which pids those are).
    """

    start_ns: int
    end_ns: int
    root_j: float
    idle_j: float
    devices: dict[str, float]
    static: dict[str, float]
    processes: dict[int, dict[str, float]]
    children: dict[int, int]
    names: dict[int, str]

    def process_j(self, pid: int) -> float:
        """Dynamic energy of a process over all devices, J; 0 for one that did nothing."""
        return sum(self.processes.get(pid, {}).values())

    def rest_j(self, device: str) -> float:
        """What of a device's dynamic energy no process caused, J."""
        return self.devices[device] - sum(cells.get(device, 0.0) for cells in self.processes.values())


class TruthBook:
    """Running sums, one cell per (owner, device), with a snapshot every 100 ms."""

    def __init__(self, start_ns: int) -> None:
        self._start_ns = start_ns
        self.cells: list[float] = [0.0] * (2 * len(DEVICES) + 2)
        self._owners: list[tuple[int, int]] = []  # of the cells after the fixed ones: (pid, device)
        self._fixed = len(self.cells)
        self._snapshots: list[array[float]] = [array("d", self.cells)]
        self.children: dict[int, int] = {}
        self.names: dict[int, str] = {}

    def open(self, pid: int, name: str) -> list[int]:
        """Cells for one owner, one per device."""
        self.names[pid] = name
        first = len(self.cells)
        self.cells.extend([0.0] * len(DEVICES))
        self._owners.extend((pid, device) for device in range(len(DEVICES)))
        return list(range(first, first + len(DEVICES)))

    def static(self, device: int) -> int:
        """Cell of a device's static energy."""
        return len(DEVICES) + device

    @property
    def converters(self) -> int:
        """Cell of what the converters take without load."""
        return 2 * len(DEVICES)

    @property
    def root(self) -> int:
        """Cell of the battery's energy."""
        return 2 * len(DEVICES) + 1

    def step(self, number: int) -> None:
        """Called after step `number` (from 1)."""
        if number % SNAPSHOT_STEPS == 0:
            self._snapshots.append(array("d", self.cells))

    def between(self, start_ns: int | None, end_ns: int | None) -> Truth:
        """The truth from `start_ns` to `end_ns` (None: from the beginning, until now)."""
        span_ns = SNAPSHOT_STEPS * STEP_NS
        last_ns = self._start_ns + (len(self._snapshots) - 1) * span_ns
        start = self._start_ns if start_ns is None else start_ns
        end = last_ns if end_ns is None else end_ns
        first, second = self._at(start), self._at(end)
        delta = [second[i] - (first[i] if i < len(first) else 0.0) for i in range(len(second))]
        processes: dict[int, dict[str, float]] = {}
        for at, (pid, device) in enumerate(self._owners[: len(delta) - self._fixed]):
            joules = delta[self._fixed + at]
            if joules:
                processes.setdefault(pid, {})[DEVICES[device]] = joules
        count = len(DEVICES)
        static = {name: delta[count + i] for i, name in enumerate(DEVICES)}
        static["converters"] = delta[self.converters]
        return Truth(
            start_ns=start,
            end_ns=end,
            root_j=delta[self.root],
            idle_j=sum(static.values()),
            devices={name: delta[i] for i, name in enumerate(DEVICES)},
            static=static,
            processes=processes,
            children=dict(self.children),
            names=dict(self.names),
        )

    def _at(self, t_ns: int) -> array[float]:
        position = max(0.0, (t_ns - self._start_ns) / (SNAPSHOT_STEPS * STEP_NS))
        whole = min(int(position), len(self._snapshots) - 1)
        before = self._snapshots[whole]
        if whole + 1 >= len(self._snapshots):
            return before
        part = position - whole
        after = self._snapshots[whole + 1]
        return array(
            "d",
            ((1 - part) * (before[i] if i < len(before) else 0.0) + part * after[i] for i in range(len(after))),
        )
