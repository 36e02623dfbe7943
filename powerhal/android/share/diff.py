"""Two dumps against each other: what was used between them, or two periods by the hour.

Dumps of one discharge (the same start clock) are cumulative, so B minus A is what happened between them; a counter
that went back was reset and has no difference. Dumps of two periods are compared as rates per hour on battery.
A row is a device, a wake lock, or a uid *with its packages*: nothing is added over users or packages, and a uid
whose packages changed is two rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from powerhal.android.checkin.values import MAH_DECIMALS
from powerhal.android.statistics import Statistics, UidUse
from powerhal.android.uids import app_id, user
from powerhal.errors import NotEnoughData, UsageError

SAME_START_MS = 2000  # the start clock is printed anew with each dump and moves with corrections of the clock
MS_PER_HOUR = 3_600_000.0
# table -> (part of a uid's row, figures of it, unit)
UID_TABLES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "cpu": ("cpu_ms", ("user", "system"), "ms"),
    "network": (
        "network",
        ("mobile_rx_bytes", "mobile_tx_bytes", "wifi_rx_bytes", "wifi_tx_bytes", "bluetooth_rx_bytes",
         "bluetooth_tx_bytes"),
        "B",
    ),
    "wakelocks": ("wakelocks", ("partial_ms", "full_ms", "window_ms"), "ms"),
}  # fmt: skip
ORDER = ("devices", "uids", "wakelocks", "kernel wakelocks", "network", "cpu")


@dataclass(frozen=True, slots=True)
class Key:
    """What a row is about: `uid` None for the device, then `packages` and the name of a device, lock or figure."""

    table: str
    uid: int | None
    packages: tuple[str, ...]
    item: str


@dataclass(frozen=True, slots=True)
class Change:
    """One row: values in both dumps (None: not printed there) and their change.

    `change` is B - A, or the difference of the rates per hour; None where a counter was reset. `within` is what the
    rounding of the print leaves open (mAh; 0 for exact counters), in the unit of `change`.
    """

    key: Key
    unit: str
    a: float | None
    b: float | None
    change: float | None
    reset: bool = False
    within: float = 0.0


@dataclass(slots=True)
class Difference:
    """All rows, by table and size of change; `mode` is `between` or `rates`; hours on battery; notes."""

    mode: str
    hours_a: float | None
    hours_b: float | None
    changes: list[Change]
    notes: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As one JSON object."""
        return {
            "mode": self.mode,
            "hours": {"a": self.hours_a, "b": self.hours_b},
            "notes": self.notes,
            "changes": [
                {"table": c.key.table, "uid": c.key.uid, "user": None if c.key.uid is None else user(c.key.uid),
                 "app_id": None if c.key.uid is None else app_id(c.key.uid), "packages": list(c.key.packages),
                 "item": c.key.item, "unit": c.unit, "a": c.a, "b": c.b, "change": c.change, "reset": c.reset,
                 "within": c.within}
                for c in self.changes
            ],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Side:
    """One dump: its statistics and what tells the phone and the period."""

    name: str
    statistics: Statistics
    api: int | None
    build: str
    properties: dict[str, str]

    @property
    def start_ms(self) -> float | None:
        """Epoch ms when the window began."""
        found = self.statistics.totals.get("battery_time", {}).get("start_clock_epoch_ms")
        return found if isinstance(found, int | float) else None

    @property
    def battery_ms(self) -> float | None:
        """Time on battery."""
        found = self.statistics.durations_ms.get("battery_realtime")
        return float(found) if found else None


def diff(a: Side, b: Side, *, rates: bool = False, anyway: bool = False) -> Difference:
    """What changed from A to B; `rates` forces rates per hour, `anyway` compares what is not known to be one phone.

    Raises UsageError for dumps of different phones or API levels and for a B that is older than A, NotEnoughData
    when a dump has no statistics or no time on battery to make rates of.
    """
    for side in (a, b):
        if not side.statistics.uids and not side.statistics.devices and not side.statistics.totals:
            raise NotEnoughData(
                f"{side.name}: no statistics in it", hint="take the dump with `dumpsys batterystats -c`"
            )
    notes = _same_phone(a, b, anyway)
    between = not rates and not anyway and _one_discharge(a, b)
    if between and (b.battery_ms or 0) < (a.battery_ms or 0):
        raise UsageError(f"{b.name} was taken before {a.name}", hint="name the older dump first")
    if not between and not (a.battery_ms and b.battery_ms):
        which = b if a.battery_ms else a
        raise NotEnoughData(f"{which.name}: no time on battery, so no rates", hint="take a complete dump")
    scales = (_scale(a, between=between), _scale(b, between=between))
    values_a, values_b = _apart(_values(a.statistics)), _apart(_values(b.statistics))
    changes = [
        _change(key, unit, (values_a.get((key, unit)), values_b.get((key, unit))), scales, between=between)
        for key, unit in {**values_a, **values_b}
    ]
    resets = sum(c.reset for c in changes)
    if resets:
        notes.append(f"{resets} counters went back: they were reset between the dumps and have no difference")
    moved = _moved(values_a, values_b)
    if moved:
        notes.append(f"{moved} uids have other packages in B than in A: each stands as two rows")
    changes = [c for c in changes if c.reset or c.change]
    changes.sort(key=lambda c: (ORDER.index(c.key.table), -abs(c.change or 0), str(c.key)))
    hours = [None if s.battery_ms is None else s.battery_ms / MS_PER_HOUR for s in (a, b)]
    return Difference("between" if between else "rates", hours[0], hours[1], changes, notes)


def _same_phone(a: Side, b: Side, anyway: bool) -> list[str]:
    """Notes on what differs; refuses what cannot be one phone."""
    wrong = []
    if a.api and b.api and a.api != b.api:
        wrong.append(f"API levels {a.api} and {b.api}")
    for name, what in (("ro.product.model", "models"), ("gcf", "CPU frequencies")):
        left, right = _trait(a, name), _trait(b, name)
        if left and right and left != right:
            wrong.append(what + (f" {left} and {right}" if name != "gcf" else ""))
    if wrong and not anyway:
        raise UsageError(
            f"{a.name} and {b.name} are not of one phone and system: different " + ", ".join(wrong),
            hint="name two dumps of one phone, or compare the rates all the same with --anyway",
        )
    notes = ["compared all the same: different " + ", ".join(wrong)] if wrong else []
    if a.build != b.build:
        notes.append(f"builds {a.build} and {b.build}: the system was updated between the dumps")
    return notes


def _trait(side: Side, name: str) -> str:
    if name == "gcf":
        return str(side.statistics.totals.get("cpu_frequencies") or "")
    return side.properties.get(name, "")


def _one_discharge(a: Side, b: Side) -> bool:
    """Whether both windows began at the same time and neither count of starts moved."""
    if a.start_ms is None or b.start_ms is None or abs(a.start_ms - b.start_ms) > SAME_START_MS:
        return False
    return a.battery_ms is not None and b.battery_ms is not None


def _values(stats: Statistics) -> Iterator[tuple[tuple[Key, str], float]]:
    for device in stats.devices:
        if device.mah is not None:
            item = device.name if device.label != "user" else f"user {device.more.get('user')}"
            yield (Key("devices", None, (), item), "mAh"), device.mah
    for lock in stats.wakelocks:
        if isinstance(lock.get("ms"), int | float):
            yield (Key("kernel wakelocks", None, (), str(lock.get("name", ""))), "ms"), lock["ms"]
    for use in stats.uids.values():
        yield from _uid_values(use)


def _apart(pairs: Iterator[tuple[tuple[Key, str], float]]) -> dict[tuple[Key, str], float]:
    """Rows by what they are about; a second one of the same name is `name #2`, never added to the first."""
    out: dict[tuple[Key, str], float] = {}
    seen: Counter[tuple[Key, str]] = Counter()
    for (key, unit), value in pairs:
        seen[key, unit] += 1
        nth = seen[key, unit]
        out[(key if nth == 1 else replace(key, item=f"{key.item} #{nth}")), unit] = value
    return out


def _uid_values(use: UidUse) -> Iterator[tuple[tuple[Key, str], float]]:
    packages = tuple(sorted(use.packages))
    if use.mah is not None:
        yield (Key("uids", use.uid, packages, ""), "mAh"), use.mah
    for table, (part, figures, unit) in UID_TABLES.items():
        found = use.parts.get(part, {})
        for row in found if isinstance(found, list) else [found]:
            for figure in figures:
                value = row.get(figure)
                if isinstance(value, int | float):
                    item = f"{row['name']} {figure}" if "name" in row else figure
                    yield (Key(table, use.uid, packages, item), unit), value


@dataclass(frozen=True, slots=True)
class Scale:
    """Of one dump: what its values are multiplied with, and the step of its charges (None: as many digits as print)."""

    factor: float
    step_mah: float | None = None

    def within(self, mah: float | None) -> float:
        """What the rounding of a charge leaves open, in the unit of the change."""
        return self.factor * (_rounding(mah) if self.step_mah is None else 0.5 * self.step_mah)


def _scale(side: Side, *, between: bool) -> Scale:
    step = side.statistics.battery.get("mah_step")
    return Scale(1.0 if between or not side.battery_ms else MS_PER_HOUR / side.battery_ms, step)


def _change(
    key: Key, unit: str, values: tuple[float | None, float | None], scales: tuple[Scale, Scale], *, between: bool
) -> Change:
    """A row that one dump does not print was zero there: the platform prints no zeros."""
    a, b = values
    left, right = (a or 0) * scales[0].factor, (b or 0) * scales[1].factor
    within = scales[0].within(a) + scales[1].within(b) if unit == "mAh" else 0.0
    change = right - left
    if between and change < 0 and unit != "mAh":  # a charge is estimated anew with each dump and may sink
        return Change(key, unit, a, b, None, reset=True)
    return Change(key, unit, a, b, change, within=within)


def _rounding(mah: float | None) -> float:
    """Half a unit of the last digit that the platform prints of a charge, in mAh."""
    if not mah:
        return 0.0
    decimals = next((d for bound, d in MAH_DECIMALS if mah < bound), 0)
    return 0.5 * float(10**-decimals)


def _moved(a: dict[tuple[Key, str], float], b: dict[tuple[Key, str], float]) -> int:
    """How many uids both dumps have under different packages."""
    left = {(k.uid, k.packages) for k, _ in a if k.table == "uids"}
    right = {(k.uid, k.packages) for k, _ in b if k.table == "uids"}
    shared = {uid for uid, _ in left} & {uid for uid, _ in right}
    return sum(1 for uid, packages in left if uid in shared and (uid, packages) not in right)
