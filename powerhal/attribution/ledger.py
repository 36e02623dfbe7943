"""The ledger: rows of joules with intervals, to whom they went, that add up to the measurement.

Rows are views of the same settled books (`settle`). Every row keeps its loadings on the sources of
doubt, so a group of rows has the interval that its members' common doubts give it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.attribution.uncertainty import Doubt, half_width
from powerhal.channel import ProcessInfo

Floats = npt.NDArray[np.float64]

SCHEMA = 1
TOP_KINDS = ("device", "group", "idle", "unattributed")  # these rows add up to the total


@dataclass(frozen=True, slots=True)
class Row:
    """One line: who, what kind (device, group, process, rest, idle, unattributed), joules with interval.

    loadings: on the ledger's doubts; alone_j2: variance that no other row shares; devices: joules by device;
    grams: gCO2e low, value, high.
    """

    name: str
    kind: str
    energy_j: float
    low_j: float
    high_j: float
    loadings: Floats
    alone_j2: float = 0.0
    device: str | None = None
    info: ProcessInfo | None = None
    own: bool = False
    devices: Mapping[str, float] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    grams: tuple[float, float, float] | None = None

    @property
    def half_j(self) -> float:
        """Half of the 90 % interval, J."""
        return 0.5 * (self.high_j - self.low_j)


@dataclass(frozen=True, slots=True)
class Total:
    """The measurement that rows add up to: rail (or rails), joules with interval, from when to when (ns).

    duration_s is the run from the first to the last look at processes; missing_s of it was not measured,
    and no joules of it are in any row. loadings: on the ledger's doubts.
    """

    rail: str
    energy_j: float
    low_j: float
    high_j: float
    duration_s: float
    missing_s: float
    start_ns: int = 0
    end_ns: int = 0
    loadings: Floats = field(default_factory=lambda: np.zeros(0))
    grams: tuple[float, float, float] | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Per window, for pictures: start times in s, seconds, measured and predicted W, W of each device part."""

    t_s: Floats
    seconds: Floats
    measured_w: Floats
    predicted_w: Floats
    parts_w: Mapping[str, Floats]


