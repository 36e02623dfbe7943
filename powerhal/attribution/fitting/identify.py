"""Which coefficients the data can tell apart, said in sentences.

The penalised Hessian, scaled to a unit diagonal, is a correlation matrix of regressors; where one of
its eigenvalues is small, the combination in that eigenvector never showed in the data. Columns that
share such a direction are reported as one group (Belsley, Kuh and Welsch 1980, chapter 3).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from powerhal.attribution.fitting.gram import Bools, Floats, Gram

SPREAD_LIMIT = 0.5  # a coefficient is known when its sd is at most this part of its value
VIF_LIMIT = 10.0
WEAK_EIGENVALUE = 0.5  # directions below this inflate variance; an orthogonal design has all at 1
LINK_FLAGGED = 0.1  # both doubtful: joined when this much of their doubt is shared
LINK_PLAIN = 0.5  # one doubtful: joined only with a partner that shares most of it


@dataclass(frozen=True, slots=True)
class Group:
    """Coefficients that are not reported alone.

    kind: `together` (only the sum is known), `vague` (too little data for one) or `unseen` (never
    active). mean_w, sd_w: what they draw together on average over the data, in W.
    """

    names: tuple[str, ...]
    kind: str
    mean_w: float
    sd_w: float
    reason: str


@dataclass(frozen=True, slots=True)
class Spectrum:
    """Inverse Hessian (p, p), its equilibrated condition number, variance inflation, weak directions."""

    inverse: Floats
    condition: float
    vif: Floats
    weak: Floats


def spectrum(hessian: Floats, seen: Bools) -> Spectrum:
    """Eigenvalues of the Hessian scaled to a unit diagonal over the seen columns; 0 elsewhere.

    `weak` (p, p) is the part of the scaled inverse that comes from directions below WEAK_EIGENVALUE.
    """
    size = len(hessian)
    inverse, weak, vif = np.zeros((size, size)), np.zeros((size, size)), np.ones(size)
    live = np.flatnonzero(seen)
    if live.size == 0:
        return Spectrum(inverse, 1.0, vif, weak)
    inner = np.ix_(live, live)
    scale = 1.0 / np.sqrt(np.diag(hessian)[live])
    values, vectors = np.linalg.eigh(hessian[inner] * scale[:, None] * scale)
    values = np.maximum(values, values[-1] * live.size * np.finfo(np.float64).eps)
    scaled = (vectors / values) @ vectors.T
    inverse[inner] = scaled * scale[:, None] * scale
    vif[live] = np.diag(scaled)
    low = values < WEAK_EIGENVALUE
    weak[inner] = (vectors[:, low] / values[low]) @ vectors[:, low].T
    return Spectrum(inverse, float(np.sqrt(values[-1] / values[0])), vif, weak)


def find_groups(gram: Gram, theta: Floats, view: Spectrum, seen: Bools) -> tuple[Group, ...]:
    """Every coefficient that must not be reported alone, in groups, with the reason."""
    sd = np.sqrt(np.diag(view.inverse))
    inflated = seen & (view.vif > VIF_LIMIT)
    doubtful = inflated | (seen & (theta != 0.0) & (sd > SPREAD_LIMIT * np.abs(theta)))
    groups = []
    for members in _components(view.weak, doubtful):
        groups.append(_group(gram, theta, view, members, sd))
    if unseen := tuple(name for name, known in zip(gram.names, seen, strict=True) if not known):
        text = f"{_spoken(unseen)} never became active in the data, so nothing is known about "
        text += ("it" if len(unseen) == 1 else "them") + "; record a stretch that uses it"
        groups.append(Group(unseen, "unseen", 0.0, float("inf"), text))
    return tuple(groups)


def _components(weak: Floats, doubtful: Bools) -> list[list[int]]:
    """Doubtful columns joined with those that share their weak directions (connected components)."""
    size = np.sqrt(np.maximum(np.diag(weak), np.finfo(np.float64).tiny))
    shared = np.abs(weak) / size[:, None] / size
    strong = size > 1.0  # a weak direction that doubles the variance at least
    both = doubtful[:, None] & doubtful
    one = (doubtful[:, None] | doubtful) & ~both
    linked = ((both & (shared > LINK_FLAGGED)) | (one & (shared > LINK_PLAIN))) & strong & strong[:, None]
    left = set(np.flatnonzero(doubtful).tolist())
    found = []
    while left:
        members, edge = set(), {min(left)}
        while edge:
            members |= edge
            edge = set(np.flatnonzero(linked[sorted(edge)].any(axis=0)).tolist()) - members
        left -= members
        found.append(sorted(members))
    return found


def _group(gram: Gram, theta: Floats, view: Spectrum, members: list[int], sd: Floats) -> Group:
    names = tuple(gram.names[k] for k in members)
    inner = np.ix_(members, members)
    mean_x = gram.x_sum[members] / gram.weight_sum if gram.weight_sum > 0.0 else np.zeros(len(members))
    mean_w = float(mean_x @ theta[members])
    sd_w = math.sqrt(max(float(mean_x @ view.inverse[inner] @ mean_x), 0.0))
    if len(members) > 1:
        text = (
            f"{_spoken(names)} moved together (variance inflation {view.vif[members].max():.3g}): only their sum is "
            f"known, {mean_w:.3g} W ± {sd_w:.2g} W on average; record a stretch in which one changes and the "
            "others hold still"
        )
        return Group(names, "together", mean_w, sd_w, text)
    k = members[0]
    if theta[k] == 0.0:
        text = f"{names[0]} looks like a mix of the other activities (variance inflation {view.vif[k]:.3g})"
        return Group(names, "vague", mean_w, sd_w, text)
    more = gram.n * max(float(sd[k] / (SPREAD_LIMIT * abs(theta[k]))) ** 2 - 1.0, 0.0)
    wait = f"; about {math.ceil(more)} more rows like these would settle it" if more > 0.0 else ""
    text = f"{names[0]} is {theta[k]:.3g} ± {sd[k]:.2g} W per unit (variance inflation {view.vif[k]:.3g}){wait}"
    return Group(names, "vague", mean_w, sd_w, text)


def _spoken(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
