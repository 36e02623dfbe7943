"""Contract of every chip in the table: a row of its layout says what its registers say."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from powerhal import chips
from powerhal.chips.decode import decode, named_values
from powerhal.chips.given import registers
from powerhal.chips.layout import build_row, expected_config, fastest_hz, measured_mask, settings_of
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.chips.registers import ChannelRow, ChipType
from powerhal.errors import BoardError
from powerhal.recording.decode import decode_row, field_integers

ALL = [chips.load(c) for c in chips.CHIPS]
each_chip = pytest.mark.parametrize("chip", ALL, ids=lambda c: c.name)


def options(chip: ChipType, shunt: float = 0.02) -> SensorOptions:
    inputs = range(1, chip.inputs + 1)
    return SensorOptions("s", channels=tuple(ChannelOptions(i, f"r{i}", shunt * i) for i in inputs))


@each_chip
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_rows_and_registers_agree_for_any_bytes(chip: ChipType, data: st.DataObject) -> None:
    config = settings_of(chip, expected_config(chip, {}))
    wired = options(chip)
    plan = build_row(chip, chip.addresses[0], wired, config, period_s=1e-3)
    raw = {x.write[0]: data.draw(st.binary(min_size=x.read, max_size=x.read)) for x in plan.xfers}
    row = b"".join(raw[x.write[0]] for x in plan.xfers)
    channels = decode_row(plan.layout, row)
    assert len(channels) == sum(not c.optional for c in chip.channels)
    for option in wired.channels:
        known = {**config, "r_shunt_ohm": option.shunt_ohms, "channel": float(option.index)}
        named = decode(chip, known, raw)
        for register, data in registers(chip, raw) if chip.inputs == 1 else ():  # what is told in a word otherwise
            named |= {n: v for n, _, v in named_values(register, data, known) if register.role == "state"}
        for channel in (c for c in chip.channels if c.channel in (0, option.index) and not c.optional):
            if chip.inputs == 1 or channel.channel == option.index:
                want = math.prod(_in_si(chip, part, channel, float(named[part])) for part in channel.of)
                assert channels[f"{option.rail}.{channel.label}"] == pytest.approx(want, rel=1e-12, abs=1e-15)


def _in_si(chip: ChipType, part: str, channel: ChannelRow, value: float) -> float:
    """A part of a channel with the factor and the bias of the channel that it makes alone."""
    alone = [c for c in chip.channels if c.of == (part,) and c.channel == channel.channel]
    row = alone[0] if alone else channel
    return value * row.factor + row.bias


@each_chip
def test_units_signs_and_bounds_of_channels(chip: ChipType) -> None:
    config = settings_of(chip, expected_config(chip, {}))
    layout = build_row(chip, chip.addresses[0], options(chip), config, period_s=1.0).layout
    units = {"voltage": "V", "current": "A", "power": "W", "charge": "C", "energy": "J", "temperature": "degC"}
    for channel in layout.channels:
        assert channel.unit == units.get(channel.quantity, "")
        assert bool(channel.field) != bool(channel.product)
        assert channel.lsb > 0 or channel.product
        assert channel.skew_s > 0 or not channel.product
        assert channel.quality_class in ("measured", "accumulated", "gauge", "inferred", "estimated")
    assert len({c.name for c in layout.channels}) == len(layout.channels)


@each_chip
def test_power_on_settings_are_among_the_choices(chip: ChipType) -> None:
    """What the chip starts with can be asked for by name, and asking for it changes nothing."""
    start = expected_config(chip, {})
    values = settings_of(chip, start)
    assert expected_config(chip, values) == start
    assert fastest_hz(chip, {}) >= chip.default_hz or chip.cycle_s(values) == 0


@each_chip
def test_the_mask_covers_the_channels_and_nothing_else(chip: ChipType) -> None:
    config = settings_of(chip, expected_config(chip, {}))
    layout = build_row(chip, chip.addresses[0], options(chip), config, period_s=1e-3).layout
    mask = measured_mask(layout)
    used = {name for c in layout.channels for name in (c.product or (c.field,))}
    inverse = (mask ^ ((1 << 8 * layout.row_bytes) - 1)).to_bytes(layout.row_bytes, "big")
    assert all(value == 0 for name, value in field_integers(layout, inverse).items() if name in used)
    assert all(field_integers(layout, mask.to_bytes(layout.row_bytes, "big"))[name] for name in used)


def test_a_shunt_that_nobody_gave_is_asked_for() -> None:
    chip = chips.find("ina226")
    config = settings_of(chip, expected_config(chip, {}))
    with pytest.raises(BoardError, match="shunt"):
        build_row(chip, 0x40, options(chip, 0.0), config, period_s=1.0)


def test_channels_are_named_after_the_rail_or_the_source() -> None:
    chip = chips.find("ina3221")
    config = settings_of(chip, expected_config(chip, {}))
    two = SensorOptions("adc", channels=(ChannelOptions(1, "CPU", 0.01), ChannelOptions(3, "", 0.01)))
    names = [c.name for c in build_row(chip, 0x40, two, config, period_s=1.0).layout.channels]
    assert names == [f"{about}.{q}" for about in ("CPU", "adc3") for q in ("voltage", "current", "power")]
    one = SensorOptions("adc", channels=(ChannelOptions(2, "", 0.01),))
    assert build_row(chip, 0x40, one, config, period_s=1.0).layout.channels[0].name == "adc.voltage"
