from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation.baselines import cpu_time_share, per_frequency_elastic_net, per_frequency_time
from powerhal.attribution.evaluation.table import Table


def table(rows=60):
    frequency = np.repeat([1000.0, 2000.0], rows // 2)
    cycles = frequency * 1e6 * 0.5 * np.linspace(0.5, 1.0, rows)
    return Table({"a15_freq_mhz": frequency, "cores": np.ones(rows), "CPU_CYCLES": cycles})


def test_time_at_each_frequency_is_exact_where_power_is_busy_time():
    data = table()
    busy = data.number("CPU_CYCLES") / (data.number("a15_freq_mhz") * 5e5)
    power = busy * np.where(data.number("a15_freq_mhz") == 1000, 1.0, 4.0)
    np.testing.assert_allclose(per_frequency_time(data, power, data, ("CPU_CYCLES",)), power)
    assert np.mean(np.abs(cpu_time_share(data, power, data, ("CPU_CYCLES",)) / power - 1)) > 0.3


def test_without_cycles_the_named_cores_are_busy():
    data = table()
    np.testing.assert_allclose(cpu_time_share(data, np.full(60, 2.0), data, ()), 2.0)


def test_elastic_net_answers_known_frequencies_only():
    pytest.importorskip("sklearn")
    data = table()
    power = 1e-9 * data.number("CPU_CYCLES") + 0.5
    new = table().replaced({"a15_freq_mhz": np.repeat([1000.0, 1700.0], 30)})
    found = per_frequency_elastic_net(data, power, new, ("CPU_CYCLES",))
    assert np.isfinite(found[:30]).all()
    assert np.isnan(found[30:]).all()
    np.testing.assert_allclose(found[:30], power[:30], rtol=0.05)
