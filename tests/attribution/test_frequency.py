from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.fitting.frequency import Curve, Population, shape_of
from powerhal.errors import NotEnoughData


def curve(label, family, shares, top_hz=2e9, n=8, noise=0.0, seed=0, level=1.0):
    hz = np.linspace(0.2, 1.0, n) * top_hz
    u = hz / top_hz
    watts = level * (shares[0] + shares[1] * u + shares[2] * u**3)
    return Curve(label, family, hz, watts * np.exp(noise * np.random.default_rng(seed).standard_normal(n)))


def many(noise=0.01, count=12):
    random = np.random.default_rng(7)
    shares = random.dirichlet((1.0, 2.0, 4.0), count)
    return [
        curve(f"chip{k}", f"f{k}", shares[k], 1e9 + 2e8 * k, noise=noise, seed=k, level=0.1 * 1.4**k)
        for k in range(count)
    ]


def test_the_shape_of_a_clean_curve_is_found():
    assert shape_of(curve("a", "a", (0.1, 0.3, 0.6), n=12)) == pytest.approx([0.1, 0.3, 0.6], abs=0.01)


def test_a_shape_is_not_decided_by_one_wrong_reading():
    clean = curve("a", "a", (0.1, 0.3, 0.6), n=12)
    watts = clean.watts.copy()
    watts[4] *= 3.0
    assert shape_of(Curve("a", "a", clean.hz, watts)) == pytest.approx([0.1, 0.3, 0.6], abs=0.12)


def test_few_readings_and_other_chips_give_the_rest_of_a_curve():
    new = curve("new", "new", (0.08, 0.25, 0.67), 1.9e9, level=0.7)
    given = np.array([0, 7])
    found = Population(many()).without("new").expect(new.hz, new.hz[given], new.watts[given], 1.9e9)
    assert np.abs(found.watts / new.watts - 1).max() < 0.12
    assert ((found.low_w < new.watts) & (new.watts < found.high_w)).all()
    assert sum(share for _, share in found.like) <= 1.0 + 1e-9


def test_more_readings_are_surer_and_none_is_the_least_sure():
    new, prior = curve("new", "new", (0.1, 0.3, 0.6)), Population(many()).without()
    width = []
    for given in ([], [7], [0, 7], [0, 2, 5, 7]):
        found = prior.expect(new.hz[[3]], new.hz[given], new.watts[given], 2e9)
        width.append(float(np.log(found.high_w / found.low_w)[0]))
    assert width == sorted(width, reverse=True)


def test_intervals_hold_what_they_claim():
    inside, prior = [], Population(many(0.02, 20)).without()
    for seed in range(40):
        shares = np.random.default_rng(100 + seed).dirichlet((1.0, 2.0, 4.0))
        new = curve("new", "new", shares, noise=0.02, seed=seed, level=0.5)
        found = prior.expect(new.hz[[2, 5]], new.hz[[0, 4, 7]], new.watts[[0, 4, 7]], 2e9)
        inside += list((found.low_w < new.watts[[2, 5]]) & (new.watts[[2, 5]] < found.high_w))
    assert np.mean(inside) >= 0.8


def test_a_table_in_another_unit_changes_its_level_and_nothing_else():
    new, prior = curve("new", "new", (0.1, 0.3, 0.6)), Population(many()).without()
    given = [0, 3, 7]
    small = prior.expect(new.hz, new.hz[given], new.watts[given] * 1e-3, 2e9)
    large = prior.expect(new.hz, new.hz[given], new.watts[given], 2e9)
    assert small.watts * 1e3 == pytest.approx(large.watts, rel=0.02)


def test_a_family_never_speaks_for_itself():
    others = many()
    odd = [curve("odd", "odd", (0.9, 0.1, 0.0), n=8), curve("odd2", "odd", (0.9, 0.1, 0.0), n=9)]
    found = Population([*others, *odd]).without("odd").expect(odd[0].hz, odd[0].hz[[7]], odd[0].watts[[7]], 2e9)
    assert not {"odd", "odd2"} & {label for label, _ in found.like}


def test_nothing_to_learn_from_is_refused():
    with pytest.raises(NotEnoughData, match="4 measured"):
        Population([curve("a", "a", (0.1, 0.3, 0.6), n=3)])
    with pytest.raises(NotEnoughData, match="no other family"):
        Population([curve("a", "a", (0.1, 0.3, 0.6))]).without("a")
