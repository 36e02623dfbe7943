"""Which tier is taken, and that asking costs nothing until a kernel is called."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from powerhal.kernels import choice


def run(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_the_room_imports_no_array_library():
    code = "import sys, powerhal.kernels; print([m for m in ('numpy', 'numba', 'llvmlite') if m in sys.modules])"
    assert run(code) == "[]"


def test_plain_python_never_imports_an_array_library():
    code = (
        "import sys; from powerhal import kernels; kernels.warmup();"
        "gram = [[0.0]]; kernels.gram_add(gram, [[2.0], [0.0]]);"
        "assert kernels.nnls(gram, [8.0]) == ([2.0], 0), kernels.nnls(gram, [8.0]);"
        "print(kernels.tier()[0], [m for m in ('numpy', 'numba') if m in sys.modules])"
    )
    assert run(code, POWERHAL_KERNELS="python") == "python []"


@pytest.mark.parametrize("asked", ["numpy", "python", " NumPy "])
def test_the_environment_decides(asked):
    code = "from powerhal import kernels; print(*kernels.tier(), sep='|')"
    name = asked.strip().lower()
    assert run(code, POWERHAL_KERNELS=asked) == f"{name}|POWERHAL_KERNELS={name}"


def test_an_unknown_tier_is_refused():
    code = "from powerhal import kernels\ntry: kernels.tier()\nexcept ValueError as fault: print(fault)"
    assert run(code, POWERHAL_KERNELS="fortran") == "POWERHAL_KERNELS='fortran': choose numba, numpy or python"
    with pytest.raises(ValueError, match="fortran"):
        choice.load("fortran")


@pytest.mark.parametrize(
    ("missing", "tier", "words"),
    [(("numba",), "numpy", "numba cannot be imported"), (("numba", "numpy"), "python", "numpy cannot be imported")],
)
def test_a_missing_library_means_the_next_tier_with_the_reason(missing, tier, words):
    block = "import sys\n" + "".join(f"sys.modules[{name!r}] = None\n" for name in missing)
    code = block + "from powerhal import kernels; kernels.warmup(); print(*kernels.tier(), sep='|')"
    name, reason = run(code, POWERHAL_KERNELS="").split("|")
    assert name == tier
    assert words in reason


def test_numba_is_loaded_only_when_the_work_pays_for_it():
    code = (
        "import sys, numpy as np; from powerhal import kernels; from powerhal.kernels.choice import LOADING_S\n"
        "rows = np.ones((1000, 8)); gram = np.zeros((8, 8)); calls = 0\n"
        "kernels.gram_add(gram, rows); first = kernels.tier()[0]; assert 'numba' not in sys.modules\n"
        "while kernels.tier()[0] == 'numpy' and calls < 10**6: kernels.gram_add(gram, rows); calls += 1\n"
        "assert gram[0, 0] == 1000 * (calls + 1); print(first, kernels.tier()[0], 1e2 < calls < 1e5)"
    )
    assert run(code, POWERHAL_KERNELS="") == "numpy numba True"


def test_every_tier_has_every_kernel_with_the_same_arguments():
    import inspect

    tables = []
    for name in choice.TIERS:
        try:
            tables.append(choice.load(name))
        except ImportError:
            continue
    for kernel in choice.KERNELS:
        shapes = {tuple(inspect.signature(getattr(table, kernel)).parameters) for table in tables}
        assert len(shapes) == 1, kernel
        assert len(next(iter(shapes))) <= 6


def test_reading_text_pays_for_compiling_only_a_great_deal(tmp_path):
    code = (
        "from powerhal.kernels.choice import COMPILING_S, LOADING_S, Choice\n"
        "def taken(work_s): return getattr(Choice().worth(work_s), 'tier', None)\n"
        "print(taken(LOADING_S / 2), taken(2 * LOADING_S), taken(2 * COMPILING_S))"
    )
    empty = {"XDG_CACHE_HOME": str(tmp_path), "NUMBA_CACHE_DIR": "", "POWERHAL_KERNELS": ""}
    assert run(code, **empty) == "None None numba"
    folder = run("from powerhal.kernels import jit; print(jit.FOLDER)", **empty)
    kernel = Path(folder, "kernels_of_some_version", "jit_text.sheets-1.py311.nbi")
    kernel.parent.mkdir()
    kernel.touch()
    assert run(code, **empty) == "None numba numba"
