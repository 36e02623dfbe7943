"""Devices that always move together: one row for both, with the truth in its interval and a sentence that says why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from powerhal.attribution import attribute
from powerhal.channel import Device
from tests.attribution import synthetic

SECONDS = 40.0


def world(seed: int, lamp_w: float, slip: float = 0.0, measured=("vin", "vdd_cpu", "vdd_io")):
    """A board with a lamp that is on when the display is; in `slip` of the seconds it is the other way round."""
    plain = synthetic.topology()
    lamp = Device("lamp", "custom", "vin", "", {"on": "lamp.on"})
    run = synthetic.build(seed, SECONDS, measured, board=replace(plain, devices=(*plain.devices, lamp)))
    display = run.series_of["display.on"]
    other = np.repeat(
        np.random.default_rng(seed).random(int(SECONDS) + 1) < slip, display.value.size // int(SECONDS) + 1
    )
    on = np.abs(display.value - other[: display.value.size])
    run.add(replace(run.channels["display.on"], name="lamp.on"), display.t_ns, on, period_s=0.05)
    root = run.series_of["vin.power"]
    # both are sampled at the ends of steps of 50 ms, each step's value at both of its ends
    watts = lamp_w * np.interp(root.t_ns, display.t_ns, on)
    root.value[:] += watts
    joules = lamp_w * float(on.mean()) * SECONDS
    run.truth |= {"lamp": joules, "total": run.truth["total"] + joules}
    return run


def top(ledger):
    return [r for r in ledger.rows if r.kind in ("device", "group", "idle")]


def test_twins_are_one_row_and_the_truth_is_in_its_interval() -> None:
    inside = []
    for seed in range(16):
        run = world(seed, lamp_w=0.1 + 0.05 * seed)
        ledger = attribute(run)
        group = next(r for r in top(ledger) if {"display", "lamp"} <= set(r.members))
        assert not any(r.name in ("display", "lamp") for r in top(ledger))
        truth = sum(run.truth[m] for m in group.members)
        inside.append(group.low_j <= truth <= group.high_j)
        assert group.half_j < 0.2 * truth  # the sum is known
        assert sum(r.energy_j for r in top(ledger)) <= ledger.total.energy_j * (1 + 1e-9)
    assert np.mean(inside) >= 0.87


def test_the_sentence_says_why_and_what_to_do() -> None:
    ledger = attribute(world(3, 0.4))
    text = next(g["text"] for g in ledger.groups if g["kind"] == "rows")
    for part in ("display + lamp", "cannot be told apart", "together", "W", "changed together", "correlation -"):
        assert part in text
    assert "switch the display off" in text and "let lamp change" in text


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_devices_that_part_now_and_then_are_told_apart(seed) -> None:
    run = world(seed, 0.5, slip=0.3)
    ledger = attribute(run)
    found = {r.name: r for r in top(ledger)}
    for name in ("display", "lamp"):
        assert abs(found[name].energy_j - run.truth[name]) < max(0.1 * run.truth[name], 1.5 * found[name].half_j)


def test_only_the_total_is_measured_and_nothing_is_invented() -> None:
    """Whatever is merged, rows and groups hold what they claim."""
    inside = []
    for seed in range(8):
        run = world(seed, 0.3, measured=("vin",))
        for row in top(attribute(run)):
            members = row.members or (row.name,)
            if all(m in run.truth for m in members):
                truth = sum(run.truth[m] for m in members)
                inside.append(row.low_j <= truth <= row.high_j)
    assert len(inside) >= 16 and np.mean(inside) >= 0.87


def test_causes_of_one_device_are_not_said_to_be_of_another() -> None:
    for group in attribute(world(1, 0.4)).groups:
        if group["kind"] == "coefficients":
            owners = {name.split(":")[0] for name in group["names"]}
            assert all(owner in group["text"] for owner in owners)
