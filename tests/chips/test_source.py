"""A chip as a source: identity, lost state, stale, saturated and missing rows, programming."""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass
from typing import Any

import pytest

from powerhal.channel import Quality, Reading
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.chips.source import CHECK_EVERY, ChipSource
from powerhal.errors import BoardError, TransportError
from powerhal.recording.decode import decode_row, row_quality
from powerhal.transport.clock import VirtualClock
from powerhal.transport.replay import ReplayBus, ReplayChip
from tests.chips.golden import chip_on_bus, load


@dataclass
class Bench:
    """A source over one chip, and hands on the chip, the bus and the clock."""

    source: ChipSource
    bus: ReplayBus
    chip: ReplayChip
    clock: VirtualClock
    address: int

    def read(self) -> Reading:
        self.clock.sleep_until(self.clock.now_ns() + int(self.source.period_s * 1e9))
        return self.source.read()

    def quality(self, row: Reading) -> Quality:
        return row.quality | row_quality(self.source.layout, row.raw)


def bench(part: str, *, opened: bool = True, channels: Any = None, **options: Any) -> Bench:
    chip = load(part)
    bus, address, model = chip_on_bus(chip)
    clock = VirtualClock()
    inputs = channels or (ChannelOptions(1, "RAIL", 0.01),)
    source = chip.source(bus, address, SensorOptions("s", channels=inputs, **options), clock)
    if opened:
        source.open()
    return Bench(source, bus, model, clock, address)


def poke(b: Bench, pointer: int, text: str) -> None:
    b.chip.registers[pointer] = bytes.fromhex(text)


# --- who is there


def test_absent_chip_is_an_error_at_open() -> None:
    b = bench("ina226", opened=False)
    del b.bus.chips[b.address]
    with pytest.raises(TransportError) as caught:
        b.source.open()
    assert caught.value.kind == "absent"


@pytest.mark.parametrize(
    ("part", "pointer", "answer"),
    [
        ("ina226", 0xFE, "0000"),
        ("ina226", 0xFF, "3220"),
        ("ina3221", 0xFE, "ffff"),
        ("ina3221", 0xFF, "2260"),
        ("ina219", 0x00, "4127"),  # an INA226 after power-on
        ("ina219", 0x00, "7127"),  # an INA3221 after power-on
        ("ina219", 0x00, "ffff"),
        ("ina231", 0x00, "399f"),  # an INA219 after power-on
        ("max17048", 0x02, "ffff"),
        ("max17048", 0x04, "ffff"),
        ("bq27421", 0x02, "ffff"),
        ("bq27421", 0x02, "0000"),
        ("bq27421", 0x1C, "6500"),
    ],
)
def test_another_chip_at_the_address_is_refused(part: str, pointer: int, answer: str) -> None:
    b = bench(part, opened=False, config={"averages": 16} if part in ("ina226", "ina3221", "ina231") else {})
    poke(b, pointer, answer)
    before = dict(b.chip.registers)
    with pytest.raises(TransportError, match="is not the"):
        b.source.open()
    assert b.chip.registers == before, "nothing may be written to a chip that is not the one"


@pytest.mark.parametrize(
    ("part", "proved"),
    [("ina226", True), ("ina3221", True), ("max17048", True), ("ina219", False), ("ina231", False), ("bq27421", False)],
)
def test_rows_of_a_chip_without_identity_say_so(part: str, proved: bool) -> None:
    assert bool(bench(part).read().quality & Quality.UNVERIFIED) is not proved


def test_chip_of_a_kernel_driver_is_not_touched() -> None:
    class Owned(ReplayBus):
        def owner(self, address: int) -> str:
            return "ina2xx"

        def transfer(self, address: int, write: bytes, read: int = 0) -> bytes:
            raise AssertionError("touched")

    chip = load("ina226")
    source = chip.source(Owned("i2c-1", {}), 0x40, SensorOptions("s", channels=(ChannelOptions(1, "R", 0.01),)))
    with pytest.raises(TransportError, match="ina2xx") as caught:
        source.open()
    assert caught.value.kind == "busy"


# --- what the board may ask


