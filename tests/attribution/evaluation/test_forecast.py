from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation.forecast import Lags, forecast, operating_points
from powerhal.attribution.evaluation.table import Table, read_table
from powerhal.errors import NotEnoughData
from tests.attribution.evaluation.synthetic import write_table


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> tuple[Table, Table]:
    place = tmp_path_factory.mktemp("xu3")
    write_table(place / "train.csv", seed=1)
    write_table(place / "test.csv", seed=2, programs={"PARSEC": 2, "cBench": 2})
    return read_table(place / "train.csv"), read_table(place / "test.csv")


def error(table: Table, power_w) -> float:
    return float(np.mean(np.abs(power_w / table.number("a15_w") - 1)))


def blank(table: Table, *names: str) -> Table:
    return table.replaced({name: np.full(len(table), np.nan) for name in names})


def test_new_programs_are_predicted(tables):
    train, test = tables
    found = forecast(train, test, 0.0)
    assert error(test, found.prediction.power_w) < 0.05
    assert {part.train.text("suite")[0] for part in found.parts} == {"cBench", "PARSEC"}


def test_truth_of_the_test_rows_is_not_looked_at(tables):
    train, test = tables
    blind = blank(test, "a15_w", "a15_i")
    np.testing.assert_array_equal(
        forecast(train, test, 0.0).prediction.power_w, forecast(train, blind, 0.0).prediction.power_w
    )


def test_order_of_rows_does_not_matter(tables):
    train, test = tables
    shuffle = np.random.default_rng(0).permutation(len(test))
    straight = forecast(train, test, 0.1).prediction.power_w
    np.testing.assert_allclose(forecast(train, test.where(shuffle), 0.1).prediction.power_w, straight[shuffle])


def test_missing_counters_fall_back_to_what_both_sides_have(tables):
    train, test = tables
    poor = blank(test, "L2D_CACHE_ACCESS", "BRANCH_MISPRED")
    found = forecast(train, poor, 0.0)
    assert all("L2D_CACHE_ACCESS" not in part.counted and "INST_RETIRED" in part.counted for part in found.parts)
    assert np.isfinite(found.prediction.power_w).all()
    unknown = forecast(blank(train, "L2D_CACHE_ACCESS"), test, 0.0)
    assert all("L2D_CACHE_ACCESS" not in part.counted for part in unknown.parts)


def test_without_counters_time_at_frequency_remains(tables):
    train, test = tables
    bare = Table({name: column for name, column in test.columns.items() if not name.isupper()})
    found = forecast(train, bare, 0.0)
    assert all(part.counted == () for part in found.parts)
    assert error(test, forecast(train, test, 0.0).prediction.power_w) < error(test, found.prediction.power_w) < 0.3


def test_some_rows_without_counters_only_cost_those_rows(tables):
    train, test = tables
    cycles = test.number("CPU_CYCLES").copy()
    cycles[::7] = np.nan
    cycles[1::7] = 0.0
    found = forecast(train, test.replaced({"CPU_CYCLES": cycles}), 0.0)
    assert np.isfinite(found.prediction.power_w).all()


def test_a_suite_that_was_never_trained_learns_from_all(tables):
    train, test = tables
    strange = test.replaced({"suite": np.full(len(test), "other")})
    found = forecast(train, strange, 0.0)
    assert {str(name) for part in found.parts for name in part.train.text("suite")} == {"cBench", "PARSEC"}
    assert error(test, found.prediction.power_w) < 0.1


def test_static_part_is_small_and_intervals_hold_the_prediction(tables):
    found = forecast(*tables, 0.0).prediction
    assert np.all(found.low_w < found.power_w)
    assert np.all(found.power_w < found.high_w)
    assert np.all((found.static_w >= 0) & (found.static_w < 0.4 * found.power_w))


def test_nothing_measured_is_said(tables):
    train, test = tables
    with pytest.raises(NotEnoughData, match="a15_w"):
        forecast(blank(train, "a15_w"), test, 0.0)


def test_operating_points_do_not_follow_the_load():
    table = Table({"a15_freq_mhz": np.array([1000.0, 1800.0, 1800.0]), "a15_v": np.array([0.9, 1.1, 1.2])})
    points = operating_points(table, table)
    np.testing.assert_allclose(points.volts_at(table.number("a15_freq_mhz")), [0.9, 1.2, 1.2])
    unknown = operating_points(blank(table, "a15_v"), table.where(np.array([True, False, False])))
    np.testing.assert_allclose(unknown.volts, 1.0)
    new = operating_points(table, table.replaced({"a15_freq_mhz": np.array([1000.0, 1400.0, np.nan])}))
    np.testing.assert_allclose(new.frequencies_mhz, [1000.0, 1400.0, 1800.0])
    np.testing.assert_allclose(new.volts, [0.9, 1.1, 1.2])


