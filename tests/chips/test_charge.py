"""Charge that counts both ways, a current whose sign is a flag, energy that a PMBus chip sums."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.channel import Channel, Quality
from powerhal.recording.counters import counter_increments
from tests.faults.faulty import Bench, row, series_of

BOTH = Channel("r.charge", "charge", "C", "q", counter=True, wrap_bits=16, both_ways=True, lsb=0.25)


@given(start=st.integers(0, 65535), steps=st.lists(st.integers(-300, 300), min_size=3, max_size=60))
@settings(max_examples=200, deadline=None)
def test_a_charge_that_goes_both_ways_is_exact_across_its_ends(start: int, steps: list[int]) -> None:
    """Against exact integers; the counter is a two's complement of 16 bits."""
    steps = [300, -300, *steps]  # the fastest steps are known, twice
    total, held = start, []
    for step in (0, *steps):
        total += step
        word = total & 0xFFFF
        held.append((word - 0x10000 if word & 0x8000 else word) * 0.25)
    found = counter_increments(series_of([i * 10**9 for i in range(len(held))], held), BOTH)
    assert found.amount.tolist() == [s * 0.25 for s in steps]
    assert not (found.quality & int(Quality.RESET)).any()


def test_a_charge_that_jumps_is_a_reset_and_no_charge() -> None:
    held = [0.0, -10.0, -20.0, -30.0, 4000.0, 3990.0, 3980.0]
    found = counter_increments(series_of([i * 10**9 for i in range(7)], held), BOTH)
    assert np.isnan(found.amount).tolist() == [False] * 3 + [True] + [False] * 2
    assert np.nansum(found.amount) == -50.0
    assert found.quality[3] & Quality.RESET


@pytest.mark.parametrize(("compatible", "name"), [("ti,ina228", "r1.charge"), ("maxim,max17055", "r1.charge_counter"),
                                                  ("lltc,ltc2942", "r1.charge")])  # fmt: skip
@pytest.mark.parametrize("amperes", [0.8, -0.8])
def test_consumed_charge_is_positive_and_charging_negative(compatible: str, name: str, amperes: float) -> None:
    address = {"ti": 0x40, "maxim": 0x36, "lltc": 0x64}[compatible.partition(",")[0]]
    bench = Bench({address: compatible}, amperes=amperes, volts=3.7)
    source = bench.opened(compatible, address, 1.0)
    channel = next(c for c in source.layout.channels if c.name == name)
    assert channel.counter
    assert channel.both_ways
    before = row(source)[0][name]
    start_ns = bench.clock.now_ns()
    bench.wait(600.0)
    gained = row(source)[0][name] - before
    assert gained == pytest.approx(amperes * (bench.clock.now_ns() - start_ns) / 1e9, rel=0.01, abs=2 * channel.lsb)


@pytest.mark.parametrize("amperes", [0.6, -0.6, 0.0])
def test_the_first_gauges_current_has_the_sign_of_its_flag(amperes: float) -> None:
    bench = Bench({0x55: "ti,bq27000"}, amperes=amperes, volts=3.7, shunt=0.02)
    source = bench.opened("ti,bq27000", 0x55, 0.2)
    bench.wait(6.0)
    values, _ = row(source)
    assert values["r1.current"] == pytest.approx(amperes, abs=3e-4)
    assert values["r1.power"] == pytest.approx(3.7 * amperes, abs=2e-3)


def test_a_pmbus_chip_sums_energy_once_it_is_calibrated() -> None:
    bench = Bench({0x40: "ti,ina233"}, amperes=2.0, volts=5.0)
    assert "r1.energy" not in {c.name for c in bench.opened("ti,ina233").layout.channels}, "no step without CALIBRATION"
    bench.bus.chips[0x40].write(bytes((0xD4,)) + (2048).to_bytes(2, "little"))
    source = bench.opened("ti,ina233")
    energy = next(c for c in source.layout.channels if c.name == "r1.energy")
    assert (energy.counter, energy.wrap_bits, energy.quality_class) == (True, 24, "accumulated")
    field = next(f for f in source.layout.fields if f.name == energy.field)
    assert field.scale == pytest.approx(
        float(25 * Fraction(512, 100000) / 2048 / Fraction(1, 100) * Fraction(22, 10000))
    )
    times, held = [], []
    for _ in range(80):
        bench.wait(0.1)
        times.append(bench.clock.now_ns())
        held.append(row(source)[0]["r1.energy"])
    gained = counter_increments(series_of(times, held), energy, field=field)
    assert np.nansum(gained.amount) == pytest.approx(10.0 * (times[-1] - times[0]) / 1e9, rel=2e-3)
    bench.bus.chips[0x40].write(b"\xd5\x06")
    assert "r1.energy" not in {c.name for c in bench.opened("ti,ina233").layout.channels}, "reading clears it"
