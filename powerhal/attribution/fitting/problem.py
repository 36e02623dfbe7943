"""One stacked regression over all measured rails: rows (rail, window), weights, priors, blocks.

Each measured rail gives one row a window:

    z_rail = sum over measured rails next below (k z + q z^2 / seconds) + devices under it + constant

so devices hang on their nearest measured rail, converters between measured rails are learned (k is
1 / efficiency, q the conduction loss), and rails that nobody measured are passed through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from powerhal.attribution.design import Design
from powerhal.attribution.fitting.fit import Prior
from powerhal.attribution.fitting.gram import Gram
from powerhal.attribution.fitting.priors import BOARD_FILE, DEVICE_TREE, FLOOR, USUAL, WIDE_OPEN, Known, informed
from powerhal.attribution.observed.features import FEATURES, NOBODY, Column
from powerhal.attribution.observed.processes import Split
from powerhal.attribution.observed.rail_tree import RailTree
from powerhal.attribution.observed.sensed import smeared, whole, wide

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

LEAST_COVERED = 0.5  # a window watched for less than this part says too little to learn from
WIDE = 3.0  # a coefficient without prior: its column alone could be this many times its rail
EFFICIENCY_SD = 0.05  # how far 1/efficiency of a converter is from its board file (1 sigma, relative)
CONDUCTION_LOSS = 0.03  # of a converter's mean load: expected size of the loss that grows with its square
COEFFICIENT_SD = 0.35  # device-tree dynamic power coefficients against measured ones (1 sigma, relative)
LEAST_PERCENT = 5.0  # of the windows: the least power of a rail
COMPUTING = ("cpu", "gpu")  # devices on which programs differ in what a second of theirs draws
LEAST_BLOCKS, MOST_BLOCKS = 6, 30


@dataclass(frozen=True, slots=True)
class Term:
    """One coefficient of the stacked problem.

    `rail`: index of the measured rail whose row it enters. kind: `activity` (a column of the design),
    `constant` (what a rail draws always), `converter` and `conduction` (losses towards measured rail
    `child`), `process` (how much more or less than average one process draws per unit of `column`).
    """

    name: str
    rail: int
    kind: str
    column: Column | None = None
    child: int = -1
    process: int = -1


@dataclass(frozen=True, slots=True)
class Problem:
    """Stacked rows of one recording.

    tree: which balance each device belongs to; terms (q,): what the columns of `x` (n, q) are: joules
    per unit coefficient; a term enters only the rows of its rail. target (n, r) J scaled to the whole
    window; usable (n, r): windows to learn from; noise_j2 (n, r); prior; block (n,): block of each window;
    blur: by term, variance (n,) of its column of x, where what a device did is only known roughly.
    sharp (n, q): where a rail's sensor is slow, x holds what it shows of the columns, this what they were (None:
    the same).
    """

    design: Design
    tree: RailTree
    terms: tuple[Term, ...]
    x: Floats
    target: Floats
    usable: Bools
    noise_j2: Floats
    prior: Prior
    block: Ints
    blur: Mapping[int, Floats] = field(default_factory=dict)
    sharp: Floats | None = None

    @property
    def columns(self) -> Floats:
        """What happened in each window (n, q), whatever sensors made of it."""
        return self.x if self.sharp is None else self.sharp

    def shown(self, columns: Floats, terms: Sequence[Term]) -> Floats:
        """Columns (n, k) of these terms as the sensors of their rails show them."""
        out = columns.copy()
        for k, term in enumerate(terms):
            window_s = self.width_s(term)
            if window_s > 0.0:
                out[:, k] = smeared(self.design.edges, columns[:, k], window_s) + self._inside(term, window_s)
        return out

    def _inside(self, term: Term, window_s: float) -> Floats | float:
        """What averaging a rail below scan by scan shows, (n,) J, that averaging accounting windows does not."""
        design = self.design
        fine = design.shown.get(design.rail_names[term.rail])
        if term.kind != "converter" or fine is None or wide(design.rails[term.child].sensed) > 0.0:
            return 0.0
        by_scan: Floats = fine[:, len(design.columns) + term.child]
        return by_scan - smeared(design.edges, design.energy[:, term.child], window_s)

    def width_s(self, term: Term) -> float:
        """What a term's column has yet to be averaged over, s: a rail below may have been averaged already."""
        rails = self.design.rails
        below = wide(rails[term.child].sensed) if term.child >= 0 else 0.0
        return float(max(wide(rails[term.rail].sensed) ** 2 - below**2, 0.0) ** 0.5)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the terms, unique."""
        return tuple(t.name for t in self.terms)

    @property
    def free(self) -> tuple[str, ...]:
        """Terms whose coefficient may be negative: sensor offsets, and processes below the average."""
        return tuple(t.name for t in self.terms if t.kind in ("constant", "process"))

    def dynamic_groups(self, rail: int) -> list[list[int]]:
        """Terms of a rail whose errors move together: each device's dynamic terms, each rail below."""
        groups: dict[str, list[int]] = {}
        for k, term in enumerate(self.terms):
            if term.rail != rail or (term.column is not None and term.column.static):
                continue
            key = term.column.device if term.column is not None else f"rail {term.child}"
            groups.setdefault(key, []).append(k)
        return list(groups.values())

    def of_rail(self, rail: int) -> Ints:
        """Indices of the terms that enter a rail's rows."""
        return np.array([k for k, t in enumerate(self.terms) if t.rail == rail], dtype=np.int64)

    def gram(self, weights: Floats, windows: Bools | None = None) -> Gram:
        """Statistics of all rails' rows; weights (n, r), `windows` (n,) which to take (None: all)."""
        total = Gram(self.names)
        for rail in range(self.target.shape[1]):
            take = self.usable[:, rail] if windows is None else self.usable[:, rail] & windows
            if not take.any():
                continue
            mine = self.of_rail(rail)
            rows = np.zeros((int(take.sum()), len(self.terms)))
            rows[:, mine] = self.x[np.ix_(take, mine)]
            total.add_rows(rows, self.target[take, rail], weights[take, rail])
        return total

    def predict(self, theta: Floats) -> Floats:
        """Joules of every rail's row (n, r) for these coefficients (q,)."""
        out = np.zeros_like(self.target)
        for rail in range(out.shape[1]):
            mine = self.of_rail(rail)
            out[:, rail] = self.x[:, mine] @ theta[mine]
        return out

    def with_processes(self, terms: Sequence[Term], x: Floats, sd: Mapping[str, float]) -> Problem:
        """The same problem with more terms, whose coefficients are 0 within `sd`."""
        prior = Prior(
            {**self.prior.mean, **{t.name: 0.0 for t in terms}},
            {**self.prior.sd, **{t.name: sd[t.name] for t in terms}},
            self.prior.origin,
        )
        return Problem(
            self.design, self.tree, (*self.terms, *terms), np.column_stack((self.x, self.shown(x, terms))),
            self.target, self.usable, self.noise_j2, prior, self.block, self.blur,
            None if self.sharp is None else np.column_stack((self.sharp, x)),
        )  # fmt: skip


