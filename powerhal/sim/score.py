"""The truth beside a ledger: which row is whose, and how far off it was."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from powerhal.sim.truth import Truth

KERNEL_PID = -2


class Row(Protocol):
    """What is looked at in a row of a ledger (see attribution.ledger.Row); energies in J."""

    name: str
    kind: str
    energy_j: float
    low_j: float
    high_j: float
    device: str | None
    info: Any
    own: bool
    members: tuple[str, ...]


class Ledger(Protocol):
    """What is asked of a ledger: its rows, and one row for several (see attribution.ledger.Ledger)."""

    @property
    def rows(self) -> Sequence[Any]:
        """All rows."""
        ...

    def merge(self, name: str, rows: Sequence[Any]) -> Any:
        """One row for several."""
        ...


@dataclass(frozen=True, slots=True)
class Marked:
    """A ledger row with the truth beside it, J; `truth_j` is None where there is no truth to compare with."""

    name: str
    kind: str
    pid: int | None
    energy_j: float
    low_j: float
    high_j: float
    truth_j: float | None
    own: bool

    @property
    def error(self) -> float | None:
        """(attributed - truth) / truth, None without a truth or for a truth of nothing."""
        return (self.energy_j - self.truth_j) / self.truth_j if self.truth_j else None

    @property
    def inside(self) -> bool | None:
        """Whether the interval holds the truth."""
        return None if self.truth_j is None else self.low_j <= self.truth_j <= self.high_j

    def to_dict(self) -> dict[str, Any]:
        """The JSON of `powerhal demo --json`."""
        return {
            "name": self.name, "kind": self.kind, "pid": self.pid, "energy_j": self.energy_j, "low_j": self.low_j,
            "high_j": self.high_j, "truth_j": self.truth_j, "self": self.own,
        }  # fmt: skip


def mark(ledger: Ledger, truth: Truth) -> list[Marked]:
    """Every row of a ledger (policy `separate`, families together) with its truth, in the ledger's order."""
    named = {row.info.pid for row in ledger.rows if row.kind == "process"}
    return [_marked(row, truth, named) for row in ledger.rows]


def families(ledger: Ledger, truth: Truth) -> tuple[Any, ...]:
    """The ledger's rows with the children of one parent as one row, as the truth keeps them together.

    Some children were seen alive and have rows; of the others only the parent's children time is known.
    """
    members: dict[int, list[Any]] = {}
    for row in ledger.rows:
        if row.kind == "process":
            members.setdefault(_family(row.info.pid, truth), []).append(row)
    rows = []
    for row in ledger.rows:
        family = _family(row.info.pid, truth) if row.kind == "process" else 0
        if family >= 0 or family == KERNEL_PID:
            rows.append(row)
        elif members[family]:
            # the row of the parent's children time comes first: it gives the family its pid
            found = sorted(members[family], key=lambda r: r.info.pid != family)
            members[family] = []
            rows.append(ledger.merge(truth.names.get(family, row.name), found))
    return tuple(rows)


def _family(pid: int, truth: Truth) -> int:
    """The pid that stands for a process: its own, or that of its parent's children."""
    return -truth.children[pid] - 1000 if pid in truth.children else pid


def _marked(row: Row, truth: Truth, named: set[int]) -> Marked:
    pid = row.info.pid if row.info is not None else None
    return Marked(row.name, row.kind, pid, row.energy_j, row.low_j, row.high_j, _truth(row, truth, named), row.own)


def _truth(row: Row, truth: Truth, named: set[int]) -> float | None:
    if row.kind == "idle":
        return truth.idle_j
    if row.kind == "device":
        return truth.devices.get(row.name)
    if row.kind == "group":
        known = [truth.devices.get(name) for name in row.members]
        return sum(j for j in known if j is not None) if all(j is not None for j in known) else None
    if row.kind == "process":
        pid = _family(row.info.pid, truth)
        return truth.process_j(pid) if pid in truth.names else None
    if row.kind == "rest" and row.device in truth.devices:
        rest = truth.rest_j(row.device)
        if KERNEL_PID not in named:  # what the kernel did for nobody is in the rest then
            rest += truth.processes.get(KERNEL_PID, {}).get(row.device, 0.0)
        return rest
    return None
