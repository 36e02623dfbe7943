"""The probe's wire format: COBS frames with a CRC, decoded as a pure function of the byte stream.

    frame = COBS(body) 0x00
    body  = type u8 | seq u16 | mcu_us u32 | n u8 | payload n bytes | crc u16        all little-endian

CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF, no reflection) over everything before it. `seq` counts
every frame of a boot, modulo 65536; `mcu_us` is the probe's microsecond clock when the registers were read,
modulo 2**32. Types:

    HELLO   0x01  payload: version u8 (1) | boot nonce u32 | period_us u32 | chips u8 |
                  per chip: address u8, registers u8, then per register: pointer u8, bytes u8
    DATA    0x02  payload: the registers' wire bytes, in the order of HELLO
    PARTIAL 0x03  payload: bit mask u8 of the chips that did not answer (bit 0: the first) | as DATA, zeros there

The probe sends HELLO when it starts, once a second, and when the host sends the byte 0x3F ('?').
"""

from __future__ import annotations

import struct
from binascii import crc_hqx
from dataclasses import dataclass

from cobs import cobs

HELLO, DATA, PARTIAL = 1, 2, 3
VERSION = 1
ASK = b"?"
LIMIT = 4096  # bytes without a delimiter that are kept

_HEAD = struct.Struct("<BHIB")
_HELLO = struct.Struct("<BIIB")
_CRC = struct.Struct("<H")


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame whose CRC is right."""

    kind: int
    seq: int
    mcu_us: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Hello:
    """Who is talking: boot nonce, time between data frames, (address, ((pointer, bytes), ...)) of each chip."""

    nonce: int
    period_us: int
    chips: tuple[tuple[int, tuple[tuple[int, int], ...]], ...]


def stuff(plain: bytes) -> bytes:
    """COBS of `plain` as its authors define it (a run of 254 bytes that ends the message is closed by a 01)."""
    out = bytearray()
    for group in plain.split(b"\x00"):
        whole = len(group) - len(group) % 254
        for at in range(0, whole, 254):
            out += b"\xff" + group[at : at + 254]
        out += bytes((len(group) - whole + 1,)) + group[whole:]
    return bytes(out)


def unstuff(encoded: bytes) -> bytes | None:
    """What `stuff` took, with or without that last 01; None when it is no COBS."""
    try:
        return bytes(cobs.decode(encoded))
    except cobs.DecodeError:
        return None


def parse_frame(segment: bytes) -> Frame | None:
    """The frame between two delimiters, None when it is damaged."""
    body = unstuff(segment)
    if body is None:
        return None
    if len(body) < _HEAD.size + _CRC.size or crc_hqx(body[:-2], 0xFFFF) != _CRC.unpack(body[-2:])[0]:
        return None
    kind, seq, mcu_us, count = _HEAD.unpack_from(body)
    payload = body[_HEAD.size : -2]
    return Frame(kind, seq, mcu_us, payload) if len(payload) == count else None


def parse_hello(payload: bytes) -> Hello | None:
    """The content of a HELLO frame, None for another version or a length that does not fit."""
    if len(payload) < _HELLO.size or payload[0] != VERSION:
        return None
    _, nonce, period_us, count = _HELLO.unpack_from(payload)
    rest, chips = payload[_HELLO.size :], []
    for _ in range(count):
        if len(rest) < 2 or len(rest) < 2 + 2 * rest[1]:
            return None
        address, registers = rest[0], rest[1]
        pairs = rest[2 : 2 + 2 * registers]
        chips.append((address, tuple(zip(pairs[::2], pairs[1::2], strict=True))))
        rest = rest[2 + 2 * registers :]
    return Hello(nonce, period_us, tuple(chips)) if not rest else None


class FrameDecoder:
    """Bytes in any pieces to frames: the same frames for every way of cutting the stream.

    `damaged` counts segments that are not a frame, `overflows` runs of more than `LIMIT` bytes without a
    delimiter, which are dropped up to the next one. A damaged frame never costs the one after it.
    """

    def __init__(self) -> None:
        self.damaged = 0
        self.overflows = 0
        self._pending = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes."""
        *whole, rest = data.split(b"\x00")
        frames = []
        for segment in whole:
            self._keep(segment)
            frame = self._close()
            if frame is not None:
                frames.append(frame)
        self._keep(rest)
        return frames

    def _keep(self, part: bytes) -> None:
        if self._skipping:
            return
        if len(self._pending) + len(part) > LIMIT:
            self.overflows += 1
            self._skipping = True
            self._pending.clear()
            return
        self._pending += part

    def _close(self) -> Frame | None:
        """A delimiter came."""
        segment, skipped = bytes(self._pending), self._skipping
        self._pending.clear()
        self._skipping = False
        if skipped or not segment:
            return None
        frame = parse_frame(segment)
        if frame is None:
            self.damaged += 1
        return frame
