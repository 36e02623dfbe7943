"""TI FlashStream files (.bqfs, .dffs, .gm.fs): the commands that program a gauge, read and never run here.

Grammar from TI SLUA541 and SLUA801: one command a line; `W: AA reg bytes` writes, `R: AA reg n` reads n bytes,
`C: AA reg bytes` compares, `X: ms` waits; `;` starts a comment. AA is the 8-bit write address, bytes are hex, counts
and times decimal, at most 96 data bytes a line.
"""

from __future__ import annotations

from collections.abc import Mapping

from powerhal.errors import UsageError

LONGEST = 96
Operation = tuple[str, ...] | tuple[str, int] | tuple[str, int, int, str] | tuple[str, int, int, int]


def parse(text: str) -> list[Operation]:
    """The operations: (write|compare, 7-bit address, register, hex), (read, address, register, n), (wait_ms, n).

    Raises UsageError with the line's number for anything else.
    """
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition(";")[0].split()
        if not words:
            continue
        try:
            found.append(_operation(words))
        except (ValueError, IndexError) as error:
            raise UsageError(f"line {number}: {line.strip()!r} is no FlashStream command ({error})") from None
    return found


def _operation(words: list[str]) -> Operation:
    kind, _, rest = words[0].partition(":")
    if not words[0].endswith(":"):
        words = [f"{kind}:", rest, *words[1:]]
    if kind == "X":
        return ("wait_ms", int(words[1]))
    if kind not in ("W", "C", "R"):
        raise ValueError(f"unknown command {kind!r}")
    wire, register = int(words[1], 16), int(words[2], 16)
    if wire > 0xFF or wire & 1 or register > 0xFF:
        raise ValueError("an address is the even 8-bit one, a register one byte")
    if kind == "R":
        return ("read", wire >> 1, register, int(words[3]))
    data = bytes.fromhex("".join(words[3:]))
    if len(data) > LONGEST:
        raise ValueError(f"{len(data)} bytes, more than {LONGEST}")
    return ({"W": "write", "C": "compare"}[kind], wire >> 1, register, data.hex())


def decode(config: Mapping[str, object], raw: Mapping[str, bytes]) -> dict[str, object]:
    """`ops` of a file given as `text`."""
    return {"ops": [list(operation) for operation in parse(raw.get("text", b"").decode("utf-8", "replace"))]}
