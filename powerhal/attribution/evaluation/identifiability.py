"""Is the truth inside the interval where devices cannot be told apart?

Rails never say what one instruction costs, so the truth is made: the measured activities of real programs are
given energies drawn at random, some activities get a twin that moves with them (a second device that is on
whenever the first one is), noise and a bias per program are added, and `powerhal.attribution.fitting.fit` has to say
what each of them draws. What it reports is taken as a user reads it: a coefficient alone with its interval, a
group as one row with the interval of its sum. `confident` is the usual answer to the same rows: least
squares >= 0, every coefficient alone, the textbook's interval of the ones above 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from powerhal.attribution.evaluation.features import CYCLES, PERIOD_S, events_per_cycle
from powerhal.attribution.evaluation.table import Floats, Integers, Table
from powerhal.attribution.fitting.fit import Fit, fit, leave_block_out
from powerhal.attribution.fitting.gram import Gram
from powerhal.attribution.uncertainty import student90

RUNS = 100
SEED = 4201
ROWS = 600
NOISE, BIAS = 0.02, 0.01  # of each row, of each program, relative
TWINS = (1, 2, 3)
UNLIKE = (0.0, 1e-3, 1e-2)  # how much a twin differs from its like, relative
Z90 = 1.645


@dataclass(frozen=True, slots=True)
class Said:
    """One row of an answer: what it claims in W, its interval's half width, and what is true."""

    claimed_w: float
    half_w: float
    true_w: float

    @property
    def inside(self) -> bool:
        """Whether the truth is in the interval."""
        return abs(self.claimed_w - self.true_w) <= self.half_w


@dataclass(frozen=True, slots=True)
class Designs:
    """Activities of real rows, (n, p) of mean 1, their program (n,)."""

    x: Floats
    program: Integers


def identifiability(table: Table, counted: tuple[str, ...], runs: int = RUNS) -> dict[str, Any] | None:
    """Coverage of 90 % intervals over `runs` made-up truths, percent; None where no event is counted.

    `rows_covered_percent` pools all rows of all answers; `runs_percent` is the mean over runs of how many
    of a run's rows hold their truth. Nothing of it uses a rail's reading.
    """
    designs = activities_of(table, counted)
    if designs is None:
        return None
    honest: list[list[Said]] = []
    confident: list[list[Said]] = []
    grouped = 0
    for run in range(runs):
        random = np.random.default_rng((SEED, run))
        x, truth = drawn(designs, random)
        program = designs.program
        bias = BIAS * random.standard_normal(program.max() + 1)[program]
        z = x @ truth
        z = z * (1.0 + bias + NOISE * random.standard_normal(z.size))
        learned = learned_from(x, z, program)
        honest.append(list(reported(learned, x, truth, int(program.max()) + 1)))
        confident.append(list(unmerged(learned, x, z, truth)))
        grouped += sum(group.kind == "together" for group in learned.groups)
    return {
        "runs": runs,
        **_figures(honest),
        "groups_per_run": grouped / runs,
        "confident": _figures(confident),
    }


def activities_of(table: Table, counted: tuple[str, ...]) -> Designs | None:
    """Clock, busy time and events of evenly picked rows at one frequency, each divided by its mean."""
    if CYCLES not in counted or len(counted) < 3:
        return None
    frequency = table.number("a15_freq_mhz")
    rows = np.flatnonzero((frequency == np.min(frequency)) & (table.number(CYCLES) > 0.0))
    part = table.where(rows[np.linspace(0, rows.size - 1, min(ROWS, rows.size)).astype(np.int64)])
    busy = part.number(CYCLES) / (part.number("a15_freq_mhz") * 1e6 * PERIOD_S)
    events = events_per_cycle(part, counted)
    x = np.column_stack([np.ones(len(part)), busy, *(rate * busy for rate in events.values())])
    x = x[:, x.std(axis=0) + (np.arange(x.shape[1]) == 0) > 0.0]
    return Designs(x / x.mean(axis=0), np.unique(part.text("benchmark"), return_inverse=True)[1])


