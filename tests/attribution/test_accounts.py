from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from powerhal.attribution import attribute
from powerhal.channel import Device, Quality, Rail
from powerhal.errors import NotEnoughData, UsageError
from tests.attribution import synthetic


def joules(ledger, kind):
    return {r.name: r for r in ledger.rows if r.kind == kind}


def check_books(ledger) -> None:
    """Rows add up to the measurement; a device is its processes and its rest; every interval holds its value."""
    total = ledger.total.energy_j
    whole = sum(r.energy_j for r in ledger.rows if r.kind in ("device", "group", "idle", "unattributed"))
    assert whole == pytest.approx(total, rel=1e-9, abs=1e-12)
    assert ledger.conservation_error <= 1e-9
    paid: dict[str, float] = {}
    for row in ledger.rows:
        if row.kind in ("process", "rest"):
            for device, energy in row.devices.items():
                paid[device] = paid.get(device, 0.0) + energy
        assert row.low_j <= row.energy_j + 1e-12 <= row.high_j + 2e-12
    for row in ledger.rows:
        if row.kind == "device":
            assert paid[row.name] == pytest.approx(row.energy_j, rel=1e-9, abs=1e-9)
    for by in ("process", "pid", "uid", "cgroup", "device"):
        assert sum(r.energy_j for r in ledger.view(by)) == pytest.approx(total, rel=1e-9, abs=1e-9)


@pytest.fixture(scope="module")
def run():
    return synthetic.build(seed=3)


@pytest.fixture(scope="module")
def ledger(run):
    return attribute(run)


def test_finds_who_used_the_energy(run, ledger) -> None:
    check_books(ledger)
    found = joules(ledger, "device") | joules(ledger, "idle") | joules(ledger, "process")
    for name in ("cpu", "display", "wifi", "idle", "alpha", "beta"):
        assert found[name].energy_j == pytest.approx(run.truth[name], rel=0.03), name
    assert ledger.total.energy_j == pytest.approx(run.truth["total"], rel=0.005)
    assert "idler" not in found


def test_a_process_at_a_high_frequency_pays_for_it(run, ledger) -> None:
    """Both processes' CPU seconds are far from their share of the energy: seconds alone would be wrong."""
    seconds = np.array([sum(x for _, p, a, x in run.usage if p == who and a == 0) for who in (0, 1)])
    spent = np.array([joules(ledger, "process")[n].devices["cpu"] for n in ("alpha", "beta")])
    assert spent.sum() == pytest.approx(joules(ledger, "device")["cpu"].energy_j, rel=0.02)
    assert spent[0] / spent.sum() == pytest.approx(
        run.truth["alpha"] / (run.truth["alpha"] + run.truth["beta"]), abs=0.08
    )
    assert seconds.min() > 0


@pytest.mark.parametrize("idle", ["equal", "proportional"])
def test_idle_may_be_shared(run, ledger, idle) -> None:
    shared = attribute(run, idle=idle)
    assert shared.policy == idle
    assert not joules(shared, "idle")
    check_books(shared)
    before, after = joules(ledger, "process"), joules(shared, "process")
    extra = sum(r.energy_j for r in after.values()) - sum(r.energy_j for r in before.values())
    assert extra == pytest.approx(joules(ledger, "idle")["idle"].energy_j, rel=1e-6)


def test_a_load_that_nobody_explains_is_its_own_row() -> None:
    """Ten seconds of a heater on the root: not moved to devices, not to idle."""
    run = synthetic.build(seed=4, extra_w=lambda s: 1.5 if 20 <= s < 30 else 0.0)
    ledger = attribute(run)
    check_books(ledger)
    found = joules(ledger, "unattributed")["unattributed"].energy_j
    assert found == pytest.approx(15.0, rel=0.15)
    assert joules(ledger, "device")["cpu"].energy_j == pytest.approx(run.truth["cpu"], rel=0.05)


@pytest.mark.parametrize(("seed", "watts"), [(1, 0.8), (2, 1.5), (3, 3.0), (5, 0.8), (6, 1.5)])
def test_the_interval_of_what_nobody_explains_holds_it(seed, watts) -> None:
    run = synthetic.build(seed=seed, extra_w=lambda s: watts if 20 <= s < 30 else 0.0)
    row = joules(attribute(run), "unattributed")["unattributed"]
    assert row.low_j <= run.truth["unattributed"] <= row.high_j
    assert 0 < row.half_j < 0.25 * run.truth["unattributed"]


def test_only_the_root_is_measured() -> None:
    run = synthetic.build(seed=5, measured=("vin",))
    ledger = attribute(run)
    check_books(ledger)
    for name in ("cpu", "display", "wifi"):
        row = {**joules(ledger, "device"), **joules(ledger, "group")}.get(name)
        assert row is not None
        assert abs(row.energy_j - run.truth[name]) < max(0.1 * run.truth[name], row.half_j * 1.5)


def test_without_a_root_the_total_is_the_sum_of_rails_and_says_so() -> None:
    run = synthetic.build(seed=6, measured=("vdd_cpu", "vdd_io"))
    ledger = attribute(run)
    check_books(ledger)
    assert ledger.total.rail == "vdd_cpu + vdd_io"
    assert any("root rail is not measured" in n for n in ledger.notes)
    assert "display" not in joules(ledger, "device")


