"""Files that are written whole or not at all: a failure leaves what stood there as it was."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def replaced(path: str | Path, *, mode: int | None = None) -> Iterator[IO[bytes]]:
    """A stream that takes a file's place when it is closed without an error; a device or pipe is written as it is.

    So a command may write over the file that it still reads. `mode`: permissions; None: those of the file that was
    there, else 0644. Raises OSError that names `path`.
    """
    try:
        with _stream(Path(os.path.realpath(path)), mode) as stream:
            yield stream
    except OSError as error:
        if error.filename in (None, str(path)):
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


@contextmanager
def _stream(target: Path, mode: int | None) -> Iterator[IO[bytes]]:
    if target.exists() and not target.is_file():
        with open(target, "wb") as stream:  # a folder is refused here
            yield stream
        return
    if mode is None:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".powerhal-")
    except OSError as error:
        raise OSError(error.errno, error.strerror) from error  # the name of ours says nothing to anybody
    try:
        with os.fdopen(handle, "wb") as stream:
            yield stream
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
