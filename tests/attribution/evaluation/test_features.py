from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation.features import ACTIVITIES, COUNTERS, MILD, STRONG, design, events_per_cycle
from powerhal.attribution.evaluation.table import Table


def table(**counters):
    base = {"a15_freq_mhz": [1000.0, 2000.0], "cores": [1.0, 2.0], "a15_temp_c": [50.0, 90.0], "CPU_CYCLES": [5e8, 1e9]}
    return Table({name: np.array(values) for name, values in {**base, **counters}.items()})


def test_no_column_reads_a_current_or_a_power():
    rails = ("a15", "a7", "gpu", "ram")
    assert not [name for name in COUNTERS if name.lower().startswith(rails)]
    poisoned = {f"{rail}_{quantity}": np.array([7.0, 8.0]) for rail in rails for quantity in ("i", "w")}
    volts = np.array([0.9, 1.3])
    clean, dirty = (design(table(**extra), COUNTERS[:1], volts) for extra in ({}, poisoned))
    np.testing.assert_array_equal(clean.dynamic, dirty.dynamic)
    np.testing.assert_array_equal(clean.static, dirty.static)


@pytest.mark.parametrize("curve", [MILD, STRONG])
def test_bends_start_with_slope_one_and_never_fall(curve):
    x = np.linspace(0, 3, 1000)
    y = curve.bend(x)
    assert y[0] == 0
    assert np.all(np.diff(y) > 0)
    assert curve.bend(np.array([1e-6]))[0] == pytest.approx(1e-6, rel=1e-3)


def test_leakage_follows_voltage_and_temperature_only():
    columns = design(table(), (), np.array([1.0, 1.2]))
    np.testing.assert_allclose(columns.static, [1.0, 1.2 * np.e])


def test_activities_are_events_per_cycle():
    counters = {
        "INST_RETIRED": [5e8, 5e8],
        "BRANCH_PRED": [1e8, 1e8],
        "L1D_CACHE_ACCESS": [2e8, 2e8],
        "DATA_MEM_ACCESS": [4e8, 4e8],
        "L1D_CACHE_REFILL": [1e6, 1e6],
        "L1I_CACHE_REFILL": [3e6, 3e6],
    }
    rates = events_per_cycle(table(**counters), ("CPU_CYCLES", *counters))
    assert rates["instruction"][0] == pytest.approx(0.8)  # branches are counted on their own
    assert rates["data access"][0] == pytest.approx(0.6)  # two counters of one quantity: their mean
    assert rates["refill"][0] == pytest.approx(0.008)  # two parts: their sum
    with_l2 = events_per_cycle(table(**counters, L2D_CACHE_ACCESS=[2e7, 2e7]), ("L2D_CACHE_ACCESS", *counters))
    assert "refill" not in with_l2


def test_busy_time_comes_from_cycles_or_from_the_cores_that_the_file_names():
    volts = np.ones(2)
    counted, named = design(table(), ("CPU_CYCLES",), volts), design(table(), (), volts)
    np.testing.assert_allclose(counted.dynamic[:, counted.names.index("busy")], [1.0, 1.0])
    np.testing.assert_allclose(named.dynamic[:, named.names.index("busy")], [1.0, 2.0])


def test_columns_are_never_negative():
    odd = {"INST_RETIRED": [1e6, 1e6], "BRANCH_PRED": [2e6, 2e6]}
    assert np.all(design(table(**odd), ("CPU_CYCLES", *odd), np.ones(2)).dynamic >= 0)


def test_every_activity_knows_its_energy_and_counters():
    assert all(activity.energy > 0 and activity.counters for activity in ACTIVITIES)
    assert len({activity.name for activity in ACTIVITIES}) == len(ACTIVITIES)


def test_data_accesses_stand_for_instructions_that_nobody_counts():
    one, two = {"L1D_CACHE_ACCESS": [2e8, 2e8]}, {"L1D_CACHE_ACCESS": [2e8, 2e8], "L1I_CACHE_ACCESS": [1e8, 1e8]}
    assert events_per_cycle(table(**one), tuple(one))["instruction"][0] == pytest.approx(2.5 * 0.4)
    assert "instruction" not in events_per_cycle(table(**two), tuple(two))
