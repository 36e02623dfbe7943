"""Chips on the rig's virtual bus, written from the data sheets: what each I2C message does, byte by byte.

Loaded by the rig's bus backend (`CHIPS = {address: object with write(bytes), read(n)}`), which knows nothing of
powerhal, and this file does not either.
"""


class Words:
    """A pointer and 16-bit big-endian registers; subclasses compute what the hardware computes."""

    def __init__(self, registers):
        self.registers, self.pointer = dict(registers), 0

    def write(self, data):
        if data:
            self.pointer = data[0]
        if len(data) >= 3:
            self.store(self.pointer, data[1] << 8 | data[2])

    def read(self, count):
        return (self.fetch(self.pointer) & 0xFFFF).to_bytes(2, "big")[:count]

    def store(self, pointer, value):
        self.registers[pointer] = value

    def fetch(self, pointer):
        return self.registers.get(pointer, 0)


def signed(word):
    return word - 0x10000 if word & 0x8000 else word


class Ina2xx(Words):
    """INA219 and INA226: CURRENT and POWER follow from shunt, bus and CALIBRATION."""

    def __init__(self, registers, por, bus_shift, current_divisor, power_divisor, calibration_mask):
        super().__init__({0: por, 5: 0, **registers})
        self.por, self.bus_shift = por, bus_shift
        self.current_divisor, self.power_divisor, self.mask = current_divisor, power_divisor, calibration_mask

    def store(self, pointer, value):
        if pointer == 0 and value & 0x8000:
            self.registers.update({0: self.por, 5: 0})
        elif pointer == 5:
            self.registers[5] = value & self.mask
        elif pointer not in (1, 2, 3, 4, 0xFE, 0xFF):
            self.registers[pointer] = value

    def fetch(self, pointer):
        current = signed(self.registers[1]) * self.registers[5] // self.current_divisor
        if pointer == 4:
            return current
        if pointer == 3:
            return abs(current) * (self.registers[2] >> self.bus_shift) // self.power_divisor
        return self.registers.get(pointer, 0)


class Ina3221(Words):
    def store(self, pointer, value):
        if pointer == 0 and value & 0x8000:
            self.registers[0] = 0x7127
        elif pointer == 0 or 7 <= pointer <= 0x0C:
            self.registers[pointer] = value


class Bytes:
    """A byte-addressed memory: a read goes on at the next address (bq27xxx)."""

    def __init__(self, words):
        self.memory, self.pointer = {}, 0
        for address, word in words.items():
            self.memory[address], self.memory[address + 1] = word & 0xFF, word >> 8 & 0xFF

    def write(self, data):
        if data:
            self.pointer = data[0]

    def read(self, count):
        return bytes(self.memory.get(self.pointer + i, 0) for i in range(count))


CHIPS = {
    # -12.345 mV over the shunt, 11.98 V
    0x40: Ina2xx({1: -4938 & 0xFFFF, 2: 9584, 6: 0x0008, 0xFE: 0x5449, 0xFF: 0x2260}, 0x4127, 0, 2048, 20000, 0x7FFF),
    # 3.21 mV, 5.004 V with conversion ready
    0x44: Ina2xx({1: 321, 2: 1251 << 3 | 2}, 0x399F, 3, 4096, 5000, 0xFFFE),
    # 20 mV, 5.08 V; -2.4 mV, 3.304 V; 0.04 mV, 12 V
    0x41: Ina3221({0: 0x7127, 1: 500 << 3, 2: 635 << 3, 3: -60 << 3 & 0xFFFF, 4: 413 << 3, 5: 1 << 3, 6: 1500 << 3,
                   0x0F: 0x0003, 0xFE: 0x5449, 0xFF: 0x3220}),
    # 3.90625 V, 72.5 %
    0x36: Words({0x02: 0xC350, 0x04: 0x4880, 0x08: 0x0011, 0x0A: 0x8030, 0x0C: 0x971C, 0x1A: 0}),
    # 25.0 degC, 3.712 V, -432 mA, 1450 of 2000 mAh, 72 %
    0x55: Bytes({0x02: 2981, 0x04: 3712, 0x06: 0, 0x08: 1450, 0x0A: 2000, 0x0C: 1450, 0x0E: 2000, 0x10: -432 & 0xFFFF,
                 0x18: -1604 & 0xFFFF, 0x1C: 72, 0x1E: 2981, 0x3C: 2000}),
}  # fmt: skip
