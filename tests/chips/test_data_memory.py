from __future__ import annotations

import pytest

from powerhal.chips.data_memory import FIELDS, checksum, decode, fields
from powerhal.errors import UsageError


@pytest.mark.parametrize(("fill", "code"), [(0x00, 0xFF), (0x01, 0xDF), (0xFF, 0x1F)])
def test_checksum(fill: int, code: int) -> None:
    assert checksum(bytes([fill]) * 32) == code


@pytest.mark.parametrize("part", sorted(FIELDS))
def test_each_value_is_where_the_table_says(part: str) -> None:
    for place in (p for p in FIELDS[part] if p):
        class_id, offset, size = place
        block = bytearray(32)
        block[offset % 32 : offset % 32 + size] = (1340).to_bytes(size, "big")
        assert 1340 in fields(part, class_id, offset // 32, bytes(block)).values()
        assert fields(part, class_id + 1, offset // 32, bytes(block)) == {}


def test_what_cannot_be_read_is_said() -> None:
    with pytest.raises(UsageError, match="32 bytes"):
        decode({}, {"data": b"\0"})
    with pytest.raises(UsageError, match="bq27421"):
        decode({"op": "fields", "chip": "bq99", "class": 82}, {"data": bytes(32)})
    with pytest.raises(UsageError, match="number"):
        decode({"op": "fields", "chip": "bq27421", "class": "x"}, {"data": bytes(32)})
