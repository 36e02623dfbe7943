"""Apps that a scene puts in front: browser, video, game, mail, updater, music, photos."""

from __future__ import annotations

from powerhal.sim.apps import App, M, Stage


class Browser(App):
    """Loads a page, scrolls, reads, and again."""

    pid, uid, comm = 5210, 10061, "browser"
    threads = ("browser", "Compositor", "NetworkService")

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._act = 0
        self._left = 0.0

    def tick(self, step: int) -> int:
        """Acts: 0 load, 1 scroll, 2 read."""
        if not self.front:
            self._act = self._left = 0
            return 50
        if self._left <= 0:
            self._left = (90, 180, 140)[self._act] * self.rng.uniform(0.7, 1.4)
            if self._act == 0:
                self.load(1.5e6)
                self.load(4e4, send=True)
                self.phone.storage.write(self.process, 0.7e6, step + 150)
        if self._act == 0:
            self.work(30 * M)
            self.work(13 * M, 1)
            self.work(1.2 * M, 2)
        elif self._act == 1:
            self.work(7.5 * M)
            self.work(3 * M, 1)
            self.draw(1.9 * M)
        else:
            self.work(0.5 * M)
        self._left -= 2
        if self._left <= 0:
            self._act = (self._act + 1) % 3
        return 2


class Video(App):
    """Streams: a chunk every four seconds, a frame every 40 ms."""

    pid, uid, comm = 5390, 10072, "video"
    threads = ("video", "decoder", "audio")

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._chunk = 0

    def tick(self, step: int) -> int:
        """Decode and show."""
        if not self.front:
            return 50
        if step >= self._chunk:
            self._chunk = step + 400
            self.load(2.4e6)
            self.load(2e4, send=True)
            self.work(6 * M)
            self.phone.storage.write(self.process, 2.2e6, step + 130)  # the player's cache
        self.work(11 * M, 1)
        self.work(0.7 * M, 2)
        self.draw(1.0 * M)
        return 4


class Game(App):
    """Sixty frames a second, physics on two threads, everything on the GPU."""

    pid, uid, comm = 5520, 10083, "game"
    threads = ("game", "physics", "worker")

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._level = 1.0

    def tick(self, step: int) -> int:
        """One frame; the scene gets heavier and lighter."""
        if not self.front:
            return 50
        if step % 100 < 2:
            self._level = min(1.3, max(0.45, self._level + self.rng.gauss(0.0, 0.22)))
            if self.rng.random() < 0.2:  # another part of the world
                self.phone.storage.read(self.process, 45e6)
        self.work(15 * M * self._level)
        self.work(6 * M * self._level, 1)
        self.work(4 * M, 2)
        self.draw(8.2 * M * self._level)
        if self.rng.random() < 0.12:
            self.load(900, send=True)
            self.load(1600)
        return 2


class Mail(App):
    """Fetches messages with their attachments."""

    pid, uid, comm = 4870, 10054, "mail"
    threads = ("mail", "sync")

    def tick(self, step: int) -> int:
        """One message."""
        if not self.front:
            return 60
        self.load(4.5e5)
        self.load(3e4, send=True)
        self.work(55 * M, 1)
        self.work(18 * M)
        self.draw(3 * M)
        self.phone.storage.write(self.process, 3e6, step + 60)
        return 180 + self.rng.randrange(160)


class Updater(App):
    """Downloads and unpacks an archive."""

    pid, uid, comm = 6050, 10100, "updater"
    threads = ("updater", "unpack")

    def tick(self, step: int) -> int:
        """A piece of the download, a piece of the archive."""
        if not self.front:
            return 60
        self.load(5.5e5)
        self.work(9 * M, 1)
        self.work(2 * M)
        self.phone.storage.write(self.process, 2.6e6, step + 30)
        return 12 + self.rng.randrange(8)


class Compiler(App):
    """Compiles what was downloaded in children that live 20 to 200 ms, one after another."""

    pid, uid, comm = 812, 1082, "artd"

    def tick(self, step: int) -> int:
        """One child."""
        if not self.front:
            return 60
        life_s = self.rng.uniform(0.02, 0.2)
        self.stage.child(self.process, "dex2oat", life_s * 1.5e9 * self.vigour, int(life_s * 50))
        self.work(0.6 * M)
        return 8 + self.rng.randrange(30)


class Music(App):
    """Plays from the flash with the screen off."""

    pid, uid, comm = 4650, 10045, "music"
    threads = ("music", "decoder")

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._read = 0

    def tick(self, step: int) -> int:
        """Decode a buffer; read ahead every few seconds."""
        if not self.front:
            return 60
        if step >= self._read:
            self._read = step + 300
            self.phone.storage.read(self.process, 2.5e6)
        self.work(1.6 * M, 1)
        self.work(0.2 * M)
        return 4


class Photos(App):
    """Backs up pictures: reads, hashes, sends."""

    pid, uid, comm = 6230, 10090, "photos"
    threads = ("photos", "hash")

    def tick(self, step: int) -> int:
        """One picture."""
        if not self.front:
            return 60
        self.phone.storage.read(self.process, 9e6)
        self.work(60 * M, 1)
        self.work(6 * M)
        self.load(8e5, send=True)
        return 40 + self.rng.randrange(25)
