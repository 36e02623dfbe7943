"""The numpy tier: BLAS where it helps, whole-column arithmetic elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np

from powerhal.kernels import edge, tier_plain_text
from powerhal.kernels.edge import Bools, Floats, Ints

text_pool = tier_plain_text.text_pool
text_read = tier_plain_text.text_read
text_follow = tier_plain_text.text_follow


# Rows a panel: the panel of 25 columns stays in the second-level cache (256 kB to 512 kB).
PANEL_ROWS = 2048
# Rows with a value beyond the root are left out: their squares would leave the range of float64.
LARGEST_ROOT = 1e145
LARGEST = 1e289
BACKUP_TRIES = 3
DUAL_TOLERANCE = 1e-13
SWEEPS = 2_000
SWEEP_TOLERANCE = 1e-11
RIDGE = 1e-11  # of the unit diagonal: lets columns that cannot be told apart share, costs 1e-11 of the fit
PIVOT_FLOOR = 1e-14


def gram_add(gram: Any, rows: Any, weights: Any) -> None:
    """See `powerhal.kernels.gram_add`."""
    total = edge.writable(gram)
    matrix = edge.floats(rows, -1, total.shape[0])
    weight = edge.weights_of(weights, len(matrix))
    if not weight.size:
        for start in range(0, len(matrix), PANEL_ROWS):
            panel = matrix[start : start + PANEL_ROWS]
            total += panel.T @ panel
        return
    root = np.sqrt(weight)
    for start in range(0, len(matrix), PANEL_ROWS):
        stop = start + PANEL_ROWS
        panel = matrix[start:stop] * root[start:stop, None]
        total += panel.T @ panel


def moments_add(total: Any, carry: Any, x: Any, z: Any, weights: Any) -> int:
    """See `powerhal.kernels.moments_add`."""
    kept, lost = edge.sums(total, carry)
    matrix = edge.floats(x, -1, len(kept) - 2)
    target = edge.floats(z, len(matrix))
    weight = edge.weights_of(weights, len(matrix))
    count = 0
    with np.errstate(invalid="ignore", over="ignore"):
        panel = np.empty((min(PANEL_ROWS, len(matrix)), len(kept)))
        for start in range(0, len(matrix), PANEL_ROWS):
            part = slice(start, start + PANEL_ROWS)
            filled = panel[: len(target[part])]
            filled[:, :-2], filled[:, -2], filled[:, -1] = matrix[part], target[part], 1.0
            if weight.size:
                filled *= np.sqrt(weight[part])[:, None]
            count += absorb(kept, lost, filled)
    return count


def absorb(kept: Floats, lost: Floats, panel: Floats) -> int:
    """Add the Gram of a panel with two-sum, leaving out rows that are out of range; rows that count."""
    new = panel.T @ panel
    # One look at the sum of squares finds a NaN, an infinity or a giant anywhere in the panel.
    if not new.trace() < LARGEST:
        panel[~(np.abs(panel) < LARGEST_ROOT).all(axis=1)] = 0.0
        new = panel.T @ panel
    after = kept + new
    shadow = after - kept
    lost += (kept - (after - shadow)) + (new - shadow)
    kept[:] = after
    return int(np.count_nonzero(panel[:, -1]))


def moments_add_sparse(total: Any, starts: Any, columns: Any, values: Any, z: Any, weights: Any) -> int:
    """See `powerhal.kernels.moments_add_sparse`."""
    kept = edge.writable(total)
    size = len(kept)
    at, column, value = edge.sparse(starts, columns, values, size - 2)
    target = edge.floats(z, at.size - 1)
    weight = edge.weights_of(weights, target.size)
    count = 0
    for row in range(target.size):
        part = slice(at[row], at[row + 1])
        order = np.argsort(column[part])
        places = np.concatenate((column[part][order], (size - 2, size - 1)))
        entries = np.concatenate((value[part][order], (target[row], 1.0)))
        with np.errstate(invalid="ignore", over="ignore"):
            scaled = entries * np.sqrt(weight[row]) if weight.size else entries
        if not (scaled[-1] > 0.0 and np.abs(scaled).max() < LARGEST_ROOT):
            continue
        count += 1
        kept[np.ix_(places, places)] += np.triu(np.outer(scaled, scaled))
    return count


def nnls(gram: Any, rhs: Any, free: Any, passive: Any) -> tuple[Floats, int]:
    """See `powerhal.kernels.nnls`."""
    vector = edge.floats(rhs, -1)
    size = vector.size
    matrix = edge.floats(gram, size, size)
    signed = edge.flags(free, size)
    inside = edge.flags(passive, size)
    diagonal = np.diag(matrix).copy()
    live = diagonal > 0.0
    scale = np.zeros(size)
    scale[live] = 1.0 / np.sqrt(diagonal[live])
    unit = matrix * scale[:, None] * scale
    target = vector * scale
    inside = (inside | signed) & live
    theta, solved = _block_pivoting(unit, target, signed & live, inside, live)
    if solved:
        return theta * scale, 0
    steep = unit + RIDGE * np.diag(live.astype(np.float64))
    theta, solved = _block_pivoting(steep, target, signed & live, inside, live)
    theta, how = _coordinate_descent(unit, target, signed, theta if solved else np.zeros(size))
    return theta * scale, how


def _block_pivoting(unit: Floats, target: Floats, signed: Bools, inside: Bools, live: Bools) -> tuple[Floats, bool]:
    """Exchange whole blocks while the number of wrong signs falls, else one variable at a time."""
    size = target.size
    tolerance = DUAL_TOLERANCE * float(np.max(np.abs(target), initial=0.0))
    fewest, tries = size + 1, BACKUP_TRIES
    theta = np.zeros(size)
    for _ in range(10 * size + 30):
        chosen = np.flatnonzero(inside)
        theta = np.zeros(size)
        if chosen.size:
            part = cholesky_solve(unit[np.ix_(chosen, chosen)], target[chosen])
            if not np.all(np.isfinite(part)):
                return theta, False
            theta[chosen] = part
        dual = unit @ theta - target
        wrong = np.where(inside, ~signed & (theta < 0.0), live & (dual < -tolerance))
        count = int(np.count_nonzero(wrong))
        if count == 0:
            return theta, True
        if count < fewest:
            fewest, tries = count, BACKUP_TRIES
        elif tries > 0:
            tries -= 1
        else:
            last = np.flatnonzero(wrong)[-1]
            wrong = np.zeros(size, dtype=np.bool_)
            wrong[last] = True
        inside = inside ^ wrong
    return theta, False


def _coordinate_descent(unit: Floats, target: Floats, signed: Bools, start: Floats) -> tuple[Floats, int]:
    """One coefficient at a time from `start` on, clipped at zero."""
    theta = start.copy()
    slope = unit @ theta - target
    order = np.flatnonzero(np.diag(unit))
    for _ in range(SWEEPS):
        largest = 0.0
        for k in order:
            moved = theta[k] - slope[k]
            if moved < 0.0 and not signed[k]:
                moved = 0.0
            step = moved - theta[k]
            if step != 0.0:
                theta[k] = moved
                slope += step * unit[k]
                largest = max(largest, abs(step))
        if largest <= SWEEP_TOLERANCE * float(np.max(np.abs(theta), initial=0.0)):
            return theta, 1
    return theta, 2


def cholesky_solve(matrix: Any, rhs: Any) -> Floats:
    """See `powerhal.kernels.cholesky_solve`."""
    right = np.asarray(rhs, dtype=np.float64)
    square = edge.floats(matrix, len(right), len(right))
    if not _definite(square):
        return np.full(right.shape, np.nan)
    answer: Floats = np.asarray(np.linalg.solve(square, right), dtype=np.float64)
    return answer


def spd_inverse(matrix: Any) -> Floats:
    """See `powerhal.kernels.spd_inverse`."""
    square = edge.floats(matrix, -1, -1)
    if not _definite(square):
        return np.full(square.shape, np.nan)
    inverse = np.linalg.inv(square)
    answer: Floats = np.asarray(0.5 * (inverse + inverse.T), dtype=np.float64)
    return answer


def _definite(square: Floats) -> bool:
    """Whether every Cholesky pivot keeps more than rounding of its diagonal."""
    diagonal = np.diag(square)
    if not (np.all(np.isfinite(square)) and np.all(diagonal > 0.0)):
        return False
    try:
        pivots = np.diag(np.linalg.cholesky(square))
    except np.linalg.LinAlgError:
        return False
    return bool(np.all(pivots * pivots > PIVOT_FLOOR * len(square) * diagonal))


def decode_fields(raw: Any, layout: Any) -> Ints:
    """See `powerhal.kernels.decode_fields`."""
    rows = edge.raw_rows(raw)
    fields = edge.layout_of(layout, rows.shape[1])
    out = np.empty((len(rows), len(fields)), dtype=np.int64)
    for k, (offset, nbytes, little, signed, shift, bits) in enumerate(fields.tolist()):
        places = range(offset + nbytes - 1, offset - 1, -1) if little else range(offset, offset + nbytes)
        word = np.zeros(len(rows), dtype=np.uint64)
        for place in places:
            word = (word << np.uint64(8)) | rows[:, place]
        word = (word >> np.uint64(shift)) & np.uint64((1 << bits) - 1)
        if signed:
            top = np.uint64(1 << (bits - 1))
            word = (word ^ top) - top
        out[:, k] = word.view(np.int64)
    return out


def scale_fields(integers: Any, scales: Any, biases: Any) -> Floats:
    """See `powerhal.kernels.scale_fields`."""
    counts = edge.integers(integers, -1, -1)
    scale = edge.floats(scales, counts.shape[1])
    bias = edge.floats(biases, counts.shape[1])
    answer: Floats = counts * scale + bias
    return answer


def counter_delta(counts: Any, width_bits: Any) -> Ints:
    """See `powerhal.kernels.counter_delta`."""
    readings = edge.counts_of(counts)
    masks = edge.masks_of(width_bits, readings)
    words = readings.view(np.uint64)
    steps = words[1:] - words[:-1]
    masked = steps & (masks if readings.ndim == 2 else masks[0])
    answer: Ints = masked.view(np.int64)
    return answer