@pytest.mark.parametrize(
    ("part", "address", "options", "says"),
    [
        ("ina226", 0x60, {}, "0x40 to 0x4f"),
        ("ina226", 0x40, {"channels": (ChannelOptions(1, "R"),)}, "shunt"),
        ("ina226", 0x40, {"channels": (ChannelOptions(2, "R", 0.01),)}, "no number 2"),
        ("ina226", 0x40, {"config": {"averges": 16}}, "averages"),
        ("ina226", 0x40, {"config": {"averages": 5}}, "choose from 1, 4, 16"),
        ("ina226", 0x40, {"config": {"mode": 9}}, "mode cannot be 9"),
        ("ina226", 0x40, {"rate_hz": 500.0}, "at most 454.5 new readings"),
        ("ina226", 0x40, {"rate_hz": 50.0, "config": {"averages": 64}}, "at most 7.102"),
        ("ina3221", 0x40, {"rate_hz": 200.0}, "at most 151.5"),
        ("ina219", 0x40, {"rate_hz": 1000.0}, "at most 939.8"),
        ("bq27421", 0x55, {"rate_hz": 40.0}, "at most 1 new"),
        ("max17048", 0x36, {"rate_hz": 5.0}, "at most 4 new"),
    ],
)
def test_what_a_chip_cannot_do_is_refused_before_it_is_touched(
    part: str, address: int, options: dict[str, Any], says: str
) -> None:
    settings = {"channels": (ChannelOptions(1, "R", 0.01),), **options}
    with pytest.raises(BoardError, match=says):
        load(part).source(ReplayBus("b", {}), address, SensorOptions("s", **settings))


def test_default_rate_never_exceeds_the_chip() -> None:
    b = bench("ina226", config={"averages": 1024})
    assert b.source.period_s == pytest.approx(1024 * 2.2e-3)


# --- configuration


def test_configuration_is_written_once_and_read_back() -> None:
    b = bench("ina226", config={"averages": 16, "bus_conversion_s": 204e-6, "shunt_conversion_s": 8.244e-3})
    assert b.chip.registers[0x00].hex() == "447f"  # 16 averages, 204 us, 8.244 ms, continuous, bit 14 kept
    assert [c.window_s for c in b.source.layout.channels] == [pytest.approx(16 * 8.448e-3)] * 3


def test_rows_before_the_first_whole_conversion_are_stale() -> None:
    b = bench("ina226", config={"averages": 16}, rate_hz=28.0)
    assert b.read().quality & Quality.STALE
    assert not b.read().quality & Quality.STALE


def test_program_false_and_no_config_never_write() -> None:
    for options in ({"config": {"averages": 16}, "program": False}, {}):
        b = bench("ina226", **options)
        for _ in range(40):
            b.read()
        assert b.chip.registers[0x00].hex() == "4127"


def test_settings_found_in_the_chip_decide_the_layout() -> None:
    b = bench("ina219", opened=False)
    poke(b, 0x00, "079f")  # 16 V, 40 mV range, 12 bit
    b.source.open()
    poke(b, 0x01, "0fa0")  # 40 mV: the end of that range
    assert b.quality(b.read()) & Quality.SATURATED


def test_lost_configuration_is_found_within_16_rows_and_restored() -> None:
    b = bench("ina226", config={"averages": 16})
    for _ in range(7):
        b.read()
    poke(b, 0x00, "4127")  # brown-out: power-on value
    poke(b, 0x02, "0fa0")
    seen = [b.read() for _ in range(CHECK_EVERY + 2)]
    reset = [i for i, row in enumerate(seen) if row.quality & Quality.RESET]
    assert reset == [CHECK_EVERY - 8]
    assert b.chip.registers[0x00].hex() == "4527"
    assert "lost" in b.source.last_fault


def test_reset_says_how_many_rows_are_doubtful() -> None:
    b = bench("ina226", config={"averages": 16})
    poke(b, 0x00, "4127")
    while not b.read().quality & Quality.RESET:
        pass
    assert b.source.doubtful_rows == CHECK_EVERY


def test_a_row_that_drops_to_zero_is_checked_at_once() -> None:
    b = bench("ina226", config={"averages": 16})
    poke(b, 0x02, "0fa0")
    b.read()
    poke(b, 0x00, "4127")
    poke(b, 0x02, "0000")
    assert b.read().quality & Quality.RESET


def test_a_lost_calibration_tells_of_a_brown_out_even_when_nothing_was_set_by_us() -> None:
    b = bench("ina219", opened=False)
    poke(b, 0x05, "5000")
    b.source.open()
    poke(b, 0x05, "0000")
    rows = [b.read() for _ in range(2 * CHECK_EVERY)]
    assert sum(bool(row.quality & Quality.RESET) for row in rows) == 1