def test_nested_rails_are_not_counted_twice() -> None:
    one, all_rails = (attribute(synthetic.build(seed=7, measured=m)) for m in (("vin",), ("vin", "vdd_cpu", "vdd_io")))
    assert one.total.energy_j == pytest.approx(all_rails.total.energy_j, rel=1e-3)


def test_missing_time_is_stated_and_not_filled_in() -> None:
    run = synthetic.build(seed=8)
    for name in ("vin.power", "vdd_cpu.power", "vdd_io.power"):
        series = run.series_of[name]
        out = (series.t_ns > synthetic.START_NS + 20e9) & (series.t_ns < synthetic.START_NS + 26e9)
        series.quality[out] |= int(Quality.MISSING)
    whole = attribute(synthetic.build(seed=8))
    ledger = attribute(run)
    check_books(ledger)
    assert ledger.total.missing_s == pytest.approx(6.0, abs=0.2)
    assert ledger.total.energy_j < whole.total.energy_j - 1.0
    assert whole.total.missing_s == pytest.approx(0.0, abs=0.01)


def test_refuses_without_a_power_sensor() -> None:
    run = synthetic.build(seed=9, seconds=10)
    for name in [n for n in run.channels if n.endswith(".power")]:
        run.drop(name)
    with pytest.raises(NotEnoughData, match="no power measurement") as refusal:
        attribute(run)
    assert refusal.value.exit_code == 5


def test_refuses_when_every_window_is_a_gap() -> None:
    run = synthetic.build(seed=9, seconds=10, measured=("vin",))
    run.series_of["vin.power"].quality[:] = int(Quality.MISSING)
    with pytest.raises(NotEnoughData, match="gap"):
        attribute(run)


def test_refuses_too_few_windows_with_the_number_that_is_missing() -> None:
    with pytest.raises(NotEnoughData, match="more"):
        attribute(synthetic.build(seed=9, seconds=4.0))


def test_refuses_an_unknown_policy() -> None:
    with pytest.raises(UsageError, match="separate"):
        attribute(synthetic.build(seed=9, seconds=4.0), idle="fair")


def test_devices_that_never_differ_are_reported_together() -> None:
    """Two panels that are always on and off together: one row, and what would tell them apart."""
    board = synthetic.topology(
        devices=(
            *synthetic.topology().devices,
            Device("lamp", "custom", "vin", "", {"lit": "display.on"}),
        )
    )
    ledger = attribute(synthetic.build(seed=10, board=board))
    check_books(ledger)
    groups = joules(ledger, "group")
    assert [set(r.members) for r in groups.values()] == [{"display", "lamp"}]
    row = next(iter(groups.values()))
    assert row.energy_j == pytest.approx(synthetic.build(seed=10).truth["display"], rel=0.05)
    assert any("cannot be told apart" in g["text"] and "display off" in g["text"] for g in ledger.groups)
    document = ledger.to_dict()
    assert "display + lamp" in {r["name"] for r in document["rows"]}


def test_time_without_a_clock_of_its_own_is_as_sure_as_whole_ticks_are() -> None:
    """The same run, once with a process and once with the kernel's rest in its place: only the interval differs."""
    known, rest = synthetic.build(seed=11), synthetic.build(seed=11)
    for run, pid in ((known, 104), (rest, -2)):
        run.processes.append(replace(run.processes[0], pid=pid, comm="kernel"))
        for k in range(1, run.scans.size, 40):
            run.usage.append((int(run.scans[k]), 3, 0, 0.02))
    (own,) = (r for r in attribute(known).rows if r.name == "kernel")
    (left,) = (r for r in attribute(rest).rows if r.name == "kernel")
    seconds = sum(x for _, p, a, x in rest.usage if p == 3 and a == 0)
    assert left.energy_j == pytest.approx(own.energy_j, rel=1e-9)
    ticks = 0.01 * (2 * 4) ** 0.5 / seconds
    assert left.half_j**2 - own.half_j**2 == pytest.approx((1.645 * ticks * left.energy_j) ** 2, rel=0.15)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 10_000),
    seconds=st.sampled_from([30.0, 45.0]),
    noise=st.sampled_from([0.0, 0.01, 0.2]),
    measured=st.sets(st.sampled_from(["vin", "vdd_cpu", "vdd_io"]), min_size=1),
    idle=st.sampled_from(["separate", "equal", "proportional"]),
    hole=st.floats(0.0, 0.8),
    parent=st.sampled_from(["vin", "vdd_cpu"]),
)
@example(seed=4647, seconds=45.0, noise=0.0, measured={"vin"}, idle="separate", hole=0.0, parent="vin")
def test_the_books_always_balance(seed, seconds, noise, measured, idle, hole, parent) -> None:
    """Any subset of rails, any tree, noisy sensors, holes: every window balances, every device is its parts."""
    rails = (Rail("vin"), Rail("vdd_cpu", "vin", efficiency=0.9), Rail("vdd_io", parent))
    run = synthetic.build(seed, seconds, tuple(sorted(measured)), noise, synthetic.topology(rails=rails))
    rng = np.random.default_rng(seed)
    for name in sorted(measured):
        series = run.series_of[f"{name}.power"]
        start = int(rng.integers(0, series.t_ns.size))
        series.quality[start : start + int(hole * 200)] |= int(Quality.MISSING)
        series.value[rng.integers(0, series.t_ns.size, 3)] = np.nan
    try:
        ledger = attribute(run, idle=idle)
    except NotEnoughData:
        return
    check_books(ledger)
