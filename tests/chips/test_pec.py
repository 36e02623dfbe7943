"""SMBus error codes: the arithmetic, and sources that use them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powerhal.channel import Quality
from powerhal.chips import find
from powerhal.chips.options import SensorOptions
from powerhal.chips.pec import crc8, read_agrees, read_code
from powerhal.recording.decode import decode_row
from powerhal.transport.clock import VirtualClock
from powerhal.transport.replay import ReplayBus, ReplayChip
from tests.chips.golden import chip_on_bus, genuine


@pytest.mark.parametrize(("text", "code"), [("", 0), ("00", 0), ("01", 0x07), ("313233343536373839", 0xF4)])
def test_crc(text: str, code: int) -> None:
    """The last is the check value of CRC-8/SMBUS over the digits 1 to 9."""
    assert crc8(bytes.fromhex(text)) == code


@given(st.binary(min_size=1, max_size=8), st.integers(0, 63))
def test_one_wrong_bit_is_found(data: bytes, place: int) -> None:
    answer = data + bytes((read_code(0x0B, 0x09, data),))
    assert read_agrees(0x0B, 0x09, answer)
    place %= 8 * len(answer)
    broken = bytearray(answer)
    broken[place // 8] ^= 1 << place % 8
    assert not read_agrees(0x0B, 0x09, bytes(broken))


def test_a_row_with_a_wrong_code_is_missing() -> None:
    chip = find("lc709203f")
    bus, address, model = chip_on_bus(chip)
    source = chip.source(bus, address, SensorOptions("gauge"), VirtualClock())
    source.open()
    good = source.read()
    assert decode_row(source.layout, good.raw)["gauge.voltage"] == pytest.approx(3.812)
    source.clock.sleep_until(source.clock.now_ns() + 2_000_000_000)
    model.registers[0x09] = bytes.fromhex("e40e57")
    bad = source.read()
    assert bad.quality & Quality.MISSING and "check byte" in source.last_fault


def battery(version: int, codes: bool) -> tuple[ReplayBus, ReplayChip]:
    image = genuine(find("sbs")) | {0x1A: bytes((version << 4 | 1, 0))}
    if codes:
        image = {p: d + bytes((read_code(0x0B, p, d),)) for p, d in image.items()}
    model = ReplayChip(image)
    return ReplayBus("i2c-1", {0x0B: model}), model


@pytest.mark.parametrize(("version", "codes", "used"), [(3, True, True), (2, True, False), (3, False, False)])
def test_a_battery_is_asked_for_codes_when_it_has_them(version: int, codes: bool, used: bool) -> None:
    bus, model = battery(version, codes)
    source = find("sbs").source(bus, 0x0B, SensorOptions("pack"), VirtualClock())
    source.open()
    row = source.read()
    assert not row.quality & Quality.MISSING
    assert decode_row(source.layout, row.raw)["pack.voltage"] == pytest.approx(11.7)
    assert bool(source.row.checks) is used
    assert bool([n for n in source.notes if "error codes" in n]) is (version == 3 and not codes)
    if used:
        source.clock.sleep_until(source.clock.now_ns() + 2_000_000_000)
        model.registers[0x09] = b"\xb4\x2d\x00"
        assert source.read().quality & Quality.MISSING
