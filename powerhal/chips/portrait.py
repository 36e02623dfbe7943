"""A chip's map as text: registers, bits and the formula of each value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from powerhal.chips.registers import Bits, ChannelRow, ChipType, Register


def formula(bits: Bits) -> str:
    """How the value follows from the integer n, in the words of `--config`."""
    if bits.unit == "bool":
        return "n"
    if bits.codes:
        return ", ".join(f"{code:g}" for code in bits.codes)
    step = bits.formula or ("a function of the settings" if callable(bits.lsb) else f"{bits.lsb:.10g}")
    text = f"(n - {bits.zero:g})" if bits.zero else "n"
    if step != "1":
        text += f" * ({step})" if bits.formula and bits.formula != "current_lsb" else f" * {step}"
    return text + "".join((f" * {bits.times}" if bits.times else "", f" / {bits.per}" if bits.per else ""))


def place(register: Register, bits: Bits) -> str:
    """The bits that a value takes, the highest first."""
    width = bits.bits or 8 * (register.nbytes - register.check) - bits.shift
    last = bits.shift + width - 1
    return f"{last}:{bits.shift}" if width > 1 else str(last)


def sign(bits: Bits) -> str:
    """'signed' where the integer is a two's complement, or may be."""
    return "signed or not by a setting" if callable(bits.signed) else "signed" if bits.signed else ""


def lines(chip: ChipType) -> Iterator[str]:
    """Title, address, registers with their bits and formulas, channels, identity, sources."""
    low, high = chip.addresses
    where = f"0x{low:02x}" if low == high else f"0x{low:02x} to 0x{high:02x}"
    yield f"{chip.name}  {chip.title}"
    yield f"  I2C {where}" if chip.wired else "  through its kernel driver only"
    if chip.max_hz:
        yield f"  at most {chip.max_hz:g} readings a second"
    if chip.saturates:
        yield "  its accumulators stop at their end and do not wrap"
    yield ""
    for register in chip.registers:
        yield from _register(register)
    if chip.channels:
        yield ""
        yield "channels"
    yield from (_channel(row, row.of) for row in chip.channels)
    if chip.inferred:
        yield "with the capacity of the battery (C, J) in the board file"
        own = {row.of: row.label for row in chip.inferred if len(row.of) == 1}
        for row in chip.inferred:
            yield _channel(row, row.of if row.of in own else tuple(own.get((b,), b) for b in row.of))
    for product in chip.products:
        yield f"  {product.name} = {' * '.join(product.factors)}"
    for derived in chip.derived:
        yield f"  {derived.name}: {(derived.function.__doc__ or 'from several registers').splitlines()[0]}"
    yield ""
    yield f"source: {chip.source_note}"
    if chip.checked:
        yield f"checked: {chip.checked}"


def _channel(row: ChannelRow, parts: tuple[str, ...]) -> str:
    """What a channel is made of; an inferred one with its limits, which no data sheet states."""
    scale = f" * {row.factor:g}" if row.factor != 1 else ""
    made = (f"{row.bias:g} + " if row.bias else "") + " * ".join(parts) + scale
    if row.times:
        made = (f"({made})" if row.bias else made) + f" * {row.times}"
    limits = f", within {100 * row.accuracy:g} %" if row.quality_class == "inferred" else ""
    limits += f" and {row.offset:.3g} * {row.times}" if limits and row.offset and row.times else ""
    return f"  {row.label}{row.channel or ''}  {row.unit or 'ratio'}  = {made}  ({row.quality_class}{limits})"


def _register(register: Register) -> Iterator[str]:
    start = "" if register.por is None else f", 0x{register.por:0{2 * register.nbytes}x} after power-on"
    check = ", last byte CRC-8" if register.check else ""
    size = f"{register.nbytes} bytes {register.order}-endian" if register.nbytes > 1 else "1 byte"
    yield f"  0x{register.address:02x}  {register.name}  {size}, {register.role}{check}{start}"
    for bits in register.bits:
        words = (formula(bits), bits.unit, sign(bits))
        yield f"        {place(register, bits):>6}  {bits.name} = {'  '.join(w for w in words if w)}"


def document(chip: ChipType) -> dict[str, Any]:
    """The map as plain data: pointers and wire widths, bits, formulas, channels, evidence."""
    return {
        "name": chip.name, "title": chip.title, "addresses": list(chip.addresses), "wired": chip.wired,
        "registers": [
            {
                "name": r.name, "pointer": f"0x{r.address:02x}", "bytes": r.nbytes, "order": r.order, "role": r.role,
                "power_on": r.por, "input": r.channel,
                "fields": [
                    {"name": b.name, "bits": place(r, b), "formula": formula(b), "unit": b.unit, "sign": sign(b)}
                    for b in r.bits
                ],
            }
            for r in chip.registers
        ],
        "channels": [
            {"quantity": c.quantity, "unit": c.unit, "of": list(c.of), "input": c.channel, "factor": c.factor,
             "class": c.quality_class, "accuracy": c.accuracy}
            for c in chip.channels
        ],
        "inferred": [
            {"quantity": c.quantity, "unit": c.unit, "of": list(c.of), "factor": c.factor, "bias": c.bias,
             "times": c.times, "accuracy": c.accuracy, "offset": c.offset}
            for c in chip.inferred
        ],
        "source": chip.source_note, "checked": chip.checked,
    }  # fmt: skip
