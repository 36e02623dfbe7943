"""What is known of coefficients before a recording is looked at, and where it comes from.

Sources beside the board file: a twin board's model (`.phm`) and a table of power per CPU frequency. A prior is a mean
and a standard deviation of one coefficient with its origin in words; the model file keeps all three. What comes
from outside replaces guesses that only bound a coefficient, and is weighed with what the board file states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from powerhal import kernels
from powerhal.attribution.fitting.fit import Prior
from powerhal.channel import Cluster, Device, Topology

if TYPE_CHECKING:
    from powerhal.attribution.design import Design
    from powerhal.attribution.fitting.frequency import Curve
    from powerhal.attribution.fitting.frequency_table import FrequencyTable

Floats = npt.NDArray[np.float64]

BOARD_FILE = "board file: converter efficiency"
DEVICE_TREE = "board file: dynamic-power-coefficient"
USUAL = "data sheets: usual for this kind of device"
FLOOR = "this recording: not above the least that was measured"
WIDE_OPEN = "none: only the size of its rail"
BOUNDS = (FLOOR, WIDE_OPEN)  # these say nothing of a value
TWIN_SD = 0.15  # between two boards of a kind, 1 sigma, relative: silicon and leakage differ
TABLE_SD = 0.35  # tables of two devices with one chip differ by 13 % (median); another load and rail differ more
LEAST_PART = 0.3  # of a table's power at its top that either f or f^3 may turn out to be, though the table has less
CLOCK_PART = 0.5  # of a table's power that may belong to the cluster's clock instead of the busy core


@dataclass(frozen=True, slots=True)
class Known:
    """One source: its name, and by term name mean and standard deviation (> 0) of the coefficients it knows."""

    origin: str
    mean: Mapping[str, float] = field(default_factory=dict)
    sd: Mapping[str, float] = field(default_factory=dict)
    table: FrequencyTable | None = None


def informed(prior: Prior, design: Design, known: Sequence[Known]) -> Prior:
    """The prior with what the sources know of its terms: bounds are replaced, values are weighed with each other."""
    mean, sd, origin = dict(prior.mean), dict(prior.sd), dict(prior.origin)
    for source in known:
        found = source if source.table is None else _from_table(source, design)
        for name in found.mean:
            if name not in sd:
                continue
            if origin.get(name, WIDE_OPEN) in BOUNDS:
                mean[name], sd[name], origin[name] = found.mean[name], found.sd[name], found.origin
                continue
            here, there = sd[name] ** -2.0, found.sd[name] ** -2.0
            mean[name] = (here * mean[name] + there * found.mean[name]) / (here + there)
            sd[name] = float((here + there) ** -0.5)
            origin[name] = f"{origin[name]}; {found.origin}"
    return Prior(mean, sd, origin)


def rows_of(prior: Prior, names: Sequence[str]) -> list[dict[str, Any]]:
    """Priors of these terms as plain JSON: name, mean, standard deviation, origin."""
    return [
        {"name": n, "mean": float(prior.mean.get(n, 0.0)), "sd": float(prior.sd[n]), "from": prior.origin.get(n, "")}
        for n in names
        if n in prior.sd
    ]


def from_rows(rows: Sequence[Mapping[str, Any]]) -> Prior:
    """The prior that `rows_of` wrote; raises KeyError or ValueError when it is none."""
    return Prior(
        {str(r["name"]): float(r["mean"]) for r in rows},
        {str(r["name"]): float(r["sd"]) for r in rows},
        {str(r["name"]): str(r["from"]) for r in rows},
    )


def _from_table(source: Known, design: Design) -> Known:
    """Coefficients of every CPU cluster that the table has, by the columns that this design gives it."""
    assert source.table is not None
    topology: Topology = design.topology
    clusters = {c.name: c for c in topology.clusters}
    mean: dict[str, float] = {}
    sd: dict[str, float] = {}
    for device in topology.devices:
        cluster = clusters.get(device.cluster)
        if device.kind != "cpu" or cluster is None:
            continue
        curve = next((source.table.curves[cpu] for cpu in cluster.cpus if cpu in source.table.curves), None)
        if curve is not None:
            for name, (value, spread) in _of_curve(curve, cluster, device, design).items():
                mean[name], sd[name] = value, spread
    return Known(source.origin, mean, sd)


def _of_curve(curve: Curve, cluster: Cluster, device: Device, design: Design) -> dict[str, tuple[float, float]]:
    """Mean and deviation by column of one device: watts of a busy second at a frequency, of f and f^3, or of V^2 f."""
    columns = {c.feature: c.name for c in design.columns if c.device == device.name}
    out: dict[str, tuple[float, float]] = {}
    for feature, name in columns.items():
        if feature.startswith("busy@"):
            hz = float(feature.removeprefix("busy@").removesuffix("MHz")) * 1e6
            watts = float(np.exp(np.interp(np.log(hz), np.log(curve.hz), np.log(curve.watts))))
            out[name] = (watts, TABLE_SD * watts)
    if "f" in columns and "f³" in columns:
        linear, cubic = _f_and_cube(curve)
        ghz = float(curve.hz[-1]) / 1e9
        least = LEAST_PART * (linear * ghz + cubic * ghz**3)
        out[columns["f"]] = (linear, TABLE_SD * max(linear, least / ghz))
        out[columns["f³"]] = (cubic, TABLE_SD * max(cubic, least / ghz**3))
    points = sorted((f, v) for f, v in cluster.opps if v is not None)
    if "V²f" in columns and points:
        hz, volts = np.array(points).T
        farads = float(np.median(curve.watts / (np.interp(curve.hz, hz, volts) ** 2 * curve.hz)))
        out[columns["V²f"]] = (farads, float(np.hypot(TABLE_SD, CLOCK_PART)) * farads)
    return out


def _f_and_cube(curve: Curve) -> tuple[float, float]:
    """W/GHz and W/GHz^3 of b f + c f^3 with b, c >= 0, relative least squares."""
    ghz = curve.hz / 1e9
    x = np.column_stack((ghz, ghz**3)) / curve.watts[:, None]
    theta, _ = kernels.nnls(x.T @ x, x.sum(axis=0))
    linear, cubic = np.asarray(theta, dtype=np.float64).tolist()
    return float(linear), float(cubic)
