from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def rig(repo: Path) -> Path:
    """The folder of the real-kernel rig; tests that need it are skipped where it is absent."""
    place = Path(os.environ.get("POWERHAL_RIG", repo.parent / "shared" / "rig"))
    if not (place / "umlrun.py").exists():
        pytest.skip("the real-kernel rig is not here (set POWERHAL_RIG)")
    if not shutil.which("busybox"):
        pytest.skip("the rig needs busybox (Debian: apt install busybox-static kmod)")
    return place