def build(design: Design, sources: Sequence[Known] = ()) -> Problem:
    """The stacked problem of a design; `sources`: priors from elsewhere.

    Raises LookupError when a device names an unknown rail.
    """
    topology = design.topology
    parent = {r.name: r.parent for r in topology.rails}
    home = {d.name: d.rail for d in topology.devices}
    tree = RailTree.build(design.rail_names, parent, home)
    top = next((k for k, above in enumerate(tree.above.tolist()) if above < 0), 0)
    under = dict(zip(tree.devices, tree.under.tolist(), strict=True))
    scale = np.divide(
        design.seconds[:, None], design.covered_s, out=np.zeros_like(design.covered_s), where=design.covered_s > 0
    )
    target = design.energy * scale
    watched = design.covered_s >= LEAST_COVERED * design.seconds[:, None]
    terms: list[Term] = []
    x: list[Floats] = []
    known: list[Bools] = []
    for k, column in enumerate(design.columns):
        rail = under.get(column.device, top)
        if rail < 0:  # nothing measured feeds it: its energy is not in any measurement
            continue
        terms.append(Term(column.name, rail, "activity", column))
        x.append(design.x[:, k])
        known.append(design.known[:, k])
    for constant in _constants(design, terms):
        terms.append(constant)
        x.append(design.seconds)
        known.append(np.ones(design.seconds.size, dtype=np.bool_))
    swings = design.swings()
    for child, above in enumerate(tree.above.tolist()):
        if above < 0:
            continue
        name = design.rail_names[child]
        terms.append(Term(f"{name}: converter", above, "converter", child=child))
        terms.append(Term(f"{name}: conduction", above, "conduction", child=child))
        x += [target[:, child], target[:, child] ** 2 / design.seconds * swings[:, child]]
        known += [watched[:, child], watched[:, child]]
    usable = watched & ~design.bound & (target > 0)
    for term, fine in zip(terms, known, strict=True):
        usable[:, term.rail] &= fine
    for rail, watch in enumerate(design.rails):
        if (window_s := wide(watch.sensed)) > 0.0:
            usable[:, rail] &= whole(design.edges, window_s)
    matrix = np.column_stack(x)
    prior = informed(_prior(design, terms, matrix, target, usable), design, sources)
    problem = Problem(
        design,
        tree,
        tuple(terms),
        matrix,
        target,
        usable,
        (design.noise_j2 + design.blur_j2[:-1] + design.blur_j2[1:]) * scale**2,
        prior,
        _blocks(design.seconds.size),
    )
    if any(wide(r.sensed) > 0.0 for r in design.rails):
        problem = replace(problem, x=_seen(problem), sharp=matrix)
    return problem


