"""Where board files are: the search order, the list of all boards, a name to its file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from powerhal.board.document import MAX_BYTES
from powerhal.board.problems import did_you_mean
from powerhal.errors import BoardError, UsageError


@dataclass(frozen=True, slots=True)
class Entry:
    """One board file that was found: `origin` is the kind of folder, `error` why it is not usable."""

    name: str
    title: str
    path: Path
    origin: str
    simulated: bool = False
    error: str = ""


def folders() -> Iterator[tuple[str, Path]]:
    """(origin, folder) in search order; the first file with a name wins.

    $POWERHAL_BOARDS (folders separated by ':'), the user's and the system's configuration, the installed
    package, the source tree.
    """
    for part in os.environ.get("POWERHAL_BOARDS", "").split(os.pathsep):
        if part:
            yield "environment", Path(part)
    config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    yield "user", Path(config).expanduser() / "powerhal" / "boards"
    yield "system", Path("/etc/powerhal/boards")
    package = Path(__file__).resolve().parents[1]  # importlib.resources costs 3 MB of a recorder
    yield "package", package / "_data" / "boards"
    yield "source", package.parent / "boards"


def files() -> dict[str, tuple[str, Path]]:
    """Board name -> (origin, file), for every *.yaml on the search path but calibration overlays."""
    found: dict[str, tuple[str, Path]] = {}
    for origin, folder in folders():
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        for name in names:
            if name.endswith(".yaml") and not name.endswith(".cal.yaml"):
                found.setdefault(name.removesuffix(".yaml"), (origin, folder / name))
    return found


def find(name_or_path: str | os.PathLike[str]) -> Path:
    """The file of a board; a text with a '/' or ending in .yaml/.yml is a path.

    Raises UsageError with the nearest name when there is none.
    """
    text = os.fspath(name_or_path)
    if "/" in text or text.endswith((".yaml", ".yml")):
        path = Path(text)
        if not path.exists():
            raise UsageError(f"no such board file: {text}", code="PH-U003", hint="powerhal boards list")
        return path
    known = files()
    if text not in known:
        raise UsageError(
            f"no board is called {text!r}{did_you_mean(text, known, what='boards')}",
            code="PH-U003",
            hint="powerhal boards list",
        )
    return known[text][1]


def catalogue() -> list[Entry]:
    """All boards on the search path by name; a file that is not a board is listed with its error."""
    from powerhal.board.door import describe

    entries = []
    for name, (origin, path) in sorted(files().items()):
        try:
            board = describe(read_text(path), str(path))
        except (BoardError, UsageError) as exc:
            entries.append(Entry(name, "", path, origin, error=exc.message))
        else:
            entries.append(Entry(name, board.title, path, origin, board.simulated))
    return entries


def read_text(path: Path) -> bytes:
    """Content of a regular file, at most one byte more than a board file may have; raises UsageError."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as exc:
        raise UsageError(f"cannot read {path}: {exc.strerror}", code="PH-U002") from exc
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise UsageError(f"{path} is not a regular file", code="PH-U002")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)
