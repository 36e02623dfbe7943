"""What a gauge without a current sense lets us infer, once the board says what battery hangs on it.

A voltage gauge follows the state of charge by a model of the cell. Times the battery's label that is a current
(rate of charge * capacity) or an energy (state of charge * capacity * nominal voltage). No data sheet states how good
the rate is. `ACCURACY` is therefore ours, a limit and not a standard deviation: a cell counts as worn out at 80 % of
its label (20 %), the slope of a model that was not made for this cell (20 %), and the nominal in place of the
momentary voltage (12 % between 3.3 V and 4.2 V), root of the sum of squares.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from powerhal.chips.registers import ChannelRow

if TYPE_CHECKING:
    from powerhal.chips.registers import ChipType

ACCURACY = 0.31
TWO_FULL_CELLS_V = 8.4  # the most that these gauges see, for a limit where no nominal voltage is given
RATE_STEPS = 1.0  # the rate is taken to be good to one step beside its share: limit of the offset


@dataclass(frozen=True, slots=True)
class BatteryLabel:
    """What is printed on the battery: capacity in C, energy in J, nominal volts; 0 where it is not known."""

    capacity_c: float = 0.0
    energy_j: float = 0.0
    nominal_v: float = 0.0

    def complete(self) -> BatteryLabel:
        """With what follows from the other two."""
        charge, energy, volts = self.capacity_c, self.energy_j, self.nominal_v
        if charge and energy and not volts:
            volts = energy / charge
        return BatteryLabel(charge or (energy / volts if volts else 0.0), energy or charge * volts, volts)


UNKNOWN = BatteryLabel()


def rows(chip: ChipType, battery: BatteryLabel) -> tuple[ChannelRow, ...]:
    """The channels that `battery` makes possible, scaled to it; none when it does not say enough."""
    if missing(chip, battery):
        return ()
    return tuple(_scaled(row, battery.complete()) for row in chip.inferred)


def missing(chip: ChipType, battery: BatteryLabel) -> str:
    """What the board would have to give before power can be inferred, '' when nothing is missing."""
    known = battery.complete()
    wanted = {row.times for row in chip.inferred if row.times and not getattr(known, row.times)}
    if not wanted:
        return ""
    return "capacity" if not (known.capacity_c or known.energy_j) else "nominal voltage"


def _scaled(row: ChannelRow, battery: BatteryLabel) -> ChannelRow:
    if len(row.of) > 1:  # the parts are scaled already; the offset of the amperes becomes one of watts
        return replace(row, offset=row.offset * battery.capacity_c * (battery.nominal_v or TWO_FULL_CELLS_V))
    times = getattr(battery, row.times)
    return replace(row, factor=row.factor * times, bias=row.bias * times, offset=row.offset * times)


FROM_CHARGE: tuple[ChannelRow, ...] = (
    ChannelRow(
        "energy", "J", ("soc_pct",), factor=-0.01, bias=1.0, counter=True,
        quality_class="inferred", accuracy=ACCURACY, times="energy_j",
    ),
)  # fmt: skip
"""Consumed energy from the state of charge: (1 - soc) * the battery's energy; it falls while the battery is charged."""


def from_rate(volts: str, percent_per_hour: str, step: float) -> tuple[ChannelRow, ...]:
    """Current and power from a rate of charge (+ = charging) with steps of `step` %/h, turned into + = consumed."""
    scale = 0.01 / 3600
    row = ChannelRow(
        "current", "A", (percent_per_hour,), factor=-scale,
        quality_class="inferred", accuracy=ACCURACY, offset=RATE_STEPS * step * scale, times="capacity_c",
    )  # fmt: skip
    power = ChannelRow(
        "power", "W", (volts, percent_per_hour), quality_class="inferred", accuracy=ACCURACY,
        offset=RATE_STEPS * step * scale,
    )  # fmt: skip
    return row, power
