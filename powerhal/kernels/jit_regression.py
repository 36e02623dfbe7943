"""Compiled regression: Gram updates, Cholesky, non-negative least squares.

No `np.dot`, `@` or `np.linalg`: inside compiled code they need scipy. The Cholesky factor is kept as
its upper rows, so that every inner loop runs along contiguous memory and is vectorised without
reordering a sum.
"""

from __future__ import annotations

import numpy as np

from powerhal.kernels.edge import Bools, Floats, Ints
from powerhal.kernels.jit import jit

LARGEST_ROOT = 1e145  # a value beyond it has a square that leaves float64 once rows are added up
OVER = 2e9  # the square of LARGEST_ROOT * OVER is past the end of float64
PIVOT_FLOOR = 1e-14
BACKUP_TRIES = 3
SWEEPS = 20_000
SWEEP_TOLERANCE = 1e-13
DUAL_TOLERANCE = 1e-13


@jit
def gram_rows(gram: Floats, rows: Floats, weights: Floats) -> None:
    """gram += rows' diag(weights) rows, row by row; for batches too small for BLAS."""
    count, size = rows.shape
    weighted = weights.size > 0
    upper = np.zeros((size, size))
    for k in range(count):
        for i in range(size):
            lead = rows[k, i]
            if weighted:
                lead *= weights[k]
            for j in range(i, size):
                upper[i, j] += lead * rows[k, j]
    for i in range(size):
        gram[i, i] += upper[i, i]
        for j in range(i + 1, size):
            gram[i, j] += upper[i, j]
            gram[j, i] += upper[i, j]


@jit
def gram_sparse(gram: Floats, starts: Ints, columns: Ints, values: Floats, weights: Floats) -> None:
    """Upper triangle of gram += sum of weighted outer products of sparse rows."""
    weighted = weights.size > 0
    for row in range(starts.size - 1):
        weight = weights[row] if weighted else 1.0
        first, last = starts[row], starts[row + 1]
        for a in range(first, last):
            here = columns[a]
            lead = weight * values[a]
            gram[here, here] += lead * values[a]
            for b in range(a + 1, last):
                there = columns[b]
                gram[min(here, there), max(here, there)] += lead * values[b]


@jit
def augment(panel: Floats, x: Floats, z: Floats, weights: Floats, start: int) -> int:
    """panel = sqrt(weights) * [x | z | 1] from row `start` on; rows out of range become 0; rows that count."""
    rows, size = panel.shape
    columns = size - 2
    weighted = weights.size > 0
    probe = np.zeros(size)
    count = 0
    for k in range(rows):
        at = start + k
        root = np.sqrt(weights[at]) if weighted else 1.0
        count += root > 0.0
        for j in range(columns):
            panel[k, j] = x[at, j] * root
        panel[k, columns] = z[at] * root
        panel[k, columns + 1] = root
        # Stays 0 while squares stay in range; NaN after that. Column by column, so it is vectorised.
        for j in range(size):
            giant = panel[k, j] * OVER
            probe[j] += (giant * giant) * 0.0
    for j in range(size):
        if probe[j] != 0.0:
            return blank(panel)
    return count


@jit
def blank(panel: Floats) -> int:
    """Set rows with a NaN, an infinity or a giant to 0; how many rows count."""
    rows, size = panel.shape
    count = 0
    for k in range(rows):
        good = panel[k, size - 1] > 0.0
        for j in range(size):
            good = good and abs(panel[k, j]) < LARGEST_ROOT
        count += good
        if not good:
            for j in range(size):
                panel[k, j] = 0.0
    return count


@jit
def add_compensated(total: Floats, carry: Floats, part: Floats) -> None:
    """total += part, with what rounding lost added to carry (Knuth's two-sum)."""
    rows, columns = total.shape
    for i in range(rows):
        for j in range(columns):
            before, new = total[i, j], part[i, j]
            after = before + new
            shadow = after - before
            carry[i, j] += (before - (after - shadow)) + (new - shadow)
            total[i, j] = after


