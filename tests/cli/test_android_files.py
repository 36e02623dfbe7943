"""`powerhal android`: every mistake of a command line is told at once, before anything is read or made."""

from __future__ import annotations

from pathlib import Path

import pytest

from powerhal.cli import android_files, files, main
from powerhal.errors import FileError
from tests.android.test_parse import DUMP

PROFILE = "<device name='Android'><item name='battery.capacity'>4000</item></device>"
GONE = "gone: no such file    PH-F003"
PLACE = "there is no folder no    PH-F002"
XML = "gone.xml: No such file or directory    PH-N300"


@pytest.mark.parametrize(
    ("command", "said", "status"),
    [
        ("emit gone -o no/x", [GONE, PLACE], 3),
        ("recompute gone --profile gone.xml", [GONE, XML], 3),
        ("attribute gone --profile gone.xml", [GONE, XML], 3),
        ("report gone -o no/x.html --profile gone.xml --key no/key", [GONE, PLACE, XML, "no/key cannot be written"], 3),
        ("report - --profile gone.xml", ["needs a name for its page    PH-U001", XML], 2),
        ("redact gone -o no/x --key no/key", [GONE, PLACE, "no/key"], 3),
        ("export gone -o no/x --key no/key", [GONE, PLACE, "no/key"], 3),
        ("downgrade gone no/x.pdf --key no/key", [GONE, PLACE, ".txt or a .zip    PH-U001", "no/key"], 2),
        ("diff gone gone2", [GONE, "gone2: no such file"], 3),
        ("powerstats gone", ["gone: No such file or directory    PH-N231"], 3),
        ("profile gone.xml", [XML], 3),
    ],
)
def test_mistakes_are_told_together(
    command: str, said: list[str], status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["android", *command.split()]) == status
    err = capsys.readouterr().err
    assert all(one in err for one in said), err
    assert err.count("powerhal: ") == len(said)
    assert "  do: " in err
    assert not [*tmp_path.iterdir()]


def test_the_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.xml").write_text(PROFILE)
    Path("dump").write_text(DUMP)
    Path("key").write_text("old")
    nothing, profile, *rest = files.together(
        *map(android_files.profile, (None, "p.xml")),
        *map(android_files.dump, ("dump", "-")),
        *map(android_files.key, (None, "key", "new")),
    )
    assert nothing is None
    assert profile.items["battery.capacity"] == 4000
    assert rest == [None] * 5
    assert not Path("new").exists()
    with pytest.raises(FileError, match="this is a battery-stats dump or bugreport, not a power profile"):
        android_files.profile("dump")()
