from __future__ import annotations

import pytest

from powerhal.chips.flashstream import LONGEST, decode, parse
from powerhal.errors import UsageError


def test_every_command() -> None:
    text = "; a gauge\nW: AA 00 00 FF ; leave\nR: AA 06 2\nC: 16 04 01 02\nX: 1000\n\nW:AA 3e 52\n"
    assert parse(text) == [
        ("write", 0x55, 0x00, "00ff"), ("read", 0x55, 0x06, 2), ("compare", 0x0B, 0x04, "0102"), ("wait_ms", 1000),
        ("write", 0x55, 0x3E, "52"),
    ]  # fmt: skip
    assert decode({}, {"text": b"X: 5"}) == {"ops": [["wait_ms", 5]]}


@pytest.mark.parametrize(
    "line",
    ["Q: 1", "X: soon", "W: AB 00 00", "W: AA", "W: AA 00 0", "C: AA 100 00", "W: AA 00 " + "00 " * (LONGEST + 1)],
)
def test_what_is_no_command_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(UsageError, match="line 2"):
        parse("; head\n" + line)
