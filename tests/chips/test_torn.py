"""A look at the high bits alone says what the whole judgement says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from powerhal import chips
from powerhal.chips.source import ChipSource
from powerhal.chips.torn import TornRows
from tests.faults.faulty import Bench

PARTS = ("ti,ina231", "ti,ina219", "ti,ina3221", "ti,ina228", "maxim,max17048", "ti,bq27441", "adi,ltc2945")
STEP = st.tuples(st.integers(0, 7), st.integers(0, 15), st.integers(-40, 40))


def source_of(compatible: str) -> ChipSource:
    address = chips.load(compatible).addresses[0]
    return Bench({address: compatible}).opened(compatible, address, 1.0)


@pytest.mark.parametrize("compatible", PARTS)
@given(data=st.data())
def test_rows_that_fit_are_those_that_the_judgement_takes(compatible: str, data: st.DataObject) -> None:
    """Rows that wander by single bits, small steps and copies of a neighbour, judged with the short way and without."""
    source = source_of(compatible)
    quick, slow = (TornRows(source.layout, source.row.xfers) for _ in range(2))
    row = data.draw(st.binary(min_size=source.layout.row_bytes, max_size=source.layout.row_bytes))
    for place, bit, step in data.draw(st.lists(STEP, min_size=1, max_size=40)):
        at = place % len(row)
        word = int.from_bytes(row[at : at + 2], "big")
        changed = word ^ 1 << bit if step % 3 == 0 else word + step
        if step % 7 == 0 and at >= 2:
            changed = int.from_bytes(row[at - 2 : at], "big")
        new = bytearray(row)
        width = len(row[at : at + 2])
        new[at : at + width] = (changed % (1 << 8 * width)).to_bytes(width, "big")
        row = bytes(new)
        fits = quick.fits(row)
        mine = (row, False) if fits else quick.settle(row, lambda told=row: told)
        assert mine == slow.settle(row, lambda told=row: told)


def test_noise_in_low_bits_fits_and_a_jump_or_a_neighbours_bytes_do_not() -> None:
    source = source_of("ti,ina231")
    torn = TornRows(source.layout, source.row.xfers)
    assert [xfer.write for xfer in source.row.xfers] == [b"\x02", b"\x01"], "bus, then shunt"
    assert not torn.fits(bytes.fromhex("0c800040")), "nothing to compare with"
    torn.settle(bytes.fromhex("0c800040"), None)
    assert torn.fits(bytes.fromhex("0c820043"))
    assert not torn.fits(bytes.fromhex("1c800040"))
    assert not torn.fits(bytes.fromhex("0c800c80"))
    torn.forget()
    assert not torn.fits(bytes.fromhex("0c820043"))


def test_equal_neighbours_must_stay_as_they_are() -> None:
    """Else they could part in low bits and meet again, which is what a torn read looks like."""
    source = source_of("ti,ina231")
    torn = TornRows(source.layout, source.row.xfers)
    for word in ("0c80", "0000"):
        torn.forget()
        torn.settle(bytes.fromhex(word * 2), None)
        assert torn.fits(bytes.fromhex(word * 2))
        assert not torn.fits(bytes.fromhex(word + f"{int(word, 16) + 1:04x}"))
