"""From a chip's map and a board's options to a row of bytes: which registers, which fields, which channels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from powerhal.channel import Channel, Field, Flag, Layout, Quality
from powerhal.chips import inferred
from powerhal.chips.options import ChannelOptions, SensorOptions
from powerhal.chips.pec import read_agrees
from powerhal.chips.registers import Bits, ChannelRow, ChipType, Config, Register
from powerhal.errors import BoardError
from powerhal.transport import Xfer

READY_FROM = 2.0  # the ready bit is read when a period is shorter than this many conversion rounds


@dataclass(frozen=True, slots=True)
class RowPlan:
    """One row of a chip: its layout and the transfers whose answers, end to end, are the row.

    `checks` are the parts of the row that end in a check byte: all of its transfers, or none.
    """

    layout: Layout
    xfers: tuple[Xfer, ...]
    checks: tuple[slice, ...] = ()

    def intact(self, row: bytes) -> bool:
        """Whether every answer that ends in a check byte agrees with it."""
        checked = zip(self.checks, (x for x in self.xfers if x.read), strict=False)
        return all(read_agrees(x.address, x.write[0], row[part]) for part, x in checked)


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


def measured_mask(layout: Layout) -> int:
    """The bits of a row (read as one big-endian number) that its channels are made of."""
    used = {name for c in layout.channels for name in (c.product or (c.field,))}
    mask = bytearray(layout.row_bytes)
    for field in layout.fields:
        if field.name in used:
            width = field.bits or 8 * field.nbytes - field.shift
            word = ((1 << width) - 1) << field.shift
            for i, byte in enumerate(word.to_bytes(field.nbytes, "big" if field.order == "big" else "little")):
                mask[field.offset + i] |= byte
    return int.from_bytes(mask, "big")


def channel_config(options: ChannelOptions, settings: Mapping[str, float]) -> Config:
    """What the numbers of one input depend on."""
    return {**settings, "r_shunt_ohm": options.shunt_ohms or None}


def build_row(
    chip: ChipType,
    address: int,
    options: SensorOptions,
    settings: Mapping[str, float],
    *,
    period_s: float,
    latched: frozenset[str] = frozenset(),
) -> RowPlan:
    """The row of `chip` under `settings` (SI); `latched` names the status bits that already say nothing.

    Raises BoardError when a current needs a shunt that `options` does not give.
    """
    return _Row(chip, options, settings, period_s, latched).plan(address)


class _Row:
    """What is known while a row is put together."""

    def __init__(
        self,
        chip: ChipType,
        options: SensorOptions,
        settings: Mapping[str, float],
        period_s: float,
        latched: frozenset[str],
    ) -> None:
        self.chip, self.options = chip, options
        self.cycle_s = chip.cycle_s(settings)
        self.inputs = {o.index: o for o in options.channels}
        self.config = {o.index: channel_config(o, settings) for o in options.channels}
        offered = (*chip.channels, *inferred.rows(chip, options.battery))
        mine = (r for r in offered if r.channel == 0 or r.channel in self.inputs)
        self.rows = [r for r in mine if not r.optional or self._scaled(r)]
        self.watched = [f for f in chip.flags if f.bits not in latched]
        self.ready = chip.ready if period_s < READY_FROM * self.cycle_s else None
        self.fields: dict[str, Field] = {}
        self.flags: list[Flag] = []
        self.offsets: dict[str, int] = {}

    def plan(self, address: int) -> RowPlan:
        """Registers, then fields and flags, then channels."""
        width = 0
        for name in self._registers():
            self.offsets[name] = width
            width += self.chip.register(name).nbytes
        if self.ready:
            self._status("ready", self.ready.register, self.ready.bits)
            self.flags.append(Flag("ready", Quality.STALE, when_zero=True))
        for watch in self.watched:
            self._status(watch.bits, watch.register, watch.bits)
            self.flags.append(Flag(watch.bits, watch.quality))
        channels = tuple(self._channel(row) for row in self.rows)
        layout = Layout(width, tuple(self.fields.values()), channels, tuple(self.flags))
        registers = [self.chip.register(name) for name in self.offsets]
        xfers = tuple(Xfer(address, bytes((r.address,)), r.nbytes) for r in registers)
        checks = [slice(self.offsets[r.name], self.offsets[r.name] + r.nbytes) for r in registers if r.check]
        return RowPlan(layout, xfers, tuple(checks))

    def _registers(self) -> list[str]:
        """Names in reading order: the ready bit first, as what comes after it can only be newer."""
        names = [self.ready.register, self.ready.clear] if self.ready else []
        names += [f.register for f in self.watched]
        names += [_home(self.chip, part, row.channel)[0].name for row in self.rows for part in row.of]
        return list(dict.fromkeys(filter(None, names)))

    def _status(self, name: str, register: str, bits: str) -> None:
        home = self.chip.register(register)
        part = next(b for b in home.bits if b.name == bits)
        field = home.field(part, self.offsets[register], {}, name=name)
        assert field is not None
        self.fields[name] = field

    def _scaled(self, row: ChannelRow) -> bool:
        """Whether every part of the channel has a scale under the chip's settings."""
        config = self.config[self._option(row).index]
        return all(_home(self.chip, bits, row.channel)[1].scale(config) is not None for bits in row.of)

    def _option(self, row: ChannelRow) -> ChannelOptions:
        return self.inputs.get(row.channel) or self.options.channels[0]

    def _part(self, row: ChannelRow, bits: str) -> Field:
        """One part of a channel in SI and + = consumed, named after the channel that it alone makes, or itself."""
        alone = (r for r in self.rows if r.of == (bits,) and r.channel == row.channel)
        part = _home(self.chip, bits, row.channel)[1]
        own = row if row.of == (bits,) else next(alone, ChannelRow("", part.unit, (bits,), row.channel, name=bits))
        name = f"{own.label}{row.channel or ''}"
        if name in self.fields:
            return self.fields[name]
        option = self._option(row)
        config = self.config[option.index]
        register, part = _home(self.chip, bits, row.channel)
        through_shunt = own.quantity == "current" and not own.times
        gain, offset = (option.gain, option.offset_a) if through_shunt else (1.0, 0.0)
        field = register.field(part, self.offsets[register.name], config, name=name, factor=own.factor * gain)
        if field is None:
            raise BoardError(f"{self.options.name}: {self.chip.name} needs the shunt of input {option.index} in ohms")
        self.fields[name] = replace(field, bias=field.bias + own.bias + offset, unit=own.unit)
        if clamps := part.clamps(config):
            self.flags.append(Flag(name, Quality.SATURATED, values=clamps))
        return self.fields[name]

    def _channel(self, row: ChannelRow) -> Channel:
        parts = [self._part(row, bits) for bits in row.of]
        option = self._option(row)
        suffix = str(row.channel) if row.channel and len(self.options.channels) > 1 else ""
        product = len(parts) > 1
        guessed = row.quality_class == "inferred"
        tolerance = option.shunt_tolerance if row.quantity in ("current", "power") and not guessed else 0.0
        return Channel(
            name=f"{option.label or option.rail or self.options.name + suffix}.{row.label}",
            quantity=row.quantity,
            unit=row.unit,
            field="" if product else parts[0].name,
            product=tuple(p.name for p in parts) if product else (),
            counter=row.counter,
            wrap_bits=row.wrap_bits,
            both_ways=row.both_ways,
            rail=option.rail,
            quality_class=row.quality_class,
            lsb=(self._step(parts) if guessed else 0.0) if product else abs(parts[0].scale),
            accuracy=row.accuracy + tolerance,
            offset=row.offset / (option.shunt_ohms or 1.0) if row.quantity == "current" and not guessed else row.offset,
            skew_s=self.cycle_s if product else 0.0,
            window_s=0.0 if guessed else self.cycle_s,  # how long a gauge's model looks back is not published
        )

    def _step(self, parts: list[Field]) -> float:
        """The step of an inferred product at the battery's nominal voltage, 0 when that is not known."""
        return abs(parts[-1].scale) * self.options.battery.complete().nominal_v


def _home(chip: ChipType, bits: str, channel: int) -> tuple[Register, Bits]:
    """The register of that input that holds those bits."""
    for register in chip.registers:
        if register.channel in (0, channel):
            for part in register.bits:
                if part.name == bits:
                    return register, part
    raise KeyError(f"{chip.name} has no bits {bits!r} for input {channel}")
