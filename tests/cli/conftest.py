from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


class Cli:
    """Runs `python -m powerhal` in a temporary folder."""

    def __init__(self, folder: Path, repo: Path):
        self.folder, self.repo = folder, repo
        # small arrays need no compiler: its start would be most of the test's time
        self.env = {**os.environ, "PYTHONPATH": str(repo), "POWERHAL_KERNELS": "numpy", "COLUMNS": "120"}

    def words(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "powerhal", *map(str, words)]

    def __call__(self, *words: str, **more) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.words(*words), check=False, capture_output=True, text=True, cwd=self.folder, env=self.env, **more
        )

    def start(self, *words: str, **more) -> subprocess.Popen[str]:
        return subprocess.Popen(self.words(*words), text=True, cwd=self.folder, env=self.env, **more)


@pytest.fixture
def cli(tmp_path, repo):
    return Cli(tmp_path, repo)
