from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.attribution.accounts import attribute
from powerhal.attribution.fitting.fit import Prior, fit
from powerhal.attribution.fitting.gram import Gram
from powerhal.attribution.fitting.priors import rows_of
from powerhal.attribution.merge import merge, statistics
from powerhal.attribution.model import Coefficient, PowerModel
from powerhal.errors import ModelError, UsageError
from tests.attribution.synthetic import build

NAMES = ("a", "b", "c")
PRIOR = Prior(dict.fromkeys(NAMES, 0.5), dict.fromkeys(NAMES, 2.0), dict.fromkeys(NAMES, "test"))


def rows(seed, n):
    random = np.random.default_rng(seed)
    x = random.random((n, 3))
    z = x @ np.array([1.0, 2.0, 0.0]) + 0.05 * random.standard_normal(n)
    return x, z, random.uniform(50.0, 500.0, n)


def model(gram, at_s=0.0, board="bench"):
    found = fit(gram, PRIOR)
    coefficients = tuple(
        Coefficient(n, n, "activity", False, "W", float(v), 0.0, 9.0)
        for n, v in zip(gram.names, found.theta, strict=True)
    )
    provenance = {"noise": found.noise, "priors": rows_of(PRIOR, gram.names), "recorded": {"real_ns": int(at_s * 1e9)}}
    return PowerModel(
        board, coefficients, found.covariance, found.r2, found.condition_number, int(gram.n), {"vin": (0.03, 0.01)},
        provenance=provenance, gram=gram,
    )  # fmt: skip


@given(st.lists(st.integers(8, 60), min_size=2, max_size=4), st.integers(0, 999))
@settings(max_examples=30, deadline=None)
def test_merging_is_fitting_the_union(sizes, seed):
    parts = [rows(seed + k, n) for k, n in enumerate(sizes)]
    together = merge([PowerModel.from_json(model(Gram(NAMES).add_rows(*p)).to_json()) for p in parts])
    x, z, w = (np.concatenate([p[k] for p in parts]) for k in range(3))
    union = fit(Gram(NAMES).add_rows(x, z, w), PRIOR)
    assert together.theta == pytest.approx(union.theta, rel=1e-9, abs=1e-12)
    assert together.windows == sum(sizes)
    if len(parts) > 2:  # one after another or all at once: the same
        first = merge([model(Gram(NAMES).add_rows(*p)) for p in parts[:-1]])
        again = merge([first, model(Gram(NAMES).add_rows(*parts[-1]))])
        assert again.theta == pytest.approx(union.theta, rel=1e-9, abs=1e-12)


def test_older_recordings_weigh_what_their_age_leaves():
    parts = [rows(1, 50), rows(2, 50)]
    old, new = (model(Gram(NAMES).add_rows(*p), at) for p, at in zip(parts, (0.0, 86400.0), strict=True))
    together = merge([new, old], half_life_s=86400.0)
    x, z, w = (np.concatenate([p[k] for p in parts]) for k in range(3))
    weighted = Gram(NAMES).add_rows(x, z, w * np.repeat([0.5, 1.0], 50))
    weighted.n = 75.0
    assert together.theta == pytest.approx(fit(weighted, PRIOR).theta, rel=1e-9)
    assert [m["weight"] for m in together.provenance["merged"]] == [1.0, 0.5]


def test_two_recordings_are_surer_than_one():
    one = model(Gram(NAMES).add_rows(*rows(1, 60)))
    both = merge([one, model(Gram(NAMES).add_rows(*rows(2, 60)))])
    assert np.diag(both.covariance)[:2] == pytest.approx(np.diag(one.covariance)[:2] / 2, rel=0.4)


