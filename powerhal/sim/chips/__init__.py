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


def _rows(vendor: str, module: str, names: str) -> dict[str, str]:
    """One row a part whose emulator is named after it."""
    return {f"{vendor},{name}": f"{module}:{name.capitalize()}" for name in names.split()}


def _same(row: str, vendor: str, names: str) -> dict[str, str]:
    """Parts that share one emulator."""
    return {f"{vendor},{name}": row for name in names.split()}


EMULATORS: dict[str, str] = {
    **_rows("ti", "ina219", "ina209 ina219"),
    **_same("ina219:Ina219", "ti", "ina220"),
    **_rows("ti", "ina23x", "ina226 ina230 ina231 ina232 ina233 ina234 ina236 ina260"),
    **_rows("ti", "ina228", "ina228 ina237 ina238 ina700 ina745 ina780"),
    **_rows("ti", "ina3221", "ina3221"),
    **_rows("microchip", "monitors", "pac1931 pac1932 pac1933 pac1934"),
    **_rows("adi", "monitors", "ltc2945"),
    **_rows("lltc", "gauges", "ltc2941 ltc2942 ltc2943 ltc2944"),
    **_rows("maxim", "gauges", "max17040 max17041 max17043 max17044 max17058 max17059"),
    **_rows("maxim", "gauges", "max17042 max17047 max17050 max17055"),
    **_rows("maxim", "max17048", "max17048 max17049"),
    **_rows("maxim", "gauges", "ds2782"),
    **_rows("ti", "ti_gauges", "bq27000 bq27010 bq27426 bq27500 bq27510g3 bq27520g4 bq27530 bq27541 bq27545"),
    **_rows("ti", "ti_gauges", "bq27z561 bq34z100 bq78z100"),
    **_same("ti_gauges:Bq27441", "ti", "bq27411 bq27421 bq27425 bq27441 bq27621"),
    **_same("ti_gauges:Bq27000", "ti", "bq27200"),
    **_same("ti_gauges:Bq27010", "ti", "bq27210"),
    **_same("ti_gauges:Bq27510g3", "ti", "bq27510"),
    **_same("ti_gauges:Bq27500", "ti", "bq27510g1 bq27510g2 bq27520g1 bq27520g2 bq27520g3"),
    **_same("ti_gauges:Bq27530", "ti", "bq27531"),
    **_same("ti_gauges:Bq27541", "ti", "bq27542 bq27546 bq27742"),
    **_same("ti_gauges:Bq27z561", "ti", "bq28z610"),
    "sbs,sbs-battery": "gauges:Sbs",
    "onnn,lc709203f": "gauges:Lc709203f",
    "cellwise,cw2015": "gauges:Cw2015",
    "st,stc3117": "gauges:Stc3117",
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
