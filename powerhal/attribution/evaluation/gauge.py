"""`powerhal bench gauge`: a rail seen through a slow sensor (averaged, delayed, coarse), and seen through it.

The readings of a real rail are distorted as a battery gauge would; window and lag are learned from the distorted
readings alone, the activities get the same window and lag, and every program's true power is predicted from
the other programs. Sensor settings vary with the seed; seed 0 is the hardest (4 s, 2 s).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from powerhal.attribution.evaluation.alignment import aligned, cells
from powerhal.attribution.evaluation.features import COUNTERS, CYCLES, Curve, Design, design
from powerhal.attribution.evaluation.forecast import Lags, operating_points
from powerhal.attribution.evaluation.heat import HEAT, felt, with_heat
from powerhal.attribution.evaluation.rail import Points, Sample
from powerhal.attribution.evaluation.scores import POWER, measured
from powerhal.attribution.evaluation.selection import learn
from powerhal.attribution.evaluation.table import Bools, Floats, Integers, Table, read_table
from powerhal.attribution.observed.sensor import Response, Stream, learn_response, shown
from powerhal.errors import NotEnoughData

Progress = Callable[[str], None]

LSB_W = 0.05
HARDEST = Response(4.0, 2.0)
WINDOWS_S, LAGS_S = (2.0, 4.0), (1.0, 2.0)
SESSION = ("suite", "cores", "events_list", "run", "set_freq_mhz")
INSTANT = Response(0.0, 0.0)
LEAST_READING_W = LSB_W  # a reading below one step has no relative error


@dataclass(frozen=True, slots=True)
class Session:
    """Rows (n,) of a table that were measured one after another, pauses left out, and the borders (n+1,) in s."""

    rows: Integers
    edges_s: Floats


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one suite and counter set with their sessions; sharp: columns as they were, by curve."""

    table: Table
    rows: Integers
    counted: tuple[str, ...]
    points: Points
    sessions: tuple[Session, ...]
    program: Integers

    @property
    def heated(self) -> tuple[str, ...]:
        """The temperature differences that every row has."""
        return HEAT if felt(self.table).all() else ()

    def sharp(self, curve: Curve, warm: bool = False) -> Design:
        """The columns of every row; warm: with temperature differences."""
        volts = self.points.volts_at(self.table.number("a15_freq_mhz"))
        return design(self.table, self.counted, volts, curve, self.heated if warm else ())

    def blurred(self, curve: Curve, response: Response, warm: bool = False) -> Design:
        """The columns as a sensor with this response shows them."""
        columns = self.sharp(curve, warm)
        if response == INSTANT:
            return columns
        static, heat, dynamic = columns.static.copy(), columns.heat.copy(), columns.dynamic.copy()
        first = 1 + heat.shape[1]
        for session in self.sessions:
            spans = np.diff(session.edges_s)[:, None]
            every = np.column_stack((static[session.rows], heat[session.rows], dynamic[session.rows])) * spans
            seen = shown(session.edges_s, every, session.edges_s[1:], response)
            static[session.rows], heat[session.rows] = seen[:, 0], seen[:, 1:first]
            dynamic[session.rows] = seen[:, first:]
        return replace(columns, static=static, heat=heat, dynamic=dynamic)


def bench_gauge(train: str | Path, *, seeds: int = 3, progress: Progress | None = None) -> dict[str, Any]:
    """Distort, learn window and lag back, fit and judge; the JSON report, percents and seconds.

    Raises FileError on a bad file and NotEnoughData when no program could be left out.
    """
    say = progress or (lambda _text: None)
    table = with_heat(read_table(train))
    table = table.where(measured(table) & np.isfinite(table.number("a15_freq_mhz")) & usable(table))
    groups = grouped(table)
    if not groups:
        raise NotEnoughData(
            "no suite has two programs with counters and a measured a15_w", hint="--train needs several programs"
        )
    say("without distortion")
    straight = _errors(groups, INSTANT, [g.table.number(POWER) for g in groups])
    settings = []
    for seed in range(max(1, seeds)):
        response = _setting(seed)
        say(f"seed {seed}: {response.window_s:.2f} s average, {response.lag_s:.2f} s lag, {1e3 * LSB_W:g} mW")
        settings.append(_one(groups, response))
    first = settings[0]
    return {
        "schema": 1,
        "protocol": "leave one program out, window and lag from the distorted readings",
        "train": str(train),
        "rows": sum(len(g.table) for g in groups),
        "mape_percent": first["mape_percent"]["learned"],
        "window_error_s": first["window_error_s"],
        "lag_error_s": first["lag_error_s"],
        "undistorted": _scored(groups, straight),
        "settings": settings,
        "over_seeds": _over_seeds(settings),
    }


