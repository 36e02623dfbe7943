"""Rails whose sensor is slow: window and lag learned from the recording, and what it moved between windows moved back.

Such a rail is fitted with activities that are averaged as its readings are. Its books are kept with activities as
they were, so that who did something in a window pays for it there: the rail's energy of each window is its reading
plus what the model says the sensor moved into other windows. That adds nothing: the sum over the run stays the
measured one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from powerhal.attribution.design import Design
from powerhal.attribution.fitting.priors import Known
from powerhal.attribution.fitting.problem import Problem, build
from powerhal.attribution.observed.meter import SAMPLED, RailEnergy, readings
from powerhal.attribution.observed.sensed import BOARD_FILE, FAST, LEARNED, TOO_SHORT, Sensed, wide
from powerhal.attribution.observed.sensor import Response, Stream, learn_response
from powerhal.errors import NotEnoughData

Floats = npt.NDArray[np.float64]

SLOW_S = 0.25  # a window or pause between readings that is shorter cannot be told in windows of a second
LEAST_STRETCH_S = 20.0
EVIDENCE = 6.0  # log likelihood that window and lag must be worth, against an instant sensor
LEAST_LEFT = 0.05  # of a reading: no window's energy is moved away beyond that


def sensed(recording: Any, fine: Design, priors: Sequence[Known] = ()) -> dict[str, Sensed]:
    """By rail, window and lag of the sensors that may be slow; empty where all are fast.

    May be slow: gauges, and sensors whose window by the board file or whose pause between readings is SLOW_S or
    longer. fine: the recording in windows of one scan.
    """
    asked = [k for k, rail in enumerate(fine.rails) if rail.way in SAMPLED and _may_be_slow(recording, rail)]
    if not asked:
        return {}
    problem = build(fine, priors)
    return {fine.rails[k].rail: _learned(recording, problem, k) for k in asked}


def _may_be_slow(recording: Any, rail: RailEnergy) -> bool:
    if rail.quality_class == "gauge" or rail.average_s >= SLOW_S:
        return True
    at_ns, _ = readings(recording, rail)
    return at_ns.size > 1 and float(np.median(np.diff(at_ns))) / 1e9 >= SLOW_S


def _learned(recording: Any, problem: Problem, rail: int) -> Sensed:
    """Window and lag by profile likelihood; where that is not possible, what the board file says."""
    watch = problem.design.rails[rail]
    given = watch.average_s
    try:
        found = learn_response(list(_streams(recording, problem, rail)))
    except NotEnoughData:
        found = None
    if found is not None and found.gain >= EVIDENCE and np.isfinite((*found.window_s, *found.lag_s)).all():
        slow = found.response.reach_s() >= SLOW_S
        return Sensed(found.response, found.window_s, found.lag_s, LEARNED if slow else FAST, found.gain)
    if given >= SLOW_S:
        # A converter that runs by itself finished a reading up to a window before it was read.
        return Sensed(Response(given, 0.5 * given), (given, given), (0.0, given), BOARD_FILE)
    origin = TOO_SHORT if found is None else FAST
    return Sensed(Response(0.0, 0.0), (0.0, float("inf")), (0.0, float("inf")), origin)


def _streams(recording: Any, problem: Problem, rail: int) -> Iterator[Stream]:
    """Stretches in which everything that enters the rail's balance is known, with the readings in them."""
    design = problem.design
    at_ns, watts = readings(recording, design.rails[rail])
    edges_s, at_s = (design.edges - design.edges[0]) / 1e9, (at_ns - design.edges[0]) / 1e9
    columns = problem.columns[:, problem.of_rail(rail)]
    border = np.flatnonzero(np.diff(np.concatenate(([0], problem.usable[:, rail].astype(np.int64), [0]))))
    for first, last in border.reshape(-1, 2).tolist():
        edges = edges_s[first : last + 1]
        inside = (at_s >= edges[0]) & (at_s <= edges[-1])
        if edges[-1] - edges[0] >= LEAST_STRETCH_S and inside.any():
            yield Stream(edges, columns[first:last], at_s[inside], watts[inside])


def restored(problem: Problem, theta: Floats) -> Problem:
    """The problem with columns as they were, and what slow sensors moved between windows moved back.

    theta (q,) as fitted. Each rail's sum of joules is what it was; a problem without slow sensors comes back as it is.
    """
    if problem.sharp is None:
        return problem
    x, target, energy = problem.sharp.copy(), problem.target.copy(), problem.design.energy.copy()
    above = problem.tree.above.tolist()
    for rail in sorted(range(len(above)), key=lambda r: -_depth(above, r)):
        if wide(problem.design.rails[rail].sensed) <= 0.0:
            continue
        mine = problem.of_rail(rail)
        moved = (x[:, mine] - problem.x[:, mine]) @ theta[mine]
        covered = problem.design.covered_s[:, rail] / problem.design.seconds
        read = energy[:, rail]
        sharp = np.where(read > 0.0, np.maximum(read + moved * covered, LEAST_LEFT * read), read)
        if sharp.sum() > 0.0:
            sharp *= read.sum() / sharp.sum()
        change = np.divide(sharp, read, out=np.ones_like(sharp), where=read > 0.0)
        energy[:, rail] = sharp
        target[:, rail] *= change
        for k, term in enumerate(problem.terms):
            if term.child == rail:
                x[:, k] *= change if term.kind == "converter" else change**2
    return replace(problem, x=x, sharp=None, target=target, design=replace(problem.design, energy=energy))


def _depth(above: Sequence[int], rail: int) -> int:
    return 0 if above[rail] < 0 else 1 + _depth(above, above[rail])
