"""Regression: fits, streaming and sparse updates, non-negative least squares on a Gram."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.table import Row, cpu_s
from powerhal import kernels
from powerhal.attribution.fitting.fit import fit
from powerhal.attribution.fitting.gram import Gram

Floats = npt.NDArray[np.float64]

SAMPLES, COLUMNS = 1_000_000, 24


def names(count: int) -> list[str]:
    return [f"x{k}" for k in range(count)]


def world(rows: int, columns: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Positive regressors, a third of the coefficients 0, noise of a tenth."""
    rng = np.random.default_rng(seed)
    x = rng.random((rows, columns))
    theta = np.where(rng.random(columns) < 1 / 3, 0.0, rng.random(columns))
    return x, x @ theta + 0.1 * rng.normal(size=rows)


def tall_fit() -> list[Row]:
    from scipy.optimize import nnls
    from sklearn.linear_model import LinearRegression

    x, z = world(SAMPLES, COLUMNS)
    w = np.random.default_rng(1).random(SAMPLES)
    label = names(COLUMNS)
    sklearn = LinearRegression(positive=True, fit_intercept=False, copy_X=False)
    fast = {
        "ours": lambda: fit(Gram(label).add_rows(x, z)),
        "weighted": lambda: fit(Gram(label).add_rows(x, z, w)),
        "read": x.sum,
    }
    slow = {"scipy": lambda: nnls(x, z), "sklearn": lambda: sklearn.fit(x, z)}
    found = cpu_s(fast, rounds=9) | cpu_s(slow, rounds=3)
    read = {"limit": "reading X once", "limit_figure": found["read"], "at_most": 6.0}
    work = f"fit {SAMPLES:.0e} x {COLUMNS}, >= 0"
    return [
        Row(work, "s", found["ours"], "scipy.nnls(X)", found["scipy"], 15.0, **read),
        Row(work, "s", found["ours"], "sklearn LinearRegression(positive)", found["sklearn"], 15.0, **read),
        Row(work + ", weighted", "s", found["weighted"], "scipy.nnls(X)", found["scipy"], **read),
    ]


def agreement() -> list[Row]:
    """Worst error of a coefficient against scipy on the rows, over the largest, at condition 1e3."""
    from scipy.optimize import nnls

    worst = 0.0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        left, _ = np.linalg.qr(rng.normal(size=(2000, COLUMNS)))
        right, _ = np.linalg.qr(rng.normal(size=(COLUMNS, COLUMNS)))
        x = left * np.geomspace(1.0, 1e-3, COLUMNS) @ right
        z = x @ np.maximum(rng.normal(size=COLUMNS), 0.0) + 1e-4 * rng.normal(size=2000)
        want, _ = nnls(x, z)
        got = fit(Gram(names(COLUMNS)).add_rows(x, z)).theta
        worst = max(worst, float(np.max(np.abs(got - want)) / np.max(want)))
    return [Row("coefficients against scipy.nnls, condition 1e3", "", worst, limit="", limit_figure=1e-9, at_most=1.0)]


RANK_ONE = """
void rank_one(double *restrict g, const double *restrict rows, long n, long q) {
    for (long k = 0; k < n; k++)
        for (long i = 0; i < q; i++)
            for (long j = i; j < q; j++)
                g[i * q + j] += rows[k * q + i] * rows[k * q + j];
}
"""


def c_rank_one() -> Callable[[Floats, Floats], None] | None:
    """The plain C update, one row at a time, -O3 -march=native; None without a compiler."""
    compiler = shutil.which("cc")
    if not compiler:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder) / "rank.c", Path(folder) / "rank.so"
        source.write_text(RANK_ONE)
        command = [compiler, "-O3", "-march=native", "-shared", "-fPIC", "-o", str(library), str(source)]
        subprocess.run(command, check=True)
        loaded = ctypes.CDLL(str(library))
    pointer = np.ctypeslib.ndpointer(dtype=np.float64, flags="C_CONTIGUOUS")
    loaded.rank_one.argtypes = [pointer, pointer, ctypes.c_long, ctypes.c_long]

    def call(gram: Floats, rows: Floats) -> None:
        loaded.rank_one(gram, rows, len(rows), rows.shape[1])

    return call


def textbook_rls(x: Floats, z: Floats) -> Floats:
    """Recursive least squares, row by row in numpy, as signal-processing packages write it."""
    theta, spread = np.zeros(x.shape[1]), np.eye(x.shape[1]) * 10.0
    for row, target in zip(x, z, strict=True):
        lead = spread @ row
        spread = (spread - np.outer(lead, lead) / (0.99 + row @ lead)) / 0.99
        theta = theta + (target - row @ theta) * (spread @ row)
    return theta


