"""Where compiled code may be kept: only in a folder of this user's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("numba")

from powerhal.kernels import jit


def test_the_cache_is_private(tmp_path, monkeypatch):
    monkeypatch.delenv(jit.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = jit.cache_folder()
    assert folder == str(tmp_path / "powerhal" / "numba")
    assert Path(folder).stat().st_mode & 0o777 == 0o700


def test_a_readable_cache_of_ours_is_closed(tmp_path, monkeypatch):
    monkeypatch.delenv(jit.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = tmp_path / "powerhal" / "numba"
    made.mkdir(parents=True)
    made.chmod(0o755)
    assert jit.cache_folder() == str(made)
    assert made.stat().st_mode & 0o777 == 0o700


def test_the_users_own_choice_wins(tmp_path, monkeypatch):
    monkeypatch.setenv(jit.VARIABLE, str(tmp_path))
    assert jit.cache_folder() == str(tmp_path)


def test_an_unsafe_folder_is_not_used(tmp_path, monkeypatch):
    monkeypatch.delenv(jit.VARIABLE, raising=False)
    for name, make in (
        ("open", lambda place: (place.mkdir(parents=True), place.chmod(0o777))),
        ("file", lambda place: (place.parent.mkdir(), place.write_text("no folder"))),
        ("link", lambda place: (place.parent.mkdir(), place.symlink_to(tmp_path))),
    ):
        base = tmp_path / name
        base.mkdir()
        monkeypatch.setenv("XDG_CACHE_HOME", str(base))
        make(base / "powerhal" / "numba")
        assert jit.cache_folder() == "", name
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert jit.cache_folder() == ""


def test_a_folder_of_somebody_else_is_not_used(tmp_path, monkeypatch):
    monkeypatch.delenv(jit.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(jit.os, "geteuid", lambda: os.getuid() + 1)
    assert jit.cache_folder() == ""


@pytest.mark.parametrize("usable", [True, False])
def test_compiled_kernels_are_kept_only_where_they_may_be(tmp_path, usable):
    base = tmp_path / "cache"
    if not usable:
        base.write_text("a file where a folder should be")
    code = (
        "from powerhal.kernels import tier_numba, jit; print(bool(jit.FOLDER));"
        "assert tier_numba.counter_delta([250, 4], 8).tolist() == [10]"
    )
    environment = {k: v for k, v in os.environ.items() if k != jit.VARIABLE}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "XDG_CACHE_HOME": str(base)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(usable)
    assert bool(list(tmp_path.rglob("*.nbi"))) == usable


def test_other_sources_have_another_cache(tmp_path, monkeypatch):
    for name in ("jit.py", "jit_one.py", "other.py"):
        (tmp_path / name).write_text("1")
    monkeypatch.setattr(jit, "__file__", str(tmp_path / "jit.py"))
    first = jit.digest()
    (tmp_path / "other.py").write_text("2")
    assert jit.digest() == first
    (tmp_path / "jit_one.py").write_text("2")
    assert jit.digest() != first
