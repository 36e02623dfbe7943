from __future__ import annotations

import json

import numpy as np
import pytest

from powerhal.attribution import PowerModel, attribute
from powerhal.errors import ModelError
from tests.attribution import synthetic
from tests.attribution.test_accounts import check_books, joules


@pytest.fixture(scope="module")
def ledger():
    return attribute(synthetic.build(seed=21))


def test_coefficients_are_those_of_the_physics(ledger) -> None:
    found = {c.name: c for c in ledger.learned.coefficients}
    assert found["vdd_cpu: converter"].value == pytest.approx(1 / synthetic.EFFICIENCY, rel=0.01)
    assert found["display: on"].value == pytest.approx(synthetic.PANEL, rel=0.15)
    assert found["display: brightness"].value == pytest.approx(synthetic.BRIGHT, rel=0.1)
    assert found["base: constant"].value == pytest.approx(synthetic.BASE, rel=0.15)
    for c in found.values():
        assert c.low <= max(c.value, 0.0) <= c.high


def test_saved_and_loaded_it_is_the_same(ledger, tmp_path) -> None:
    path = tmp_path / "bench.phm"
    ledger.learned.save(path)
    again = PowerModel.load(path)
    assert again.coefficients == ledger.learned.coefficients
    assert np.array_equal(again.covariance, ledger.learned.covariance)
    assert again.to_json() == ledger.learned.to_json()


def test_statistics_can_be_merged(ledger, tmp_path) -> None:
    path = tmp_path / "bench.phm"
    ledger.learned.save(path)
    gram = PowerModel.load(path).gram
    assert gram is not None
    assert (gram + gram).n == 2 * gram.n


def test_a_model_serves_another_run_of_the_board(ledger) -> None:
    run = synthetic.build(seed=22, seconds=8.0)
    other = attribute(run, model=ledger.learned)
    check_books(other)
    for name in ("cpu", "display"):
        assert joules(other, "device")[name].energy_j == pytest.approx(run.truth[name], rel=0.08)
    assert other.model["source"] == "given"


def test_a_model_of_something_else_is_refused(ledger) -> None:
    board = synthetic.topology(devices=())
    foreign = attribute(synthetic.build(seed=23, board=board)).learned
    assert all(c.static or c.kind != "activity" for c in foreign.coefficients)
    with pytest.raises(ModelError, match="none of this recording"):
        attribute(synthetic.build(seed=22), model=foreign)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"schema": 99}', "null", '{"schema": 1, "board": "x", "coefficients": [{"name": 1}]}'],
)
def test_files_that_are_no_model_are_refused(tmp_path, text) -> None:
    path = tmp_path / "bad.phm"
    path.write_text(text)
    with pytest.raises(ModelError):
        PowerModel.load(path)


def test_a_model_with_a_number_that_is_none_is_refused(ledger, tmp_path) -> None:
    data = ledger.learned.to_json()
    data["coefficients"][0]["value"] = float("nan")
    path = tmp_path / "bad.phm"
    path.write_text(json.dumps(data))
    with pytest.raises(ModelError, match="not finite"):
        PowerModel.load(path)
