"""Every emulated chip on the rig's virtual bus; the guest turns the supply, changes chips and pulls wires through 0x08.

Messages to 0x08: 01 i  chip i of VARIANTS sits at its address;  02 n  the supply gives n tenths of an ampere;
03 a / 04 a  the wire of address a is pulled / put back;  05 a  the chip at a loses its supply for a moment.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from powerhal.sim.chips import build
from powerhal.sim.signal import ConstantSignal
from tests.kernel.emulated_chips import AMPERES, CELL, MONITORS, RAIL, SHUNTS, VARIANTS

NOW = time.monotonic_ns


class Turned:
    """The live supply."""

    current_a = AMPERES

    def amperes(self, start_ns, end_ns):
        return self.current_a

    def volts(self, start_ns, end_ns):
        return 5.0


LIVE = Turned()


def chip(compatible):
    place = CELL if compatible in {c for _, c, _ in VARIANTS} else RAIL
    signal = ConstantSignal(**place)
    ohms = SHUNTS.get(compatible, 0.01)
    return build(compatible, [signal] * 4, NOW, shunts_ohms=[ohms] * 4)


class Socket:
    """A place on the bus: one chip or another, with a wire that can be pulled."""

    def __init__(self, make):
        self.make, self.chip, self.pulled = make, make(), False

    def power_cycle(self):
        self.chip = self.make()

    def write(self, data):
        if self.pulled:
            raise OSError("pulled")
        self.chip.write(data)

    def read(self, count):
        if self.pulled:
            raise OSError("pulled")
        return self.chip.read(count)


class Control:
    def write(self, data):
        if len(data) < 2:
            return
        what, which = data[0], data[1]
        if what == 1:
            address, compatible, _ = VARIANTS[which]
            CHIPS[address] = Socket(lambda: chip(compatible))
        elif what == 2:
            LIVE.current_a = which / 10
        elif what in (3, 4):
            CHIPS[which].pulled = what == 3
        elif what == 5:
            CHIPS[which].power_cycle()

    def read(self, count):
        return bytes(count)


def live():
    return build("ti,ina226", [LIVE], NOW, shunts_ohms=[0.01])


CHIPS = {
    0x08: Control(),
    **{address: Socket(lambda c=compatible: chip(c)) for address, compatible, _ in MONITORS},
    0x4C: Socket(live),
    0x4D: Socket(live),
    0x4E: Socket(live),
}
