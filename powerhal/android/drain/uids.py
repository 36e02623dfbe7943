"""Who pays for an activity: by the history where it says who, else by the sums that a dump keeps per uid.

The history names the app in front and the uids of jobs and syncs, window by window. CPU, radio, wake-lock and
timer sums cover the whole period since the last charge; they share every window alike. How far a second or
a byte of one uid may draw more or less than another's is `unsure` (1 sigma, relative).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.android.drain.activities import Grid
from powerhal.android.drain.table import in_front
from powerhal.android.statistics import Statistics, UidUse
from powerhal.attribution.observed.processes import Split

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

GPS_SENSORS = (-10_000, "-10000", "GPS")
LEAST_SHARE = 1e-4  # smaller shares stay with the device's rest


@dataclass(frozen=True, slots=True)
class Share:
    """How one kind of activity is shared: `weights` are tried in order, the first that any uid has is used.

    history: `top` or `jobs` where the history itself says who. unsure: 1 sigma of a uid's draw per unit.
    """

    what: str
    weights: tuple[Callable[[UidUse], float], ...]
    unsure: float
    history: str = ""


def _ms(*path: str) -> Callable[[UidUse], float]:
    def weight(use: UidUse) -> float:
        found: Any = use.parts
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        return float(found) if isinstance(found, int | float) else 0.0

    return weight


def _sum(part: str, *names: str) -> Callable[[UidUse], float]:
    """Sum of figures of a uid's part, or over its rows where the part has many."""

    def weight(use: UidUse) -> float:
        found = use.parts.get(part)
        rows = found if isinstance(found, list) else [found] if isinstance(found, dict) else []
        return float(sum(row[n] for row in rows for n in names if isinstance(row.get(n), int | float)))

    return weight


def _component(name: str) -> Callable[[UidUse], float]:
    return lambda use: float(use.component_ms.get(name, 0))


def _state(name: str) -> Callable[[UidUse], float]:
    return lambda use: float(use.process_states.get(name, {}).get("ms") or 0)


def _sensors(gps: bool) -> Callable[[UidUse], float]:
    def weight(use: UidUse) -> float:
        rows = [r for r in use.parts.get("sensors", ()) if (r.get("sensor") in GPS_SENSORS) == gps]
        return float(sum(r.get("ms") or 0 for r in rows))

    return weight


def _radio_times(part: str) -> Callable[[UidUse], float]:
    def weight(use: UidUse) -> float:
        found = use.parts.get(part) or {}
        return float(sum(v for k, v in found.items() if k.startswith(("rx", "tx")) and isinstance(v, int | float)))

    return weight


