"""The plain Python tier: lists in, lists out, nothing imported; for small boards and as a cross-check.

Any sequences (lists, tuples, `array`, memoryviews, numpy arrays) are taken; a Gram is added to in
place through `gram[i][j]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import isfinite, nan, sqrt
from typing import Any

from powerhal.kernels import tier_plain_text

text_pool = tier_plain_text.text_pool
text_read = tier_plain_text.text_read
text_follow = tier_plain_text.text_follow


Row = list[float]
Matrix = list[Row]

LARGEST_ROOT = 1e145
BACKUP_TRIES = 3
DUAL_TOLERANCE = 1e-13
SWEEPS = 2_000
SWEEP_TOLERANCE = 1e-11
RIDGE = 1e-11  # of the unit diagonal: lets columns that cannot be told apart share, costs 1e-11 of the fit
PIVOT_FLOOR = 1e-14


def gram_add(gram: Any, rows: Any, weights: Any) -> None:
    """See `powerhal.kernels.gram_add`."""
    size = _square(gram)
    table = [_row(row, size) for row in rows]
    weight = _weights(weights, len(table))
    for i in range(size):
        for j in range(i, size):
            total = sum(w * row[i] * row[j] for w, row in zip(weight, table, strict=True))
            gram[i][j] += total
            if i != j:
                gram[j][i] += total


def moments_add(total: Any, carry: Any, x: Any, z: Any, weights: Any) -> int:
    """See `powerhal.kernels.moments_add`."""
    size = _square(total)
    if _square(carry) != size:
        raise ValueError(f"a carry of {size} x {size} expected")
    weight = _weights(weights, len(x))
    wide = [_row([*row, target, 1.0], size) for row, target in zip(x, z, strict=True)]
    part = [[0.0] * size for _ in range(size)]
    count = 0
    for row, w in zip(wide, weight, strict=True):
        root = sqrt(w) if w > 0.0 else 0.0
        scaled = [value * root for value in row]
        if root == 0.0 or not all(abs(value) < LARGEST_ROOT for value in scaled):
            continue
        count += 1
        for i in range(size):
            for j in range(i, size):
                part[i][j] += scaled[i] * scaled[j]
    for i in range(size):
        for j in range(size):
            before, new = float(total[i][j]), part[min(i, j)][max(i, j)]
            after = before + new
            shadow = after - before
            carry[i][j] += (before - (after - shadow)) + (new - shadow)
            total[i][j] = after
    return count


def moments_add_sparse(total: Any, starts: Any, columns: Any, values: Any, z: Any, weights: Any) -> int:
    """See `powerhal.kernels.moments_add_sparse`."""
    size = _square(total)
    at = [int(start) for start in starts]
    column = [int(k) for k in columns]
    value = _row(values, len(column))
    if not at or at[0] != 0 or at[-1] != len(column) or any(b < a for a, b in pairwise(at)):
        raise ValueError("row starts must rise from 0 to the number of values")
    if column and (min(column) < 0 or max(column) >= size - 2):
        raise ValueError(f"a column is outside the Gram of {size}")
    target = _row(z, len(at) - 1)
    count = 0
    for row, w in enumerate(_weights(weights, len(target))):
        part = slice(at[row], at[row + 1])
        places = [*column[part], size - 2, size - 1]
        entries = [*value[part], target[row], 1.0]
        root = sqrt(w) if w > 0.0 else 0.0
        if root == 0.0 or not all(abs(entry * root) < LARGEST_ROOT for entry in entries):
            continue
        count += 1
        for a, x in zip(places, entries, strict=True):
            for b, y in zip(places, entries, strict=True):
                if a <= b:
                    total[a][b] += w * x * y
    return count


def nnls(gram: Any, rhs: Any, free: Any, passive: Any) -> tuple[Row, int]:
    """See `powerhal.kernels.nnls`."""
    vector = [float(x) for x in rhs]
    size = len(vector)
    matrix = [_row(row, size) for row in gram]
    if len(matrix) != size:
        raise ValueError(f"a Gram of {len(matrix)} rows for {size} unknowns")
    scale = [1.0 / sqrt(matrix[k][k]) if matrix[k][k] > 0.0 else 0.0 for k in range(size)]
    unit = [[matrix[i][j] * scale[i] * scale[j] for j in range(size)] for i in range(size)]
    target = [vector[k] * scale[k] for k in range(size)]
    live = [scale[k] > 0.0 for k in range(size)]
    signed = [flag and live[k] for k, flag in enumerate(_flags(free, size))]
    inside = [(flag or signed[k]) and live[k] for k, flag in enumerate(_flags(passive, size))]
    theta = _block_pivoting(unit, target, signed, inside[:], live)
    how = 0
    if theta is None:
        steep = [[x + RIDGE * (i == j and live[i]) for j, x in enumerate(row)] for i, row in enumerate(unit)]
        start = _block_pivoting(steep, target, signed, inside, live)
        theta, how = _coordinate_descent(unit, target, signed, start or [0.0] * size)
    return [theta[k] * scale[k] for k in range(size)], how


def _block_pivoting(unit: Matrix, target: Row, signed: list[bool], inside: list[bool], live: list[bool]) -> Row | None:
    """Exchange whole blocks while the number of wrong signs falls, else one; None when singular."""
    size = len(target)
    tolerance = DUAL_TOLERANCE * max([0.0] + [abs(x) for x in target])
    fewest, tries = size + 1, BACKUP_TRIES
    for _ in range(10 * size + 30):
        chosen = [k for k in range(size) if inside[k]]
        factor = _factor([[unit[i][j] for j in chosen] for i in chosen])
        if factor is None:
            return None
        theta = [0.0] * size
        for k, x in zip(chosen, _substitute(factor, [target[k] for k in chosen]), strict=True):
            theta[k] = x
        wrong = []
        for k in range(size):
            if inside[k]:
                if not signed[k] and theta[k] < 0.0:
                    wrong.append(k)
            elif live[k] and sum(unit[k][j] * theta[j] for j in chosen) - target[k] < -tolerance:
                wrong.append(k)
        if not wrong:
            return theta
        if len(wrong) < fewest:
            fewest, tries = len(wrong), BACKUP_TRIES
        elif tries > 0:
            tries -= 1
        else:
            wrong = wrong[-1:]
        for k in wrong:
            inside[k] = not inside[k]
    return None


def _coordinate_descent(unit: Matrix, target: Row, signed: list[bool], start: Row) -> tuple[Row, int]:
    """One coefficient at a time from `start` on, clipped at zero."""
    size = len(target)
    theta = start[:]
    slope = [sum(u * t for u, t in zip(unit[k], theta, strict=True)) - target[k] for k in range(size)]
    for _ in range(SWEEPS):
        largest = 0.0
        for k in range(size):
            if not unit[k][k]:
                continue
            moved = theta[k] - slope[k]
            if moved < 0.0 and not signed[k]:
                moved = 0.0
            step = moved - theta[k]
            if step != 0.0:
                theta[k] = moved
                row = unit[k]
                for j in range(size):
                    slope[j] += step * row[j]
                largest = max(largest, abs(step))
        if largest <= SWEEP_TOLERANCE * max([0.0] + [abs(x) for x in theta]):
            return theta, 1
    return theta, 2


def cholesky_solve(matrix: Any, rhs: Any) -> Any:
    """See `powerhal.kernels.cholesky_solve`."""
    size = len(rhs)
    square = [_row(row, size) for row in matrix]
    if len(square) != size:
        raise ValueError(f"a matrix of {len(square)} rows for {size} unknowns")
    factor = _factor(square)
    if size and hasattr(rhs[0], "__len__"):
        width = len(rhs[0])
        right = [_row(row, width) for row in rhs]
        if factor is None:
            return [[nan] * width for _ in range(size)]
        columns = [_substitute(factor, [row[k] for row in right]) for k in range(width)]
        return [[column[i] for column in columns] for i in range(size)]
    return [nan] * size if factor is None else _substitute(factor, [float(x) for x in rhs])


def spd_inverse(matrix: Any) -> Matrix:
    """See `powerhal.kernels.spd_inverse`."""
    size = len(matrix)
    factor = _factor([_row(row, size) for row in matrix])
    if factor is None:
        return [[nan] * size for _ in range(size)]
    columns = [_substitute(factor, [float(i == k) for i in range(size)]) for k in range(size)]
    return [[0.5 * (columns[i][j] + columns[j][i]) for j in range(size)] for i in range(size)]


def _factor(square: Matrix) -> Matrix | None:
    """Upper Cholesky factor U with U'U = square; None when a pivot is lost in rounding."""
    size = len(square)
    upper = [[0.0] * size for _ in range(size)]
    for k in range(size):
        row = square[k][:]
        for m in range(k):
            lead = upper[m][k]
            if lead != 0.0:
                other = upper[m]
                for j in range(k, size):
                    row[j] -= lead * other[j]
        pivot = row[k]
        if not (isfinite(pivot) and pivot > PIVOT_FLOOR * size * square[k][k]):
            return None
        root = sqrt(pivot)
        for j in range(k, size):
            upper[k][j] = row[j] / root
    return upper


