from __future__ import annotations

import os
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def repo() -> Path:
    return REPO


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with reference data; tests that need it are skipped where it is absent."""
    place = Path(os.environ.get("POWERHAL_SHARED", REPO.parent / "shared"))
    if not (place / "README.md").exists():
        pytest.skip("reference data not present (set POWERHAL_SHARED)")
    return place
