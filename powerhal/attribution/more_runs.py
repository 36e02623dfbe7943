"""How many more runs would tell a difference from none, if it stays what it is."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt

from powerhal.attribution.uncertainty import student_quantile

POWER_Z = 0.8416212335729143  # a difference that is there is seen in four of five times
MOST_MORE = 100  # a side: who needs more should ask about something larger


@dataclass(frozen=True, slots=True)
class Spread:
    """What a difference of two means of runs is unsure by, W^2 or J^2.

    common2: variance that more runs do not reduce; run2: variance of a single run; seen: run2 is what runs were seen
    to differ by, not what each is known to be off by; before, after: runs of the sides.
    """

    common2: float
    run2: float
    seen: bool
    before: int
    after: int

    def at(self, more: int = 0) -> tuple[float, float]:
        """Variance of the difference and its degrees of freedom with `more` runs on each side (Satterthwaite 1946)."""
        parts = 1.0 / (self.before + more) + 1.0 / (self.after + more)
        run2 = self.run2 * parts
        variance = self.common2 + run2
        freedom = self.before + self.after + 2 * more - 2
        if not self.seen or run2 == 0.0:
            return variance, inf
        return variance, variance**2 / (run2**2 / freedom)


def more_runs(difference: float, spread: Spread, level: float) -> int | None:
    """Runs that each side lacks for p <= level in four of five times, at least 1; None: more than MOST_MORE, or never.

    difference: in the square root of the spread's unit; it and the runs' scatter are taken to stay what they are.
    """
    if not _tells(difference, spread, level, MOST_MORE):
        return None
    low, high = 0, MOST_MORE  # more runs never tell less
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _tells(difference, spread, level, middle) else (middle, high)
    return high


def _tells(difference: float, spread: Spread, level: float, more: int) -> bool:
    variance, degrees = spread.at(more)
    return abs(difference) > 0.0 and abs(difference) >= (student_quantile(1.0 - level, degrees) + POWER_Z) * sqrt(
        variance
    )
