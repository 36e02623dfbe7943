"""A phone's power profile: what the vendor says each part draws, in mA at nominal voltage.

Answers as the platform's PowerProfile class does: an absent key is 0, an item stands before an array of its name,
a level beyond an array's end is its last value. `average` is that; `get` tells absent (None) from 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from powerhal.android.profile.keys import key_of, numbered
from powerhal.errors import Problem

RATS = ("DEFAULT", "LTE", "NR")
FREQUENCIES = ("DEFAULT", "LOW", "MID", "HIGH", "MMWAVE")
TX_LEVELS = 5

#: CPU keys of an era: (first API, name of speeds, of power per speed, of a cluster's own power).
CPU_ERAS = (
    (28, "cpu.core_speeds.cluster", "cpu.core_power.cluster", "cpu.cluster_power.cluster"),
    (24, "cpu.speeds.cluster", "cpu.active.cluster", ""),
    (21, "cpu.speeds", "cpu.active", ""),
)


@dataclass(frozen=True, slots=True)
class Active:
    """Modem power in one radio technology: receive mA, transmit mA by level 0-4 (None: not given)."""

    rat: str
    nr_frequency: str
    receive_ma: float | None
    transmit_ma: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Modem:
    """The `<modem>` block of Android 13 and newer, mA; None where a value is not given."""

    sleep_ma: float | None = None
    idle_ma: float | None = None
    active: tuple[Active, ...] = ()

    def find(self, rat: str, nr_frequency: str = "DEFAULT") -> Active | None:
        """That technology's block, else its DEFAULT frequency, else the DEFAULT technology, as the platform looks."""
        blocks = {(a.rat, a.nr_frequency): a for a in self.active}
        for key in ((rat, nr_frequency), (rat, "DEFAULT"), ("DEFAULT", "DEFAULT")):
            if key in blocks:
                return blocks[key]
        return None


@dataclass(frozen=True, slots=True)
class CpuCluster:
    """One CPU cluster: cores, speeds in kHz, mA of one core at each speed, mA of the cluster itself."""

    number: int
    cores: int
    speeds_khz: tuple[float, ...]
    core_ma: tuple[float, ...]
    cluster_ma: float | None


@dataclass(frozen=True, slots=True)
class PowerProfile:
    """A profile as read: items and arrays by key, lines where they stand, the modem block, what is wrong."""

    path: str
    items: Mapping[str, float]
    arrays: Mapping[str, tuple[float, ...]]
    modem: Modem | None = None
    lines: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()

    def get(self, name: str, level: int | None = None) -> float | None:
        """Value of a key, None when the file does not have it; see `average` for levels."""
        if name in self.items:
            return self.items[name]
        values = self.arrays.get(name)
        if not values:
            return None if values is None else 0.0
        index = level or 0
        return values[min(index, len(values) - 1)] if index >= 0 else 0.0

    def average(self, name: str, level: int | None = None) -> float:
        """PowerProfile.getAveragePower: as `get`, with 0 for what is absent."""
        return self.get(name, level) or 0.0

    def has(self, name: str) -> bool:
        """Whether the file has the key with at least one value."""
        return self.get(name) is not None and self.arrays.get(name) != ()

    @property
    def capacity_mah(self) -> float | None:
        """Battery capacity in mAh, None when the file does not say."""
        return self.get("battery.capacity")

    def display(self, name: str, number: int = 0) -> float:
        """mA of `screen.on`, `screen.full` or `ambient.on` of a display; the old keys are display 0's (Android 12)."""
        own = self.get(f"{name}.display{number}")
        return own if own is not None else self.average(name) if number == 0 else 0.0

    def displays(self) -> int:
        """How many displays the file describes, at least one."""
        keys = (numbered(name) for name in (*self.items, *self.arrays))
        return 1 + max((n for prefix, n in filter(None, keys) if prefix == "screen.on.display"), default=0)

    def cpu_api(self) -> int:
        """The newest API whose CPU keys the file has: 28, 24 or 21."""
        for api, _, power, _ in CPU_ERAS[:2]:
            if f"{power}0" in self.arrays or f"{power}0" in self.items:
                return api
        return CPU_ERAS[-1][0] if "cpu.speeds" in self.arrays else CPU_ERAS[0][0]

    def clusters(self, api: int | None = None) -> tuple[CpuCluster, ...]:
        """CPU clusters as that API reads them (default: the newest whose keys are there).

        As many as `cpu.clusters.cores` has values, numbered from 0 without gaps; one when it is absent.
        """
        wanted = self.cpu_api() if api is None else api
        first, speeds, power, own = next(era for era in CPU_ERAS if wanted >= era[0])
        cores = self.arrays.get("cpu.clusters.cores") or (self.items.get("cpu.clusters.cores", 1.0),)
        if first < 24:
            return (CpuCluster(0, round(sum(cores)), self._values(speeds), self._values(power), None),)
        return tuple(
            CpuCluster(
                i,
                round(n),
                self._values(f"{speeds}{i}"),
                self._values(f"{power}{i}"),
                self.get(f"{own}{i}") if own else None,
            )
            for i, n in enumerate(cores)
        )

    def document(self) -> dict[str, Any]:
        """The JSON of `powerhal android profile --json` (docs/android.md)."""
        units = {name: key.unit if (key := key_of(name)) else "" for name in (*self.items, *self.arrays)}
        return {
            "schema": 1,
            "source": {"format": "power_profile.xml", "path": self.path},
            "capacity_mah": self.capacity_mah,
            "items": dict(self.items),
            "arrays": {name: list(values) for name, values in self.arrays.items()},
            "units": units,
            "vendor_keys": sorted(name for name in units if key_of(name) is None),
            "cpu_api": self.cpu_api(),
            "clusters": [
                {
                    "number": c.number, "cores": c.cores, "speeds_khz": list(c.speeds_khz),
                    "core_ma": list(c.core_ma), "cluster_ma": c.cluster_ma,
                }
                for c in self.clusters()
            ],
            "modem": None if self.modem is None else {
                "sleep_ma": self.modem.sleep_ma, "idle_ma": self.modem.idle_ma,
                "active": [
                    {
                        "rat": a.rat, "nr_frequency": a.nr_frequency, "receive_ma": a.receive_ma,
                        "transmit_ma": list(a.transmit_ma),
                    }
                    for a in self.modem.active
                ],
            },
            "problems": [
                {"where": p.where, "code": p.code, "severity": p.severity, "message": p.message} for p in self.problems
            ],
        }  # fmt: skip

    def _values(self, name: str) -> tuple[float, ...]:
        if name in self.arrays:
            return self.arrays[name]
        return (self.items[name],) if name in self.items else ()
