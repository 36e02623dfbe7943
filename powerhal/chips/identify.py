"""Is this the chip that the board promises? Reads only; nothing is written to a chip that has not proved itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from powerhal.chips.registers import ChipType, Register
from powerhal.errors import TransportError
from powerhal.transport import I2cBus


@dataclass(frozen=True, slots=True)
class Identity:
    """What a look at the chip gave: raw registers by name, whether an identity register proved the part."""

    raw: Mapping[str, int]
    proved: bool


def read_register(bus: I2cBus, address: int, register: Register) -> bytes:
    """The wire bytes of one register; raises TransportError."""
    return bus.transfer(address, bytes((register.address,)), register.nbytes)


def identify(chip: ChipType, bus: I2cBus, address: int) -> Identity:
    """Read the evidence and the configuration; raises TransportError when absent, or another chip is there.

    A register that only another chip would have may be silent.
    """
    needed = [e.register for e in chip.evidence if e.required and not e.differs]
    needed += [r.name for r in chip.config_registers()] + [f.register for f in chip.flags]
    raw: dict[str, int] = {}
    for name in dict.fromkeys([*(e.register for e in chip.evidence), *needed]):
        register = chip.register(name)
        try:
            raw[name] = register.integer(read_register(bus, address, register))
        except TransportError:
            if name in needed:
                raise
    known = [e for e in chip.evidence if e.register in raw]
    wrong = [e for e in known if e.required and not e.holds(raw[e.register])]
    if wrong:
        where = f"{bus.name} 0x{address:02x}"
        seen = ", ".join(f"{e.register} = 0x{raw[e.register]:04x}" for e in wrong)
        raise TransportError(
            f"{where} is not the {chip.name} that the board describes: {seen}",
            kind="absent",
            hint="compare the board file with the markings on the chip, or run `powerhal detect`",
        )
    return Identity(raw, any(e.proof and e.holds(raw[e.register]) for e in known))
