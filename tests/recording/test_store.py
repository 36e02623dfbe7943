"""Storage that fails: kill -9, a full disk, a file-size limit, and what must be left then."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time

import pytest

from powerhal.errors import RecordingError
from powerhal.recording import Recording, RecordingWriter
from tests.recording.rows import LAYOUT, SECOND, row

KILLED = """
import os, sys
from powerhal.recording import RecordingWriter
from tests.recording.rows import LAYOUT, row, scan
writer = RecordingWriter(sys.argv[1], sync_s=0.05)
source = writer.add_source("ina", LAYOUT, 0.001)
i = 0
while True:
    for _ in range(40):
        writer.reading(source, i * 1_000_000, row(i & 0xFFFF))
        i += 1
    writer.scan(scan(i * 1_000_000, 0.001, new=i == 40))
    if writer.flush():
        os.write(1, b"%d\\n" % i)
"""


@pytest.mark.parametrize("seed", range(8))
def test_kill_9_loses_no_acknowledged_row(tmp_path, repo, seed):
    path = tmp_path / "run.phr"
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, cwd=repo)
    first = child.stdout.readline()
    time.sleep(random.Random(seed).uniform(0.0, 0.25))
    os.kill(child.pid, signal.SIGKILL)
    rest = child.stdout.read()
    child.stdout.close()
    child.wait()
    acknowledged = int((first + rest).rsplit(b"\n", 2)[-2])
    with Recording.open(path) as run:
        series = run.series("cpu.voltage")
        n = len(series)
        assert n >= acknowledged
        assert n - acknowledged <= 40, "only whole flushes are there"
        assert list(series.t_ns) == [i * 1_000_000 for i in range(n)]
        assert run.scans == n // 40
        assert run.problems == []
        assert not run.complete


def test_what_kill_9_left_can_be_read_from_a_read_only_copy(tmp_path, repo):
    path = tmp_path / "run.phr"
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, cwd=repo)
    for _ in range(5):
        acknowledged = int(child.stdout.readline())
    child.kill()
    child.stdout.close()
    child.wait()
    (tmp_path / "run.phr-shm").unlink()
    folder = tmp_path / "copy"
    folder.mkdir()
    for name in ("run.phr", "run.phr-wal"):
        shutil.copy(tmp_path / name, folder)
        (folder / name).chmod(0o400)
    folder.chmod(0o500)
    try:
        with Recording.open(folder / "run.phr") as run:
            assert len(run.series("cpu.voltage")) >= acknowledged
    finally:
        folder.chmod(0o700)


FULL = """
import os, resource, sys
from powerhal.recording import RecordingWriter
from tests.recording.rows import LAYOUT, SECOND, row
size, ring = int(sys.argv[2]), int(sys.argv[3])
writer = RecordingWriter(sys.argv[1], ring_bytes=ring)
source = writer.add_source("ina", LAYOUT, 0.001)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
refused = 0
for second in range(60):
    if second == 5:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    if second == 40:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    for i in range(1000):
        writer.reading(source, second * SECOND + i * 1_000_000, os.urandom(8))
    refused += not writer.flush()
    if second == 41:
        assert not writer.storage_fault, "storage works again, so must the recording"