def _substitute(upper: Matrix, right: Row) -> Row:
    """x with U'U x = right."""
    size = len(right)
    x = right[:]
    for k in range(size):
        x[k] /= upper[k][k]
        for j in range(k + 1, size):
            x[j] -= upper[k][j] * x[k]
    for k in range(size - 1, -1, -1):
        x[k] = (x[k] - sum(upper[k][j] * x[j] for j in range(k + 1, size))) / upper[k][k]
    return x


def decode_fields(raw: Any, layout: Any) -> list[list[int]]:
    """See `powerhal.kernels.decode_fields`."""
    rows = [bytes(row) for row in raw]
    width = len(rows[0]) if rows else None
    if any(len(row) != width for row in rows):
        raise ValueError("the rows differ in length")
    plans = [_plan(k, [int(x) for x in field], width) for k, field in enumerate(layout)]
    out = []
    for row in rows:
        words = []
        for offset, end, order, shift, mask, top in plans:
            word = (int.from_bytes(row[offset:end], order) >> shift) & mask  # type: ignore[arg-type]
            words.append((word ^ top) - top if top else word)
        out.append(words)
    return out


def _plan(which: int, field: Sequence[int], width: int | None) -> tuple[int, int, str, int, int, int]:
    """(offset, end, order, shift, mask, sign bit) of one field; raises ValueError if it leaves the row."""
    offset, nbytes, little, signed, shift, bits = field
    left = 8 * nbytes - shift
    inside = offset >= 0 and 1 <= nbytes <= 8 and (width is None or offset + nbytes <= width)
    if not inside or shift < 0 or left < 1 or not 0 <= bits <= 64:
        raise ValueError(f"field {which} {list(field)} does not fit a row of {width} bytes")
    bits = min(bits or left, left)
    # Unsigned 64-bit words come back as int64, like in the array tiers.
    top = 1 << (bits - 1) if signed or bits == 64 else 0
    return offset, offset + nbytes, "little" if little else "big", shift, (1 << bits) - 1, top


