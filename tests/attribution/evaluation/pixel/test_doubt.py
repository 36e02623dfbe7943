from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation.pixel.components import PARTS
from powerhal.attribution.evaluation.pixel.doubt import doubt, reach90
from tests.attribution.evaluation.pixel.synthetic import make_rows
from tests.attribution.evaluation.pixel.test_phone import make_known


@pytest.mark.parametrize("draw", ["normal", "t4", "laplace"])
@pytest.mark.parametrize("count", [5, 10, 20, 50])
def test_nine_in_ten_new_errors_are_within_reach(draw, count):
    random = np.random.default_rng(count)
    make = {
        "normal": random.standard_normal,
        "t4": lambda size: random.standard_t(4, size),
        "laplace": lambda size: random.laplace(size=size),
    }[draw]
    held = [np.mean(np.abs(make(400)) <= reach90(make(count))) for _ in range(300)]
    assert 0.86 < np.mean(held) < 0.95


def test_many_errors_give_their_own_ninetieth():
    errors = np.random.default_rng(1).uniform(-1, 1, 4000)
    assert reach90(errors) == pytest.approx(0.9, abs=0.02)


def test_one_error_reaches_nowhere():
    assert np.isnan(reach90(np.array([0.1])))
    assert np.isnan(reach90(np.array([0.1, np.nan])))


def test_a_judged_fit(tmp_path):
    known, truth, _ = make_known(tmp_path, make_rows(90), taught=12)
    found = doubt(known)
    assert set(found.reach) == {part.name for part in PARTS} | {"total"}
    assert found.covariance.shape == (5, 5)
    assert np.linalg.eigvalsh(found.covariance).min() > 0
    half = found.half_width_w("gpu", truth["gpu"])
    assert 0 < np.median(half / truth["gpu"]) < 0.3
    assert found.half_width_w("gpu", np.array([0.2]))[0] < found.half_width_w("gpu", np.array([0.4]))[0]
