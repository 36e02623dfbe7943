"""Which jumps between lines of the package an input makes; enough to tell inputs that add something from the rest."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

Jump = tuple[str, int, int]


def reached(entry: Callable[[bytes], None], data: bytes) -> set[Jump]:
    """The (file, line, line) that `entry` goes through in `powerhal.android`; what it raises is not of interest."""
    jumps: set[Jump] = set()

    def called(frame: FrameType, event: str, arg: Any) -> Callable[[FrameType, str, Any], Any] | None:
        name = frame.f_code.co_filename
        if "/powerhal/android/" not in name:
            return None
        last = -frame.f_code.co_firstlineno

        def line(frame: FrameType, event: str, arg: Any) -> Any:
            nonlocal last
            if event == "line":
                jumps.add((name, last, frame.f_lineno))
                last = frame.f_lineno
            return line

        return line

    before = sys.gettrace()
    sys.settrace(called)
    try:
        entry(data)
    except Exception:
        pass  # findings are somebody else's work
    finally:
        sys.settrace(before)
    return jumps
