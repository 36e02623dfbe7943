"""Sufficient statistics of a weighted regression: what is left of a recording once it is learned from.

A `Gram` holds X'WX, X'Wz, z'Wz, the weighted sums of every column and the number of rows. It adds up:
streaming, forgetting, merging runs, merging rails and leaving a block out are all the same operation,
and a model file that stores it can be merged years later. Columns are known by name, so a merge is a
union. Nothing here knows a unit: watts in, watts per unit of activity out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from powerhal import kernels
from powerhal.errors import ModelError

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


class Gram:
    """Weighted moments of named regressors x (p columns), the measurement z and a column of ones.

    `names`: the columns, in order. `n`: rows that count (a float, because forgetting shrinks it).
    `dropped`: rows refused because they were flagged, had no weight, or held NaN or infinity.
    Sums are kept with their rounding error beside them (two-sum), so a long run does not drift.
    """

    __slots__ = ("_carry", "_lower_stale", "_moments", "dropped", "n", "names")

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.names: tuple[str, ...] = tuple(names)
        if len(set(self.names)) != len(self.names):
            raise ValueError("two columns of a Gram share a name")
        size = len(self.names) + 2
        self._moments: Floats = np.zeros((size, size))
        self._carry: Floats = np.zeros((size, size))
        self._lower_stale = False
        self.n = 0.0
        self.dropped = 0

    @classmethod
    def from_moments(cls, names: Sequence[str], moments: Floats, n: float, dropped: int = 0) -> Gram:
        """A Gram over `names` with these sums, (p+2, p+2) in the order names, z, 1."""
        out = cls(names)
        if moments.shape != out._moments.shape:
            raise ValueError(f"moments are {moments.shape}, {out._moments.shape} expected")
        out._moments = np.array(moments, dtype=np.float64)
        out.n, out.dropped = float(n), int(dropped)
        return out

    # -- reading -------------------------------------------------------------------------------

    @property
    def moments(self) -> Floats:
        """All sums at once, (p+2, p+2): columns in the order names, z, 1; a fresh array."""
        total: Floats = self._moments + self._carry
        if self._lower_stale:
            total = np.triu(total) + np.triu(total, 1).T
        return total

    @property
    def xx(self) -> Floats:
        """X'WX, (p, p)."""
        return self.moments[:-2, :-2]

    @property
    def xz(self) -> Floats:
        """X'Wz, (p,)."""
        return self.moments[:-2, -2]

    @property
    def zz(self) -> float:
        """z'Wz."""
        return float(self.moments[-2, -2])

    @property
    def x_sum(self) -> Floats:
        """Weighted sum of every column, (p,)."""
        return self.moments[:-2, -1]

    @property
    def z_sum(self) -> float:
        """Weighted sum of the measurement."""
        return float(self.moments[-2, -1])

    @property
    def weight_sum(self) -> float:
        """Sum of the weights."""
        return float(self._moments[-1, -1] + self._carry[-1, -1])

    # -- adding --------------------------------------------------------------------------------

    def add_rows(
        self,
        x: npt.ArrayLike,
        z: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
        *,
        names: Sequence[str] | None = None,
        valid: npt.ArrayLike | None = None,
    ) -> Self:
        """Learn from rows: x (n, p), z (n,), weights (n,) >= 0 (None: ones), valid (n,) bool.

        `names` says what the columns of x are when they are not exactly this Gram's; new names make
        new columns (0 in everything learned before). Rows that are not valid, have weight 0, or hold
        NaN or infinity are dropped and counted in `dropped`. Weights are 1 / variance of the row's
        noise where that is known. Raises ValueError when shapes disagree or a weight is negative.
        """
        target = np.asarray(z, dtype=np.float64).reshape(-1)
        rows = np.asarray(x, dtype=np.float64)
        given = self.names if names is None else tuple(names)
        if rows.shape != (target.size, len(given)):
            raise ValueError(f"x is {rows.shape}, {target.size} rows of {len(given)} columns expected")
        weight = _checked_weights(weights, target.size)
        if given != self.names:
            rows = _spread(rows, self._columns(given), len(self.names))
        if valid is not None:
            keep = np.asarray(valid, dtype=np.bool_).reshape(target.shape)
            if not keep.all():
                weight = np.where(keep, 1.0 if weight is None else weight, 0.0)
        count = kernels.moments_add(self._moments, self._carry, rows, target, () if weight is None else weight)
        self.n += count
        self.dropped += target.size - count
        return self

    def add_sparse(
        self,
        starts: npt.ArrayLike,
        columns: npt.ArrayLike,
        values: npt.ArrayLike,
        z: npt.ArrayLike,
        weights: npt.ArrayLike | None = None,
    ) -> Self:
        """Learn from rows with few active columns, as compressed sparse rows over `names`.

        starts (n+1,), columns and values (nnz,), z (n,), weights (n,) or None. Rows with NaN,
        infinity or weight 0 are dropped and counted. Raises ValueError when shapes disagree.
        """
        given = _checked_weights(weights, np.size(z))
        count = kernels.moments_add_sparse(self._moments, starts, columns, values, z, () if given is None else given)
        self._lower_stale = True
        self.n += count
        self.dropped += np.size(z) - count
        return self

    def _accumulate(self, part: Floats) -> None:
        """moments += part, with the rounding error kept in `carry` (Knuth's two-sum)."""
        total: Floats = self._moments + part
        shadow = total - self._moments
        self._carry += (self._moments - (total - shadow)) + (part - shadow)
        self._moments = total

    # -- arithmetic ----------------------------------------------------------------------------

    def copy(self) -> Gram:
        """An independent Gram with the same sums."""
        twin = Gram(self.names)
        twin._moments, twin._carry = self._moments.copy(), self._carry.copy()
        twin._lower_stale, twin.n, twin.dropped = self._lower_stale, self.n, self.dropped
        return twin

    def __add__(self, other: Gram) -> Gram:
        """Both together: the union of the columns (mine first), the sum of all moments."""
        names = self.names + tuple(name for name in other.names if name not in set(self.names))
        out = self.copy().extended(names)
        place = out._places(other.names)
        part = np.zeros_like(out._moments)
        part[np.ix_(place, place)] = other.moments
        out._accumulate(part)
        out.n += other.n
        out.dropped += other.dropped
        return out

    def __sub__(self, other: Gram) -> Gram:
        """What is left without a part that was added before; raises ValueError on foreign columns."""
        if foreign := set(other.names) - set(self.names):
            raise ValueError(f"cannot take away columns that were never added: {sorted(foreign)}")
        out = self.copy()
        place = out._places(other.names)
        part = np.zeros_like(out._moments)
        part[np.ix_(place, place)] = -other.moments
        out._accumulate(part)
        out.n = max(0.0, out.n - other.n)
        out.dropped = max(0, out.dropped - other.dropped)
        return out

    def decay(self, factor: float) -> Self:
        """Forget in place: multiply every sum and `n` by factor (0..1)."""
        if not 0.0 <= factor <= 1.0:
            raise ValueError(f"a forgetting factor lies in 0..1, not {factor}")
        self._moments *= factor
        self._carry *= factor
        self.n *= factor
        return self

    def scaled(self, forget: float) -> Gram:
        """A copy with every sum and `n` multiplied by `forget` (0..1)."""
        return self.copy().decay(forget)

    def reweighted(self, factor: float) -> Gram:
        """A copy whose rows weigh `factor` (> 0) times as much; `n` stays (rails of different noise)."""
        if not factor > 0.0:
            raise ValueError(f"a weight factor is above 0, not {factor}")
        twin = self.copy()
        twin._moments *= factor
        twin._carry *= factor
        return twin

    def extended(self, names: Sequence[str]) -> Gram:
        """The same sums over at least these columns (new ones are 0), in the order of `names`."""
        wanted = tuple(names)
        if wanted == self.names:
            return self.copy()
        if missing := set(self.names) - set(wanted):
            raise ValueError(f"columns would be lost: {sorted(missing)}; use `select`")
        out = Gram(wanted)
        place = out._places(self.names)
        out._moments[np.ix_(place, place)] = self.moments
        out.n, out.dropped = self.n, self.dropped
        return out

    def select(self, names: Sequence[str]) -> Gram:
        """Only these columns (as if the others had never been looked at); raises KeyError on unknown."""
        out = Gram(names)
        if unknown := set(out.names) - set(self.names):
            raise KeyError(f"no such columns: {sorted(unknown)}")
        place = self._places(out.names)
        out._moments = self.moments[np.ix_(place, place)]
        out.n, out.dropped = self.n, self.dropped
        return out

    def _places(self, names: Sequence[str]) -> npt.NDArray[np.int64]:
        """Where the columns names, z, 1 of another Gram sit in this one."""
        index = {name: k for k, name in enumerate(self.names)}
        return np.array([index[name] for name in names] + [len(self.names), len(self.names) + 1], dtype=np.int64)

    def _columns(self, names: tuple[str, ...]) -> npt.NDArray[np.int64]:
        """Places of these columns here, after making room for new ones."""
        if names == self.names:
            return np.arange(len(names))
        if len(set(names)) != len(names):
            raise ValueError("two columns of x share a name")
        new = tuple(name for name in names if name not in set(self.names))
        if new:
            grown = self.extended(self.names + new)
            self.names, self._moments, self._carry = grown.names, grown._moments, grown._carry
            self._lower_stale = grown._lower_stale
        return self._places(names)[:-2]

    # -- files ---------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Plain JSON: names, n, dropped and the upper triangle of the moments, row by row."""
        upper = self.moments[np.triu_indices(len(self.names) + 2)]
        return {"names": list(self.names), "n": self.n, "dropped": self.dropped, "moments": upper.tolist()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Gram:
        """The Gram that `to_json` wrote; raises ModelError when the numbers cannot be one."""
        try:
            names = [str(name) for name in data["names"]]
            upper = np.asarray(data["moments"], dtype=np.float64)
            size = len(names) + 2
            if upper.shape != (size * (size + 1) // 2,) or not np.isfinite(upper).all():
                raise ValueError(f"the moments do not belong to {len(names)} columns")
            square = np.zeros((size, size))
            square[np.triu_indices(size)] = upper
            if (np.diag(square) < 0.0).any() or not 0.0 <= float(data["n"]) < np.inf:
                raise ValueError("a sum of squares or a count is negative")
            full = np.triu(square) + np.triu(square, 1).T
            return cls.from_moments(names, full, float(data["n"]), int(data["dropped"]))
        except (KeyError, TypeError, ValueError) as fault:
            raise ModelError(f"these are not regression statistics: {fault}") from fault


def _checked_weights(weights: npt.ArrayLike | None, rows: int) -> Floats | None:
    """Raises ValueError on a wrong length or a negative weight (NaN is dropped later, and counted)."""
    if weights is None:
        return None
    weight = np.asarray(weights, dtype=np.float64)
    if weight.shape != (rows,):
        raise ValueError(f"{weight.size} weights for {rows} rows")
    if rows and weight.min() < 0.0:
        raise ValueError("a weight is negative")
    return weight


def _spread(rows: Floats, columns: npt.NDArray[np.int64], width: int) -> Floats:
    """The same rows with their columns moved to where a wider Gram has them; 0 elsewhere."""
    out = np.zeros((len(rows), width))
    out[:, columns] = rows
    return out
