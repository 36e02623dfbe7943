"""Files on a command line: looked at first, and every mistake at once."""

from __future__ import annotations

import os

import pytest

from powerhal.cli import files
from powerhal.errors import FileError, ModelError, RecordingError, UsageError

SQLITE = b"SQLite format 3\0" + bytes(100)


def test_answers_come_in_order_and_mistakes_together() -> None:
    assert files.together(lambda: 1, lambda: None, lambda: "x") == [1, None, "x"]
    wrong = files.refuse(True, "wrong", hint="do it right")
    with pytest.raises(UsageError, match="wrong"):
        files.together(lambda: 1, wrong, wrong)  # the same said twice is one mistake
    with pytest.raises(ExceptionGroup) as refusal:
        files.together(wrong, lambda: files.together(wrong, files.refuse(True, "worse", hint="")), lambda: 1)
    assert [str(one) for one in refusal.value.exceptions] == ["wrong", "worse"]
    files.refuse(False, "fine", hint="")()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (SQLITE, "a recording"),
        (b'{\n "schema": 1,\n "board": "b",\n "coefficients": [\n', "a model"),
        (b'{"schema": 1, "board": "b", "total": {"rail": "r"}, "rows": []}', "a ledger"),
        (b'{"a": 1}', "JSON"),
        (b"", "empty"),
        (b"junk", ""),
    ],
)
def test_kinds_are_told_by_what_a_file_begins_with(tmp_path, content, kind) -> None:
    place = tmp_path / "x"
    place.write_bytes(content)
    assert files.kind(str(place)) == kind
    assert files.kind(str(tmp_path)) == files.kind(str(tmp_path / "absent")) == ""


def test_outputs_are_refused_before_anything_is_written(tmp_path) -> None:
    recording = tmp_path / "r.phr"
    recording.write_bytes(SQLITE)
    read = tmp_path / "m.phm"
    read.write_text("{}")
    for place, why in (
        (tmp_path, "it is a directory"),
        (tmp_path / "no" / "x", "no folder"),
        (read / "x", "not a directory"),
        (recording, "is a recording"),
        ("", "name is missing"),
    ):
        with pytest.raises(FileError, match=why) as refusal:
            files.output(place)()
        assert refusal.value.code == "PH-F002" and refusal.value.hint
    with pytest.raises(FileError, match="what is read"):
        files.output(read, inputs=[None, str(tmp_path / "." / "m.phm")])()
    for fine in (None, "-", read, tmp_path / "new.html"):
        files.output(fine)()
    assert sorted(os.listdir(tmp_path)) == ["m.phm", "r.phr"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_without_permission_is_refused(tmp_path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(FileError, match="no permission"):
        files.output(tmp_path / "x")()


def test_a_new_recording_needs_a_free_place(tmp_path) -> None:
    there = tmp_path / "there.phr"
    there.write_text("x")
    with pytest.raises(RecordingError, match="exists already") as refusal:
        files.fresh(there)()
    assert refusal.value.code == "PH-R010"
    with pytest.raises(RecordingError, match="no folder") as refusal:
        files.fresh(tmp_path / "no" / "r.phr")()
    assert refusal.value.code == "PH-R011"
    files.fresh(tmp_path / "new.phr")()
    files.fresh(None)()


def test_a_file_of_another_kind_is_called_what_it_is(tmp_path) -> None:
    model, ledger, recording = (tmp_path / name for name in ("m.phm", "a.json", "r.phr"))
    model.write_text('{"schema": 1, "coefficients": []}')
    ledger.write_text('{"schema": 1, "total": {}}')
    recording.write_bytes(SQLITE)
    with pytest.raises(RecordingError, match="is a model, not a recording") as refusal:
        files.recording(str(model))()
    assert "--model" in refusal.value.hint
    with pytest.raises(RecordingError, match="is a ledger, not a recording"):
        files.recording(str(ledger))()
    with pytest.raises(ModelError, match="is a recording, not a model") as learn:
        files.model(str(recording))()
    assert "--save-model" in learn.value.hint
    with pytest.raises(ModelError, match="is a recording, not a prior"):
        files.priors([str(recording)])[0]()
    with pytest.raises(FileError, match="no such file"):
        files.priors([str(tmp_path / "absent")])[0]()
    with pytest.raises(FileError, match="no such file"):
        files.present(str(tmp_path / "absent"), hint="x")()
    files.present(str(model), hint="x")()
    with pytest.raises(RecordingError):
        files.run_or_ledger(str(model))()


def test_every_mistake_of_a_command_line_is_told(cli) -> None:
    done = cli(
        "attribute", "nofile", "--model", "nofile2", "--zone", "XX", "--save-model", "/no/where", "--window", "0"
    )
    assert done.returncode == 2  # wrong words come before wrong files
    for said in ("nofile:", "nofile2:", "'XX'", "/no/where", "window"):
        assert said in done.stderr
    twice = cli("compare", "one", "other")
    assert twice.returncode == 3 and "one:" in twice.stderr and "other:" in twice.stderr
    assert twice.stderr.count("do: ") == 1
    merged = cli("model", "merge", "a", "--out", "/no/where", "--half-life", "0")
    assert merged.returncode == 2 and "half-life" in merged.stderr and "/no/where" in merged.stderr
    assert "nothing to merge" in merged.stderr and merged.stderr.count("do: ") >= 3
    bench = cli("bench", "pixel", "--train", "a", "--predictions", "/no/where")
    assert bench.returncode == 3 and "a: no such file" in bench.stderr and "/no/where" in bench.stderr
