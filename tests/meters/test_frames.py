from __future__ import annotations

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from powerhal.meters.frames import DATA, HELLO, LIMIT, Frame, FrameDecoder, parse_frame, parse_hello
from tests.meters.firmware import Firmware, cobs_encode, crc16_ccitt_false

CHIPS = {0x40: {0x01: b"\x0f\xa0", 0x02: b"\x00\x00"}, 0x45: {0x09: b"\x00\x01\x02\x03\x04"}}


def test_crc_is_the_catalogues() -> None:
    """CRC-16/CCITT-FALSE, check value of the catalogue of parametrised CRC algorithms (reveng)."""
    assert crc16_ccitt_false(b"123456789") == 0x29B1


def test_one_frame_byte_by_byte() -> None:
    """Type 2, seq 0x0102, time 1000 us, three bytes, one of them zero."""
    body = bytes.fromhex("02 0201 e8030000 03 0fa000")
    frame = cobs_encode(body + crc16_ccitt_false(body).to_bytes(2, "little"))
    assert parse_frame(frame) == Frame(DATA, 0x0102, 1000, bytes.fromhex("0fa000"))


def test_hello_says_who_is_there() -> None:
    frames = FrameDecoder().feed(Firmware(CHIPS, nonce=0xDEADBEEF, period_us=2500).hello())
    assert frames[0].kind == HELLO
    hello = parse_hello(frames[0].payload)
    assert hello is not None
    assert (hello.nonce, hello.period_us) == (0xDEADBEEF, 2500)
    assert hello.chips == ((0x40, ((1, 2), (2, 2))), (0x45, ((9, 5),)))


@given(st.binary(max_size=60))
def test_any_hello_payload_is_parsed_or_refused(payload: bytes) -> None:
    hello = parse_hello(payload)
    assert hello is None or payload[0] == 1


noise = st.binary(max_size=40)
payloads = st.lists(st.tuples(st.binary(max_size=255), noise), max_size=8)


def stream_of(parts: list[tuple[bytes, bytes]]) -> tuple[bytes, list[bytes]]:
    firmware, out, sent = Firmware(CHIPS), b"", []
    for payload, dirt in parts:
        out += dirt + b"\0" + firmware.frame(2, payload)
        sent.append(payload)
    return out, sent


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    marks = sorted({0, len(stream), *(p % (len(stream) + 1) for p in places)})
    return [stream[a:b] for a, b in itertools.pairwise(marks)]


@given(payloads, st.lists(st.integers(0, 10_000), max_size=20))
def test_same_frames_for_every_way_of_cutting(parts: list[tuple[bytes, bytes]], places: list[int]) -> None:
    stream, sent = stream_of(parts)
    whole, pieces = FrameDecoder(), FrameDecoder()
    frames = whole.feed(stream)
    assert [f for piece in cut(stream, places) for f in pieces.feed(piece)] == frames
    assert (whole.damaged, whole.overflows) == (pieces.damaged, pieces.overflows)
    assert [f.payload for f in frames if f.payload in sent][-len(sent) or None :] == sent or not sent


@given(st.integers(0, 2**32), st.integers(0, 30), st.integers(1, 255))
def test_a_damaged_frame_costs_only_itself(seed: int, at: int, flip: int) -> None:
    rng = random.Random(seed)
    firmware = Firmware(CHIPS)
    frames = [firmware.frame(2, rng.randbytes(12)) for _ in range(4)]
    hit = bytearray(frames[1])
    hit[at % (len(hit) - 1)] ^= flip
    decoder = FrameDecoder()
    good = decoder.feed(frames[0] + bytes(hit) + frames[2] + frames[3])
    assert {0, 2, 3} <= {f.seq for f in good}
    assert 1 not in {f.seq for f in good}
    assert decoder.damaged >= 1


def test_endless_garbage_does_not_grow() -> None:
    decoder = FrameDecoder()
    for _ in range(1000):
        decoder.feed(b"\xaa" * 1000)
    assert len(decoder._pending) <= LIMIT
    assert decoder.overflows == 1
    good = decoder.feed(b"\xaa\0" + Firmware(CHIPS).data())
    assert len(good) == 1


@given(st.integers(LIMIT - 3, LIMIT + 3), st.integers(1, LIMIT))
def test_the_limit_is_the_same_for_every_cut(length: int, first: int) -> None:
    run = b"\xaa" * length
    one, two = FrameDecoder(), FrameDecoder()
    one.feed(run + b"\0")
    two.feed(run[:first])
    two.feed(run[first:])
    two.feed(b"\0")
    assert (one.overflows, one.damaged) == (two.overflows, two.damaged)
    assert one.overflows == (length > LIMIT)


@given(st.binary(max_size=3000))
def test_noise_makes_no_frame(data: bytes) -> None:
    assert FrameDecoder().feed(data) == []