SHARES: dict[str, Share] = {
    "top": Share("time in front", (_state("top"), _ms("foreground_activity", "ms"), _component("screen")), 0.1, "top"),
    "jobs": Share("time of jobs and syncs", (lambda use: _sum("jobs", "ms")(use) + _sum("syncs", "ms")(use),), 0.3,
                  "jobs"),
    "awake": Share("partial wake locks", (_sum("wakelocks", "partial_ms"), _component("wakelock")), 0.3),
    "cpu": Share("CPU time", (_sum("cpu_ms", "user", "system"), _component("cpu")), 0.3),
    "mobile": Share("time of the mobile radio",
                    (_ms("network", "radio_active_ms"), _radio_times("modem_controller"), _component("mobile_radio"),
                     _sum("network", "mobile_rx_bytes", "mobile_tx_bytes")), 0.3),
    "wifi": Share("time of Wi-Fi",
                  (_radio_times("wifi_controller"), _component("wifi"),
                   _sum("network", "wifi_rx_packets", "wifi_tx_packets")), 0.3),
    "wifi_scan": Share("Wi-Fi scans", (_ms("wifi", "scan_ms"), _ms("wifi_scan", "ms")), 0.3),
    "bluetooth": Share("Bluetooth scans", (_ms("bluetooth_scan", "ms"),), 0.3),
    "gnss": Share("time of GNSS", (_sensors(True), _component("gnss")), 0.2),
    "audio": Share("time of audio", (_ms("audio", "ms"), _component("audio")), 0.2),
    "video": Share("time of video", (_ms("video", "ms"), _component("video")), 0.2),
    "camera": Share("time of the camera", (_ms("camera", "ms"), _component("camera")), 0.2),
    "flashlight": Share("time of the flashlight", (_ms("flashlight", "ms"), _component("flashlight")), 0.1),
    "sensors": Share("time of sensors", (_sensors(False), _component("sensors")), 0.4),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Payers:
    """The uids of a dump and how each kind of activity is shared by them; `said`: how, in words, per payer."""

    uids: tuple[int, ...]
    said: Mapping[str, str]
    splits: Mapping[str, Split]


def payers(grid: Grid, stats: Statistics, wanted: Sequence[str]) -> Payers:
    """Splits for these rows of `SHARES`, over all uids that the history or the sums name."""
    people = grid.line.people
    seen = {row[2] for kind in ("top", "job", "sync") for row in people.get(kind, ())}
    seen |= {uid for sample in grid.line.worked for uid, _ in sample.uids}
    uids = tuple(sorted(seen | {u for u in stats.uids if u >= 0}))
    place = {uid: k for k, uid in enumerate(uids)}
    splits: dict[str, Split] = {}
    said: dict[str, str] = {}
    for name in dict.fromkeys(wanted):
        share = SHARES[name]
        found = _by_history(grid, share, place)
        if found is not None:
            splits[name], said[name] = found, f"{share.what}, by the history"
            continue
        sums = _by_sums(stats, share, place, grid.edges.size - 1)
        if sums is not None:
            if name == "cpu":
                sums = _with_samples(grid, sums, place)
            splits[name], said[name] = sums, f"{share.what} since the last charge"
    return Payers(uids, said, splits)


def _split(process: Ints, window: Ints, part: Floats, unsure: float) -> Split:
    none = np.full(part.size, -1, dtype=np.int64)
    # The sum of a window is measured: what a part is unsure of is only what others could have owed.
    return Split(process, window, part, none, unsure * part * (1.0 - np.minimum(part, 1.0)))


def _by_history(grid: Grid, share: Share, place: Mapping[int, int]) -> Split | None:
    """Shares of each window by who was in front, or whose jobs ran; None where the history does not say."""
    if share.history == "top":
        kinds, where, whole = ["top"], in_front(grid), grid.per_window(grid.on("screen"))
    elif share.history == "jobs":
        kinds, where = ["job", "sync"], np.ones(grid.seconds.size, dtype=np.bool_)
        whole = np.zeros(grid.edges.size - 1)
    else:
        return None
    rows = [grid.by_uid(kind, where) for kind in kinds]
    uid, window, spent = (np.concatenate(column) for column in zip(*rows, strict=True))
    if not uid.size:
        return None
    used = np.bincount(window, spent, minlength=whole.size)
    whole = np.maximum(whole, used)
    process = np.array([place[u] for u in uid.tolist()], dtype=np.int64)
    return _split(process, window, spent / whole[window], share.unsure)


def _by_sums(stats: Statistics, share: Share, place: Mapping[int, int], windows: int) -> Split | None:
    """The same shares in every window, from sums over the whole period; None when no uid has any."""
    for weight in share.weights:
        amounts = np.array([weight(stats.uids[uid]) if uid in stats.uids else 0.0 for uid in place])
        amounts = np.where(amounts > 0, amounts, 0.0)
        if amounts.sum() > 0:
            break
    else:
        return None
    part = amounts / amounts.sum()
    who = np.flatnonzero(part >= LEAST_SHARE)
    process, window = np.tile(who, windows), np.repeat(np.arange(windows, dtype=np.int64), who.size)
    return _split(process, window, part[process], share.unsure)


def _with_samples(grid: Grid, sums: Split, place: Mapping[int, int]) -> Split:
    """CPU time that samples name goes to its uid in its windows; what they do not name is shared by the sums."""
    windows = grid.edges.size - 1
    named: dict[tuple[int, int], float] = {}
    whole = np.zeros(windows)
    before = 0
    for sample in grid.line.worked:
        length = max(1, sample.time_ms - before)
        first = max(0, int(np.searchsorted(grid.edges, before, side="right")) - 1)
        for w in range(first, windows):
            over = min(sample.time_ms, int(grid.edges[w + 1])) - max(before, int(grid.edges[w]))
            if over <= 0:
                break
            whole[w] += (sample.user_ms + sample.system_ms) * over / length
            for uid, spent in sample.uids:
                named[place[uid], w] = named.get((place[uid], w), 0.0) + spent * over / length
        before = sample.time_ms
    if not named:
        return sums
    keys = np.array(list(named), dtype=np.int64)
    amounts = np.array(list(named.values()))
    own = np.bincount(keys[:, 1], amounts, minlength=windows)
    whole = np.maximum(whole, np.maximum(own, 1e-9))
    left = 1.0 - own / whole
    # A uid that samples name often has spent much of its sum there.
    left_of = _not_named(sums, keys[:, 0], amounts, float(whole.sum()), windows)
    unnamed = Split(
        sums.process, sums.window, left_of * left[sums.window], sums.origin, sums.unsure * left[sums.window]
    )
    part = amounts / whole[keys[:, 1]]
    mine = _split(keys[:, 0], keys[:, 1], part, SHARES["cpu"].unsure)
    return Split(
        *(np.concatenate((getattr(unnamed, n), getattr(mine, n))) for n in ("process", "window", "part", "origin",
                                                                            "unsure"))
    )  # fmt: skip


def _not_named(sums: Split, who: Ints, amounts: Floats, total: float, windows: int) -> Floats:
    """Parts of the sums without what samples have already given to their uids, normalised per window."""
    size = int(max(sums.process.max(initial=0), who.max(initial=0))) + 1
    share = np.bincount(sums.process, sums.part, minlength=size) / windows
    rest = np.maximum(share * total - np.bincount(who, amounts, minlength=size), 0.0)
    rest /= max(float(rest.sum()), 1e-12)
    out: Floats = rest[sums.process]
    return out
