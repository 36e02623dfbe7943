from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.carbon import Embodied, Footprint, Intensity, Losses, Range, footprint, for_board, lookup
from powerhal.carbon.intensity import KG_PER_J

YEAR_S = 31557600.0
HOUR_S = 3600.0


def test_the_worked_example() -> None:
    """12 kJ from a phone's cell in Japan, one hour of a 50 kg phone that lasts 3 years, 30 % of it."""
    losses = Losses.battery()
    assert losses.factor.value == pytest.approx(1.35, abs=0.005)
    assert losses.extremes == (pytest.approx(1.19, abs=0.005), pytest.approx(1.55, abs=0.005))
    assert 12e3 * losses.factor.value / HOUR_S == pytest.approx(4.49, abs=0.005)
    phone = Embodied(Range.exact(50.0), 3 * YEAR_S, 0.3)
    found = footprint(12e3, 12e3, 12e3, lookup("JPN"), losses, embodied=phone, duration_s=HOUR_S)
    assert found.operational_g == pytest.approx(2.17, abs=0.005)
    assert found.embodied_g == pytest.approx(0.57, abs=0.005)
    assert found.total_g == pytest.approx(2.74, abs=0.005)
    assert found.per(1.0) == found.total_g
    assert found.per(4.0) == pytest.approx(found.total_g / 4)


def test_an_hour_of_a_whole_phone() -> None:
    assert Embodied(Range(55.5, 31, 77), 3 * YEAR_S).grams(HOUR_S).value == pytest.approx(2.11, abs=0.005)


def test_mains_and_grid_losses() -> None:
    assert Losses.mains().factor.value == pytest.approx(1 / 0.85)
    assert Losses.mains(grid_loss=0.06).factor.value == pytest.approx(1 / 0.85 / 0.94)
    assert Losses().factor == Range(1.0, 1.0, 1.0)


def test_unknown_embodied_is_not_zero() -> None:
    found = footprint(1e3, 1e3, 1e3, lookup("FR"), Losses())
    assert found.embodied_g is None
    assert found.total_g == found.operational_g


def test_one_doubt_alone_is_carried_as_it_is() -> None:
    sure = Intensity("X", "X", 2024, 400 * KG_PER_J, half_width=0.0)
    found = footprint(3.6e6, 3.6e6 * 0.9, 3.6e6 * 1.2, sure, Losses())
    assert (found.low_g, found.operational_g, found.high_g) == pytest.approx((360.0, 400.0, 480.0))
    unsure = Intensity("X", "X", 2024, 400 * KG_PER_J, half_width=0.1)
    found = footprint(3.6e6, 3.6e6, 3.6e6, unsure, Losses())
    assert (found.low_g, found.high_g) == pytest.approx((360.0, 440.0))


def test_squares_of_relative_half_widths_add() -> None:
    grid = Intensity("X", "X", 2024, 400 * KG_PER_J, half_width=0.06)
    found = footprint(3.6e6, 3.6e6 * 0.92, 3.6e6 * 1.08, grid, Losses())
    assert found.high_g == pytest.approx(400 * (1 + math.hypot(0.08, 0.06)))
    made = Embodied(Range(4.0, 3.0, 5.0), YEAR_S)
    both = footprint(3.6e6, 3.6e6 * 0.92, 3.6e6 * 1.08, grid, Losses(), embodied=made, duration_s=YEAR_S * 0.05)
    assert both.total_g == pytest.approx(400 + 200)
    assert both.low_g == pytest.approx(600 - math.hypot(400 * 0.08, 400 * 0.06, 50.0))


def test_no_energy_with_an_interval_keeps_it() -> None:
    found = footprint(0.0, -3.6e3, 3.6e3, Intensity("X", "X", 2024, 500 * KG_PER_J), Losses())
    assert found.operational_g == 0.0
    assert (found.low_g, found.high_g) == pytest.approx((-0.5, 0.5))


def test_the_interval_covers_what_independent_doubts_do() -> None:
    """Draw energy, efficiencies, intensity and embodied mass at random inside normals with these 90 % ranges."""
    rng, z90 = Random(4), 1.6449
    energy, half = 20e3, 0.07
    grid = lookup("DE")
    made = Embodied(Range(55.5, 45.0, 66.0), 3 * YEAR_S)
    losses = Losses.battery()
    found = footprint(energy, energy * (1 - half), energy * (1 + half), grid, losses, embodied=made, duration_s=HOUR_S)

    def draw(r: Range) -> float:
        step = rng.gauss(0, 1) / z90
        return r.value + step * ((r.high - r.value) if step > 0 else (r.value - r.low))

    inside = 0
    for _ in range(4000):
        joules = energy * (1 + half * rng.gauss(0, 1) / z90)
        wall = joules / math.prod(draw(e) for e in losses.efficiencies)
        grams = wall * grid.kg_per_j * 1e3 * (1 + grid.half_width * rng.gauss(0, 1) / z90)
        inside += found.low_g <= grams + draw(made.total_kg) * 1e3 * HOUR_S / (3 * YEAR_S) <= found.high_g
    assert 0.88 < inside / 4000 < 0.92


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(0, 1e5), st.floats(0, 1e5), st.sampled_from(["JP", "NO", "WORLD"]))
def test_the_interval_holds_the_value(energy: float, below: float, above: float, zone: str) -> None:
    found = footprint(energy, energy - below, energy + above, lookup(zone), Losses.battery())
    assert found.low_g <= found.operational_g <= found.high_g


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=20))
def test_rows_add_up_to_the_total(rows: list[float]) -> None:
    account = for_board({"zone": "JP"}, 60.0, has_battery=True)
    whole = sum(rows)
    grams = sum(account.row(e, e, e)[0] for e in rows)
    assert grams == pytest.approx(account.total(whole, whole, whole).operational_g)


def test_units_must_be_some() -> None:
    with pytest.raises(ValueError, match="must be positive"):
        Footprint(1.0, None, 1.0, 1.0).per(0.0)
