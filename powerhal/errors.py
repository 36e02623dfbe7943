"""The failure glossary: every way powerhal can say no, on one screen.

Each error is also the builtin that a newcomer would catch, carries a stable code for
`powerhal explain`, says where it happened and what to do, and maps to one exit status
(docs/errors.md). They are caught in two places only: the sampler and the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple


class Problem(NamedTuple):
    """One mistake in a file: where it is, what it is, and how to mend it.

    `where` is `file:line:col` (or `file:line`, or a path); `severity` is `error` or `warn`.
    """

    where: str
    code: str
    message: str
    severity: str = "error"

    def __str__(self) -> str:
        return f"{self.where}  {self.severity:<5}  {self.code}  {self.message}"


class PowerhalError(Exception):
    """Base of all failures that powerhal expects; `hint` says what to do about it."""

    exit_code: ClassVar[int] = 70
    default_code: ClassVar[str] = "PH-X000"

    def __init__(self, message: str, *, code: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class UsageError(PowerhalError, ValueError):
    """The command or call was used wrongly (exit 2)."""

    exit_code = 2
    default_code = "PH-U001"


class FileError(PowerhalError, ValueError):
    """A file is not what it should be; holds every mistake found in it at once (exit 3)."""

    exit_code = 3
    default_code = "PH-F001"

    def __init__(self, message: str, problems: Sequence[Problem] = (), *, code: str = "", hint: str = "") -> None:
        super().__init__(message, code=code, hint=hint)
        self.problems = tuple(problems)


class BoardError(FileError):
    """A board description is invalid (exit 3)."""

    default_code = "PH-B000"


class RecordingError(FileError):
    """A recording cannot be read or written (exit 3)."""

    default_code = "PH-R000"


class ModelError(FileError):
    """A fitted model file is invalid or belongs to another board (exit 3)."""

    default_code = "PH-M000"


class TransportError(PowerhalError, OSError):
    """A wire or file did not answer (exit 4); `kind` is one of `KINDS`, `errno` may be None."""

    exit_code = 4
    default_code = "PH-H001"
    KINDS: ClassVar[tuple[str, ...]] = (
        "absent",  # nothing there: no such device, address NACK, file gone
        "denied",  # no permission
        "busy",  # a kernel driver or another reader owns it
        "timeout",  # clock stretched or line silent too long
        "arbitration",  # another master won; try again
        "corrupt",  # CRC, PEC, framing
        "refused",  # the adapter cannot do this transfer
        "suspended",  # the adapter sleeps
        "io",  # anything else
    )

    def __init__(
        self, message: str, *, kind: str = "io", errno: int | None = None, code: str = "", hint: str = ""
    ) -> None:
        super().__init__(message, code=code, hint=hint)
        self.errno = errno
        self.kind = kind


class HardwareError(PowerhalError, LookupError):
    """Something that the board file promises is not there or not permitted (exit 4)."""

    exit_code = 4
    default_code = "PH-H002"


class NotEnoughData(PowerhalError, ValueError):
    """The data cannot answer the question; the message says what is missing (exit 5)."""

    exit_code = 5
    default_code = "PH-A001"


class MissingExtra(PowerhalError, ImportError):
    """An optional dependency is not installed (exit 6)."""

    exit_code = 6
    default_code = "PH-E001"

    def __init__(self, extra: str, package: str) -> None:
        super().__init__(f"this needs {package}, which is not installed", hint=f"pip install 'powerhal[{extra}]'")
