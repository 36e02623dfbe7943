"""Whole check-in files of 50 MB read into typed columns: plain Python and compiled, against csv.reader, and memory.

A process for each figure: CPU seconds of reading, and the peak of its memory less what the imports (and the loaded
kernels) took. Kernels are compiled beforehand. History is also followed to its end: states summed up, readings listed.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from benchmarks.android import dump, whole
from benchmarks.table import Row

SIZE = 50_000_000
ROUNDS = 3
MEASURE = """
import csv, json, resource, sys, time
from powerhal import kernels
from powerhal.android.parse import read
path, tier = sys.argv[1:]
if tier == "numba":
    kernels.warmup()
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
before = peak()
start = time.process_time()
found = read(path).dumps[0]
spent, used = time.process_time() - start, peak() - before
start = time.process_time()
events = found.history.lines
followed = time.process_time() - start
start = time.process_time()
with open(path, newline="") as stream:
    for _ in csv.reader(stream): pass
peer = time.process_time() - start
start = time.process_time()
with open(path, "rb") as stream: assert sum(1 for _ in stream) == found.lines
counted = time.process_time() - start
print(json.dumps([spent, peer, used, followed, events, found.lines, found.lines_read, counted]))
"""


def write(path: Path, lines: list[str]) -> None:
    """A version line and the lines again and again."""
    body = "".join(f"{line}\n" for line in lines)
    with path.open("w") as stream:
        stream.write("9,0,i,vers,36,214,AP1A,AP1A\n")
        for _ in range(SIZE // len(body) + 1):
            stream.write(body)


def measured(path: Path, tier: str) -> list[float]:
    """Medians: CPU seconds, csv.reader's, bytes of memory, seconds of following, events, lines, lines read, seconds
    that going through the lines takes.
    """
    command = [sys.executable, "-c", MEASURE, str(path), tier]
    environment = {**os.environ, "POWERHAL_KERNELS": tier}
    runs = []
    for _ in range(ROUNDS):
        done = subprocess.run(command, env=environment, capture_output=True, check=True)
        runs.append(json.loads(done.stdout))
    return sorted(runs, key=lambda run: run[1] / run[0])[ROUNDS // 2]


def run() -> list[Row]:
    """Time per line against csv.reader on the same file; memory against the size of the file."""
    out = []
    with tempfile.TemporaryDirectory() as folder:
        records, history = dump(random.Random(1))
        files = {"records": records, "history": history, "a dump of both": whole(random.Random(1))}
        for name, lines in files.items():
            path = Path(folder, name)
            write(path, lines)
            size = path.stat().st_size
            for tier, gate in (("python", 0.25), ("numba", 5.0)):
                spent, peer, used, followed, events, count, understood, counted = measured(path, tier)
                assert count == understood
                row = Row(f"{tier}: {name}, per line", "s", spent / count, "csv.reader", peer / count, gate)
                far = 4.0 if tier == "numba" else None
                out.append(replace(row, limit="counting lines", limit_figure=counted / count, at_most=far))
                limit = {"limit": "the file", "limit_figure": size / 1e6, "at_most": 3.0}
                out.append(Row(f"{tier}: {name}, memory", "MB", used / 1e6, **limit))
                print(f"{tier} {name}: {size / spent / 1e6:.0f} MB/s")
                if events:
                    out.append(Row(f"{tier}: {name}, read and followed, per event", "s", (spent + followed) / events))
    return out
