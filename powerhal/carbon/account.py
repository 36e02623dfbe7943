"""The carbon account of a run: a board's defaults and the user's wishes, as rows for a ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from powerhal.carbon.intensity import Intensity, given, lookup
from powerhal.carbon.sci import ADAPTER, CELL, CHARGER, Embodied, Footprint, Losses, Range, footprint
from powerhal.errors import UsageError
from powerhal.units import format_quantity

# Spread of the classes in Boavizta's table (smartphone 55.5 kg, 10th to 90th percentile 31 to 77): the relative ends
# of an embodied figure that is given without a range.
EMBODIED_SPREAD = (31.0 / 55.5, 77.0 / 55.5)


@dataclass(frozen=True, slots=True)
class Account:
    """What turns joules into grams for one run of `duration_s` seconds."""

    intensity: Intensity
    losses: Losses
    duration_s: float
    embodied: Embodied | None = None

    def row(self, energy_j: float, low_j: float, high_j: float) -> tuple[float, float, float]:
        """(g, low, high) of one row of a ledger: operational only, so that rows add up to their total."""
        found = footprint(energy_j, low_j, high_j, self.intensity, self.losses)
        return found.operational_g, found.low_g, found.high_g

    def total(self, energy_j: float, low_j: float, high_j: float) -> Footprint:
        """The whole run, the embodied share of its time included where it is known."""
        return footprint(
            energy_j, low_j, high_j, self.intensity, self.losses, embodied=self.embodied, duration_s=self.duration_s
        )

    def about(self, energy_j: float, low_j: float, high_j: float) -> dict[str, Any]:
        """Every input that a reader needs to recompute the grams, and the total; JSON values."""
        whole = self.total(energy_j, low_j, high_j)
        factor = self.losses.factor
        return {
            "zone": self.intensity.zone,
            "name": self.intensity.name,
            "year": self.intensity.year,
            "g_per_kwh": self.intensity.g_per_kwh,
            "source": self.intensity.source,
            "licence": self.intensity.licence,
            "supply": self.losses.label,
            "loss_factor": factor.value,
            "loss_factor_low": factor.low,
            "loss_factor_high": factor.high,
            "grid_loss": self.losses.grid_loss,
            "operational_g": whole.operational_g,
            "embodied_g": whole.embodied_g,
            "total_g": whole.total_g,
            "low_g": whole.low_g,
            "high_g": whole.high_g,
            "text": self._text(whole),
        }

    def _text(self, whole: Footprint) -> str:
        factor = self.losses.factor
        operational = format_quantity(whole.operational_g, "gCO2e")
        if whole.embodied_g is None:
            sums = f"operational {operational}; embodied part not included (unknown)"
        else:
            made, total = (format_quantity(g, "gCO2e") for g in (whole.embodied_g, whole.total_g))
            sums = f"operational {operational} (in the rows) + embodied {made} = {total}"
        ends = " to ".join(format_quantity(g, "gCO2e") for g in (whole.low_g, whole.high_g))
        return (
            f"{self.intensity.label}: {self.intensity.g_per_kwh:.4g} g/kWh ({self.intensity.source}), "
            f"{self.losses.label} losses ×{factor.value:.3g} ({factor.low:.3g} to {factor.high:.3g}); {sums} ({ends})"
        )


def for_board(
    defaults: Mapping[str, Any],
    duration_s: float,
    *,
    zone: str = "",
    intensity: Intensity | None = None,
    has_battery: bool = False,
    embodied_kg: float | None = None,
    lifetime_s: float | None = None,
) -> Account:
    """The account of a run from `Topology.carbon`, overridden by the arguments (CLI options).

    Without any zone the world's average is used. Raises UsageError for an unknown zone, and for an embodied mass
    or a lifetime that the caller gives while the other of the two is unknown.
    """
    if intensity is None and not zone and "intensity_kg_per_j" in defaults:
        intensity = given(float(defaults["intensity_kg_per_j"]), str(defaults.get("zone", "board file")))
    if intensity is None:
        intensity = lookup(zone or str(defaults.get("zone", "WORLD")))
    return Account(
        intensity,
        _losses(defaults, has_battery=has_battery),
        duration_s,
        _embodied(defaults, embodied_kg, lifetime_s),
    )


def _losses(defaults: Mapping[str, Any], *, has_battery: bool) -> Losses:
    def efficiency(key: str, default: Range) -> Range:
        return Range.exact(float(defaults[key])) if key in defaults else default

    adapter = efficiency("adapter_efficiency", ADAPTER)
    grid_loss = float(defaults.get("grid_loss", 0.0))
    if defaults.get("supply", "battery" if has_battery else "mains") == "mains":
        return Losses.mains(adapter, grid_loss)
    cell, charger = efficiency("cell_efficiency", CELL), efficiency("charger_efficiency", CHARGER)
    return Losses.battery(cell, charger, adapter, grid_loss)


def _embodied(defaults: Mapping[str, Any], embodied_kg: float | None, lifetime_s: float | None) -> Embodied | None:
    kg = embodied_kg if embodied_kg is not None else defaults.get("embodied_kg")
    life = lifetime_s if lifetime_s is not None else defaults.get("lifetime_s")
    if (kg is None or not life) and (embodied_kg is not None or lifetime_s is not None):
        raise UsageError(
            "an embodied share needs both the CO2e of making the device and its lifetime",
            code="PH-U012",
            hint="for example --embodied 55.5kg --lifetime 3y",
        )
    if kg is None or not life:
        return None
    low, high = EMBODIED_SPREAD
    share = float(defaults.get("resource_share", 1.0))
    return Embodied(Range(float(kg), float(kg) * low, float(kg) * high), float(life), share)
