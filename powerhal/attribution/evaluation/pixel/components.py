"""The phone's components: which rails are theirs, and the columns whose coefficients are watts, never negative.

    display   c0 + c1 B + B sum_k c_k (k/255)^2.2      an OLED's light is linear in sRGB's own gamma, per colour
    gpu       f, f^2, f^3 of the shader clock's mean, and f times the load that feeds it
    wifi      associated state, bytes
    cpu       per cluster f, f^2, f^3 (V rises with f) idle and under load, load, memory in use, GPU's traffic, warming
    rest      what hangs on no component: regulators, fabric, storage, sensors

No current, no power and no product with either is ever a column. Warming is the temperature gained in the run:
what the heat of all activity, counted or not, left behind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from powerhal.attribution.evaluation.pixel.activities import Activities
from powerhal.attribution.evaluation.table import Floats

SRGB_GAMMA = 2.2
END = "_ENERGY_AVG_UWS"

Columns = Sequence[tuple[str, Callable[[Activities], Floats]]]


def _light(colour: str) -> Callable[[Activities], Floats]:
    return lambda a: a["brightness"] * a[colour] ** SRGB_GAMMA


def _warming(a: Activities) -> Floats:
    return np.asarray(np.maximum(a["warming_k"], 0.0), dtype=np.float64)


def _times(name: str, power: int, other: str = "") -> Callable[[Activities], Floats]:
    return lambda a: a[name] ** power * (a[other] if other else 1.0)


CONSTANT = ("constant", lambda a: np.ones_like(a["load"]))

DISPLAY: Columns = (
    CONSTANT,
    ("brightness", _times("brightness", 1)),
    ("red light", _light("red")),
    ("green light", _light("green")),
    ("blue light", _light("blue")),
)
GPU: Columns = (
    ("gpu f", _times("gpu1_ghz", 1)),
    ("gpu f load", _times("gpu1_ghz", 1, "load")),
    ("gpu f memory", _times("gpu1_ghz", 1, "memory_gb")),
    ("gpu f^2", _times("gpu1_ghz", 2)),
    ("gpu f^3", _times("gpu1_ghz", 3)),
)
WIFI: Columns = (CONSTANT, ("bytes", _times("wifi_mb", 1)))
CLUSTERS: Columns = tuple(
    (f"{name} f{f'^{power}' if power > 1 else ''}{' load' if other else ''}", _times(f"{name}_ghz", power, other))
    for name in ("little", "mid", "big")
    for power, other in ((1, ""), (2, ""), (3, ""), (1, "load"), (3, "load"))
)
CPU: Columns = (
    CONSTANT,
    *CLUSTERS,
    ("load", _times("load", 1)),
    ("load^2", _times("load", 2)),
    ("own load", _times("own_load", 1)),
    ("memory", _times("memory_gb", 1)),
    ("gpu f", _times("gpu1_ghz", 1)),
    ("warming", _warming),
    ("warming^2", lambda a: _warming(a) ** 2),
)
REST: Columns = (
    CONSTANT,
    ("gpu f", _times("gpu1_ghz", 1)),
    ("memory", _times("memory_gb", 1)),
    ("load", _times("load", 1)),
    ("little f", _times("little_ghz", 1)),
    ("big f^2", _times("big_ghz", 2)),
    ("warming", _warming),
)
TOTAL: Columns = (*CPU, *DISPLAY[1:], *GPU[1:], *WIFI[1:])


@dataclass(frozen=True, slots=True)
class Component:
    """One component: its rails (none: told by its maker), its columns, and how it is fitted.

    knee: relative error below which an error counts as a square (small: outliers weigh little). prior: how many
    runs the guess is worth that every column has the same share of the mean power; next to nothing where one column
    is known to have most of it (a clock, an association).
    """

    name: str
    rails: tuple[str, ...]
    columns: Columns
    prior: float
    knee: float = 0.15

    def matrix(self, activities: Activities) -> Floats:
        """The columns of these runs, (n, p), all >= 0."""
        return np.column_stack([of(activities) for _, of in self.columns])


COMPONENTS = (
    Component("display", (f"Display{END}",), DISPLAY, prior=0.1),
    Component(
        "cpu",
        (
            f"CPU_BIG{END}", f"CPU_MID{END}", f"CPU_LITTLE{END}", f"Memory{END}", f"Memory{END}.1",
            f"S6M_LLDO1{END}", f"S8M_LLDO2{END}", f"S9M_VDD_CPUCL0_M{END}",
        ),
        CPU,
        prior=0.05,
    ),
    Component("gpu", (f"GPU{END}", f"GPU3D{END}"), GPU, prior=0.01),
    # A radio that is not associated draws half: such runs are rare and nothing that is counted foretells them.
    Component("wifi", (f"WLANBT{END}",), WIFI, prior=0.01, knee=0.03),
)  # fmt: skip
CPU_PART = COMPONENTS[1]
REST_PART = Component("rest", (), REST, prior=0.05)
TOTAL_PART = Component("total", (), TOTAL, prior=0.3, knee=0.1)
PARTS = (*COMPONENTS, REST_PART)
NAMES = tuple(component.name for component in COMPONENTS)
NEEDED_RAILS = tuple(rail for component in COMPONENTS for rail in component.rails)
