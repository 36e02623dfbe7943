from __future__ import annotations

import pytest

from powerhal.chips.decode import decode_registers
from powerhal.errors import UsageError


def test_all_inputs_at_once_carry_their_number() -> None:
    raw = {"0x01": b"\x0f\xa0", "0x02": b"\x13\xd8", "0x05": b"\xfe\x20", "0x06": b"\x13\xd8"}
    got = decode_registers("ina3221", {"r_shunt_ohm": 0.005}, raw)
    assert got["i1"] == pytest.approx(4.0)
    assert got["p3"] == pytest.approx(-2.4384)
    assert "p2" not in got


def test_what_cannot_be_known_is_left_out() -> None:
    got = decode_registers("ti,ina226", {}, {"0x01": b"\x1f\x40", "0x02": b"\x25\x70", "0x04": b"\x27\x10"})
    assert got == {"v_shunt": pytest.approx(0.02), "v_bus": pytest.approx(11.98)}


def test_current_lsb_follows_from_the_calibration() -> None:
    got = decode_registers("ina226", {"r_shunt_ohm": 0.002, "calibration": 2560.0}, {"0x04": b"\x27\x10"})
    assert got["i_reg"] == pytest.approx(10.0)


@pytest.mark.parametrize("raw", [{"0x33": b"\0\0"}, {"0x02": b"\0\0\0"}])
def test_registers_that_do_not_exist_or_fit(raw: dict[str, bytes]) -> None:
    with pytest.raises(UsageError):
        decode_registers("ina226", {}, raw)


def test_battery_states() -> None:
    raw = {"0x06": b"\x00\x00", "0x10": b"\x00\x00"}
    assert decode_registers("bq27441", {}, raw)["status"] == "not charging"
    assert "status" not in decode_registers("bq27441", {}, {"0x06": b"\x00\x02"})
