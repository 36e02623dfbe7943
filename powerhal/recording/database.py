"""Opening a recording for reading: what is not one is refused, what is damaged is salvaged.

Standard library only. A recording that ended by `kill -9` still has its write-ahead log beside it;
SQLite replays it. Where the folder cannot be written, a private copy is read in its place.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from powerhal.errors import Problem, RecordingError
from powerhal.recording.chunks import Chunk
from powerhal.recording.schema import APPLICATION_ID, FORMAT

_MAGIC = b"SQLite format 3\0"
BARREN = 2000  # so many damaged row numbers one after another, and the rest of the table is given up
SMALLEST_ROW = 16  # bytes of a chunk in the file at the very least
_HINT = "give a file that 'powerhal record' wrote (NAME.phr)"


class Database:
    """A recording's tables, read-only; `problems` collects what could not be read."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        _check_head(path)
        try:
            self._db = self._connect()
            self._check_kind()
        except sqlite3.DatabaseError as error:
            self.close()
            raise RecordingError(
                f"{path} cannot be read: {error}",
                [Problem(path, "PH-R003", str(error))],
                code="PH-R003",
                hint="the file is damaged; try a copy of it",
            ) from error
        except RecordingError:
            self.close()
            raise

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """All rows of a small table; a damaged table answers nothing and adds a problem."""
        try:
            return self._db.execute(statement, values).fetchall()
        except sqlite3.DatabaseError as error:
            self.note("PH-R005", f"a table cannot be read ({error})")
            return []

    def chunks(self, table: str, source: int | None = None) -> Iterator[Chunk]:
        """The chunks of `chunk` (one source) or `usage`, in order; unreadable pages are skipped."""
        first = "source" if table == "chunk" else "scans"
        fields = f"id, {first}, n, t0_ns, t1_ns, codec, crc, data"
        where = "" if source is None else f" WHERE source = {int(source)}"
        last = 0
        try:
            for number, *values in self._db.execute(f"SELECT {fields} FROM {table}{where} ORDER BY id"):  # noqa: S608
                last = number
                yield Chunk(*values)
            return
        except (sqlite3.DatabaseError, TypeError) as error:
            self.note("PH-R005", f"table {table} is damaged ({error}); reading the rest row by row")
        barren = 0
        for number in range(last + 1, self._last(table) + 1):
            row = self._one(f"SELECT {fields} FROM {table} WHERE id = {number}")  # noqa: S608 - own words
            barren = 0 if row else barren + 1
            if barren > BARREN:
                return
            if row and (source is None or row[1] == source):
                with contextlib.suppress(TypeError):
                    yield Chunk(*row[1:])

    def note(self, code: str, message: str) -> None:
        """Remember a problem once."""
        problem = Problem(self.path, code, message, "warn")
        if problem not in self.problems:
            self.problems.append(problem)

    def close(self) -> None:
        """Close the file and remove the private copy; may be called twice."""
        if db := getattr(self, "_db", None):
            db.close()
        if self._copy is not None:
            self._copy.cleanup()
            self._copy = None

    def _connect(self) -> sqlite3.Connection:
        db = _read_only(self.path)
        try:
            db.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            db.close()
            if not Path(self.path + "-wal").exists():
                raise
            return self._connect_copy(error)
        return db

    def _connect_copy(self, error: sqlite3.OperationalError) -> sqlite3.Connection:
        """Recover the write-ahead log in a private folder: the original's cannot be written."""
        self._copy = tempfile.TemporaryDirectory(prefix="powerhal-")
        there = os.path.join(self._copy.name, "copy.phr")
        shutil.copyfile(self.path, there)
        shutil.copyfile(self.path + "-wal", there + "-wal")
        self.note("PH-R006", f"read from a private copy, because the file's folder is read-only ({error})")
        return _read_only(there)

    def _check_kind(self) -> None:
        kind = self._db.execute("PRAGMA application_id").fetchone()[0]
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if kind != APPLICATION_ID:
            raise _refuse(self.path, "is a SQLite file, but not a powerhal recording")
        if version > FORMAT:
            raise RecordingError(
                f"{self.path} was written by a later powerhal (format {version}, this one knows {FORMAT})",
                code="PH-R002",
                hint="install a newer powerhal: pip install --upgrade powerhal",
            )

    def _one(self, statement: str) -> tuple[Any, ...] | None:
        """The row that the statement names, None when it is absent or its page is damaged."""
        with contextlib.suppress(sqlite3.DatabaseError):
            row: tuple[Any, ...] | None = self._db.execute(statement).fetchone()
            return row
        return None

    def _last(self, table: str) -> int:
        """Highest row number that can be there: told by the table, else by the size of the file."""
        row = self._one(f"SELECT max(id) FROM {table}")  # noqa: S608 - own words
        fit = Path(self.path).stat().st_size // SMALLEST_ROW + 1
        return min(int(row[0] or 0), fit) if row and isinstance(row[0], int) else fit


def _read_only(path: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, isolation_level=None)


def _check_head(path: str) -> None:
    try:
        with open(path, "rb") as file:
            head = file.read(16)
    except OSError as error:
        reason = error.strerror or "cannot be read"
        raise RecordingError(
            f"{path}: {reason}", [Problem(path, "PH-R001", reason)], code="PH-R001", hint=_HINT
        ) from error
    if head != _MAGIC:
        raise _refuse(path, "is empty" if not head else "is not a powerhal recording")


def _refuse(path: str, why: str) -> RecordingError:
    return RecordingError(f"{path} {why}", [Problem(path, "PH-R001", why)], code="PH-R001", hint=_HINT)
