"""The other end of the probe's line, written from the format's description alone: own COBS, own CRC, own chips."""

from __future__ import annotations


def crc16_ccitt_false(data: bytes) -> int:
    """Bit by bit; the check value of b'123456789' is 0x29B1."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1
            crc &= 0xFFFF
    return crc


def cobs_encode(data: bytes) -> bytes:
    out, run = bytearray(), bytearray()
    for byte in data:
        if byte == 0:
            out += bytes([len(run) + 1]) + run
            run.clear()
        else:
            run.append(byte)
            if len(run) == 254:
                out += b"\xff" + run
                run.clear()
    return bytes(out + bytes([len(run) + 1]) + run)


class Firmware:
    """Sends what a microcontroller with some chips would; `chips`: {address: {pointer: wire bytes}}."""

    def __init__(self, chips: dict[int, dict[int, bytes]], *, nonce: int = 0xC0FFEE, period_us: int = 1000) -> None:
        self.chips, self.nonce, self.period_us = chips, nonce, period_us
        self.seq = 0
        self.us = 4_294_960_000  # wraps soon

    def frame(self, kind: int, payload: bytes) -> bytes:
        body = bytes([kind]) + self.seq.to_bytes(2, "little") + (self.us % 2**32).to_bytes(4, "little")
        body += bytes([len(payload)]) + payload
        self.seq = (self.seq + 1) % 65536
        return cobs_encode(body + crc16_ccitt_false(body).to_bytes(2, "little")) + b"\0"

    def hello(self) -> bytes:
        payload = b"\x01" + self.nonce.to_bytes(4, "little") + self.period_us.to_bytes(4, "little")
        payload += bytes([len(self.chips)])
        for address, registers in self.chips.items():
            payload += bytes([address, len(registers)])
            for pointer, data in registers.items():
                payload += bytes([pointer, len(data)])
        return self.frame(1, payload)

    def data(self) -> bytes:
        self.us += self.period_us
        return self.frame(2, b"".join(data for regs in self.chips.values() for data in regs.values()))

    def partial(self, mask: int) -> bytes:
        self.us += self.period_us
        raw = b""
        for number, registers in enumerate(self.chips.values()):
            for data in registers.values():
                raw += bytes(len(data)) if mask >> number & 1 else data
        return self.frame(3, bytes([mask]) + raw)

    def reboot(self, nonce: int) -> bytes:
        self.nonce, self.seq, self.us = nonce, 0, 17
        return self.hello()
