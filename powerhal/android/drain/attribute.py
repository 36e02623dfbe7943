"""A dump's battery drain attributed to devices and uids by the same fit and ledger as a board's recording.

History states are the activities, gauge steps the measurement: one rail `battery`, windows between steps. What
cannot be told apart is grouped, what is too little is refused with what is missing; rows sum to the measurement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.android.drain.activities import Grid, Timeline, timeline
from powerhal.android.drain.gauge import Capacity, Drain, capacity_of, drain
from powerhal.android.drain.groups import grouped
from powerhal.android.drain.rails import RailCharge, rails
from powerhal.android.drain.table import ACTIVITIES, ActivityRow, in_front
from powerhal.android.drain.uids import Payers, payers
from powerhal.android.parse import Dump, DumpFile
from powerhal.android.profile.values import PowerProfile
from powerhal.android.statistics import Statistics, UidUse
from powerhal.android.uids import app_id, user
from powerhal.attribution.accounts import books
from powerhal.attribution.design import Design
from powerhal.attribution.fitting.problem import Problem, build
from powerhal.attribution.ledger import Ledger, interval
from powerhal.attribution.observed.features import NOBODY, Column
from powerhal.attribution.observed.meter import RailEnergy
from powerhal.attribution.observed.processes import Split, Usage
from powerhal.channel import Device, ProcessInfo, Rail, Topology
from powerhal.errors import NotEnoughData

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RAIL = "battery"
LEAST_WINDOWS = 8  # fewer say nothing about how well a model fits
SPARE_WINDOWS = 6  # beyond one a coefficient: what is left to judge the fit by
ALWAYS = 0.98  # of every window: a state that is on so much cannot be told from idle
# An app that was in front this part of the time gets a coefficient of its own. One without is taken to draw what the
# most modest app draws, and what it draws more goes to whatever runs with it alone (audio, GNSS): so the part is small.
OWN_COLUMN = 0.01
APP_WIDTH_W = 1.5  # how much more than the most modest app another one draws in front (1 sigma)
WINDOWS_PER_APP = 12
GROUP_SD = 0.6  # how far a member's part of a group's draw may be from what was expected (1 sigma, relative)
TOGETHER_SD = 0.3  # the same for the group's own sum, in which members' errors partly cancel
PROFILE_SD, PROFILE_FLOOR = 0.5, 0.3  # of the profile's figure, and of the part's width (1 sigma)


@dataclass(frozen=True, slots=True)
class Term:
    """One column on its way into the design: its row of the table, seconds per window, uid that alone pays for it.

    members: the columns that a group stands for; source: where its prior is from.
    """

    row: ActivityRow
    name: str
    seconds: Floats
    usual: tuple[float, float] | None
    uid: int | None = None
    members: tuple[Term, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Attributed:
    """The ledger of a dump with what it was made from."""

    ledger: Ledger
    drain: Drain
    line: Timeline
    grid: Grid
    payers: Payers
    priors: Mapping[str, str]
    notes: tuple[str, ...]
    rails: tuple[RailCharge, ...] = ()


def attribute(dump: Dump, profile: PowerProfile | None = None) -> Attributed:
    """Devices and uids of a dump in joules with intervals that add up to the measured drain.

    profile: the phone's power_profile.xml, as knowledge beforehand. Raises NotEnoughData when the dump has no
    history, no drain, or too few steps of the gauge; the message says how many more are needed.
    """
    line, stats = timeline(dump.history), dump.main
    capacity = capacity_of(stats, profile.capacity_mah if profile else None)
    found = drain(dump.history, line, capacity)
    windows = int(found.covered.sum())
    if windows < LEAST_WINDOWS:
        raise NotEnoughData(
            f"{windows} windows between steps of the gauge ({found.way}) cannot teach a model: "
            f"{LEAST_WINDOWS - windows} more are needed",
            hint=f"each is {_each(found, capacity)}; take the dump after a longer time on battery",
        )
    grid = Grid(line, found.edges_ms)
    volts = float(np.average(found.volts, weights=np.maximum(found.mah, 1e-9)))
    metered = rails(line, dump.api, profile)
    terms, notes = _terms(grid, found, stats, profile, volts)
    terms = [_metered(term, metered) for term in terms]
    terms, lumped = _fitted_in(terms, found)
    wanted = [t.row.payer for term in terms for t in (term.members or (term,)) if t.row.payer and t.uid is None]
    paid_by = payers(grid, stats, wanted)
    problem = build(_design(dump, found, terms))
    usage = Usage([_person(uid, stats.uids.get(uid)) for uid in paid_by.uids], found.covered.size, {})
    ledger = books(_Trace(found), problem, _paid(problem, terms, paid_by, found), usage)
    notes = (*found.notes, *(rail.text for rail in metered), *notes, *lumped, *_left_out(found))
    ledger = _doubted(ledger, {t.row.device for t in terms if t.members})
    ledger = grouped(replace(ledger, notes=(*ledger.notes, *notes), model={**ledger.model, **_fit(ledger)}))
    return Attributed(ledger, found, line, grid, paid_by, {t.name: t.source for t in terms}, notes, metered)


def best_dump(found: DumpFile) -> Dump:
    """The dump of a file to attribute: with a history and sums before one without; raises as `DumpFile.demand`."""
    files = [found.demand(), *found.others]
    dumps = [d for f in files for d in ([f.main] if f.main else []) + [d for d in f.dumps if d is not f.main]]
    return max(dumps, key=lambda d: (bool(d.history.levels or d.history.charges), bool(d.statistics)))


def _doubted(ledger: Ledger, together: set[str]) -> Ledger:
    """The same, where devices that share one coefficient may have drawn in other proportions than expected."""
    rows = []
    for row in ledger.rows:
        if row.name in together or row.name.removesuffix(" (rest)") in together:
            alone = row.alone_j2 + (TOGETHER_SD * row.energy_j) ** 2
            low, high = interval(row.energy_j, row.loadings, alone, ledger.doubts, ledger.t90)
            rows.append(replace(row, alone_j2=alone, low_j=low, high_j=high))
        else:
            rows.append(row)
    return replace(ledger, rows=tuple(rows))


def _fit(ledger: Ledger) -> dict[str, float | None]:
    """How much of the variance of power (not of the windows' joules, which the gauge makes alike) is explained."""
    series = ledger.series
    fine = np.isfinite(series.measured_w) & np.isfinite(series.predicted_w)
    seconds, measured = series.seconds[fine], series.measured_w[fine]
    mean = float(np.average(measured, weights=seconds))
    spread = float(seconds @ (measured - mean) ** 2)
    left = float(seconds @ (measured - series.predicted_w[fine]) ** 2)
    return {"r2": 1.0 - left / spread if spread > 0 else None, "windows": int(fine.sum())}


def _each(found: Drain, capacity: Capacity | None) -> str:
    if found.way == "level steps" and capacity:
        return f"one percent of {capacity.mah:.4g} mAh"
    return f"8 steps of {found.quantum_mah:g} mAh"


def _terms(
    grid: Grid, found: Drain, stats: Statistics, profile: PowerProfile | None, volts: float
) -> tuple[list[Term], tuple[str, ...]]:
    """Columns that moved while the drain was measured, and notes on those that were on all the time."""
    seconds = np.diff(found.edges_ms) / 1e3
    out, always = [], []
    for row in ACTIVITIES:
        built = row.build(grid)
        if built is None or not (built[found.covered] > 0).any():
            continue
        rate = built[found.covered] / seconds[found.covered]
        if row.kind != "base" and rate.min() >= ALWAYS and np.ptp(rate) <= 1 - ALWAYS:
            always.append(f"{row.device} ({row.name})")
            continue
        usual, source = _usual(row, profile, volts)
        out.append(Term(row, f"{row.device}: {row.name}", built, usual, source=source))
    out += _apps(grid, found, stats, [t.row for t in out])
    notes = [f"on all the time, so part of idle: {', '.join(always)}"] if always else []
    return out, tuple(notes)


def _usual(row: ActivityRow, profile: PowerProfile | None, volts: float) -> tuple[tuple[float, float] | None, str]:
    """Mean and 1 sigma of a coefficient before any data, and where from."""
    ma = row.profile(profile) if profile else None
    if profile is not None and ma is not None:
        watts = ma * 1e-3 * volts
        spread = float(np.hypot(PROFILE_SD * watts, PROFILE_FLOOR * row.width_w))
        return (watts, spread), f"{row.keys} {ma:g} mA of {Path(profile.path).name} at {volts:.3g} V"
    if row.kind == "base":
        return None, "the least power seen"
    return (0.0, row.width_w), f"0 to about {row.width_w:g} {row.unit}, any phone"


def _metered(term: Term, metered: Sequence[RailCharge]) -> Term:
    """The same term, with what a meter of its own says of it beforehand in place of what is usual."""
    for rail in metered:
        if (draw := rail.draws.get((term.row.device, term.row.name))) and term.uid is None:
            return replace(term, usual=draw, source=f"the phone's own meter ({rail.name}), {rail.spans} spans")
    return term


def _apps(grid: Grid, found: Drain, stats: Statistics, rows: Sequence[ActivityRow]) -> list[Term]:
    """A column for each app that was in front a good part of the time: what it draws beyond the most modest."""
    shared = next((r for r in rows if r.payer == "top" and r.device == "cpu"), None)
    if shared is None:
        return []
    uid, window, spent = grid.by_uid("top", in_front(grid))
    live = found.covered[window]
    whole = float(spent[live].sum())
    totals = {int(u): float(spent[live & (uid == u)].sum()) for u in np.unique(uid)}
    large = [u for u in sorted(totals, key=lambda u: -totals[u]) if totals[u] > OWN_COLUMN * whole]
    most = int(found.covered.sum()) // WINDOWS_PER_APP
    out = []
    for u in large[:most] if len(large) > 1 else []:
        mine = np.bincount(window[uid == u], spent[uid == u], minlength=found.covered.size).astype(np.float64)
        row = replace(shared, width_w=APP_WIDTH_W)
        source = f"0 to about {APP_WIDTH_W:g} W more than another app"
        name = f"cpu: in front, uid {u}"
        out.append(Term(row, name, mine, (0.0, APP_WIDTH_W), uid=u, source=source))
    return out


def _fitted_in(terms: list[Term], found: Drain) -> tuple[list[Term], tuple[str, ...]]:
    """The same columns while the windows carry them; else the smallest devices are put together as one group.

    In a group every part draws in proportion to what it was expected to (its profile's figure, or its width).
    """
    room = int(found.covered.sum()) - SPARE_WINDOWS
    if len(terms) <= room:
        return terms, ()
    plain = [t for t in terms if t.uid is None]
    apps = [t for t in terms if t.uid is not None]
    if len(plain) <= room:
        return [*plain, *apps[: room - len(plain)]], ()
    kept = [t for t in plain if t.row.static]
    size: dict[str, float] = {}
    for term in plain:
        if not term.row.static:
            joules = _expected(term) * float(term.seconds[found.covered].sum())
            size[term.row.device] = size.get(term.row.device, 0.0) + joules
    alone: list[str] = []
    for device in sorted(size, key=lambda name: -size[name]):
        many = sum(t.row.device in (*alone, device) and not t.row.static for t in plain)
        if len(kept) + many + 1 > room:
            break
        alone.append(device)
    lumped = [t for t in plain if t.row.device not in alone and not t.row.static]
    devices = tuple(dict.fromkeys(t.row.device for t in lumped))
    x: Floats = np.sum([_expected(t) * t.seconds for t in lumped], axis=0)
    row = replace(lumped[0].row, device=" + ".join(devices), kind="group", payer="", unit="of what is expected")
    prior = (1.0, 1.0) if any(t.usual and t.usual[0] for t in lumped) else (0.0, 1.0)
    group = Term(row, f"{row.device}: together", x, prior, members=tuple(lumped), source="sum of its parts")
    text = (
        f"{', '.join(t.name for t in lumped)} have one coefficient together: {int(found.covered.sum())} windows carry "
        f"{room} coefficients, {len(plain) - room} more are needed for one each"
    )
    return [*(t for t in plain if t not in lumped), group], (text,)


def _expected(term: Term) -> float:
    """Watts that a part is expected to draw at most: its prior's mean and spread together."""
    mean, sd = term.usual or (0.0, term.row.width_w)
    return float(np.hypot(mean, sd))


def _design(dump: Dump, found: Drain, terms: Sequence[Term]) -> Design:
    """Windows, energy and columns in the shape that every recording takes."""
    seconds = np.diff(found.edges_ms) / 1e3
    covered = np.where(found.covered, seconds, 0.0)
    columns = tuple(
        Column(t.name, t.row.device, "constant" if t.row.kind == "base" else t.name.partition(": ")[2], t.row.static,
               t.row.unit, NOBODY, t.usual)
        for t in terms
    )  # fmt: skip
    kinds = {t.row.device: _KINDS.get(t.row.kind, t.row.kind) for t in terms}
    devices = tuple(Device(name, kind, RAIL) for name, kind in kinds.items())
    blur, noise = _edges(found)
    rail = RailEnergy(
        RAIL, found.way, ("battery",), "gauge", found.quantum_mah * 3.6, 0.0, 0.0, 0.0, found.gain_sd, found.offset_w
    )
    model = str(dump.versions.get("start_build") or "")
    return Design(
        Topology("android", model, (Rail(RAIL),), (), devices), found.edges_ms * 1_000_000, seconds, (rail,),
        found.energy_j[:, None], covered[:, None], noise[:, None], blur[:, None],
        np.zeros((seconds.size, 1), dtype=np.bool_), columns, np.column_stack([t.seconds for t in terms]),
        np.tile(found.covered[:, None], (1, len(terms))),
    )  # fmt: skip


# A CPU's process terms belong to clocks that a history does not have: its columns here are plain states.
_KINDS = {"cpu": "soc"}


def _edges(found: Drain) -> tuple[Floats, Floats]:
    """Blur of inner edges (n+1,), and variance of each window (n,) from edges that no other window shares."""
    blur, noise = found.blur_j2.copy(), np.zeros(found.covered.size)
    inner = np.concatenate(([False], found.covered[1:] & found.covered[:-1], [False]))
    for k in np.flatnonzero(~inner & (blur > 0)).tolist():
        window = k if k < found.covered.size and found.covered[k] else k - 1
        noise[window] += blur[k]
        blur[k] = 0.0
    return blur, noise


def _paid(problem: Problem, terms: Sequence[Term], by: Payers, found: Drain) -> dict[int, Split]:
    """Who pays for each dynamic term of the problem."""
    place = {uid: k for k, uid in enumerate(by.uids)}
    own = {t.name: t for t in terms}
    out = {}
    every = np.arange(found.covered.size, dtype=np.int64)
    for k, term in enumerate(problem.terms):
        mine = own.get(term.name)
        if mine is None or mine.row.static:
            continue
        if mine.uid is not None:
            who = np.full(every.size, place[mine.uid], dtype=np.int64)
            one, none = np.ones(every.size), np.full(every.size, -1, dtype=np.int64)
            out[k] = Split(who, every, one, none, np.zeros(every.size))
        elif mine.members:
            if (found_split := _together(mine, by)) is not None:
                out[k] = found_split
        elif mine.row.payer in by.splits:
            out[k] = by.splits[mine.row.payer]
    return out


def _together(group: Term, by: Payers) -> Split | None:
    """A group's payers: each member's, weighed by what the member was expected to draw in each window."""
    parts = [(t, by.splits[t.row.payer]) for t in group.members if t.row.payer in by.splits]
    if not parts:
        return None
    rows = []
    for term, split in parts:
        weight = np.divide(_expected(term) * term.seconds, group.seconds, where=group.seconds > 0,
                           out=np.zeros(group.seconds.size))  # fmt: skip
        rows.append((split.process, split.window, split.part * weight[split.window]))
    process, window, part = (np.concatenate(column) for column in zip(*rows, strict=True))
    unsure = GROUP_SD * part * (1.0 - np.minimum(part, 1.0))
    return Split(process, window, part, np.full(part.size, -1, dtype=np.int64), unsure)


def _person(uid: int, use: UidUse | None) -> ProcessInfo:
    return ProcessInfo(uid, 0, 0, uid, uid_name(uid, use.packages if use else ()))


# uids of android_filesystem_config.h that have no package
SYSTEM = {
    0: "root", 1000: "system", 1001: "radio", 1002: "bluetooth", 1003: "graphics", 1005: "audio", 1010: "wifi",
    1013: "media", 1017: "keystore", 1019: "drm", 1020: "mdnsr", 1021: "gps", 1023: "media_rw", 1027: "nfc",
    1036: "logd", 1040: "mediaex", 1041: "audioserver", 1046: "mediacodec", 1047: "cameraserver", 1051: "dns",
    1066: "statsd", 1067: "incidentd", 1069: "lmkd", 1073: "network_stack", 1082: "artd", 2000: "shell",
    9999: "nobody",
}  # fmt: skip


def uid_name(uid: int, packages: Sequence[str]) -> str:
    """A uid as people read it: its package (and how many more), or the system's name, and the user beside user 0."""
    if app_id(uid) in SYSTEM:
        return f"{SYSTEM[app_id(uid)]} (uid {uid})"
    more = f" +{len(packages) - 1}" if len(packages) > 1 else ""
    of = f" (user {user(uid)})" if user(uid) else ""
    return f"{packages[0]}{more}{of}" if packages else f"uid {uid}"


def _left_out(found: Drain) -> list[str]:
    """One sentence a reason on what is in no row."""
    out = []
    for why in dict.fromkeys(row.why for row in found.left_out):
        rows = [r for r in found.left_out if r.why == why]
        seconds = sum(r.end_ms - r.start_ms for r in rows) / 1e3
        long = f"{seconds:.3g} s" if seconds < 120 else f"{seconds / 60:.3g} min"
        known = [r.mah for r in rows if r.mah is not None]
        lost = f" ({sum(known):.4g} mAh)" if known else ""
        out.append(f"left out, {why}: {long} in {len(rows)} stretch{'es' * (len(rows) > 1)}{lost}")
    return out


class _Trace:
    """What the ledger asks of a recording: the span, and that no process of it is powerhal's own."""

    self_pid = 0

    def __init__(self, found: Drain) -> None:
        self.meta: dict[str, Any] = {"started": {}}
        self._ends = found.edges_ms[[0, -1]] * 1_000_000

    def scan_times_ns(self) -> Ints:
        return self._ends