def test_numbers_that_changed_their_meaning_stay_doubtful() -> None:
    b = bench("ina219")
    poke(b, 0x00, "199f")
    rows = [b.read() for _ in range(CHECK_EVERY + 4)]
    assert all(not r.quality & Quality.RESET for r in rows[: CHECK_EVERY - 1])
    assert rows[CHECK_EVERY - 1].quality & Quality.RESET


# --- rows


def test_conversion_ready_is_read_only_when_it_can_matter() -> None:
    slow, fast = bench("ina226", rate_hz=100.0), bench("ina226", rate_hz=400.0)
    assert slow.source.layout.row_bytes == 4
    assert fast.source.layout.row_bytes == 6
    assert fast.source.row.xfers[0].write == b"\x06", "the flag first: what follows can only be newer"


@pytest.mark.parametrize(
    ("part", "rate", "pointer", "old", "new"),
    [
        ("ina219", 900.0, 0x02, "2710", "2712"),
        ("ina226", 400.0, 0x06, "0000", "0008"),
        ("ina3221", 140.0, 0x0F, "0002", "0003"),
    ],
)
def test_a_row_without_a_new_conversion_is_stale(part: str, rate: float, pointer: int, old: str, new: str) -> None:
    b = bench(part, rate_hz=rate)
    poke(b, pointer, old)
    assert b.quality(b.read()) & Quality.STALE
    poke(b, pointer, new)
    assert not b.quality(b.read()) & Quality.STALE


def test_ina219_ready_is_cleared_by_reading_power() -> None:
    b = bench("ina219", rate_hz=900.0)
    assert [x.write[0] for x in b.source.row.xfers] == [0x02, 0x03, 0x01]


@pytest.mark.parametrize(
    ("part", "pointer", "raw"),
    [
        ("ina226", 0x01, "7fff"),
        ("ina226", 0x01, "8000"),
        ("ina226", 0x02, "7fff"),
        ("ina219", 0x01, "7d00"),
        ("ina219", 0x01, "8300"),
        ("ina3221", 0x01, "7ff8"),
        ("ina3221", 0x01, "8000"),
    ],
)
def test_the_end_of_the_range_is_flagged(part: str, pointer: int, raw: str) -> None:
    b = bench(part)
    assert not b.quality(b.read()) & Quality.SATURATED
    poke(b, pointer, raw)
    assert b.quality(b.read()) & Quality.SATURATED


def test_ina219_math_overflow_is_not_saturation() -> None:
    b = bench("ina219")
    poke(b, 0x02, "2713")
    assert not b.quality(b.read()) & Quality.SATURATED


def test_a_chip_that_vanishes_is_missing_and_checked_when_it_is_back() -> None:
    b = bench("ina226")
    kept = b.bus.chips.pop(b.address)
    row = b.read()
    assert row.quality & Quality.MISSING
    assert row.raw == bytes(b.source.layout.row_bytes)
    assert "no such chip" in b.source.last_fault
    b.bus.chips[b.address] = ReplayChip({**kept.registers, 0xFF: b"\x32\x20"})
    assert b.read().quality & Quality.MISSING, "an INA3221 was put there"
    b.bus.chips[b.address] = kept
    assert b.read().quality == Quality.OK


def test_power_lost_while_away_is_reset() -> None:
    b = bench("ina226", config={"averages": 4})
    kept = b.bus.chips.pop(b.address)
    b.read()
    kept.registers[0x00] = bytes.fromhex("4127")
    b.bus.chips[b.address] = kept
    assert b.read().quality & Quality.RESET
    assert kept.registers[0x00].hex() == "4327"


def test_a_gauge_asked_too_often_is_left_alone() -> None:
    b = bench("bq27421")
    first = b.read()
    poke(b, 0x04, "0000")
    b.clock.sleep_until(b.clock.now_ns() + 100_000_000)
    again = b.source.read()
    assert again.raw == first.raw
    assert again.quality & Quality.STALE
    assert b.read().raw != first.raw


def test_gauge_current_is_positive_when_it_discharges() -> None:
    b = bench("bq27421")
    poke(b, 0x10, "50fe")  # -432 mA by the gauge: discharging
    values = decode_row(b.source.layout, b.read().raw)
    assert values["RAIL.current"] == pytest.approx(0.432)
    assert values["RAIL.power"] == pytest.approx(0.432 * 3.712)


def test_latched_reset_bit_counts_only_when_it_appears() -> None:
    b = bench("max17048")
    poke(b, 0x1A, "0100")
    assert b.quality(b.read()) & Quality.RESET
    b = bench("max17048", opened=False)
    poke(b, 0x1A, "0100")
    b.source.open()
    assert not b.quality(b.read()) & Quality.RESET
    assert any("already set" in note for note in b.source.notes)


