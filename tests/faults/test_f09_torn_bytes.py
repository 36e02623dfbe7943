"""F09: shifted or torn bytes without an error: a check byte where the chip has one, wide registers in one piece."""

from __future__ import annotations

import pytest

from powerhal.channel import Quality
from tests.faults.faulty import Bench, row


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
