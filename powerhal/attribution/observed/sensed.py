"""What is known of a slow sensor's window and lag, where from, and what such a sensor makes of activities.

Energies of a slow rail are put on the clock of the middle of each reading's window, so what is left of its response
is a mean over `window_s` about every moment, ahead as much as behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.attribution.observed.sensor import Z90, Response, felt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

BOARD_FILE, LEARNED, FAST, TOO_SHORT = "board file", "learned", "no slower than its windows", "too short to learn"
LEAST_SD_S = 0.05  # the clocks of sensor and scans are not known better


@dataclass(frozen=True, slots=True)
class Sensed:
    """Window and lag of one rail's sensor: the response, 90 % intervals in s, and their origin.

    `origin`: `board file`, `learned`, `no slower than its windows` (learned, but nothing to match), or `too short to
    learn` (taken for instant). gain: log likelihood above an instant sensor's, 0 where nothing was learned.
    """

    response: Response
    window_90_s: tuple[float, float]
    lag_90_s: tuple[float, float]
    origin: str
    gain: float = 0.0

    @property
    def matched(self) -> bool:
        """Whether activities are given this response."""
        return self.origin in (BOARD_FILE, LEARNED)

    @property
    def delay_s(self) -> float:
        """From the middle of a reading's window to its time stamp."""
        return self.response.lag_s + 0.5 * self.response.window_s

    @property
    def delay_sd_s(self) -> float:
        """Standard deviation of that, from both intervals as if they were independent."""
        halves = (0.5 * float(np.diff(self.lag_90_s)[0]), 0.25 * float(np.diff(self.window_90_s)[0]))
        return max(LEAST_SD_S, float(np.hypot(*halves)) / Z90)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, s; null for an end that nobody knows."""
        window, lag = ([v if np.isfinite(v) else None for v in ends] for ends in (self.window_90_s, self.lag_90_s))
        return {
            "window_s": self.response.window_s, "window_90_s": window,
            "lag_s": self.response.lag_s, "lag_90_s": lag, "origin": self.origin, "gain": self.gain,
        }  # fmt: skip

    def text(self, rail: str) -> str:
        """One sentence for the reader."""
        if self.origin == TOO_SHORT:
            return (
                f"the gauge of rail {rail} may average and lag, but the run is too short to learn how: "
                "what it shows late is taken as it comes; record some minutes with loads that change"
            )
        window, lag = self.response.window_s, self.response.lag_s
        return (
            f"the sensor of rail {rail} shows the mean of {window:.2g} s, {lag:.2g} s late ({self.origin}): activities "
            "were matched to it, and what it moved between windows was moved back as far as the model explains it"
        )


def wide(sensed: Sensed | None) -> float:
    """The window in s that activities of a rail are given; 0 for a fast sensor."""
    return sensed.response.window_s if sensed is not None and sensed.matched else 0.0


def smeared(edges: Ints, amount: Floats, window_s: float) -> Floats:
    """Amounts (n,) or (n, p) between the edges as a mean over `window_s` about every moment spreads them.

    edges (n+1,) int64 ns. Before the first edge and after the last, the first and last activity hold.
    """
    if window_s <= 0.0:
        return amount
    seconds = (edges - edges[0]) / 1e9
    columns = amount if amount.ndim == 2 else amount[:, None]
    held = np.concatenate(([-window_s], seconds, [seconds[-1] + window_s]))
    span = np.diff(seconds)[[0, -1], None]
    around = np.concatenate((columns[:1] * window_s / span[0], columns, columns[-1:] * window_s / span[1]))
    out = felt(held, around, Response(window_s, -0.5 * window_s))[1:-1]
    return out if amount.ndim == 2 else out[:, 0]


def whole(edges: Ints, window_s: float) -> Bools:
    """Windows (n,) whose smeared amounts are made of nothing before the first edge or after the last."""
    seconds = (edges - edges[0]) / 1e9
    inside = (seconds[:-1] >= 0.5 * window_s - 1e-9) & (seconds[1:] <= seconds[-1] - 0.5 * window_s + 1e-9)
    return np.asarray(inside, dtype=np.bool_)
