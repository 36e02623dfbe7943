"""A gauge's own charge against the integral of its current: two ways to count the same coulombs.

Charge counters saturate and jump (a RK817 was 1.08 Ah low with its offset register at its end), and neither way is
right by itself: where they disagree both are told.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from powerhal.channel import Channel, Quality

if TYPE_CHECKING:
    from collections.abc import Mapping

    from powerhal.recording.series import Series

DISAGREEMENT = 0.1  # of the larger of the two
_STEPS = 4.0  # differences below so many steps of the charge mean nothing


class HasSeries(Protocol):
    """What is needed of a recording."""

    @property
    def channels(self) -> Mapping[str, Channel]:
        """By name."""

    def series(self, name: str) -> Series:
        """One channel over time."""


@dataclass(frozen=True, slots=True)
class ChargeCheck:
    """Charge that passed by the gauge's counter and by its current, both in C and as magnitudes."""

    channel: str
    counted_c: float
    integrated_c: float
    step_c: float

    @property
    def quality(self) -> Quality:
        """NOISY when the two differ by more than a tenth of the larger."""
        apart = abs(self.counted_c - self.integrated_c)
        larger = max(self.counted_c, self.integrated_c)
        return Quality.NOISY if apart > max(DISAGREEMENT * larger, _STEPS * self.step_c) else Quality.OK

    def text(self) -> str:
        """Both figures in a sentence."""
        return (
            f"{self.channel} changed by {self.counted_c:.4g} C while its current adds up to {self.integrated_c:.4g} C: "
            "trust neither"
        )


def charge_checks(recording: HasSeries) -> Iterator[ChargeCheck]:
    """One check per charge channel that has a current of the same name beside it; empty series are left out."""
    import numpy as np

    from powerhal.recording.counters import counter_increments

    for name, channel in recording.channels.items():
        other = f"{name.rpartition('.')[0]}.current"
        if channel.quantity != "charge" or other not in recording.channels:
            continue
        charge, current = recording.series(name), recording.series(other)
        if len(charge) < 2 or len(current) < 2:
            continue
        inside = (current.t_ns >= charge.t_ns[0]) & (current.t_ns <= charge.t_ns[-1])
        t_s, amperes = current.t_ns[inside] * 1e-9, current.value[inside]
        integral = float(np.sum(np.diff(t_s) * (amperes[1:] + amperes[:-1]) / 2)) if len(t_s) > 1 else 0.0
        counted = float(charge.value[-1] - charge.value[0])
        if channel.counter:
            counted = float(np.nansum(counter_increments(charge, channel).amount))
        yield ChargeCheck(name, abs(counted), abs(integral), channel.lsb)