def scale_fields(integers: Any, scales: Any, biases: Any) -> Matrix:
    """See `powerhal.kernels.scale_fields`."""
    rows = [list(row) for row in integers]
    width = len(rows[0]) if rows else len(scales)
    scale, bias = _row(scales, width), _row(biases, width)
    return [[float(x) * s + b for x, s, b in zip(row, scale, bias, strict=True)] for row in rows]


def counter_delta(counts: Any, width_bits: Any) -> Any:
    """See `powerhal.kernels.counter_delta`."""
    widths = [int(w) for w in width_bits] if hasattr(width_bits, "__len__") else [int(width_bits)]
    if any(not 1 <= width <= 64 for width in widths):
        raise ValueError("a counter is 1 to 64 bits wide")
    if len(counts) and hasattr(counts[0], "__len__"):
        columns = len(counts[0])
        if len(widths) not in (1, columns):
            raise ValueError(f"{len(widths)} widths for {columns} counters")
        spread = widths * columns if len(widths) == 1 else widths
        return [
            [_step(int(b), int(a), w) for a, b, w in zip(before, after, spread, strict=True)]
            for before, after in pairwise(counts)
        ]
    if len(widths) != 1:
        raise ValueError(f"{len(widths)} widths for one counter")
    return [_step(int(b), int(a), widths[0]) for a, b in pairwise(counts)]


def _step(after: int, before: int, width: int) -> int:
    step = (after - before) & ((1 << width) - 1)
    return step - (1 << 64) if step >= 1 << 63 else step


def _square(gram: Any) -> int:
    size = len(gram)
    if any(len(row) != size for row in gram):
        raise ValueError("the Gram must be square")
    return size


def _row(values: Any, size: int) -> Row:
    row = [float(x) for x in values]
    if len(row) != size:
        raise ValueError(f"{len(row)} values where {size} are expected")
    return row


def _weights(weights: Any, rows: int) -> Row:
    return _row(weights, rows) if len(weights) else [1.0] * rows


def _flags(flags: Any, size: int) -> list[bool]:
    if len(flags) not in (0, size):
        raise ValueError(f"{len(flags)} flags for {size} unknowns")
    return [bool(x) for x in flags] or [False] * size
