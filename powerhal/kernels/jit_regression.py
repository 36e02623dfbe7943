"""Compiled regression: Gram updates, Cholesky, non-negative least squares.

No `np.dot`, `@` or `np.linalg`: inside compiled code they need scipy. The Cholesky factor is kept as
its upper rows, so that every inner loop runs along contiguous memory and is vectorised without
reordering a sum. For that the compiler must know that an index is not negative: inner loops run from 0
over slices (over `range(k, size)` the same loop stays scalar, three times slower at 200 columns).
"""

from __future__ import annotations

import numpy as np

from powerhal.kernels.edge import Bools, Floats, Ints
from powerhal.kernels.jit import jit

LARGEST_ROOT = 1e145  # a value beyond it has a square that leaves float64 once rows are added up
LARGEST = 1e289  # a sum of squares below it holds no such value
PIVOT_FLOOR = 1e-14
BACKUP_TRIES = 3
SWEEPS = 2_000
SWEEP_TOLERANCE = 1e-11
RIDGE = 1e-11  # of the unit diagonal: lets columns that cannot be told apart share, costs 1e-11 of the fit
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
            line, rest = upper[i, i:], rows[k, i:]
            for j in range(line.size):
                line[j] += lead * rest[j]
    for i in range(size):
        gram[i, i] += upper[i, i]
        for j in range(i + 1, size):
            gram[i, j] += upper[i, j]
            gram[j, i] += upper[i, j]


@jit
def sparse(total: Floats, starts: Ints, columns: Ints, values: Floats, z: Floats, weights: Floats) -> int:
    """Upper triangle of total += outer products of sparse rows [x | z | 1]; rows that count."""
    size = total.shape[0]
    count = 0
    for row in range(z.size):
        weight = weights[row] if weights.size > 0 else 1.0
        target = z[row]
        column, value = columns[starts[row] : starts[row + 1]], values[starts[row] : starts[row + 1]]
        root = np.sqrt(weight)
        good = root > 0.0 and root < LARGEST_ROOT and abs(target * root) < LARGEST_ROOT
        rising = True
        for a in range(value.size):
            good = good and abs(value[a] * root) < LARGEST_ROOT
            rising = rising and (a == 0 or column[a] > column[a - 1])
        if not good:
            continue
        count += 1
        if rising:
            for a in range(value.size):
                # Unsigned, so that no index is tested for counting from the end.
                line = total[np.uint64(column[a])]
                lead = weight * value[a]
                right, amount = column[a:], value[a:]
                for b in range(right.size):
                    line[np.uint64(right[b])] += lead * amount[b]
                line[size - 2] += lead * target
                line[size - 1] += lead
        else:
            unordered(total, column, value, weight, target)
        total[size - 2, size - 2] += weight * target * target
        total[size - 2, size - 1] += weight * target
        total[size - 1, size - 1] += weight
    return count


@jit
def unordered(total: Floats, column: Ints, value: Floats, weight: float, target: float) -> None:
    """The same for one row whose columns do not rise: each pair goes to its place above the diagonal."""
    size = total.shape[0]
    for a in range(value.size):
        here, lead = column[a], weight * value[a]
        for b in range(a, value.size):
            low, high = min(here, column[b]), max(here, column[b])
            total[low, high] += lead * value[b]
        total[here, size - 2] += lead * target
        total[here, size - 1] += lead


@jit
def augment(panel: Floats, x: Floats, z: Floats, weights: Floats, start: int) -> int:
    """panel = sqrt(weights) * [x | z | 1] from row `start` on; rows with a weight above 0."""
    rows, size = panel.shape
    columns = size - 2
    weighted = weights.size > 0
    count = 0
    for k in range(rows):
        at = start + k
        root = np.sqrt(weights[at]) if weighted else 1.0
        count += root > 0.0
        for j in range(columns):
            panel[k, j] = x[at, j] * root
        panel[k, columns] = z[at] * root
        panel[k, columns + 1] = root
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
def add_compensated(total: Floats, carry: Floats, part: Floats) -> bool:
    """total += part, with what rounding lost added to carry (Knuth's two-sum); False if part is out of range.

    The sums of squares on the diagonal of a Gram tell of a NaN, an infinity or a giant anywhere in its
    rows; then nothing is added.
    """
    size = part.shape[0]
    for i in range(size):
        if not part[i, i] < LARGEST:
            return False
    for i in range(size):
        for j in range(size):
            before, new = total[i, j], part[i, j]
            after = before + new
            shadow = after - before
            carry[i, j] += (before - (after - shadow)) + (new - shadow)
            total[i, j] = after
    return True


