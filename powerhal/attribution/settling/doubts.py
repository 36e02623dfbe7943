"""What the blocks of one recording cannot show, written down as explicit terms beside what they can.

Sources that rows share, each independent of the others:
  coefficients   what the scatter between stretches of time and the priors leave open
  gain           the root sensor's stated accuracy: all rows scale with it
  sampling       what went on between the root sensor's readings: all rows of this run scale with it
  offset         what the root sensor reads at no load: it looks like idle draw
  leakage shape  how much more a busy device leaks than an idle one, which looks like its dynamic energy
Beside them every row has a variance of its own: the model's error in single windows (`settle`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from powerhal.attribution.fitting.problem import Problem
from powerhal.attribution.model import Learned
from powerhal.attribution.settling.settled import Account, Settled, factors_of
from powerhal.attribution.uncertainty import Doubt

Floats = npt.NDArray[np.float64]

# Leakage grows with a power of the voltage, 2 to 3 by process; between the lowest and the highest operating
# point (about 0.6 V to 0.9 V) half a power is this much of the static energy of busy time (1 sigma).
LEAK_SHAPE = 0.15
LEAKY = ("cpu", "gpu")
MAD = 1.4826  # standard deviation of a normal over its median distance from 0


@dataclass(frozen=True, slots=True)
class Holding:
    """Joules of one row, its loadings (f,) on the sources of doubt, and a variance of its own in J^2."""

    joules: float
    loadings: Floats
    alone_j2: float

    def scaled(self, part: float) -> Holding:
        """A part of it, as much in doubt."""
        return Holding(self.joules * part, self.loadings * part, self.alone_j2 * part**2)

    def __add__(self, other: Holding) -> Holding:
        return Holding(self.joules + other.joules, self.loadings + other.loadings, self.alone_j2 + other.alone_j2)


@dataclass(frozen=True, slots=True)
class Doubted:
    """Sources of doubt and what every account holds.

    covariance (q, q) of the coefficients; gain and sampling: of the root sensor, relative, and offset_j: what its
    offset adds up to over the run (all 1 sigma); factors: sources learned from blocks; leak_j: per device, the
    static joules of busy time that might be more or less (1 sigma). Sources in this order: factors, gain,
    sampling, offset, leaks.
    """

    doubts: tuple[Doubt, ...]
    covariance: Floats
    gain: float
    sampling: float
    offset_j: float
    factors: int
    leak_j: Mapping[str, float]

    def _held(self, account: Account) -> list[Holding]:
        wide = self.widened(account)
        return [
            Holding(float(j), row, float(own))
            for j, row, own in zip(account.joules, wide, account.alone_j2, strict=True)
        ]

    def widened(self, account: Account) -> Floats:
        """Loadings (m, f) on all sources: those given on coefficients, plus the gain and what was not sampled."""
        out = np.zeros((account.joules.size, len(self.doubts)))
        out[:, : account.loadings.shape[1]] = account.loadings
        out[:, self.factors] = account.joules * self.gain
        out[:, self.factors + 1] = account.joules * self.sampling
        return out

    def total(self, settled: Settled) -> Holding:
        """The measurement itself: only its sensor can be wrong."""
        row = np.zeros(len(self.doubts))
        joules = float(settled.total_j.sum())
        row[self.factors : self.factors + 3] = joules * self.gain, joules * self.sampling, self.offset_j
        return Holding(joules, row, 0.0)

    def devices(self, settled: Settled) -> dict[str, Holding]:
        """Each device's dynamic energy."""
        return self._summed(settled, [j for j, p in enumerate(settled.parts) if not p.static])

    def statics(self, settled: Settled) -> dict[str, Holding]:
        """Static energy of each device."""
        return self._summed(settled, [j for j, p in enumerate(settled.parts) if p.static])

    def _summed(self, settled: Settled, picked: list[int]) -> dict[str, Holding]:
        held = self._held(settled.part)
        out: dict[str, Holding] = {}
        for j in picked:
            part = settled.parts[j]
            held[j].loadings[self.factors + 3 :] += self._leaks(part.device) * (-1.0 if part.static else 1.0)
            out[part.device] = out[part.device] + held[j] if part.device in out else held[j]
        return out

    def _leaks(self, device: str) -> Floats:
        return np.array([joules if name == device else 0.0 for name, joules in self.leak_j.items()])

    def idle(self, settled: Settled) -> Holding:
        """All static energy; what a sensor reads at no load at all looks like it."""
        out = Holding(0.0, np.zeros(len(self.doubts)), 0.0)
        for held in self.statics(settled).values():
            out = out + held
        out.loadings[self.factors + 2] += self.offset_j
        return out

    def unattributed(self, settled: Settled) -> Holding:
        """What nobody explains."""
        return self._held(settled.unattributed)[0]

    def processes(self, settled: Settled) -> list[Holding]:
        """Dynamic energy per process index."""
        held = self._held(settled.process)
        for k, (device, joules) in enumerate(self.leak_j.items()):
            mine = settled.by_device.get(device, np.zeros(0))
            whole = float(mine.sum())
            for i in np.flatnonzero(mine).tolist() if whole > 0 else ():
                held[i].loadings[self.factors + 3 + k] += joules * float(mine[i]) / whole
        return held

    def rests(self, settled: Settled) -> dict[str, Holding]:
        """What of each device's dynamic energy no process explains."""
        return {device: self._held(account)[0] for device, account in settled.rest.items()}


