"""User ids as Android writes them: `1000`, `u0a12`, `u10a33`, `u0i7`, `u0ai3`, `u999s1027`; users never merge."""

from __future__ import annotations

import re

PER_USER = 100_000
# letter group -> first app id of its range (android.os.Process, UserHandle.formatUid)
RANGES = {"a": 10_000, "i": 99_000, "ai": 90_000, "s": 0}
TEXT = re.compile(r"u([0-9]{1,6})(ai|a|i|s)([0-9]{1,6})", re.ASCII)


def parse_uid(text: str) -> int | None:
    """The full number of a uid as printed (user * 100000 + app id); None when it is none."""
    text = text.strip()
    found = TEXT.fullmatch(text)
    if found:
        return int(found[1]) * PER_USER + RANGES[found[2]] + int(found[3])
    return int(text) if re.fullmatch(r"-?[0-9]{1,12}", text, re.ASCII) else None


def user(uid: int) -> int:
    """The Android user (0 is the owner) a uid belongs to."""
    return uid // PER_USER if uid >= 0 else 0


def app_id(uid: int) -> int:
    """The uid without its user."""
    return uid % PER_USER if uid >= 0 else uid


def isolated(uid: int) -> bool:
    """Whether a uid is a sandboxed process without a package of its own."""
    return 90_000 <= app_id(uid) < PER_USER
