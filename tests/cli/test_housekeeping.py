from __future__ import annotations

import json
import shutil
import subprocess

import pytest


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completions_name_every_command(cli, tmp_path, shell):
    done = cli("completion", shell)
    assert done.returncode == 0, done.stderr
    for word in ("attribute", "boards", "lint", "--zone", "completion"):
        assert word in done.stdout
    if shutil.which(shell):
        script = tmp_path / "script"
        script.write_text(done.stdout)
        subprocess.run([shell, "-n", script], check=True)


def test_warmup_says_which_tier_it_made_ready(cli):
    found = json.loads(cli("warmup", "--json").stdout)
    assert found["tier"] == "numpy"  # as these tests ask for in POWERHAL_KERNELS
    assert found["seconds"] >= 0
