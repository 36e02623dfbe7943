"""Processes that are always there: kernel, system services, sound, and powerhal itself."""

from __future__ import annotations

from powerhal.sim.apps import App, M, Stage


class KernelWorker(App):
    """Flushes pages and does the kernel's odd jobs."""

    pid, comm, kernel = 31, "kworker/u16:2", True

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._written = 0

    def tick(self, step: int) -> int:
        """A little always, more while the flash is written."""
        writes = self.phone.storage.writes
        self.work(0.15 * M + 0.5 * M * min(10, writes - self._written))
        self._written = writes
        return 8 + self.rng.randrange(10)


class SystemServer(App):
    """Android's heart: input, windows, alarms; at night it tidies its databases."""

    pid, uid, comm = 1180, 1000, "system_server"
    threads = ("system_server", "android.display", "binder:1180_4")

    def tick(self, step: int) -> int:
        """Busy while the screen is on."""
        if self.stage.screen:
            self.work(1.6 * M)
            self.work(1.1 * M, 1 + self.rng.randrange(2))
            return 5 + self.rng.randrange(6)
        self.work(1.5 * M)
        if self.front:
            self.work(8 * M)
            self.phone.storage.read(self.process, 12e6)
            self.phone.storage.write(self.process, 9e6, step + 20)
        return 40 + self.rng.randrange(40)


class Compositor(App):
    """Puts frames on the panel."""

    pid, uid, comm = 690, 1000, "surfaceflinger"
    threads = ("surfaceflinger", "RenderEngine")

    def tick(self, step: int) -> int:
        """Sixty frames a second when something moves, a few when nothing does."""
        if not self.stage.screen:
            return 20
        self.work(0.55 * M)
        self.draw(0.22 * M)
        moving = self.stage.content > 0.45 or step % 400 < 150
        return 2 if moving else 9


class Logger(App):
    """Collects log lines."""

    pid, uid, comm = 540, 1036, "logd"

    def tick(self, step: int) -> int:
        """A line now and then."""
        self.work(0.25 * M)
        return 12 + self.rng.randrange(20)


class Services(App):
    """Background services that phone home."""

    pid, uid, comm = 2210, 10020, "gms.persistent"
    threads = ("gms.persistent", "GCM")

    def tick(self, step: int) -> int:
        """A burst of work and a few kilobytes every ten seconds or so."""
        self.work(35 * M)
        self.load(9e3)
        self.load(4e3, send=True)
        return 600 + self.rng.randrange(700)


class AudioServer(App):
    """Mixes sound while something plays."""

    pid, uid, comm = 705, 1041, "audioserver"

    def tick(self, step: int) -> int:
        """Active with video, game and music."""
        if self.stage.sound:
            self.work(0.35 * M)
            return 2
        return 40


class Recorder(App):
    """powerhal itself: pays for its own looks (see World.charge_self)."""

    uid, comm = 2000, "powerhal"

    def __init__(self, stage: Stage) -> None:
        self.pid = stage.self_pid
        super().__init__(stage)

    def tick(self, step: int) -> int:
        """Nothing but the interpreter's housekeeping."""
        self.work(0.2 * M)
        return 100


class Init(App):
    """The first process."""


class Zygote(App):
    """Parent of all apps."""

    pid, comm = 620, "zygote64"
