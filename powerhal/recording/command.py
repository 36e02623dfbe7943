"""The command that a recording is made around: started late, reaped after the last look at it.

While a finished process has not been reaped its own CPU clock and its children's times can still be
read, so the last look counts every second of it. Only the name of the program is ever kept.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from powerhal.errors import UsageError


class Command:
    """A child process; `name` is the program's file name without its folder. Raises UsageError if there is none."""

    def __init__(self, words: Sequence[str]) -> None:
        self.name = os.path.basename(words[0])  # noqa: PTH119 - not always a path
        self.pid = 0
        self._words = list(words)
        self._status: int | None = None
        if not _findable(words[0]):
            raise UsageError(f"no such command: {self.name}", code="PH-U004", hint="check the word after '--'")

    def start(self) -> None:
        """Start it, with the standard streams of this process."""
        default = [signal.SIGPIPE, signal.SIGXFSZ]  # Python ignores them; the command should not
        try:
            self.pid = os.posix_spawnp(self._words[0], self._words, os.environ, setsigdef=default)
        except OSError as error:
            why = os.strerror(error.errno or 0)
            raise UsageError(f"cannot start {self.name}: {why}", code="PH-U004") from error

    def ended(self) -> bool:
        """Whether it has finished; it is not reaped by asking."""
        if not self.pid or self._status is not None:
            return True
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def signal(self, number: int) -> None:
        """Pass a signal on, unless the terminal has sent it to both of us already."""
        if number == signal.SIGINT and sys.stdin is not None and sys.stdin.isatty():
            return
        if self.pid and not self.ended():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def wait(self) -> int:
        """Reap it; answers its exit status as a shell says it (128 + signal)."""
        if self._status is None and self.pid:
            code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            self._status = code if code >= 0 else 128 - code
        return self._status or 0


def _findable(word: str) -> bool:
    if "/" in word:
        return os.access(word, os.X_OK)
    return any(os.access(Path(folder) / word, os.X_OK) for folder in os.get_exec_path())
