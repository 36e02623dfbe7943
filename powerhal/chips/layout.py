"""From a chip's map and a board's options to a row of bytes: which registers, which fields, which channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from powerhal.channel import Channel, Field, Flag, Layout, Quality
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.chips.registers import Bits, ChannelRow, ChipType, Config, Register
from powerhal.errors import BoardError
from powerhal.transport import Xfer

READY_FROM = 2.0  # the ready bit is read when a period is shorter than this many conversion rounds


@dataclass(frozen=True, slots=True)
class RowPlan:
    """One row of a chip: its layout and the transfers whose answers, end to end, are the row."""

    layout: Layout
    xfers: tuple[Xfer, ...]


def expected_config(chip: ChipType, settings: Mapping[str, float]) -> dict[str, int]:
    """Register name -> value after power-on with `settings` applied; raises BoardError for unknown ones."""
    values = {r.name: r.por or 0 for r in chip.config_registers()}
    known = chip.settings()
    for name, value in settings.items():
        if name not in known:
            raise BoardError(f"{chip.name} has no setting {name!r}; it has {', '.join(known)}")
        register, bits = known[name]
        try:
            code = bits.code(value)
        except ValueError as error:
            raise BoardError(f"{chip.name}: {error}") from None
        mask = ((1 << (bits.bits or 8 * register.nbytes)) - 1) << bits.shift
        if (code << bits.shift) & ~mask or code < 0:
            raise BoardError(f"{chip.name}: {name} cannot be {value:g}")
        values[register.name] = values[register.name] & ~mask | code << bits.shift
    return values


def settings_of(chip: ChipType, values: Mapping[str, int]) -> dict[str, float]:
    """Setting name -> value in SI, from the raw values of the configuration registers."""
    out: dict[str, float] = {}
    for name, (register, bits) in chip.settings().items():
        width = bits.bits or 8 * register.nbytes
        code = (values[register.name] >> bits.shift) & ((1 << width) - 1)
        out[name] = bits.codes[code] if code < len(bits.codes) else float(code)
    return out


def fastest_hz(chip: ChipType, settings: Mapping[str, float]) -> float:
    """The greatest rate at which every read is a new conversion; infinite when unknown."""
    cycle = chip.cycle_s(settings_of(chip, expected_config(chip, settings)))
    limits = [hz for hz in (chip.max_hz, 1.0 / cycle if cycle else 0.0) if hz]
    return min(limits, default=float("inf"))


def channel_config(options: ChannelOptions, settings: Mapping[str, float]) -> Config:
    """What the numbers of one input depend on."""
    return {**settings, "r_shunt_ohm": options.shunt_ohms or None}


def build_row(
    chip: ChipType, address: int, options: SensorOptions, settings: Mapping[str, float], period_s: float,
    *, latched: frozenset[str] = frozenset(),
) -> RowPlan:  # fmt: skip
    """The row of `chip` under `settings` (SI); `latched` names the status bits that already say nothing."""
    inputs = {o.index: o for o in options.channels}
    rows = [r for r in chip.channels if r.channel == 0 or r.channel in inputs]
    watched = [f for f in chip.flags if f.bits not in latched]
    ready = chip.ready if chip.ready and period_s < READY_FROM * chip.cycle_s(settings) else None
    order = [ready.register, ready.clear] if ready else []
    order += [f.register for f in watched]
    order += [_home(chip, name, row.channel)[0].name for row in rows for name in row.of]
    names = list(dict.fromkeys(filter(None, order)))
    offsets, width = {}, 0
    for name in names:
        offsets[name] = width
        width += chip.register(name).nbytes

    fields: dict[str, Field] = {}
    flags: list[Flag] = []
    channels: list[Channel] = []
    if ready:
        fields["ready"] = _status_field(chip, ready.register, ready.bits, offsets, "ready")
        flags.append(Flag("ready", Quality.STALE, when_zero=True))
    for watch in watched:
        fields[watch.bits] = _status_field(chip, watch.register, watch.bits, offsets, watch.bits)
        flags.append(Flag(watch.bits, watch.quality))
    for row in rows:
        option = inputs.get(row.channel or 1) or options.channels[0]
        config = channel_config(option, settings)
        used = [_channel_field(chip, row, part, rows, option, config, offsets) for part in row.of]
        if None in used:
            raise BoardError(f"{options.name}: {chip.name} needs the shunt of input {option.index} in ohms")
        parts = [f for f in used if f is not None]
        for field, part in zip(parts, row.of, strict=True):
            if field.name not in fields:
                fields[field.name] = field
                clamps = _home(chip, part, row.channel)[1].clamps(config)
                if clamps:
                    flags.append(Flag(field.name, Quality.SATURATED, values=clamps))
        channels.append(_channel(chip, row, parts, options, option, settings))
    layout = Layout(width, tuple(fields.values()), tuple(channels), tuple(flags))
    return RowPlan(layout, tuple(_read(address, chip.register(n)) for n in names))


def _read(address: int, register: Register) -> Xfer:
    return Xfer(address, bytes((register.address,)), register.nbytes)


def _home(chip: ChipType, bits: str, channel: int) -> tuple[Register, Bits]:
    """The register of that input that holds those bits."""
    for register in chip.registers:
        if register.channel in (0, channel):
            for part in register.bits:
                if part.name == bits:
                    return register, part
    raise KeyError(f"{chip.name} has no bits {bits!r} for input {channel}")


def _status_field(chip: ChipType, register: str, bits: str, offsets: Mapping[str, int], name: str) -> Field:
    home = chip.register(register)
    part = next(b for b in home.bits if b.name == bits)
    field = home.field(part, offsets[register], {}, name=name)
    assert field is not None
    return field


def _channel_field(
    chip: ChipType, row: ChannelRow, bits: str, rows: list[ChannelRow], option: ChannelOptions, config: Config,
    offsets: Mapping[str, int],
) -> Field | None:  # fmt: skip
    """The field of one part of a channel, in SI and + = consumed, named after the channel that it alone makes."""
    own = next((r for r in rows if r.of == (bits,) and r.channel == row.channel), row)
    register, part = _home(chip, bits, row.channel)
    name = f"{own.label}{row.channel or ''}"
    factor = own.factor * (option.gain if own.quantity == "current" else 1.0)
    field = register.field(part, offsets[register.name], config, name=name, factor=factor)
    if field is None:
        return None
    bias = field.bias + (option.offset_a if own.quantity == "current" else 0.0)
    return replace(field, bias=bias, unit=own.unit)


def _channel(
    chip: ChipType, row: ChannelRow, parts: list[Field], options: SensorOptions, option: ChannelOptions,
    settings: Mapping[str, float],
) -> Channel:  # fmt: skip
    suffix = str(row.channel) if row.channel and len(options.channels) > 1 else ""
    about = option.rail or options.name + suffix
    cycle = chip.cycle_s(settings)
    product = len(parts) > 1
    tolerance = option.shunt_tolerance if row.quantity in ("current", "power") else 0.0
    return Channel(
        name=f"{about}.{row.label}",
        quantity=row.quantity,
        unit=row.unit,
        field="" if product else parts[0].name,
        product=tuple(p.name for p in parts) if product else (),
        counter=row.counter,
        wrap_bits=row.wrap_bits,
        rail=option.rail,
        quality_class=row.quality_class,
        lsb=0.0 if product else abs(parts[0].scale),
        accuracy=row.accuracy + tolerance,
        skew_s=cycle if product else 0.0,
        window_s=cycle,
    )
