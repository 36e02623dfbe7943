"""Registers to named values by a chip's map: `powerhal bus dump`, golden vectors, identification."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from powerhal.chips import find
from powerhal.chips.registers import ChipType, Config, Register, Value
from powerhal.errors import UsageError


def decode_registers(chip: str, config: Mapping[str, float | None], raw: Mapping[str, bytes]) -> dict[str, Value]:
    """Every value that the given registers of `chip` hold, in SI and with the chip's own sign.

    `chip`: part name or `compatible`. `config`: `r_shunt_ohm`, `current_lsb`, `channel` (the input to decode)
    as far as known; what cannot be computed without them is left out. `raw`: pointer ('0x02') -> wire bytes.
    Raises UsageError for a pointer that the chip does not have or another width.
    """
    return decode(find(chip), config, {int(pointer, 16): data for pointer, data in raw.items()})


def decode(chip: ChipType, config: Config, raw: Mapping[int, bytes]) -> dict[str, Value]:
    """As `decode_registers`, for a chip and pointers as integers."""
    values: dict[str, Value] = {}
    integers: dict[str, int] = {}
    wanted = config.get("channel")
    several = chip.inputs > 1 and not wanted
    for register, data in known_registers(chip, raw):
        if wanted and register.channel not in (0, wanted):
            continue
        suffix = str(register.channel) if several and register.channel else ""
        for name, integer, value in named_values(register, data, config):
            integers[name + suffix] = integer
            if value is not None and register.role == "data":
                values[name + suffix] = value
    for product in chip.products:
        for suffix in ("", *map(str, range(1, chip.inputs + 1))) if several else ("",):
            a, b = (values.get(f + suffix) for f in product.factors)
            if a is not None and b is not None:
                values[product.name + suffix] = float(a) * float(b)
    for derived in chip.derived:
        found = derived.function(integers, values, config)
        if found is not None:
            values[derived.name] = found
    return values


def known_registers(chip: ChipType, raw: Mapping[int, bytes]) -> Iterator[tuple[Register, bytes]]:
    """(register, wire bytes) of each pointer; raises UsageError for an unknown one or another width."""
    known = {r.address: r for r in chip.registers}
    for pointer, data in raw.items():
        register = known.get(pointer)
        if register is None:
            raise UsageError(f"{chip.name} has no register 0x{pointer:02x}")
        if len(data) != register.nbytes:
            raise UsageError(f"{chip.name} register 0x{pointer:02x} has {register.nbytes} bytes, not {len(data)}")
        yield register, data


def named_values(register: Register, data: bytes, config: Config) -> Iterator[tuple[str, int, Value | None]]:
    """(name, raw integer, value) of each part; the value is None when `config` does not give its scale."""
    for bits in register.bits:
        integer = register.part(bits, data)
        if bits.unit == "bool":
            yield bits.name, integer, bool(integer)
        elif bits.codes:
            yield bits.name, integer, bits.codes[integer] if integer < len(bits.codes) else None
        else:
            field = register.field(bits, 0, config)
            yield bits.name, integer, None if field is None else integer * field.scale + field.bias
