"""Emulated chips: what a chip does on the wire, from its data sheet and never from its driver.

`EMULATORS` maps a device-tree `compatible` to `"module:NAME"`, resolved on use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from random import Random
from typing import Any, cast

from powerhal.sim.chips.base import EmulatedChip, Wiring
from powerhal.sim.signal import Signal

EMULATORS: dict[str, str] = {
    "ti,ina219": "ina219:Ina219",
    "ti,ina220": "ina219:Ina219",
    "ti,ina226": "ina226:Ina226",
    "ti,ina230": "ina226:Ina230",
    "ti,ina231": "ina226:Ina231",
    "ti,ina3221": "ina3221:Ina3221",
    "maxim,max17048": "max17048:Max17048",
    "ti,bq27441": "bq27441:Bq27441",
}


def emulator(compatible: str) -> Callable[[Wiring], EmulatedChip]:
    """The class that emulates `compatible`; raises LookupError with the known names."""
    try:
        module, name = EMULATORS[compatible].split(":")
    except KeyError:
        raise LookupError(f"no emulator for {compatible!r}; there are: {', '.join(EMULATORS)}") from None
    found: Any = getattr(import_module(f"{__name__}.{module}"), name)
    return cast("Callable[[Wiring], EmulatedChip]", found)


def build(
    compatible: str,
    signals: Sequence[Signal | None],
    now_ns: Callable[[], int],
    *,
    shunts_ohms: Sequence[float] = (),
    seed: int | str | None = None,
) -> EmulatedChip:
    """One powered-up chip that looks at `signals` (one per input) through shunts (Ohm).

    With a seed the chip has errors drawn inside its data sheet's limits and noise; without, it is
    perfect. Raises LookupError for an unknown chip.
    """
    rng = None if seed is None else Random(f"{seed}/{compatible}")
    return emulator(compatible)(Wiring(tuple(signals), tuple(shunts_ohms), now_ns, rng))