def usable(table: Table) -> Bools:
    """Rows with a cycle count above 0; all rows where the file has none at all."""
    cycles = np.nan_to_num(table.number(CYCLES)) > 0.0
    return cycles if cycles.any() else np.ones(len(table), dtype=np.bool_)


def _setting(seed: int) -> Response:
    """The sensor of a seed."""
    if seed == 0:
        return HARDEST
    random = np.random.default_rng(seed)
    return Response(float(random.uniform(*WINDOWS_S)), float(random.uniform(*LAGS_S)))


def grouped(table: Table) -> list[Group]:
    """Suites and counter sets with at least two programs, counters on the clock of the undistorted sensor."""
    kind = cells(table, ("suite", "events_list"))
    lag_s = Lags(table).best_s()
    out = []
    for one in range(int(kind.max(initial=-1)) + 1):
        rows = np.flatnonzero(kind == one)
        part = table.where(rows)
        counted = part.counted(COUNTERS)
        part = aligned(part, counted, lag_s)
        program = np.unique(part.text("benchmark"), return_inverse=True)[1]
        if program.max(initial=0) > 0:
            out.append(
                Group(
                    part, rows, counted, operating_points(part, part), tuple(_sessions(part)), program.astype(np.int64)
                )
            )
    return out


def _sessions(table: Table) -> Iterator[Session]:
    """Runs of several programs at one frequency, back to back, in the order of time."""
    group, times_ns = cells(table, SESSION), table.times_ns()
    program = cells(table, (*SESSION, "benchmark"))
    for one in range(int(group.max(initial=-1)) + 1):
        rows = np.flatnonzero(group == one)
        rows = rows[np.argsort(times_ns[rows], kind="stable")]
        steps = np.diff(times_ns[rows]) / 1e9
        inside = steps[np.diff(program[rows]) == 0]
        usual = float(np.median(inside)) if inside.size else 0.5
        # Pauses between programs were not recorded; a session closes them.
        steps = np.where((steps > 0) & (steps < 2.0 * usual), steps, usual)
        yield Session(rows, np.concatenate(([0.0], usual + np.concatenate(([0.0], np.cumsum(steps))))))


def _distorted(group: Group, response: Response) -> Floats:
    """Readings (n,) W of a gauge at the end of each row; NaN where it would show what was before the session."""
    truth_w = group.table.number(POWER)
    out = np.full(truth_w.size, np.nan)
    for session in group.sessions:
        edges = session.edges_s
        energy = (truth_w[session.rows] * np.diff(edges))[:, None]
        seen = np.round(shown(edges, energy, edges[1:], response)[:, 0] / LSB_W) * LSB_W
        out[session.rows] = np.where(edges[1:] >= response.reach_s() - 1e-9, seen, np.nan)
    return out


def _streams(group: Group, reading_w: Floats) -> Iterator[Stream]:
    """Counters, temperature and one indicator per program of each session: what a program is off by is no step."""
    table = group.table
    columns = [table.number(name) for name in group.counted] + [np.nan_to_num(table.number("a15_temp_c"))]
    activity = np.column_stack(columns)
    for session in group.sessions:
        here = np.unique(group.program[session.rows], return_inverse=True)[1]
        indicators = np.eye(here.max() + 1)[here][:, :-1]  # a constant is there already
        amount = np.column_stack((activity[session.rows], indicators)) * np.diff(session.edges_s)[:, None]
        yield Stream(session.edges_s, amount, session.edges_s[1:], reading_w[session.rows])


