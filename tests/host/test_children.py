"""No time twice and none lost: random lives of processes against the exact books of a model kernel."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.host.processes import Processes
from tests.host.fake_proc import TICK, FakeProc

MS = 1_000_000


class Watch:
    """Scans a FakeProc and adds up what each name did."""

    def __init__(self, kernel: FakeProc) -> None:
        self.kernel = kernel
        self.source = Processes(kernel, kernel.context())
        self.source.open()
        self.names: dict[tuple[int, int], str] = {}
        self.did = Counter()

    def scan(self, step_ns: int = 100 * MS) -> None:
        self.kernel.clock.t_ns += step_ns
        scan = self.source.scan()
        for info in scan.new:
            self.names[info.pid, info.start_ticks] = info.comm
        for used in scan.usages:
            assert used.amount > 0
            if used.activity.startswith("cpu."):
                self.did[self.names[used.pid, used.start_ticks]] += used.amount

    def seconds(self, *names: str) -> float:
        return sum(self.did[name] for name in names)


def test_children_between_scans_go_to_the_parents_row():
    kernel = FakeProc()
    shell = kernel.fork(1, "sh")
    watch = Watch(kernel)
    for _ in range(40):
        for _ in range(3):
            child = kernel.fork(shell.pid, "true")
            kernel.run(child.pid, 12 * MS)
            kernel.end(child.pid)
        watch.scan()
    assert abs(watch.seconds("sh (children)") - 40 * 3 * 0.012) <= 0.020
    assert watch.did["exited"] == 0


def test_child_seen_live_is_not_booked_again_when_waited_for():
    kernel = FakeProc()
    shell = kernel.fork(1, "sh")
    watch = Watch(kernel)
    child = kernel.fork(shell.pid, "cc1")
    for _ in range(20):
        kernel.run(child.pid, 90 * MS)
        watch.scan()
    kernel.run(child.pid, 40 * MS)
    kernel.end(child.pid)
    for _ in range(5):
        watch.scan()
    # nothing else was born: all of the tail is the child's, to within the two roundings of cutime
    assert abs(watch.seconds("cc1") - 1.84) <= 0.020
    assert watch.seconds("sh (children)") == 0


def test_grandchildren_travel_up_with_their_parent():
    kernel = FakeProc()
    make = kernel.fork(1, "make")
    watch = Watch(kernel)
    for _ in range(10):
        shell = kernel.fork(make.pid, "sh")
        for _ in range(2):
            compiler = kernel.fork(shell.pid, "cc1")
            kernel.run(compiler.pid, 60 * MS)
            watch.scan()
            kernel.run(compiler.pid, 25 * MS)
            kernel.end(compiler.pid)
        kernel.end(shell.pid)
        watch.scan()
    truth = 10 * 2 * 0.085
    assert abs(watch.seconds("cc1", "sh", "sh (children)", "make (children)") - truth) <= 0.03
    # of 25 ms tails, cutime shows whole ticks; what it hides comes in under the shell that is gone by then
    assert watch.seconds("cc1") >= 0.9 * truth


def test_orphan_waited_for_by_init_is_not_booked_to_init():
    kernel = FakeProc()
    shell = kernel.fork(1, "sh")
    daemon = kernel.fork(shell.pid, "daemon")
    watch = Watch(kernel)
    kernel.run(daemon.pid, 500 * MS)
    watch.scan()
    kernel.end(shell.pid)  # the daemon's parent is init now
    kernel.run(daemon.pid, 700 * MS)
    watch.scan()
    kernel.end(daemon.pid)
    watch.scan()
    watch.scan()
    assert abs(watch.seconds("daemon") - 1.2) <= 0.02
    assert watch.seconds("init (children)") <= 0.02


def test_child_of_a_parent_that_ignores_sigchld_is_dropped_from_the_books():
    kernel = FakeProc()
    server = kernel.fork(1, "server", ignores_children=True)
    other = kernel.fork(server.pid, "worker")
    watch = Watch(kernel)
    kernel.run(other.pid, 800 * MS)
    watch.scan()
    kernel.run(server.pid, 5 * MS)
    kernel.exit(other.pid)
    watch.scan()
    server.ignores_children = False
    for _ in range(20):
        child = kernel.fork(server.pid, "cgi")
        kernel.run(child.pid, 10 * MS)
        kernel.end(child.pid)
        watch.scan()
    # the worker's 0.8 s never came in, so they must not swallow the later children's time
    assert abs(watch.seconds("server (children)") - 0.2) <= 0.06


def test_child_that_ends_between_its_clock_and_its_parents_stat():
    kernel = FakeProc()
    shell = kernel.fork(1, "sh")
    child = kernel.fork(shell.pid, "cc1")
    watch = Watch(kernel)
    kernel.run(child.pid, 900 * MS)
    watch.scan()
    kernel.run(child.pid, 90 * MS)
    kernel.run(shell.pid, MS)
    kernel.fork(shell.pid, "sleep")

    def reap(path: str) -> None:
        if path == f"/proc/{shell.pid}/stat" and child.pid in kernel.procs:
            kernel.end(child.pid)

    kernel.on_read = reap
    watch.scan()
    kernel.on_read = None
    for _ in range(30):
        kernel.run(shell.pid, MS)
        watch.scan()
    assert child.pid not in kernel.procs
    assert abs(watch.seconds("cc1") - 0.99) <= 0.001
    assert watch.seconds("sh (children)") <= 0.02


ACTS = st.lists(
    st.tuples(st.sampled_from(["fork", "run", "end", "scan", "scan", "run"]), st.integers(0, 30), st.integers(1, 80)),
    max_size=150,
)


@given(ACTS)
@settings(max_examples=150, deadline=None)
def test_every_second_is_booked_once(acts):
    kernel = FakeProc()
    kernel.fork(1, "p0")
    watch = Watch(kernel)
    depth = {next(reversed(kernel.procs)): 0}
    parents: set[int] = {1}
    for act, which, amount in acts:
        pids = [p for p in kernel.procs if p > 2]
        pid = pids[which % len(pids)] if pids else 1
        if act == "fork" and depth.get(pid, 0) < 4:
            child = kernel.fork(pid, f"p{which % 5}")
            depth[child.pid] = depth.get(pid, 0) + 1
            parents.add(pid)
        elif act == "run":
            kernel.run(pid, amount * MS)
        elif act == "end" and len(pids) > 1 and pid != pids[0] and not kernel.procs[pid].zombie:
            kernel.end(pid)
        elif act == "scan":
            watch.scan()
    for _ in range(3):
        watch.scan()
    truth = sum(kernel.truth.values()) * 1e-9
    booked = sum(amount for name, amount in watch.did.items() if name not in ("exited", "kernel"))
    # cutime hides up to two ticks per parent; an orphan of an unseen shell may be told from init's books
    assert abs(booked - truth) <= len(parents) * 3 * TICK * 1e-9 + 0.001
