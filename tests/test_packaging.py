"""What is shipped works where the repository is not."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    out = tmp_path_factory.mktemp("dist")
    code = f"from hatchling.build import build_wheel; print(build_wheel({str(out)!r}))"
    subprocess.run([sys.executable, "-c", code], cwd=REPO, check=True, capture_output=True)
    return next(out.glob("*.whl"))


def test_wheel_holds_boards_licences_and_tools(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    boards = {p.name for p in (REPO / "boards").glob("*.yaml")}
    assert boards and boards == {n.rsplit("/", 1)[1] for n in names if n.startswith("powerhal/_data/boards/")}
    for needed in ("powerhal/py.typed", "powerhal/_data/echarts/LICENSE", "powerhal/_data/report/page.js"):
        assert needed in names
    assert any(n.startswith("firmware_tools/") for n in names)
    assert not [n for n in names if n.startswith(("tests/", "boards/", "benchmarks/"))]


def test_installed_elsewhere_lists_its_boards(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(site)
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        "import powerhal, powerhal.cli\n"
        f"assert powerhal.__file__.startswith({str(site)!r}), powerhal.__file__\n"
        "sys.exit(powerhal.cli.main(['boards', 'list', '--json']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    listed = {b["name"] for b in json.loads(done.stdout)}
    assert {"sim-phone", "linux-host", "odroid-xu3"} <= listed
