"""A recording in a process of its own: started, waited for until it samples, ended.

A child and not a thread: it imports no numpy, does not wait for the measured code's interpreter lock,
and its cost is a row of its own.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from powerhal.errors import HardwareError, PowerhalError, RecordingError

READY_S = 60.0
STOP_S = 20.0


class Background:
    """A running `powerhal record`.

    When it cannot start, the child's own words are raised: HardwareError for a board that is not there, else
    RecordingError.
    """

    def __init__(self, board: str, root: str, path: str, rate_hz: float | None = None) -> None:
        reading, writing = os.pipe()
        words = [sys.executable, "-m", "powerhal", "record", "--board", board, "--root", root, "-o", path]
        words += ["--ready-fd", str(writing), "--parent", str(os.getpid())]
        words += ["--rate", repr(rate_hz)] if rate_hz is not None else []
        try:
            self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                words,
                pass_fds=[writing],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            os.close(writing)
            self.pid = self._child.pid
            if not os.read(reading, 1):  # blocks until it samples, or has ended
                raise self._failure()
        finally:
            os.close(reading)

    def stop(self) -> None:
        """End the recording cleanly; raises RecordingError when it had failed."""
        with contextlib.suppress(ProcessLookupError):
            self._child.send_signal(signal.SIGTERM)
        try:
            self._child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
        if self._child.wait() != 0:
            raise self._failure()
        if self._child.stderr is not None:
            self._child.stderr.close()

    def _failure(self) -> PowerhalError:
        said = b"" if self._child.stderr is None else self._child.stderr.read()
        if self._child.stderr is not None:
            self._child.stderr.close()
        status = self._child.wait()
        text = said.decode("utf-8", "replace").strip().removeprefix("powerhal: ") or f"it ended with status {status}"
        if status == HardwareError.exit_code:
            return HardwareError(text)
        return RecordingError(f"the recording process failed: {text}", code="PH-R013", hint="see above")


def _environment() -> dict[str, str]:
    """Ours, with this very package first, wherever it was imported from."""
    home = str(Path(__file__).resolve().parents[2])
    before = os.environ.get("PYTHONPATH", "")
    return {**os.environ, "PYTHONPATH": f"{home}{os.pathsep}{before}" if before else home}
