"""Conservation: estimates of the devices are moved, as little as their doubt allows, until the books balance.

p* = p + S C' (C S C')^-1 (z - C p), p* >= 0, for many windows at once. A measured rail is the sum of the
devices under it plus the part that no device explains; a parent includes its children. Taking from each
measured rail its nearest measured descendants leaves one balance a rail, no device in two of them:

    net of a rail = z(rail) - sum of z(measured rails next below) = its own devices + its unattributed part

so any pattern of missing rails stays solvable, and where sensors contradict each other (a child above
its parent) the contradiction is shown as a negative unattributed part instead of an error.
Works on powers (W) or energies (J) alike, as long as all are the same; + is consumed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from powerhal.attribution.fitting.gram import Bools, Floats
from powerhal.attribution.observed.rail_tree import RailTree

CHUNK_WINDOWS = 2048  # bounds the memory of one batch of small matrices
TINY = 1e-12  # of the largest variance: keeps a device that claims certainty movable at all


@dataclass(frozen=True, slots=True)
class Reconciled:
    """Balanced windows: device (t, d) >= 0, unattributed (t, r), their standard deviations, all in z's unit.

    For every measured rail and window: z = devices under it + unattributed parts at and under it.
    unattributed is NaN where the rail was not measured (the next measured rail above holds that part),
    and below 0 only where `conflict` (t, r): the rails next below claim more than this rail.
    Deviations are those before clipping at 0, so a clipped device is not called certain.
    """

    tree: RailTree
    device: Floats
    unattributed: Floats
    device_sd: Floats
    unattributed_sd: Floats
    conflict: Bools
    _inputs: tuple[Floats, Floats, Floats]

    def covariance(self, window: int) -> Floats:
        """Covariance (d + r, d + r) of [device, unattributed] in one window, before clipping.

        Rows and columns of a rail that was not measured in that window are NaN.
        """
        spread, loose, z = self._inputs
        part = slice(window, window + 1)
        present = ~np.isnan(z[window])
        balance = _Balance.of(self.tree, present)
        posterior: Floats = _posterior(_joint(spread, loose[part], part), balance.belongs)[0][0]
        absent = len(self.tree.devices) + np.flatnonzero(~present)
        posterior[absent, :] = np.nan
        posterior[:, absent] = np.nan
        return posterior


def reconcile(
    tree: RailTree,
    estimate: npt.ArrayLike,
    measured: npt.ArrayLike,
    *,
    unattributed_sd: npt.ArrayLike,
    sd: npt.ArrayLike | None = None,
    covariance: npt.ArrayLike | None = None,
) -> Reconciled:
    """Balance every window.

    estimate (t, d): what the model says. measured (t, r): NaN where a rail was not read. The doubt about
    the estimates is either `sd` ((d,) or (t, d), independent) or `covariance` ((d, d) for all windows, or
    (t, d, d)). unattributed_sd: how large the unexplained part of a rail may be (its expectation is 0),
    above 0: a number, (r,) or (t, r). Raises ValueError when shapes disagree, an estimate or a doubt is
    not finite, or an unattributed_sd is not above 0.
    """
    p = np.ascontiguousarray(estimate, dtype=np.float64)
    z = np.ascontiguousarray(measured, dtype=np.float64)
    devices, rails = len(tree.devices), len(tree.rails)
    if p.ndim != 2 or p.shape[1] != devices or z.shape != (len(p), rails):
        raise ValueError(f"estimates {p.shape} and measurements {z.shape} for {devices} devices, {rails} rails")
    if not np.isfinite(p).all() or np.isinf(z).any():
        raise ValueError("an estimate or a measurement is not finite")
    loose = np.broadcast_to(np.asarray(unattributed_sd, dtype=np.float64), z.shape)
    if not ((loose > 0.0) & np.isfinite(loose)).all():
        raise ValueError("an unattributed_sd is not above 0")
    spread = _spread(sd, covariance, *p.shape)
    solved, deviation = np.zeros((2, len(p), devices + rails))
    conflict = np.zeros(z.shape, dtype=np.bool_)
    patterns, group = np.unique(~np.isnan(z), axis=0, return_inverse=True)
    for k, present in enumerate(patterns):
        balance = _Balance.of(tree, present)
        windows = np.flatnonzero(group.reshape(-1) == k)
        for start in range(0, windows.size, CHUNK_WINDOWS):
            part = windows[start : start + CHUNK_WINDOWS]
            doubt = _joint(spread, loose[part], part)
            solved[part], deviation[part], conflict[part] = balance.solve(p[part], doubt, z[part])
    return Reconciled(
        tree, solved[:, :devices], solved[:, devices:], deviation[:, :devices], deviation[:, devices:], conflict,
        (spread, loose, z),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Balance:
    """The balances of windows in which the same rails were measured.

    present (r,); belongs (m, d + r): which devices and unattributed parts make up each measured rail's
    own balance, disjoint by construction; below (m, r): which rails are taken away from it.
    """

    present: Bools
    belongs: Floats
    below: Floats

    @classmethod
    def of(cls, tree: RailTree, present: Bools) -> _Balance:
        def lift(rail: int) -> int:
            while rail >= 0 and not present[rail]:
                rail = int(tree.above[rail])
            return rail

        rails, devices = len(tree.rails), len(tree.devices)
        belongs = np.zeros((rails, devices + rails))
        below = np.zeros((rails, rails))
        for device, rail in enumerate(tree.under.tolist()):
            if (home := lift(rail)) >= 0:
                belongs[home, device] = 1.0
        for rail in np.flatnonzero(present).tolist():
            belongs[rail, devices + rail] = 1.0
            if (home := lift(int(tree.above[rail]))) >= 0:
                below[home, rail] = 1.0
        return cls(present, belongs[present], below[present])

    def solve(self, p: Floats, doubt: Floats, z: Floats) -> tuple[Floats, Floats, Bools]:
        """Values, deviations (t, d + r) and conflicts (t, r) of these windows."""
        devices = p.shape[1]
        known = np.where(self.present, z, 0.0)
        net = known[:, self.present] - known @ self.below.T
        target = np.maximum(net, 0.0)
        prior = np.concatenate((p, np.zeros_like(z)), axis=1)
        posterior, gain = _posterior(doubt, self.belongs)
        values = prior + np.einsum("tvm,tm->tv", gain, target - prior @ self.belongs.T)
        real = np.concatenate((np.ones(devices, dtype=np.bool_), self.present))
        negative = ((values < 0.0) & real).any(axis=1)
        if negative.any():
            values[negative] = _clip(values[negative], posterior[negative], self.belongs, real)
        _close(values, self.belongs, target)
        deviation = np.sqrt(np.maximum(np.einsum("tvv->tv", posterior), 0.0))
        conflict = np.zeros(z.shape, dtype=np.bool_)
        conflict[:, self.present] = net < 0.0
        values[:, devices + np.flatnonzero(self.present)] += np.minimum(net, 0.0)
        values[:, ~real] = deviation[:, ~real] = np.nan
        return values, deviation, conflict


def _spread(sd: npt.ArrayLike | None, covariance: npt.ArrayLike | None, windows: int, devices: int) -> Floats:
    """Doubt as given, checked: variances (1 or t, d) or covariances (1 or t, d, d)."""
    if (sd is None) == (covariance is None):
        raise ValueError("give the doubt about the estimates as either sd or covariance")
    if sd is not None:
        spread = np.atleast_2d(np.asarray(sd, dtype=np.float64)) ** 2
        fits = spread.shape in ((1, devices), (windows, devices))
    else:
        spread = np.asarray(covariance, dtype=np.float64)
        spread = spread[None] if spread.ndim == 2 else spread
        fits = spread.shape in ((1, devices, devices), (windows, devices, devices))
    if not fits or not np.isfinite(spread).all():
        raise ValueError(f"the doubt {spread.shape} does not fit {windows} windows of {devices} devices")
    return spread


def _joint(spread: Floats, loose: Floats, part: npt.NDArray[np.int64] | slice) -> Floats:
    """Covariance (t, d + r, d + r) of devices and unattributed parts in the windows `part`."""
    chosen = spread if len(spread) == 1 else spread[part]
    windows, rails = loose.shape
    devices = spread.shape[-1]
    out = np.zeros((windows, devices + rails, devices + rails))
    if spread.ndim == 2:
        out[:, np.arange(devices), np.arange(devices)] = chosen
    else:
        out[:, :devices, :devices] = chosen
    tail = np.arange(devices, devices + rails)
    out[:, tail, tail] = loose**2
    diagonal = np.einsum("tvv->tv", out)
    floor = TINY * diagonal.max(axis=1, keepdims=True)
    every = np.arange(devices + rails)
    out[:, every, every] = np.maximum(diagonal, floor)
    return out


def _posterior(doubt: Floats, belongs: Floats) -> tuple[Floats, Floats]:
    """Covariance left after the balances hold (t, v, v), and the gain S B' (B S B')^-1 (t, v, m)."""
    cross = doubt @ belongs.T
    gain = np.swapaxes(np.linalg.solve(belongs @ cross, np.swapaxes(cross, 1, 2)), 1, 2)
    left = doubt - gain @ np.swapaxes(cross, 1, 2)
    return 0.5 * (left + np.swapaxes(left, 1, 2)), gain


def _clip(free: Floats, posterior: Floats, belongs: Floats, real: Bools) -> Floats:
    """Nearest values >= 0 in the metric of the doubt, balances kept, all windows side by side.

    The dual is a linear complementarity problem: values = free + posterior mu, mu >= 0 and only where
    the value is 0. Blocks of variables are exchanged, then single ones where blocks go in circles; one
    member of each balance always stays free, which keeps the systems regular. A window that still
    does not settle is clipped step by step without giving anything back: feasible, if not nearest.
    """
    size = free.shape[1]
    values = free.copy()
    held = _spare_one((free < 0.0) & real, free, belongs)
    noise = 1e-13 * np.abs(free).max(axis=1, keepdims=True)
    left = np.arange(len(free))
    for turn in range(6 * size + 12):
        pull, values[left] = _hold(free[left], posterior[left], held[left])
        low = (values[left] < -noise[left]) & real & ~held[left]
        back = held[left] & (pull < 0.0)
        if turn >= 4 * size + 8:
            back[:] = False
        elif turn >= 2 * size + 4:
            low, back = _last_only(low, back)
        changed = (low | back).any(axis=1)
        left = left[changed]
        if left.size == 0:
            break
        held[left] = _spare_one((held[left] | low[changed]) & ~back[changed], values[left], belongs)
    answer: Floats = np.maximum(values, 0.0)
    return answer


def _hold(free: Floats, posterior: Floats, held: Bools) -> tuple[Floats, Floats]:
    """The pull mu (sign and zero only) that keeps the held variables at 0, and all values under it."""
    variance = np.einsum("tvv->tv", posterior)
    scale = np.sqrt(np.maximum(variance, 1e-14 * variance.max(axis=1, keepdims=True)))
    unit = posterior / scale[:, :, None] / scale[:, None, :]
    system = unit * held[:, :, None] * held[:, None, :]
    every = np.arange(free.shape[1])
    system[:, every, every] = np.where(held, system[:, every, every] + 1e-14, 1.0)
    wanted = np.where(held, -free / scale, 0.0)
    pull = np.linalg.solve(system, wanted[:, :, None])[:, :, 0]
    values = np.where(held, 0.0, free + scale * np.einsum("tvw,tw->tv", unit, pull))
    return pull, values


def _spare_one(held: Bools, values: Floats, belongs: Floats) -> Bools:
    """The same, but the largest member of each balance is let go where all of them were held."""
    out = held.copy()
    for row in belongs.astype(np.bool_):
        members = np.flatnonzero(row)
        full = np.flatnonzero(out[:, members].all(axis=1))
        out[full, members[np.argmax(values[np.ix_(full, members)], axis=1)]] = False
    return out


def _last_only(low: Bools, back: Bools) -> tuple[Bools, Bools]:
    """Of all variables with the wrong sign, the last one: single exchanges cannot go in circles."""
    wrong = low | back
    last = wrong.shape[1] - 1 - np.argmax(wrong[:, ::-1], axis=1)
    only = np.zeros_like(wrong)
    only[np.arange(len(wrong)), last] = True
    return low & only, back & only


def _close(values: Floats, belongs: Floats, target: Floats) -> None:
    """Scale each balance, in place, by what rounding left open (about 1e-13), so that it is exact."""
    total = values @ belongs.T
    ratio = np.divide(target, total, out=np.ones_like(target), where=total > 0.0)
    values *= np.where(belongs.any(axis=0), ratio @ belongs, 1.0)