@jit
def factor(upper: Floats, size: int) -> bool:
    """In place: a symmetric upper triangle becomes U with U'U equal to it; False if a pivot is lost."""
    for k in range(size):
        row = upper[k, k:size]
        diagonal = row[0]
        m = 0
        while m + 4 <= k:
            a, b, c, d = upper[m, k], upper[m + 1, k], upper[m + 2, k], upper[m + 3, k]
            p, q = upper[m, k:size], upper[m + 1, k:size]
            r, s = upper[m + 2, k:size], upper[m + 3, k:size]
            for j in range(row.size):
                row[j] -= (a * p[j] + b * q[j]) + (c * r[j] + d * s[j])
            m += 4
        while m < k:
            a, p = upper[m, k], upper[m, k:size]
            for j in range(row.size):
                row[j] -= a * p[j]
            m += 1
        pivot = row[0]
        if not (np.isfinite(pivot) and pivot > PIVOT_FLOOR * size * diagonal):
            return False
        inverse = 1.0 / np.sqrt(pivot)
        for j in range(row.size):
            row[j] *= inverse
    return True


@jit
def substitute(upper: Floats, x: Floats, size: int) -> None:
    """x := solution of upper' upper x = x over the first `size` entries."""
    for k in range(size):
        x[k] /= upper[k, k]
        lead = x[k]
        row, rest = upper[k, k + 1 : size], x[k + 1 : size]
        for j in range(row.size):
            rest[j] -= row[j] * lead
    for k in range(size - 1, -1, -1):
        # Four running sums: one alone would wait for itself at every step.
        a, b, c, d = x[k], 0.0, 0.0, 0.0
        row, rest = upper[k, k + 1 : size], x[k + 1 : size]
        whole = row.size // 4 * 4
        for j in range(0, whole, 4):
            a -= row[j] * rest[j]
            b -= row[j + 1] * rest[j + 1]
            c -= row[j + 2] * rest[j + 2]
            d -= row[j + 3] * rest[j + 3]
        for j in range(whole, row.size):
            a -= row[j] * rest[j]
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
    """Equilibrate, block principal pivoting; a singular block: the same with a ridge, then coordinate descent."""
    size = rhs.size
    scale = np.zeros(size)
    for k in range(size):
        if gram[k, k] > 0.0:
            scale[k] = 1.0 / np.sqrt(gram[k, k])
    unit = np.empty((size, size))
    target = np.empty(size)
    for i in range(size):
        lead, row, given = scale[i], unit[i], gram[i]
        target[i] = rhs[i] * lead
        for j in range(size):
            row[j] = given[j] * lead * scale[j]
        free[i] = free[i] and scale[i] > 0.0
        passive[i] = (passive[i] or free[i]) and scale[i] > 0.0
    theta = np.empty(size)
    guess = passive.copy()
    how = 0
    if not block_pivoting(unit, target, free, passive, theta):
        ridge(unit, RIDGE)
        if not block_pivoting(unit, target, free, guess, theta):
            for k in range(size):
                theta[k] = 0.0
        ridge(unit, -RIDGE)
        how = coordinate_descent(unit, target, free, theta)
    for k in range(size):
        theta[k] *= scale[k]
    return theta, how


@jit
def ridge(unit: Floats, level: float) -> None:
    """Add to the diagonal of the columns that are not empty."""
    for k in range(unit.shape[0]):
        if unit[k, k] > 0.0:
            unit[k, k] += level


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
        x[i] = target[chosen[i]]
        row, line, rest = unit[chosen[i]], upper[i, i:count], chosen[i:count]
        for j in range(line.size):
            line[j] = row[np.uint64(rest[j])]
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
        lead, row = theta[k], unit[k]
        if lead != 0.0:
            for j in range(size):
                dual[j] += row[j] * lead


@jit
def coordinate_descent(unit: Floats, target: Floats, free: Bools, theta: Floats) -> int:
    """One coefficient at a time from `theta` on, clipped at zero; 1 when it settled, 2 at the sweep limit."""
    size = target.size
    slope = np.empty(size)
    gradient(unit, target, theta, slope)
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
                row = unit[k]
                for j in range(size):
                    slope[j] += step * row[j]
                largest = max(largest, abs(step))
            top = max(top, abs(theta[k]))
        if largest <= SWEEP_TOLERANCE * top:
            return 1
    return 2
