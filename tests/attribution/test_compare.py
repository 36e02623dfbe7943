"""Whether runs differ: shared errors cancel, scatter counts, and what is called real is."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from powerhal.attribution import attribute
from powerhal.attribution.compare import LEVEL, TOTAL, compare
from powerhal.attribution.ledger import Ledger, Row, Series, Total
from powerhal.attribution.saved import ledger_from
from powerhal.attribution.uncertainty import Z90, Doubt
from powerhal.errors import FileError, NotEnoughData, UsageError
from tests.attribution import synthetic

NOTHING = np.zeros(0)
DOUBTS = (Doubt("coefficients 0", learned=True), Doubt("gain of vin", scope="device"))


def ledger(joules: float, *, gain=0.01, own=0.0, seconds=10.0, machine="m", policy="separate", extra=()) -> Ledger:
    """One device with a gain error shared by all runs of the machine, and a doubt of its own."""
    loads = np.array([own, gain * joules])
    rows = (Row("cpu", "device", joules, 0.0, 2 * joules, loads), *extra)
    total = Total("vin", joules, 0.0, 2 * joules, seconds, 0.0, loadings=np.array([0.0, gain * joules]))
    return Ledger(
        "b", policy, rows, total, Series(NOTHING, NOTHING, NOTHING, NOTHING, {}), {}, (), (), 0.0, DOUBTS, Z90,
        machine=machine,
    )  # fmt: skip


def named(found, name):
    return next(r for r in found.rows if r.name == name)


def runs(*joules, **more):
    return [(str(k), ledger(j, **more)) for k, j in enumerate(joules)]


def test_what_a_sensor_is_off_by_cancels_on_one_machine_but_not_between_two() -> None:
    one = named(compare(runs(100.0), runs(101.0)), "cpu")
    assert one.difference == pytest.approx(0.1)
    assert one.high - one.difference == pytest.approx(Z90 * 0.01 * 0.1)
    two = named(compare(runs(100.0), runs(101.0, machine="other")), "cpu")
    assert two.high - two.difference == pytest.approx(Z90 * 0.01 * np.hypot(10.0, 10.1))
    assert one.real and not two.real
    assert not named(compare(runs(100.0), runs(101.0), same_machine=False), "cpu").real


def test_more_runs_help_against_scatter_but_not_against_a_gain_between_machines() -> None:
    loose = named(compare(runs(100.0, gain=0.0, own=1.0), runs(101.0, gain=0.0, own=1.0)), "cpu")
    assert not loose.real
    # 1 J with an error of 1 J a run: n runs a side have an error of sqrt(2 / n), 2.49 times that must be 1 J
    assert loose.more_runs == pytest.approx(np.ceil(2 * 2.486**2) - 1, abs=1)
    stuck = named(compare(runs(100.0), runs(101.0, machine="other")), "cpu")
    assert stuck.more_runs is None
    many = compare(runs(*[100.0] * 13, gain=0.0, own=1.0), runs(*[101.0] * 13, gain=0.0, own=1.0))
    assert named(many, "cpu").real and named(many, "cpu").more_runs == 0


def test_what_is_not_real_needs_at_least_one_more_run_or_is_too_small() -> None:
    rng = np.random.default_rng(4)
    told = []
    for shift in (0.0, 0.2, 1.0, 2.0, 5.0):
        for count in (1, 2, 4):
            side = [runs(*(100 + by + 3 * rng.standard_normal(count)), gain=0.0, own=1.0) for by in (0.0, shift)]
            told += compare(*side).rows
    assert any(row.real for row in told) and any(row.more_runs is None for row in told)
    for row in told:
        assert row.more_runs == 0 if row.real else row.more_runs is None or 1 <= row.more_runs <= 100


def test_a_row_among_many_needs_more_runs_than_alone() -> None:
    loads = np.array([0.1, 0.0])
    extra = tuple(Row(f"d{k}", "device", 1.0, 0.0, 2.0, loads) for k in range(30))
    moved = (replace(extra[0], energy_j=1.2), *extra[1:])
    alone = named(compare(runs(50.0, extra=extra[:1]), runs(50.0, extra=moved[:1])), "d0").more_runs
    crowd = named(compare(runs(50.0, extra=extra), runs(50.0, extra=moved)), "d0").more_runs
    assert alone is not None and crowd is not None and 1 <= alone < crowd


def test_runs_that_scatter_more_than_their_errors_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    side = [runs(*(100 + 5 * rng.standard_normal(4)), gain=0.0, own=0.1) for _ in (0, 1)]
    row = named(compare(*side), "cpu")
    assert 0.2 < row.high - row.difference < 1.5  # 5 J of scatter, four runs a side: 0.5 W x about 1.4
    assert any("one run a side" in n for n in compare(side[0][:1], side[1][:1]).notes)


@pytest.mark.parametrize("count", [2, 3, 6])
def test_scattering_runs_without_a_difference_are_rarely_called_different(count) -> None:
    rng = np.random.default_rng(count)
    wrong = 0
    for _ in range(400):
        side = [runs(*(100 + 3 * rng.standard_normal(count)), gain=0.0, own=0.3) for _ in (0, 1)]
        wrong += named(compare(*side), "cpu").real
    assert wrong / 400 <= 0.13


def test_power_and_energy_are_compared_by_what_was_measured() -> None:
    before, after = runs(100.0, seconds=10.0), runs(200.0, seconds=20.0)
    assert named(compare(before, after), "cpu").difference == pytest.approx(0.0)
    whole = compare(before, after, per="run")
    assert named(whole, "cpu").difference == pytest.approx(100.0)
    assert any("20" in n and "10" in n for n in whole.notes)


def test_many_rows_make_each_verdict_stricter() -> None:
    loads = np.array([0.1, 0.0])
    extra = tuple(Row(f"d{k}", "device", 1.0, 0.0, 2.0, loads) for k in range(30))
    moved = (replace(extra[0], energy_j=1.27), *extra[1:])
    alone = compare(runs(50.0, extra=extra[:1]), runs(50.0, extra=moved[:1]))
    crowd = compare(runs(50.0, extra=extra), runs(50.0, extra=moved))
    assert named(alone, "d0").p == pytest.approx(named(crowd, "d0").p)
    assert named(alone, "d0").p < LEVEL and not named(crowd, "d0").real
    far = compare(runs(50.0, extra=extra), runs(50.0, extra=(replace(extra[0], energy_j=2.0), *extra[1:])))
    assert [r.name for r in far.rows if r.real] == ["d0"]


def test_a_row_of_one_side_only_is_compared_with_nothing() -> None:
    extra = (Row("gps", "device", 5.0, 4.9, 5.1, np.array([0.05, 0.0])),)
    row = named(compare(runs(50.0), runs(55.0, extra=extra)), "gps")
    assert row.before is None and row.after == pytest.approx(0.5)
    assert row.real and row.relative is None


def test_what_one_run_cannot_tell_apart_is_compared_together() -> None:
    parts = (
        Row("gpu", "device", 4.0, 3.0, 5.0, np.array([0.5, 0.0])),
        Row("idle", "idle", 6.0, 5.0, 7.0, np.array([-0.5, 0.0])),
    )
    cells = {"gpu": 4.0, "idle": 6.0}
    joined = (Row("gpu + idle", "group", 10.0, 9.9, 10.1, np.zeros(2), devices=cells, members=("gpu", "idle")),)
    found = compare(runs(50.0, extra=parts), runs(50.0, extra=joined))
    row = named(found, "gpu + idle")
    assert row.kind == "group" and row.difference == pytest.approx(0.0)
    assert row.high - row.difference == pytest.approx(0.0, abs=1e-12)  # what one lost the other gained
    assert not any(r.name in ("gpu", "idle") for r in found.rows)


def test_wrong_words_are_refused() -> None:
    with pytest.raises(UsageError, match="each side"):
        compare(runs(1.0), [])
    with pytest.raises(UsageError, match="per"):
        compare(runs(1.0), runs(1.0), per="moon")
    with pytest.raises(UsageError, match="divided differently"):
        compare(runs(1.0), runs(1.0, policy="equal"))
    with pytest.raises(NotEnoughData, match="nothing was measured"):
        compare(runs(1.0), runs(1.0, seconds=0.0))


@pytest.fixture(scope="module")
def pair():
    return [attribute(synthetic.build(seed=s, seconds=40.0)) for s in (31, 32)]


def test_ledgers_saved_as_json_compare_as_the_recordings_do(pair) -> None:
    told = [ledger_from(json.loads(json.dumps(one.to_dict(doubts=True)))) for one in pair]
    straight = compare([("a", pair[0])], [("b", pair[1])])
    again = compare([("a", told[0])], [("b", told[1])])
    assert [(r.kind, r.name) for r in again.rows] == [(r.kind, r.name) for r in straight.rows]
    for one, other in zip(straight.rows, again.rows, strict=True):
        assert (one.difference, one.low, one.high) == pytest.approx((other.difference, other.low, other.high))
    bare = ledger_from(pair[0].to_dict())
    assert any("taken as independent" in n for n in compare([("a", bare)], [("b", bare)]).notes)


def test_a_document_by_uid_keeps_its_rows(pair) -> None:
    told = [ledger_from(one.to_dict("uid", doubts=True)) for one in pair]
    found = compare([("a", told[0])], [("b", told[1])])
    assert {r.name for r in found.rows if r.kind == "process"} == {"uid 1001", "uid 1002"} or any(
        r.name.startswith("uid ") for r in found.rows
    )


@pytest.mark.parametrize(
    "document", [[], {}, {"schema": 1}, {"schema": 1, "rows": [{"name": 3}]}, {"schema": 9, "rows": []}]
)
def test_other_json_is_refused_with_what_to_do(document) -> None:
    with pytest.raises(FileError) as refusal:
        ledger_from(document, "x.json")
    assert "attribute" in refusal.value.hint


def world(seed: int, noise_seed: int, gain: float):
    """A run of a known world on a machine whose sensors are off by `gain`, with noise of its own."""
    rng = np.random.default_rng(noise_seed)
    run = synthetic.build(seed=seed, seconds=40.0, noise=0.0)
    for name in [n for n in run.channels if n.endswith(".power")]:
        series = run.series_of[name]
        series.value[:] *= (1.0 + gain) * (1.0 + 0.004 * rng.standard_normal(series.value.size))
    return run


def test_simulated_worlds_with_a_known_change_and_with_none() -> None:
    """Where worlds differ the interval holds the true difference; where they do not, few rows are called real."""
    inside, false, missed = [], [], []
    for seed in range(20):
        gain = 0.005 / 3 * np.random.default_rng(1000 + seed).standard_normal()
        worlds = world(seed, 1, gain), world(seed, 2, gain), world(seed + 500, 3, gain)
        one, same, other = (attribute(w) for w in worlds)
        false += [row.real for row in compare([("a", one)], [("b", same)]).rows]
        found = compare([("a", one)], [("b", other)])
        assert (found.rows[0].kind, found.rows[0].name) == TOTAL
        for row in found.rows:
            if row.name in worlds[0].truth and row.kind in ("total", "device", "idle", "process"):
                true = (worlds[2].truth[row.name] - worlds[0].truth[row.name]) / 40.0
                inside.append(row.low <= true <= row.high)
                missed += [not row.real] if abs(true) > 3 * (row.high - row.difference) else []
    assert len(false) > 20 * 5 and np.mean(false) <= 0.10
    assert len(inside) > 20 * 5 and np.mean(inside) >= 0.85
    assert len(missed) > 20 and np.mean(missed) <= 0.02
