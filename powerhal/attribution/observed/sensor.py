"""What a slow sensor does to a rail's power, learned from the recording itself and done to the activities too.

A reading at t is the mean of the power over (t - lag - window, t - lag]: gauges average over seconds and answer
late. Nothing can be read back out of such readings; but an activity that is averaged and delayed in the same way
explains them, and the coefficients are the same. Window and lag are those under which the activities explain
the readings best, every coefficient free (profile likelihood); how sharp that optimum is gives their intervals.

Times in s on any common clock, amounts are activity * seconds, so amount / seconds is the activity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from powerhal.errors import NotEnoughData

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

WINDOWS_S = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.5, 8.0)
LAGS_S = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
FINEST_S = 0.01  # steps of the search end here
WORTH = 1e-6  # a step that gains less is not taken
STENCIL_S = 0.1  # step over which the curvature at the optimum is taken
RIDGE = 1e-6  # of a column's own square: only so that twins do not make the system singular
Z90 = 1.6448536269514722
LEAST_READINGS = 20


@dataclass(frozen=True, slots=True)
class Response:
    """A sensor that shows the mean over `window_s` and is `lag_s` late."""

    window_s: float
    lag_s: float

    def reach_s(self) -> float:
        """How far back a reading reaches."""
        return self.window_s + self.lag_s


@dataclass(frozen=True, slots=True)
class Stream:
    """One stretch without gaps: activities and the readings of one sensor.

    edges_s (m+1,) ascending; amount (m, p): each activity between the edges; at_s (n,), reading (n,): times
    and values of the readings.
    """

    edges_s: Floats
    amount: Floats
    at_s: Floats
    reading: Floats


@dataclass(frozen=True, slots=True)
class Learned:
    """The likeliest response, 90 % intervals of its numbers, and how much likelier it is than an instant sensor.

    `gain`: difference of the log likelihoods, as if readings less than a window apart were one.
    """

    response: Response
    window_s: tuple[float, float]
    lag_s: tuple[float, float]
    gain: float

    def to_json(self) -> dict[str, float | list[float]]:
        """Plain JSON, s."""
        return {
            "window_s": self.response.window_s, "window_90_s": list(self.window_s),
            "lag_s": self.response.lag_s, "lag_90_s": list(self.lag_s), "gain": self.gain,
        }  # fmt: skip


def shown(edges_s: Floats, amount: Floats, at_s: Floats, response: Response) -> Floats:
    """What a sensor with this response shows of each activity at the times `at_s` (n,): mean activity, (n, p).

    Before the first edge and after the last, the first and last activity hold.
    """
    end = at_s - response.lag_s
    if response.window_s <= 1e-9:
        return _rate(edges_s, amount, end)
    total = _Total(edges_s, amount)
    return np.asarray((total(end) - total(end - response.window_s)) / response.window_s, dtype=np.float64)


def felt(edges_s: Floats, amount: Floats, response: Response) -> Floats:
    """Amounts (m, p) between the edges as such a sensor, read all the time, would count them."""
    if response.window_s <= 1e-9:
        return np.asarray(np.diff(_Total(edges_s, amount)(edges_s - response.lag_s), axis=0), dtype=np.float64)
    integral = _Integral(edges_s, amount)
    end = edges_s - response.lag_s
    mean = (integral(end) - integral(end - response.window_s)) / response.window_s
    return np.asarray(np.diff(mean, axis=0), dtype=np.float64)


def settled(edges_s: Floats, response: Response) -> Bools:
    """Windows (m,) whose readings reach back to nothing before the first edge."""
    return np.asarray(edges_s[:-1] - response.reach_s() >= edges_s[0] - 1e-9, dtype=np.bool_)


def learn_response(
    streams: Sequence[Stream], *, windows_s: Sequence[float] = WINDOWS_S, fixed_window: bool = False
) -> Learned:
    """Window and lag of the sensor behind these streams, every stream with coefficients of its own.

    `windows_s`: the lengths to start from; `fixed_window`: and to stay at. Only readings that no candidate lets
    reach back before a stream are used, the same for all candidates. Raises NotEnoughData where too few remain.
    """
    profile = _Profile(streams, max(windows_s) + max(LAGS_S))
    start = min((Response(w, lag) for w in windows_s for lag in LAGS_S), key=lambda r: -profile(r.window_s, r.lag_s))
    best = _climb(profile, start, 0.0 if fixed_window else 1.0)
    window, lag = best.window_s, best.lag_s
    sd = _spread(profile, window, lag)
    return Learned(
        best,
        (max(0.0, window - Z90 * sd[0]), window + Z90 * sd[0]),
        (max(0.0, lag - Z90 * sd[1]), lag + Z90 * sd[1]),
        profile(window, lag) - profile(0.0, 0.0),
    )


class _Profile:
    """Log likelihood of (window, lag), coefficients and noise at their best: sum of -n/2 ln(residual square)."""

    def __init__(self, streams: Sequence[Stream], reach_s: float) -> None:
        self._streams = []
        for s in streams:
            # Half of a short stream may be given up for the longest candidates, not more.
            least = s.edges_s[0] + min(reach_s, 0.5 * float(s.edges_s[-1] - s.edges_s[0]))
            kept = (s.at_s >= least) & (s.at_s <= s.edges_s[-1] + 1e-9) & np.isfinite(s.reading)
            if kept.sum() > max(LEAST_READINGS, 2 * s.amount.shape[1]):
                self._streams.append(Stream(s.edges_s, s.amount, s.at_s[kept], s.reading[kept]))
        if not self._streams:
            raise NotEnoughData(
                "too few readings to learn the window and lag of a sensor",
                hint="record longer, with loads that change",
            )
        self._totals = [_Total(s.edges_s, s.amount) for s in self._streams]
        self._step_s = float(np.median(np.concatenate([np.diff(s.at_s) for s in self._streams])))
        self._known: dict[tuple[float, float], float] = {}
        self._apart_s = 0.0

    def __call__(self, window_s: float, lag_s: float) -> float:
        key = (round(window_s, 4), round(lag_s, 4))
        if key not in self._known:
            each = zip(self._streams, self._totals, strict=True)
            self._known[key] = sum(self._one(s, total, *key) for s, total in each)
        return self._known[key] * self._step_s / max(self._step_s, self._apart_s)

    def apart(self, window_s: float) -> None:
        """Readings less than this far apart share what the model misses: they count as one."""
        self._apart_s = window_s

    def _one(self, stream: Stream, total: _Total, window_s: float, lag_s: float) -> float:
        end = stream.at_s - lag_s
        x = _rate(stream.edges_s, stream.amount, end) if window_s <= 0.0 else (
            (total(end) - total(end - window_s)) / window_s
        )  # fmt: skip
        x = np.column_stack((x, np.ones(end.size)))
        norm = np.sqrt(np.sum(x * x, axis=0))
        x = x[:, norm > 0] / norm[norm > 0]
        right = x.T @ stream.reading
        theta = np.linalg.solve(x.T @ x + RIDGE * np.eye(right.size), right)
        left = stream.reading - x @ theta
        return -0.5 * end.size * float(np.log(max(float(left @ left), 1e-30) / end.size))


def _climb(profile: _Profile, start: Response, stretch: float) -> Response:
    """Uphill from the best of the coarse grid, in steps that halve; windows and lags stay at or above 0.

    `stretch`: how far the window goes with each step (0: it stays).
    """
    place, step = (start.window_s, start.lag_s), 0.25
    while step > FINEST_S:
        around = [
            (max(0.0, place[0] + a * stretch * step), max(0.0, place[1] + b * step))
            for a in (-2, -1, 0, 1, 2)
            for b in (-1, 0, 1)
        ]
        best = max(around, key=lambda at: profile(*at))
        if profile(*best) <= profile(*place) + WORTH:
            step *= 0.5
        else:
            place = best
    return Response(*place)


def _spread(profile: _Profile, window_s: float, lag_s: float) -> tuple[float, float]:
    """Standard deviations of window and lag from the curvature of the profile; inf where it is flat."""
    profile.apart(window_s)
    h = STENCIL_S
    w, lag = max(window_s, h), max(lag_s, h)  # at the border the curvature just inside is taken
    middle = profile(w, lag)
    ww = (profile(w + h, lag) - 2 * middle + profile(w - h, lag)) / h**2
    ll = (profile(w, lag + h) - 2 * middle + profile(w, lag - h)) / h**2
    wl = (
        profile(w + h, lag + h) - profile(w + h, lag - h) - profile(w - h, lag + h) + profile(w - h, lag - h)
    ) / (4 * h**2)  # fmt: skip
    information = -np.array([[ww, wl], [wl, ll]])
    if not np.isfinite(information).all() or np.linalg.eigvalsh(information)[0] <= 0.0:
        return float("inf"), float("inf")
    variance = np.diag(np.linalg.inv(information))
    return float(np.sqrt(variance[0])), float(np.sqrt(variance[1]))


class _Total:
    """Amounts counted from the first edge to any time, (n, p): straight lines between edges and on beyond them."""

    def __init__(self, edges_s: Floats, amount: Floats) -> None:
        self._edges = edges_s
        self._rate = amount / np.diff(edges_s)[:, None]
        self._total = np.concatenate((np.zeros((1, amount.shape[1])), np.cumsum(amount, axis=0)))

    def __call__(self, at_s: Floats) -> Floats:
        k = np.clip(np.searchsorted(self._edges, at_s, side="right") - 1, 0, len(self._rate) - 1)
        return np.asarray(self._total[k] + self._rate[k] * (at_s - self._edges[k])[:, None], dtype=np.float64)


class _Integral:
    """Integral of `_Total` from the first edge, (n, p)."""

    def __init__(self, edges_s: Floats, amount: Floats) -> None:
        self._edges = edges_s
        span = np.diff(edges_s)[:, None]
        self._rate = amount / span
        self._total = np.concatenate((np.zeros((1, amount.shape[1])), np.cumsum(amount, axis=0)))
        pieces = (self._total[:-1] + 0.5 * amount) * span
        self._area = np.concatenate((np.zeros((1, amount.shape[1])), np.cumsum(pieces, axis=0)))

    def __call__(self, at_s: Floats) -> Floats:
        k = np.clip(np.searchsorted(self._edges, at_s, side="right") - 1, 0, len(self._rate) - 1)
        into = (at_s - self._edges[k])[:, None]
        return np.asarray(self._area[k] + (self._total[k] + 0.5 * self._rate[k] * into) * into, dtype=np.float64)


def _rate(edges_s: Floats, amount: Floats, at_s: Floats) -> Floats:
    """Activity at any time, (n, p)."""
    k = np.clip(np.searchsorted(edges_s, at_s, side="left") - 1, 0, len(amount) - 1)
    return np.asarray(amount[k] / np.diff(edges_s)[k][:, None], dtype=np.float64)
