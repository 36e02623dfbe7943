from __future__ import annotations

import builtins

import numpy as np
import pytest

from powerhal.attribution.evaluation.pixel import peers
from tests.attribution.evaluation.pixel.synthetic import make_rows
from tests.attribution.evaluation.pixel.test_phone import make_known


@pytest.fixture
def known(tmp_path):
    return make_known(tmp_path, make_rows(60), taught=20)[0]


def test_one_coefficient_gives_back_the_labelled_mean_power(known):
    said = peers.one_coefficient(known, known.activities)
    for name, power_w in said.items():
        assert power_w[known.labelled].sum() == pytest.approx(np.nansum(known.part_w[name]))


def test_battery_only_reads_no_rail(known):
    blind = type(known)(known.activities, known.labelled, {}, known.battery_w)
    said = peers.battery_only(blind, known.activities)
    assert np.abs(said["total"] - known.battery_w).mean() / known.battery_w.mean() < 0.08
    parts = [said[name] for name in ("display", "cpu", "gpu", "wifi")]
    assert (np.sum(parts, axis=0) <= said["total"] + 1e-9).all()


def test_without_scikit_learn_the_others_remain(known, monkeypatch):
    real = builtins.__import__

    def no_sklearn(name, *args, **kwargs):
        if name.startswith("sklearn"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_sklearn)
    assert set(peers.answers(known, known.activities)) == {"labelled_mean", "one_coefficient", "battery_only"}