def test_calibration_and_sign_apply_to_current_and_power() -> None:
    inputs = (ChannelOptions(1, "RAIL", 0.01, shunt_tolerance=0.01, gain=-1.03, offset_a=0.005),)
    b = bench("ina226", channels=inputs)
    poke(b, 0x01, "0fa0")
    poke(b, 0x02, "0fa0")
    values = decode_row(b.source.layout, b.read().raw)
    assert values["RAIL.current"] == pytest.approx(-1.03 + 0.005)
    assert values["RAIL.power"] == pytest.approx(5 * (-1.03 + 0.005))
    assert b.source.layout.channels[1].accuracy == pytest.approx(0.011)


def test_three_inputs_make_nine_channels_in_one_row() -> None:
    inputs = tuple(ChannelOptions(i, f"R{i}", 0.01 * i) for i in (1, 2, 3))
    b = bench("ina3221", channels=inputs)
    poke(b, 0x05, "0fa0")
    poke(b, 0x06, "13d8")
    values = decode_row(b.source.layout, b.read().raw)
    assert len(values) == 9
    assert values["R3.current"] == pytest.approx(0.02 / 0.03)
    assert values["R3.power"] == pytest.approx(5.08 * 0.02 / 0.03)
    assert b.source.layout.channels[2].skew_s == pytest.approx(3 * 2.2e-3)


def test_reading_before_open_and_after_close() -> None:
    b = bench("ina226", opened=False)
    with pytest.raises(TransportError):
        b.source.read()
    b.source.open()
    b.source.read()
    b.source.close()
    b.source.close()
    with pytest.raises(TransportError):
        b.source.read()


# --- conversions are counted once


class Converting(ReplayChip):
    """A chip whose bus voltage is the number of its conversion; its ready bit is cleared as the data sheets say."""

    def __init__(self, registers: dict[int, bytes], clock: VirtualClock, cycle_ns: int, ready: tuple[int, int]) -> None:
        super().__init__(registers)
        self.clock, self.cycle_ns, self.ready = clock, cycle_ns, ready
        self.seen = 0

    def read(self, count: int) -> bytes:
        number = self.clock.now_ns() // self.cycle_ns
        register, cleared_by = self.ready
        new = number > self.seen
        shift = 3 if register == 0x02 else 0
        word = {0x02: number << shift | (2 if shift and new else 0), 0x06: 8 if new else 0, 0x0F: int(new)}
        if self.pointer == cleared_by:
            self.seen = number
        return (word[self.pointer] & 0xFFFF).to_bytes(2, "big") if self.pointer in word else super().read(count)


@pytest.mark.parametrize(
    ("part", "cycle_ns", "ready"),
    [("ina226", 2_200_000, (0x06, 0x06)), ("ina219", 1_064_000, (0x02, 0x03))],
)
@pytest.mark.parametrize("speed", [0.6, 0.9, 0.999, 1.7])
def test_no_conversion_is_counted_twice(part: str, cycle_ns: int, ready: tuple[int, int], speed: float) -> None:
    """Reads that drift and jitter against the chip's own clock, slower and (by 1.7) faster than it converts."""
    rng = random.Random(part + str(speed))
    clock = VirtualClock()
    chip = load(part)
    _, address, model = chip_on_bus(chip)
    line = ReplayBus("b", {address: Converting(model.registers, clock, cycle_ns, ready)})
    inputs = (ChannelOptions(1, "R", 0.01),)
    source = chip.source(line, address, SensorOptions("s", min(speed, 0.999) * 1e9 / cycle_ns, inputs), clock)
    source.open()
    numbers = []
    for _ in range(2000):
        step = int(cycle_ns / speed * rng.uniform(0.7, 1.3))
        clock.sleep_until(clock.now_ns() + step)
        row = source.read()
        if not (row.quality | row_quality(source.layout, row.raw)) & Quality.STALE:
            numbers.append(round(decode_row(source.layout, row.raw)["R.voltage"] / source.layout.channels[0].lsb))
    field = next(f for f in source.layout.fields if f.name == "voltage")
    span = 1 << (field.bits or 16)
    steps = [(b - a) % span for a, b in itertools.pairwise(numbers)]
    assert min(steps) >= 1, "a conversion was counted twice"
    elapsed = clock.now_ns() // cycle_ns
    assert len(numbers) >= 0.6 * min(2000, elapsed), "new conversions were called stale"
