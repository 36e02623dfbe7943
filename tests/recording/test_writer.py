from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import textwrap

import pytest

from powerhal.channel import ProcessInfo, Quality, Scan, Usage
from powerhal.errors import RecordingError
from powerhal.recording import Recording, RecordingWriter
from powerhal.recording.chunks import MAX_ROWS
from powerhal.recording.writer import FAULT_LIMIT
from tests.recording.rows import LAYOUT, SECOND, row, write


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_one_file_mode_0600_whatever_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        writer = write(tmp_path / "run.phr", close=False)
        modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()}
        assert set(modes.values()) == {0o600}, modes
        writer.close()
        writer.close()
    finally:
        os.umask(before)
    assert [p.name for p in tmp_path.iterdir()] == ["run.phr"]


def test_an_existing_file_and_a_link_are_never_written(tmp_path):
    (tmp_path / "there.phr").write_text("mine")
    (tmp_path / "link.phr").symlink_to(tmp_path / "target")
    for name in ("there.phr", "link.phr"):
        with pytest.raises(RecordingError) as caught:
            RecordingWriter(str(tmp_path / name))
        assert caught.value.hint
    assert (tmp_path / "there.phr").read_text() == "mine"
    assert not (tmp_path / "target").exists()
    with pytest.raises(RecordingError, match="cannot create"):
        RecordingWriter(str(tmp_path / "no" / "folder.phr"))


def test_any_sqlite_tool_opens_it(tmp_path):
    write(tmp_path / "run.phr")
    db = sqlite3.connect(tmp_path / "run.phr")
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert db.execute("SELECT count(*) FROM chunk").fetchone() == (3,)
    db.close()


def test_a_live_file_can_be_read(tmp_path):
    writer = write(tmp_path / "run.phr", close=False)
    with Recording.open(tmp_path / "run.phr") as run:
        assert len(run.series("cpu.power")) == 30
        assert not run.complete
        assert run.duration_s == pytest.approx(2.9)
    writer.close()


def test_no_chunk_is_longer_than_the_limit(tmp_path):
    writer = RecordingWriter(str(tmp_path / "a.phr"))
    source = writer.add_source("ina", LAYOUT, 1e-4)
    for i in range(2 * MAX_ROWS + 5):
        writer.reading(source, i, row(i % 100))
    writer.close()
    db = sqlite3.connect(tmp_path / "a.phr")
    assert [n for (n,) in db.execute("SELECT n FROM chunk ORDER BY id")] == [MAX_ROWS, MAX_ROWS, 5]
    db.close()
    with Recording.open(tmp_path / "a.phr") as run:
        assert list(run.series("cpu.voltage").t_ns) == list(range(2 * MAX_ROWS + 5))


def test_tick_never_lets_rows_wait_longer_than_a_flush_period(tmp_path):
    """Also when the next wake-up is far away: what is in memory is what a kill would lose."""
    writer = RecordingWriter(str(tmp_path / "a.phr"))
    source = writer.add_source("ina", LAYOUT, 0.1)
    now, committed = 0, []
    plain = writer.flush
    writer.flush = lambda: committed.append(now) or plain()
    for step in [SECOND // 10] * 35 + [7 * SECOND] * 3:
        writer.reading(source, now, row())
        writer.tick(now, now + step)
        assert now - (committed[-1] if committed else 0) <= SECOND
        if step > SECOND:
            assert committed[-1] == now
        now += step
    writer.close()


def test_a_process_that_is_renamed_keeps_its_row(tmp_path):
    writer = RecordingWriter(str(tmp_path / "a.phr"))
    use = (Usage(5, 1, "cpu.all.time", 1.0),)
    writer.scan(Scan(1, (ProcessInfo(5, 1, 1, 0, "sh"),), use))
    writer.scan(Scan(2, (ProcessInfo(5, 1, 1, 0, "make"),), use))
    writer.scan(Scan(3, (ProcessInfo(5, 9, 1, 0, "later"),), (Usage(5, 9, "cpu.all.time", 3.0),)))
    writer.close()
    with Recording.open(tmp_path / "a.phr") as run:
        assert [(p.comm, p.start_ticks) for p in run.processes] == [("make", 1), ("later", 9)]
        assert list(run.usages().process) == [0, 0, 1]


def test_a_usage_of_an_unannounced_process_is_kept(tmp_path):
    writer = RecordingWriter(str(tmp_path / "a.phr"))
    writer.scan(Scan(1, (), (Usage(8, 2, "cpu.all.time", 1.5),)))
    writer.close()
    with Recording.open(tmp_path / "a.phr") as run:
        assert run.processes[0].comm == "?"
        assert run.usages().amount[0] == 1.5


def test_names_can_be_any_bytes(tmp_path):
    writer = RecordingWriter(str(tmp_path / "a.phr"))
    odd = b"\xff\x00)\n\x1b[31m".decode("utf-8", "surrogateescape")
    writer.scan(Scan(1, (ProcessInfo(5, 1, 1, 0, odd),), ()))
    writer.mark(1, odd)
    writer.close()
    with Recording.open(tmp_path / "a.phr") as run:
        assert run.processes[0].comm.endswith(")\n\x1b[31m")


def test_fault_rows_are_bounded(tmp_path):
    writer = RecordingWriter(str(tmp_path / "a.phr"))
    for i in range(FAULT_LIMIT + 100):
        writer.fault(i, "a", "io", "x" * 1000)
    writer.close()
    assert writer.faults_seen == FAULT_LIMIT + 100
    with Recording.open(tmp_path / "a.phr") as run:
        assert len(run.faults) == FAULT_LIMIT
        assert len(run.faults[0].text) == 300


def test_a_row_of_another_width_is_refused(tmp_path):
    writer = RecordingWriter(str(tmp_path / "a.phr"))
    source = writer.add_source("ina", LAYOUT, 1.0)
    with pytest.raises(ValueError, match="row of 3 bytes"):
        writer.reading(source, 0, b"abc", Quality.OK)
    writer.close()


def test_in_the_background_nothing_is_lost_either(tmp_path):
    writer = RecordingWriter(str(tmp_path / "a.phr"), background=True)
    source = writer.add_source("ina", LAYOUT, 0.01)
    for i in range(500):
        writer.reading(source, i, row(i))
        if i % 10 == 0:
            writer.flush()
    writer.close()
    with Recording.open(tmp_path / "a.phr") as run:
        assert list(run.series("cpu.voltage").t_ns) == list(range(500))


def test_the_writing_side_imports_only_the_standard_library():
    code = textwrap.dedent(
        """
        import sys
        before = set(sys.modules)
        import powerhal.recording.writer, powerhal.recording.run, powerhal.sampling
        names = {m.split(".")[0] for m in set(sys.modules) - before}
        bad = {n for n in names if n not in sys.stdlib_module_names and n != "powerhal"}
        sys.exit(f"imports {bad}" if bad else 0)
        """
    )
    subprocess.run([sys.executable, "-c", code], check=True)
