"""The SQLite side of writing: create the file safely, commit batches, survive a full disk.

A batch is committed whole or stays in memory. Committed means acknowledged: it survives `kill -9`
(the write-ahead log lies in the page cache) and, after the next sync, a power cut.

When a sync fails nobody knows what is on the medium: the kernel reports such an error once and calls the pages
clean (fsync(2); LWN 752063), so another sync would succeed and mean nothing. The file is left as it is then. The run
goes on in a new one, which begins with everything since the last sync that succeeded, written from memory.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections import deque
from pathlib import Path
from urllib.parse import quote

from powerhal.errors import RecordingError
from powerhal.recording.batch import Batch, Carried
from powerhal.recording.chunks import Chunk
from powerhal.recording.schema import APPLICATION_ID, FORMAT, TABLES

RING_BYTES = 8 << 20
SYNC_S = 5.0
WAL_BYTES = 4 << 20  # a longer write-ahead log is folded into the file, after a sync
MOST_FILES = 8  # of one run: a medium that fails more often than that is given up
# Primary result codes with the reason: SQLITE_IOERR_FSYNC, SQLITE_IOERR_DIR_FSYNC (sqlite.org/rescode.html)
UNKNOWN_STATE = (1034, 1290)


_INSERTS = (
    ("sources", "INSERT INTO source VALUES(?,?,?,?)"),
    ("processes", "INSERT OR REPLACE INTO process VALUES(?,?,?,?,?,?,?,?)"),
    ("activities", "INSERT INTO activity VALUES(?,?)"),
    ("marks", "INSERT INTO mark VALUES(?,?)"),
    ("faults", "INSERT INTO fault VALUES(?,?,?,?)"),
    ("gaps", "INSERT INTO gap VALUES(?,?,?,?)"),
    ("clocks", "INSERT INTO clock VALUES(?,?,?,?)"),
)
_CHUNK = "INSERT INTO chunk(source,n,t0_ns,t1_ns,codec,crc,data) VALUES(?,?,?,?,?,?,?)"
_USAGE = "INSERT INTO usage(scans,n,t0_ns,t1_ns,codec,crc,data) VALUES(?,?,?,?,?,?,?)"
_META = "INSERT OR REPLACE INTO meta VALUES(?,?)"
_HEALTH = "INSERT OR REPLACE INTO health VALUES(?,?)"


class Store:
    """One open recording file; `commit` acknowledges batches, `close` leaves a single file.

    Not locked: one thread uses it at a time. Raises RecordingError when the file cannot be created.
    """

    def __init__(self, path: str, *, ring_bytes: int = RING_BYTES, sync_s: float = SYNC_S) -> None:
        self.path = path
        self.fault = ""  # why the last commit failed; empty when storage works
        self.last_fault = ""  # the same, kept after storage works again
        self._ring_bytes = ring_bytes
        self._sync_s = sync_s
        self._synced = time.monotonic()
        self._is_synced = False  # by the last write
        self._waiting: deque[Batch] = deque()
        self._names: dict[int, str] = {}
        self._carried = Carried()
        self._unknown = False  # the state of the last file is
        self._moved = False  # and all that was written to the new one is not synced yet
        self._kept: list[sqlite3.Connection] = []
        self.files = [path]
        self._db = _opened(path)

    def commit(self, batch: Batch | None) -> bool:
        """Write `batch` after everything that still waits; False while storage refuses.

        What was refused waits in memory, bounded: the oldest rows are dropped first, each with a gap
        row that says from when to when.
        """
        if batch is not None:
            self._names.update((s[0], s[1]) for s in batch.sources)
            self._waiting.append(batch)
        while self._waiting:
            try:
                if self._unknown:
                    self._move()
                batch = self._waiting[0]
                self._write(batch)
            except (sqlite3.Error, RecordingError) as error:
                self._refused(error)
                if self._unknown and len(self.files) < MOST_FILES and isinstance(error, sqlite3.Error):
                    continue
                self._shrink()
                return False
            self._waiting.popleft()
            self._carried.committed(batch, synced=self._is_synced)
            if self._is_synced:
                self._fold()
        self.fault = ""
        return True

    def close(self) -> bool:
        """Commit what waits, fold the write-ahead log into the file; False when rows were lost."""
        whole = self.commit(None)
        for _ in range(MOST_FILES):
            try:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._db.execute("PRAGMA journal_mode=DELETE")
                break
            except sqlite3.Error as error:
                self._refused(error)
                if not self._unknown or len(self.files) >= MOST_FILES:
                    break
                try:
                    self._move()
                except RecordingError:
                    whole = False
                    break
                whole = self.commit(None)
        self._db.close()
        for kept in self._kept:
            kept.close()
        return whole

    def _refused(self, error: Exception) -> None:
        self.fault = self.last_fault = str(error)
        if getattr(error, "sqlite_errorcode", 0) in UNKNOWN_STATE:
            self._unknown = True
            self.fault = self.last_fault = f"{error} (a sync failed)"

    def _move(self) -> None:
        """Go on in a new file; raises RecordingError when there can be none."""
        if len(self.files) >= MOST_FILES:
            raise RecordingError(self.fault, code="PH-R011")
        place, number, why = Path(self.path), len(self.files) + 1, self.last_fault
        path = str(place.with_name(f"{place.stem}-{number}{place.suffix}"))
        db = _opened(path)
        with contextlib.suppress(sqlite3.Error):
            # Closing the last connection would fold a log whose pages nobody knows; a read-only one cannot.
            kept = sqlite3.connect(f"file:{quote(self.files[-1])}?mode=ro", uri=True, check_same_thread=False)
            self._kept.append(kept)
            kept.execute("SELECT count(*) FROM meta").fetchone()
        processes = []
        with contextlib.suppress(sqlite3.Error):  # names, as far as they can be read; without one it is '?'
            processes = self._db.execute("SELECT * FROM process").fetchall()
        self._db.close()
        self._db = db
        self.files.append(path)
        first = self._carried.begin({"number": number, "first": place.name, "why": why}, processes)
        self._waiting.extendleft(reversed(first))
        self._unknown, self._moved = False, True
        self.last_fault = f"{why}: what follows is in {os.path.basename(path)}"  # noqa: PTH119

    def _fold(self) -> None:
        """Keep the write-ahead log short, right after a sync; SQLite itself would hide it when that fails."""
        try:
            if os.stat(self.files[-1] + "-wal").st_size > WAL_BYTES:  # noqa: PTH116
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
        except (OSError, sqlite3.Error) as error:
            self._refused(error)

    def _write(self, batch: Batch) -> None:
        db = self._db
        now = time.monotonic()
        sync = now - self._synced >= self._sync_s or (self._moved and len(self._waiting) == 1)
        self._is_synced = False
        if sync:
            db.execute("PRAGMA synchronous=FULL")
        try:
            db.execute("BEGIN IMMEDIATE")
            for name, statement in _INSERTS:
                if rows := getattr(batch, name):
                    db.executemany(statement, rows)
            db.executemany(_CHUNK, map(_row, batch.chunks))
            db.executemany(_USAGE, map(_row, batch.usages))
            db.executemany(_META, batch.meta.items())
            db.executemany(_HEALTH, batch.health.items())
            db.execute("COMMIT")
            self._is_synced = sync
            self._moved = self._moved and not sync
        except sqlite3.Error:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            raise
        finally:
            if sync:
                db.execute("PRAGMA synchronous=NORMAL")
                self._synced = now

    def _shrink(self) -> None:
        """Keep the ring bounded: turn the oldest chunks into gap rows, and merge batches without any."""
        size = sum(b.nbytes() for b in self._waiting)
        while size > self._ring_bytes:
            victim = next((b for b in self._waiting if b.chunks or b.usages), None)
            if victim is None:
                return
            size -= victim.nbytes()
            for chunk in victim.chunks:
                _declare(victim.gaps, self._names.get(chunk.source, ""), chunk)
            for chunk in victim.usages:
                _declare(victim.gaps, "processes", chunk)
            victim.chunks, victim.usages = [], []
            self._merge_empty()

    def _merge_empty(self) -> None:
        """Fold the first two batches together when the first holds no chunks any more."""
        while len(self._waiting) > 1 and not (self._waiting[0].chunks or self._waiting[0].usages):
            old, new = self._waiting[0], self._waiting[1]
            for name in ("sources", "processes", "activities", "marks", "faults", "clocks"):
                setattr(new, name, getattr(old, name) + getattr(new, name))
            new.gaps = _joined(old.gaps + new.gaps)
            new.meta = {**old.meta, **new.meta}
            new.health = {**old.health, **new.health}
            self._waiting.popleft()


def _row(chunk: Chunk) -> tuple[int, int, int, int, int, int, bytes]:
    return (chunk.source, chunk.n, chunk.t0_ns, chunk.t1_ns, chunk.codec, chunk.crc, chunk.data)


def _declare(gaps: list[tuple[str, int, int, str]], source: str, chunk: Chunk) -> None:
    gaps.append((source, chunk.t0_ns, chunk.t1_ns, "storage"))


def _joined(gaps: list[tuple[str, int, int, str]]) -> list[tuple[str, int, int, str]]:
    """One row per source for neighbouring storage gaps, so that a long outage stays small."""
    spans: dict[str, tuple[int, int]] = {}
    rest = [g for g in gaps if g[3] != "storage"]
    for source, t0, t1, reason in gaps:
        if reason == "storage":
            low, high = spans.get(source, (t0, t1))
            spans[source] = (min(low, t0), max(high, t1))
    return rest + [(source, t0, t1, "storage") for source, (t0, t1) in spans.items()]


def _create(path: str) -> None:
    """Make the file ours before SQLite sees it: new, not a link, mode 0600 whatever the umask."""
    flags = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_RDWR | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError as error:
        raise RecordingError(
            f"{path} exists already", code="PH-R010", hint="choose another name with -o, or remove the file"
        ) from error
    except OSError as error:
        raise _cannot(path, os.strerror(error.errno or 0)) from error
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)


def _opened(path: str) -> sqlite3.Connection:
    """A new recording; raises RecordingError when there can be none."""
    _create(path)
    try:
        return _connect(path)
    except sqlite3.Error as error:
        with contextlib.suppress(OSError):
            Path(path).unlink()
        raise _cannot(path, str(error)) from error


def _connect(path: str) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=0.2)
    try:
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")
        db.execute("PRAGMA wal_autocheckpoint=0")
        db.execute("PRAGMA cache_size=-512")
        db.execute(f"PRAGMA application_id={APPLICATION_ID}")
        db.execute(f"PRAGMA user_version={FORMAT}")
        db.executescript(f"BEGIN; {TABLES} COMMIT;")
    except sqlite3.Error:
        db.close()
        raise
    return db


def _cannot(path: str, why: str) -> RecordingError:
    return RecordingError(
        f"cannot create the recording {path}: {why}",
        code="PH-R011",
        hint="give a name with -o in a folder that you can write and that has space",
    )
