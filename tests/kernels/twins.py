"""Naive twins: what every kernel must compute, written for the eye and not for the clock."""

from __future__ import annotations

from fractions import Fraction

import numpy as np


def gram(rows, weights):
    """Exact rational sum of weighted outer products."""
    q = len(rows[0]) if len(rows) else 0
    exact = [[Fraction(0)] * q for _ in range(q)]
    for row, w in zip(rows, weights, strict=True):
        for i in range(q):
            for j in range(q):
                exact[i][j] += Fraction(float(w)) * Fraction(float(row[i])) * Fraction(float(row[j]))
    return np.array([[float(x) for x in line] for line in exact]).reshape(q, q)


def dense(starts, columns, values, width):
    """The same rows with their zeros written out."""
    out = np.zeros((len(starts) - 1, width))
    for i in range(len(starts) - 1):
        for k in range(starts[i], starts[i + 1]):
            out[i, columns[k]] = values[k]
    return out


def field(row, offset, nbytes, little, signed, shift, bits):
    """One field of one row, by way of a string of binary digits."""
    part = list(row[offset : offset + nbytes])
    digits = "".join(f"{byte:08b}" for byte in (part[::-1] if little else part))
    digits = digits[: len(digits) - shift]
    if bits:
        digits = digits[-bits:]
    value = int(digits, 2)
    if (signed or len(digits) == 64) and digits[0] == "1":
        value -= 1 << len(digits)
    return value


def delta(before, after, width):
    """Steps forward on a clock face with 2**width hours."""
    steps = (int(after) - int(before)) % (1 << width)
    return steps - (1 << 64) if steps >= 1 << 63 else steps


def optimality(gram, rhs, theta, free):
    """Largest violation of the conditions of a minimum with theta >= 0, relative to the scales at hand."""
    gram, rhs, theta = (np.asarray(part, dtype=float) for part in (gram, rhs, theta))
    scale = np.sqrt(np.maximum(np.diag(gram), 1e-300))
    dual = (gram @ theta - rhs) / scale
    size = max(np.max(np.abs(rhs / scale), initial=0.0), np.max(np.abs(theta * scale), initial=0.0), 1e-300)
    worst = 0.0
    for k in range(len(rhs)):
        if not gram[k, k] > 0:
            continue
        inside = free[k] or theta[k] > 0
        worst = max(worst, abs(dual[k]) if inside else -dual[k])
    negative = max((-t for t, f in zip(theta, free, strict=True) if not f), default=0.0)
    return max(worst, negative) / size
