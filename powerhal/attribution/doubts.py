"""What the blocks of one recording cannot show, written down as explicit terms beside what they can.

Sources, each independent of the others:
  coefficients   what the scatter between stretches of time and the priors leave open
  gain           the root sensor's stated accuracy: every row scales with it
  offset         what the root sensor reads at no load: it looks like idle draw
  form           the model's shape is not the device's: a relative doubt per device
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from powerhal.attribution.model import Learned
from powerhal.attribution.processes import Split
from powerhal.attribution.settle import Account, Settled
from powerhal.attribution.uncertainty import Doubt

Floats = npt.NDArray[np.float64]

FORM = 0.01  # of a device's dynamic energy: a shape that the features do not have (1 sigma)


@dataclass(frozen=True, slots=True)
class Doubted:
    """Sources of doubt and the loadings of every account on them.

    covariance (q, q) of the coefficients; gain: of the root sensor, relative, and offset_j: what its offset
    adds up to over the run (both 1 sigma); factors: sources learned from blocks; form: place of each device's.
    """

    doubts: tuple[Doubt, ...]
    covariance: Floats
    gain: float
    offset_j: float
    factors: int
    form: Mapping[str, int]

    def _widen(self, joules: Floats, loadings: Floats) -> Floats:
        """Loadings (m, f) on all sources: those given on coefficients, plus the gain."""
        out = np.zeros((joules.size, len(self.doubts)))
        out[:, : loadings.shape[1]] = loadings
        out[:, self.factors] = joules * self.gain
        return out

    def of_total(self, settled: Settled) -> Floats:
        """The measurement itself: only its sensor can be wrong."""
        row = self._widen(np.array([settled.total_j.sum()]), np.zeros((1, 0)))[0]
        row[self.factors + 1] = self.offset_j
        return row

    def devices(self, settled: Settled, *, static: bool = False) -> dict[str, tuple[float, Floats]]:
        """Energy and loadings of each device: dynamic, and with its static part where asked."""
        return self._summed(settled, [j for j, p in enumerate(settled.parts) if static or not p.static])

    def statics(self, settled: Settled) -> dict[str, tuple[float, Floats]]:
        """Static energy of each device."""
        return self._summed(settled, [j for j, p in enumerate(settled.parts) if p.static])

    def _summed(self, settled: Settled, picked: list[int]) -> dict[str, tuple[float, Floats]]:
        wide = self._widen(settled.part.joules, settled.part.loadings)
        out: dict[str, tuple[float, Floats]] = {}
        for j in picked:
            part = settled.parts[j]
            row = wide[j].copy()
            self._add_form(row, part.device, float(settled.part.joules[j]), static=part.static)
            before = out.get(part.device, (0.0, np.zeros(len(self.doubts))))
            out[part.device] = (before[0] + float(settled.part.joules[j]), before[1] + row)
        return out

    def _add_form(self, row: Floats, device: str, joules: float, *, static: bool) -> None:
        """A wrong shape moves energy between a device and its own idle part: opposite signs."""
        if device in self.form:
            row[self.form[device]] += 0.0 if static else FORM * joules

    def idle(self, settled: Settled) -> tuple[float, Floats, dict[str, float]]:
        """All static energy: joules, loadings, joules by device."""
        parts = self.statics(settled)
        joules = sum(p[0] for p in parts.values())
        loadings = np.sum([p[1] for p in parts.values()], axis=0) if parts else np.zeros(len(self.doubts))
        for device, (_, row) in self.devices(settled).items():
            if device in self.form:
                loadings[self.form[device]] -= row[self.form[device]]
        # What a sensor reads at no load at all looks like idle draw.
        loadings[self.factors + 1] += self.offset_j
        return joules, loadings, {d: p[0] for d, p in parts.items()}

    def unattributed(self, settled: Settled) -> tuple[float, Floats]:
        """What nobody explains."""
        account = settled.unattributed
        return float(account.joules[0]), self._widen(account.joules, account.loadings)[0]

    def processes(self, settled: Settled) -> tuple[Floats, Floats]:
        """Dynamic energy per process index (m,) with loadings (m, f)."""
        wide = self._widen(settled.process.joules, settled.process.loadings)
        for device, joules in settled.by_device.items():
            if device in self.form:
                wide[:, self.form[device]] += FORM * joules
        return settled.process.joules, wide

    def rests(self, settled: Settled) -> dict[str, tuple[float, Floats]]:
        """What of each device's dynamic energy no process explains."""
        out = {}
        for device, account in settled.rest.items():
            row = self._widen(account.joules, account.loadings)[0]
            self._add_form(row, device, float(account.joules[0]), static=False)
            out[device] = (float(account.joules[0]), row)
        return out


def doubts_of(learned: Learned, paid: Mapping[int, Split]) -> Doubted:
    """All sources of doubt of a fit."""
    problem = learned.problem
    values = np.linalg.eigvalsh(learned.covariance)
    factors = int((values > 1e-14 * max(float(values[-1]), 1e-300)).sum())
    tops = [r for r, above in enumerate(problem.tree.above.tolist()) if above < 0]
    energy = problem.target[:, tops].sum(axis=0)
    # Several roots: their gains are independent, so the sum's limits add in squares.
    rails = [problem.design.rails[t] for t in tops]
    gain = float(np.sqrt(sum((r.gain_sd * e) ** 2 for r, e in zip(rails, energy, strict=True))) / max(float(energy.sum()), 1e-12))
    offset = float(np.sqrt(sum(r.offset_w**2 for r in rails)) * problem.design.seconds.sum())
    devices = sorted({t.column.device for t in problem.terms if t.column and not t.column.static})
    doubts = [Doubt(f"coefficients {k}", learned=True) for k in range(factors)]
    roots = " + ".join(r.rail for r in rails)
    doubts += [Doubt(f"gain of {roots}"), Doubt(f"offset of {roots}")]
    form = {d: len(doubts) + k for k, d in enumerate(devices)}
    doubts += [Doubt(f"form of {d}") for d in devices]
    return Doubted(tuple(doubts), learned.covariance, gain, offset, factors, form)


__all__ = ["Account", "Doubted", "doubts_of"]
