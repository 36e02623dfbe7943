"""Compiled decoding of recorded rows: bytes to integers, counters to steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from powerhal.kernels.edge import Bytes, Floats, Ints
from powerhal.kernels.jit import jit


@jit
def decode(raw: Bytes, layout: Ints) -> Ints:
    """int64 (n, fields) from uint8 (n, row_bytes); layout checked and with real widths in column 5."""
    count, fields = raw.shape[0], layout.shape[0]
    out = np.empty((count, fields), dtype=np.int64)
    for f in range(fields):
        offset, nbytes, little = layout[f, 0], layout[f, 1], layout[f, 2]
        shift = np.uint64(layout[f, 4])
        bits = layout[f, 5]
        mask = np.uint64(0xFFFFFFFFFFFFFFFF) >> np.uint64(64 - bits)
        top = np.uint64(1) << np.uint64(bits - 1) if layout[f, 3] else np.uint64(0)
        first = offset + nbytes - 1 if little else offset
        step = -1 if little else 1
        for k in range(count):
            word = np.uint64(0)
            place = first
            for _ in range(nbytes):
                word = (word << np.uint64(8)) | np.uint64(raw[k, place])
                place += step
            word = (word >> shift) & mask
            out[k, f] = np.int64((word ^ top) - top)
    return out


@jit
def scale(integers: Ints, scales: Floats, biases: Floats) -> Floats:
    """integers * scales + biases."""
    count, fields = integers.shape
    out = np.empty((count, fields))
    for k in range(count):
        for f in range(fields):
            out[k, f] = integers[k, f] * scales[f] + biases[f]
    return out


@jit
def delta(counts: Ints, masks: Any) -> Ints:
    """Modular differences of successive rows."""
    count, columns = counts.shape
    out = np.empty((max(count - 1, 0), columns), dtype=np.int64)
    for k in range(count - 1):
        for f in range(columns):
            out[k, f] = np.int64((np.uint64(counts[k + 1, f]) - np.uint64(counts[k, f])) & masks[f])
    return out
