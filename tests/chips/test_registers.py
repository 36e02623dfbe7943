from __future__ import annotations

import pytest

from powerhal import chips
from powerhal.chips.registers import Bits, Evidence, Register
from powerhal.errors import BoardError

ALL = [chips.load(c) for c in chips.CHIPS]


@pytest.mark.parametrize("chip", ALL, ids=lambda c: c.name)
def test_a_map_is_consistent(chip: chips.ChipType) -> None:  # type: ignore[name-defined]
    names = [r.name for r in chip.registers]
    pointers = [r.address for r in chip.registers]
    assert len(set(names)) == len(names)
    assert len(set(pointers)) == len(pointers)
    for register in chip.registers:
        for part in register.bits:
            width = part.bits or 8 * register.nbytes - part.shift
            assert part.shift + width <= 8 * register.nbytes, (register.name, part.name)
            assert len(part.codes) in (0, 1 << width)
        if register.por is not None:
            assert register.por < 1 << 8 * register.nbytes
    named = {b.name for r in chip.registers for b in r.bits}
    assert {part for row in chip.channels for part in row.of} <= named
    assert {e.register for e in chip.evidence} <= set(names)
    for flag in chip.flags:
        assert flag.bits in {b.name for b in chip.register(flag.register).bits}
    if chip.ready:
        assert chip.ready.bits in {b.name for b in chip.register(chip.ready.register).bits}


@pytest.mark.parametrize("chip", ALL, ids=lambda c: c.name)
def test_every_register_and_part_says_its_width_once(chip: chips.ChipType) -> None:  # type: ignore[name-defined]
    for register in (r for r in chip.registers if not r.check):
        assert register.wire(register.integer(bytes(range(1, register.nbytes + 1)))) == bytes(
            range(1, register.nbytes + 1)
        )


def test_unknown_chip_is_named_with_the_nearest() -> None:
    with pytest.raises(BoardError) as caught:
        chips.load("ti,ina266")
    assert "ti,ina226" in caught.value.hint


def test_part_names_and_compatibles_find_the_same_chip() -> None:
    assert chips.find("INA226") is chips.load("ti,ina226") is chips.find("ti,ina226")
    with pytest.raises(BoardError):
        chips.find("lm75")


def test_scale_needs_what_it_depends_on() -> None:
    bits = Bits("i", lsb=2.5e-6, per="r_shunt_ohm", times="k")
    assert bits.scale({}) is None
    assert bits.scale({"r_shunt_ohm": None, "k": 1.0}) is None
    assert bits.scale({"r_shunt_ohm": 0.01, "k": 2.0}) == pytest.approx(5e-4)


def test_codes_are_found_within_one_percent() -> None:
    bits = Bits("t", bits=2, codes=(140e-6, 204e-6, 332e-6, 588e-6))
    assert bits.code(0.000333) == 2
    with pytest.raises(ValueError, match="choose from"):
        bits.code(0.0003)


def test_byte_order_of_the_wire() -> None:
    assert Register("a", 0, order="little").integer(b"\x34\x12") == 0x1234
    assert Register("a", 0).wire(0x1234) == b"\x12\x34"


def test_evidence() -> None:
    assert Evidence("id", 0x2260, 0xFFF0).holds(0x2261)
    assert not Evidence("id", 0x5449).holds(0x4954)
    assert Evidence("t", span=(1, 3)).holds(3)
    assert not Evidence("t", span=(1, 3)).holds(4)
    assert not Evidence("c", 0xFFFF, differs=True).holds(0xFFFF)
