"""A short run of the fuzz entries; the long run is `python -m tests.android.fuzz`."""

from __future__ import annotations

from tests.android.fuzz import ENTRIES, mutate_and_run


def test_short_run() -> None:
    for name in ENTRIES:
        assert mutate_and_run(name, executions=400, seed=7) == 400