def streaming() -> list[Row]:
    rows_out = []
    update = c_rank_one()
    for batch in (256, 1024):
        x, z = world(batch, COLUMNS)
        wide = np.ascontiguousarray(np.column_stack((x, z)))
        gram, plain = Gram(names(COLUMNS)), np.zeros((COLUMNS + 1, COLUMNS + 1))
        calls: dict[str, Callable[[], object]] = {"ours": lambda g=gram, x=x, z=z: g.decay(0.999).add_rows(x, z)}
        if update is not None:
            calls["C"] = lambda p=plain, w=wide: update(p, w)
        found = cpu_s(calls, rounds=15, repeat=200)
        peers = {"textbook RLS in numpy": cpu_s({"rls": lambda x=x, z=z: textbook_rls(x, z)}, rounds=3)["rls"]}
        peers |= installed_peers(x, z)
        limit = found["C"] / batch if update is not None else None
        work = f"streaming update p = {COLUMNS}, batch {batch}, forgetting, per row"
        ours = found["ours"] / batch
        for peer, time_s in peers.items():
            gate = 100.0 if peer.split()[0] in ("padasip", "river") else None
            rows_out.append(Row(work, "s", ours, peer, time_s / batch, gate, "C rank-1", limit, 1.5))
    return rows_out


def installed_peers(x: Floats, z: Floats) -> dict[str, float]:
    """padasip's RLS and river's Bayesian regression, where somebody installed them."""
    calls: dict[str, Callable[[], object]] = {}
    try:
        from padasip.filters import FilterRLS
    except ImportError:
        pass
    else:
        calls["padasip RLS"] = lambda: FilterRLS(n=x.shape[1], mu=0.99).run(z, x)
    try:
        from river.linear_model import BayesianLinearRegression
    except ImportError:
        pass
    else:
        dicts = [dict(enumerate(row)) for row in x.tolist()]

        def learn() -> None:
            model = BayesianLinearRegression()
            for row, target in zip(dicts, z.tolist(), strict=True):
                model.learn_one(row, target)

        calls["river Bayesian"] = learn
    return cpu_s(calls, rounds=3) if calls else {}


def sparse() -> list[Row]:
    rng = np.random.default_rng(2)
    columns, active, batch = 500, 20, 1024
    column = np.concatenate([np.sort(rng.permutation(columns)[:active]) for _ in range(batch)])
    starts = np.arange(batch + 1) * active
    values, z = rng.random(column.size), rng.random(batch)
    dense = np.zeros((batch, columns))
    dense[np.repeat(np.arange(batch), active), column] = values
    one, two = Gram(names(columns)), Gram(names(columns))
    found = cpu_s(
        {
            "ours": lambda: one.add_sparse(starts, column, values, z),
            "dense": lambda: two.add_rows(dense, z),
        },
        rounds=9,
    )
    work = f"sparse update p = {columns}, {active} active, per row"
    return [Row(work, "s", found["ours"] / batch, "dense syrk", found["dense"] / batch, 10.0)]


def on_a_gram() -> list[Row]:
    from scipy.linalg import cholesky, solve_triangular
    from scipy.optimize import nnls

    out = []
    for columns, gate, repeat in ((24, 10.0, 200), (64, 8.0, 50), (200, 5.0, 5)):
        x, z = world(20 * columns, columns, seed=3)
        gram, rhs = x.T @ x, x.T @ z
        warm = np.asarray(kernels.nnls(gram, rhs)[0]) > 0

        def scipy_way(gram: Floats = gram, rhs: Floats = rhs) -> object:
            upper = cholesky(gram)
            return nnls(upper, solve_triangular(upper, rhs, trans="T"))

        found = cpu_s(
            {
                "cold": lambda g=gram, r=rhs: kernels.nnls(g, r),
                "warm": lambda g=gram, r=rhs, w=warm: kernels.nnls(g, r, (), w),
                "scipy": scipy_way,
                "solve": lambda g=gram, r=rhs: np.linalg.solve(g, r),
            },
            rounds=9,
            repeat=repeat,
        )
        out.append(
            Row(f"NNLS on a Gram, p = {columns}, cold", "s", found["cold"], "scipy on Cholesky", found["scipy"], gate)
        )
        out.append(
            Row(
                f"NNLS on a Gram, p = {columns}, warm", "s", found["warm"],
                limit="unconstrained solve", limit_figure=found["solve"], at_most=1.0,
            )
        )  # fmt: skip
    return out


FIRST_FIT = """
import random
from powerhal.attribution.fitting.gram import Gram
from powerhal.attribution.fitting.fit import fit
x = [[random.random() for _ in range(24)] for _ in range(200)]
fit(Gram([str(k) for k in range(24)]).add_rows(x, [sum(row) for row in x]))
"""


def child_cpu_s(code: str, tier: str) -> float:
    """CPU seconds of a fresh interpreter that runs `code`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, "POWERHAL_KERNELS": tier})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def first_fit() -> list[Row]:
    """A whole process from start to fitted model, compiled kernels already cached."""
    out = []
    for tier, imports, gate in (("numba", "import numpy, numba", 2.5), ("numpy", "import numpy", 2.0)):
        child_cpu_s(FIRST_FIT, tier)
        pairs = [(child_cpu_s(FIRST_FIT, tier), child_cpu_s(imports, tier)) for _ in range(5)]
        ours, bare = (sorted(side)[2] for side in zip(*pairs, strict=True))
        out.append(
            Row(f"first fit in a new process, {tier} tier", "s", ours, limit=imports, limit_figure=bare, at_most=gate)
        )
    return out


def run() -> list[Row]:
    """All rows; about a minute."""
    kernels.warmup()
    return [*tall_fit(), *agreement(), *streaming(), *sparse(), *on_a_gram(), *first_fit()]
