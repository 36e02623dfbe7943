"""Drift: a group of coefficients that no longer holds, found in residuals while they come in.

What is watched is the log of measured over predicted energy of one rail. In window t it is

    r_t = h_t g + b_c + e_t

b_c: by how much the running program (context c) draws more than the model says, known from when it ran before or
not; g: drift of a group of coefficients that makes up the share h_t of the prediction; e_t: noise, Student's t.
Two clocks run beside each other. The slow one believes that g stays; the fast one, for each group, that g has
changed at some time since the slow one last did as well. The sum of log likelihoods by which the fast clock wins
(CUSUM: Page 1954; with an unknown change: Lorden 1971) raises the alarm. Then g of that group alone is let loose and
learned anew; everything else keeps what it knows.

All numbers of a filter are arrays over streams (m,), so that days can be simulated at once; a run is one stream.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SHIFT_SD = 0.2  # of ln g when something has changed
# Usual scatter in ln of programs, of one program's frequencies and of its runs; few runs do not show it.
CONTEXT_SD, RELATED_SD, VISIT_SD = 0.05, 0.03, 0.02
USUAL_WORTH = 1.0  # degrees of freedom
HOLD_S = 3.0  # an alarm has to hold so long: phases of a program that end by themselves are none
TAILS = 4.0  # degrees of freedom of the noise
DAY_S = 86400.0
FALSE_PER_DAY = 0.3  # what the threshold is set for, on residuals that are known to hold no drift
THRESHOLDS = (10.0, 40.0)  # least and greatest log likelihood: what was never seen is not ruled out, nor is sight
LEAST_SHIFT = 0.1  # of ln g: less than that slow forgetting follows, and phases of a program differ by it
STREAMS = 96  # so many streams are simulated at once
SIMULATED_DAYS = 6.0
WALK = 2e-7  # variance by which a context's b grows in a window


@dataclass(frozen=True, slots=True)
class Noise:
    """How residuals scatter, in ln: sd_context between contexts (programs), sd_related between those that are related
    (a program's frequencies), sd_visit between visits of one, sd_window between windows of a visit; `like`: how many
    neighbouring windows are as good as one (autocorrelation)."""

    sd_context: float
    sd_related: float
    sd_visit: float
    sd_window: float
    like: float

    @classmethod
    def of(cls, left_out: Floats, inside: Floats, context: Ints, visit: Ints, family: Ints) -> Noise:
        """From residuals (n,) of programs the model did not see, residuals it was fitted to, and who ran when.

        visit (n,): number of the stretch in which one context ran; family (contexts,): which are related.
        """
        bias = _means(left_out, family[context])
        present = np.unique(context)
        by_context = _means(inside, context)
        within = by_context - _means(by_context, family[present])[np.unique(family[present], return_inverse=True)[1]]
        free = present.size - np.unique(family[present]).size
        by_visit = _means(inside, visit)
        owner = context[np.unique(visit, return_index=True)[1]]
        spread = by_visit - _means(by_visit, owner)[np.unique(owner, return_inverse=True)[1]]
        again = by_visit.size - np.unique(owner).size  # contexts that ran once say nothing here
        rest = inside - by_visit[np.unique(visit, return_inverse=True)[1]]
        follow = visit[1:] == visit[:-1]
        variance = float(np.mean(rest**2))
        alike = (
            float(np.mean(rest[1:][follow] * rest[:-1][follow])) / variance if follow.any() and variance > 0 else 0.0
        )
        alike = min(max(alike, 0.0), 0.9)
        # Robust: half of the squares may come from a strange window now and then.
        width = float(np.median(np.abs(rest))) / 0.6745
        return cls(
            _pooled(CONTEXT_SD, float(bias @ bias), bias.size), _pooled(RELATED_SD, float(within @ within), free),
            _pooled(VISIT_SD, float(spread @ spread), again),
            max(0.5 * (width + variance**0.5), 0.003), (1.0 + alike) / (1.0 - alike),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alarm:
    """A group that has drifted: window number, name, by what factor its coefficients changed, log likelihood."""

    window: int
    group: str
    factor: float
    evidence: float

    def reason(self) -> str:
        """One sentence."""
        return (
            f"{self.group} draws {100 * (self.factor - 1):+.0f} % against what was learned before "
            f"(e^{self.evidence:.0f} times likelier than no change); only its coefficients were loosened"
        )


class _Filter:
    """Means and covariances of (g, b) for m streams, and what is known of every context's b (m, contexts)."""

    def __init__(self, streams: int, family: Ints, noise: Noise) -> None:
        self.noise = noise
        contexts = family.size
        self._related = family[:, None] == family
        self.g, self.b, self.gg, self.gb, self.bb = (np.zeros(streams) for _ in range(5))
        self.mean = np.zeros((streams, contexts))
        self.variance = np.full((streams, contexts), noise.sd_context**2)
        self.seen = np.zeros((streams, contexts), dtype=np.bool_)

    def leave(self, rows: Ints, context: Ints) -> None:
        """Streams `rows` end a visit of their contexts."""
        self.mean[rows, context], self.variance[rows, context] = self.b[rows], self.bb[rows]
        self.seen[rows, context] = True

    def enter(self, rows: Ints, context: Ints) -> None:
        """Streams `rows` begin a visit."""
        again = self.seen[rows, context]
        # A context that never ran is taken for like those that are related to it.
        known = self._related[context] & self.seen[rows]
        count = known.sum(axis=1)
        like = np.sum(self.mean[rows] * known, axis=1) / np.maximum(count, 1)
        unsure = np.where(
            count > 0, self.noise.sd_related**2 * (1.0 + 1.0 / np.maximum(count, 1)), self.noise.sd_context**2
        )
        self.b[rows] = np.where(again, self.mean[rows, context], like)
        self.bb[rows] = np.where(again, self.variance[rows, context], unsure) + self.noise.sd_visit**2
        self.gb[rows] = 0.0

    def expected(self, h: Floats) -> Floats:
        """ln of measured over predicted as this clock expects it, (m,)."""
        return np.asarray(h * self.g + self.b, dtype=np.float64)

    def learn(self, h: Floats, r: Floats) -> Floats:
        """One window: r (m,), NaN where nothing was measured; answers the log likelihood of what was seen."""
        self.bb += WALK
        usual = self.noise.sd_window**2 * self.noise.like
        error = r - self.expected(h)
        spread = h * h * self.gg + 2.0 * h * self.gb + self.bb
        square = error**2 / (spread + usual)
        likely = -0.5 * np.log(spread + usual) - 0.5 * (TAILS + 1.0) * np.log1p(square / TAILS)
        # A strange window counts less: its noise is taken for as large as it must be.
        noise = usual * np.maximum(1.0, (TAILS + square) / (TAILS + 1.0))
        whole = spread + noise
        gain_g, gain_b = (h * self.gg + self.gb) / whole, (h * self.gb + self.bb) / whole
        known = np.isfinite(r)
        error = np.where(known, error, 0.0)
        gain_g, gain_b = np.where(known, gain_g, 0.0), np.where(known, gain_b, 0.0)
        self.g += gain_g * error
        self.b += gain_b * error
        cross_g, cross_b = h * self.gg + self.gb, h * self.gb + self.bb
        self.gg = np.maximum(self.gg - gain_g * cross_g, 0.0)
        self.bb = np.maximum(self.bb - gain_b * cross_b, 1e-12)
        self.gb -= gain_g * cross_b
        return np.where(known, likely, 0.0)

    def take(self, other: _Filter, rows: Bools) -> None:
        """Become a copy of another filter in the streams where `rows` (m,)."""
        for name in ("g", "b", "gg", "gb", "bb", "mean", "variance", "seen"):
            mine = getattr(self, name)
            mine[rows] = getattr(other, name)[rows]


class Watch:
    """Slow and fast clock over the residuals of one rail.

    groups: names of the groups of coefficients; family (contexts,): a number for each program, the same for those
    that are related; threshold: log likelihood that raises an alarm (see `threshold_for`) when it has been
    passed for `hold` windows; streams: how many are watched at once.
    """

    def __init__(
        self, groups: Sequence[str], family: Ints, noise: Noise, *, threshold: float, hold: int = 1, streams: int = 1
    ) -> None:
        self.groups, self.threshold = tuple(groups), threshold
        self.slow = _Filter(streams, family, noise)
        self._fast = [_Filter(streams, family, noise) for _ in groups]
        self._sum = np.zeros((streams, len(self.groups)))
        self._kept = np.zeros((streams, len(self.groups)))  # drift that was accepted before the last alarm
        self._active = np.zeros(streams, dtype=np.int64)  # the group whose g the slow clock still learns
        self._context = np.full(streams, -1, dtype=np.int64)
        self._every = np.arange(streams)
        self._recent = np.zeros((streams, max(1, hold)))
        self._tick = 0
        self._restart(np.ones((streams, len(self.groups)), dtype=np.bool_))

    def expected(self, h: Floats, context: Ints) -> Floats:
        """ln of measured over predicted to be expected in the next window, (m,); h (m, groups), context (m,)."""
        self._move(context)
        return np.asarray(self.slow.expected(h[self._every, self._active]) + np.sum(h * self._kept, axis=1))

    def factors(self) -> dict[str, float]:
        """What the coefficients of each group have to be multiplied by now, first stream."""
        now = self._kept[0].copy()
        now[self._active[0]] += self.slow.g[0]
        return dict(zip(self.groups, np.exp(now).tolist(), strict=True))

    def learn(self, h: Floats, context: Ints, r: Floats) -> Bools:
        """One window: shares h (m, groups), contexts (m,), residuals r (m,), NaN: not measured; where alarms were
        raised (m,)."""
        self._move(context)
        left = r - np.sum(h * self._kept, axis=1)
        active = h[self._every, self._active]
        slow_g = self.slow.g.copy()
        usual = self.slow.learn(active, left)
        for k, fast in enumerate(self._fast):
            # What the slow clock still holds of the active group is part of every fast one's picture.
            other = np.where(self._active == k, 0.0, active * slow_g)
            self._sum[:, k] += fast.learn(h[:, k], left - other) - usual
        self._restart(self._sum <= 0.0)
        np.maximum(self._sum, 0.0, out=self._sum)
        self._recent[:, self._tick % self._recent.shape[1]] = self._ahead()
        self._tick += 1
        return np.asarray(self.sustained() > self.threshold, dtype=np.bool_)

    def sustained(self) -> Floats:
        """By how much a fast clock that holds a shift worth an alarm has been ahead all the time lately, (m,)."""
        return np.asarray(self._recent.min(axis=1), dtype=np.float64)

    def _ahead(self) -> Floats:
        """Sum of the likeliest fast clock, 0 where the shift it holds is not worth an alarm, (m,)."""
        best = np.argmax(self._sum, axis=1)
        change = np.array([fast.g - np.where(self._active == k, self.slow.g, 0.0) for k, fast in enumerate(self._fast)])
        large = np.abs(change[best, self._every]) >= LEAST_SHIFT
        return np.asarray(np.where(large, self._sum[self._every, best], 0.0), dtype=np.float64)

    def accept(self, rows: Bools) -> tuple[Ints, Floats, Floats]:
        """Believe the fast clock in these streams (m,): group, change of ln g and evidence of each of them."""
        group = np.argmax(self._sum, axis=1)
        found, evidence = np.zeros(rows.size), self._sum.max(axis=1)
        for k, fast in enumerate(self._fast):
            mine = rows & (group == k)
            if not mine.any():
                continue
            same = mine & (self._active == k)
            found = np.where(mine, fast.g - np.where(same, self.slow.g, 0.0), found)
            rest = np.flatnonzero(mine & ~same)
            self._kept[rest, self._active[rest]] += self.slow.g[rest]
            self.slow.take(fast, mine)
            self._active[mine] = k
        again = np.zeros_like(self._sum, dtype=np.bool_)
        again[rows] = True
        self._sum[rows] = 0.0
        self._recent[rows] = 0.0
        self._restart(again)
        return group[rows], found[rows], evidence[rows]

    def _move(self, context: Ints) -> None:
        changed = np.flatnonzero(context != self._context)
        if not changed.size:
            return
        old = changed[self._context[changed] >= 0]
        for one in (self.slow, *self._fast):
            if old.size:
                one.leave(old, self._context[old])
            one.enter(changed, context[changed])
        self._context = context.copy()

    def _restart(self, rows: Bools) -> None:
        """The fast clocks begin where the slow one is, with their group let loose: rows (m, groups)."""
        for k, fast in enumerate(self._fast):
            mine = rows[:, k]
            fast.take(self.slow, mine)
            # Where the group is not the one the slow clock still learns, its g starts from no change.
            fresh = mine & (self._active != k)
            fast.g[fresh], fast.gg[fresh], fast.gb[fresh] = 0.0, 0.0, 0.0
            fast.gg[mine] += SHIFT_SD**2


def watch_run(watch: Watch, h: Floats, context: Ints, r: Floats, *, first: int = 0) -> tuple[Floats, tuple[Alarm, ...]]:
    """One stream from its first window on: what was expected of each window before it was seen (n,), and the alarms.

    h (n, groups), context (n,), r (n,). `first`: number of the first window.
    """
    expected, alarms = np.zeros(r.size), []
    for t in range(r.size):
        now, here = h[t : t + 1], context[t : t + 1]
        expected[t] = watch.expected(now, here)[0]
        raised = watch.learn(now, here, r[t : t + 1])
        if raised[0]:
            group, change, evidence = (each[0] for each in watch.accept(raised))
            alarms.append(Alarm(first + t, watch.groups[int(group)], float(np.exp(change)), float(evidence)))
    return expected, tuple(alarms)


@dataclass(frozen=True, slots=True)
class Visits:
    """Residuals without drift, cut where the context changes: h (n, groups), r (n,), and per visit its context,
    first row and length."""

    h: Floats
    r: Floats
    context: Ints
    start: Ints
    length: Ints

    @classmethod
    def of(cls, h: Floats, context: Ints, r: Floats, visit: Ints) -> Visits:
        """Cut rows (n,) into visits by their number."""
        start = np.flatnonzero(np.concatenate(([True], visit[1:] != visit[:-1]))).astype(np.int64)
        length = np.diff(np.append(start, visit.size)).astype(np.int64)
        return cls(h, r, context[start], start, length)


def simulate(watch: Watch, visits: Visits, windows: int, seed: int) -> tuple[Floats, Ints]:
    """Streams of `windows` windows made of visits drawn by chance: every stream's greatest sums, and its alarms.

    The answer's first part (alarms or windows / visit lengths, any) are the peaks of the CUSUM between
    restarts, the second the number of alarms in each stream (m,).
    """
    random = np.random.default_rng(seed)
    streams = watch._every.size
    pick = random.integers(0, visits.start.size, streams)
    at = np.zeros(streams, dtype=np.int64)
    alarms = np.zeros(streams, dtype=np.int64)
    peaks: list[Floats] = []
    highest = np.zeros(streams)
    for _ in range(windows):
        over = at >= visits.length[pick]
        if over.any():
            pick = np.where(over, random.integers(0, visits.start.size, streams), pick)
            at = np.where(over, 0, at)
        row = visits.start[pick] + at
        raised = watch.learn(visits.h[row], visits.context[pick], visits.r[row])
        total = watch.sustained()
        done = (total <= 0.0) & (highest > 0.0)
        if done.any():
            peaks.append(highest[done])
        highest = np.where(total <= 0.0, 0.0, np.maximum(highest, total))
        if raised.any():
            watch.accept(raised)
            alarms += raised
        at += 1
    return np.concatenate([*peaks, highest]), alarms


def hold_windows(window_s: float) -> int:
    """How many windows of this length an alarm has to hold."""
    return max(1, round(HOLD_S / window_s))


def threshold_for(groups: Sequence[str], family: Ints, noise: Noise, visits: Visits, window_s: float) -> float:
    """The least threshold that residuals without drift reach FALSE_PER_DAY times a day, within THRESHOLDS.

    A day is simulated from visits in an order of chance, several times.
    """
    watch = Watch(groups, family, noise, threshold=np.inf, hold=hold_windows(window_s), streams=STREAMS)
    windows = round(SIMULATED_DAYS * DAY_S / window_s / STREAMS)
    peaks, _ = simulate(watch, visits, windows, 0)
    allowed = max(1, round(FALSE_PER_DAY * SIMULATED_DAYS))
    highest = np.sort(peaks)[::-1]
    least = float(highest[allowed]) if highest.size > allowed else float(highest.max(initial=0.0))
    return float(np.clip(1.1 * least, *THRESHOLDS))


def to_json(alarms: Sequence[Alarm], at_s: Mapping[int, float]) -> list[dict[str, object]]:
    """Alarms as plain JSON; `at_s`: time of each alarm's window."""
    return [
        {"t_s": at_s[a.window], "group": a.group, "factor": a.factor, "evidence": a.evidence, "reason": a.reason()}
        for a in alarms
    ]


def _pooled(usual: float, squares: float, count: int) -> float:
    """Standard deviation from a sum of squares with `count` degrees of freedom and what is usual, worth USUAL_WORTH."""
    return float(np.sqrt((USUAL_WORTH * usual**2 + squares) / (USUAL_WORTH + max(count, 0))))


def _means(values: Floats, label: Ints) -> Floats:
    """Mean of each label's values, labels ascending."""
    which = np.unique(label, return_inverse=True)[1]
    return np.asarray(np.bincount(which, values) / np.bincount(which), dtype=np.float64)