@jit
def factor(upper: Floats, size: int) -> bool:
    """In place: a symmetric upper triangle becomes U with U'U equal to it; False if a pivot is lost.

    Two rows are made at a time from four finished ones: six loads serve sixteen operations.
    """
    k = 0
    while k < size:
        pair = k + 1 < size
        first = upper[k, k]
        second = upper[k + 1, k + 1] if pair else 0.0
        for quarter in range(k // 4):
            m = 4 * quarter
            if pair:
                rank_four_pair(upper, m, k, size)
            else:
                rank_four(upper, m, k, size)
        for m in range(k - k % 4, k):
            rank_one(upper, m, k, size)
            if pair:
                rank_one(upper, m, k + 1, size)
        if not close_row(upper, k, size, first):
            return False
        if pair:
            rank_one(upper, k, k + 1, size)
            if not close_row(upper, k + 1, size, second):
                return False
        k += 2
    return True


@jit
def rank_one(upper: Floats, m: int, k: int, size: int) -> None:
    """Take finished row m out of row k."""
    a = upper[m, k]
    for j in range(k, size):
        upper[k, j] -= a * upper[m, j]


@jit
def rank_four(upper: Floats, m: int, k: int, size: int) -> None:
    """Take finished rows m..m+3 out of row k."""
    a, b, c, d = upper[m, k], upper[m + 1, k], upper[m + 2, k], upper[m + 3, k]
    for j in range(k, size):
        upper[k, j] -= (a * upper[m, j] + b * upper[m + 1, j]) + (c * upper[m + 2, j] + d * upper[m + 3, j])


@jit
def rank_four_pair(upper: Floats, m: int, k: int, size: int) -> None:
    """Take finished rows m..m+3 out of rows k and k+1 (whose first entry is below the diagonal)."""
    a, b, c, d = upper[m, k], upper[m + 1, k], upper[m + 2, k], upper[m + 3, k]
    e, f, g, h = upper[m, k + 1], upper[m + 1, k + 1], upper[m + 2, k + 1], upper[m + 3, k + 1]
    upper[k, k] -= (a * a + b * b) + (c * c + d * d)
    for j in range(k + 1, size):
        p, q, r, s = upper[m, j], upper[m + 1, j], upper[m + 2, j], upper[m + 3, j]
        upper[k, j] -= (a * p + b * q) + (c * r + d * s)
        upper[k + 1, j] -= (e * p + f * q) + (g * r + h * s)


@jit
def close_row(upper: Floats, k: int, size: int, diagonal: float) -> bool:
    """Divide row k by the root of its pivot; False when rounding ate the pivot."""
    pivot = upper[k, k]
    if not (np.isfinite(pivot) and pivot > PIVOT_FLOOR * size * diagonal):
        return False
    inverse = 1.0 / np.sqrt(pivot)
    for j in range(k, size):
        upper[k, j] *= inverse
    return True


@jit
def substitute(upper: Floats, x: Floats, size: int) -> None:
    """x := solution of upper' upper x = x over the first `size` entries."""
    for k in range(size):
        x[k] /= upper[k, k]
        lead = x[k]
        for j in range(k + 1, size):
            x[j] -= upper[k, j] * lead
    for k in range(size - 1, -1, -1):
        # Four running sums: one alone would wait for itself at every step.
        a, b, c, d = x[k], 0.0, 0.0, 0.0
        quarters = (size - k - 1) // 4
        for quarter in range(quarters):
            j = k + 1 + 4 * quarter
            a -= upper[k, j] * x[j]
            b -= upper[k, j + 1] * x[j + 1]
            c -= upper[k, j + 2] * x[j + 2]
            d -= upper[k, j + 3] * x[j + 3]
        for j in range(k + 1 + 4 * quarters, size):
            a -= upper[k, j] * x[j]
        x[k] = ((a + b) + (c + d)) / upper[k, k]


@jit
def solve(square: Floats, right: Floats) -> Floats:
    """x (p, m) with square x = right; NaN when square is not positive definite."""
    size, width = right.shape
    upper = np.empty((size, size))
    out = np.empty((size, width))
    for i in range(size):
        for j in range(i, size):
            upper[i, j] = square[i, j]
    definite = factor(upper, size)
    column = np.empty(size)
    for k in range(width):
        for i in range(size):
            column[i] = right[i, k] if definite else np.nan
        if definite:
            substitute(upper, column, size)
        for i in range(size):
            out[i, k] = column[i]
    return out


@jit
def nnls(gram: Floats, rhs: Floats, free: Bools, passive: Bools) -> tuple[Floats, int]:
    """Equilibrate, block principal pivoting, coordinate descent when a block is singular."""
    size = rhs.size
    scale = np.zeros(size)
    for k in range(size):
        if gram[k, k] > 0.0:
            scale[k] = 1.0 / np.sqrt(gram[k, k])
    unit = np.empty((size, size))
    target = np.empty(size)
    for i in range(size):
        target[i] = rhs[i] * scale[i]
        for j in range(size):
            unit[i, j] = gram[i, j] * scale[i] * scale[j]
        free[i] = free[i] and scale[i] > 0.0
        passive[i] = (passive[i] or free[i]) and scale[i] > 0.0
    theta = np.empty(size)
    how = 0
    if not block_pivoting(unit, target, free, passive, theta):
        how = coordinate_descent(unit, target, free, theta)
    for k in range(size):
        theta[k] *= scale[k]
    return theta, how


@jit
def block_pivoting(unit: Floats, target: Floats, free: Bools, inside: Bools, theta: Floats) -> bool:
    """Exchange whole blocks while the number of wrong signs falls, else one variable at a time."""
    size = target.size
    largest = 0.0
    for k in range(size):
        largest = max(largest, abs(target[k]))
    tolerance = DUAL_TOLERANCE * largest
    fewest, tries = size + 1, BACKUP_TRIES
    upper = np.empty((size, size))
    x, dual = np.empty(size), np.empty(size)
    chosen = np.empty(size, dtype=np.int64)
    for _ in range(10 * size + 30):
        if not solve_inside(unit, target, inside, (upper, x, chosen), theta):
            return False
        gradient(unit, target, theta, dual)
        wrong, last = 0, -1
        for k in range(size):
            if exchange(inside[k], free[k], unit[k, k] > 0.0, theta[k] < 0.0, dual[k] < -tolerance):
                wrong += 1
                last = k
        if wrong == 0:
            return True
        first = 0
        if wrong < fewest:
            fewest, tries = wrong, BACKUP_TRIES
        elif tries > 0:
            tries -= 1
        else:
            first = last
        for k in range(first, size):
            if exchange(inside[k], free[k], unit[k, k] > 0.0, theta[k] < 0.0, dual[k] < -tolerance):
                inside[k] = not inside[k]
    return False


@jit
def exchange(inside: bool, free: bool, live: bool, negative: bool, pulled: bool) -> bool:
    """Whether a variable is on the wrong side: negative inside, or pulled up outside."""
    if inside:
        return negative and not free
    return live and pulled


@jit
def solve_inside(unit: Floats, target: Floats, inside: Bools, room: tuple[Floats, Floats, Ints], theta: Floats) -> bool:
    """theta of the problem over the variables inside, 0 elsewhere; False when it is singular."""
    upper, x, chosen = room
    size, count = target.size, 0
    for k in range(size):
        theta[k] = 0.0
        if inside[k]:
            chosen[count] = k
            count += 1
    for i in range(count):
        row = chosen[i]
        x[i] = target[row]
        for j in range(i, count):
            upper[i, j] = unit[row, chosen[j]]
    if not factor(upper, count):
        return False
    substitute(upper, x, count)
    for i in range(count):
        theta[chosen[i]] = x[i]
    return True


@jit
def gradient(unit: Floats, target: Floats, theta: Floats, dual: Floats) -> None:
    """dual = unit theta - target."""
    size = target.size
    for k in range(size):
        dual[k] = -target[k]
    for k in range(size):
        lead = theta[k]
        if lead != 0.0:
            for j in range(size):
                dual[j] += unit[k, j] * lead


@jit
def coordinate_descent(unit: Floats, target: Floats, free: Bools, theta: Floats) -> int:
    """One coefficient at a time, clipped at zero; 1 when it settled, 2 at the sweep limit."""
    size = target.size
    slope = np.empty(size)
    for k in range(size):
        theta[k] = 0.0
        slope[k] = -target[k]
    for _ in range(SWEEPS):
        largest, top = 0.0, 0.0
        for k in range(size):
            if unit[k, k] == 0.0:
                continue
            moved = theta[k] - slope[k]
            if moved < 0.0 and not free[k]:
                moved = 0.0
            step = moved - theta[k]
            if step != 0.0:
                theta[k] = moved
                for j in range(size):
                    slope[j] += step * unit[k, j]
                largest = max(largest, abs(step))
            top = max(top, abs(theta[k]))
        if largest <= SWEEP_TOLERANCE * top:
            return 1
    return 2
