from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.design import Design
from powerhal.attribution.observed.recorded import volts_at
from powerhal.channel import Channel, Cluster, Device
from tests.attribution import synthetic


@pytest.fixture(scope="module")
def design() -> Design:
    return Design.from_recording(synthetic.build(seed=31, seconds=30))


def test_columns_say_what_they_are(design) -> None:
    by_name = {c.name: c for c in design.columns}
    assert by_name["cpu: V²f"].unit == "W/(Hz V²)"
    assert not by_name["cpu: V²f"].static
    assert by_name["cpu: V e^T"].static
    assert {"display: on", "display: brightness", "wifi: tx bytes", "wifi: awake", "base: constant"} <= set(by_name)
    assert len(design.names) == len(set(design.names))


def test_dynamic_column_is_volts_squared_times_frequency_times_busy_seconds(design) -> None:
    run = synthetic.build(seed=31, seconds=30)
    j = design.names.index("cpu: V²f")
    per_process = run.truth["cpu"] * synthetic.EFFICIENCY / synthetic.FARADS
    assert design.x[:, j].sum() == pytest.approx(per_process, rel=1e-3)


def test_longer_windows_hold_the_same(design) -> None:
    coarse, window = design.coarse(1.0)
    assert coarse.seconds.min() >= 0.75
    assert coarse.x.sum(axis=0) == pytest.approx(design.x.sum(axis=0))
    assert coarse.energy.sum(axis=0) == pytest.approx(design.energy.sum(axis=0))
    assert window.size == design.seconds.size
    assert np.bincount(window, design.seconds).tolist() == pytest.approx(coarse.seconds.tolist())


def test_without_volts_every_frequency_has_a_column() -> None:
    clusters = (Cluster("big", (0, 1, 2, 3), tuple((f, None) for f, _ in synthetic.OPPS)),)
    found = Design.from_recording(synthetic.build(seed=32, seconds=20, board=synthetic.topology(clusters=clusters)))
    names = [n for n in found.names if n.startswith("cpu: busy@")]
    assert names == ["cpu: busy@500MHz", "cpu: busy@1000MHz", "cpu: busy@2000MHz"]


def test_what_was_not_recorded_is_said_and_not_taken_for_zero() -> None:
    run = synthetic.build(seed=33, seconds=20)
    for name in ("display.on", "display.brightness"):
        run.drop(name)
    found = Design.from_recording(run)
    assert not [n for n in found.names if n.startswith("display")]
    assert any(n.startswith("display:") for n in found.notes)


def test_windows_in_which_an_activity_is_unknown_are_not_learned_from() -> None:
    run = synthetic.build(seed=34, seconds=20)
    series = run.series_of["cpu.big.busy"]
    series.value[200:] -= series.value[200]  # the counter was reset in the middle
    found = Design.from_recording(run)
    j = found.names.index("cpu: V²f")
    assert 1 <= np.count_nonzero(~found.known[:, j]) <= 2


def test_a_device_of_an_unknown_kind_has_a_column_for_each_activity() -> None:
    lamp = Device("lamp", "custom", "vin", "", {"lit": "display.on"})
    found = Design.from_recording(synthetic.build(seed=35, seconds=20, board=synthetic.topology(devices=(lamp,))))
    assert "lamp: lit" in found.names


def test_volts_between_operating_points_lie_on_a_line() -> None:
    cluster = Cluster("c", (0,), ((1e9, 1.0), (2e9, 1.2)))
    assert volts_at(cluster, np.array([1e9, 1.5e9])).tolist() == pytest.approx([1.0, 1.1])
    assert volts_at(None, np.array([1e9])) is None


@pytest.mark.parametrize("known", [True, False])
def test_hardware_counters_are_columns_where_they_were_recorded(known: bool) -> None:
    opps = synthetic.OPPS if known else tuple((f, None) for f, _ in synthetic.OPPS)
    run = synthetic.build(seed=36, seconds=20, board=synthetic.topology(clusters=(Cluster("big", (0, 1, 2, 3), opps),)))
    t_ns = run.series_of["cpu.big.busy"].t_ns
    rates = np.random.default_rng(1).integers(1, 9, t_ns.size) * 1e7
    channel = Channel("cpu.big.instructions", "count", "", counter=True, activity="cpu.big.instructions")
    run.add(channel, t_ns, np.cumsum(rates))
    found = Design.from_recording(run)
    j = found.names.index("cpu: V² instructions" if known else "cpu: instructions")
    assert found.columns[j].unit == ("J/V²" if known else "J")
    whole = rates[1:].sum()
    total = found.x[:, j].sum()
    if known:
        assert 0.6**2 * whole <= total <= 1.0**2 * whole
    else:
        assert total == pytest.approx(whole, rel=0.02)
    assert not [n for n in found.names if "cache misses" in n]
