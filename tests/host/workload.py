"""A workload with known truth: busy siblings, a threaded one, and many children that live 5 to 50 ms.

Run as a script: `workload.py SEED SECONDS`. Prints JSON {pid, own_s, children: [{name, pid, cpu_s}]}, where cpu_s
is what wait4 reported of each child (ru_utime + ru_stime of it and its own children).
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
import sys
import threading
import time


def name_self(name: str) -> None:
    with open("/proc/self/comm", "w") as file:
        file.write(name)


def burn(cpu_s: float) -> None:
    end = time.process_time() + cpu_s
    while time.process_time() < end:
        sum(range(200))


def burn_threads(cpu_s: float) -> None:
    block = bytes(1 << 20)  # hashing a large block runs without the interpreter's lock

    def work() -> None:
        end = time.thread_time() + cpu_s / 3
        while time.thread_time() < end:
            hashlib.sha256(block)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def spawn(name: str, work, cpu_s: float) -> int:
    pid = os.fork()
    if pid == 0:
        name_self(name)
        work(cpu_s)
        os._exit(0)
    return pid


def main(seed: int, seconds: float) -> None:
    rng = random.Random(seed)
    name_self("wl-driver")
    names = {
        spawn("wl-busy-a", burn, 0.5 * seconds): "wl-busy-a",
        spawn("wl-busy-b", burn, 0.3 * seconds): "wl-busy-b",
        spawn("wl-threads", burn_threads, 0.4 * seconds): "wl-threads",
    }
    done = []
    end = time.monotonic() + seconds

    def reap(pid: int, flags: int) -> int:
        got, _, used = os.wait4(pid, flags)
        if got:
            cpu_s = used.ru_utime + used.ru_stime
            done.append({"name": names.get(got, "wl-short"), "pid": got, "cpu_s": cpu_s})
            names.pop(got, None)
        return got

    while time.monotonic() < end:
        short = spawn("wl-short", burn, rng.uniform(0.005, 0.05))
        reap(short, 0)
        for pid in list(names):
            reap(pid, os.WNOHANG)
    while names:
        reap(-1, 0)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"pid": os.getpid(), "own_s": used.ru_utime + used.ru_stime, "children": done}), flush=True)
    sys.stdin.read()  # stay until the reader has scanned once more


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
