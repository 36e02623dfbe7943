"""A small made-up table of measured windows: two suites, known physics, more than the model repeats."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import numpy as np

HEADER = (
    "suite", "cores", "events_list", "run", "set_freq_mhz", "benchmark", "t_ns", "ev_dt_ns", "a15_freq_mhz",
    "a15_temp_c", "a15_v", "a15_i", "a15_w", "CPU_CYCLES", "INST_RETIRED", "L1D_CACHE_ACCESS", "L2D_CACHE_ACCESS",
    "BRANCH_MISPRED", "L1D_TLB_REFILL",
)  # fmt: skip
VOLTS = {1000: 0.9, 1400: 1.0, 2000: 1.3}
PROGRAMS = {"cBench": 6, "PARSEC": 4}


def write_table(
    path: Path, seed: int = 1, rows: int = 12, programs: dict[str, int] | None = None
) -> list[dict[str, object]]:
    """Write such a table (`.gz` is packed) and return its rows.

    Power: leakage with temperature, clock, cycles, instructions, second-level accesses, 2 % of noise and
    1.5 % of a bias for each program.
    """
    random = np.random.default_rng(seed)
    table: list[dict[str, object]] = []
    for suite, count in (programs or PROGRAMS).items():
        for number in range(count):
            table += _program(random, suite, f"{suite.lower()}.p{seed}{number}", rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADER)
    writer.writeheader()
    writer.writerows(table)
    data = text.getvalue().encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return table


def _program(random: np.random.Generator, suite: str, name: str, rows: int) -> list[dict[str, object]]:
    per_cycle = {
        "INST_RETIRED": random.uniform(0.3, 1.7),
        "L1D_CACHE_ACCESS": random.uniform(0.1, 0.6),
        "L2D_CACHE_ACCESS": random.uniform(0.002, 0.08),
        "BRANCH_MISPRED": random.uniform(0.0, 0.01),
        "L1D_TLB_REFILL": random.uniform(0.0, 0.003),
    }
    bias = 1.0 + 0.015 * random.standard_normal()
    out: list[dict[str, object]] = []
    for mhz, volts in VOLTS.items():
        for row in range(rows):
            busy = random.uniform(0.85, 1.0)
            now = {counter: rate * random.uniform(0.8, 1.2) for counter, rate in per_cycle.items()}
            temperature = random.integers(45, 60)
            dynamic = 0.17 + busy * (0.2 + 0.07 * now["INST_RETIRED"] + 0.9 * now["L2D_CACHE_ACCESS"])
            power = 0.03 * volts * np.exp((temperature - 50) / 40) + volts**2.2 * mhz / 1000 * dynamic
            cycles = busy * mhz * 1e6 * 0.5
            out.append(
                {
                    "suite": suite, "cores": 1, "events_list": "1+2", "run": 1, "set_freq_mhz": mhz, "benchmark": name,
                    "t_ns": 10**18 + int(row * 0.51e9) + mhz * 10**12, "ev_dt_ns": "", "a15_freq_mhz": mhz,
                    "a15_temp_c": temperature, "a15_v": volts, "a15_i": "",
                    "a15_w": f"{power * bias * (1 + 0.02 * random.standard_normal()):.4f}",
                    "CPU_CYCLES": int(cycles),
                    **{counter: int(rate * cycles) for counter, rate in now.items()},
                }
            )  # fmt: skip
    return out
