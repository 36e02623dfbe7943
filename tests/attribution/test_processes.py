from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from powerhal.attribution.observed.features import Column, Payer
from powerhal.attribution.observed.processes import Amounts, Split, Usage, split
from powerhal.channel import Device

CPU = Device("cpu", "cpu", "r", "big")
WIFI = Device("wifi", "radio", "r")


def amounts(*rows: tuple[int, int, float]) -> Amounts:
    process, window, amount = zip(*rows, strict=True)
    return Amounts(np.array(process), np.array(window), np.array(amount, float))


def usage(windows: int, **by) -> Usage:
    return Usage([], windows, {k.replace("__", "."): v for k, v in by.items()})


def column(*usages: str, **more) -> Column:
    return Column("c", "d", "f", False, "W", Payer(usages, **more))


def paid(u: Usage, c: Column, device: Device, activity, own=None, seconds=None) -> Split | None:
    activity = np.asarray(activity, float)
    seconds = np.ones(activity.size) if seconds is None else np.asarray(seconds, float)
    return split(c, device, u, activity, seconds=seconds, comparable=None if own is None else np.asarray(own, float))


def test_every_window_is_shared_by_what_was_done_in_it() -> None:
    u = usage(3, cpu__big__time=amounts((0, 0, 0.2), (1, 0, 0.6), (1, 2, 0.1)))
    found = paid(u, column("cpu.{cluster}.time"), CPU, [1, 0, 1])
    assert found is not None
    assert found.energy(np.array([8.0, 0.0, 5.0]), 2).tolist() == pytest.approx([2.0, 11.0])


def test_what_processes_do_not_explain_is_left_over() -> None:
    u = usage(2, cpu__big__time=amounts((0, 0, 0.5), (0, 1, 0.4)))
    found = paid(u, column("cpu.{cluster}.time"), CPU, [1, 1], own=[1.0, 0.4])
    assert found is not None
    assert found.energy(np.array([10.0, 10.0]), 1)[0] == pytest.approx(15.0)


def test_nobody_pays_where_nothing_was_recorded() -> None:
    assert paid(usage(1), column("gpu.busy"), CPU, [1]) is None


def test_a_tail_is_owed_by_the_last_user_and_the_way_up_by_the_next() -> None:
    u = usage(6, net__bytes=amounts((0, 1, 10), (1, 4, 10)))
    energy = np.array([1.0, 1, 1, 1, 1, 1])
    last = paid(u, column("net.bytes", when="last"), WIFI, energy, own=[0, 10, 0, 0, 10, 0])
    following = paid(u, column("net.bytes", when="next"), WIFI, energy, own=[0, 10, 0, 0, 10, 0])
    assert last is not None and following is not None
    assert last.energy(energy, 2).tolist() == [3.0, 2.0]
    assert following.energy(energy, 2).tolist() == [2.0, 3.0]


def test_one_of_two_owes_the_tail_and_the_interval_says_so() -> None:
    u = usage(3, net__bytes=amounts((0, 0, 30), (1, 0, 10)))
    found = paid(u, column("net.bytes", when="last"), WIFI, [1, 1, 1], own=[40, 0, 0])
    assert found is not None
    energy = np.array([1.0, 1.0, 2.0])
    # while bytes moved they pay half by bytes, half alike; of the 3 J after that the last owes all, and no scan
    # tells who it was
    assert found.energy(energy, 2).tolist() == pytest.approx([0.625 + 1.5, 0.375 + 1.5])
    assert found.ties(energy, 2).tolist() == pytest.approx([2.125 * 1.875, 2.125 * 1.875])
    assert found.sway(energy, 2).tolist() == pytest.approx([0.25 / 12**0.5, 0.25 / 12**0.5])


def test_delayed_writes_are_served_first_in_first_out() -> None:
    u = usage(5, disk__write_bytes=amounts((0, 0, 100), (1, 1, 50), (0, 3, 10)))
    found = paid(u, column("disk.write_bytes", when="queue"), WIFI, [0, 0, 120, 30, 10])
    assert found is not None
    served = np.array([0, 0, 120.0, 30.0, 10.0])
    assert found.energy(served, 2).tolist() == pytest.approx([110.0, 50.0])


def test_what_waited_before_the_run_is_nobodys() -> None:
    u = usage(
        3,
        disk__write_bytes=amounts(
            (0, 2, 10),
        ),
    )
    found = paid(u, column("disk.write_bytes", when="queue"), WIFI, [50, 0, 10])
    assert found is not None
    assert found.energy(np.array([50.0, 0.0, 10.0]), 1).tolist() == pytest.approx([10.0])


