"""Who pays for static energy: rules for what devices draw whether anybody uses them or not.

  separate      nobody: it is a row of its own
  equal         whoever was active in a scan, in equal parts
  proportional  as dynamic energy is
  shapley       a device's static energy of a scan by the Shapley value of being needed, see `shapley_on`

A rule answers weights (processes, devices): parts of each device's static energy. A column adds up to 1 at
most; what is missing to 1 stays in the row `idle`. Dynamic energy is additive (each pays for what it did), so
its Shapley value is what each did, and no policy changes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from powerhal.attribution.design import Design
from powerhal.attribution.observed.processes import Amounts, Usage

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

NODES = 24  # of the quadrature: exact for 48 players of one device in one scan, and close for more
IN_SECONDS = (".time", ".busy")  # usages that say for how long; of the others only that there was some is known


@dataclass(frozen=True, slots=True)
class Stage:
    """What a rule may look at.

    design: of single scans; window (n,): the accounting window of each scan; usage: who did what in each scan;
    dynamic_j (processes,): J; static_j: device -> its static J in each accounting window.
    """

    design: Design
    window: Ints
    usage: Usage
    dynamic_j: Floats
    static_j: Mapping[str, Floats]


def weights_of(policy: str, stage: Stage) -> Floats:
    """Weights (processes, devices), devices in the order of `static_j`; raises KeyError for an unknown policy."""
    return POLICIES[policy](stage)


def shapley_on(need: Floats, window: Ints, windows: int) -> Floats:
    """Shapley value (k,) of keeping a device on, as parts of the cost of each window.

    need (k,): the part of its window that a player needs the device, 0..1, at times that know nothing of each
    other; window (k,): which. A set S of players keeps it on for v(S) = 1 - prod over S of (1 - need); v is taken
    relative to that of all players. The game is its own multilinear extension, so the value of player i is the
    integral of its derivative, need_i * prod over others of (1 - q need_j), over q from 0 to 1 (Owen,
    Multilinear extensions of games, Management Science 18, 1972).
    """
    nodes, parts = np.polynomial.legendre.leggauss(NODES)
    need = np.clip(need, 0.0, 1.0)
    most = np.zeros(windows)
    np.maximum.at(most, window, need)
    # Only proportions matter: needs of almost nothing must not vanish in the products.
    lead = np.divide(need, most[window], out=np.zeros(need.size), where=most[window] > 0)
    value = np.zeros(need.size)
    for q, part in zip(0.5 * (nodes + 1.0), 0.5 * parts, strict=True):
        absent = np.log1p(-q * need)
        together = np.bincount(window, absent, minlength=windows)
        value += part * lead * np.exp(together[window] - absent)
    whole = np.bincount(window, value, minlength=windows)[window]
    return np.divide(value, whole, out=np.zeros(need.size), where=whole > 0)


def _separate(stage: Stage) -> Floats:
    return np.zeros((stage.dynamic_j.size, len(stage.static_j)))


def _proportional(stage: Stage) -> Floats:
    whole = float(stage.dynamic_j.sum())
    part = stage.dynamic_j / whole if whole > 0 else np.zeros(stage.dynamic_j.size)
    return _same(part, stage)


def _equal(stage: Stage) -> Floats:
    weights = np.zeros(stage.dynamic_j.size)
    pairs = [np.stack((a.process, a.window)) for a in stage.usage.by_activity.values()]
    if pairs:
        process, window = np.unique(np.concatenate(pairs, axis=1), axis=1)
        crowd = np.bincount(window)
        np.add.at(weights, process, 1.0 / crowd[window])
        weights /= weights.sum()
    return _same(weights, stage)


def _same(part: Floats, stage: Stage) -> Floats:
    return np.repeat(part[:, None], len(stage.static_j), axis=1)


def _shapley(stage: Stage) -> Floats:
    seconds = stage.design.seconds
    inside = seconds / np.bincount(stage.window, seconds)[stage.window]  # a scan's part of its accounting window
    out = np.zeros((stage.dynamic_j.size, len(stage.static_j)))
    for k, (device, static) in enumerate(stage.static_j.items()):
        cost, whole = static[stage.window] * inside, float(static.sum())
        players = _needs(device, stage)
        if players is None or not whole > 0:
            continue
        value = shapley_on(players.amount, players.window, seconds.size) * cost[players.window]
        out[:, k] = np.bincount(players.process, value, minlength=out.shape[0]) / whole
    return out


def _needs(name: str, stage: Stage) -> Amounts | None:
    """For which part of each scan every process needed a device: its users, else whoever computed at all."""
    device = next((d for d in stage.design.topology.devices if d.name == name), None)
    columns = [c for c in stage.design.columns if c.device == name and c.payer.usages]
    names = {
        usage for column in columns for usage in (stage.usage.named(column, device) if device is not None else ())
    } or {n for n in stage.usage.by_activity if n.startswith("cpu.")}
    if not names:
        return None
    return _together([_part_of_scan(n, stage.usage.by_activity[n], stage.design.seconds) for n in sorted(names)])


def _part_of_scan(name: str, amounts: Amounts, seconds: Floats) -> Amounts:
    timed = name.endswith(IN_SECONDS)
    need = amounts.amount / seconds[amounts.window] if timed else np.ones(amounts.amount.size)
    return Amounts(amounts.process, amounts.window, np.minimum(need, 1.0))


def _together(parts: Sequence[Amounts]) -> Amounts:
    """One entry per process and window: it needs the device as long as its longest use."""
    process = np.concatenate([p.process for p in parts])
    window = np.concatenate([p.window for p in parts])
    need = np.concatenate([p.amount for p in parts])
    size = int(process.max(initial=0)) + 1
    keys, place = np.unique(window * size + process, return_inverse=True)
    longest = np.zeros(keys.size)
    np.maximum.at(longest, place.reshape(-1), need)
    return Amounts(keys % size, keys // size, longest)


POLICIES: dict[str, Callable[[Stage], Floats]] = {
    "separate": _separate,
    "equal": _equal,
    "proportional": _proportional,
    "shapley": _shapley,
}
