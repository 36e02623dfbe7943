"""F42: EIO of a sync: nobody knows what is on the medium, so the run goes on in a new file, from memory."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from powerhal.errors import RecordingError
from powerhal.recording import Recording, RecordingWriter
from powerhal.recording import store as store_module
from tests.recording.rows import LAYOUT, row, scan

MS = 1_000_000
FLUSH = 10  # rows


class Medium:
    """A connection whose COMMIT or checkpoint fails to sync as told; nothing else is touched."""

    def __init__(self, real: sqlite3.Connection, fails: Any) -> None:
        self._real, self._fails, self.full, self.refused = real, fails, False, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, statement: str, *values: Any) -> Any:
        self.full = statement == "PRAGMA synchronous=FULL" or (self.full and "NORMAL" not in statement)
        if self._fails(statement, self.full or "wal_checkpoint" in statement):
            self.refused += 1
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = 1034  # SQLITE_IOERR_FSYNC
            raise error
        return self._real.execute(statement, *values)


def failing(monkeypatch: pytest.MonkeyPatch, *rules: Any) -> list[Medium]:
    """The files of a run, each with its rule: (statement, synchronous) -> whether it fails."""
    media: list[Medium] = []
    plain = store_module._connect

    def connect(path: str) -> Any:
        rule = rules[len(media)] if len(media) < len(rules) else (lambda statement, full: False)
        media.append(Medium(plain(path), rule))
        return media[-1]

    monkeypatch.setattr(store_module, "_connect", connect)
    return media


def write(writer: RecordingWriter, source: int, flushes: range) -> None:
    for n in flushes:
        for i in range(n * FLUSH, (n + 1) * FLUSH):
            writer.reading(source, i * MS, row(i))
        writer.scan(scan((n + 1) * FLUSH * MS, 0.001, new=n == 0))
        writer.flush()


def times(path: Path) -> list[int]:
    with Recording.open(path) as run:
        assert run.problems == []
        return [t // MS for t in run.series("cpu.voltage").t_ns]


def third(wanted: str) -> Any:
    """The third time that `wanted` is executed under full synchronisation, and that time only."""
    seen = [0]

    def rule(statement: str, full: bool) -> bool:
        seen[0] += wanted in statement and full
        return wanted in statement and full and seen[0] == 3

    return rule


def test_f42_what_was_not_synced_is_written_again_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(store_module.time, "monotonic", lambda: clock[0])
    media = failing(monkeypatch, third("COMMIT"))
    writer = RecordingWriter(str(tmp_path / "run.phr"), meta={"seed": 7}, sync_s=5.0)
    source = writer.add_source("ina", LAYOUT, 0.001)
    for n in range(30):
        clock[0] = float(n)  # syncs at 5, 10; the one at 15 fails
        write(writer, source, range(n, n + 1))
    assert media[0].refused == 1, "no second try: it would succeed and mean nothing"
    writer.close()
    log = tmp_path / "run.phr-wal"
    assert log.exists(), "pages that nobody knows are not folded into the file"
    assert [Path(p).name for p in writer.files] == ["run.phr", "run-2.phr"]
    assert "run-2.phr" in writer.past_storage_fault
    first, second = times(tmp_path / "run.phr"), times(tmp_path / "run-2.phr")
    assert first == list(range(150)), "everything before the sync that failed is still in the old file"
    assert second == list(range(110, 300)), "everything since the sync that succeeded is in the new one"
    with Recording.open(tmp_path / "run-2.phr") as run:
        assert run.meta["seed"] == 7
        assert run.meta["segment"]["number"] == 2
        assert run.meta["segment"]["first"] == "run.phr"
        assert [p.comm for p in run.processes] == [p.comm for p in _processes(tmp_path / "run.phr")]


def _processes(path: Path) -> list[Any]:
    with Recording.open(path) as run:
        assert run.processes
        return run.processes


def test_f42_the_last_sync_of_all_may_fail_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, lambda statement, full: "wal_checkpoint" in statement)
    writer = RecordingWriter(str(tmp_path / "run.phr"), sync_s=1000.0)
    source = writer.add_source("ina", LAYOUT, 0.001)
    write(writer, source, range(5))
    writer.close()
    assert times(tmp_path / "run-2.phr") == list(range(50))
    assert not (tmp_path / "run-2.phr-wal").exists()


def test_f42_a_medium_that_always_fails_is_given_up_and_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, *[lambda statement, full: full and statement == "COMMIT"] * 100)
    writer = RecordingWriter(str(tmp_path / "run.phr"), sync_s=0.0)
    source = writer.add_source("ina", LAYOUT, 0.001)
    write(writer, source, range(30))
    with pytest.raises(RecordingError, match="not complete"):
        writer.close()
    assert len(writer.files) == store_module.MOST_FILES
    assert len(list(tmp_path.glob("*.phr"))) == store_module.MOST_FILES


def test_f42_a_long_log_is_folded_by_us_as_sqlite_would_hide_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "WAL_BYTES", 0)
    media = failing(monkeypatch, third("wal_checkpoint(PASSIVE)"))
    writer = RecordingWriter(str(tmp_path / "run.phr"), sync_s=0.0)
    assert writer._store._db.execute("PRAGMA wal_autocheckpoint").fetchone() == (0,)
    source = writer.add_source("ina", LAYOUT, 0.001)
    write(writer, source, range(5))
    writer.close()
    assert media[0].refused == 1
    both = {*times(tmp_path / "run.phr"), *times(tmp_path / "run-2.phr")}
    assert both == set(range(50))


REAL = """
import sys
from powerhal.errors import RecordingError
from powerhal.recording import RecordingWriter
from tests.recording.rows import LAYOUT, row
writer = RecordingWriter(sys.argv[1], sync_s=0.0)
source = writer.add_source("ina", LAYOUT, 0.001)
for n in range(20):
    for i in range(n * 10, n * 10 + 10):
        writer.reading(source, i * 1_000_000, row(i))
    writer.flush()
try:
    writer.close()
except RecordingError as error:
    print(error)
print(len(writer.files))
"""


@pytest.mark.parametrize(("when", "files"), [("16", 2), ("16+", 1)])
def test_f42_on_the_real_system_call(tmp_path: Path, repo: Path, when: str, files: int) -> None:
    """One fdatasync that fails; then all of them from there on, when no new file can be made either."""
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    words = ["strace", "-f", "-o", str(tmp_path / "calls"), "-e", "trace=fdatasync", "-e"]
    words += [f"inject=fdatasync:error=EIO:when={when}", sys.executable, "-c", REAL, str(tmp_path / "run.phr")]
    done = subprocess.run(words, cwd=repo, capture_output=True, text=True, check=False)
    if "ptrace" in done.stderr or "PTRACE" in done.stderr:
        pytest.skip("tracing is not permitted here")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "calls").read_text().count("INJECTED") >= 1
    assert done.stdout.split()[-1] == str(files)
    found = set(times(tmp_path / "run.phr"))
    if files == 2:
        assert found | set(times(tmp_path / "run-2.phr")) == set(range(200)), "nothing is lost"
    else:
        assert "not complete" in done.stdout, "what could not be kept is said"
        assert found == set(range(len(found)))