@dataclass(frozen=True, slots=True)
class Ledger:
    """Who used the energy: rows, the total they add up to, the model behind them, what cannot be told apart.

    `doubts` names the sources that `Row.loadings` are loadings on; `t90` is Student's quantile for them;
    conservation_error: worst relative imbalance of any window; machine: whose sensors these were, as far as is known.
    """

    board: str
    policy: str
    rows: tuple[Row, ...]
    total: Total
    series: Series
    model: Mapping[str, Any]
    groups: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    conservation_error: float
    doubts: tuple[Doubt, ...]
    t90: float
    carbon: Mapping[str, Any] = field(default_factory=dict)
    learned: Any = None
    machine: str = ""

    def of_kind(self, *kinds: str) -> tuple[Row, ...]:
        """Rows of these kinds, largest first."""
        return tuple(sorted((r for r in self.rows if r.kind in kinds), key=lambda r: -r.energy_j))

    def view(self, by: str = "process") -> tuple[Row, ...]:
        """Rows that add up to the total: `device`, or processes grouped by name, uid or cgroup.

        `process` (or `comm`) merges processes of one name; `pid` keeps each apart. Raises KeyError for another `by`.
        """
        if by == "device":
            return (*self.of_kind("device", "group"), *self.of_kind("idle"), *self.of_kind("unattributed"))
        key = GROUPINGS[by]
        merged: dict[tuple[str, bool], list[Row]] = {}
        for row in self.of_kind("process"):
            assert row.info is not None
            merged.setdefault((key(row.info), row.own), []).append(row)  # the recorder is never somebody else
        people = [self.merge(name, rows) for (name, _), rows in merged.items()]
        people.sort(key=lambda r: -r.energy_j)
        joined = [row for row in self.of_kind("group") if "idle" in row.members]
        hidden = {member for row in joined for member in row.members}
        rest = [row for row in self.of_kind("rest") if row.device not in hidden]
        left = [self._unpaid(row) for row in joined]
        return (*people, *rest, *left, *self.of_kind("idle"), *self.of_kind("unattributed"))

    def _unpaid(self, group: Row) -> Row:
        """What processes do not pay of a group that idle is part of: its idle energy and its devices' rests."""
        rests = sum(r.energy_j for r in self.of_kind("rest") if r.device in group.members)
        joules = group.devices["idle"] + rests
        low, high = interval(joules, group.loadings, group.alone_j2, self.doubts, self.t90)
        return replace(group, energy_j=joules, low_j=low, high_j=high)

    def merge(self, name: str, rows: Sequence[Row]) -> Row:
        """One row for several, with the interval that their common doubts give."""
        if len(rows) == 1:
            return replace(rows[0], name=name)
        loadings = np.sum([r.loadings for r in rows], axis=0)
        devices: dict[str, float] = {}
        for row in rows:
            for device, joules in row.devices.items():
                devices[device] = devices.get(device, 0.0) + joules
        whole = sum(r.energy_j for r in rows)
        alone = sum(r.alone_j2 for r in rows)
        low, high = interval(whole, loadings, alone, self.doubts, self.t90)
        given = [r.grams for r in rows if r.grams]
        grams = None
        if len(given) == len(rows):  # ends of grams add up as if they moved together, which they nearly do
            grams = (sum(g[0] for g in given), sum(g[1] for g in given), sum(g[2] for g in given))
        members = tuple(r.name for r in rows)
        info = rows[0].info
        return Row(
            name, rows[0].kind, whole, low, high, loadings, alone, None, info, any(r.own for r in rows), devices,
            members, grams,
        )  # fmt: skip

    def with_carbon(
        self, footprint: Callable[[float, float, float], tuple[float, float, float]], about: Mapping[str, Any]
    ) -> Ledger:
        """The same ledger with gCO2e: footprint(joules, low, high) -> (grams, low, high)."""

        def grams(energy: float, low: float, high: float) -> tuple[float, float, float]:
            value, least, most = footprint(energy, low, high)
            return least, value, most

        rows = tuple(replace(r, grams=grams(r.energy_j, r.low_j, r.high_j)) for r in self.rows)
        total = replace(self.total, grams=grams(self.total.energy_j, self.total.low_j, self.total.high_j))
        return replace(self, rows=rows, total=total, carbon=dict(about))

    def to_dict(self, by: str | None = None, *, doubts: bool = False) -> dict[str, Any]:
        """The JSON of `attribute --json`: the rows of every kind, or those of `view(by)`, which add up to the total.

        `doubts`: with the sources of doubt and each row's loadings on them (J for one standard deviation), so that
        rows can be put together, and runs compared, with the interval of the sum or difference.
        """
        out: dict[str, Any] = {
            "schema": SCHEMA,
            "board": self.board,
            "total": {
                "rail": self.total.rail, "energy_j": self.total.energy_j, "low_j": self.total.low_j,
                "high_j": self.total.high_j, "duration_s": self.total.duration_s, "missing_s": self.total.missing_s,
                "start_ns": self.total.start_ns, "end_ns": self.total.end_ns, **_grams(self.total.grams),
            },
            "rows": [self._row(r) for r in (self.view(by) if by else self.rows)],
            "model": dict(self.model),
            "groups": [dict(g) for g in self.groups],
            "groups_text": [str(g["text"]) for g in self.groups],
            "notes": list(self.notes),
            "policy": self.policy,
            "by": by,
            "machine": self.machine,
            "conservation_error": self.conservation_error,
            "series": _series(self.series),
        }  # fmt: skip
        if doubts:
            out["doubts"] = {"t90": self.t90, "sources": [asdict(d) for d in self.doubts]}
            out["total"]["loadings_j"] = self.total.loadings.tolist()
            for told, row in zip(out["rows"], self.view(by) if by else self.rows, strict=True):
                told |= {"loadings_j": row.loadings.tolist(), "alone_j2": row.alone_j2}
        if self.carbon:
            out["carbon"] = dict(self.carbon)
        return out

    def _row(self, row: Row) -> dict[str, Any]:
        seconds = self.total.duration_s - self.total.missing_s
        whole = self.total.energy_j
        out: dict[str, Any] = {
            "name": row.name, "kind": row.kind, "device": row.device, "pid": row.info.pid if row.info else None,
            "energy_j": row.energy_j, "low_j": row.low_j, "high_j": row.high_j,
            "mean_w": row.energy_j / seconds if seconds > 0 else None,
            "share": row.energy_j / whole if whole > 0 else None,
            "self": row.own,
        }  # fmt: skip
        if row.info:
            out |= {"uid": row.info.uid, "cgroup": row.info.cgroup}
        if row.devices:
            out["devices"] = dict(row.devices)
        if row.members:
            out["members"] = list(row.members)
        return out | _grams(row.grams)


GROUPINGS: dict[str, Callable[[ProcessInfo], str]] = {
    "process": lambda p: p.comm,
    "comm": lambda p: p.comm,
    "pid": lambda p: f"{p.comm} [{p.pid}]",
    "uid": lambda p: f"uid {p.uid}",
    "cgroup": lambda p: p.cgroup or "/",
}


def interval(
    energy_j: float, loadings: Floats, alone_j2: float, doubts: Sequence[Doubt], t90: float
) -> tuple[float, float]:
    """90 % interval of an energy in J; energy is not negative, so neither is the lower end."""
    half = half_width(loadings, alone_j2, doubts, t90)
    return max(0.0, energy_j - half) if energy_j >= 0 else energy_j - half, energy_j + half


def _grams(grams: tuple[float, float, float] | None) -> dict[str, float]:
    return {} if grams is None else {"gco2e": grams[1], "gco2e_low": grams[0], "gco2e_high": grams[2]}


def _series(series: Series) -> dict[str, Any]:
    def plain(values: Floats) -> list[float | None]:
        return [float(v) if np.isfinite(v) else None for v in values]

    return {
        "t_s": plain(series.t_s), "seconds": plain(series.seconds), "measured_w": plain(series.measured_w),
        "predicted_w": plain(series.predicted_w), "parts_w": {n: plain(v) for n, v in series.parts_w.items()},
    }  # fmt: skip
