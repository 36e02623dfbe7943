from __future__ import annotations

from pathlib import Path

from powerhal.channel import Quality
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.chips.schedule import BusSchedule
from powerhal.recording.decode import decode_row
from powerhal.transport.clock import VirtualClock
from tests.chips.golden import GENUINE, load
from tests.transport.wires import KernelAdapter, WordChip, bus


def four_on_a_bus(root: Path) -> tuple[KernelAdapter, VirtualClock, BusSchedule, list[str]]:
    chip = load("ina231")
    models = {}
    for i in range(4):
        registers = {p: bytes.fromhex(t) for p, t in GENUINE["ina231"].items()}
        registers[2] = (800 + i).to_bytes(2, "big")
        models[0x40 + i] = WordChip(registers)
    adapter, clock = KernelAdapter(models), VirtualClock()
    line = bus(adapter, root)
    names = ["arm", "mem", "g3d", "kfc"]
    sources = [
        chip.source(line, 0x40 + i, SensorOptions(n, 50.0, (ChannelOptions(1, n, 0.01),)), clock)
        for i, n in enumerate(names)
    ]
    for source in sources:
        source.open()
    return adapter, clock, BusSchedule(sources), names


def volts(schedule: BusSchedule) -> list[float | None]:
    out: list[float | None] = []
    for source, row in zip(schedule._sources, schedule.read(), strict=True):
        missing = row.quality & Quality.MISSING
        out.append(None if missing else decode_row(source.layout, row.raw)[f"{source.name}.voltage"])
    return out


def step(clock: VirtualClock) -> None:
    clock.sleep_until(clock.now_ns() + 20_000_000)


def test_all_chips_of_a_bus_in_one_call(tmp_path: Path) -> None:
    adapter, clock, schedule, _ = four_on_a_bus(tmp_path)
    del adapter.calls[:]
    for _ in range(5):
        step(clock)
        assert volts(schedule) == [1.0, 1.00125, 1.0025, 1.00375]
    assert adapter.calls == [16] * 5  # four chips, two registers, two messages each


def test_the_rows_of_a_batch_have_one_time(tmp_path: Path) -> None:
    _, clock, schedule, _ = four_on_a_bus(tmp_path)
    step(clock)
    assert len({row.t_ns for row in schedule.read()}) == 1


def test_one_chip_that_fails_does_not_spoil_the_others(tmp_path: Path) -> None:
    adapter, clock, schedule, _ = four_on_a_bus(tmp_path)
    gone = adapter.chips.pop(0x42)
    step(clock)
    assert volts(schedule) == [1.0, 1.00125, None, 1.00375]
    del adapter.calls[:]
    step(clock)
    assert volts(schedule) == [1.0, 1.00125, None, 1.00375]
    assert adapter.calls[0] == 12, "the others go on in one call"
    adapter.chips[0x42] = gone
    step(clock)
    assert volts(schedule) == [1.0, 1.00125, 1.0025, 1.00375]
    del adapter.calls[:]
    step(clock)
    assert volts(schedule) == [1.0, 1.00125, 1.0025, 1.00375]
    assert adapter.calls == [16]


def test_all_chips_gone_and_back(tmp_path: Path) -> None:
    adapter, clock, schedule, _ = four_on_a_bus(tmp_path)
    chips, adapter.chips = adapter.chips, {}
    for _ in range(2):
        step(clock)
        assert volts(schedule) == [None] * 4
    adapter.chips = chips
    for _ in range(2):
        step(clock)
        assert volts(schedule) == [1.0, 1.00125, 1.0025, 1.00375]