def _one(groups: Sequence[Group], response: Response) -> dict[str, Any]:
    """One sensor: what was learned of it, and the errors of every way to use its readings."""
    readings = [_distorted(g, response) for g in groups]
    streams = [s for g, r in zip(groups, readings, strict=True) for s in _streams(g, r)]
    learned = learn_response(streams)
    late = learn_response(streams, windows_s=(0.0,), fixed_window=True)
    ways = {
        "naive": INSTANT,
        "one_lag": late.response,
        "known": response,
        "learned": learned.response,
    }
    errors = {name: _errors(groups, way, readings) for name, way in ways.items()}
    scores = {name: _scored(groups, found) for name, found in errors.items()}
    return {
        "window_s": response.window_s,
        "lag_s": response.lag_s,
        "lsb_w": LSB_W,
        "learned": learned.to_json(),
        "window_error_s": abs(learned.response.window_s - response.window_s),
        "lag_error_s": abs(learned.response.lag_s - response.lag_s),
        "window_inside_90": learned.window_s[0] <= response.window_s <= learned.window_s[1],
        "lag_inside_90": learned.lag_s[0] <= response.lag_s <= learned.lag_s[1],
        "mape_percent": {name: found["mape_percent"] for name, found in scores.items()},
        "per_suite": {name: found["per_suite"] for name, found in scores.items()},
        "by_events_list": {name: found["by_events_list"] for name, found in scores.items()},
    }


def _errors(groups: Sequence[Group], response: Response, readings: Sequence[Floats]) -> list[Floats]:
    """Relative errors (n,) of every row's true power, each program predicted from the readings of the others."""
    return [_left_out(group, response, reading) for group, reading in zip(groups, readings, strict=True)]


def _left_out(group: Group, response: Response, reading_w: Floats) -> Floats:
    frequency = group.table.number("a15_freq_mhz")
    point = np.searchsorted(group.points.frequencies_mhz, frequency)
    sharp: dict[tuple[Curve, bool], Design] = {}
    blurred: dict[tuple[Curve, bool], Design] = {}
    predicted = np.full(reading_w.size, np.nan)
    for one in range(int(group.program.max()) + 1):
        mine = group.program == one
        use = ~_touched(group, mine, response.reach_s()) & (np.nan_to_num(reading_w) >= LEAST_READING_W)

        def samples(curve: Curve, warm: bool = False, use: Bools = use) -> Sample:
            if (curve, warm) not in blurred:
                blurred[curve, warm] = group.blurred(curve, response, warm)
            return Sample(blurred[curve, warm].where(use), reading_w[use], group.program[use], point[use])

        def columns(curve: Curve, warm: bool = False, mine: Bools = mine) -> Design:
            if (curve, warm) not in sharp:
                sharp[curve, warm] = group.sharp(curve, warm)
            return sharp[curve, warm].where(mine)

        predicted[mine] = learn(samples, group.points, heat=bool(group.heated)).predict(columns, frequency[mine])[0]
    return np.asarray(predicted / group.table.number(POWER) - 1.0, dtype=np.float64)


def _touched(group: Group, mine: Bools, reach_s: float) -> Bools:
    """Rows (n,) whose reading reaches back to a row that is `mine`."""
    out = np.zeros(mine.size, dtype=np.bool_)
    for session in group.sessions:
        edges = session.edges_s
        before = np.concatenate(([0], np.cumsum(mine[session.rows])))
        first = np.clip(np.searchsorted(edges, edges[:-1] - reach_s, side="right") - 1, 0, None)
        out[session.rows] = before[1:] > before[first]
    return out


def _scored(groups: Sequence[Group], errors: Sequence[Floats]) -> dict[str, Any]:
    """Mean absolute error in percent over all rows, of each suite, and of each suite and counter set."""
    suite, events = (np.concatenate([g.table.text(name) for g in groups]) for name in ("suite", "events_list"))
    both = np.char.add(np.char.add(suite, " "), events)
    each = 100.0 * np.abs(np.concatenate(list(errors)))
    return {
        "mape_percent": float(each.mean()),
        "per_suite": {str(name): float(each[suite == name].mean()) for name in np.unique(suite)},
        "by_events_list": {str(name): float(each[both == name].mean()) for name in np.unique(both)},
    }


def _over_seeds(settings: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean and worst over the seeds."""
    ways = settings[0]["mape_percent"]
    return {
        "seeds": len(settings),
        "mape_percent": {
            way: {
                "mean": float(np.mean([s["mape_percent"][way] for s in settings])),
                "worst": float(np.max([s["mape_percent"][way] for s in settings])),
            }
            for way in ways
        },
        "window_error_s": float(np.max([s["window_error_s"] for s in settings])),
        "lag_error_s": float(np.max([s["lag_error_s"] for s in settings])),
    }
