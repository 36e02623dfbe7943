from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation.alignment import LAGS_S, aligned, cells, misfit_by_program
from powerhal.attribution.evaluation.table import Table


def run(rate_hz, lag_s=0.0, rows=80, offset_s=0.0, name="x"):
    """Readings every 0.51 s of a rail whose power follows the events of the 0.5 s that end `lag_s` earlier."""
    at_s = 5.0 + np.arange(rows) * 0.51
    stamps_s = at_s + offset_s
    fine = np.linspace(0, 60, 600_001)
    total = np.concatenate(([0.0], np.cumsum(rate_hz(fine[:-1])) * (fine[1] - fine[0])))

    def events(end_s):
        return np.interp(end_s, fine, total) - np.interp(end_s - 0.5, fine, total)

    columns = {
        "benchmark": np.full(rows, name),
        "suite": np.full(rows, "s"),
        "cores": np.ones(rows),
        "a15_freq_mhz": np.full(rows, 1000.0),
        "t_ns": (at_s * 1e9).astype(np.int64) + 10**18,
        "ev_dt_ns": np.full(rows, offset_s * 1e9),
        "EVENTS": events(stamps_s),
    }
    return Table(columns), events(at_s - lag_s)


def test_a_steady_rate_is_left_as_it_is():
    table, events = run(lambda t: np.full_like(t, 1000.0), offset_s=-0.1)
    np.testing.assert_allclose(aligned(table, ["EVENTS"], 0.2).number("EVENTS"), events, rtol=1e-6)


def test_rows_may_come_in_any_order():
    table, _ = run(lambda t: 1000 + 500 * np.sin(t))
    shuffle = np.random.default_rng(0).permutation(len(table))
    straight = aligned(table, ["EVENTS"], 0.2).number("EVENTS")
    np.testing.assert_array_equal(aligned(table.where(shuffle), ["EVENTS"], 0.2).number("EVENTS"), straight[shuffle])


def test_runs_do_not_leak_into_each_other():
    one, _ = run(lambda t: np.full_like(t, 1000.0), name="x")
    two, _ = run(lambda t: np.full_like(t, 9000.0), name="y")
    both = Table({name: np.concatenate((one.columns[name], two.columns[name])) for name in one.columns})
    moved = aligned(both, ["EVENTS"], 0.3).number("EVENTS")
    np.testing.assert_allclose(moved[: len(one)], 500.0, rtol=1e-6)
    np.testing.assert_allclose(moved[len(one) :], 4500.0, rtol=1e-6)


@pytest.mark.parametrize(("lag_s", "offset_s"), [(0.2, 0.0), (0.0, 0.2), (0.4, -0.15)])
def test_the_lag_of_the_sensor_is_found(lag_s, offset_s):
    table, events = run(lambda t: 1000 + 400 * np.sin(1.9 * t) + 300 * np.sin(0.63 * t), lag_s, offset_s=offset_s)
    power = 1.0 + 1e-3 * events
    misfit = [misfit_by_program(table, ["EVENTS"], power, lag).sum() for lag in LAGS_S]
    assert LAGS_S[int(np.argmin(misfit))] == lag_s


def test_cells_number_equal_rows_equally():
    table = Table({"a": np.array(["x", "y", "x", "y"]), "b": np.array([1.0, 1.0, 2.0, 1.0])})
    found = cells(table, ("a", "b", "no such column"))
    assert found[1] == found[3]
    assert len(set(found.tolist())) == 3
