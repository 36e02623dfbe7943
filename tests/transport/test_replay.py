from __future__ import annotations

import json
from pathlib import Path

import pytest

from powerhal.errors import FileError, TransportError
from powerhal.transport import Xfer
from powerhal.transport.replay import buses, load_dump

DUMP = {
    "schema": 1,
    "buses": {
        "i2c-1": {
            "0x40": {"chip": "ti,ina219", "registers": {"0x01": {"raw": "07d0"}, "0x02": {"raw": "5d98"}}},
            "0x55": {
                "chip": "ti,bq27441",
                "autoincrement": True,
                "registers": {"0x02": {"raw": "a50b"}, "0x04": {"raw": "800e"}},
            },
        }
    },
}


def test_registers_answer_as_dumped(tmp_path: Path) -> None:
    (tmp_path / "dump.json").write_text(json.dumps(DUMP))
    bus = load_dump(tmp_path / "dump.json")["i2c-1"]
    plan = bus.plan([Xfer(0x40, b"\x02", 2), Xfer(0x55, b"\x02", 4), Xfer(0x41, b"\x01", 2), Xfer(0x40, b"\x01", 2)])
    assert list(plan.run()) == [2]
    assert bytes(plan.data).hex() == "5d98" + "a50b800e" + "0000" + "07d0"
    assert isinstance(plan.fault(2), TransportError)
    assert bus.owner(0x40) == ""
    bus.close()


def test_what_was_not_dumped_is_absent() -> None:
    bus = buses(DUMP)["i2c-1"]
    for address, pointer in ((0x40, 0x33), (0x20, 0x00), (0x55, 0x40)):
        with pytest.raises(TransportError) as caught:
            bus.transfer(address, bytes([pointer]), 2)
        assert caught.value.kind == "absent"


def test_writes_change_the_emulation_only() -> None:
    content = json.loads(json.dumps(DUMP))
    bus = buses(content)["i2c-1"]
    bus.transfer(0x40, b"\x01\x12\x34")
    assert bus.transfer(0x40, b"\x01", 2) == b"\x12\x34"
    assert content == DUMP
    with pytest.raises(TransportError):
        bus.transfer(0x40, b"\x33\x00\x00")


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": 2, "buses": {}}', '{"schema": 1, "buses": []}',
             '{"schema": 1, "buses": {"b": {"zz": {"registers": {}}}}}',
             '{"schema": 1, "buses": {"b": {"0x40": {"registers": {"0x01": {"raw": "0"}}}}}}'],
)  # fmt: skip
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(FileError):
        load_dump(tmp_path / "x")


def test_a_missing_or_huge_file(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        load_dump(tmp_path / "none")
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(FileError, match="too large"):
        load_dump(tmp_path / "huge")