def drawn(designs: Designs, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Activities with some twins, (n, q), and what each truly draws on average, (q,) W: up to a decade apart."""
    x = designs.x
    like = random.choice(x.shape[1], int(random.choice(TWINS)), replace=False)
    unlike = random.choice(UNLIKE, like.size) * random.standard_normal((len(x), like.size))
    twins = x[:, like] * np.maximum(1.0 + unlike, 0.0)
    every = np.column_stack((x, twins))
    return every, 0.1 * np.exp(random.uniform(-1.15, 1.15, every.shape[1]))


def learned_from(x: Floats, z: Floats, program: Integers) -> Fit:
    """What the rows teach, with the noise that is left when each program is left out.

    Rows of one program err together, so a program's rows are not so many opinions: the noise of a row is taken
    from how far the sum of a left-out program's errors is from 0, squared, per row.
    """
    names = [f"x{k}" for k in range(x.shape[1])]
    rows = {str(one): program == one for one in range(int(program.max()) + 1)}
    blocks = {one: Gram(names).add_rows(x[mine], z[mine], 1.0 / z[mine] ** 2) for one, mine in rows.items()}
    total = Gram(names)
    for block in blocks.values():
        total = total + block
    held = leave_block_out(blocks)
    errors = {one: 1.0 - x[mine] @ held[one].theta / z[mine] for one, mine in rows.items()}
    together = float(np.mean([error.sum() ** 2 / error.size for error in errors.values()]))
    alone = float(np.mean(np.concatenate(list(errors.values())) ** 2))
    return fit(total, noise=max(together, alone), blocks=list(blocks.values()))


def reported(learned: Fit, x: Floats, truth: Floats, programs: int) -> Iterator[Said]:
    """The rows that a user sees: groups as one, the others alone."""
    mean = x.mean(axis=0)
    place = {name: k for k, name in enumerate(learned.names)}
    groups = [[place[name] for name in group.names] for group in learned.groups if group.kind != "unseen"]
    covered = {k for members in groups for k in members}
    groups += [[k] for k in range(truth.size) if k not in covered]
    t90 = student90(max(programs - 1.0, 1.0))
    for members in groups:
        load = np.zeros(truth.size)
        load[members] = mean[members]
        forms = [learned.covariance] if learned.sandwich is None else [learned.covariance, learned.sandwich]
        sd_w = float(np.sqrt(max(float(load @ form @ load) for form in forms)))
        yield Said(float(load @ learned.theta), t90 * sd_w, float(load @ truth))


def unmerged(learned: Fit, x: Floats, z: Floats, truth: Floats) -> Iterator[Said]:
    """Every coefficient alone, with the interval of least squares on those above 0; none of those at 0."""
    mean, live = x.mean(axis=0), np.flatnonzero(learned.theta > 0.0)
    rows = x[:, live] / z[:, None]
    left = 1.0 - rows @ learned.theta[live]
    inverse = np.linalg.pinv(rows.T @ rows, hermitian=True) * float(left @ left) / max(len(z) - live.size, 1)
    half = np.zeros(truth.size)
    half[live] = Z90 * np.sqrt(np.maximum(np.diag(inverse), 0.0))
    for k in range(truth.size):
        yield Said(float(mean[k] * learned.theta[k]), float(mean[k] * half[k]), float(mean[k] * truth[k]))


def _figures(runs: list[list[Said]]) -> dict[str, float]:
    """Coverage of answers in percent, and the median half width relative to the claim."""
    rows = [said for run in runs for said in run]
    wide = [said.half_w / said.claimed_w for said in rows if said.claimed_w > 0.0]
    return {
        "rows": len(rows) / len(runs),
        "rows_covered_percent": 100.0 * float(np.mean([said.inside for said in rows])),
        "runs_percent": 100.0 * float(np.mean([np.mean([said.inside for said in run]) for run in runs])),
        "median_half_width_percent": 100.0 * float(np.median(wide)),
    }
