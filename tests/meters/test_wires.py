"""Frames of meters and batteries: damage, odd values and what the golden vectors do not show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powerhal.errors import BoardError, UsageError
from powerhal.meters import daly, jbd, jk, ppk2, vedirect
from powerhal.meters.frames import stuff, unstuff
from powerhal.meters.wires import TITLES, WIRES, decode_wire


def test_every_name_has_a_title_and_a_decoder() -> None:
    assert set(TITLES) == set(WIRES)
    with pytest.raises(BoardError):
        decode_wire("nothing", {}, {})


@given(st.binary(max_size=600))
def test_stuffing_and_back(plain: bytes) -> None:
    encoded = stuff(plain)
    assert 0 not in encoded
    assert unstuff(encoded) == plain


def test_no_cobs_is_an_error_and_not_an_exception() -> None:
    assert decode_wire("cobs", {}, {"encoded": b"\x05\x01"}) == {"error": "cobs"}
    assert decode_wire("cobs", {}, {"encoded": b"\x03\x11\x22\x02\x33\x00"}) == {"plain": "11220033"}


def vedirect_block(text: str) -> bytes:
    body = text.encode() + b"\r\nChecksum\t"
    return body + bytes((-sum(body) % 256,))


def test_vedirect_unknown_values_are_none() -> None:
    frame = vedirect_block("\r\nV\t12800\r\nTTG\t-1\r\nSOC\t---\r\nT\t-5\r\nPID\t0xA042")
    assert decode_wire("vedirect_text", {}, {"frame": frame}) == {
        "v": 12.8,
        "ttg_min": None,
        "soc_pct": None,
        "t_c": -5,
    }


def test_vedirect_hex_messages_are_not_part_of_a_block() -> None:
    whole = vedirect_block("\r\nV\t12800\r\nI\t-200")
    mixed = whole.replace(b"\r\nI", b":A0102000543\n\r\nI")
    found, rest = vedirect.blocks(mixed + b"\r\nV\t1")
    assert found == [whole] and rest == b"\r\nV\t1"


@given(st.integers(0, 40), st.integers(1, 255))
def test_vedirect_damage_is_found(at: int, change: int) -> None:
    frame = bytearray(vedirect_block("\r\nV\t12800\r\nI\t-200"))
    frame[at % len(frame)] = (frame[at % len(frame)] + change) % 256
    assert vedirect.decode({}, {"frame": bytes(frame)}).get("error") in ("checksum", "length")


def jbd_frame(register: int, data: bytes, status: int = 0) -> bytes:
    body = bytes((status, len(data))) + data
    return bytes((0xDD, register)) + body + (-sum(body) & 0xFFFF).to_bytes(2, "big") + b"\x77"


def test_jbd_status_hardware_and_unknown_registers() -> None:
    assert jbd.decode({}, {"frame": jbd_frame(5, b"SP15S001")}) == {"hardware": "SP15S001"}
    assert jbd.decode({}, {"frame": jbd_frame(3, b"", 0x80)}) == {"error": "status"}
    assert jbd.decode({}, {"frame": jbd_frame(9, b"1")}) == {"error": "register"}
    assert jbd.decode({}, {"frame": jbd_frame(3, b"123")}) == {"error": "length"}
    assert jbd.decode({}, {"frame": b"\xdd\x03"}) == {"error": "length"}


def test_jbd_a_date_that_is_no_day_is_unknown() -> None:
    data = bytearray(25)
    data[10:12] = b"\x20\x00"
    assert jbd.basic(bytes(data))["mfg_date"] is None


def test_jbd_three_stray_bytes_do_not_pass() -> None:
    good = jbd_frame(3, bytes(27))
    assert jbd.decode({}, {"frame": good[:20] + b"\xaa\xbb\xcc" + good[20:]}) == {"error": "checksum"}


def daly_frame(command: int, data: bytes) -> bytes:
    body = bytes((0xA5, 0x01, command, 8)) + data
    return body + bytes((sum(body) & 0xFF,))


@pytest.mark.parametrize(
    ("command", "data", "want"),
    [
        (0x91, "0f6601 0f3702 0000", {"cell_v_max": 3.942, "cell_max": 1, "cell_v_min": 3.895, "cell_min": 2}),
        (0x92, "41014002 00000000", {"t_max_c": 25, "t_min_c": 24}),
        (0x93, "02010100 0000c350", {"status": "discharging", "charge_fet": True, "charge_ah": 50.0}),
        (0x94, "10020000 00001100", {"cells": 16, "sensors": 2, "cycles": 17}),
        (0x95, "020ce40ce50ce600", {"cell4_v": 3.3, "cell5_v": 3.301, "cell6_v": 3.302}),
    ],
)
def test_daly_commands(command: int, data: str, want: dict[str, object]) -> None:
    got = daly.decode({}, {"frame": daly_frame(command, bytes.fromhex(data))})
    assert want.items() <= got.items()


def test_daly_damage() -> None:
    frame = daly_frame(0x90, bytes(8))
    assert daly.decode({}, {"frame": frame[:-1] + b"\x00"}) == {"error": "checksum"}
    assert daly.decode({}, {"frame": frame[:-1]}) == {"error": "length"}
    assert daly.decode({}, {"frame": daly_frame(0xD8, bytes(8))}) == {"error": "command"}


@pytest.mark.parametrize(
    ("word", "version", "amperes"),
    [(0x80D0, 1, 2.08), (0x00D0, 1, -2.08), (10000, 0, 0.0), (9900, 0, 1.0), (10100, 0, -1.0)],
)
def test_jk_signs(word: int, version: int, amperes: float) -> None:
    assert jk.amperes(word, version) == pytest.approx(amperes)


def test_jk_below_zero_and_damage() -> None:
    assert jk.values({0x80: b"\x00\x1d", 0x81: b"\x00\x69"}) == {"t_mosfet_c": 29, "t1_c": -5}
    assert jk.decode({}, {"frame": b"NW\x00\x05"})["error"] == "length"


def test_ppk2_needs_four_bytes_and_resistors_for_the_current() -> None:
    assert "i" not in ppk2.decode({}, {"word_le": bytes(4)})
    with pytest.raises(UsageError):
        ppk2.decode({}, {"word_le": bytes(3)})
    each = {"O": [0, 100, 0, 0, 0]}
    got = ppk2.decode(
        {"R_ohm": [1000, 100, 10, 1, 0.1], "gains": each}, {"word_le": (0x4000 | 1000).to_bytes(4, "little")}
    )
    assert got["i"] == pytest.approx((4000 - 100) * 1.8 / 163840 / 100)
