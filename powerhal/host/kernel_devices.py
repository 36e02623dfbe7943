"""Devices that a kernel driver owns: how they are called, where on I2C they sit, which rail a feature is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from powerhal.host import tree
from powerhal.host.context import HostContext
from powerhal.host.rails import rail_of

_I2C = re.compile(r"(\d+)-([0-9a-f]{4})")


@dataclass(frozen=True, slots=True)
class KernelDevice:
    """One device of a kernel class: its folder, driver's name, source name, and I2C place (-1 elsewhere).

    `alias` is the name without the address, '' when another device has it too.
    """

    folder: str
    driver: str
    name: str
    alias: str
    i2c_bus: int = -1
    i2c_address: int = -1

    def source_of(self, context: HostContext, feature: str, *, alone: bool) -> tuple[str, str]:
        """(source name, rail or '') of one feature; `alone`: the device has no other."""
        name = self.name if alone else f"{self.name}.{feature}"
        rail = rail_of(context, self.name, feature, alias=self.alias)
        if not rail and alone:
            rail = rail_of(context, self.name, alias=self.alias)
        return name, rail


AnyDevice = TypeVar("AnyDevice", bound=KernelDevice)


def named(kind: str, seen: Sequence[tuple[str, str, str]]) -> list[KernelDevice]:
    """Devices from (folder, driver, parent device) in order: `KIND.DRIVER`, with `@PARENT` on I2C and for twins."""
    count = Counter(driver for _, driver, _ in seen)
    found: list[KernelDevice] = []
    for folder, driver, parent in seen:
        i2c = _I2C.fullmatch(parent)
        own = f"{driver}@{parent}" if i2c or (count[driver] > 1 and parent) else driver
        alias = f"{kind}.{driver}" if count[driver] == 1 else ""
        bus, address = (int(i2c[1]), int(i2c[2], 16)) if i2c else (-1, -1)
        name = tree.unused(f"{kind}.{tree.safe_name(own)}", (device.name for device in found))
        found.append(KernelDevice(folder, driver, name, alias, bus, address))
    return found


def at_i2c(devices: Iterable[AnyDevice], bus: int, address: int) -> AnyDevice | None:
    """The device of the chip at that 7-bit address, None when none of them is."""
    return next((d for d in devices if (d.i2c_bus, d.i2c_address) == (bus, address)), None)
