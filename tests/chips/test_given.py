"""What people give to `chips decode`: many names of one setting, shapes of reads, mistakes that are told."""

from __future__ import annotations

from typing import Any

import pytest

from powerhal import chips
from powerhal.chips.decode import decode_registers
from powerhal.chips.given import check_config, own_name, plain_config
from powerhal.chips.pec import read_code
from powerhal.errors import BoardError, UsageError


@pytest.mark.parametrize(
    ("name", "value", "ohms"),
    [
        ("r_shunt_ohm", 0.01, 0.01), ("rs_ohm", 0.02, 0.02), ("r_sense_ohm", 0.05, 0.05), ("r_sense_mohm", 10, 0.01),
        ("r_shunt_uohm", 500, 0.0005), ("rsense_mohm", 20, 0.02), ("shunt_ohm", 0.1, 0.1), ("rshunt_ohms", 1, 1.0),
        ("r_shunt_ohm", "10mOhm", 0.01), ("res_div", 2, 0.02),
    ],
)  # fmt: skip
def test_a_shunt_has_many_names(name: str, value: object, ohms: float | None) -> None:
    assert plain_config({name: value}).get("r_shunt_ohm") == pytest.approx(ohms)


@pytest.mark.parametrize(
    ("chip", "config", "words"),
    [
        ("ina219", {"r_shunt": 0.1}, "r_shunt_ohm"), ("ina226", {"curent_lsb": 1e-3}, "current_lsb"),
        ("ina3221", {"chanel": 2}, "channel"), ("pac1934", {"bidirectionel": True}, "bidirectional"),
        ("ltc2941", {"prescaler": 7}, "prescaler_code"), ("ina228", {"adc_range": 1}, "adcrange"),
    ],
)  # fmt: skip
def test_a_misspelt_setting_is_an_error_that_names_the_right_one(chip: str, config: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_config(chips.find(chip), config)
    assert words in caught.value.hint


@pytest.mark.parametrize(
    ("chip", "config", "words"),
    [
        ("ina219", {"r_shunt_ohm": "abc"}, "not a number"), ("ina219", {"r_shunt_ohm": -1}, "greater than 0"),
        ("ina219", {"current_lsb": 0}, "greater than 0"), ("pac1932", {"channel": 3}, "2 input"),
        ("ina3221", {"channel": 1.5}, "3 input"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_an_error(chip: str, config: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        decode_registers(chip, config, {"0x01": b"\x00\x01"})


def test_settings_of_somebody_else_are_named_and_left_out() -> None:
    config = {"r_shunt_ohm": None, "baud_of_the_line": 1, "byte_order": "big", "register": "shunt_sum", "addr": 64}
    assert check_config(chips.find("ina219"), config) == ["baud_of_the_line"]
    assert own_name("baud_of_the_line") == ("baud_of_the_line", 1.0)


def test_an_unknown_register_is_told_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="no register 0x33") as caught:
        decode_registers("ina219", {}, {"0x33": b"\0\0"})
    assert "0x02 bus" in caught.value.hint
    with pytest.raises(UsageError, match=r"0x02 \(bus\) has 2 bytes, not 3"):
        decode_registers("ina219", {}, {"0x02": b"\0\0\0"})


@pytest.mark.parametrize("name", ["ina291", "bq27", ""])
def test_an_unknown_chip_is_told(name: str) -> None:
    with pytest.raises(BoardError, match="is known"):
        decode_registers(name, {}, {"0x01": b"\0\0"})


def test_smbus_words_may_carry_their_error_code() -> None:
    data = (12345).to_bytes(2, "little")
    code = read_code(0x0B, 0x09, data)
    assert decode_registers("sbs", {}, {"0x09": data}) == {"v": pytest.approx(12.345)}
    assert decode_registers("sbs", {}, {"0x09": data + bytes((code,))}) == {"v": pytest.approx(12.345)}
    bad = decode_registers("sbs", {"addr": 11}, {"0x09": data + bytes((code ^ 1,)), "0x0d": b"\x32\x00"})
    assert bad == {"v": pytest.approx(12.345), "soc_pct": 50, "error": "crc"}
    with pytest.raises(UsageError):
        decode_registers("ina219", {}, {"0x01": data + b"\0"})


def test_a_block_may_come_without_its_length() -> None:
    body = bytes.fromhex("010203040506")
    assert decode_registers("ina233", {}, {"0x86": body}) == decode_registers("ina233", {}, {"0x86": b"\x06" + body})


@pytest.mark.parametrize(
    ("chip", "reads"),
    [
        ("max17048", {"0x02": "c3504880"}), ("bq27541", {"0x06": "a50b800e0000"}),
        ("axp209", {"0x78": "c5", "0x79": "0a"}), ("ltc2943", {"0x00": "013c7fff"}),
        ("stc3117", {"0x02": "0090", "0x0a": "19"}), ("ds2782", {"0x0a": "19006120fd80"}),
    ],
)  # fmt: skip
def test_reads_that_go_on_are_the_registers_one_by_one(chip: str, reads: dict[str, str]) -> None:
    config = {"r_sense_ohm": 0.01}
    memory = {int(at, 16) + i: byte for at, text in reads.items() for i, byte in enumerate(bytes.fromhex(text))}
    single = {
        f"0x{r.address:02x}": bytes(memory[r.address + i] for i in range(r.nbytes))
        for r in chips.find(chip).registers
        if all(r.address + i in memory for i in range(r.nbytes))
    }
    whole = decode_registers(chip, config, {at: bytes.fromhex(text) for at, text in reads.items()})
    assert whole == decode_registers(chip, config, single)
    assert len(single) >= len(reads) - (chip == "axp209")


def test_a_long_read_is_refused_where_a_chip_does_not_go_on() -> None:
    with pytest.raises(UsageError, match="not 4"):
        decode_registers("ina226", {}, {"0x01": bytes(4)})
