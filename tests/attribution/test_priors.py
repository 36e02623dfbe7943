from __future__ import annotations

import numpy as np
import pytest

from powerhal.attribution.accounts import attribute
from powerhal.attribution.design import Design
from powerhal.attribution.fitting.priors import BOARD_FILE, DEVICE_TREE, TWIN_SD, Known, from_rows, rows_of
from powerhal.attribution.fitting.problem import build as problem_of
from powerhal.attribution.prior_files import read_priors, twin
from powerhal.channel import Cluster
from powerhal.errors import UsageError
from tests.attribution.synthetic import FARADS, OPPS, build, topology


@pytest.fixture(scope="module")
def learned():
    return attribute(build(seed=1, seconds=60.0)).learned


def origins(model):
    return {row["name"]: row["from"] for row in model.provenance["priors"]}


def test_every_coefficient_names_where_its_prior_comes_from(learned):
    found = origins(learned)
    assert set(found) == {c.name for c in learned.coefficients}
    assert found["cpu: V²f"] == DEVICE_TREE
    assert found["vdd_cpu: converter"] == BOARD_FILE
    assert all(found.values())


def test_a_twin_replaces_bounds_and_is_weighed_with_the_board_file(learned):
    source = twin(learned, "twin.phm")
    prior = problem_of(Design.from_recording(build(seed=2, seconds=20.0)), [source]).prior
    value = {c.name: c.value for c in learned.coefficients}
    assert prior.mean["display: on"] == pytest.approx(value["display: on"])
    assert prior.sd["display: on"] >= TWIN_SD * value["display: on"] * 0.999
    assert prior.origin["display: on"] == "model twin.phm of board bench"
    assert prior.origin["cpu: V²f"] == f"{DEVICE_TREE}; model twin.phm of board bench"
    low, high = sorted((value["cpu: V²f"], FARADS))
    assert low * 0.999 <= prior.mean["cpu: V²f"] <= high * 1.001
    assert prior.sd["cpu: V²f"] < 0.35 * FARADS


def test_a_twin_helps_where_the_recording_is_short_and_noisy(learned):
    missed = {False: 0.0, True: 0.0}
    for seed in range(5, 10):
        short = build(seed=seed, seconds=14.0, measured=("vin",), noise=0.05)
        for helped in missed:
            rows = attribute(short, priors=(twin(learned, "t"),) if helped else ()).rows
            got = {r.name: r.energy_j for r in rows if r.kind == "device"}
            missed[helped] += sum(abs(got.get(n, 0.0) - short.truth[n]) for n in ("cpu", "display", "wifi"))
    assert missed[True] < missed[False]


def table_file(tmp_path, watts):
    rows = "".join(f"0,{f / 1e3:.0f},{1e3 * w:.3f}\n" for f, w in watts.items())
    (tmp_path / "soc1.csv").write_text("CPU,Frequency (kHz),Power (mW)\n" + rows)
    return str(tmp_path / "soc1.csv")


def test_a_table_of_power_per_frequency_with_volts(tmp_path):
    place = table_file(tmp_path, {f: 5e-10 * v**2 * f for f, v in OPPS})
    clusters = (Cluster("big", (0, 1, 2, 3), OPPS),)
    recording = build(seed=1, seconds=20.0, board=topology(clusters=clusters))
    prior = problem_of(Design.from_recording(recording), read_priors([place])).prior
    assert prior.mean["cpu: V²f"] == pytest.approx(5e-10, rel=1e-3)
    assert prior.origin["cpu: V²f"] == "table soc1.csv"


def test_a_table_without_volts_gives_each_frequency_its_own(tmp_path):
    watts = {5e8: 0.07, 1e9: 0.2, 2e9: 0.8}
    bare = tuple((f, None) for f, _ in OPPS)
    recording = build(seed=1, seconds=20.0, board=topology(clusters=(Cluster("big", (0, 1, 2, 3), bare),)))
    prior = problem_of(Design.from_recording(recording), read_priors([table_file(tmp_path, watts)])).prior
    for hz, expected in watts.items():
        assert prior.mean[f"cpu: busy@{hz / 1e6:g}MHz"] == pytest.approx(expected, rel=1e-3)


def test_a_table_of_another_cluster_says_nothing(tmp_path):
    place = tmp_path / "soc1.csv"
    place.write_text("CPU,Frequency (kHz),Power (mW)\n6,500000,70\n6,1000000,200\n")
    design = Design.from_recording(build(seed=1, seconds=20.0))
    assert problem_of(design, read_priors([str(place)])).prior == problem_of(design).prior


def test_rows_come_back(learned):
    prior = from_rows(learned.provenance["priors"])
    assert rows_of(prior, list(prior.sd)) == learned.provenance["priors"]


def test_names_that_the_recording_lacks_are_left_out():
    design = Design.from_recording(build(seed=1, seconds=20.0))
    prior = problem_of(design, [Known("x", {"nobody: on": 1.0}, {"nobody: on": 0.1})]).prior
    assert "nobody: on" not in prior.sd
    assert np.isfinite(list(prior.sd.values())).all()


def test_a_prior_of_another_kind_is_refused():
    with pytest.raises(UsageError, match=r"\.phm"):
        read_priors(["model.txt"])
