"""F09: shifted or torn bytes without an error: a check byte where the chip has one, else a second read; wide registers
in one piece; a word of warning where the adapter is known for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal.board.assembly import assemble
from powerhal.board.load import parse
from powerhal.channel import Quality
from tests.board.test_assembly import BenchWorld
from tests.faults.faulty import Bench, row
from tests.host.trees import write


@pytest.mark.parametrize("compatible", ["onnn,lc709203f", "sbs,sbs-battery"])
@pytest.mark.parametrize("bit", [0, 3, 9, 14])
def test_f09_a_flipped_bit_is_no_reading(compatible: str, bit: int) -> None:
    bench = Bench({0x0B: compatible})
    source = bench.opened(compatible, 0x0B, 1.0)
    assert not row(source)[1] & Quality.MISSING

    def flip(address: int, write: bytes, answer: bytes) -> bytes:
        if write != b"\x09" or len(answer) < 3:
            return answer
        return (int.from_bytes(answer, "little") ^ 1 << bit).to_bytes(len(answer), "little")

    bench.bus.spoil = flip
    bench.wait(1.0)
    assert row(source)[1] & Quality.MISSING
    assert "check byte" in source.last_fault
    bench.bus.spoil = lambda address, write, answer: answer
    bench.wait(1.0)
    assert not row(source)[1] & Quality.MISSING


@pytest.mark.parametrize("compatible", ["ti,ina228", "ti,ina780", "microchip,pac1934"])
def test_f09_wide_registers_are_one_transfer(compatible: str) -> None:
    address = 0x10 if compatible.startswith("microchip") else 0x44
    bench = Bench({address: compatible})
    source = bench.opened(compatible, address)
    pointers = [x.write for x in source.row.xfers]
    assert len(pointers) == len(set(pointers)), "no register is read twice for one row"
    widths = {r.address: r.nbytes for r in source.chip.registers}
    assert all(x.read == widths[x.write[0]] for x in source.row.xfers if x.read)
    assert max(x.read for x in source.row.xfers) >= 5


# ---- chips without a check byte: what jumps further than it can is read again
def torn(pointer: bytes, times: int, change: Callable[[int], int]) -> Callable[[int, bytes, bytes], bytes]:
    """Spoils the next `times` answers of a register."""
    left = [times]

    def spoil(address: int, write: bytes, answer: bytes) -> bytes:
        if write != pointer or left[0] == 0 or len(answer) < 2:
            return answer
        left[0] -= 1
        return (change(int.from_bytes(answer, "big")) & 0xFFFF).to_bytes(2, "big")

    return spoil


@pytest.mark.parametrize(
    ("compatible", "pointer"), [("ti,ina226", b"\x02"), ("ti,ina238", b"\x05"), ("ti,ina209", b"\x04")]
)
def test_f09_a_shifted_word_is_read_again(compatible: str, pointer: bytes) -> None:
    bench = Bench({0x40: compatible})
    source = bench.opened(compatible)
    before, quality = row(source)
    assert not quality & Quality.NOISY
    for change in (lambda word: word << 1, lambda word: word >> 1):
        bench.bus.spoil = torn(pointer, 1, change)
        bench.wait(0.1)
        values, quality = row(source)
        assert values == pytest.approx(before, rel=1e-6)
        assert quality & Quality.NOISY
        bench.wait(0.1)
        assert not row(source)[1] & Quality.NOISY


def test_f09_the_bytes_of_the_register_before_are_not_this_one() -> None:
    """The Pi's other fault: two reads answer the same."""
    bench = Bench({0x40: "ti,ina226"}, amperes=3.0, volts=4.0)
    source = bench.opened("ti,ina226")
    before, _ = row(source)
    last = [b""]

    def repeat(address: int, write: bytes, answer: bytes) -> bytes:
        if write == b"\x01" and last[0] == b"":
            last[0] = answer
            bench.bus.chips[address].write(b"\x02")
            return bench.bus.chips[address].read(2)
        return answer

    bench.bus.spoil = repeat
    bench.wait(0.1)
    values, quality = row(source)
    assert values == pytest.approx(before)
    assert quality & Quality.NOISY


def test_f09_a_real_jump_costs_one_more_read_and_no_flag() -> None:
    bench = Bench({0x40: "ti,ina226"})
    source = bench.opened("ti,ina226")
    row(source)
    bench.supply.voltage_v = 12.0
    bench.wait(0.1)
    asked = len(bench.bus.asked)
    values, quality = row(source)
    assert values["r1.voltage"] == pytest.approx(12.0, abs=1e-3)
    assert quality == Quality.OK
    transfers = len(source.row.xfers)
    assert len(bench.bus.asked) - asked == 2 * transfers
    bench.wait(0.1)
    asked = len(bench.bus.asked)
    row(source)
    assert len(bench.bus.asked) - asked == transfers


