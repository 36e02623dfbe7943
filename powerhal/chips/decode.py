"""Registers to named values by a chip's map: `powerhal chips decode`, `bus dump`, golden vectors, identification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from powerhal.chips import find
from powerhal.chips.given import check_config, plain_config, pointer_of, registers
from powerhal.chips.layout import settings_of
from powerhal.chips.pec import read_agrees
from powerhal.chips.registers import ChipType, Config, Register, Value

_DELTA = {"J": "delta_j", "C": "delta_c", "Ah": "delta_ah"}


def decode_registers(chip: str, config: Mapping[str, object], raw: Mapping[str, bytes]) -> dict[str, Value]:
    """Every value that the given registers of `chip` hold, in SI and with the chip's own sign.

    `chip`: part name or `compatible`. `config`: `r_shunt_ohm`, `current_lsb`, `channel` (the input to decode),
    `byte_order`, `addr` and the chip's settings as far as known; what cannot be computed without them is left out,
    what the chip says that it does not know is None. `raw`: pointer ('0x02') -> wire bytes; two readings of an
    accumulator ('prev_0x09', 'now_0x09') give what it gained, modulo its width.
    Raises UsageError for a register or width that the chip does not have and for a configuration that cannot be.
    """
    kind = find(chip)
    check_config(kind, config)
    numbers = plain_config(config)
    order = config.get("byte_order")
    readings: dict[str, dict[int, bytes]] = {"prev": {}, "now": {}, "": {}}
    for name, data in raw.items():
        when, _, text = name.rpartition("_")
        pointer = pointer_of(kind, text)
        readings[when if when in readings else ""][pointer] = _turned(kind, pointer, data, order)
    values = decode(kind, numbers, readings[""])
    if readings["now"]:
        values |= gained(kind, numbers, readings["prev"], readings["now"])
    return values


def _turned(chip: ChipType, pointer: int, data: bytes, order: object) -> bytes:
    """The bytes as the chip sends them when somebody gives them in the other order."""
    register = next((r for r in chip.registers if r.address == pointer), None)
    if order in ("big", "little") and register is not None and register.order != order and not register.check:
        return data[::-1]
    return data


def decode(chip: ChipType, config: Config, raw: Mapping[int, bytes]) -> dict[str, Value]:
    """As `decode_registers`, for a chip, pointers as integers and a configuration in the maps' own names."""
    given = list(registers(chip, raw, int(config.get("addr") or 0)))
    config = {**_settings(chip, given), **{k: v for k, v in config.items() if v is not None}}
    wanted = int(config.get("channel") or 0)
    seen = sorted({r.channel for r, _ in given if r.channel})
    inputs = [wanted] if wanted else (seen or [0])
    values: dict[str, Value] = {}
    for index in inputs:
        suffix = str(index) if len(inputs) > 1 else ""
        mine = [(r, d) for r, d in given if r.channel in (0, index)]
        shared = {b.name for r, _ in mine if not r.channel for b in r.bits}
        for name, value in _input_values(chip, mine, {**config, "channel": float(index)}).items():
            values[name if name in shared else name + suffix] = value
    address = int(config.get("addr") or chip.addresses[0])
    if any(register.check and not read_agrees(address, register.address, data) for register, data in given):
        values["error"] = "crc"
    return values


def _settings(chip: ChipType, given: list[tuple[Register, bytes]]) -> dict[str, float]:
    """What the configuration registers among the given ones say."""
    raw = {r.name: r.integer(d) for r, d in given if r.role == "config"}
    known = settings_of(chip, {**{r.name: 0 for r in chip.config_registers()}, **raw})
    return {name: value for name, value in known.items() if chip.settings()[name][0].name in raw}


def _input_values(chip: ChipType, given: list[tuple[Register, bytes]], config: Config) -> dict[str, Value]:
    """The values of one input and of the chip as a whole, products and functions included."""
    values: dict[str, Value] = {}
    integers: dict[str, int] = {}
    for register, data in given:
        for part in register.bits:
            integers[part.name] = register.part(part, data, config)
        if register.role in ("data", "status"):
            for name, integer, value in named_values(register, data, config):
                part = next(b for b in register.bits if b.name == name)
                if value is not None or integer in part.unknown:
                    values[name] = value
    for product in chip.products:
        a, b = (values.get(factor) for factor in product.factors)
        if isinstance(a, int | float) and isinstance(b, int | float):
            values[product.name] = float(a) * float(b)
    for derived in chip.derived:
        found = derived.function(integers, values, config)
        if found is not None:
            values[derived.name] = found
    return values


def other_values(chip: str, config: Mapping[str, object], raw: Mapping[str, bytes]) -> dict[str, Value]:
    """What the given registers say beside measurements: settings, limits, status bits, identities as integers."""
    kind = find(chip)
    numbers = plain_config(config)
    single = {pointer_of(kind, name): data for name, data in raw.items() if "_" not in name}
    values: dict[str, Value] = {}
    for register, data in registers(kind, single):
        if register.role in ("data", "status"):
            continue
        if not register.bits:
            values[register.name] = register.integer(data)
        values |= {name: value for name, _, value in named_values(register, data, numbers) if value is not None}
    return values


def gained(chip: ChipType, config: Config, before: Mapping[int, bytes], now: Mapping[int, bytes]) -> dict[str, Value]:
    """What accumulators gained between two readings, modulo their width (`config['width']` overrides it).

    A chip whose accumulators do not wrap (`ChipType.saturates`) gains None when the second is smaller.
    """
    earlier = {register.name: data for register, data in registers(chip, before)}
    gains: dict[str, Value] = {}
    for register, later in registers(chip, now):
        for part in register.bits if register.name in earlier else ():
            scale = part.scale(config)
            if part.unit not in _DELTA or scale is None:
                continue
            width = int(config.get("width") or part.bits or 8 * register.nbytes)
            step = register.part(part, later, config) - register.part(part, earlier[register.name], config)
            gains[_DELTA[part.unit]] = _around(chip, step, width, part.has_sign(config), scale)
    return gains


def _around(chip: ChipType, step: int, width: int, signed: bool, scale: float) -> float | None:
    if chip.saturates:
        return step * scale if step >= 0 else None
    step %= 1 << width
    return (step - (1 << width) if signed and step >> (width - 1) else step) * scale


def named_values(register: Register, data: bytes, config: Config) -> Iterator[tuple[str, int, Value]]:
    """(name, raw integer, value) of each part; None when `config` gives no scale or the chip does not know."""
    for bits in register.bits:
        integer = register.part(bits, data, config)
        if integer in bits.unknown:
            yield bits.name, integer, None
        elif bits.unit == "bool":
            yield bits.name, integer, bool(integer)
        elif bits.codes:
            yield bits.name, integer, bits.codes[integer] if integer < len(bits.codes) else None
        else:
            field = register.field(bits, 0, config)
            yield bits.name, integer, None if field is None else integer * field.scale + field.bias
