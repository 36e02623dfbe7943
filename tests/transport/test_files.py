from __future__ import annotations

import errno
import functools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powerhal.errors import TransportError
from powerhal.transport.files import CopiedRoot, RealRoot, _inside


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    base = tmp_path / "tree"
    (base / "sys/devices/i2c-1/1-0040/hwmon/hwmon3").mkdir(parents=True)
    (base / "sys/devices/i2c-1/1-0040/hwmon/hwmon3/name").write_text("ina226\n")
    (base / "sys/class/hwmon").mkdir(parents=True)
    (base / "sys/class/hwmon/hwmon3").symlink_to("../../devices/i2c-1/1-0040/hwmon/hwmon3")
    (base / "sys/class/hwmon/hwmon4").symlink_to("/sys/devices/i2c-1/1-0040/hwmon/hwmon3")
    (base / "big").write_bytes(bytes(range(256)) * 300)
    (tmp_path / "secret").write_text("not yours")
    return base


@pytest.mark.parametrize("link", ["hwmon3", "hwmon4"])
def test_links_of_a_copy_lead_inside_it(tree: Path, link: str) -> None:
    root = CopiedRoot(tree)
    assert root.read(f"/sys/class/hwmon/{link}/name") == b"ina226\n"
    assert root.listdir(f"/sys/class/hwmon/{link}") == ["name"]
    assert root.exists(f"/sys/class/hwmon/{link}/name")
    assert not root.exists(f"/sys/class/hwmon/{link}/label")
    assert root.opener(f"/sys/class/hwmon/{link}/name").read() == b"ina226\n"


def test_readlink_gives_the_link_as_stored(tree: Path) -> None:
    assert CopiedRoot(tree).readlink("/sys/class/hwmon/hwmon4") == "/sys/devices/i2c-1/1-0040/hwmon/hwmon3"
    with pytest.raises(TransportError):
        CopiedRoot(tree).readlink("/big")


@pytest.mark.parametrize("target", ["../../secret", "/../../secret", "/etc/passwd", "../../../../../../etc/passwd"])
def test_a_copy_cannot_point_outside(tree: Path, target: str) -> None:
    (tree / "trap").symlink_to(target)
    with pytest.raises(TransportError) as caught:
        CopiedRoot(tree).read("/trap")
    assert caught.value.kind == "absent"


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b", "up", "abs", "loop"]), max_size=12))
def test_no_path_leaves_the_copy(parts: list[str]) -> None:
    base = _labyrinth()
    try:
        place = _inside(base, "/".join(parts))
    except OSError as error:
        assert error.errno == errno.ELOOP
        return
    assert os.path.normpath(place) == base or os.path.normpath(place).startswith(base + "/")
    assert ".." not in place.removeprefix(base).split("/")


@functools.cache
def _labyrinth() -> str:
    base = Path(tempfile.mkdtemp()).resolve()
    (base / "a/b").mkdir(parents=True)
    for name, target in (("up", "../.."), ("abs", "/a/b/up"), ("loop", "loop"), ("a/b/up", "../../../..")):
        (base / name).symlink_to(target)
    return str(base)


def test_link_loops_end(tree: Path) -> None:
    (tree / "a").symlink_to("b")
    (tree / "b").symlink_to("a")
    with pytest.raises(TransportError):
        CopiedRoot(tree).read("/a")
    assert not CopiedRoot(tree).exists("/a")


def test_a_pipe_neither_blocks_nor_is_read(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    for root, path in ((CopiedRoot(tree), "/pipe"), (RealRoot(), str(tree / "pipe"))):
        with pytest.raises(TransportError):
            root.read(path)


def test_large_files_come_whole(tree: Path) -> None:
    assert CopiedRoot(tree).read("/big") == RealRoot().read(str(tree / "big")) == bytes(range(256)) * 300


def test_real_root_reads_proc_and_follows_links() -> None:
    root = RealRoot()
    assert root.read(f"/proc/{os.getpid()}/comm").strip()
    assert root.read("/proc/self/comm").strip()
    assert "version" in root.listdir("/proc")
    assert root.exists("/proc/self")
    assert root.readlink("/proc/self") == str(os.getpid())


def test_real_reader_sees_changes_and_survives_loss(tmp_path: Path) -> None:
    file = tmp_path / "energy_uj"
    file.write_text("1\n")
    reader = RealRoot().opener(str(file))
    assert reader.read() == b"1\n"
    file.write_text("22\n")
    assert reader.read() == b"22\n"
    reader.close()
    reader.close()
    file.unlink()
    with pytest.raises(TransportError) as caught:
        reader.read()
    assert caught.value.kind == "absent"
    file.write_text("3\n")
    assert reader.read() == b"3\n"
    reader.close()


def test_permission_is_denied_not_absent(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    file = tmp_path / "energy_uj"
    file.write_text("1")
    file.chmod(0)
    with pytest.raises(TransportError) as caught:
        RealRoot().read(str(file))
    assert caught.value.kind == "denied"


def test_process_clock_is_that_processs_cpu_time() -> None:
    root = RealRoot()
    before, began = root.process_clock_ns(os.getpid()), time.process_time_ns()
    while time.process_time_ns() - began < 20_000_000:
        pass
    gained, spent = root.process_clock_ns(os.getpid()) - before, time.process_time_ns() - began
    assert 0.98 * spent <= gained + 1_000_000
    assert gained <= spent + 5_000_000


def test_process_clock_of_a_gone_process() -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    with pytest.raises(ProcessLookupError):
        RealRoot().process_clock_ns(child.pid)


def test_a_copy_has_no_process_clock(tree: Path) -> None:
    assert CopiedRoot(tree).process_clock_ns(1) is None


def test_a_copy_must_exist(tmp_path: Path) -> None:
    with pytest.raises(TransportError):
        CopiedRoot(tmp_path / "nowhere")
