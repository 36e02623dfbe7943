"""What settled books hold: parts of rails, and accounts of joules with loadings on the sources of doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from powerhal.attribution.fitting.problem import Problem

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Part:
    """A share of a rail's energy that is estimated by itself: a device's dynamic or static draw."""

    device: str
    static: bool
    rail: int
    terms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """Joules (m,) of m holders, their loadings (m, f) on the f sources of doubt, and variances of their own (m,).

    alone_j2: what the model's error of single windows leaves open after the measurement has been met.
    """

    joules: Floats
    loadings: Floats
    alone_j2: Floats

    def plus(self, other: Account) -> Account:
        """Both together, holder by holder."""
        return Account(self.joules + other.joules, self.loadings + other.loadings, self.alone_j2 + other.alone_j2)


@dataclass(frozen=True, slots=True)
class Settled:
    """The balanced books of one recording, joules at the root.

    windows_j (n, p): each part in each window; unattributed_j (n,); total_j (n,): measured;
    predicted_j (n,): what the model said; parts: totals of the parts; unattributed: one holder;
    processes: dynamic energy per process index (all devices); by_device: device -> (processes,) joules;
    rest: per device name, what no process explains; conflict (n,): rails contradicted each other.
    """

    parts: tuple[Part, ...]
    windows_j: Floats
    unattributed_j: Floats
    total_j: Floats
    predicted_j: Floats
    part: Account
    unattributed: Account
    process: Account
    by_device: Mapping[str, Floats]
    rest: Mapping[str, Account]
    conflict: Bools
    roots: tuple[str, ...]


def parts_of(problem: Problem) -> tuple[Part, ...]:
    """Devices' dynamic and static parts, in the order of the terms."""
    found: dict[tuple[str, bool, int], list[int]] = {}
    for k, term in enumerate(problem.terms):
        if term.column is not None:
            found.setdefault((term.column.device, term.column.static, term.rail), []).append(k)
    return tuple(Part(device, static, rail, tuple(terms)) for (device, static, rail), terms in found.items())


def factors_of(covariance: Floats) -> Floats:
    """F (q, f) with F F' = covariance: independent sources of doubt, one a column.

    Units differ by twenty powers of ten (W per volt, J per byte), so it is the correlation that is taken apart.
    """
    size = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    scale = np.where(size > 0, size, 1.0)
    values, vectors = np.linalg.eigh(covariance / scale[:, None] / scale)
    live = values > 1e-12 * max(float(values[-1]), 1e-300)
    out: Floats = size[:, None] * vectors[:, live] * np.sqrt(values[live])
    return out
