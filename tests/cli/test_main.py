"""What every command shares: files that cannot be written, faults of our own, pipes that close."""

from __future__ import annotations

import argparse
import stat
import subprocess
from pathlib import Path

import pytest

from powerhal import cli as command_line
from tests.recording.rows import write


@pytest.fixture
def path(tmp_path):
    write(tmp_path / "run.phr")
    return tmp_path / "run.phr"


@pytest.mark.parametrize(
    "words", [("export", "csv", "run.phr", "-o", "no/folder.csv"), ("report", "run.phr", "-o", "no/folder.html")]
)
def test_an_output_that_cannot_be_written_is_said_in_one_line(cli, path, words):
    done = cli(*words)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "no/folder" in done.stderr
    assert "PH-F002" in done.stderr


def test_a_full_disk_names_no_file(cli, path):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            cli.words("export", "csv", path), check=False, stdout=full, stderr=subprocess.PIPE, text=True, env=cli.env
        )
    assert done.returncode == 3
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_fault_of_ours_is_exit_70_and_kept_in_a_private_file(monkeypatch, capsys, tmp_path):
    def broken(_: argparse.Namespace) -> int:
        raise KeyError("no such thing")

    def parser(_: str) -> argparse.ArgumentParser:
        made = argparse.ArgumentParser()
        made.set_defaults(run=broken, verbose=False)
        return made

    monkeypatch.setattr(command_line, "parser", parser)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert command_line.main([]) == 70
    said = capsys.readouterr().err
    (report,) = tmp_path.glob("powerhal-fault-*.txt")
    assert str(report) in said
    assert "internal fault: KeyError" in said
    assert "Traceback" not in said
    assert "Traceback" in report.read_text()
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


def test_a_reader_that_went_away_is_no_failure(cli, path):
    with subprocess.Popen(
        cli.words("info", path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=cli.env
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait() == 0


def listed(top: argparse.ArgumentParser) -> dict[str, str]:
    (group,) = (action for action in top._actions if isinstance(action, argparse._SubParsersAction))
    return {action.dest: action.help for action in group._choices_actions}


def test_the_lines_of_help_are_those_of_the_commands_themselves():
    assert listed(command_line.parser("")) == listed(command_line.parser())
    assert {name: listed(command_line.parser(name))[name] for name in command_line.COMMANDS} == {
        name: line for name, (_, line) in command_line.COMMANDS.items()
    }


def test_an_unknown_command_is_told_which_there_are(cli):
    done = cli("atribute")
    assert done.returncode == 2
    assert "attribute" in done.stderr
    assert "bus" in done.stderr


def test_flags_may_stand_before_the_command(cli, path):
    assert cli("-q", "info", path).returncode == 0


def test_a_closed_stderr_keeps_the_exit_status(cli):
    started = cli.start("info", "absent.phr", stderr=subprocess.PIPE)
    started.stderr.close()
    assert started.wait() == 3
