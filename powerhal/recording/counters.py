"""Counters as increments: modular across a wrap, unknown across a reset, never negative, never huge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from powerhal.channel import Channel, Field, Quality
from powerhal.recording.series import Series

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# A step across the end of the range may be this many times faster than any other step of the run.
_RATE_MARGIN = 4.0


@dataclass(frozen=True, slots=True)
class Increments:
    """What a counter gained between readings: from and to in ns, amount in SI, quality; all of length n-1.

    `amount` is NaN where nobody can know it (the counter was reset); quality says RESET there, and
    WRAP where the counter passed the end of its range.
    """

    t0_ns: NDArray[np.int64]
    t1_ns: NDArray[np.int64]
    amount: NDArray[np.float64]
    quality: NDArray[np.uint16]


def modulus(channel: Channel, field: Field | None = None) -> float:
    """Where the counter starts again at 0, in SI; 0 when it is not known to wrap."""
    if channel.wrap_span:
        return channel.wrap_span
    if not channel.wrap_bits:
        return 0.0
    scale = abs(field.scale) if field is not None else (channel.lsb or 1.0)
    return float(2**channel.wrap_bits) * scale


def counter_increments(
    series: Series, channel: Channel, *, field: Field | None = None, max_rate: float | None = None
) -> Increments:
    """Increments of a counter's readings (n,) as n-1 steps.

    A step back is a wrap when the way round the end of the range is at most half of it and no faster
    than `max_rate` (SI per s; default: four times the fastest other step of the series), else a reset.
    `field` gives the step size of a counter that wraps at `2**wrap_bits` steps (default: `channel.lsb`,
    else 1). A reading whose own quality says RESET starts anew. A counter that counts both ways gains what is nearer
    round its range; a step that is four times faster than any other is a reset.
    """
    import numpy as np

    if channel.both_ways:
        return _both_ways(series, modulus(channel, field), max_rate)
    step = np.diff(series.value)
    dt_s = np.diff(series.t_ns) * 1e-9
    quality = series.quality[1:] | (series.quality[:-1] & int(Quality.CLOCK))
    span = modulus(channel, field)
    back = step < 0
    forced = (series.quality[1:] & int(Quality.RESET)) != 0
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.where((dt_s > 0) & ~back & ~forced, step / dt_s, 0.0)
        fastest = max_rate if max_rate is not None else _RATE_MARGIN * float(np.max(rates, initial=0.0))
    around = np.where(back, step + span, 0.0)
    wrapped = back & ~forced & (around >= 0) & (around <= span / 2) & (around <= fastest * dt_s)
    lost = forced | (back & ~wrapped)
    amount = np.where(wrapped, around, np.where(lost, np.nan, step))
    quality = quality | np.where(wrapped, int(Quality.WRAP), 0) | np.where(lost, int(Quality.RESET), 0)
    return Increments(series.t_ns[:-1], series.t_ns[1:], amount, quality.astype(np.uint16))


def _both_ways(series: Series, span: float, max_rate: float | None) -> Increments:
    """Steps with a sign, the shorter way round a range of `span` (0: it does not wrap)."""
    import numpy as np

    step = np.diff(series.value)
    dt_s = np.diff(series.t_ns) * 1e-9
    quality = series.quality[1:] | (series.quality[:-1] & int(Quality.CLOCK))
    amount = (step + span / 2) % span - span / 2 if span else step
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.where(dt_s > 0, np.abs(amount) / dt_s, 0.0)
    others = np.sort(rates)[-2] if rates.size > 2 else np.inf
    fastest = max_rate if max_rate is not None else _RATE_MARGIN * float(others or np.inf)
    lost = ((series.quality[1:] & int(Quality.RESET)) != 0) | (rates > fastest)
    wrapped = ~lost & (np.abs(amount - step) > span / 2) if span else np.zeros(step.size, np.bool_)
    quality = quality | np.where(wrapped, int(Quality.WRAP), 0) | np.where(lost, int(Quality.RESET), 0)
    return Increments(series.t_ns[:-1], series.t_ns[1:], np.where(lost, np.nan, amount), quality.astype(np.uint16))
