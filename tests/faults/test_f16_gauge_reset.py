"""F16: a gauge lost its supply and forgot its battery: the latched bit says so, and the rows do too."""

from __future__ import annotations

import pytest

from powerhal.channel import Quality
from tests.faults.faulty import Bench, row

CASES = [
    ("ti,bq27441", 0x55, b"\x00\x42\x00", b"\x00\x41\x00"),
    ("maxim,max17048", 0x36, b"\x1a\x00\x00", b"\xfe\x54\x00"),
    ("maxim,max17055", 0x36, b"\x00\x00\x00", None),
]


@pytest.mark.parametrize(("compatible", "address", "settle", "lose"), CASES)
def test_f16_the_latched_bit_flags_every_row_until_it_is_cleared(
    compatible: str, address: int, settle: bytes, lose: bytes | None
) -> None:
    bench = Bench({address: compatible})
    bench.bus.chips[address].write(settle)
    source = bench.opened(compatible, address, 1.0)
    assert not row(source)[1] & Quality.RESET
    if lose is None:
        bench.bus.chips[address] = bench.chip(compatible)
    else:
        bench.bus.chips[address].write(lose)
    bench.wait(1.5)
    assert row(source)[1] & Quality.RESET
    bench.wait(1.5)
    assert row(source)[1] & Quality.RESET, "nobody has set it up again"
    bench.bus.chips[address].write(settle)
    bench.wait(1.5)
    assert not row(source)[1] & Quality.RESET


def test_f16_a_bit_that_was_set_before_us_says_nothing_new() -> None:
    bench = Bench({0x55: "ti,bq27441"})
    source = bench.opened("ti,bq27441", 0x55, 1.0)
    assert not row(source)[1] & Quality.RESET
    assert any("power_on_reset" in note for note in source.notes)
