"""A board's registers to a file and back: what the dump says, and that it replays as the same board."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from firmware_tools import bus
from powerhal import chips
from powerhal.board.load import parse
from powerhal.board.settings import sensor_options
from powerhal.channel import Quality
from powerhal.recording.decode import decode_row
from powerhal.transport.clock import VirtualClock
from powerhal.transport.replay import ReplayBus, ReplayChip, ReplayWorld, buses, load_dump
from tests.chips.golden import GENUINE

BOARD = """
schema: 1
name: bench
title: A bench
buses:
  i2c-7: {kind: i2c, device: /dev/i2c-7, speed: 400 kHz}
sensors:
  cpu: {chip: "ti,ina226", bus: i2c-7, address: 0x40, rail: CPU, shunt: 2 mOhm}
  supply: {chip: "ti,ina219", bus: i2c-7, address: 0x44, rail: VIN, shunt: 100 mOhm}
  rails:
    chip: "ti,ina3221"
    bus: i2c-7
    address: 0x41
    channels: {"1": {rail: A, shunt: 5 mOhm}, "3": {rail: B, shunt: 20 mOhm}}
  gauge: {chip: "ti,bq27441", bus: i2c-7, address: 0x55, rail: VBAT}
rails:
  VBAT: {}
  VIN: {parent: VBAT}
  CPU: {parent: VIN}
  A: {parent: VIN}
  B: {parent: VIN}
