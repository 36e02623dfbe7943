"""`dumpsys batterystats --proto`: a reader of the wire format and the fields of BatteryStatsProto (Android 11)."""

from __future__ import annotations

from typing import IO, Any

from powerhal.android.issues import Issues
from powerhal.android.statistics import Statistics


def looks_like_proto(stream: IO[bytes]) -> bool:
    """Whether a stream begins as a BatteryStatsServiceDumpProto (nothing is consumed)."""
    return False


def read_proto(stream: IO[bytes], issues: Issues) -> tuple[Statistics, dict[str, Any], bool]:
    """The statistics, the versions, and whether the message was whole."""
    raise NotImplementedError
