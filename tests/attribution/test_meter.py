from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.meter import choices, measure
from powerhal.channel import Channel
from tests.attribution.synthetic import START_NS, Fake, power, topology

S = 1_000_000_000


@pytest.fixture
def run() -> Fake:
    return Fake(topology())


def times(n: int, period: float = 0.1) -> np.ndarray:
    return START_NS + (np.arange(n) * period * S).astype(np.int64)


def joules(run: Fake, until_s: float = 4.0) -> float:
    rail = choices(run)[0]
    return float(measure(run, rail, np.array([START_NS, START_NS + int(until_s * S)])).energy_j[0])


def test_volts_and_amperes_read_by_different_sources(run) -> None:
    run.add(Channel("vin.current", "current", "A", rail="vin"), times(50), np.full(50, 0.5))
    run.add(Channel("vin.voltage", "voltage", "V", rail="vin"), times(6, 1.0), np.full(6, 4.0), period_s=1.0)
    assert choices(run)[0].way == "volts and amperes"
    assert joules(run) == pytest.approx(8.0)


def test_an_energy_counter_is_preferred_and_wraps(run) -> None:
    run.add(power("vin"), times(50), np.full(50, 9.0))
    run.add(
        Channel("vin.energy", "energy", "J", rail="vin", counter=True, wrap_span=10.0, quality_class="accumulated"),
        times(50), (7.0 + np.arange(50) * 0.2) % 10.0,
    )  # fmt: skip
    assert choices(run)[0].way == "energy counter"
    assert joules(run) == pytest.approx(8.0)


def test_a_charge_counter_needs_volts(run) -> None:
    charge = Channel("vin.charge", "charge", "C", rail="vin", counter=True)
    run.add(charge, times(50), np.arange(50) * 0.05)
    assert not choices(run)
    run.add(Channel("vin.voltage", "voltage", "V", rail="vin"), times(50), np.full(50, 4.0))
    assert choices(run)[0].way == "charge counter"
    assert joules(run) == pytest.approx(8.0)


def test_a_measurement_is_better_than_a_gauge_and_an_estimate_is_none(run) -> None:
    run.add(power("vin", quality_class="estimated"), times(50), np.full(50, 1.0))
    assert not choices(run)
    run.add(Channel("gauge.power", "power", "W", rail="vin", quality_class="gauge"), times(50), np.full(50, 3.0))
    assert choices(run)[0].channels == ("gauge.power",)
    run.add(Channel("chip.power", "power", "W", rail="vin"), times(50), np.full(50, 2.0))
    assert choices(run)[0].channels == ("chip.power",)


def test_stated_limits_become_standard_deviations(run) -> None:
    run.add(
        Channel("vin.current", "current", "A", rail="vin", accuracy=0.003, offset=0.003), times(50), np.full(50, 0.5)
    )
    run.add(Channel("vin.voltage", "voltage", "V", rail="vin", accuracy=0.004, offset=0.0), times(50), np.full(50, 4.0))
    rail = choices(run)[0]
    assert rail.gain_sd == pytest.approx(0.005 / 3)
    assert rail.offset_w == pytest.approx(0.004)
