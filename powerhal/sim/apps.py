"""What the simulated phone's processes are made of: the stage they share and the form of an app.

Work is in cycles of the large core (22e6 fill one core at 2.2 GHz for 10 ms). `tick` answers in how many
steps of 10 ms it wants to be called again.
"""

from __future__ import annotations

from random import Random

from powerhal.sim.peripherals import Radio
from powerhal.sim.phone import Phone
from powerhal.sim.processes import Process

M = 1e6


class Stage:
    """What apps share: the phone, chance, the screen, the network in use, and the making of processes."""

    def __init__(self, phone: Phone, rng: Random, self_pid: int) -> None:
        self.phone = phone
        self.rng = rng
        self.self_pid = self_pid
        self.screen = False
        self.content = 0.5
        self.sound = False
        self.network: Radio = phone.wifi
        self._next_pid = 9000
        self._children: list[tuple[int, Process]] = []
        self._child_cells: dict[int, list[int]] = {}

    def process(
        self, pid: int, uid: int, comm: str, threads: tuple[str, ...], *, kernel: bool = False, cluster: int = 0
    ) -> Process:
        """A long-lived process that was there before the recording began."""
        kappa = 1.0 + max(-0.1, min(0.1, self.rng.gauss(0.0, 0.04)))
        start_ns = max(0, self.phone.start_ns - 3_000_000_000_000 + pid * 90_000_000)
        parent = 2 if kernel else 1 if uid < 10000 else 620
        process = Process(pid, parent, uid, comm, start_ns, kernel=kernel, kappa=kappa)
        process.run_ns = self.rng.randrange(10**9, 40 * 10**9)
        self.phone.add(process.spawn(threads or (comm,), cluster, pinned=kernel))
        process.threads[0].run_ns = process.run_ns
        return process

    def child(self, parent: Process, comm: str, cycles: float, least_steps: int) -> None:
        """A short-lived child; its joules are booked to 'the children of' its parent."""
        pid = self._next_pid
        self._next_pid += 1
        child = Process(pid, parent.pid, parent.uid, comm, self.phone.time_ns, kappa=parent.kappa)
        book = self.phone.book
        group = -parent.pid - 1000
        if group not in self._child_cells:
            self._child_cells[group] = book.open(group, f"{parent.comm} (children)")
        book.children[pid] = parent.pid
        book.names[pid] = comm
        self.phone.add(child.spawn((comm,), 1), self._child_cells[group])
        self.phone.work(child, cycles)
        self._children.append((self.phone.steps + least_steps, child))

    def reap(self, step: int) -> None:
        """Children whose work is done end."""
        if not self._children:
            return
        left = []
        for until, child in self._children:
            if step >= until and not child.threads[0].backlog:
                self.phone.exit(child)
            else:
                left.append((until, child))
        self._children = left


class App:
    """One process and its habits; `front` says whether the scene is its own."""

    pid, uid, comm = 1, 0, "init"
    threads: tuple[str, ...] = ()
    kernel = False

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.phone = stage.phone
        self.rng = stage.rng
        self.front = False
        self.vigour = stage.rng.uniform(0.85, 1.15)  # how busy this one is on this phone
        self.process = stage.process(self.pid, self.uid, self.comm, self.threads, kernel=self.kernel)

    def work(self, cycles: float, thread: int = 0) -> None:
        """CPU work with some chance in it."""
        self.phone.work(self.process, cycles * self.vigour * self.rng.uniform(0.8, 1.2), thread)

    def draw(self, cycles: float) -> None:
        """GPU work with some chance in it."""
        queue = self.phone.gpu.queue
        queue[self.process] = queue.get(self.process, 0.0) + cycles * self.vigour * self.rng.uniform(0.85, 1.15)

    def load(self, size: float, *, send: bool = False) -> None:
        """Bytes over the network in use."""
        self.stage.network.request(self.process, size * self.rng.uniform(0.8, 1.2), send=send)

    def tick(self, step: int) -> int:
        """Do what is due; steps until the next call."""
        self.work(0.1 * M)
        return 400 + self.rng.randrange(200)
