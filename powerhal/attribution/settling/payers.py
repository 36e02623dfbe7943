"""Who pays for each dynamic column, resolved scan by scan, with what a scan leaves open about it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from powerhal.attribution.design import Design
from powerhal.attribution.fitting.problem import Problem
from powerhal.attribution.observed.brackets import clock_spread
from powerhal.attribution.observed.processes import Split, Usage, split
from powerhal.channel import Device

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

TICK_S = 0.01  # of /proc/stat: USER_HZ is 100 on every architecture of Linux but Alpha


def payers(problem: Problem, fine: Design, window: Ints, usage: Usage) -> dict[int, Split]:
    """Who pays for each dynamic term, resolved scan by scan, then put together for the accounting windows."""
    devices = {d.name: d for d in fine.topology.devices}
    place = {c.name: k for k, c in enumerate(fine.columns)}
    radios = [d.name for d in fine.topology.devices if d.kind == "radio" and d.name in fine.counts]
    usage = usage.by_interface({name: fine.counts[name] for name in radios})
    remainder = _remainder_spread(fine, usage)
    out = {}
    for k, term in enumerate(problem.terms):
        if term.kind != "activity" or term.column is None or term.column.static:
            continue
        activity, device = fine.x[:, place[term.column.name]], devices[term.column.device]
        # Reads are compared with reads; a radio's rx and tx are one usage.
        own = activity if device.kind == "storage" else fine.counts.get(device.name)
        paced = usage.paced(device.cluster, term.column.pace) if device.kind == "cpu" else usage
        found = split(term.column, device, paced, activity, seconds=fine.seconds, comparable=own)
        if found is None:
            continue
        spread = _clock_spread(fine, device, usage)
        if spread is None or term.column.payer.when != "now":
            out[k] = found.coarse(activity, window)
            continue
        sway = spread[found.window]
        if device.kind == "cpu":
            sway = np.hypot(sway, remainder[found.process])
        out[k] = found.swayed(sway).coarse(activity, window).traded()
    return out


def clock_blur(problem: Problem, fine: Design, window: Ints, usage: Usage) -> dict[int, Floats]:
    """Variance (n,) of the columns that a clock is part of, by term: scans are off independently of each other."""
    devices = {d.name: d for d in fine.topology.devices}
    place = {c.name: k for k, c in enumerate(fine.columns)}
    out = {}
    for k, term in enumerate(problem.terms):
        if term.kind != "activity" or term.column is None or term.column.static:
            continue
        spread = _clock_spread(fine, devices[term.column.device], usage)
        if spread is not None:
            square = (fine.x[:, place[term.column.name]] * spread) ** 2
            out[k] = np.bincount(window, square).astype(np.float64)
    return out


def _remainder_spread(design: Design, usage: Usage) -> Floats:
    """How unsure the CPU time of each process is (processes,), relative: 0 where it has a clock of its own.

    What no process's clock explains (pids below 0) is the rest between counters of whole ticks, two per core; and
    it may be anything from what was given to it to all that the CPUs were busy with and no process shows.
    """
    ticks_s = TICK_S * float(np.sqrt(2.0 * sum(len(c.cpus) for c in design.topology.clusters)))
    total = np.zeros(len(usage.processes))
    for name, amounts in usage.by_activity.items():
        if name.startswith("cpu."):
            np.add.at(total, amounts.process, amounts.amount)
    busy_s = sum(float(design.counts[d.name].sum()) for d in design.topology.devices if _counted(design, d))
    hidden_s = max(0.0, busy_s - float(total.sum())) / np.sqrt(3.0)
    own = np.array([p.pid >= 0 for p in usage.processes], dtype=np.bool_)
    unsure_s = float(np.hypot(ticks_s, hidden_s))
    return np.where(own | (total <= 0), 0.0, unsure_s / np.maximum(total, unsure_s))


def _counted(design: Design, device: Device) -> bool:
    return device.kind == "cpu" and device.name in design.counts


def _clock_spread(fine: Design, device: Device, usage: Usage) -> Floats | None:
    """How far off the cost of a busy second may be in each scan (n,), 1 sigma, relative; None without a clock.

    Nothing where the kernel told at which frequencies each process ran.
    """
    slices = fine.clocks.get(device.name)
    if slices is None:
        return None
    if device.kind == "cpu" and usage.knows_speeds(device.cluster):
        return np.zeros(fine.seconds.size)
    awake = usage.awake(f"cpu.{device.cluster}.time", fine.seconds) if device.kind == "cpu" else None
    busy = fine.counts.get(device.name) if awake is None else awake
    return None if busy is None else clock_spread(slices, busy / fine.seconds)