def _seen(problem: Problem) -> Floats:
    """Columns (n, q) as their rails' sensors show them; activities averaged scan by scan where the design has that."""
    design = problem.design
    out = problem.shown(problem.x, problem.terms)
    place = {c.name: k for k, c in enumerate(design.columns)}
    for k, term in enumerate(problem.terms):
        fine = design.shown.get(design.rail_names[term.rail])
        if fine is not None and term.kind == "activity" and term.column is not None:
            out[:, k] = fine[:, place[term.column.name]]
    return out


def _constants(design: Design, terms: Sequence[Term]) -> list[Term]:
    """A constant for each measured rail whose devices have no constant of their own."""
    base = next(f for f in FEATURES if f.kind == "base")
    out = []
    for rail, name in enumerate(design.rail_names):
        mine = [t for t in terms if t.rail == rail and t.column is not None]
        if any(t.column.feature == base.name and t.column.static for t in mine if t.column):
            continue
        devices = sorted({t.column.device for t in mine if t.column})
        owner = devices[0] if len(devices) == 1 else name
        column = Column(f"{name}: constant", owner, "constant", True, base.unit, NOBODY)
        out.append(Term(column.name, rail, "constant", column))
    return out


def _prior(design: Design, terms: Sequence[Term], x: Floats, target: Floats, usable: Bools) -> Prior:
    """What is known before: converters and dynamic power coefficients of the board file, else wide."""
    topology = design.topology
    clusters = {c.name: c for c in topology.clusters}
    devices = {d.name: d for d in topology.devices}
    efficiency = {r.name: r.efficiency for r in topology.rails}
    parent = {r.name: r.parent for r in topology.rails}
    mean: dict[str, float] = {}
    sd: dict[str, float] = {}
    origin: dict[str, str] = {}
    # Where a rail has leakage terms of its own, its constant is there for the sensor's offset only.
    leaking = {t.rail for t in terms if t.kind == "activity" and t.column and t.column.static}
    offsets = {
        t.name: max(design.rails[t.rail].offset_w, 1e-6) for t in terms if t.kind == "constant" and t.rail in leaking
    }
    for k, term in enumerate(terms):
        rows = usable[:, term.rail]
        whole, size = float(target[rows, term.rail].sum()), float(np.abs(x[rows, k]).sum())
        wide = WIDE * whole / size if size > 0 and whole > 0 else 1.0
        if term.kind == "converter":
            child = design.rails[term.child]
            given = _path_efficiency(child.rail, design.rail_names[term.rail], parent, efficiency)
            gains = child.gain_sd**2 + design.rails[term.rail].gain_sd ** 2
            mean[term.name] = 1.0 / given
            sd[term.name] = float(np.sqrt(EFFICIENCY_SD**2 + gains)) / given
            origin[term.name] = BOARD_FILE
        elif term.kind == "conduction":
            load = float(np.mean(target[rows, term.child] / design.seconds[rows])) if rows.any() else 1.0
            mean[term.name], sd[term.name] = 0.0, CONDUCTION_LOSS / max(load, 1e-9)
        else:
            assert term.column is not None
            device = devices.get(term.column.device)
            cluster = clusters.get(device.cluster) if device else None
            given = cluster.dynamic_power_coefficient if cluster and term.column.feature == "V²f" else 0.0
            if given > 0 and device is not None:
                path = _path_efficiency(device.rail, design.rail_names[term.rail], parent, efficiency)
                mean[term.name], sd[term.name] = given / path, COEFFICIENT_SD * given / path
                origin[term.name] = DEVICE_TREE
            elif term.column.usual is not None:
                mean[term.name], sd[term.name] = term.column.usual
                origin[term.name] = USUAL
            elif term.kind == "activity" and term.column.static and rows.any():
                # What is drawn while nothing is asked cannot be more than the least that was ever seen.
                floor = float(np.percentile(target[rows, term.rail] / design.seconds[rows], LEAST_PERCENT))
                rate = float(np.mean(x[rows, k] / design.seconds[rows]))
                mean[term.name], sd[term.name] = 0.0, min(wide, max(floor, 1e-6) / max(rate, 1e-12))
                origin[term.name] = FLOOR
            elif term.name in offsets:
                mean[term.name], sd[term.name] = 0.0, offsets[term.name]
            else:
                mean[term.name], sd[term.name] = 0.0, wide
    return Prior(mean, sd, {name: origin.get(name, WIDE_OPEN) for name in mean})


