"""`python -m benchmarks [NAME ...]`: every module here that has `run() -> list[Row]`; exit 1 if a gate is missed."""

from __future__ import annotations

import os
import sys

# Before anything imports numpy: one BLAS thread, or CPU time means nothing.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from importlib import import_module  # noqa: E402
from pathlib import Path  # noqa: E402

from benchmarks.table import print_table  # noqa: E402


def main(names: list[str]) -> int:
    """Run the named benchmarks (all when none is named) and print their tables."""
    here = Path(__file__).parent
    found = sorted(path.stem for path in here.glob("*.py") if not path.stem.startswith("_") and path.stem != "table")
    if unknown := set(names) - set(found):
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(found)}", file=sys.stderr)
        return 2
    missed = 0
    for name in names or found:
        module = import_module(f"benchmarks.{name}")
        if not hasattr(module, "run"):
            continue
        rows = module.run()
        print_table((module.__doc__ or name).splitlines()[0], rows)
        missed += sum(row.missed() for row in rows)
    print(f"\n{missed} gates missed" if missed else "\nall gates held")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
