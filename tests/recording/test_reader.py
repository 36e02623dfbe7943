from __future__ import annotations

import sqlite3
import subprocess
import sys

import numpy as np
import pytest

from powerhal.channel import Quality
from powerhal.errors import RecordingError
from powerhal.recording import Recording, RecordingWriter
from tests.recording.rows import LAYOUT, SECOND, TOPOLOGY, row, write


@pytest.fixture
def path(tmp_path):
    write(tmp_path / "run.phr")
    return tmp_path / "run.phr"


def test_what_was_written_is_read(path):
    with Recording.open(path) as run:
        assert run.topology == TOPOLOGY
        assert run.meta["board_text"] == "board: test\n"
        assert [s.name for s in run.sources] == ["ina"]
        assert run.sources[0].layout == LAYOUT
        assert (run.start_ns, run.duration_s, run.complete, run.self_pid) == (10 * SECOND, 3.0, True, 9)
        assert [p.comm for p in run.processes] == ["work"]
        assert run.marks[0].text == "half"
        assert run.faults[0].kind == "timeout"
        assert run.health == {"ina": {"samples": 30}}
        assert run.problems == []


def test_series_are_in_si(path):
    run = Recording.open(path)
    volts, amps, watts = (run.series(f"cpu.{q}") for q in ("voltage", "current", "power"))
    i = np.arange(30)
    np.testing.assert_allclose(volts.value, (4000 + i) * 1.25e-3)
    np.testing.assert_allclose(amps.value, (i - 5) * 1e-3)
    np.testing.assert_allclose(watts.value, volts.value * amps.value)
    np.testing.assert_array_equal(volts.t_ns, 10 * SECOND + i * SECOND // 10)
    assert volts.missing_s == 0
    run.close()


def test_usages(path):
    run = Recording.open(path)
    table = run.usages()
    assert table.amount.sum() == pytest.approx(0.75)
    assert run.activities == ["cpu.big.time"]
    assert len(run.scan_times_ns()) == 4
    assert list(run.usage_rows())[1] == (0, 0, 0.25)
    run.close()


def test_unknown_channel(path):
    with Recording.open(path) as run, pytest.raises(LookupError, match=r"no channel 'gpu\.power'"):
        run.series("gpu.power")


def test_missing_rows_are_left_out_and_their_time_is_stated(tmp_path):
    writer = RecordingWriter(str(tmp_path / "a.phr"))
    source = writer.add_source("ina", LAYOUT, 0.1)
    for i in range(20):
        gone = 5 <= i < 10
        writer.reading(source, i * SECOND // 10, bytes(8) if gone else row(1), Quality.MISSING if gone else 0)
    writer.close()
    with Recording.open(tmp_path / "a.phr") as run:
        series = run.series("cpu.voltage")
        assert len(series) == 15
        assert series.missing_s == pytest.approx(0.5)
        assert (series.value > 0).all()


def test_rows_carry_their_own_flags(tmp_path):
    writer = RecordingWriter(str(tmp_path / "a.phr"))
    source = writer.add_source("ina", LAYOUT, 0.1)
    for i, status in enumerate((1, 5, 0)):
        writer.reading(source, i, row(1, status=status), Quality.LATE)
    writer.close()
    with Recording.open(tmp_path / "a.phr") as run:
        late = int(Quality.LATE)
        expected = [late, late | Quality.SATURATED, late | Quality.STALE]
        assert list(run.series("cpu.power").quality) == expected


def test_a_flipped_bit_costs_one_chunk_and_is_reported(path):
    db = sqlite3.connect(path)
    number, data = db.execute("SELECT id, data FROM chunk ORDER BY id").fetchall()[1]
    db.execute("UPDATE chunk SET data = ? WHERE id = ?", (data[:-1] + bytes([data[-1] ^ 1]), number))
    db.commit()
    db.close()
    run = Recording.open(path)
    series = run.series("cpu.voltage")
    assert len(series) == 20
    assert series.missing_s == pytest.approx(1.0)
    assert [p.code for p in run.problems] == ["PH-R004"]
    assert "chunk 1 is damaged" in run.problems[0].message
    run.close()


@pytest.mark.parametrize("where", range(1, 12))
def test_a_file_with_a_page_of_noise_never_raises_anything_else(path, where):
    data = bytearray(path.read_bytes())
    if where * 4096 >= len(data):
        pytest.skip("no such page")
    data[where * 4096 : where * 4096 + 4096] = bytes((7 * i + where) & 255 for i in range(4096))
    path.write_bytes(data)
    try:
        run = Recording.open(path)
    except RecordingError as error:
        assert error.hint
        return
    for name in run.channels:
        assert len(run.series(name)) <= 30
    run.usages()
    assert run.processes is not None
    assert run.marks is not None
    assert run.health is not None
    run.close()


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "PH-R001"), (b"a text file, clearly", "PH-R001"), (b"SQLite format 3\0" + bytes(200), "PH-R003")],
)
def test_a_wrong_file_is_refused_with_what_where_and_what_to_do(tmp_path, content, code):
    other = tmp_path / "other.phr"
    other.write_bytes(content)
    with pytest.raises(RecordingError) as caught:
        Recording.open(other)
    assert caught.value.code == code
    assert str(other) in caught.value.message
    assert caught.value.hint
    assert caught.value.problems[0].where == str(other)


def test_another_sqlite_file_a_folder_and_nothing(tmp_path):
    db = sqlite3.connect(tmp_path / "a.db")
    db.execute("CREATE TABLE t(x)")
    db.commit()
    db.close()
    for name in ("a.db", ".", "absent.phr"):
        with pytest.raises(RecordingError):
            Recording.open(str(tmp_path / name))


def test_a_later_format_is_refused(path):
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(RecordingError, match="later powerhal"):
        Recording.open(path)


def test_numpy_comes_only_with_the_first_series(path):
    code = (
        "import sys; from powerhal.recording import Recording; r = Recording.open(sys.argv[1]);"
        "r.processes, r.marks, r.health, list(r.usage_rows()), r.duration_s;"
        "assert 'numpy' not in sys.modules and 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)


def test_rows_before_a_noticed_reset_are_doubtful_too(tmp_path):
    writer = RecordingWriter(str(tmp_path / "a.phr"))
    source = writer.add_source("ina", LAYOUT, 0.1)
    for i in range(10):
        writer.reading(source, i * SECOND, row(1), Quality.RESET if i == 7 else 0)
    writer.gap("ina", 4 * SECOND, 6 * SECOND, "reset")
    writer.close()
    with Recording.open(tmp_path / "a.phr") as run:
        marked = [i for i, q in enumerate(run.series("cpu.power").quality) if q & Quality.RESET]
        assert marked == [4, 5, 6, 7]
