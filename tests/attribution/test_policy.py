"""Who pays for static energy: what makes a division fair, and that the closed form is the Shapley value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.attribution import attribute
from powerhal.attribution.observed.processes import Amounts, Usage
from powerhal.attribution.settling.policy import POLICIES, Stage, shapley_on, weights_of
from powerhal.channel import Device, Topology
from tests.attribution import synthetic
from tests.attribution.test_accounts import check_books

needs = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6)


def one_window(need):
    return shapley_on(np.array(need), np.zeros(len(need), dtype=np.int64), 1)


def naive(need):
    """The definition: what each adds to those before it, over all orders of coming."""
    value = np.zeros(len(need))
    orders = list(permutations(range(len(need))))
    for order in orders:
        off = 1.0
        for player in order:
            value[player] += off * need[player]
            off *= 1.0 - need[player]
    value /= len(orders)
    return value / value.sum() if value.sum() > 0 else value


@given(needs)
@settings(max_examples=60, deadline=None)
def test_the_closed_form_is_the_mean_over_all_orders(need):
    assert one_window(need) == pytest.approx(naive(need), rel=1e-9, abs=1e-12)


@given(st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=40))
def test_all_of_the_cost_is_paid(need):
    assert one_window(need).sum() == pytest.approx(1.0, rel=1e-12)


@given(needs, st.floats(0.01, 1.0))
def test_equal_players_pay_alike_and_nobody_pays_for_nothing(need, same):
    paid = one_window([*need, same, same, 0.0])
    assert paid[-3] == pytest.approx(paid[-2], rel=1e-12)
    assert paid[-1] == 0.0
    assert (paid >= 0).all()


def test_who_needs_it_more_pays_more_but_a_short_user_is_not_free():
    paid = one_window([0.9, 0.1])
    assert paid[0] > 0.8 > 0.5 > paid[1] > 0.04


def test_one_who_needs_it_all_the_time_beside_another():
    """Both keep it on all the time: half each, however many others there are."""
    assert one_window([1.0, 1.0]) == pytest.approx([0.5, 0.5])
    assert one_window([1.0] * 30) == pytest.approx([1 / 30] * 30)


@dataclass
class FakeDesign:
    topology: Topology
    seconds: np.ndarray
    columns: tuple = ()


def stage(static_j, windows=3, dynamic=(3.0, 1.0, 0.0)):
    """Processes 0 and 1 compute in windows 0 and 1; nobody in window 2; process 2 never does."""
    device = Device("cpu", "cpu", "vdd", "big")
    design = FakeDesign(Topology("b", "", (), (), (device,)), np.ones(windows))
    used = Amounts(np.array([0, 1, 0]), np.array([0, 0, 1]), np.array([0.5, 0.5, 0.2]))
    usage = Usage([], windows, {"cpu.big.time": used})
    return Stage(design, np.arange(windows), usage, np.array(dynamic), static_j)


def test_what_nobody_needed_stays_idle_and_the_rest_is_paid_for():
    static = {"cpu": np.array([1.0, 2.0, 4.0])}
    paid = weights_of("shapley", stage(static))[:, 0] * 7.0
    assert paid == pytest.approx([0.5 + 2.0, 0.5, 0.0])


@given(st.lists(st.floats(0.1, 5.0), min_size=6, max_size=6))
def test_the_cost_of_two_devices_is_the_sum_of_their_costs(joules):
    """Additivity: paying for both together is paying for each."""
    one, other = np.array(joules[:3]), np.array(joules[3:])
    each = weights_of("shapley", stage({"cpu": one, "other": other}))
    together = weights_of("shapley", stage({"cpu": one + other}))
    assert each @ [one.sum(), other.sum()] == pytest.approx(together[:, 0] * (one.sum() + other.sum()))


@pytest.mark.parametrize("policy", POLICIES)
def test_no_policy_gives_away_more_than_there_is(policy):
    weights = weights_of(policy, stage({"cpu": np.array([1.0, 2.0, 4.0])}))
    assert (weights >= 0).all()
    assert weights.sum() <= 1.0 + 1e-12
    assert weights[2] == pytest.approx(0.0)


@pytest.fixture(scope="module")
def run():
    return synthetic.build(seed=12)


@pytest.mark.parametrize("policy", [p for p in POLICIES if p != "separate"])
def test_dynamic_energy_and_the_total_stay_as_they_are(run, policy):
    plain, shared = attribute(run), attribute(run, policy=policy)
    assert shared.total.energy_j == plain.total.energy_j
    assert (shared.total.low_j, shared.total.high_j) == (plain.total.low_j, plain.total.high_j)
    before = {r.name: r.energy_j for r in plain.of_kind("process")}
    idle = plain.of_kind("idle")[0].energy_j
    left = sum(r.energy_j for r in shared.of_kind("idle"))
    extra = {r.name: r.energy_j - before.get(r.name, 0.0) for r in shared.of_kind("process")}
    assert sum(extra.values()) == pytest.approx(idle - left, rel=1e-9)
    assert min(extra.values()) >= 0


def test_symmetric_processes_pay_alike_in_a_whole_run(run):
    """The same run with the two processes' rows swapped: what they pay is swapped."""
    shared = attribute(run, policy="shapley")
    swapped = synthetic.build(seed=12)
    swapped.usage = [(t, 1 - p if p in (0, 1) else p, a, x) for t, p, a, x in swapped.usage]
    first, second = (
        {r.name: r.energy_j for r in ledger.of_kind("process")}
        for ledger in (shared, attribute(swapped, policy="shapley"))
    )
    assert first["alpha"] == pytest.approx(second["beta"], rel=1e-6)
    assert first["beta"] == pytest.approx(second["alpha"], rel=1e-6)


def test_the_interval_of_a_shared_ledger_is_of_the_sum(run):
    """Device rows and what is left add up to the total with its doubts, whatever the policy."""
    for policy in POLICIES:
        ledger = attribute(run, policy=policy)
        top = [r for r in ledger.rows if r.kind in ("device", "group", "idle", "unattributed")]
        whole = ledger.merge("all", top)
        named = [d.name.split(" of ")[0] for d in ledger.doubts]
        for k, name in enumerate(named):
            if name in ("gain", "sampling", "offset"):
                assert whole.loadings[k] == pytest.approx(ledger.total.loadings[k], rel=1e-6, abs=1e-12), (policy, name)
    assert replace(ledger).policy == "shapley"


def test_the_books_balance_with_shapley(run):
    check_books(attribute(run, policy="shapley"))
