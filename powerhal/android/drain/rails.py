"""The modem's and Wi-Fi's own meters in a history: what they counted, and what it says of these parts' power.

Phones with rail meters (Android 10 on) keep two sums in the history: charge in mAh since boot, two decimals, by the
energy of the rails over the voltage that the power profile names for the controller (not the battery's). They grow
when the platform asks the radios: at a step of the level, as the display goes on or off. Since Android 14 the modem's
charge is added to Wi-Fi's sum (`recordWifiConsumedCharge`), so that one sum stands for both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import hypot
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.android.drain.activities import Grid, Timeline
from powerhal.android.drain.table import ACTIVITIES, ActivityRow
from powerhal.android.profile.values import PowerProfile

Floats = npt.NDArray[np.float64]

STEP_MAH = 0.01  # two decimals
CONTROLLER_V, CONTROLLER_SD = 3.7, 0.08  # what profiles name, and how far others are from it (1 sigma, relative)
NAMED_SD = 0.01  # of a profile's own figure
UPSTREAM_SD = 0.08  # a rail behind a converter costs the battery some more than the meter sees (1 sigma, relative)
JOINT_API = 34  # from here on one sum stands for both
LEAST_SPANS, LEAST_MAH = 8, 0.5
LONGEST_MS = 4 * 3_600_000
MOST_W = 8.0  # no radio draws this for a whole span: the first sum after a boot, or a profile without a voltage
FRESH_MS = 5_000  # what is printed as a stretch begins was counted before it
BASE_W = 0.1  # of the rail with everything off (1 sigma about 0)

#: name in the history -> controller of the profile whose voltage counts, devices of the activity table
METERS: dict[str, tuple[str, tuple[str, ...]]] = {
    "modemRailChargemAh": ("modem", ("mobile_radio", "phone")),
    "wifiRailChargemAh": ("wifi", ("wifi",)),
}
Z90 = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class RailCharge:
    """One meter over the spans between its readings: mah as printed (at `volts`), energy_j = mah * 3.6 * volts.

    gain_sd: how far the energy may be off as a whole (1 sigma, relative); covered_s: length of the spans; text: the
    same in words. `draws`: W of each activity (device, name) with 1 sigma; empty where the meter says too little.
    """

    name: str
    devices: tuple[str, ...]
    mah: float
    volts: float
    gain_sd: float
    spans: int
    covered_s: float
    draws: Mapping[tuple[str, str], tuple[float, float]]

    @property
    def energy_j(self) -> float:
        """What the meter counted."""
        return self.mah * 3.6 * self.volts

    @property
    def half_j(self) -> float:
        """Half of a 90 % interval of it."""
        return Z90 * hypot(self.gain_sd * self.energy_j, 3.6 * self.volts * STEP_MAH)

    def document(self) -> dict[str, Any]:
        """As JSON: what was counted with a 90 % interval, over which time, and the power that follows."""
        return {
            "name": self.name, "devices": list(self.devices), "mah": self.mah, "volts": self.volts,
            "energy_j": self.energy_j, "low_j": max(self.energy_j - self.half_j, 0.0),
            "high_j": self.energy_j + self.half_j, "spans": self.spans, "covered_s": self.covered_s,
            "draws": [{"device": d, "activity": a, "w": w, "sd_w": sd} for (d, a), (w, sd) in self.draws.items()],
        }  # fmt: skip

    @property
    def text(self) -> str:
        """One sentence."""
        who = " and ".join(self.devices)
        said = f"the meter of {who} counted {self.mah:.4g} mAh at {self.volts:.3g} V in {self.spans} spans of "
        said += f"{self.covered_s / 3600:.3g} h ({self.name})"
        if self.draws:
            return said + ": what it says of their power is known beforehand"
        return said + f": not used, {LEAST_SPANS} spans and {LEAST_MAH:g} mAh say something"


def rails(line: Timeline, api: int | None, profile: PowerProfile | None) -> tuple[RailCharge, ...]:
    """The meters of a history that moved; none where there are none (most phones print 0 all along)."""
    readings = {name: _sound(line, line.meters.get(name, [])) for name in METERS}
    joint = (api or JOINT_API) >= JOINT_API and not any(mah > 0 for _, _, mah in readings["modemRailChargemAh"])
    out: list[RailCharge] = []
    for name, (controller, own) in METERS.items():
        devices = tuple(d for _, all_of_it in METERS.values() for d in all_of_it) if joint else own
        named = (profile.get(f"{controller}.controller.voltage") or 0.0) / 1e3 if profile else 0.0
        volts, doubt = (named, NAMED_SD) if 1.0 < named < 20.0 else (CONTROLLER_V, CONTROLLER_SD)
        spans = [(a, b, mah) for a, b, mah in readings[name] if mah * 3.6 * volts <= MOST_W * (b - a) / 1e3]
        if (mah := sum(row[2] for row in spans)) > 0:
            gain = hypot(doubt, UPSTREAM_SD)
            rows = [row for row in ACTIVITIES if row.device in devices]
            draws = _draws(line, spans, rows, volts, gain) if _enough(spans, mah) else {}
            seconds = sum(b - a for a, b, _ in spans) / 1e3
            out.append(RailCharge(name, devices, mah, volts, gain, len(spans), seconds, draws))
    return tuple(out)


def _enough(spans: Sequence[tuple[int, int, float]], mah: float) -> bool:
    return len(spans) >= LEAST_SPANS and mah >= LEAST_MAH


def _sound(line: Timeline, readings: Sequence[tuple[int, float]]) -> list[tuple[int, int, float]]:
    """(from ms, to ms, mAh) between readings inside one stretch of known states; a sum that fell began anew."""
    out = []
    for start, end in line.known:
        inside = [(t, v) for t, v in readings if start + FRESH_MS < t <= end]
        out += [
            (a[0], b[0], b[1] - a[1]) for a, b in pairwise(inside) if b[1] >= a[1] and 0 < b[0] - a[0] <= LONGEST_MS
        ]
    return out


def _draws(
    line: Timeline, spans: Sequence[tuple[int, int, float]], rows: Sequence[ActivityRow], volts: float, gain: float
) -> dict[tuple[str, str], tuple[float, float]]:
    """Watts of each activity by the meter alone: ridge regression with the table's widths, noise as the rest shows.

    The rest is taken for noise that grows with a span's energy and length; its size is learned from the spans.
    """
    edges = np.unique(np.array([t for a, b, _ in spans for t in (a, b)], dtype=np.int64))
    grid = Grid(line, edges)
    place = {(a, b): k for k, (a, b) in enumerate(pairwise(edges.tolist()))}
    pick = [place[a, b] for a, b, _ in spans]
    columns = {(r.device, r.name): built[pick] for r in rows if (built := r.build(grid)) is not None}
    columns = {key: x for key, x in columns.items() if x.any()}
    if not columns:
        return {}
    seconds: Floats = (np.diff(edges) / 1e3)[pick]
    x: Floats = np.column_stack([*columns.values(), seconds])
    y = np.array([mah for _, _, mah in spans]) * 3.6 * volts
    width = np.array([*(r.width_w for r in rows if (r.device, r.name) in columns), BASE_W])
    rounded = (STEP_MAH / 12**0.5 * 2**0.5 * 3.6 * volts) ** 2
    theta, cov = np.zeros(width.size), np.diag(width**2)
    noise: Floats = np.full(y.size, float(np.var(y)) + rounded)
    for _ in range(8):
        a: Floats = x / noise[:, None]
        cov = np.linalg.inv(a.T @ x + np.diag(1.0 / width**2))
        theta = np.maximum(cov @ (a.T @ y), 0.0)
        left: Floats = (y - x @ theta) ** 2
        free = max(int(y.size) - int(np.count_nonzero(theta)), 1)
        shape: Floats = np.maximum(x @ theta, 0.0) ** 2 + (0.01 * seconds) ** 2
        spread = float((left / shape).sum()) / free
        noise = rounded + shape * max(spread, 1e-4)
    sds = np.sqrt(np.diag(cov))
    return {key: (float(theta[k]), float(hypot(sds[k], gain * theta[k]))) for k, key in enumerate(columns)}
