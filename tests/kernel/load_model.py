"""A bench on the rig's virtual bus: an INA226 in the supply of an electronic load that the guest switches.

Writing one byte to 0x20 sets the load to that many tenths of an ampere above 0.1 A, at 5 V. A BQ27441 watches
the same current on the battery side. Loaded by the rig's bus backend; knows nothing of powerhal.
"""

import runpy
from pathlib import Path

model = runpy.run_path(str(Path(__file__).with_name("chips_model.py")))
LEVEL = [0]


class Load:
    def write(self, data):
        if data:
            LEVEL[0] = data[-1]

    def read(self, count):
        return bytes([LEVEL[0]] * count)


class Supply(model["Ina2xx"]):
    """10 mOhm, 2.5 uV a step: 4000 steps an ampere."""

    def fetch(self, pointer):
        self.registers[1] = 400 + 400 * LEVEL[0]
        return super().fetch(pointer)


CHIPS = {
    0x20: Load(),
    0x40: Supply({1: 0, 2: 4000, 6: 0x0008, 0xFE: 0x5449, 0xFF: 0x2260}, 0x4127, 0, 2048, 20000, 0x7FFF),
    0x55: model["CHIPS"][0x55],
}
