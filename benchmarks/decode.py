"""Bulk decoding of recorded rows into SI values."""

from __future__ import annotations

import struct

import numpy as np

from benchmarks.table import Row, cpu_s
from powerhal import kernels

ROWS = 100_000
# Two INA226 (shunt, bus, current, power) and one chip with wide words: 20 bits in 24, a 40-bit counter.
NARROW = [(2 * k, 2, 0, int(k % 4 in (0, 2)), 0, 0) for k in range(8)]
WIDE = [*NARROW, (16, 3, 0, 1, 4, 20), (19, 3, 0, 0, 4, 20), (22, 5, 0, 0, 0, 40), (27, 8, 1, 1, 0, 0)]
ROW_BYTES = 35


def run() -> list[Row]:
    """Time per field; 20 million fields a second are 50 ns."""
    kernels.warmup()
    raw = np.random.default_rng(0).integers(0, 256, (ROWS, ROW_BYTES), dtype=np.uint8)
    blob, record = raw.tobytes(), struct.Struct(">hHhHhHhH19x")
    out = []
    for name, layout in (("eight 16-bit fields", NARROW), ("with 24, 40 and 64 bits", WIDE)):
        scale, bias = np.full(len(layout), 1.25e-3), np.zeros(len(layout))
        integers = np.asarray(kernels.decode_fields(raw, layout))
        found = cpu_s(
            {
                "decode": lambda plan=layout: kernels.decode_fields(raw, plan),
                "both": lambda plan=layout, s=scale, b=bias: kernels.scale_fields(
                    kernels.decode_fields(raw, plan), s, b
                ),
                "struct": lambda: [list(words) for words in record.iter_unpack(blob)],
                "move": lambda block=integers: (raw.copy(), block.copy()),
            },
            rounds=9,
        )
        count = ROWS * len(layout)
        peer = {"peer": "struct.iter_unpack", "peer_figure": found["struct"] / ROWS / 8, "at_least": 5.0}
        limit = {"limit": "copying in and out", "limit_figure": found["move"] / count}
        out.append(Row(f"decode, {name}, per field", "s", found["decode"] / count, **peer, **limit, at_most=12.0))
        out.append(Row(f"decode and scale, {name}, per field", "s", found["both"] / count, **peer, **limit))
        rate = count / found["decode"] / 1e6
        print(f"decode, {name}: {rate:.0f} million fields a second")
    return out
