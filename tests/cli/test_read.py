from __future__ import annotations

import json

from powerhal.cli.read import _cells
from powerhal.recording.snapshot import RailReading


def test_unknown_is_a_dash_and_never_0():
    assert _cells(RailReading("cpu", 1, 1.2, None, None)) == ("cpu", "1.20", "—", "—", "")
    assert _cells(RailReading("cpu", more={"soc": 0.5}, doubts={"STALE"}))[4] == "soc 0.500, stale"


def test_what_is_inferred_is_said_with_its_limits():
    reading = RailReading("bat", 1, 3.8, 0.5, 1.9, inferred={"power", "current"}, power_limit_w=0.61)
    assert _cells(reading)[4] == "power inferred, within 610 mW"
    assert _cells(RailReading("bat", 1, 3.8, more={"energy": 20.0}, inferred={"energy"}))[4].endswith("energy inferred")


def test_a_table_of_the_simulated_phone(cli):
    done = cli("read", "--board", "sim-phone")
    assert done.returncode == 0, done.stderr
    head, *lines = done.stdout.splitlines()
    assert head.split() == ["rail", "V", "A", "W", "remarks"]
    rails = {line.split()[0]: line.split()[1:4] for line in lines}
    volts, amps, watts = map(float, rails["battery"])
    assert 3.0 < volts < 4.6
    assert watts > 0
    assert abs(watts - volts * amps) < 0.02 * watts


def test_json_of_one_rail(cli):
    done = cli("read", "vdd_big", "--board", "sim-phone", "--json")
    (rail,) = json.loads(done.stdout)["rails"]
    assert rail["rail"] == "vdd_big"
    assert rail["power_w"] > 0
    assert rail["sources"] == ["big"]


def test_a_rail_that_is_not_there(cli):
    done = cli("read", "vdd_cpu", "--board", "sim-phone")
    assert done.returncode == 2
    assert "vdd_big" in done.stderr


def test_a_machine_that_measures_nothing_is_exit_4_and_says_what_to_do(cli):
    (cli.folder / "root" / "proc").mkdir(parents=True)
    (cli.folder / "root" / "sys").mkdir()
    done = cli("read", "--root", str(cli.folder / "root"), "--json")
    assert done.returncode == 4
    assert json.loads(done.stdout)["rails"] == []
    assert "do: " in done.stderr


def test_a_copied_tree_is_read(cli):
    folder = cli.folder / "root/sys/class/hwmon/hwmon0"
    folder.mkdir(parents=True)
    (cli.folder / "root/proc").mkdir()
    for name, content in (
        ("name", "ina226"),
        ("in1_input", "5000"),
        ("curr1_input", "400"),
        ("power1_input", "2000000"),
    ):
        (folder / name).write_text(content + "\n")
    done = cli("read", "--root", str(cli.folder / "root"), "--json")
    assert done.returncode == 0, done.stderr
    (rail,) = json.loads(done.stdout)["rails"]
    assert (rail["voltage_v"], rail["current_a"], rail["power_w"]) == (5.0, 0.4, 2.0)


def test_watch_prints_json_lines_for_a_while(cli):
    done = cli("watch", "--board", "sim-phone", "--rate", "4", "--for", "2s", "--json")
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 8
    times = [line[0]["t_ns"] for line in lines]
    assert times == sorted(set(times))


def test_watch_without_a_terminal_is_plain_lines(cli):
    done = cli("watch", "battery", "--board", "sim-phone", "--for", "1s")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["battery", "battery"]
    assert "\x1b" not in done.stdout