def test_what_a_process_draws_is_integrated_out():
    random = np.random.default_rng(3)
    x, z, w = rows(3, 80)
    own = x[:, 0] * (random.random(80) < 0.3)
    names = (*NAMES, "a / 7")
    gram = Gram(names).add_rows(np.column_stack((x, own)), z + 0.1 * own, w)
    sd = 0.2 * 1.0
    whole = fit(gram, Prior({**PRIOR.mean, "a / 7": 0.0}, {**PRIOR.sd, "a / 7": sd}), free=("a / 7",), noise=1.0)
    base = model(Gram(NAMES).add_rows(x, z, w))
    coefficients = (replace(base.coefficients[0], value=1.0), *base.coefficients[1:])
    given = replace(base, coefficients=coefficients, gram=gram, spread={"processes": 0.2})
    given = replace(given, provenance={**given.provenance, "noise": 1.0})
    assert fit(statistics(given), PRIOR, noise=1.0).theta == pytest.approx(whole.theta[:3], rel=1e-9)


def test_models_of_recordings_merge_and_serve():
    learned = [attribute(build(seed=s, seconds=40.0)).learned for s in (1, 2)]
    together = merge(learned)
    assert {c.name for c in together.coefficients} == {c.name for m in learned for c in m.coefficients}
    value = {c.name: c.value for c in together.coefficients}
    apart = [{c.name: c.value for c in m.coefficients} for m in learned]
    low, high = sorted(m["display: brightness"] for m in apart)
    assert low * 0.98 <= value["display: brightness"] <= high * 1.02
    fresh = build(seed=3, seconds=40.0)
    ledger = attribute(fresh, model=together)
    cpu = next(r for r in ledger.rows if r.name == "cpu")
    assert cpu.energy_j == pytest.approx(fresh.truth["cpu"], rel=0.1)


def test_what_cannot_be_merged():
    one = model(Gram(NAMES).add_rows(*rows(1, 60)))
    with pytest.raises(UsageError, match="at least 2"):
        merge([one])
    with pytest.raises(ModelError, match="different boards"):
        merge([one, replace(one, board="other")])
    with pytest.raises(ModelError, match="no statistics"):
        merge([one, replace(one, gram=None)])
    with pytest.raises(UsageError, match="half-life"):
        merge([one, one], half_life_s=-1.0)
    undated = replace(one, provenance={**one.provenance, "recorded": ""})
    with pytest.raises(ModelError, match="when"):
        merge([undated, undated], half_life_s=60.0)


def test_one_recording_does_not_count_twice():
    once = model(Gram(NAMES).add_rows(*rows(5, 40)))
    with pytest.raises(ModelError, match="twice"):
        merge([once, model(Gram(NAMES).add_rows(*rows(6, 40))), PowerModel.from_json(once.to_json())])


def test_a_merged_model_is_surer_but_where_its_parts_contradict_each_other():
    """Covariances cut at 0 are not turned back into scores: that made single intervals ten times wider."""
    learned = [attribute(build(seed=s, seconds=60.0)).learned for s in (4, 5, 6)]
    together = merge(learned)
    ratios, contradicted = [], set()
    for row in together.coefficients:
        apart = [c for m in learned for c in m.coefficients if c.name == row.name]
        ratios.append((row.high - row.value) / min(c.high - c.value for c in apart))
        if max(c.low for c in apart) > min(c.high for c in apart):  # two intervals that do not touch
            contradicted.add(row.device)
    assert np.median(ratios) < 0.8
    wider = {c.device for c, ratio in zip(together.coefficients, ratios, strict=True) if ratio > 1.5}
    assert wider <= contradicted and "display" not in wider


def test_models_that_contradict_each_other_are_less_sure_together():
    def biased(seed, by):
        x, z, w = rows(seed, 60)
        return model(Gram(NAMES).add_rows(x, z + by * x[:, 0], w))

    alike = merge([biased(1, 0.0), biased(2, 0.0)])
    apart = merge([biased(1, 0.0), biased(2, 0.5)])
    assert apart.covariance[0, 0] > 4.0 * alike.covariance[0, 0]
