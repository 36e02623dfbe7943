"""The numba tier: compiled loops where they win, BLAS (through the numpy tier) for tall Gram updates."""

from __future__ import annotations

from typing import Any

import numpy as np

from powerhal.kernels import edge, jit_decode, jit_regression, tier_numba_text, tier_numpy
from powerhal.kernels.edge import Floats, Ints

text_pool = tier_numba_text.text_pool
text_read = tier_numba_text.text_read
text_follow = tier_numba_text.text_follow


# Below this many rows a compiled loop beats the call into BLAS.
BLAS_ROWS = 24


def gram_add(gram: Any, rows: Any, weights: Any) -> None:
    """See `powerhal.kernels.gram_add`."""
    if len(rows) >= BLAS_ROWS:
        tier_numpy.gram_add(gram, rows, weights)
        return
    total = edge.writable(gram)
    matrix = edge.floats(rows, -1, total.shape[0])
    jit_regression.gram_rows(total, matrix, edge.weights_of(weights, len(matrix)))


def moments_add(total: Any, carry: Any, x: Any, z: Any, weights: Any) -> int:
    """See `powerhal.kernels.moments_add`."""
    kept, lost = edge.sums(total, carry)
    matrix = edge.floats(x, -1, len(kept) - 2)
    rows = len(matrix)
    target = edge.floats(z, rows)
    weight = edge.weights_of(weights, rows)
    panel = np.empty((min(tier_numpy.PANEL_ROWS, rows), len(kept)))
    count = 0
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, rows, tier_numpy.PANEL_ROWS):
            filled = panel[: rows - start]
            learned = jit_regression.augment(filled, matrix, target, weight, start)
            if not jit_regression.add_compensated(kept, lost, filled.T @ filled):
                learned = jit_regression.blank(filled)
                jit_regression.add_compensated(kept, lost, filled.T @ filled)
            count += learned
    return count


def moments_add_sparse(total: Any, starts: Any, columns: Any, values: Any, z: Any, weights: Any) -> int:
    """See `powerhal.kernels.moments_add_sparse`."""
    kept = edge.writable(total)
    at, column, value = edge.sparse(starts, columns, values, len(kept) - 2)
    target = edge.floats(z, at.size - 1)
    return int(jit_regression.sparse(kept, at, column, value, target, edge.weights_of(weights, target.size)))


def nnls(gram: Any, rhs: Any, free: Any, passive: Any) -> tuple[Floats, int]:
    """See `powerhal.kernels.nnls`."""
    size = len(rhs)
    vector, matrix = edge.floats(rhs, size), edge.floats(gram, size, size)
    theta, how = jit_regression.nnls(matrix, vector, edge.flags(free, size), edge.flags(passive, size))
    return theta, int(how)


def cholesky_solve(matrix: Any, rhs: Any) -> Floats:
    """See `powerhal.kernels.cholesky_solve`."""
    right = np.ascontiguousarray(rhs, dtype=np.float64)
    square = edge.floats(matrix, len(right), len(right))
    return jit_regression.solve(square, right.reshape(len(right), -1)).reshape(right.shape)


def spd_inverse(matrix: Any) -> Floats:
    """See `powerhal.kernels.spd_inverse`."""
    square = edge.floats(matrix, -1, -1)
    inverse = jit_regression.solve(square, np.eye(len(square)))
    answer: Floats = 0.5 * (inverse + inverse.T)
    return answer


def decode_fields(raw: Any, layout: Any) -> Ints:
    """See `powerhal.kernels.decode_fields`."""
    rows = edge.raw_rows(raw)
    return jit_decode.decode(rows, edge.layout_of(layout, rows.shape[1]))


def scale_fields(integers: Any, scales: Any, biases: Any) -> Floats:
    """See `powerhal.kernels.scale_fields`."""
    counts = edge.integers(integers, -1, -1)
    width = counts.shape[1]
    return jit_decode.scale(counts, edge.floats(scales, width), edge.floats(biases, width))


def counter_delta(counts: Any, width_bits: Any) -> Ints:
    """See `powerhal.kernels.counter_delta`."""
    readings = edge.counts_of(counts)
    masks = edge.masks_of(width_bits, readings)
    steps = jit_decode.delta(readings.reshape(len(readings), -1), masks)
    return steps.reshape(-1) if readings.ndim == 1 else steps
