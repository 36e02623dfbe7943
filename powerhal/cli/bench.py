"""`powerhal bench`: accuracy on real measurements, the baselines beside it.

Each row of `DATA_SETS` names a module under powerhal.cli whose `add(subparsers)` registers one data set and
sets `run`; the modules import nothing heavy at the top.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from importlib import import_module
from typing import Any

# In the order of `powerhal bench --help`.
DATA_SETS: tuple[str, ...] = ("bench_xu3", "bench_pixel", "bench_freq", "bench_gauge", "bench_drift")


CSV = "give the .csv or .csv.gz file that the data set's page names; docs/accuracy.md says which"


def count(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"{text!r} is not 1 or more (a whole number)")
    return int(text)


def add(commands: Any) -> None:
    """Register `bench` and its data sets."""
    p = commands.add_parser(
        "bench",
        help="accuracy on real measurements",
        description="Accuracy on real measurements, the baselines beside it.",
    )
    sets = p.add_subparsers(title="data sets", metavar="DATA", required=True)
    for module in DATA_SETS:
        import_module(f"powerhal.cli.{module}").add(sets)