def test_a_cost_that_is_there_once_is_shared_by_who_runs_together() -> None:
    u = usage(1, cpu__big__time=amounts((0, 0, 1.0), (1, 0, 0.5)))
    found = paid(u, column("cpu.{cluster}.time", alone=True), CPU, [1])
    assert found is not None
    first, second = found.part.tolist()
    assert first / second == pytest.approx((1.0 * 0.75) / (0.5 * 0.5))


def test_bytes_go_to_the_radio_whose_count_they_fit() -> None:
    u = usage(2, net__bytes=amounts((0, 0, 260), (1, 0, 195), (2, 1, 7)))
    told = u.by_interface({"modem": np.array([260.0, 0]), "wifi": np.array([195.0, 7.0])})
    assert told.by_activity["net.modem.bytes"].process.tolist() == [0]
    assert told.by_activity["net.wifi.bytes"].process.tolist() == [1, 2]


def test_longer_windows_weigh_each_scan_by_what_it_cost() -> None:
    """The same seconds at twice the cost count twice."""
    u = usage(2, cpu__big__time=amounts((0, 0, 0.5), (1, 1, 0.5)))
    cost = np.array([1.0, 2.0])
    found = paid(u, column("cpu.{cluster}.time"), CPU, cost)
    assert found is not None
    together = found.coarse(cost, np.array([0, 0]))
    assert together.energy(np.array([9.0]), 2).tolist() == pytest.approx([3.0, 6.0])


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.floats(1e-3, 5)), min_size=1, max_size=40),
    st.lists(st.sampled_from([0.0, 1e-3, 0.5, 2.0, 10.0]), min_size=10, max_size=10),
    st.sampled_from(["now", "last", "next", "queue"]),
    st.lists(st.floats(0.05, 3), min_size=5, max_size=5),
)
def test_nobody_pays_more_than_there_is(rows, energy, when, factors) -> None:
    merged: dict[tuple[int, int], float] = {}
    for p, w, x in rows:
        merged[p, w] = merged.get((p, w), 0.0) + x
    u = usage(10, net__bytes=amounts(*((p, w, x) for (p, w), x in merged.items())))
    joules = np.array(energy)
    found = paid(u, column("net.bytes", when=when), WIFI, joules, own=joules)
    assert found is not None
    for version in (found, found.scaled(np.array(factors))):
        assert (version.part >= -1e-12).all()
        assert version.energy(joules, 5).sum() <= joules.sum() * (1 + 1e-9) + 1e-9
        coarse = version.coarse(joules, np.arange(10) // 3)
        whole = np.bincount(np.arange(10) // 3, joules)
        assert coarse.energy(whole, 5).sum() == pytest.approx(version.energy(joules, 5).sum(), rel=1e-9, abs=1e-9)


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3), st.integers(0, 4), st.floats(0.01, 1.0), st.sampled_from([0.0, 0.3, 1.0]), st.booleans()
        ),
        min_size=1,
        max_size=20,
        unique_by=lambda row: row[:2],
    )
)
def test_weighing_by_frequency_keeps_every_window(rows: list[tuple[int, int, float, float, bool]]) -> None:
    time = amounts(*((p, w, s) for p, w, s, _, _ in rows))
    low = [(p, w, s * (1 - part)) for p, w, s, part, told in rows if told and part < 1]
    high = [(p, w, s * part) for p, w, s, part, told in rows if told and part > 0]
    by = {"cpu.big.time": time}
    by |= {name: amounts(*found) for name, found in (("run.big@100", low), ("run.big@200", high)) if found}
    plain = Usage([], 5, by)
    paced = plain.paced("big", ((100.0, 1.0), (200.0, 8.0)))
    assert paced.by_activity["cpu.big.time"].per_window(5) == pytest.approx(time.per_window(5))
    for _, w, s, part, told in rows:
        others = [r for r in rows if r[1] == w and r[4]]
        if told and all(r[3] == part for r in others):  # everybody ran alike: nothing changes
            k = next(i for i, r in enumerate(rows) if r[1] == w and r[2] == s and r[3] == part and r[4])
            assert paced.by_activity["cpu.big.time"].amount[k] == pytest.approx(rows[k][2])


def test_a_second_at_the_high_frequency_pays_for_it() -> None:
    u = usage(1, cpu__big__time=amounts((0, 0, 0.5), (1, 0, 0.5), (2, 0, 0.5)))
    u.by_activity["run.big@100"] = amounts((0, 0, 0.5))
    u.by_activity["run.big@200"] = amounts((1, 0, 0.5))
    paced = u.paced("big", ((100.0, 1.0), (200.0, 3.0)))
    assert paced.by_activity["cpu.big.time"].amount.tolist() == pytest.approx([0.25, 0.75, 0.5])
    assert u.paced("little", ((100.0, 1.0),)) is u
