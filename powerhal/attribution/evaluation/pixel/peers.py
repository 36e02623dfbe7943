"""What simpler tools would say of the same runs, from the same labelled runs or from the battery alone."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from powerhal.attribution.evaluation.pixel.activities import Activities
from powerhal.attribution.evaluation.pixel.components import COMPONENTS, TOTAL_PART, Component
from powerhal.attribution.evaluation.pixel.phone import Known
from powerhal.attribution.evaluation.pixel.regression import fit
from powerhal.attribution.evaluation.table import Floats

Peer = Callable[[Known, Activities], Mapping[str, Floats]]

ONE_ACTIVITY = {"display": "brightness", "cpu": "load", "gpu": "gpu1_ghz", "wifi": "wifi_mb"}


def labelled_mean(known: Known, asked: Activities) -> dict[str, Floats]:
    """The mean of the labelled runs for every run, (n,) W each."""
    count = len(asked["load"])
    answers = {c.name: np.full(count, known.part_w[c.name][known.labelled].mean()) for c in COMPONENTS}
    return {**answers, "total": np.full(count, np.nanmean(known.battery_w))}


def one_coefficient(known: Known, asked: Activities) -> dict[str, Floats]:
    """Watts per unit of one activity of each component, as a table of constants has them, (n,) W each."""
    taught = known.labelled
    return {
        name: asked[activity] * (known.part_w[name][taught].sum() / known.activities[activity][taught].sum())
        for name, activity in ONE_ACTIVITY.items()
    }


def battery_only(known: Known, asked: Activities) -> dict[str, Floats]:
    """No label: a non-negative regression of the battery's power on all activities, each component its columns'."""
    rows = np.isfinite(known.battery_w)
    if not rows.any():
        return {}
    part = Component("battery", (), TOTAL_PART.columns, prior=1e-3)
    x = part.matrix(known.activities)
    line = fit(x[rows], known.battery_w[rows], part.guess, x.mean(axis=0), knee=1.0)
    pieces = part.matrix(asked) * line.theta
    names = [name for name, _ in part.columns]
    out = {"total": pieces.sum(axis=1)}
    for component in reversed(COMPONENTS):
        mine = [names.index(name) for name, _ in component.columns if name in names and name != "constant"]
        out[component.name] = pieces[:, mine].sum(axis=1)
        pieces[:, mine] = 0.0  # a column that two components share is the narrower one's
    return out


def elastic_net(known: Known, asked: Activities) -> dict[str, Floats]:
    """An elastic net on all activities for each component (scikit-learn, development only), (n,) W each."""
    from sklearn.linear_model import ElasticNetCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return _each(known, asked, lambda: make_pipeline(StandardScaler(), ElasticNetCV(l1_ratio=0.5, cv=3)))


def boosting(known: Known, asked: Activities) -> dict[str, Floats]:
    """Boosted trees on all activities for each component (scikit-learn, development only), (n,) W each."""
    from sklearn.ensemble import GradientBoostingRegressor

    return _each(known, asked, lambda: GradientBoostingRegressor(subsample=0.7, random_state=0))


def gaussian_process(known: Known, asked: Activities) -> dict[str, Floats]:
    """A Gaussian process on all activities for each component (scikit-learn, development only), (n,) W each."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct, WhiteKernel
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def made() -> Any:
        kernel = ConstantKernel() * RBF(5.0) + ConstantKernel() * DotProduct() + WhiteKernel(0.05)
        return make_pipeline(StandardScaler(), GaussianProcessRegressor(kernel, normalize_y=True))

    return _each(known, asked, made)


def _each(known: Known, asked: Activities, make: Callable[[], Any]) -> dict[str, Floats]:
    names = tuple(known.activities)
    x, wanted = (np.column_stack([table[name] for name in names]) for table in (known.activities, asked))
    targets = {c.name: known.part_w[c.name] for c in COMPONENTS} | {"total": known.battery_w}
    out = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, power_w in targets.items():
            rows = np.isfinite(power_w)
            if rows.any():
                out[name] = np.asarray(make().fit(x[rows], power_w[rows]).predict(wanted))
    return out


PEERS: dict[str, Peer] = {
    "labelled_mean": labelled_mean,
    "one_coefficient": one_coefficient,
    "battery_only": battery_only,
    "sklearn_elastic_net": elastic_net,
    "sklearn_boosting": boosting,
    "sklearn_gaussian_process": gaussian_process,
}


def answers(known: Known, asked: Activities) -> dict[str, Mapping[str, Floats]]:
    """What every peer says; those whose library is not installed are left out."""
    out: dict[str, Mapping[str, Floats]] = {}
    for name, peer in PEERS.items():
        try:
            out[name] = peer(known, asked)
        except ImportError:
            continue
    return out
