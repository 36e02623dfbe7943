"""A tree with /sys and /proc in it: the running kernel's, or a copy of one.

Only regular files are read (never a pipe or a device), without blocking and without passing the
descriptor on. Links of a copy are resolved inside it, so a copied tree cannot point at the machine
that looks at it.
"""

# ruff: noqa: PTH110, PTH112, PTH115 - paths are plain strings here: a process scan opens thousands

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from powerhal.errors import TransportError
from powerhal.transport.errnos import transport_error

_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PAGE = 4096
_RECORD = 512  # longest record of such a file
_LINKS = 40  # as many as the kernel follows


def _read_all(fd: int) -> bytes:
    """Content from the start; one call for anything well under a page.

    Files of many records (/proc/net/dev, xt_qtaguid) stop short of a page where the next one does not fit.
    """
    data = os.pread(fd, _PAGE, 0)
    if len(data) < _PAGE - _RECORD:
        return data
    parts, size = [data], len(data)
    while data := os.pread(fd, 16 * _PAGE, size):
        parts.append(data)
        size += len(data)
    return b"".join(parts)


def _open_regular(path: str) -> int:
    """A descriptor of a regular file; raises OSError."""
    fd = os.open(path, _FLAGS)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a regular file")
    return fd


def _inside(base: str, path: str) -> str:
    """Host path of `path` with every link resolved under `base`; raises OSError (ELOOP).

    Absolute targets start at `base`, `..` stops there. What does not exist is left as it stands.
    """
    todo = path.split("/")[::-1]
    done: list[str] = []
    links = 0
    while todo:
        part = todo.pop()
        if part in ("", "."):
            continue
        if part == "..":
            done = done[:-1]
            continue
        place = "/".join((base, *done, part))
        try:
            target = os.readlink(place)
        except OSError:
            done.append(part)
            continue
        links += 1
        if links > _LINKS:
            raise OSError(errno.ELOOP, "too many links")
        if target.startswith("/"):
            done = []
        todo += target.split("/")[::-1]
    return "/".join((base, *done))


class RealRoot:
    """The file system of this machine."""

    name = "/"

    def _open(self, path: str) -> int:
        try:
            return _open_regular(path)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
        return _open_regular(os.path.realpath(path))

    def read(self, path: str) -> bytes:
        """Whole content of a regular file; raises TransportError."""
        try:
            fd = self._open(path)
            try:
                return _read_all(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise transport_error(path, error) from None

    def listdir(self, path: str) -> list[str]:
        """Sorted names in a folder; raises TransportError."""
        try:
            return sorted(os.listdir(path))
        except OSError as error:
            raise transport_error(path, error) from None

    def exists(self, path: str) -> bool:
        """Whether the path is there, links followed."""
        return os.path.exists(path)

    def readlink(self, path: str) -> str:
        """Target of a symbolic link as stored; raises TransportError."""
        try:
            return os.readlink(path)
        except OSError as error:
            raise transport_error(path, error) from None

    def opener(self, path: str) -> RealReader:
        """A reader that keeps the descriptor and reads with pread."""
        return RealReader(self, path)

    def process_clock_ns(self, pid: int) -> int:
        """CPU time of a process in ns, exited threads included, children not.

        The process clock of clock_getcpuclockid(3); raises ProcessLookupError when the process is gone.
        """
        try:
            return time.clock_gettime_ns((~pid << 3) | 2)
        except OSError:
            raise ProcessLookupError(errno.ESRCH, "no such process", str(pid)) from None

    def process_clocks(self, pids: Iterable[int]) -> Callable[[], list[int]]:
        """A call that reads the clocks of all these processes, in ns; prepare once, run often.

        A process that is gone reads -1.
        """
        clock_ids = [(~pid << 3) | 2 for pid in pids]

        def read() -> list[int]:
            clocks: list[int] = []
            left = iter(clock_ids)
            while len(clocks) < len(clock_ids):
                try:
                    clocks.extend(map(time.clock_gettime_ns, left))  # keeps what it got before it fails
                except OSError:
                    clocks.append(-1)
            return clocks

        return read


class RealReader:
    """A file of this machine that stays open; it is opened again after an error."""

    def __init__(self, root: RealRoot, path: str) -> None:
        self._root, self._path, self._fd = root, path, -1

    def read(self) -> bytes:
        """Content now; raises TransportError."""
        try:
            if self._fd < 0:
                self._fd = self._root._open(self._path)
            return _read_all(self._fd)
        except OSError as error:
            self.close()
            raise transport_error(self._path, error) from None

    def close(self) -> None:
        """Close the descriptor; may be called twice."""
        if self._fd >= 0:
            with suppress(OSError):
                os.close(self._fd)
            self._fd = -1

    __del__ = close


class CopiedRoot:
    """A copy of a tree under a folder; nothing outside that folder is ever read."""

    def __init__(self, base: str | os.PathLike[str]) -> None:
        self.name = os.path.realpath(base)
        if not os.path.isdir(self.name):
            raise TransportError(f"{base}: no such folder", kind="absent", errno=errno.ENOENT)

    def _place(self, path: str) -> str:
        try:
            return _inside(self.name, path)
        except OSError as error:
            raise transport_error(path, error) from None

    def read(self, path: str) -> bytes:
        """Whole content of a regular file of the copy; raises TransportError."""
        place = self._place(path)
        try:
            fd = _open_regular(place)
            try:
                return _read_all(fd)
            finally:
                os.close(fd)
        except OSError as error:
            raise transport_error(path, error) from None

    def listdir(self, path: str) -> list[str]:
        """Sorted names in a folder of the copy; raises TransportError."""
        place = self._place(path)
        try:
            return sorted(os.listdir(place))
        except OSError as error:
            raise transport_error(path, error) from None

    def exists(self, path: str) -> bool:
        """Whether the path is in the copy, links followed inside it."""
        try:
            return os.path.lexists(self._place(path))
        except TransportError:
            return False

    def readlink(self, path: str) -> str:
        """Target of a symbolic link as stored; raises TransportError."""
        folder, _, last = path.rstrip("/").rpartition("/")
        try:
            return os.readlink(f"{self._place(folder)}/{last}")
        except OSError as error:
            raise transport_error(path, error) from None

    def opener(self, path: str) -> CopiedReader:
        """A reader that opens the file anew each time, as copies may be replaced."""
        return CopiedReader(self, path)

    def process_clock_ns(self, pid: int) -> None:
        """None: a copy has no running processes."""
        return


class CopiedReader:
    """One file of a copy."""

    def __init__(self, root: CopiedRoot, path: str) -> None:
        self._root, self._path = root, path

    def read(self) -> bytes:
        """Content now; raises TransportError."""
        return self._root.read(self._path)

    def close(self) -> None:
        """Nothing is kept open."""
