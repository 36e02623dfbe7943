"""The SMBus packet error code: CRC-8 (polynomial 0x07, start 0) over every byte of a transfer, addresses included.

Sources: SMBus 2.0 section 5.4; used by SBS 1.1 batteries and by the LC709203F.
"""

from __future__ import annotations


def crc8(data: bytes, start: int = 0) -> int:
    """CRC-8 with polynomial x^8 + x^2 + x + 1."""
    crc = start
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return crc


def read_code(address: int, pointer: int, data: bytes) -> int:
    """The code of a read of `data` from register `pointer` of the chip at 7-bit `address`."""
    return crc8(bytes((address << 1, pointer, address << 1 | 1)) + data)


def read_agrees(address: int, pointer: int, answer: bytes) -> bool:
    """Whether the last byte of an answer is the code of the bytes before it."""
    return answer[-1] == read_code(address, pointer, answer[:-1])
