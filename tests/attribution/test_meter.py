from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.observed.meter import choices, measure
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


def counted(run: Fake, values: np.ndarray, lsb: float = 1.0) -> None:
    channel = Channel(
        "vin.energy", "energy", "J", rail="vin", counter=True, quality_class="inferred", lsb=lsb, accuracy=0.3
    )
    run.add(channel, times(values.size), values)


def watched(run: Fake, until_s: float):
    edges = START_NS + (np.arange(round(until_s) + 1) * S).astype(np.int64)
    return measure(run, choices(run)[0], edges)


def test_what_is_inferred_counts_only_when_nothing_else_measures_the_rail(run) -> None:
    counted(run, np.arange(50) * 0.2, lsb=0.2)
    rail = choices(run)[0]
    assert (rail.way, rail.quality_class) == ("energy counter", "inferred")
    assert rail.gain_sd == pytest.approx(0.3 / 3**0.5)
    run.add(Channel("gauge.power", "power", "W", rail="vin", quality_class="gauge"), times(50), np.full(50, 3.0))
    assert choices(run)[0].channels == ("gauge.power",)


def test_an_inferred_counter_has_the_variance_of_its_steps_and_of_its_model(run) -> None:
    counted(run, np.floor(np.arange(100) * 0.2))
    seen = watched(run, 9.0)
    assert seen.energy_j.sum() == pytest.approx(18.0, abs=1.0)
    assert (seen.noise_j2 >= 1.0 / 6.0 + (0.3 / 3**0.5 * seen.energy_j) ** 2 - 1e-12).all()


def test_a_gauge_that_dithers_consumes_nothing(run) -> None:
    counted(run, 100.0 + (np.arange(100) % 2))
    assert watched(run, 9.0).energy_j.sum() <= 1.0


@pytest.mark.parametrize("fall", [-0.5, -5.0])
def test_charging_is_never_negative_joules_nor_a_wrap(run, fall) -> None:
    steps = np.concatenate((np.full(40, 0.5), np.full(30, fall), np.full(40, 0.5)))
    counted(run, 200.0 + np.cumsum(steps))
    seen = watched(run, 10.0)
    assert (seen.energy_j >= 0).all()
    assert seen.energy_j.sum() <= 40.0 + 1e-6
    assert (seen.covered_s[4:7] == 0).all()
    assert (seen.covered_s[:3] > 0).all() and (seen.covered_s[8:] > 0).all()
    assert seen.energy_j[:3] == pytest.approx(np.full(3, 5.0))


def test_inferred_power_of_a_battery_that_is_charged_is_not_watched(run) -> None:
    value = np.where(np.arange(100) < 50, 2.0, -3.0)
    channel = Channel("vin.power", "power", "W", rail="vin", quality_class="inferred", lsb=0.1, accuracy=0.3)
    run.add(channel, times(100), value)
    seen = watched(run, 9.0)
    assert (seen.energy_j >= 0).all()
    assert seen.energy_j[:4] == pytest.approx(np.full(4, 2.0))
    assert (seen.covered_s[5:] == 0).all()
    assert (seen.noise_j2[:4] > (0.3 / 3**0.5 * 2.0) ** 2).all()


def test_a_charged_battery_does_not_take_windows_from_measured_rails(run) -> None:
    counted(run, 200.0 - np.arange(50) * 3.0)
    assert [r.rail for r in choices(run)] == ["vin"]
    run.add(power("vdd_cpu"), times(50), np.full(50, 1.0))
    assert [r.rail for r in choices(run)] == ["vdd_cpu"]
