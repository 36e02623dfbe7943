"""A bus that answers from a register dump: a field report becomes an emulated board.

The file is JSON (so YAML readers take it too), written by `powerhal bus dump -o FILE`:

    {"schema": 1, "board": NAME, "buses": {BUS: {"ADDRESS": {"chip": .., "autoincrement": bool,
     "owner": "", "registers": {"0x02": {"raw": "5d98", ...}}}}}}

Only `autoincrement` and `raw` are used to answer; the rest is for people.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from powerhal.errors import FileError, TransportError
from powerhal.transport import Clock, FileRoot, SerialPort, Xfer
from powerhal.transport.plans import TransferPlan

LARGEST = 4 << 20  # bytes of a dump file


@dataclass(slots=True)
class ReplayChip:
    """Registers of one chip by pointer, as wire bytes; writes change this copy only."""

    registers: dict[int, bytes]
    autoincrement: bool = False
    pointer: int = field(default=0, init=False)

    def write(self, data: bytes) -> None:
        """Set the pointer, and the register when more follows; raises OSError for an unknown register."""
        if not data:
            return
        self.pointer = data[0]
        if len(data) > 1:
            if self.pointer not in self.registers:
                raise OSError(errno.ENXIO, "not in the dump")
            self.registers[self.pointer] = data[1:]

    def read(self, count: int) -> bytes:
        """`count` bytes from the pointer; a chip that counts on goes on into the next addresses."""
        if self.autoincrement:
            memory = {a + i: byte for a, raw in self.registers.items() for i, byte in enumerate(raw)}
            if self.pointer in memory:
                return bytes(memory.get(self.pointer + i, 0xFF) for i in range(count))
        elif self.pointer in self.registers:
            return self.registers[self.pointer][:count].ljust(count, b"\xff")
        raise OSError(errno.ENXIO, "not in the dump")


class ReplayBus:
    """An `I2cBus` over the chips of a dump; what the dump does not hold is absent."""

    def __init__(self, name: str, chips: Mapping[int, ReplayChip]) -> None:
        self.name = name
        self.chips = dict(chips)

    def plan(self, xfers: Sequence[Xfer]) -> TransferPlan:
        """Remember the transfers."""
        return TransferPlan(self, xfers)

    def transfer(self, address: int, write: bytes, read: int = 0) -> bytes:
        """One transfer; raises TransportError (kind 'absent') for what the dump does not hold."""
        chip = self.chips.get(address)
        try:
            if chip is None:
                raise OSError(errno.ENXIO, "no such chip in the dump")
            chip.write(write)
            return chip.read(read) if read else b""
        except OSError as error:
            text = f"{self.name} 0x{address:02x}: {error.strerror}"
            raise TransportError(text, kind="absent", errno=error.errno) from None

    def owner(self, address: int) -> str:
        """The kernel driver that owned the address when the dump was made; it owns nothing now."""
        return ""

    def close(self) -> None:
        """Nothing to close."""


@dataclass(frozen=True, slots=True)
class ReplayWorld:
    """The buses of a dump where a simulated world is asked for: `assemble(board, world=ReplayWorld(...))`."""

    buses: Mapping[str, ReplayBus]
    root: FileRoot
    clock: Clock

    def bus(self, name: str) -> ReplayBus:
        """The bus of that name; one without chips when the dump does not have it."""
        return self.buses.get(name) or ReplayBus(name, {})

    def serial(self, name: str) -> SerialPort:
        """Raises TransportError: a register dump holds no serial lines."""
        raise TransportError(f"{name}: a register dump holds no serial lines", kind="absent")


def load_dump(path: str | Path) -> dict[str, ReplayBus]:
    """Bus name -> bus of a dump file; raises FileError when it is not one."""
    place = Path(path)
    try:
        if place.stat().st_size > LARGEST:
            raise FileError(f"{path} is too large for a register dump")
        content = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        why = getattr(error, "strerror", None) or error
        raise FileError(
            f"{path} is not a register dump: {why}", hint="powerhal bus dump BOARD -o FILE writes one"
        ) from None
    return buses(content)


def buses(content: Any) -> dict[str, ReplayBus]:
    """Bus name -> bus of a dump's content; raises FileError naming what is wrong."""
    try:
        if content["schema"] != 1:
            raise ValueError(f"schema {content['schema']!r} is not known")
        return {
            name: ReplayBus(name, {int(address, 16): _chip(chip) for address, chip in chips.items()})
            for name, chips in content["buses"].items()
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FileError(f"not a register dump: {error!r}") from None


def _chip(content: Mapping[str, Any]) -> ReplayChip:
    registers = {int(pointer, 16): bytes.fromhex(entry["raw"]) for pointer, entry in content["registers"].items()}
    return ReplayChip(registers, bool(content.get("autoincrement", False)))
