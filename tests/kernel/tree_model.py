"""The chips of `tree_chips.py` on the rig's virtual bus, and a MAX9611 written from its data sheet's register table."""

import sys
import time
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from powerhal.sim.chips import build
from powerhal.sim.signal import ConstantSignal
from tests.kernel.tree_chips import CELL, GAUGES, MONITOR, PMBUS, RAIL, SENSE, SENSE_STEPS, VOLT_STEPS


class Max9611:
    """Bytes by address: CSA at 0x00, RS at 0x02, die temperature at 0x08 (9 bits of 0.48 K), CTRL1 and 2 at 0x0A."""

    def __init__(self):
        self.memory = bytearray(16)
        for at, word in ((0, SENSE_STEPS << 4), (2, VOLT_STEPS << 4), (8, 52 << 7)):
            self.memory[at : at + 2] = word.to_bytes(2, "big")
        self.pointer = 0

    def write(self, data):
        if data:
            self.pointer = data[0]
        for i, byte in enumerate(data[1:]):
            self.memory[self.pointer + i] = byte

    def read(self, count):
        return bytes(self.memory[self.pointer : self.pointer + count])


def chip(compatible, ohms, place):
    return build(compatible, [ConstantSignal(**place)], time.monotonic_ns, shunts_ohms=[ohms])


def with_error_code(made, address):
    """A PMBus chip adds the error code to what is read further than its word; the code holds the address."""
    made.spec = replace(made.spec, pec=address)
    return made


CHIPS = {
    **{address: chip(compatible, ohms, CELL) for address, compatible, ohms, _ in GAUGES},
    MONITOR[0]: chip(MONITOR[1], MONITOR[2], RAIL),
    PMBUS[0]: with_error_code(chip(PMBUS[1], PMBUS[2], RAIL), PMBUS[0]),
    SENSE: Max9611(),
}
