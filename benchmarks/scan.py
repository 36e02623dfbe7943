"""CPU time of one look at 1050 processes, 50 of them working: ours, psutil, and a C loop over the same calls."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.table import Row, print_table
from powerhal.host import HostContext, activity_sources
from powerhal.transport.clock import BootClock
from powerhal.transport.files import RealRoot

SLEEPING, BUSY, ROUNDS = 1000, 50, 25

# forked from a bare interpreter, so that a thousand of them cost little memory and no start-up
CROWD = """
import os, signal, sys, time
for i in range(int(sys.argv[1]) + int(sys.argv[2])):
    if os.fork() == 0:
        if i < int(sys.argv[1]):
            signal.pause()
        while True:
            time.sleep(0.02)
sys.stdout.write("ready\\n"); sys.stdout.flush()
sys.stdin.read()
"""

C_LOOP = """
#include <dirent.h>
#include <stdlib.h>
#include <time.h>
long scan(void) {
    DIR *d = opendir("/proc"); struct dirent *e; struct timespec t; long sum = 0;
    if (!d) return -1;
    while ((e = readdir(d))) {
        int pid = atoi(e->d_name);
        if (pid > 0 && !clock_gettime((~(unsigned)pid << 3) | 2, &t)) sum += t.tv_sec + t.tv_nsec;
    }
    closedir(d);
    return sum;
}
"""


@contextmanager
def crowd(sleeping: int = SLEEPING, busy: int = BUSY) -> Iterator[None]:
    """That many real processes, for as long as the block runs."""
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", CROWD, str(sleeping), str(busy)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout and process.stdout.readline() == b"ready\n"
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)  # the session that was started above, nothing else
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream:
                stream.close()


def c_loop() -> Callable[[], object] | None:
    """The same clocks and listing in C; None without a compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler:
        return None
    with tempfile.TemporaryDirectory() as folder:
        source, library = f"{folder}/scan.c", f"{folder}/scan.so"
        with open(source, "w") as file:
            file.write(C_LOOP)
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, source], check=True)
        scan: Callable[[], object] = ctypes.CDLL(library).scan
    return scan


def cpu_us(work: Callable[[], object]) -> float:
    """CPU time of this process for one call."""
    begin = time.process_time_ns()
    work()
    return (time.process_time_ns() - begin) / 1e3


def run() -> list[Row]:
    """Medians over interleaved rounds, s per scan."""
    import psutil

    source = activity_sources(RealRoot(), HostContext(BootClock()))[0]
    limit = c_loop()
    with crowd():
        time.sleep(0.5)  # let the crowd fall asleep
        source.open()
        works: dict[str, Callable[[], object]] = {
            "ours": source.scan,
            "psutil": lambda: [p.info for p in psutil.process_iter(["cpu_times"])],
        }
        if limit is not None:
            works["limit"] = limit
        times: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(ROUNDS):
            for name, work in works.items():
                times[name].append(cpu_us(work))
                time.sleep(0.1 / len(works))  # ten scans a second, the default rate
        source.close()
    median_s = {name: statistics.median(values[3:]) * 1e-6 for name, values in times.items()}
    return [
        Row(
            f"scan of {SLEEPING + BUSY} processes, {BUSY} busy",
            "s",
            median_s["ours"],
            peer="psutil.process_iter(cpu_times)",
            peer_figure=median_s["psutil"],
            at_least=25.0,
            limit="C clock + readdir",
            limit_figure=median_s.get("limit"),
            at_most=3.0,
        )
    ]


if __name__ == "__main__":
    print_table("process scan", run())
