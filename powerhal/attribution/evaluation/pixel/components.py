"""The phone's components: which rails are theirs, and the columns whose coefficients are watts, never negative.

    display   c0 + c1 B + B sum_k c_k (k/255)^2.2      an OLED's light is linear in sRGB's own gamma, per colour
    gpu       f, f^2, f^3 of the shader clock's mean, what lies above half its top (below, the voltage stands at its
              lowest), and f times the load and the memory that feed it
    wifi      associated state, bytes, and the battery's voltage (by its charge), which feeds the radio's front end
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
from powerhal.attribution.evaluation.pixel.battery import EMPTY_V, voltage_v
from powerhal.attribution.evaluation.pixel.regression import Guess
from powerhal.attribution.evaluation.table import Floats

SRGB_GAMMA = 2.2
GPU_HALF_GHZ = 0.424  # half of 848 MHz, the highest shader clock of the Tensor's Mali-G78
END = "_ENERGY_AVG_UWS"

# In the public record (10.5281/zenodo.14314943) seven of the eight runs on a phone below 34 degC, the first of a
# session, draw half of what the radio draws in all others, whatever was sent; no counter of the radio tells.
COLD_C = 34.0
COLD_ASSOCIATED = 0.5

Columns = Sequence[tuple[str, Callable[[Activities], Floats]]]


def _light(colour: str) -> Callable[[Activities], Floats]:
    return lambda a: a["brightness"] * a[colour] ** SRGB_GAMMA


def _warming(a: Activities) -> Floats:
    return np.asarray(np.maximum(a["warming_k"], 0.0), dtype=np.float64)


def _times(name: str, power: int, other: str = "") -> Callable[[Activities], Floats]:
    return lambda a: a[name] ** power * (a[other] if other else 1.0)


def _associated(a: Activities) -> Floats:
    """How much of a run the radio was associated: a phone still cold has only begun to be used."""
    return np.where(a["soc_c"] < COLD_C, COLD_ASSOCIATED, 1.0)


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
    ("gpu f above half", lambda a: np.maximum(a["gpu1_ghz"] - GPU_HALF_GHZ, 0.0)),
)
WIFI: Columns = (
    ("associated", _associated),
    ("bytes", _times("wifi_mb", 1)),
    ("supply", lambda a: _associated(a) * (voltage_v(a["charge"]) - EMPTY_V)),
)
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
    ("warming load", lambda a: _warming(a) * a["load"]),
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
    runs the guess about the shares of the columns in the mean power is worth; it says that the first has all of it
    (`leading`: a clock, an association) or that all have the same.
    """

    name: str
    rails: tuple[str, ...]
    columns: Columns
    prior: float
    knee: float = 0.15
    leading: bool = False

    @property
    def guess(self) -> Guess:
        """What the prior expects of the columns, as shares of the mean power."""
        count = len(self.columns)
        return Guess(np.eye(count)[0] if self.leading else np.full(count, 1.0 / count), self.prior)

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
    Component("gpu", (f"GPU{END}", f"GPU3D{END}"), GPU, prior=0.05, leading=True),
    # A radio that is not associated draws half: some such runs nothing that is counted foretells.
    Component("wifi", (f"WLANBT{END}",), WIFI, prior=0.05, knee=0.03, leading=True),
)  # fmt: skip
CPU_PART = COMPONENTS[1]
REST_PART = Component("rest", (), REST, prior=0.05)
TOTAL_PART = Component("total", (), TOTAL, prior=0.3, knee=0.1)
PARTS = (*COMPONENTS, REST_PART)
NAMES = tuple(component.name for component in COMPONENTS)
NEEDED_RAILS = tuple(rail for component in COMPONENTS for rail in component.rails)
