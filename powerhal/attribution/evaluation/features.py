"""What a core did in a window, as non-negative columns whose coefficients are energies.

Power of one CPU rail in a window, linear in coefficients that are never negative:

    P = a V e^((T-50)/40)                       leakage: stays when the program leaves ("static")
      + s(f) [ b + c u + sum e_k u r_k ]        clock tree, busy cycles, and events per busy cycle

u: busy cores (cycles / (f dt)); r_k: events of activity k per cycle; s(f): one factor per operating
point (V^2 f where nothing better is learned). No current, no power and no product with them is ever a
column. Each activity has a column that grows in proportion and one that saturates, because the energy per
event falls where events crowd (wide issue shares fetch, decode and clocks).

The prior knows the order of magnitude of each energy, in units of one busy cycle of the core with
everything idle: an instruction or a first-level access costs a third of it, a second-level access or a
mispredicted branch about five (fifteen lost issue slots), a page walk half of a second-level access because
most of it overlaps, an exception fifty. These are round numbers from how a wide out-of-order core works,
each with a standard deviation as large as itself (how little they matter: docs/accuracy.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from powerhal.attribution.evaluation import heat
from powerhal.attribution.evaluation.table import Bools, Floats, Integers, Table

CYCLES = "CPU_CYCLES"
PERIOD_S = 0.5
LEAKAGE_REFERENCE_C = 50.0
INSTRUCTIONS_PER_DATA_ACCESS = 2.5  # four in ten load or store; used where neither they nor fetches are counted
LEAKAGE_SLOPE_C = 40.0


@dataclass(frozen=True, slots=True)
class Activity:
    """A kind of event: the counters that see it, and its energy in busy cycles.

    `varies`: how much its number per busy cycle differs between programs (standard deviation).
    `counters`: alternatives of the same quantity are averaged, parts of it (`parts`) are summed.
    `less`: activities that are counted again inside this one and are taken away.
    `unless`: the activity that makes this one superfluous.
    """

    name: str
    counters: tuple[str, ...]
    energy: float
    varies: float
    parts: bool = False
    less: tuple[str, ...] = ()
    unless: str = ""


ACTIVITIES = (
    Activity("branch", ("BRANCH_PRED",), 0.3, 0.05),
    Activity("instruction", ("INST_RETIRED",), 0.3, 0.4, less=("branch",)),
    Activity("data access", ("L1D_CACHE_ACCESS", "DATA_MEM_ACCESS"), 0.3, 0.1),
    Activity("fetch", ("L1I_CACHE_ACCESS",), 0.3, 0.1),
    Activity("level-2 access", ("L2D_CACHE_ACCESS",), 5.0, 0.02),
    Activity("refill", ("L1D_CACHE_REFILL", "L1I_CACHE_REFILL"), 5.0, 0.0, parts=True, unless="level-2 access"),
    Activity("mispredict", ("BRANCH_MISPRED",), 5.0, 0.003),
    Activity("page walk", ("L1I_TLB_REFILL", "L1D_TLB_REFILL"), 2.5, 0.002, parts=True),
    Activity("exception", ("EXCEPTION_TAKEN", "EXCEPTION_RETURN"), 50.0, 0.0001),
)
# What is seen by another counter too: activity -> the counter that tells as much.
STAND_INS = {"level-2 access": "L1D_CACHE_REFILL", "instruction": "L1I_CACHE_ACCESS"}
KNOWN_MISS, FELT = 0.03, 0.5  # relative miss when all is counted; what heat leaves of the rest
# Columns that need no events: name, prior mean and standard deviation (none for busy cycles: they set the unit).
TIME_COLUMNS = (("clock", 0.5, 0.5), ("busy", 0.5, np.inf))
COUNTERS = (CYCLES, *sorted({name for activity in ACTIVITIES for name in activity.counters}))


@dataclass(frozen=True, slots=True)
class Curve:
    """How the saturating twin of an activity bends, and how the prior shares the energy between the two.

    `bend`: x -> y >= 0 with slope 1 at 0, both in busy cycles' energy per cycle. `straight`: the share of the
    prior energy in the proportional column (0..1). `spread`: prior standard deviation of the bent one.
    """

    name: str
    bend: Callable[[Floats], Floats]
    straight: float
    spread: float


MILD = Curve("mild", lambda x: 0.1 * np.log1p(x / 0.1), straight=1.0, spread=1.0)
STRONG = Curve("strong", lambda x: x / (1.0 + x / 0.1), straight=0.5, spread=2.0)


@dataclass(frozen=True, slots=True)
class Design:
    """Columns of a table's rows, and what is known of their coefficients beforehand.

    static (n,): volts times the leakage's temperature factor. heat (n, h): temperature differences in K, which no
    operating point scales (h may be 0). dynamic (n, p): busy cores or events in busy cycles' energy per clock
    period, before the factor of the operating point. mean, spread (p,): prior of the dynamic coefficients
    in units of the power of one busy cycle per period (infinite: unknown).
    """

    static: Floats
    heat: Floats
    dynamic: Floats
    names: tuple[str, ...]
    mean: Floats
    spread: Floats

    def has_activities(self) -> bool:
        """Whether any event is counted beyond busy time."""
        return len(self.names) > len(TIME_COLUMNS)

    def where(self, rows: Bools | Integers) -> Design:
        """The same columns of the chosen rows."""
        return Design(self.static[rows], self.heat[rows], self.dynamic[rows], self.names, self.mean, self.spread)


def activities(counted: Sequence[str]) -> tuple[Activity, ...]:
    """The activities that these counters see."""
    return tuple(activity for activity in ACTIVITIES if set(activity.counters) & set(counted))


def expected_miss(counted: Sequence[str], heated: bool) -> float:
    """Relative bias of a program to be expected from what these counters do not see, before any is measured.

    An activity that is not counted is missed by how much its energy differs between programs, in units of a
    core's power (about one busy cycle's energy in all); what heat tells halves it.
    """
    seen = {activity.name for activity in activities(counted)}
    seen |= {name for name, counter in STAND_INS.items() if counter in counted}
    hidden = sum((one.energy * one.varies) ** 2 for one in ACTIVITIES if one.name not in seen)
    return float(np.hypot(KNOWN_MISS, np.sqrt(hidden) * (FELT if heated else 1.0)))


def events_per_cycle(table: Table, counted: Sequence[str]) -> dict[str, Floats]:
    """Events of each activity per busy cycle, (n,) each, from the counters that are there."""
    cycles = table.number(CYCLES)
    out: dict[str, Floats] = {}
    for activity in activities(counted):
        seen = [table.number(name) / cycles for name in activity.counters if name in counted]
        if activity.unless in out:
            continue
        rate = np.sum(seen, axis=0) / (1 if activity.parts else len(seen))
        for inner in activity.less:
            rate = rate - out.get(inner, 0.0)
        out[activity.name] = np.maximum(rate, 0.0)
    if "data access" in out and not {"instruction", "fetch"} & set(out):
        out["instruction"] = INSTRUCTIONS_PER_DATA_ACCESS * out["data access"]
    return out


def design(
    table: Table, counted: Sequence[str], volts: Floats, curve: Curve = MILD, heated: tuple[str, ...] = ()
) -> Design:
    """Columns for rows of a table from the counters named in `counted`; volts (n,): each row's supply.

    `heated`: the columns of temperature differences to use. Without CPU_CYCLES the busy time is the number of
    busy cores that the file names: the rung of time at a frequency, voltage and temperature only.
    """
    frequency_hz = table.number("a15_freq_mhz") * 1e6
    cores = np.nan_to_num(table.number("cores"), nan=1.0)
    temperature_c = np.nan_to_num(table.number("a15_temp_c"), nan=LEAKAGE_REFERENCE_C)
    static = volts * np.exp((temperature_c - LEAKAGE_REFERENCE_C) / LEAKAGE_SLOPE_C)
    cyclic = CYCLES in counted
    busy = table.number(CYCLES) / (frequency_hz * PERIOD_S) if cyclic else cores
    columns = [(*TIME_COLUMNS[0], np.ones(len(table))), (*TIME_COLUMNS[1], busy)]
    for name, rate in events_per_cycle(table, counted).items() if cyclic else ():
        energy = next(activity.energy for activity in ACTIVITIES if activity.name == name)
        columns.append((name, curve.straight, 1.0, rate * energy * busy))
        columns.append((f"{name}, bent", 1.0 - curve.straight, curve.spread, curve.bend(rate * energy) * busy))
    names, means, spreads, values = zip(*columns, strict=True)
    warmth = heat.columns(table, busy, heated)
    return Design(static, warmth, np.column_stack(values), names, np.array(means), np.array(spreads))
