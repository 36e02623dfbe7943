"""Files named on a command line: looked at before the work begins, and every mistake told at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from powerhal.errors import FileError, ModelError, PowerhalError, RecordingError, UsageError

if TYPE_CHECKING:
    from powerhal.attribution import PowerModel
    from powerhal.session import Run

HEAD = 4096
SQLITE = b"SQLite format 3\0"
WRITE_HINT = "name a file in a folder that you can write and that has space"

#: What a file begins with, in words -> what to do with it instead.
INSTEAD = {
    "a recording": "learn a model from it: powerhal attribute {path} --save-model FILE.phm",
    "a model": "models are named with --model or --prior; powerhal model show {path} prints one",
    "a ledger": "powerhal compare takes it; for the rest give the recording (.phr) that it was made from",
    "empty": "give a file that 'powerhal record' wrote (NAME.phr)",
}


def together(*steps: Callable[[], Any]) -> list[Any]:
    """What each step answers, in their order; raises what they refuse as an ExceptionGroup (one as it is)."""
    answers: list[Any] = []
    mistakes: list[PowerhalError] = []
    for step in steps:
        try:
            answers.append(step())
        except PowerhalError as mistake:
            mistakes.append(mistake)
        except ExceptionGroup as several:  # a step may be several in turn
            mistakes += [one for one in several.exceptions if isinstance(one, PowerhalError)]
    told = {(mistake.code, mistake.message): mistake for mistake in mistakes}  # a file may be named twice
    mistakes = list(told.values())
    if len(mistakes) == 1:
        raise mistakes[0]
    if mistakes:
        raise ExceptionGroup(f"{len(mistakes)} mistakes", mistakes)
    return answers


def refuse(wrong: bool, message: str, *, hint: str) -> Callable[[], None]:
    """A step that raises UsageError where the words of a command line are wrong."""

    def step() -> None:
        if wrong:
            raise UsageError(message, hint=hint)

    return step


def output(path: str | os.PathLike[str] | None, *, inputs: Iterable[str | None] = ()) -> Callable[[], None]:
    """A step that raises FileError when `path` cannot be written, or would overwrite a recording or one of `inputs`.

    Nothing is created. None and '-' (standard output) are always fine.
    """

    def step() -> None:
        if path is None or str(path) == "-":
            return
        place = os.fspath(path)
        if reason := _unwritable(place):
            raise FileError(f"{place} cannot be written: {reason}", code="PH-F002", hint=WRITE_HINT)
        if any(one is not None and _same(place, one) for one in inputs):
            raise FileError(f"{place} is what is read: it is not overwritten", code="PH-F002", hint="name another file")
        if kind(place) == "a recording":
            raise FileError(
                f"{place} is a recording: it is not overwritten", code="PH-F002", hint="name another file, or remove it"
            )

    return step


def fresh(path: str | os.PathLike[str] | None) -> Callable[[], None]:
    """A step that raises RecordingError when a new recording cannot be made there; nothing is created."""

    def step() -> None:
        if path is None:
            return
        place = os.fspath(path)
        if os.path.lexists(place):
            raise RecordingError(
                f"{place} exists already", code="PH-R010", hint="choose another name, or remove the file"
            )
        if reason := _unwritable(place):
            raise RecordingError(f"cannot create the recording {place}: {reason}", code="PH-R011", hint=WRITE_HINT)

    return step


def present(path: str | None, *, hint: str, code: str = "") -> Callable[[], None]:
    """A step that raises FileError when a file or folder is named that is not there or cannot be read.

    None and '-' (standard input) are always fine.
    """

    def step() -> None:
        if path is None or path == "-":
            return
        if not Path(path).exists():
            raise FileError(f"{path}: no such file", code=code, hint=hint)
        if not os.access(path, os.R_OK):
            raise FileError(f"{path}: no permission to read it", code=code, hint=hint)

    return step


def recording(path: str) -> Callable[[], Run]:
    """A step that opens a recording; raises RecordingError, which says what the file is instead where that is seen."""

    def step() -> Run:
        from powerhal.session import Run

        try:
            return Run.open(path)
        except RecordingError as error:
            found = kind(path)
            if error.code != "PH-R001" or found not in INSTEAD or found == "a recording":
                raise
            raise RecordingError(
                f"{path} is {found}, not a recording" if found != "empty" else f"{path} is empty",
                code=error.code,
                hint=INSTEAD[found].format(path=path),
            ) from error

    return step


def run_or_ledger(path: str) -> Callable[[], None]:
    """A step that looks whether a file is a recording or the JSON of a ledger; raises RecordingError or FileError."""

    def step() -> None:
        from powerhal import session

        if kind(path) in ("a ledger", "JSON"):
            session.ledger(path)
        else:
            recording(path)().close()

    return step


def model(path: str) -> Callable[[], PowerModel]:
    """A step that loads a model; raises ModelError, which says what the file is instead where that is seen."""

    def step() -> PowerModel:
        from powerhal.attribution import PowerModel

        _no_recording(path, "a model")
        return PowerModel.load(path)

    return step


def priors(paths: Sequence[str]) -> list[Callable[[], Any]]:
    """A step for each file that is to inform coefficients; they raise UsageError, ModelError or FileError."""

    def step(path: str) -> Any:
        from powerhal.attribution.prior_files import read_priors

        _no_recording(path, "a prior")
        if not Path(path).exists():
            raise FileError(
                f"{path}: no such file",
                hint="a prior is a model (.phm) or a table of power per CPU frequency (.csv); "
                "powerhal attribute RUN.phr --save-model MODEL.phm writes a model",
            )
        return read_priors([path])[0]

    return [lambda path=path: step(path) for path in paths]  # type: ignore[misc]


def kind(path: str) -> str:
    """What a file looks like by its first bytes: 'a recording', 'a model', 'a ledger', 'JSON', 'empty', or ''."""
    try:
        if not Path(path).is_file():
            return ""
        with open(path, "rb") as file:
            head = file.read(HEAD)
    except OSError:
        return ""
    if head.startswith(SQLITE):
        return "a recording"
    if not head.lstrip().startswith((b"{", b"[")):
        return "" if head else "empty"
    if b'"schema"' not in head:
        return "JSON"
    return "a ledger" if b'"total"' in head else "a model" if b'"coefficients"' in head else "JSON"


def _no_recording(path: str, wanted: str) -> None:
    if kind(path) == "a recording":
        raise ModelError(
            f"{path} is a recording, not {wanted}",
            hint=INSTEAD["a recording"].format(path=path),
        )


def _unwritable(name: str) -> str:
    """Why a file cannot be written there; '' when nothing speaks against it."""
    place, folder = Path(name), Path(name).parent
    if not name:
        return "a name is missing"
    if place.is_dir():
        return "it is a directory"
    if place.exists():
        return "" if os.access(place, os.W_OK) else "no permission"
    if not folder.is_dir():
        return f"{folder} is not a directory" if folder.exists() else f"there is no folder {folder}"
    return "" if os.access(folder, os.W_OK | os.X_OK) else f"no permission to write in {folder}"


def _same(one: str, other: str) -> bool:
    try:
        return Path(one).samefile(other)
    except OSError:
        return False
