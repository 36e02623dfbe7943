"""What a person gives to `chips decode`: configuration under many names, register bytes in the shapes of logs.

Here both become what the maps know, or an error that says what is known.

A register may come with or without its check byte, a block with or without its length; a chip that goes on at the next
address may be given as one long read or byte by byte.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from numbers import Real

from powerhal.chips.pec import read_code
from powerhal.chips.registers import ChipType, Register
from powerhal.errors import UsageError
from powerhal.units import parse_any

Plain = dict[str, float | None]

SYNONYMS: dict[str, tuple[str, float]] = {
    "cal": ("calibration", 1.0),
    "shunt_cal": ("calibration", 1.0),
    "current_lsb_a": ("current_lsb", 1.0),
    "res_div": ("r_shunt_ohm", 0.01),  # rk817_charger.c: 1 for 10 mOhm, 2 for 20 mOhm
}
"""Other names of a configuration entry -> (the name that the maps use, factor)."""

_SHUNT = re.compile(r"(?:r|rs|rsns|r?_?shunt|r?_?sense|r_sns)_?(u|m|)ohms?")
_OHMS = {"u": 1e-6, "m": 1e-3, "": 1.0}
_TEXTS = ("byte_order",)
_GENERAL = ("r_shunt_ohm", "current_lsb", "calibration", "channel", "addr", "byte_order", "width", "op", "register")
_NEAR = 0.75


def plain_config(config: Mapping[str, object]) -> Plain:
    """The numbers of a configuration under the names that the maps use; texts that are quantities in SI."""
    out: Plain = {}
    for name, value in config.items():
        known, factor = own_name(name)
        number = _number(value)
        if number is not None:
            out[known] = number * factor
    return out


def own_name(name: str) -> tuple[str, float]:
    """(the maps' own name of a configuration entry, factor of its value)."""
    if match := _SHUNT.fullmatch(name.lower()):
        return "r_shunt_ohm", _OHMS[match[1]]
    return SYNONYMS.get(name, (name, 1.0))


def _number(value: object) -> float | None:
    if isinstance(value, Real):
        return float(value)
    if isinstance(value, str):
        try:
            return parse_any(value)[0]
        except ValueError:
            return None
    return None


def known_names(chip: ChipType) -> set[str]:
    """Configuration entries that mean something to a chip."""
    raw = {bits.name for register in chip.registers if register.role == "state" for bits in register.bits}
    return {*_GENERAL, *chip.settings(), *chip.decode_options, *raw}


def check_config(chip: ChipType, config: Mapping[str, object]) -> list[str]:
    """Entries without a meaning for this chip; raises UsageError for one that is nearly a known one, and for values
    that cannot be."""
    known, strange = known_names(chip), []
    for name, value in config.items():
        own, _ = own_name(name)
        if own in known:
            _check_value(chip, name, own, value)
            continue
        near = get_close_matches(name.lower(), sorted(known), 1, _NEAR)
        if near and name != "register":
            raise UsageError(f"{chip.name} has no setting {name!r}", hint=f"did you mean {near[0]}?")
        strange.append(name)
    return strange


def _check_value(chip: ChipType, name: str, own: str, value: object) -> None:
    if value is None or own in _TEXTS or own in ("op", "register"):
        return
    number = _number(value)
    if number is None:
        raise UsageError(f"{name}={value} is not a number", hint="SI values, such as r_shunt_ohm=0.01 or 10mOhm")
    if own in ("r_shunt_ohm", "current_lsb") and number <= 0:
        raise UsageError(f"{name}={value} cannot be: it must be greater than 0")
    if own == "channel" and not (number == int(number) and 1 <= number <= chip.inputs):
        raise UsageError(f"{chip.name} has {chip.inputs} input(s), no channel {value}")


def pointer_of(chip: ChipType, text: str) -> int:
    """The register number in a text such as 0x02; raises UsageError."""
    try:
        return int(text, 16)
    except ValueError:
        raise UsageError(f"{text!r} is not a register of {chip.name}; write it like 0x02=1f40") from None


def registers(chip: ChipType, raw: Mapping[int, bytes], address: int = 0) -> Iterator[tuple[Register, bytes]]:
    """(register, its wire bytes) of everything that was given; raises UsageError for what the chip does not have.

    `address` is where the chip answers (0: its usual place).
    """
    own = {r.address: r for r in chip.registers}
    left: dict[int, bytes] = {}
    for pointer, data in raw.items():
        found = _one(chip, own[pointer], data, address) if pointer in own else None
        if found:
            yield found
        else:
            left[pointer] = data
    if left:
        yield from _from_memory(chip, left)


def _one(chip: ChipType, register: Register, data: bytes, address: int) -> tuple[Register, bytes] | None:
    """The register when the bytes are its own, with or without what goes around them."""
    size = register.nbytes
    if len(data) == size:
        return register, data
    if register.check and len(data) == size - 1:
        return register, data + bytes((read_code(address or chip.addresses[0], register.address, data),))
    if chip.checked_when and not register.check and len(data) == size + 1:
        return register.with_check(), data
    if register.block and len(data) == size - 1:
        return register, bytes((len(data),)) + data
    return None


def _from_memory(chip: ChipType, left: Mapping[int, bytes]) -> Iterator[tuple[Register, bytes]]:
    """Registers that lie whole in reads that went on at the next address."""
    memory = {pointer + i: byte for pointer, data in left.items() for i, byte in enumerate(data)}
    used: set[int] = set()
    for register in chip.registers if chip.autoincrement else ():
        places = range(register.address, register.address + register.nbytes)
        if all(place in memory for place in places):
            used.update(places)
            yield register, bytes(memory[place] for place in places)
    for pointer, data in left.items():
        if used.isdisjoint(range(pointer, pointer + len(data))):
            raise _unknown(chip, pointer, len(data))


def _unknown(chip: ChipType, pointer: int, size: int) -> UsageError:
    register = next((r for r in chip.registers if r.address == pointer), None)
    if register is not None:
        words = f"{register.nbytes} byte" + ("s" if register.nbytes > 1 else "")
        return UsageError(f"{chip.name} register 0x{pointer:02x} ({register.name}) has {words}, not {size}")
    return UsageError(f"{chip.name} has no register 0x{pointer:02x}", hint=f"it has {_list(chip.registers)}")


def _list(known: Iterable[Register]) -> str:
    names = [f"0x{r.address:02x} {r.name}" for r in known if r.role == "data"]
    return ", ".join(names[:12]) + (", ...: see `powerhal chips show`" if len(names) > 12 else "")