writer.close()
print(refused)
"""


def full(tmp_path, repo, ring):
    path = tmp_path / "run.phr"
    limit = 150_000  # the files are about 60 kB by then; one flush is about 10 kB
    words = [sys.executable, "-c", FULL, str(path), str(limit), str(ring)]
    out = subprocess.run(words, capture_output=True, cwd=repo, check=True)
    return Recording.open(path), int(out.stdout)


def test_a_file_size_limit_is_survived_and_nothing_is_lost_while_the_ring_holds(tmp_path, repo):
    run, refused = full(tmp_path, repo, 8 << 20)
    assert refused > 10, "the limit must have been felt"
    assert len(run.series("cpu.voltage")) == 60_000
    assert run.gaps == []
    assert run.problems == []
    run.close()


def test_a_full_ring_drops_the_oldest_rows_and_declares_the_gap(tmp_path, repo):
    run, refused = full(tmp_path, repo, 100_000)
    assert refused > 10
    series = run.series("cpu.voltage")
    assert len(series) < 60_000
    (gap,) = run.gaps
    assert (gap.source, gap.reason) == ("ina", "storage")
    inside = (series.t_ns >= gap.t0_ns) & (series.t_ns <= gap.t1_ns)
    assert not inside.any(), "what is declared missing is missing"
    lost = 60_000 - len(series)
    assert (gap.t1_ns - gap.t0_ns) // 1_000_000 + 1 == lost, "and what is missing is declared"
    assert series.missing_s == pytest.approx(lost * 1e-3, abs=0.01)
    run.close()


def test_a_disk_that_stays_full_ends_in_an_error_and_a_readable_file(tmp_path, repo):
    code = textwrap.dedent(
        """
        import os, resource, sys
        from powerhal.errors import RecordingError
        from powerhal.recording import RecordingWriter
        from tests.recording.rows import LAYOUT
        writer = RecordingWriter(sys.argv[1])
        source = writer.add_source("ina", LAYOUT, 0.001)
        writer.reading(source, 1, bytes(8))
        writer.flush()
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        for i in range(20_000):
            writer.reading(source, 2 + i, os.urandom(8))
        writer.flush()
        try:
            writer.close()
        except RecordingError as error:
            print(error.code, error.hint)
        """
    )
    words = [sys.executable, "-c", code, str(tmp_path / "run.phr")]
    out = subprocess.run(words, capture_output=True, text=True, cwd=repo, check=True)
    assert out.stdout.startswith("PH-R012")
    with Recording.open(tmp_path / "run.phr") as run:
        assert len(run.series("cpu.voltage")) == 1


def test_a_really_full_tmpfs(tmp_path, repo):
    """ENOSPC after partial writes, and space that comes back (needs a private mount namespace)."""
    code = textwrap.dedent(
        """
        import os, subprocess, sys
        from powerhal.recording import Recording, RecordingWriter
        from tests.recording.rows import LAYOUT, SECOND
        folder = sys.argv[1]
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "none", folder], check=True)
        writer = RecordingWriter(folder + "/run.phr")
        source = writer.add_source("ina", LAYOUT, 0.001)
        ballast = open(folder + "/ballast", "wb")
        refused = 0
        for second in range(30):
            if second == 5:
                try:
                    while True:
                        os.write(ballast.fileno(), bytes(4096))
                except OSError:
                    pass
            if second == 20:
                ballast.truncate(0)
                subprocess.run(["mount", "-o", "remount,size=4m", folder], check=True)
            for i in range(500):
                writer.reading(source, second * SECOND + i * 2_000_000, os.urandom(8))
            refused += not writer.flush()
        writer.close()
        with Recording.open(folder + "/run.phr") as run:
            print(refused, len(run.series("cpu.voltage")), len(run.problems))
        """
    )
    words = ["unshare", "-m", sys.executable, "-c", code, str(tmp_path)]
    if (
        shutil.which("unshare") is None
        or subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode
    ):
        pytest.skip("no private mount namespace here")
    env = {**os.environ, "POWERHAL_KERNELS": "numpy"}  # one small read: no compiler for it
    out = subprocess.run(words, check=False, capture_output=True, text=True, cwd=repo, env=env)
    if "mount" in out.stderr and "permission denied" in out.stderr.lower():
        pytest.skip("mount is not permitted here")
    assert out.returncode == 0, out.stderr
    refused, rows, problems = map(int, out.stdout.split())
    assert refused >= 10
    assert (rows, problems) == (15_000, 0)


@pytest.mark.parametrize("call", range(1, 40))
def test_every_statement_may_fail_once_and_nothing_is_lost(tmp_path, monkeypatch, call):
    """The n-th database call fails: the rows stay in memory and go with the next flush."""
    writer = RecordingWriter(str(tmp_path / "run.phr"))
    source = writer.add_source("ina", LAYOUT, 0.1)
    real, count = writer._store._db, 0

    class Failing:
        def __getattr__(self, name):
            if name not in ("execute", "executemany"):
                return getattr(real, name)

            def forward(*args):
                nonlocal count
                count += 1
                if count == call:
                    raise sqlite3.OperationalError("disk I/O error")
                return getattr(real, name)(*args)

            return forward

    writer._store._db = Failing()
    for i in range(50):
        writer.reading(source, i * SECOND // 10, row(i))
        if i % 10 == 9:
            writer.flush()
    writer.close()
    with Recording.open(tmp_path / "run.phr") as run:
        assert list(run.series("cpu.voltage").t_ns) == [i * SECOND // 10 for i in range(50)]


def test_an_unwritable_folder_is_a_typed_error(tmp_path):
    with pytest.raises(RecordingError) as caught:
        RecordingWriter("/proc/run.phr")
    assert caught.value.code == "PH-R011"


@pytest.mark.parametrize(("sync_s", "synced"), [(0.0, 10), (1000.0, 0)])
def test_rows_are_pushed_to_the_medium_now_and_then(tmp_path, sync_s, synced):
    """Commits alone survive a kill; a power cut costs at most the time since the last full sync."""
    writer = RecordingWriter(str(tmp_path / "a.phr"), sync_s=sync_s)
    source = writer.add_source("ina", LAYOUT, 0.1)
    said = []
    writer._store._db.set_trace_callback(said.append)
    for i in range(10):
        writer.reading(source, i, row())
        writer.flush()
    writer._store._db.set_trace_callback(None)
    writer.close()
    assert said.count("PRAGMA synchronous=FULL") == synced
    assert said.count("COMMIT") == 10


def test_a_storage_fault_that_passed_is_remembered(tmp_path, monkeypatch):
    writer = RecordingWriter(str(tmp_path / "a.phr"))
    store = writer._store
    plain = store._write

    def refuse(batch):
        raise sqlite3.OperationalError("database or disk is full")

    store._write = refuse
    writer.mark(1, "a")
    assert not writer.flush()
    assert writer.storage_fault == "database or disk is full"
    store._write = plain
    assert writer.flush()
    assert (writer.storage_fault, writer.past_storage_fault) == ("", "database or disk is full")
    writer.close()
