from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.sim import design
from powerhal.sim.parts import draw
from powerhal.sim.phone import Phone
from powerhal.sim.power import SupplyTree
from powerhal.sim.signal import History
from powerhal.sim.workload import CYCLE_S, SCENES, Workload

START = 3_600_000_000_000


@cache
def phone(seed: int, seconds: int = 60) -> Phone:
    made = Phone(seed, START)
    workload = Workload(made, seed, 7777)
    for step in range(seconds * 100):
        workload.before(step)
        made.step()
    return made


@given(st.lists(st.floats(0, 8), min_size=8, max_size=8), st.integers(0, 50))
@settings(max_examples=60, deadline=None)
def test_supply_tree_balances(device_w: list[float], seed: int) -> None:
    """What the loads take, with their share of the losses, and the idle converters are the battery's power."""
    supply = SupplyTree(draw(seed)).solve(device_w)
    parts = sum(w * f for w, f in zip(device_w, supply.factor, strict=True)) + supply.quiescent_w
    assert parts == pytest.approx(supply.battery_w, rel=1e-12)
    assert all(f >= 1.0 for f in supply.factor)


@pytest.mark.parametrize("seed", [1, 2])
def test_truth_adds_up(seed: int) -> None:
    truth = phone(seed).book.between(None, None)
    assert truth.root_j > 20
    assert truth.idle_j + sum(truth.devices.values()) == pytest.approx(truth.root_j, rel=1e-9)
    assert sum(truth.static.values()) == pytest.approx(truth.idle_j, rel=1e-12)
    for device in design.DEVICES:
        assert truth.rest_j(device) >= -1e-9
    assert truth.devices["display"] == truth.rest_j("display") > 0
    assert truth.devices["base"] == 0


def test_truth_between_two_times_adds_up_over_parts() -> None:
    book = phone(1).book
    cuts = [START, START + 10_123_456_789, START + 37_000_000_000, START + 60_000_000_000]
    parts = [book.between(a, b) for a, b in pairwise(cuts)]
    whole = book.between(cuts[0], cuts[-1])
    assert sum(p.root_j for p in parts) == pytest.approx(whole.root_j, rel=1e-9)
    for pid in whole.processes:
        assert sum(p.process_j(pid) for p in parts) == pytest.approx(whole.process_j(pid), rel=1e-6, abs=1e-9)


def test_history_of_the_battery_is_the_truth() -> None:
    """The sensors look at what the truth is kept of: mean power over the last seconds."""
    made = phone(2)
    end = made.time_ns
    watts = 0.0
    for i in range(400):  # 10 ms each, as current and voltage change together
        a, b = end - (i + 1) * design.STEP_NS, end - i * design.STEP_NS
        watts += made.history["battery"].amperes(a, b) * made.history["battery"].volts(a, b) / 400
    truth = made.book.between(end - 4_000_000_000, end)
    assert watts * 4 == pytest.approx(truth.root_j, rel=1e-6)


def test_same_seed_same_phone_other_seed_another() -> None:
    def run(seed: int) -> float:
        made = Phone(seed, START)
        workload = Workload(made, seed, 7777)
        for step in range(500):
            workload.before(step)
            made.step()
        return made.book.between(None, None).root_j

    assert run(5) == run(5)
    assert run(5) != run(6)
    assert draw(5) == draw(5)
    assert draw(5) != draw(6)


def test_spread_is_a_production_line_not_another_model() -> None:
    values = [draw(seed).big.farads / design.BIG.farads for seed in range(200)]
    assert all(0.8 < v < 1.2 for v in values)
    assert 0.03 < (sum((v - 1) ** 2 for v in values) / len(values)) ** 0.5 < 0.07


def test_devices_go_on_and_off_and_frequencies_change() -> None:
    made = phone(1, int(CYCLE_S) + 10)
    assert sum(ticks > 0 for ticks in made.big.ticks) >= 4
    assert sum(ticks > 0 for ticks in made.little.ticks) >= 4
    assert sum(ns > 0 for ns in made.gpu.busy_ns) >= 3
    assert sum(made.big.ticks) == made.steps
    assert made.modem.received > 1e5 and made.wifi.received > 1e6
    assert made.storage.write_sectors > 0 and made.storage.read_sectors > 0
    truth = made.book.between(None, None)
    for device in ("cpu-little", "cpu-big", "gpu", "display", "wifi", "modem", "storage"):
        assert truth.devices[device] > 0 and truth.static[device] > 0
    assert made.heat.die_c[1] > made.parts.ambient_c


def test_children_are_booked_to_their_parent() -> None:
    made = phone(1, int(CYCLE_S) + 10)
    truth = made.book.between(None, None)
    groups = {pid for pid in truth.processes if pid < -1000}
    assert groups and truth.children
    for parent in set(truth.children.values()):
        assert truth.process_j(-parent - 1000) > 0
        assert made.processes[parent].children_ns > 0


def test_cpu_time_of_processes_is_the_cores_busy_time() -> None:
    made = Phone(3, START)
    workload = Workload(made, 3, 7777)
    before = sum(p.run_ns for p in made.processes.values())
    for step in range(3000):
        workload.before(step)
        made.step()
    busy = sum(made.little.busy_ns) + sum(made.big.busy_ns)
    ran = sum(p.run_ns + p.children_ns for p in made.processes.values()) - before
    assert ran == busy


def test_a_radio_lingers_after_its_last_byte_and_the_user_owes_it() -> None:
    made = Phone(1, START)
    workload = Workload(made, 1, 7777)
    process = workload.apps["browser"].process
    made.modem.request(process, 2e5, send=False)
    active = []
    for _ in range(700):
        rows = made.modem.run()
        active.append(sum(joules for _, joules in rows))
        assert all(owner is process for owner, _ in rows)
    assert made.modem.received == 200_000
    moving = 200_000 / made.modem.design.receive_rate + made.modem.design.ramp_s
    tail = sum(seconds for seconds, _ in made.modem.design.tails)
    awake = sum(1 for joules in active if joules > 0) / 100
    assert awake == pytest.approx(moving + tail, abs=0.05)
    assert active[-1] == 0.0


def test_scenes_leave_the_display_dark_for_a_while() -> None:
    assert sum(s.seconds for s in SCENES if not s.screen) > 30
    assert 150 <= CYCLE_S <= 180


def test_history_means_are_linear_inside_a_step() -> None:
    history = History(0, 10, depth=8)
    for amperes in (1.0, 3.0, 5.0):
        history.append(amperes, 2.0)
    assert history.amperes(0, 30) == pytest.approx(3.0)
    assert history.amperes(5, 15) == pytest.approx(2.0)
    assert history.volts(3, 4) == pytest.approx(2.0)
    for _ in range(20):
        history.append(7.0, 2.0)
    assert history.amperes(200, 230) == pytest.approx(7.0)
    assert history.amperes(0, 10) == pytest.approx(7.0)  # no longer kept: the nearest stands for it


def test_history_of_nothing_is_nothing() -> None:
    assert History(0, 10).amperes(0, 10) == 0.0
