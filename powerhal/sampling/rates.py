"""A rate asked for the whole board: given to what measures rails, as far as each chip can follow."""

from __future__ import annotations

from powerhal.channel import Source
from powerhal.errors import BoardError
from powerhal.sampling.sink import Sampled

FOLLOW = {"measured", "accumulated"}  # gauges and estimates update at a rhythm of their own


def set_rate(assembly: Sampled, rate_hz: float) -> list[str]:
    """Read every rail sensor at `rate_hz`, before the sources are opened; answers notes on those that cannot.

    Raises BoardError when the rate is not positive, or above what every chip of the board can do.
    """
    if not rate_hz > 0:
        raise BoardError(f"a rate of {rate_hz:g} Hz makes no sense", hint="give a positive rate, for example --rate 50")
    notes, limits, followed = [], [], 0
    for source in assembly.sources:
        if not _follows(source):
            continue
        fastest = _fastest_hz(source)
        if fastest < rate_hz:
            notes.append(f"{source.name} makes at most {fastest:.4g} new readings a second, and is read at that rate")
            limits.append(fastest)
        else:
            followed += 1
        source.period_s = 1.0 / min(rate_hz, fastest)
    if limits and not followed:
        raise BoardError(
            f"no sensor of this board makes {rate_hz:g} new readings a second; the fastest makes {max(limits):.4g}",
            hint=f"use --rate {max(limits):.4g} or less, or set fewer averages in the board file",
        )
    return notes


def _follows(source: Source) -> bool:
    return any(c.rail and c.quality_class in FOLLOW for c in source.layout.channels)


def _fastest_hz(source: Source) -> float:
    """New readings a second of a chip as it will be configured; no limit is known for other sources."""
    from powerhal.chips.layout import fastest_hz

    chip, options = getattr(source, "chip", None), getattr(source, "options", None)
    return fastest_hz(chip, options.config) if chip is not None and options is not None else float("inf")
