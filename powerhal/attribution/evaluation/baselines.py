"""What simpler tools would say on the same rows, from the same training programs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from powerhal.attribution.evaluation.features import CYCLES, PERIOD_S
from powerhal.attribution.evaluation.table import Floats, Table

PENALTIES = np.logspace(-3.0, 0.0, 16)  # W per standard deviation of a counter, judged by cross-validation

Baseline = Callable[[Table, Floats, Table, Sequence[str]], Floats]


def cpu_time_share(train: Table, power_w: Floats, test: Table, counted: Sequence[str]) -> Floats:
    """Watts per busy core, one number for all frequencies: what a share of CPU time amounts to; (n,) W."""
    per_core_w = float(power_w.sum() / _busy_cores(train, counted).sum())
    return per_core_w * _busy_cores(test, counted)


def per_frequency_time(train: Table, power_w: Floats, test: Table, counted: Sequence[str]) -> Floats:
    """Watts per busy core at each frequency (the next one where a frequency is new); (n,) W."""
    known = np.unique(train.number("a15_freq_mhz"))
    busy = _busy_cores(train, counted)
    per_core_w = np.array(
        [power_w[rows].sum() / busy[rows].sum() for rows in (train.number("a15_freq_mhz") == f for f in known)]
    )
    each: Floats = np.interp(test.number("a15_freq_mhz"), known, per_core_w)
    return each * _busy_cores(test, counted)


def per_frequency_elastic_net(train: Table, power_w: Floats, test: Table, counted: Sequence[str]) -> Floats:
    """An elastic net on counter rates for every frequency, as SmartWatts fits; (n,) W; NaN where a frequency is new.

    Raises ImportError where scikit-learn is not installed.
    """
    from sklearn.linear_model import ElasticNetCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    out = np.full(len(test), np.nan)
    names = counted or ("cores",)
    x, wanted = (np.column_stack([table.number(name) for name in names]) for table in (train, test))
    for frequency in np.unique(test.number("a15_freq_mhz")):
        seen, asked = train.number("a15_freq_mhz") == frequency, test.number("a15_freq_mhz") == frequency
        if seen.sum() > 10:
            net = make_pipeline(StandardScaler(), ElasticNetCV(l1_ratio=0.5, alphas=PENALTIES, cv=3, max_iter=5000))
            out[asked] = net.fit(x[seen], power_w[seen]).predict(wanted[asked])
    return out


def _busy_cores(table: Table, counted: Sequence[str]) -> Floats:
    """Busy cores in each window, (n,): cycles per clock period, or what the file names where nothing counts."""
    if CYCLES in counted:
        return table.number(CYCLES) / (table.number("a15_freq_mhz") * 1e6 * PERIOD_S)
    return np.nan_to_num(table.number("cores"), nan=1.0)


BASELINES: dict[str, Baseline] = {
    "cpu_time_share": cpu_time_share,
    "per_frequency_time": per_frequency_time,
    "per_frequency_elastic_net": per_frequency_elastic_net,
}
