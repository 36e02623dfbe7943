"""Files of `powerhal android`, looked at before the work begins: steps for `files.together`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from powerhal.cli import files

if TYPE_CHECKING:
    from powerhal.android.profile.values import PowerProfile


def dump(path: str) -> Callable[[], None]:
    """A step that raises FileError when a dump is not there or cannot be read."""
    from powerhal.android.containers import FILE

    return files.present(path, hint=FILE, code="PH-F003")


def key(path: str | None) -> Callable[[], None]:
    """A step that raises FileError when a key of pseudonyms is not there and cannot be made; it is not made yet."""
    return (lambda: None) if path is None or Path(path).exists() else files.output(path)


def profile(path: str | None) -> Callable[[], PowerProfile | None]:
    """A step that reads a power profile, None without; raises FileError, which says what the file is instead."""

    def step() -> PowerProfile | None:
        from powerhal.android.kinds import told_apart
        from powerhal.android.profile.reader import read_profile

        if not path:
            return None
        with told_apart(path, "profile"):
            return read_profile(path)

    return step
