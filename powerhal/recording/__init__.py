"""One file per run: written with the standard library alone, read back with numpy.

The names are resolved on first use, so that the recording process never imports the reader.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from powerhal.recording.counters import Increments as Increments
    from powerhal.recording.counters import counter_increments as counter_increments
    from powerhal.recording.reader import Recording as Recording
    from powerhal.recording.series import Series as Series
    from powerhal.recording.series import SourceInfo as SourceInfo
    from powerhal.recording.series import UsageTable as UsageTable
    from powerhal.recording.writer import RecordingWriter as RecordingWriter

_NAMES = {
    "Recording": "reader",
    "Series": "series",
    "SourceInfo": "series",
    "UsageTable": "series",
    "Increments": "counters",
    "counter_increments": "counters",
    "RecordingWriter": "writer",
}

__all__ = [
    "Increments", "Recording", "RecordingWriter", "Series", "SourceInfo", "UsageTable", "counter_increments",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _NAMES:
        raise AttributeError(f"module 'powerhal.recording' has no attribute {name!r}")
    return getattr(import_module(f"powerhal.recording.{_NAMES[name]}"), name)
