from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.evaluation.pixel.doubt import doubt
from powerhal.attribution.evaluation.pixel.forecast import ANSWERED, forecast
from powerhal.attribution.evaluation.pixel.phone import learn
from tests.attribution.evaluation.pixel.synthetic import make_rows
from tests.attribution.evaluation.pixel.test_phone import error, make_known


@pytest.fixture
def answered(tmp_path):
    known, truth, total = make_known(tmp_path, make_rows(120), taught=20)
    return forecast(learn(known), doubt(known), known.activities, total), truth, total


def test_intervals_hold_what_is_said(answered):
    found, _, total = answered
    assert set(found.answers) == set(ANSWERED)
    for answer in found.answers.values():
        assert (answer.low_w >= 0).all()
        assert (answer.low_w < answer.power_w).all()
        assert (answer.power_w < answer.high_w).all()
    assert error(found.sum_w, total) < 0.06


def test_reconciled_is_never_negative_below_the_sum_and_better_for_the_largest(answered):
    found, truth, total = answered
    parts = [found.answers[name].reconciled_w for name in ("display", "cpu", "gpu", "wifi")]
    assert (np.array(parts) >= 0).all()
    assert (np.sum(parts, axis=0) <= total * (1 + 1e-9)).all()
    assert error(found.answers["cpu"].reconciled_w, truth["cpu"]) < 0.6 * error(
        found.answers["cpu"].power_w, truth["cpu"]
    )


def test_no_sum_no_reconciled(tmp_path):
    known, _, total = make_known(tmp_path, make_rows(60), taught=10)
    some = np.where(np.arange(60) < 30, np.nan, total)
    found = forecast(learn(known), doubt(known), known.activities, some)
    assert all(np.isnan(answer.reconciled_w[:30]).all() for answer in found.answers.values())
    assert all(np.isfinite(answer.reconciled_w[30:]).all() for answer in found.answers.values())
