"""Software Carbon Intensity: operational and embodied gCO2e of some energy, with the interval carried through.

SCI = (O + M) / R (Green Software Foundation, SCI specification 1.1; ISO/IEC 21031:2024):
O = E_wall * I with E_wall = E / losses, M = TE * (time used / lifetime) * (share of the resource).
Every range is a 90 % range; parts are taken as independent, so squares of half-widths add, each side on its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from powerhal.carbon.intensity import Intensity


@dataclass(frozen=True, slots=True)
class Range:
    """A value with the ends of its 90 % range (low <= value <= high)."""

    value: float
    low: float
    high: float

    @classmethod
    def exact(cls, value: float) -> Range:
        """A value without doubt."""
        return cls(value, value, value)


# Engineering values without a citable source: a board file or the command line should do better.
CELL = Range(0.97, 0.95, 0.99)  # coulombic and resistive losses of the cell
CHARGER = Range(0.90, 0.85, 0.94)  # charger chip
ADAPTER = Range(0.85, 0.80, 0.90)  # mains adapter


@dataclass(frozen=True, slots=True)
class Losses:
    """Efficiencies between the wall and the measured point, each 0..1; `grid_loss` is a share of what is generated."""

    efficiencies: tuple[Range, ...] = ()
    grid_loss: float = 0.0
    label: str = "none"

    @classmethod
    def battery(
        cls, cell: Range = CELL, charger: Range = CHARGER, adapter: Range = ADAPTER, grid_loss: float = 0.0
    ) -> Losses:
        """Energy measured at the cell: it was charged through adapter, charger and cell."""
        return cls((cell, charger, adapter), grid_loss, "battery")

    @classmethod
    def mains(cls, adapter: Range = ADAPTER, grid_loss: float = 0.0) -> Losses:
        """Energy measured behind a mains adapter."""
        return cls((adapter,), grid_loss, "mains")

    @property
    def factor(self) -> Range:
        """Joules at the wall per joule measured (1.35 for the battery defaults)."""
        value = 1.0 / (math.prod(e.value for e in self.efficiencies) * (1.0 - self.grid_loss))
        below = _root_sum_square(1.0 - e.value / e.high for e in self.efficiencies)
        above = _root_sum_square(e.value / e.low - 1.0 for e in self.efficiencies)
        return Range(value, value * (1.0 - below), value * (1.0 + above))

    @property
    def extremes(self) -> tuple[float, float]:
        """The factor when everything is at its best or at its worst at once (1.19 to 1.55 for a battery)."""
        grid = 1.0 - self.grid_loss
        best = 1.0 / (math.prod(e.high for e in self.efficiencies) * grid)
        worst = 1.0 / (math.prod(e.low for e in self.efficiencies) * grid)
        return best, worst


@dataclass(frozen=True, slots=True)
class Embodied:
    """What making the hardware cost: kgCO2e, its expected lifetime in s, the share of it that is used (0..1)."""

    total_kg: Range
    lifetime_s: float
    resource_share: float = 1.0

    def grams(self, duration_s: float) -> Range:
        """The share of `duration_s` of use: TE * TiR / EL * RR / ToR, in g."""
        part = 1e3 * duration_s / self.lifetime_s * self.resource_share
        return Range(self.total_kg.value * part, self.total_kg.low * part, self.total_kg.high * part)


@dataclass(frozen=True, slots=True)
class Footprint:
    """gCO2e of some energy: operational, embodied (None: not known, so not included), 90 % interval of the sum."""

    operational_g: float
    embodied_g: float | None
    low_g: float
    high_g: float

    @property
    def total_g(self) -> float:
        """Operational plus embodied where it is known."""
        return self.operational_g + (self.embodied_g or 0.0)

    def per(self, units: float) -> float:
        """SCI in g per functional unit; `units` is R (hours, test runs, requests), > 0."""
        if not units > 0:
            raise ValueError(f"the number of functional units must be positive, not {units}")
        return self.total_g / units


def footprint(
    energy_j: float,
    low_j: float,
    high_j: float,
    intensity: Intensity,
    losses: Losses,
    *,
    embodied: Embodied | None = None,
    duration_s: float = 0.0,
) -> Footprint:
    """gCO2e of `energy_j` (90 % interval low_j..high_j) at the measured point, over `duration_s`.

    The interval of the energy, of the losses, of the intensity and of the embodied part are added as squares, in
    grams, so that an energy of zero with an interval keeps it.
    """
    factor = losses.factor
    grams = factor.value * intensity.kg_per_j * 1e3  # per measured joule
    operational = energy_j * grams
    below = [(energy_j - low_j) * grams]
    above = [(high_j - energy_j) * grams]
    size = abs(operational)
    below += [size * (1.0 - factor.low / factor.value), size * intensity.half_width]
    above += [size * (factor.high / factor.value - 1.0), size * intensity.half_width]
    made = embodied.grams(duration_s) if embodied is not None else None
    if made is not None:
        below.append(made.value - made.low)
        above.append(made.high - made.value)
    total = operational + (made.value if made is not None else 0.0)
    return Footprint(
        operational,
        made.value if made is not None else None,
        total - _root_sum_square(below),
        total + _root_sum_square(above),
    )


def _root_sum_square(parts: Iterable[float]) -> float:
    return math.sqrt(math.fsum(part * part for part in parts))
