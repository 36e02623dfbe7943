"""A rail behind a gauge that averages and lags, its window and lag learned from the recording."""

from __future__ import annotations

import json

import numpy as np
import pytest

from powerhal.attribution import attribute
from powerhal.attribution.design import Design
from powerhal.attribution.fitting.problem import build
from powerhal.attribution.fitting.slow import restored, sensed
from powerhal.channel import Channel
from tests.attribution import synthetic
from tests.attribution.test_accounts import check_books

NAMES = ("cpu", "display", "wifi", "idle", "alpha", "beta")


def through_a_gauge(fake, rail="vin", window_s=4.0, lag_s=2.0, step_w=0.05, period_s=0.5, **channel):
    """The run with a rail's readings averaged, late and rounded, every `period_s`.

    Before the run and after it the load is what it was at either end: the gauge is read until it has shown all of it.
    """
    name = f"{rail}.power"
    sharp = fake.series_of[name]
    t, w = (sharp.t_ns - sharp.t_ns[0]) / 1e9, sharp.value
    total = np.concatenate(([0.0], np.cumsum(np.diff(t) * 0.5 * (w[1:] + w[:-1]))))

    def joules(at):
        return np.interp(at, t, total) + w[0] * np.minimum(at, 0.0) + w[-1] * np.maximum(at - t[-1], 0.0)

    at = np.arange(0.0, t[-1] + window_s + lag_s, period_s)
    end = at - lag_s
    mean = (joules(end) - joules(end - window_s)) / window_s
    given = {"quality_class": "gauge", "accuracy": 0.005, "lsb": step_w} | channel
    fake.drop(name)
    stamp = sharp.t_ns[0] + np.round(at * 1e9).astype(np.int64)
    fake.add(
        Channel(name, "power", "W", rail=rail, **given), stamp, np.round(mean / step_w) * step_w, period_s=period_s
    )
    return fake


def rows_of(ledger):
    return {r.name: r for r in ledger.rows if r.kind in ("device", "process", "idle")}


def worst(ledger, truth) -> float:
    found = rows_of(ledger)
    return max(abs(found[n].energy_j / truth[n] - 1.0) if n in found else 1.0 for n in NAMES)


def taken_as_they_come(monkeypatch) -> None:
    monkeypatch.setattr("powerhal.attribution.accounts.sensed", lambda *_: {})


MEASURED = (("vin",), ("vin", "vdd_cpu", "vdd_io"))


@pytest.fixture(scope="module", params=MEASURED, ids=("root alone", "fast rails below"))
def gauged(request):
    runs = [through_a_gauge(synthetic.build(seed, seconds=120.0, measured=request.param)) for seed in range(4)]
    return [(run, attribute(run)) for run in runs]


def test_window_and_lag_are_learned_and_written_down(gauged) -> None:
    for _, ledger in gauged:
        check_books(ledger)
        told = ledger.learned.provenance["sensors"]
        assert list(told) == ["vin"] and told["vin"]["origin"] == "learned"
        assert told["vin"]["window_s"] == pytest.approx(4.0, abs=0.4)
        assert told["vin"]["lag_s"] == pytest.approx(2.0, abs=0.25)
        assert told["vin"]["lag_90_s"][0] <= told["vin"]["lag_s"] <= told["vin"]["lag_90_s"][1]
        assert sum("the sensor of rail vin shows the mean of" in note for note in ledger.notes) == 1


def test_devices_and_processes_are_right_where_the_sensor_is_matched(gauged, monkeypatch) -> None:
    matched = [worst(ledger, run.truth) for run, ledger in gauged]
    taken_as_they_come(monkeypatch)
    naive = [worst(attribute(run), run.truth) for run, _ in gauged]
    assert max(matched) < 0.1 < 0.3 < min(naive)


def test_truth_is_inside_the_intervals(gauged) -> None:
    """24 rows of four runs each: fewer than 19 inside would be rarer than 1 in 20 at 90 %."""
    inside = []
    for run, ledger in gauged:
        found = rows_of(ledger)
        inside += [found[n].low_j <= run.truth[n] <= found[n].high_j for n in NAMES]
    assert sum(inside) >= 19


def test_what_the_sensor_moved_is_moved_back_and_nothing_is_added(gauged) -> None:
    run, ledger = gauged[0]
    fine = Design.from_recording(run)
    fine = Design.from_recording(run, sensed=sensed(run, fine))
    problem = build(fine.coarse(1.0)[0])
    theta = np.array([next(c.value for c in ledger.learned.coefficients if c.name == t.name) for t in problem.terms])
    back = restored(problem, theta)
    assert back.sharp is None and back.columns is back.x
    assert back.design.energy.sum(axis=0) == pytest.approx(problem.design.energy.sum(axis=0), rel=1e-12)
    truth = synthetic.build(0, seconds=120.0, measured=("vin",))
    sharp = Design.from_recording(truth).coarse(1.0)[0]
    true_w = np.interp(problem.design.edges, sharp.edges, np.concatenate(([0.0], np.cumsum(sharp.energy[:, 0]))))
    before, after = (np.abs(p.design.energy[:, 0] - np.diff(true_w)).mean() for p in (problem, back))
    assert after < 0.3 * before


def test_a_fast_sensor_is_not_asked(monkeypatch) -> None:
    run = synthetic.build(seed=3)
    assert sensed(run, Design.from_recording(run)) == {}
    ledger = attribute(run)
    assert ledger.learned.provenance["sensors"] == {}
    taken_as_they_come(monkeypatch)
    assert attribute(run).to_dict(doubts=True) == ledger.to_dict(doubts=True)


def test_a_gauge_that_is_fast_after_all_changes_no_joule(monkeypatch) -> None:
    gauge = {"window_s": 0.05, "lag_s": 0.0, "step_w": 1e-4, "period_s": 0.05}
    run = through_a_gauge(synthetic.build(seed=3, measured=("vin",)), **gauge)
    ledger = attribute(run)
    assert ledger.learned.provenance["sensors"]["vin"]["origin"] != "learned"
    taken_as_they_come(monkeypatch)
    assert [r.energy_j for r in attribute(run).rows] == [r.energy_j for r in ledger.rows]


def test_a_short_run_says_that_it_is_too_short() -> None:
    run = through_a_gauge(synthetic.build(seed=3, seconds=24.0, measured=("vin",)))
    ledger = attribute(run)
    told = ledger.learned.provenance["sensors"]["vin"]
    assert told["origin"] == "too short to learn" and told["lag_90_s"] == [0.0, None]
    assert any("too short to learn" in note for note in ledger.notes)
    json.dumps(ledger.learned.to_json(), allow_nan=False)


def test_where_nothing_can_be_learned_the_board_file_stands() -> None:
    run = through_a_gauge(synthetic.build(seed=3, seconds=24.0, measured=("vin",)), lag_s=2.0, window_s=4.0)
    channel = run.channels["vin.power"]
    given = synthetic.power("vin", window_s=4.0, quality_class="gauge", lsb=channel.lsb)
    series = run.series_of["vin.power"]
    run.drop("vin.power")
    run.add(given, series.t_ns, series.value, period_s=0.5)
    told = attribute(run).learned.provenance["sensors"]["vin"]
    assert told["origin"] == "board file" and (told["window_s"], told["lag_s"]) == (4.0, 2.0)
