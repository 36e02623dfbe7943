from __future__ import annotations

from pathlib import Path

import pytest

from powerhal.android.output import replaced


def test_a_failure_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("before")
    with pytest.raises(ZeroDivisionError), replaced(path) as stream:
        stream.write(b"half")
        raise ZeroDivisionError
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_may_be_written_over_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("a\nb\n")
    path.chmod(0o640)
    with path.open() as source, replaced(path) as stream:
        stream.writelines(line.encode() * 2 for line in source)
    assert path.read_text() == "a\na\nb\nb\n"
    assert path.stat().st_mode & 0o777 == 0o640


def test_modes_and_links(tmp_path: Path) -> None:
    path, link = tmp_path / "out", tmp_path / "link"
    link.symlink_to(path)
    with replaced(link, mode=0o600) as stream:
        stream.write(b"x")
    assert link.is_symlink() and path.read_bytes() == b"x" and path.stat().st_mode & 0o777 == 0o600


def test_a_device_stays_a_device() -> None:
    with replaced("/dev/null") as stream:
        stream.write(b"x")
    assert Path("/dev/null").is_char_device()


@pytest.mark.parametrize("name", ["none/out", "."])
def test_an_error_names_the_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OSError) as error, replaced(name):
        pass
    assert error.value.filename in (name, str(tmp_path))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_names_the_file() -> None:
    with pytest.raises(OSError) as error, replaced("/dev/full") as stream:
        stream.write(b"x")
        stream.flush()
    assert error.value.filename == "/dev/full"