def test_f09_reads_that_never_agree_are_no_reading() -> None:
    bench = Bench({0x40: "ti,ina226"})
    source = bench.opened("ti,ina226")
    row(source)
    turns = iter((1, 2, 3, 1, 2, 3))
    bench.bus.spoil = torn(b"\x02", 3, lambda word: word << next(turns))
    bench.wait(0.1)
    reading = source.read()
    assert reading.quality & Quality.MISSING
    assert source.last_kind == "corrupt"


def test_f09_a_gauge_is_not_asked_again_at_once() -> None:
    """It must not be polled so fast: a jump counts when the next row confirms it."""
    bench = Bench({0x55: "ti,bq27441"})
    source = bench.opened("ti,bq27441", 0x55, 1.0)
    row(source)
    bench.bus.spoil = torn(b"\x04", 1, lambda word: word << 1)
    bench.wait(1.0)
    asked = len(bench.bus.asked)
    reading = source.read()
    assert reading.quality & Quality.MISSING
    assert len(bench.bus.asked) - asked == len(source.row.xfers)
    assert source.read().quality & Quality.STALE, "a retry at once is answered from the last row"
    bench.wait(1.0)
    values, quality = row(source)
    assert values["r1.voltage"] == pytest.approx(3.7, abs=1e-3)
    assert not quality & (Quality.NOISY | Quality.MISSING)
    bench.supply.voltage_v = 2.6
    bench.wait(1.0)
    assert row(source)[1] & Quality.MISSING
    bench.wait(1.0)
    values, quality = row(source)
    assert values["r1.voltage"] == pytest.approx(2.6, abs=1e-3)
    assert not quality & Quality.MISSING


def test_f09_torn_rows_are_counted() -> None:
    bench = Bench({0x40: "ti,ina226"})
    source = bench.opened("ti,ina226")
    row(source)
    bench.bus.spoil = torn(b"\x02", 1, lambda word: word << 1)
    sampler, _ = bench.sample([source], 1.0)
    assert sampler.health["s40"].noisy == 1
    assert sampler.health["s40"].missing == 0


@given(
    volts=st.floats(3.0, 4.3), amperes=st.floats(-3.0, 3.0), shift=st.integers(1, 4), left=st.booleans(),
    word=st.sampled_from([b"\x02", b"\x01"]),
)  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_f09_a_torn_word_moves_a_value_little_or_not_at_all(
    volts: float, amperes: float, shift: int, left: bool, word: bytes
) -> None:
    """What is not noticed is within the slew: a fifth of the volts, a quarter of the shunt's range."""
    bench = Bench({0x40: "ti,ina226"}, amperes=amperes, volts=volts)
    source = bench.opened("ti,ina226")
    row(source)
    bench.bus.spoil = torn(word, 1, lambda w: w << shift if left else w >> shift)
    bench.wait(0.1)
    values, _ = row(source)
    assert values["r1.voltage"] == pytest.approx(volts, abs=0.2 * volts + 0.11)
    assert values["r1.current"] == pytest.approx(amperes, abs=0.25 * 16.384 + 0.001)


STRETCHING = """
schema: 1
name: pi
title: a gauge on a Raspberry Pi
buses: {main: {kind: i2c, device: /dev/i2c-1}, far: {kind: mux, parent: main, address: 0x70, channel: 2}}
sensors:
  gauge: {chip: "CHIP", bus: BUS, address: ADDRESS, rail: VBAT MORE}
activity: {processes: false}
rails: {VBAT: {}}
"""


@pytest.mark.parametrize(
    ("chip", "bus", "more", "adapter", "told"),
    [
        ("ti,bq27441", "main", "", "bcm2835 (i2c@7e804000)", True),
        ("ti,bq27441", "far", "", "bcm2835 (i2c@7e804000)", True),
        ("ti,bq27441", "main", ", clock_stretch: false", "bcm2835 (i2c@7e804000)", False),
        ("ti,bq27441", "main", "", "Synopsys DesignWare I2C adapter", False),
        ("maxim,max17048", "main", "", "bcm2835 (i2c@7e804000)", False),
        ("maxim,max17048", "main", ", clock_stretch: true", "bcm2835 (i2c@7e804000)", True),
    ],
)
def test_f09_a_chip_that_holds_the_clock_is_told_where_the_adapter_loses_bits(
    tmp_path: Path, chip: str, bus: str, more: str, adapter: str, told: bool
) -> None:
    address = "0x55" if chip.startswith("ti") else "0x36"
    text = STRETCHING.replace("CHIP", chip).replace("BUS", bus).replace("ADDRESS", address).replace(" MORE", more)
    root = write(tmp_path, {"/sys/bus/i2c/devices/i2c-1/name": f"{adapter}\n"})
    bench = Bench({int(address, 16): chip})
    world = BenchWorld(root, {"main": bench.bus, "far": bench.bus})
    notes = assemble(parse(text), world=world).notes
    assert any("stretches the clock" in note for note in notes) == told