"""
EXTRA = {
    0x40: {0x01: "1f40", 0x02: "2570", 0x04: "2710", 0x03: "12b8", 0x05: "0a00"},
    0x44: {0x01: "0140", 0x02: "2712"},
    0x41: {0x01: "0fa0", 0x02: "13d8", 0x05: "fe20", 0x06: "13d8"},
    0x55: {0x10: "50fe"},
}
PARTS = {0x40: "ina226", 0x44: "ina219", 0x41: "ina3221", 0x55: "bq27421"}


class RealBus(ReplayBus):
    """The bench: refuses every write, may have an owner."""

    def __init__(self, owners: dict[int, str] | None = None) -> None:
        models = {}
        for address, part in PARTS.items():
            texts: dict[int, str] = {**GENUINE[part], **EXTRA[address]}
            models[address] = ReplayChip({p: bytes.fromhex(t) for p, t in texts.items()}, part == "bq27421")
        super().__init__("i2c-7", models)
        self.owners = owners or {}
        self.touched: set[int] = set()

    def transfer(self, address: int, write: bytes, read: int = 0) -> bytes:
        assert len(write) == 1, "a dump must not write"
        self.touched.add(address)
        return super().transfer(address, write, read)

    def owner(self, address: int) -> str:
        return self.owners.get(address, "")


def test_named_fields_in_si() -> None:
    content = bus.dump(parse(BOARD), {"i2c-7": RealBus()})
    cpu = content["buses"]["i2c-7"]["0x40"]
    assert cpu["identity"] == "proved"
    assert cpu["registers"]["0x01"]["fields"] == {
        "v_shunt": [pytest.approx(0.02), "V"],
        "i_from_shunt": [pytest.approx(10.0), "A"],
    }
    assert cpu["registers"]["0x03"]["fields"]["p_reg"] == [pytest.approx(119.8), "W"], "LSB from the calibration"
    assert cpu["registers"]["0x00"]["fields"]["averages"] == [1.0, ""]
    rails = content["buses"]["i2c-7"]["0x41"]["registers"]
    assert rails["0x01"]["fields"]["i"][0] == pytest.approx(4.0)
    assert rails["0x03"]["fields"]["i"][0] is None, "input 2 has no shunt in the board file"
    assert rails["0x05"]["fields"]["i"][0] == pytest.approx(-0.12)
    gauge = content["buses"]["i2c-7"]["0x55"]["registers"]
    assert gauge["0x10"]["fields"]["i"] == [pytest.approx(-0.432), "A"], "the chip's own sign"


def channels(world_bus: ReplayBus) -> dict[str, float]:
    values: dict[str, float] = {}
    board = parse(BOARD)
    for name, sensor in board.sensors.items():
        chip = chips.load(sensor.chip)
        source = chip.source(world_bus, sensor.address, sensor_options(name, sensor), VirtualClock())
        source.open()
        row = source.read()
        assert not row.quality & Quality.MISSING
        values |= decode_row(source.layout, row.raw)
    return values


def test_a_dump_replays_as_the_same_board(tmp_path: Path) -> None:
    content = bus.dump(parse(BOARD), {"i2c-7": RealBus()})
    (tmp_path / "d.json").write_text(json.dumps(content))
    replayed = load_dump(tmp_path / "d.json")
    values = channels(replayed["i2c-7"])
    assert values == channels(RealBus())
    assert values["CPU.power"] == pytest.approx(119.8)
    assert values["VBAT.current"] == pytest.approx(0.432)
    assert bus.dump(parse(BOARD), replayed) == content


def test_a_replayed_world_gives_buses_by_name(tmp_path: Path) -> None:
    world = ReplayWorld(buses(bus.dump(parse(BOARD), {"i2c-7": RealBus()})), None, VirtualClock())  # type: ignore[arg-type]
    assert channels(world.bus("i2c-7"))["A.voltage"] == pytest.approx(5.08)
    assert world.bus("other").chips == {}


def test_owned_chips_are_not_touched() -> None:
    line = RealBus({0x40: "ina2xx"})
    content = bus.dump(parse(BOARD), {"i2c-7": line})
    entry = content["buses"]["i2c-7"]["0x40"]
    assert (entry["owner"], entry["registers"]) == ("ina2xx", {})
    assert 0x40 not in line.touched
    assert "ina2xx owns it" in "\n".join(bus.lines(content))


def test_an_absent_chip_has_a_fault_and_no_numbers() -> None:
    line = RealBus()
    del line.chips[0x44]
    entry = bus.dump(parse(BOARD), {"i2c-7": line})["buses"]["i2c-7"]["0x44"]
    assert entry["registers"] == {}
    assert "no such chip" in entry["fault"]


def command(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    bus.add(parser.add_subparsers())
    return parser.parse_args(["bus", "dump", *arguments])


def patched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: RealBus) -> str:
    from powerhal.board import buses as board_buses

    monkeypatch.setattr(board_buses, "open_buses", lambda *a, **k: {"i2c-7": line})
    (tmp_path / "bench.yaml").write_text(BOARD)
    return str(tmp_path / "bench.yaml")


def test_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any) -> None:
    file = patched(monkeypatch, tmp_path, RealBus())
    args = command(file)
    assert args.run(args) == 0
    shown = capsys.readouterr().out
    assert "v_shunt 20.0000 mV" in shown
    args = command(file, "--json")
    assert args.run(args) == 0
    assert json.loads(capsys.readouterr().out)["board"] == "bench"
    args = command(file, "-o", str(tmp_path / "out.json"))
    assert args.run(args) == 0
    assert capsys.readouterr().out == ""
    assert load_dump(tmp_path / "out.json")["i2c-7"].chips


def test_the_command_fails_when_a_chip_is_silent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Any) -> None:
    line = RealBus()
    del line.chips[0x55]
    args = command(patched(monkeypatch, tmp_path, line))
    assert args.run(args) == 4
    assert "gauge" in capsys.readouterr().err


def test_a_simulated_board_can_be_dumped(capsys: Any) -> None:
    args = command("sim-phone", "--json")
    assert args.run(args) == 0
    content = json.loads(capsys.readouterr().out)
    big = content["buses"]["i2c-4"]["0x41"]["registers"]["0x02"]["fields"]["v_bus"][0]
    assert 0.4 < big < 1.6
