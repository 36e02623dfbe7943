"""The simulated kernel: a FileRoot whose /sys and /proc are written from the phone's state at every read."""

from __future__ import annotations

import errno
from collections.abc import Callable

from powerhal.errors import TransportError
from powerhal.sim import procfs, sysfs
from powerhal.sim.phone import Phone

Text = Callable[[], str]


class SimulatedRoot:
    """Implements powerhal.transport.FileRoot over a phone; formats as the kernel prints them.

    `on_read` is called once per file read and `on_clock` per CPU clock, so that who reads can pay.
    """

    def __init__(
        self,
        phone: Phone,
        on_read: Callable[[], None] = lambda: None,
        on_clock: Callable[[], None] = lambda: None,
    ) -> None:
        self._phone = phone
        self._on_read = on_read
        self._on_clock = on_clock
        self._files: dict[str, Text] = {**sysfs.files(phone), **procfs.system_files(phone)}
        self._links: dict[str, str] = sysfs.links()
        self._folders: dict[str, set[str]] = {}
        for path in (*self._files, *self._links, *sysfs.empty_folders()):
            self._enter(path)

    def _enter(self, path: str) -> None:
        while path != "/":
            folder, _, name = path.rpartition("/")
            folder = folder or "/"
            self._folders.setdefault(folder, set()).add(name)
            path = folder

    def _text(self, path: str) -> Text:
        found = self._files.get(path)
        if found is None and path.startswith("/proc/"):
            found = procfs.process_file(self._phone, path)
        if found is None:
            raise _absent(path)
        return found

    def read(self, path: str) -> bytes:
        """Content of a file now; raises TransportError (kind 'absent')."""
        self._on_read()
        return self._text(path)().encode()

    def listdir(self, path: str) -> list[str]:
        """Sorted names in a folder; raises TransportError (kind 'absent')."""
        self._on_read()
        path = path.rstrip("/") or "/"
        names = set(self._folders.get(path, ()))
        if path == "/proc":
            names.update(map(str, self._phone.processes))
        elif path.startswith("/proc/"):
            names.update(procfs.folder(self._phone, path))
        if not names and path not in self._folders:
            raise _absent(path)
        return sorted(names)

    def exists(self, path: str) -> bool:
        """Whether a file, link or folder is there."""
        path = path.rstrip("/") or "/"
        if path in self._files or path in self._links or path in self._folders:
            return True
        if not path.startswith("/proc/"):
            folder, _, name = path.rpartition("/")
            return name in self._folders.get(folder or "/", ())
        return procfs.process_file(self._phone, path) is not None or bool(procfs.folder(self._phone, path))

    def readlink(self, path: str) -> str:
        """Target of a link; raises TransportError (kind 'absent')."""
        target = self._links.get(path) or procfs.link(self._phone, path)
        if not target:
            raise _absent(path)
        return target

    def opener(self, path: str) -> SimulatedReader:
        """A reader of one file; raises TransportError when it is not there."""
        return SimulatedReader(self._text(path), self._on_read)

    def process_clock_ns(self, pid: int) -> int | None:
        """CPU time of a process in ns; raises ProcessLookupError when it is gone."""
        self._on_clock()
        process = self._phone.processes.get(pid)
        if process is None:
            raise ProcessLookupError(errno.ESRCH, "no such process", str(pid))
        return process.run_ns


class SimulatedReader:
    """One file of the simulated kernel read again and again."""

    def __init__(self, text: Text, paid: Callable[[], None]) -> None:
        self._make = text
        self._paid = paid

    def read(self) -> bytes:
        """Its content now; raises TransportError when its process has gone."""
        self._paid()
        return self._make().encode()

    def close(self) -> None:
        """Nothing to close."""


def _absent(path: str) -> TransportError:
    return TransportError(f"{path}: no such file in the simulated kernel", kind="absent", errno=errno.ENOENT)
