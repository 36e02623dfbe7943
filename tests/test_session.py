from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import powerhal
from powerhal import session
from powerhal.errors import BoardError, HardwareError, RecordingError, UsageError


def test_public_names_lead_here():
    assert powerhal.open is session.open
    assert powerhal.record is session.record
    assert powerhal.measure is session.measure


def test_a_simulated_board_is_read_and_recorded():
    board = session.open("sim-phone", seed=4)
    assert board.topology.root().name == "battery"
    before = {r.rail: r for r in board.read()}
    assert before["battery"].power_w > 0
    run = board.record(duration_s=5.0)
    assert run.recording.duration_s == pytest.approx(5.0)
    assert run.recording.meta["seed"] == 4
    assert run.recording.meta["clock"] == "virtual"
    assert len(run.recording.series("battery.power")) >= 50
    assert run.outcome.health["total"].samples == 51
    path = Path(run.path)
    run.close()
    assert not path.exists(), "a recording without a name goes with the run"


def test_the_same_seed_records_the_same_rows(tmp_path):
    def rows(seed):
        path = tmp_path / f"{seed}-{time.monotonic_ns()}.phr"
        with session.open("sim-phone", seed=seed).record(path, duration_s=3.0) as run:
            return list(run.recording.rows("battery.power"))

    assert rows(1) == rows(1) != rows(2)


def test_a_block_on_a_simulated_board_lasts_as_long_there_as_here(tmp_path):
    with session.open("sim-phone").record(tmp_path / "run.phr") as run:
        start = time.monotonic()
        time.sleep(0.5)
        took = time.monotonic() - start
    assert run.recording.duration_s >= took
    run.close()


def test_a_real_board_is_recorded_by_a_process_of_its_own(tmp_path):
    with session.record(tmp_path / "run.phr", "linux-host") as run:
        start, used = time.process_time(), 0.0
        while used < 0.4:
            used = time.process_time() - start
    recording = run.recording
    assert recording.complete
    assert recording.self_pid != os.getpid()
    mine = [i for i, p in enumerate(recording.processes) if p.pid == os.getpid()]
    spent = sum(a for p, act, a in recording.usage_rows() if p in mine and recording.activities[act].startswith("cpu."))
    assert spent == pytest.approx(used, rel=0.02, abs=0.05)
    run.close()


def test_measure_tells_seconds_and_says_none_for_unknown_joules():
    with session.measure("linux-host") as cost:
        sum(range(300_000))
    assert cost.duration_s > 0
    assert cost.cpu_s > 0
    assert cost.energy_j is None or cost.energy_j > 0
    cost.run.close()


def test_measure_on_a_simulated_board_has_joules():
    with session.measure("sim-phone") as cost:
        time.sleep(1.0)
    assert 0.2 < cost.energy_j < 20.0
    cost.run.close()


def test_a_recording_process_that_cannot_start_says_why(tmp_path):
    (tmp_path / "run.phr").write_text("mine")
    with (
        pytest.raises(RecordingError, match="exists already"),
        session.open("linux-host").record(tmp_path / "run.phr"),
    ):
        pytest.fail("the block must not run")


@pytest.mark.parametrize(
    ("board", "more", "error"),
    [
        ("no-such-board", {}, UsageError),
        ("linux-host", {"seed": 3}, UsageError),
        ("sim-phone", {"root": "/tmp"}, UsageError),
    ],
)
def test_wrong_use_is_refused_at_once(board, more, error):
    with pytest.raises(error):
        session.open(board, **more)


def test_a_rate_goes_to_the_rail_sensors_and_too_much_is_refused():
    board = session.open("sim-phone")
    run = board.record(duration_s=2.0, rate_hz=5.0)
    assert run.recording.period_s("battery.power") == pytest.approx(0.2)
    assert run.recording.period_s("cpu.big.busy") == pytest.approx(0.1)
    run.close()
    with pytest.raises(BoardError, match="the fastest makes"):
        board.record(duration_s=2.0, rate_hz=1000.0)


def test_a_run_that_is_no_recording(tmp_path):
    (tmp_path / "a.phr").write_text("no")
    with pytest.raises(RecordingError):
        session.Run.open(tmp_path / "a.phr")


def test_importing_and_recording_needs_no_numpy(tmp_path):
    code = (
        "import sys, powerhal as ph; run = ph.open('sim-phone').record(duration_s=1.0);"
        "assert 'numpy' not in sys.modules and 'numba' not in sys.modules; run.close()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_facts_hold_no_name_of_host_user_or_folder(tmp_path):
    facts = str(session.open("linux-host")._facts())
    assert "kernel" in facts
    for secret in (os.uname().nodename, str(Path.home()), str(tmp_path)):
        assert len(secret) < 3 or secret not in facts.replace(os.uname().release, "")


def test_a_block_on_a_board_that_is_not_there_says_so_as_hardware(tmp_path):
    if Path("/dev/i2c-77").exists():
        pytest.skip("this machine has that bus")
    file = tmp_path / "absent.yaml"
    file.write_text(
        "schema: 1\nname: absent\ntitle: Absent\nbuses: {i2c-77: {kind: i2c, device: /dev/i2c-77}}\n"
        "sensors: {a: {chip: 'ti,ina226', bus: i2c-77, address: 0x40, rail: VIN, shunt: 10 mOhm}}\n"
        "rails: {VIN: {subsystem: board}}\n"
    )
    with pytest.raises(HardwareError, match="i2c-77"), session.measure(file):
        pass
