"""Chips as data: one file a family, one table here, resolved on use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from powerhal.errors import BoardError

if TYPE_CHECKING:
    from powerhal.chips.registers import ChipType

CHIPS: dict[str, str] = {
    "ti,ina219": "ina2xx:INA219",
    "ti,ina220": "ina2xx:INA220",
    "ti,ina226": "ina2xx:INA226",
    "ti,ina230": "ina2xx:INA230",
    "ti,ina231": "ina2xx:INA231",
    "ti,ina3221": "ina3221:INA3221",
    "maxim,max17048": "max1704x:MAX17048",
    "maxim,max17049": "max1704x:MAX17049",
    "ti,bq27411": "bq27xxx:BQ27421",
    "ti,bq27421": "bq27xxx:BQ27421",
    "ti,bq27425": "bq27xxx:BQ27421",
    "ti,bq27441": "bq27xxx:BQ27421",
    "ti,bq27621": "bq27xxx:BQ27421",
}
"""Device-tree `compatible` -> `module:NAME` in this package."""


def load(compatible: str) -> ChipType:
    """The chip of that device-tree `compatible`; raises BoardError for one we do not know."""
    if compatible not in CHIPS:
        from difflib import get_close_matches

        near = get_close_matches(compatible, CHIPS, 1)
        hint = f"did you mean {near[0]!r}?" if near else "see `powerhal boards schema` for the chips"
        raise BoardError(f"no chip {compatible!r} is known", hint=hint)
    module, _, name = CHIPS[compatible].partition(":")
    chip: ChipType = getattr(import_module(f"powerhal.chips.{module}"), name)
    return chip


def find(name: str) -> ChipType:
    """The chip of a bare part name (`ina226`) or a `compatible`; raises BoardError."""
    by_part = {c.partition(",")[2]: c for c in CHIPS}
    return load(by_part.get(name.lower(), name))
