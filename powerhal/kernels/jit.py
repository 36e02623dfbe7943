"""How kernels are compiled: lazily, cached on disk where that is safe, exact arithmetic.

The cache holds pickled machine code that is run unseen, so it must belong to this user and to nobody
else. `fastmath` stays off: it would remove NaN checks and let two machines disagree.
"""

from __future__ import annotations

import os
import stat
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])

VARIABLE = "NUMBA_CACHE_DIR"


def cache_folder() -> str:
    """Folder for compiled kernels, made if need be; '' where none is safe or writable.

    `NUMBA_CACHE_DIR` when the user set it, else `powerhal/numba` under the user's cache.
    """
    if given := os.environ.get(VARIABLE):
        return given
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        if not base.is_absolute():
            return ""
        folder = base / "powerhal" / "numba"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        private = found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if not stat.S_ISDIR(found.st_mode) or not private or not os.access(folder, os.W_OK | os.X_OK):
            return ""
        if stat.S_IMODE(found.st_mode) != 0o700:
            folder.chmod(0o700)
    except (OSError, RuntimeError):  # RuntimeError: a user without a home
        return ""
    return str(folder)


def digest() -> str:
    """A name for the sources of all kernels.

    numba asks only whether the file of a function itself has changed, and a function holds the machine code of those
    that it calls: with a common folder, an update of one file could go on running the old code of another.
    """
    sources = sorted(Path(__file__).parent.glob("jit*.py"))
    return f"{zlib.crc32(b''.join(path.read_bytes() for path in sources)):08x}"


def prepare() -> str:
    """Point numba at the cache before its first import; the folder, '' where compiled kernels cannot be kept."""
    folder = cache_folder()
    if not folder:
        return ""
    if Path(folder).name != (kernels := digest()):  # else a process that started this one was here before
        folder = os.path.join(folder, kernels)
    if "numba" in sys.modules:
        from numba import config

        # Somebody imported numba first and chose no place: the cache is better than our source folder.
        setattr(config, "CACHE_DIR", getattr(config, "CACHE_DIR", "") or folder)  # noqa: B010 - made at run time
    else:
        os.environ[VARIABLE] = folder
    return folder


FOLDER = prepare()


def kept(kernel: str) -> bool:
    """Whether the cache holds a kernel, named `module.function`, as its source stands now."""
    return bool(FOLDER) and any(Path(FOLDER).glob(f"*/{kernel}-*.nbi"))


def jit(function: Function) -> Function:
    """Compile on first call for the types it is called with."""
    from numba import njit

    return cast(Function, njit(function, cache=bool(FOLDER), fastmath=False, error_model="numpy"))
