"""What simpler tools would say of a frequency that was not measured, from the same readings.

Each takes readings hz (k,) ascending and watts (k,), and the wanted hz (m,); the answer is (m,) W, or None
where so few readings are not enough for it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from powerhal import kernels

Floats = npt.NDArray[np.float64]
Baseline = Callable[[Floats, Floats, Floats], Floats | None]


def constant(hz: Floats, watts: Floats, wanted: Floats) -> Floats | None:
    """One number of watts for a busy core: a share of CPU time."""
    return np.full(wanted.size, watts.mean()) if hz.size else None


def proportional(hz: Floats, watts: Floats, wanted: Floats) -> Floats | None:
    """Watts in proportion to cycles."""
    return wanted * float(hz @ watts) / float(hz @ hz) if hz.size else None


def line(hz: Floats, watts: Floats, wanted: Floats) -> Floats | None:
    """A straight line by least squares."""
    if hz.size < 2:
        return None
    slope, offset = np.polyfit(hz / 1e9, watts, 1)
    return np.asarray(np.maximum(offset + slope * wanted / 1e9, 0.0), dtype=np.float64)


def fixed_table(hz: Floats, watts: Floats, wanted: Floats) -> Floats | None:
    """The next entry at or above, as a fixed table of speed steps (`power_profile.xml`) is read; else the last."""
    if not hz.size:
        return None
    return np.asarray(watts[np.minimum(np.searchsorted(hz, wanted), hz.size - 1)], dtype=np.float64)


def straight_lines(hz: Floats, watts: Floats, wanted: Floats) -> Floats | None:
    """Straight lines between readings, level outside."""
    return np.asarray(np.interp(wanted, hz, watts), dtype=np.float64) if hz.size > 1 else None


def power_laws(hz: Floats, watts: Floats, wanted: Floats) -> Floats | None:
    """Power laws between readings, level outside."""
    if hz.size < 2:
        return None
    return np.asarray(np.exp(np.interp(np.log(wanted), np.log(hz), np.log(watts))), dtype=np.float64)


def monotone_convex(hz: Floats, watts: Floats, wanted: Floats) -> Floats | None:
    """a + b f + c f^3 with a, b, c >= 0: what V^2 f can be when volts are not known; relative least squares."""
    return _physics(hz, watts, wanted, (0, 1, 3))


def f_and_f_cubed(hz: Floats, watts: Floats, wanted: Floats) -> Floats | None:
    """b f + c f^3 with b, c >= 0; relative least squares."""
    return _physics(hz, watts, wanted, (1, 3))


def _physics(hz: Floats, watts: Floats, wanted: Floats, powers: tuple[int, ...]) -> Floats | None:
    if not hz.size:
        return None
    x = np.column_stack([(hz / hz[-1]) ** p for p in powers]) / watts[:, None]
    gram = x.T @ x
    theta, _ = kernels.nnls(gram + 1e-9 * np.diag(np.diag(gram)), x.sum(axis=0))
    return np.asarray(np.column_stack([(wanted / hz[-1]) ** p for p in powers]) @ theta, dtype=np.float64)


BASELINES: dict[str, Baseline] = {
    "constant": constant,
    "proportional_to_f": proportional,
    "line": line,
    "fixed_table": fixed_table,
    "straight_lines": straight_lines,
    "power_laws": power_laws,
    "f_and_f_cubed": f_and_f_cubed,
    "monotone_convex": monotone_convex,
}