def _leak_joules(problem: Problem, theta: Floats) -> dict[str, float]:
    """Per device that leaks: LEAK_SHAPE of its static joules while it was busy."""
    out = {}
    design = problem.design
    for device in design.topology.devices:
        terms = [
            k for k, t in enumerate(problem.terms) if t.column and t.column.device == device.name and t.column.static
        ]
        count = design.counts.get(device.name)
        if device.kind in LEAKY and terms and count is not None:
            busy = np.minimum(count / design.seconds, 1.0)
            out[device.name] = LEAK_SHAPE * abs(float(busy @ (problem.x[:, terms] @ theta[terms])))
    return out


def doubts_of(learned: Learned, *, foreign: bool = False) -> Doubted:
    """All sources of doubt of a fit; `foreign`: its coefficients come from another run and serve others as well."""
    problem = learned.problem
    factors = factors_of(learned.covariance).shape[1]
    tops = [r for r, above in enumerate(problem.tree.above.tolist()) if above < 0]
    energy = problem.target[:, tops].sum(axis=0)
    # Several roots: their errors are independent, so they add in squares.
    rails = [problem.design.rails[t] for t in tops]
    whole = max(float(energy.sum()), 1e-12)
    gain = float(np.sqrt(sum((r.gain_sd * e) ** 2 for r, e in zip(rails, energy, strict=True)))) / whole
    sampling = float(np.sqrt(problem.design.noise_j2[:, tops].sum() + _repeat_j2(learned, tops))) / whole
    offset = float(np.sqrt(sum(r.offset_w**2 for r in rails)) * problem.design.seconds.sum())
    doubts = _coefficient_doubts(learned, factors, foreign=foreign)
    roots = " + ".join(r.rail for r in rails)
    doubts += [Doubt(f"gain of {roots}", scope="device"), Doubt(f"sampling of {roots}")]
    doubts += [Doubt(f"offset of {roots}", scope="device")]
    leaks = _leak_joules(problem, learned.theta)
    doubts += [Doubt(f"leakage shape of {d}", scope="device") for d in leaks]
    return Doubted(tuple(doubts), learned.covariance, gain, sampling, offset, factors, leaks)


def _repeat_j2(learned: Learned, tops: list[int]) -> float:
    """Variance (J^2) of the measured total from noise that no data sheet told: not more than what the roots' readings
    scatter about the model. The median makes windows in which something unknown ran count as one window each."""
    problem = learned.problem
    residual = problem.target - problem.predict(learned.theta)
    out = 0.0
    for top in tops:
        e = residual[problem.usable[:, top], top]
        out += e.size * (MAD * float(np.median(np.abs(e)))) ** 2 if e.size else 0.0
    return out


def _coefficient_doubts(learned: Learned, factors: int, *, foreign: bool) -> list[Doubt]:
    """One a factor. Factors of a model from elsewhere are the same in every run whose terms are the same."""
    if not foreign:
        return [Doubt(f"coefficients {k}", learned=True) for k in range(factors)]
    digest = sha256(repr(learned.problem.names).encode() + learned.covariance.tobytes()).hexdigest()[:12]
    return [Doubt(f"coefficients {k} of model {digest}", learned=True, scope="model") for k in range(factors)]