def _path_efficiency(rail: str, above: str, parent: Mapping[str, str], efficiency: Mapping[str, float]) -> float:
    """Product of the efficiencies from a rail up to the measured rail above it."""
    out = 1.0
    while rail and rail != above:
        out *= efficiency.get(rail, 1.0) or 1.0
        rail = parent.get(rail, "")
    return out


def _blocks(windows: int) -> Ints:
    """Block number of each window: as many stretches of time as each has windows, within limits.

    Long enough that what one stretch is used for is over in the next, many enough to see a scatter.
    """
    count = min(int(np.clip(round(windows**0.5), LEAST_BLOCKS, MOST_BLOCKS)), max(2, windows // 2))
    return (np.arange(windows) * count // windows).astype(np.int64)


def process_terms(
    problem: Problem, k: int, paid: Split, processes: Sequence[int], windows: int
) -> tuple[list[Term], Floats]:
    """Terms for processes that may draw more or less than average per unit of term k's column."""
    term = problem.terms[k]
    out, x = [], []
    for process in processes:
        mine = paid.process == process
        part = np.bincount(paid.window[mine], paid.part[mine], minlength=windows)
        out.append(Term(f"{term.name} / {process}", term.rail, "process", term.column, process=process))
        x.append(problem.columns[:, k] * part)
    return out, np.column_stack(x)