@pytest.mark.parametrize(("mhz", "volts"), [(1400.0, 1.05), (2200.0, 1.35), (600.0, 0.75), (100.0, 0.5625)])
def test_a_new_frequency_without_a_voltage_lies_on_the_line(mhz, volts):
    train = Table({"a15_freq_mhz": np.array([1000.0, 1800.0]), "a15_v": np.array([0.9, 1.2])})
    test = Table({"a15_freq_mhz": np.array([mhz]), "a15_v": np.array([np.nan])})
    found = operating_points(train, test)
    assert found.volts_at(test.number("a15_freq_mhz"))[0] == pytest.approx(volts)


def test_features_use_nothing_that_a_rail_measured(tables):
    """Voltage, current and power of every rail may be empty in the rows that are asked for."""
    train, test = tables
    rails = [name for name in test.columns if name.endswith(("_v", "_i", "_w"))]
    assert {"a15_v", "a15_i", "a15_w"} <= set(rails)
    seen, blind = (forecast(train, rows, 0.1).prediction for rows in (test, blank(test, *rails)))
    for name in ("power_w", "low_w", "high_w", "static_w", "owned_w"):
        np.testing.assert_array_equal(getattr(seen, name), getattr(blind, name))


def test_only_power_and_voltage_by_frequency_are_learned_from_a_rail(tables):
    train, test = tables
    found = forecast(blank(train, "a15_i"), test, 0.1).prediction
    np.testing.assert_array_equal(found.power_w, forecast(train, test, 0.1).prediction.power_w)


def test_a_frequency_that_was_never_trained_is_predicted(tables):
    train, test = tables
    found = forecast(train.where(train.number("a15_freq_mhz") != 1400), test, 0.0)
    assert error(test, found.prediction.power_w) < 0.08


def test_rows_without_a_frequency_stay_unknown(tables):
    train, test = tables
    frequency = test.number("a15_freq_mhz").copy()
    frequency[3] = np.nan
    found = forecast(train, test.replaced({"a15_freq_mhz": frequency}), 0.0).prediction
    assert np.isnan(found.power_w[3])
    assert np.isfinite(np.delete(found.power_w, 3)).all()


def test_a_lag_is_learned_without_the_program_left_out(tables):
    lags = Lags(tables[0])
    assert lags.best_s() in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
    assert Lags(tables[0].where(np.zeros(len(tables[0]), dtype=bool))).best_s() == 0.0


def warmed(table, seed):
    """The table with two more sensors: one is above the others by 20 K per watt, in whole degrees."""
    random = np.random.default_rng(seed)
    room = np.repeat(random.uniform(30, 50, len(table) // 12 + 1), 12)[: len(table)]
    hot = np.round(room + 20.0 * table.number("a15_w") + 0.5 * random.standard_normal(len(table)))
    return table.replaced({"a15_temp_c": np.round(room), "a7_temp_c": hot, "gpu_temp_c": np.round(room + 1.0)})


def test_heat_stands_in_for_counters_whatever_the_room(tables):
    train, test = (warmed(table, seed) for seed, table in enumerate(tables))
    bare = [Table({name: col for name, col in t.columns.items() if not name.isupper()}) for t in (train, test)]
    cold = [blank(t, "a7_temp_c", "gpu_temp_c") for t in bare]
    found, without = forecast(*bare, 0.0), forecast(*cold, 0.0)
    assert all(part.heated for part in found.parts)
    assert not any(part.heated for part in without.parts)
    assert error(test, found.prediction.power_w) < 0.7 * error(test, without.prediction.power_w)
    np.testing.assert_allclose(found.prediction.owned_w, without.prediction.owned_w, rtol=0.05)


def test_rows_whose_sensors_fail_are_predicted_without_heat(tables):
    train, test = (warmed(table, seed) for seed, table in enumerate(tables))
    hot = test.number("a7_temp_c").copy()
    hot[::5] = np.nan
    found = forecast(train, test.replaced({"a7_temp_c": hot}), 0.0)
    assert np.isfinite(found.prediction.power_w).all()
    assert {bool(part.heated) for part in found.parts} == {True, False}
